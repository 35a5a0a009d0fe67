/* The loops of k-d tree search. The order in which they sum does not depend on the processor. */
#ifndef CK_LEAVES_H
#define CK_LEAVES_H

#include <stdint.h>

/* A leaf has up to CK_LEAF points, stored by columns: coordinate c of point i is leaf[c * CK_LEAF + i]. Unused points
 * are NaN. */
#define CK_LEAF 16

/* Finds the pairs of a leaf of queries and a leaf of points whose distance is at most the bound of the query. Pairs are
 * ordered by query, then by point. It writes the number query * CK_LEAF + point, and the sum over the d coordinates of
 * (query - point)^2 or of |query - point|, added in order. `box` has the smallest, then the largest values of the
 * points' first m coordinates, m <= d. A query that is not wanted or does not exist has the bound -infinity. `pairs`
 * and `sums` need space for CK_LEAF^2 pairs. Returns the number of pairs. */
int64_t ck_leaf_pairs_squared(const double *queries, const double *points, int64_t d, const double *box, int64_t m,
                              const double *bounds, uint8_t *pairs, double *sums);
int64_t ck_leaf_pairs_manhattan(const double *queries, const double *points, int64_t d, const double *box, int64_t m,
                                const double *bounds, uint8_t *pairs, double *sums);

/* Reads a number that another thread may lower at the same time. */
static inline double ck_load(const double *number) {
    double value;
    __atomic_load(number, &value, __ATOMIC_RELAXED);
    return value;
}

/* The gaps between a box (the smallest, then the largest values of m coordinates) and CK_BOXES boxes, stored by
 * columns: coordinate c of box i is boxes[c * CK_BOXES + i]. A gap is the sum over the coordinates of the squares, or
 * of the absolute values, of the distance between the boxes. Returns one bit for each gap that is at most `most`. */
#define CK_BOXES 8
uint32_t ck_box_gaps_squared(const double *box, const double *boxes, int64_t m, double most, double *gaps);
uint32_t ck_box_gaps_manhattan(const double *box, const double *boxes, int64_t m, double most, double *gaps);

/* Lists of the smallest numbers so far. Each list has `slots` entries (a multiple of 8, at most CK_LIST), in ascending
 * order of (value, number). For all `found` pairs h, offers sums[h] with the number first + pairs[h] % CK_LEAF to the
 * list pairs[h] / CK_LEAF. The pairs of one list must be consecutive. A pair whose number is that of the list itself,
 * own + list, is skipped. */
#define CK_LIST 32
void ck_lists_offer(double *values, int64_t *numbers, int64_t slots, const uint8_t *pairs, const double *sums,
                    int64_t found, int64_t first, int64_t own);

/* Sorts up to CK_LIST values and their numbers, in ascending order of (value, number). */
void ck_list_sort(double *values, int32_t *numbers, int64_t count);

/* Prefetches memory that will be read soon. */
static inline void ck_prefetch(const void *address) { __builtin_prefetch(address); }

/* Sets a mark that other threads may set at the same time. */
static inline void ck_mark(uint8_t *mark) { __atomic_store_n(mark, 1, __ATOMIC_RELAXED); }

static inline void ck_store(double *number, double value) { __atomic_store(number, &value, __ATOMIC_RELAXED); }

#endif
