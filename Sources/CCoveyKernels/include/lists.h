/* The loops of approximate nearest-neighbour search. They use short lists of near rows, sorted by distance. */
#ifndef CK_LISTS_H
#define CK_LISTS_H

#include <stdint.h>

/* Offers the columns of a row of a tile of -2 x.y to the row's list of its k nearest, in float32. Column j is row first
 * + j, at the squared distance tile[j] + norms[j] + own_norm. `own`, the row itself, is skipped. Lists are in ascending
 * order; of equal distances the first one is kept. */
void ck_list_scan(const float *tile, const float *norms, int64_t n, int32_t first, int32_t own, float own_norm,
                  int64_t k, float *distances, int32_t *indices);

/* The squared distances of row `own` to `count` other rows. The distance from row to row is `stride` floats, a multiple
 * of 16. */
void ck_list_distances(const float *rows, int64_t stride, int64_t own, const int32_t *others, int64_t count,
                       float *distances);

/* Writes the columns with tile[j] + norms[j] <= limit in ascending order. n is at most 65536. Returns their number. */
int64_t ck_near_columns(const float *tile, const float *norms, int64_t n, float limit, uint16_t *hits);

/* Returns the index of the smallest tile[j] + norms[j]; of equal ones, the first. n is at least 1. */
int64_t ck_nearest_column(const float *tile, const float *norms, int64_t n);

/* Each row has 16 entries. An entry is twice the index of a row, plus 1 if it is new; -1 means none. */
#define CK_ENTRIES 16
/* The number of slots of the hash table of rows that were seen; an empty slot has -1. */
#define CK_TABLE 4096

/* Finds the candidates of a row: the entries of the row's entries, `forward` and `backward`, on paths with at least one
 * new entry, and the new entries of its own `backward`. Each candidate occurs once. Rows in `seen`, and rows in one of
 * the `ranges` (`sizes` rows from `firsts`), are left out. Only the first `depth` entries of a row are read. Returns
 * the number of candidates, below CK_TABLE / 2; `seen_count` must be below that too. The table is empty before and
 * after the call. */
int64_t ck_list_candidates(int64_t row, int64_t depth, const int32_t *forward, const int32_t *backward,
                           const int32_t *seen, int64_t seen_count, const int32_t *firsts, const uint32_t *sizes,
                           int64_t ranges, int32_t *table, int32_t *used, int32_t *candidates);

#endif
