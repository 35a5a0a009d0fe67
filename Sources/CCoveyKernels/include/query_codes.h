/* Compares new rows (queries) with a block of rows by products of 8-bit integers, as codes.h does for two blocks. A
 * block's row is x = a + s X + e about its cell's centroid a; a query is y = t Y + f about the origin. Then
 *
 *     |x - y|^2 = |x|^2 + |y|^2 - 2 a.y - 2 (x - a).y
 *
 * and (x - a).y differs from s t X.Y by at most |e| |y| + |s X| |f| (Cauchy-Schwarz). Everything that does not depend
 * on the row is in the query's limit, so that a row is near only if its base - 2 s t X.Y is at most that limit. */
#ifndef CK_QUERY_CODES_H
#define CK_QUERY_CODES_H

#include "codes.h"

/* The best way of codes.h without AMX, whose tiles are too large for a few queries: CK_CODES_VNNI or CK_CODES_PLAIN. */
int ck_query_codes_best(void);

/* Queries of one block. */
typedef struct ck_coded_queries {
    int64_t count;
    const int32_t *listed; /* The index of each query in `codes` and `sums`. */
    const int8_t *codes;   /* Each query's codes: `depth` of them. */
    const int32_t *sums;   /* The sum of a query's codes. */
    const float *scales;   /* 2 s t, by place in the list. */
    const float *limits;   /* By place in the list. */
} ck_coded_queries;

/* Writes the near pairs as place in the list << 16 | row, in no defined order, and returns their number. All ways give
 * the same pairs.
 *
 * - depth: a multiple of CK_CODES_DEPTH, at most CK_CODES_MOST_DEPTH
 * - panel: the rows' codes from ck_pack_codes
 * - bases: of each row; as many as the panel has rows, which is a multiple of 16
 * - hits: space for rows x queries->count pairs */
int64_t ck_near_queries(int way, int64_t rows, int64_t depth, const uint8_t *panel, const float *bases,
                        const ck_coded_queries *queries, uint32_t *hits);

#endif
