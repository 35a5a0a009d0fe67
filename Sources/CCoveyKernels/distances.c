#include "distances.h"
#include "clones.h"

#include <math.h>

typedef double doubles __attribute__((vector_size(64), aligned(1)));
typedef float floats __attribute__((vector_size(32), aligned(1)));
typedef int64_t words __attribute__((vector_size(64)));
typedef float wide __attribute__((vector_size(64), aligned(1)));
typedef int32_t wide_words __attribute__((vector_size(64)));

/* Adds eight lanes, always in this order. */
#define LANES(v) ((((v)[0] + (v)[4]) + ((v)[2] + (v)[6])) + (((v)[1] + (v)[5]) + ((v)[3] + (v)[7])))
#define LOAD_double(p) (*(const doubles *)(p))
#define LOAD_float(p) __builtin_convertvector(*(const floats *)(p), doubles)
#define ABSOLUTE(v) ((doubles)((words)(v) & 0x7fffffffffffffffLL))

/* The last d % 8 numbers are added one by one. So short rows are summed in the order of the references. */
#define PAIR_DISTANCE(NAME, A, B, PARAMETERS, VECTOR_TERM, TERM) \
    CLONES double NAME(const void *first, const void *second, int64_t d PARAMETERS) { \
        const char *a = first, *b = second; \
        doubles sums = {0}; \
        int64_t c = 0; \
        for (; c + 8 <= d; c += 8) { \
            doubles x = LOAD_##A(a + c * (int64_t)sizeof(A)), y = LOAD_##B(b + c * (int64_t)sizeof(B)); \
            sums += VECTOR_TERM; \
        } \
        double sum = LANES(sums); \
        for (; c < d; c++) { \
            A from; \
            B to; \
            __builtin_memcpy(&from, a + c * (int64_t)sizeof(A), sizeof(A)); \
            __builtin_memcpy(&to, b + c * (int64_t)sizeof(B), sizeof(B)); \
            double x = from, y = to; \
            sum += TERM; \
        } \
        return sum; \
    }

#define NO_PARAMETERS
#define SCALES , double scale_a, double scale_b
#define SQUARE ((x - y) * (x - y))
#define SCALED_SQUARE ((x * scale_a - y * scale_b) * (x * scale_a - y * scale_b))

PAIR_DISTANCE(ck_squared_distance_f32, float, float, NO_PARAMETERS, SQUARE, SQUARE)
PAIR_DISTANCE(ck_squared_distance_f64, double, double, NO_PARAMETERS, SQUARE, SQUARE)
PAIR_DISTANCE(ck_squared_distance_f64_f32, double, float, NO_PARAMETERS, SQUARE, SQUARE)
PAIR_DISTANCE(ck_manhattan_distance_f32, float, float, NO_PARAMETERS, ABSOLUTE(x - y), fabs(x - y))
PAIR_DISTANCE(ck_manhattan_distance_f64, double, double, NO_PARAMETERS, ABSOLUTE(x - y), fabs(x - y))
PAIR_DISTANCE(ck_manhattan_distance_f64_f32, double, float, NO_PARAMETERS, ABSOLUTE(x - y), fabs(x - y))
PAIR_DISTANCE(ck_scaled_distance_f32, float, float, SCALES, SCALED_SQUARE, SCALED_SQUARE)
PAIR_DISTANCE(ck_scaled_distance_f64, double, double, SCALES, SCALED_SQUARE, SCALED_SQUARE)
PAIR_DISTANCE(ck_scaled_distance_f64_f32, double, float, SCALES, SCALED_SQUARE, SCALED_SQUARE)

/* Hits are rare. 64 columns are tested at once, and only if one of them is a hit, each is tested alone. */
#define SCAN(CONDITION) \
    int64_t count = 0, j = 0; \
    for (; j + 64 <= n; j += 64) { \
        int32_t any = 0; \
        for (int64_t t = j; t < j + 64; t++) any |= (CONDITION); \
        if (any) \
            for (int64_t t = j; t < j + 64; t++) { \
                hits[count] = (uint16_t)t; \
                count += (CONDITION); \
            } \
    } \
    for (int64_t t = j; t < n; t++) \
        if (CONDITION) hits[count++] = (uint16_t)t; \
    return count;

#define NEAR ((tile[t] <= threshold - column_bias[t]) | (tile[t] <= column_threshold[t] - bias))

CLONES int64_t ck_scan_row(const float *restrict tile, int64_t n, float threshold, float bias,
                           const float *restrict column_threshold, const float *restrict column_bias,
                           uint16_t *restrict hits) {
    SCAN(NEAR)
}

