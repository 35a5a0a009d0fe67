/* The loops of approximate nearest-neighbour search: short lists of near rows, sorted by distance. */
#ifndef CK_LISTS_H
#define CK_LISTS_H

#include <stdint.h>

/* Offers the columns of a row of a tile of -2 x.y to the row's list of its k nearest, in float32: column j is row first + j
 * at the squared distance tile[j] + norms[j] + own_norm; `own`, the row itself, is left out. Lists ascend; ties keep the
 * first. */
void ck_list_scan(const float *tile, const float *norms, int64_t n, int32_t first, int32_t own, float own_norm, int64_t k,
                  float *distances, int32_t *indices);

/* Squared distances of row `own` to `count` others; rows are `stride` floats (a multiple of 16) apart. */
void ck_list_distances(const float *rows, int64_t stride, int64_t own, const int32_t *others, int64_t count,
                       float *distances);

/* The columns with tile[j] + norms[j] <= limit, ascending; n is at most 65536. Returns how many. */
int64_t ck_near_columns(const float *tile, const float *norms, int64_t n, float limit, uint16_t *hits);

/* The place of the least tile[j] + norms[j], the first of equals; n is at least 1. */
int64_t ck_nearest_column(const float *tile, const float *norms, int64_t n);

/* Of each row 16 entries: places of rows, doubled, plus 1 where new; -1 = none. */
#define CK_ENTRIES 16
/* A table of rows that were seen holds -1 where empty. */
#define CK_TABLE 4096

/* The rows that the entries of the row's entries name, `forward` and `backward`, by a path with a new entry on it, and the new
 * ones of its own `backward`: each once, but for those that `seen` lists or that lie in one of the `ranges` of `sizes` rows
 * from `firsts`. Looks at the first `depth` entries of a row. Returns how many, less than CK_TABLE / 2; `seen_count` is below
 * that too. The table is left empty. */
int64_t ck_list_candidates(int64_t row, int64_t depth, const int32_t *forward, const int32_t *backward,
                           const int32_t *seen, int64_t seen_count, const int32_t *firsts, const uint32_t *sizes,
                           int64_t ranges, int32_t *table, int32_t *used, int32_t *candidates);

#endif
