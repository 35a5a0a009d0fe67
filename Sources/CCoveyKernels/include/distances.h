/* The loops of nearest-neighbour search. The order in which they sum does not depend on the processor. */
#ifndef CK_DISTANCES_H
#define CK_DISTANCES_H

#include <stdint.h>

/* The exact distance of two rows of d numbers, in float64. Rows may be at any address. Functions that end in _f64_f32
 * take a row of each kind. The sum of (a - b)^2: */
double ck_squared_distance_f32(const void *a, const void *b, int64_t d);
double ck_squared_distance_f64(const void *a, const void *b, int64_t d);
double ck_squared_distance_f64_f32(const void *a, const void *b, int64_t d);
/* The sum of |a - b|: */
double ck_manhattan_distance_f32(const void *a, const void *b, int64_t d);
double ck_manhattan_distance_f64(const void *a, const void *b, int64_t d);
double ck_manhattan_distance_f64_f32(const void *a, const void *b, int64_t d);
/* The sum of (a * scale_a - b * scale_b)^2: */
double ck_scaled_distance_f32(const void *a, const void *b, int64_t d, double scale_a, double scale_b);
double ck_scaled_distance_f64(const void *a, const void *b, int64_t d, double scale_a, double scale_b);
double ck_scaled_distance_f64_f32(const void *a, const void *b, int64_t d, double scale_a, double scale_b);

/* Writes to `hits`, in ascending order, the columns j of a row of a tile with tile[j] <= max(threshold -
 * column_bias[j], column_threshold[j] - bias). These are the pairs (row, j) that are near enough for the row or for j.
 * Returns their number. n is at most 65536. */
int64_t ck_scan_row(const float *tile, int64_t n, float threshold, float bias, const float *column_threshold,
                    const float *column_bias, uint16_t *hits);

/* Tile (m x n, leading dimension ldt) of factor * sum |a - b|. A is m x d (lda), and the transpose of B is d x n (ldb).
 * Reads and writes columns up to the next multiple of 16 above n. */
void ck_manhattan_tile(int64_t m, int64_t n, int64_t d, float factor, const float *a, int64_t lda, const float *b,
                       int64_t ldb, float *tile, int64_t ldt);

/* The products of a query with `count` rows of d numbers (lda), and the sums of |query - row|. */
void ck_query_products(const float *rows, int64_t lda, int64_t count, const float *query, int64_t d, float *products);
void ck_query_manhattan(const float *rows, int64_t lda, int64_t count, const float *query, int64_t d, float *sums);

/* Bounds of the distances of `count` rows to a centroid. They are computed from the products of the rows with it (if
 * `manhattan`, from the sums of |row - centroid|) and from the norms. The error of a square is at most `error` x norms;
 * the error of a sum is at most `error` x the sum, plus `slack` x norms. */
void ck_centroid_bounds(int64_t count, int manhattan, const float *products, const double *norms, double centroid_norm,
                        double error, double slack, float *low, float *high);

/* Returns the index of the smallest sum a[i] + b[i]; of equal sums, the first. count is at least 1. */
int64_t ck_least_sum(int64_t count, const float *a, const float *b);

/* The rows that may be near a shell around a centroid, whose distances to the centroid are between `inner` and `outer`.
 * A row is near if its distance to the shell may be at most its `reach`, or at most `least` if that is larger. Writes
 * their indices in ascending order and returns their number. */
int64_t ck_rows_in_reach(int64_t count, const float *low, const float *high, double inner, double outer,
                         const double *reach, double least, int32_t *places);

/* The largest of `count` numbers; -infinity if there is none. */
double ck_largest(int64_t count, const double *numbers);

#endif