CLONES void ck_manhattan_tile(int64_t m, int64_t n, int64_t d, float factor, const float *a, int64_t lda,
                              const float *b, int64_t ldb, float *tile, int64_t ldt) {
    for (int64_t j = 0; j < n; j += 16) {
        int64_t i = 0;
        for (; i + 4 <= m; i += 4) {
            wide s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
            const float *row = a + i * lda;
            for (int64_t c = 0; c < d; c++) {
                wide y = *(const wide *)(b + c * ldb + j);
                s0 += (wide)((wide_words)(row[c] - y) & 0x7fffffff);
                s1 += (wide)((wide_words)(row[lda + c] - y) & 0x7fffffff);
                s2 += (wide)((wide_words)(row[2 * lda + c] - y) & 0x7fffffff);
                s3 += (wide)((wide_words)(row[3 * lda + c] - y) & 0x7fffffff);
            }
            float *out = tile + i * ldt + j;
            *(wide *)out = s0 * factor;
            *(wide *)(out + ldt) = s1 * factor;
            *(wide *)(out + 2 * ldt) = s2 * factor;
            *(wide *)(out + 3 * ldt) = s3 * factor;
        }
        for (; i < m; i++) {
            wide sum = {0};
            for (int64_t c = 0; c < d; c++)
                sum += (wide)((wide_words)(a[i * lda + c] - *(const wide *)(b + c * ldb + j)) & 0x7fffffff);
            *(wide *)(tile + i * ldt + j) = sum * factor;
        }
    }
}

static inline __attribute__((always_inline)) float sum_of_lanes(const float *lanes) {
    float sum = 0;
    for (int lane = 0; lane < 16; lane++) sum += lanes[lane];
    return sum;
}

CLONES void ck_query_products(const float *rows, int64_t lda, int64_t count, const float *query, int64_t d,
                              float *products) {
    for (int64_t i = 0; i < count; i++) {
        const float *row = rows + i * lda;
        wide sums = {0};
        int64_t c = 0;
        for (; c + 16 <= d; c += 16) sums += *(const wide *)(row + c) * *(const wide *)(query + c);
        float sum = sum_of_lanes((const float *)&sums);
        if (c + 8 <= d) {
            floats half = *(const floats *)(row + c) * *(const floats *)(query + c);
            sum += LANES(half);
            c += 8;
        }
        for (; c < d; c++) sum += row[c] * query[c];
        products[i] = sum;
    }
}

CLONES void ck_query_manhattan(const float *rows, int64_t lda, int64_t count, const float *query, int64_t d,
                               float *sums) {
    for (int64_t i = 0; i < count; i++) {
        const float *row = rows + i * lda;
        wide lanes = {0};
        int64_t c = 0;
        for (; c + 16 <= d; c += 16)
            lanes += (wide)((wide_words)(*(const wide *)(row + c) - *(const wide *)(query + c)) & 0x7fffffff);
        float sum = sum_of_lanes((const float *)&lanes);
        for (; c < d; c++) sum += fabsf(row[c] - query[c]);
        sums[i] = sum;
    }
}

CLONES int64_t ck_least_sum(int64_t count, const float *restrict a, const float *restrict b) {
    float least = INFINITY;
    for (int64_t i = 0; i < count; i++) least = a[i] + b[i] < least ? a[i] + b[i] : least;
    for (int64_t i = 0; i < count; i++)
        if (a[i] + b[i] <= least) return i;
    return 0;
}

CLONES void ck_centroid_bounds(int64_t count, int manhattan, const float *restrict products,
                               const double *restrict norms, double centroid_norm, double error, double slack,
                               float *restrict low, float *restrict high) {
    /* Rounding to float32 changes a bound by less than this factor. */
    const double below = 1 - 0x1p-22, above = 1 + 0x1p-22;
    for (int64_t i = 0; i < count; i++) {
        double both = norms[i] + centroid_norm, least, most;
        if (manhattan) {
            least = products[i] * (1 - error) - slack * both;
            most = products[i] * (1 + error) + slack * both;
        } else {
            least = both - 2.0 * products[i] - error * both;
            most = both - 2.0 * products[i] + error * both;
        }
        least = least > 0 ? least : 0;
        most = most > 0 ? most : 0;
        low[i] = (float)((manhattan ? least : sqrt(least)) * below);
        high[i] = (float)((manhattan ? most : sqrt(most)) * above);
    }
}

CLONES int64_t ck_rows_in_reach(int64_t count, const float *restrict low, const float *restrict high, double inner,
                                double outer, const double *restrict reach, double least, int32_t *restrict places) {
    int64_t found = 0;
    for (int64_t i = 0; i < count; i += 16) {
        int64_t end = count - i < 16 ? count - i : 16;
        int32_t near[16], any = 0;
        for (int64_t t = 0; t < end; t++) {
            double within = reach[i + t] > least ? reach[i + t] : least;
            near[t] = (low[i + t] - outer <= within) & (inner - high[i + t] <= within);
            any |= near[t];
        }
        if (!any) continue;
        for (int64_t t = 0; t < end; t++) {
            places[found] = (int32_t)(i + t);
            found += near[t];
        }
    }
    return found;
}

CLONES double ck_largest(int64_t count, const double *numbers) {
    double most = -INFINITY;
    for (int64_t i = 0; i < count; i++) most = numbers[i] > most ? numbers[i] : most;
    return most;
}
