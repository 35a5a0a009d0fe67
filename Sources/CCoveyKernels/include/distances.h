/* The loops of nearest-neighbour search. Sums are taken in an order that does not depend on the processor. */
#ifndef CK_DISTANCES_H
#define CK_DISTANCES_H

#include <stdint.h>

/* The exact distance of two rows of d numbers, in float64: the sum of (a - b)^2 ... */
double ck_squared_distance_f32(const void *a, const void *b, int64_t d);
double ck_squared_distance_f64(const void *a, const void *b, int64_t d);
/* ... of |a - b| ... */
double ck_manhattan_distance_f32(const void *a, const void *b, int64_t d);
double ck_manhattan_distance_f64(const void *a, const void *b, int64_t d);
/* ... of (a * scale_a - b * scale_b)^2. Rows may lie at any address. */
double ck_scaled_distance_f32(const void *a, const void *b, int64_t d, double scale_a, double scale_b);
double ck_scaled_distance_f64(const void *a, const void *b, int64_t d, double scale_a, double scale_b);

/* The columns j of a row of a tile with tile[j] <= max(threshold - column_bias[j], column_threshold[j] - bias), ascending:
 * the pairs (row, j) near enough for the row or for j. Returns how many; n is at most 65536. */
int64_t ck_scan_row(const float *tile, int64_t n, float threshold, float bias, const float *column_threshold,
                    const float *column_bias, uint16_t *hits);

/* Tile (m x n, leading dimension ldt) of factor * sum |a - b|: A is m x d (lda), B transposed is d x n (ldb). Reads and
 * writes columns up to the next multiple of 16 above n. */
void ck_manhattan_tile(int64_t m, int64_t n, int64_t d, float factor, const float *a, int64_t lda, const float *b,
                       int64_t ldb, float *tile, int64_t ldt);

/* The products of a query with `count` rows of d numbers (lda), and the sums of |query - row|. */
void ck_query_products(const float *rows, int64_t lda, int64_t count, const float *query, int64_t d, float *products);
void ck_query_manhattan(const float *rows, int64_t lda, int64_t count, const float *query, int64_t d, float *sums);

/* Bounds of the distances of `count` rows to a centroid, from their products with it (`manhattan`: their sums of
 * |row - centroid|) and their norms. Squares err by at most error x norms, sums by error x themselves and `slack` x norms. */
void ck_centroid_bounds(int64_t count, int manhattan, const float *products, const double *norms, double centroid_norm,
                        double error, double slack, float *low, float *high);

/* The place of the least sum a[i] + b[i], the first of equals; count is at least 1. */
int64_t ck_least_sum(int64_t count, const float *a, const float *b);

/* The rows whose distance to a ring around the centroid (between `inner` and `outer` of it) may be at most their reach, or
 * `least` where that is more, ascending. Returns how many. */
int64_t ck_rows_in_reach(int64_t count, const float *low, const float *high, double inner, double outer,
                         const double *reach, double least, int32_t *places);

#endif
