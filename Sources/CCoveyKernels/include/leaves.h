/* The loops of k-d tree search. Sums are taken in an order that does not depend on the processor. */
#ifndef CK_LEAVES_H
#define CK_LEAVES_H

#include <stdint.h>

/* A leaf holds up to CK_LEAF points by columns: coordinate c of point i is leaf[c * CK_LEAF + i]. The rest is NaN. */
#define CK_LEAF 16

/* The pairs of a leaf of queries and a leaf of points that are at most a query's bound apart, by queries, then points: the
 * pair's number query * CK_LEAF + point and the sum over the d coordinates of (query - point)^2, or of |query - point|, added
 * one by one. `box`: the points' least, then greatest first m coordinates, m <= d. A query that is not wanted, or not there,
 * has the bound -infinity. Room for CK_LEAF^2 pairs; returns how many. */
int64_t ck_leaf_pairs_squared(const double *queries, const double *points, int64_t d, const double *box, int64_t m,
                              const double *bounds, uint8_t *pairs, double *sums);
int64_t ck_leaf_pairs_manhattan(const double *queries, const double *points, int64_t d, const double *box, int64_t m,
                                const double *bounds, uint8_t *pairs, double *sums);

/* A number that several threads look at while one of them lowers it. */
static inline double ck_load(const double *number) {
    double value;
    __atomic_load(number, &value, __ATOMIC_RELAXED);
    return value;
}

/* The gaps between a box (its least, then greatest m coordinates) and CK_BOXES boxes by columns, coordinate c of box i at
 * boxes[c * CK_BOXES + i]: the sum of the squares, or of the sizes, of what lies between them in each coordinate. Returns a
 * bit for each that is at most `most`. */
#define CK_BOXES 8
uint32_t ck_box_gaps_squared(const double *box, const double *boxes, int64_t m, double most, double *gaps);
uint32_t ck_box_gaps_manhattan(const double *box, const double *boxes, int64_t m, double most, double *gaps);

/* Lists of the least numbers seen: each has `slots` places (a multiple of 8, at most CK_LIST), ascending by (value, number).
 * Offers sums[h] with the number first + pairs[h] % CK_LEAF to list pairs[h] / CK_LEAF, for all `found` pairs. The pairs of a
 * list follow each other. What is offered for a list's own number, own + list, is passed over. */
#define CK_LIST 32
void ck_lists_offer(double *values, int64_t *numbers, int64_t slots, const uint8_t *pairs, const double *sums,
                    int64_t found, int64_t first, int64_t own);

/* Sorts up to CK_LIST values and their numbers, ascending by (value, number). */
void ck_list_sort(double *values, int32_t *numbers, int64_t count);

/* Memory that will be read soon. */
static inline void ck_prefetch(const void *address) { __builtin_prefetch(address); }

/* A mark that several threads may set. */
static inline void ck_mark(uint8_t *mark) { __atomic_store_n(mark, 1, __ATOMIC_RELAXED); }

static inline void ck_store(double *number, double value) { __atomic_store(number, &value, __ATOMIC_RELAXED); }

#endif
