/* The loops of the encoder. This file is included once for each instruction set; see instruction_sets.h.
 *
 * Every number is computed by the same operations in the same order, whatever other rows are computed with it. So the
 * result of a row does not depend on the batch. */

#include "encoder_vectors.h"

#include "encoder_lstm_kernels.h"

/* Computes the sums of a panel of `vectors` vectors of 16 columns for `rows` rows. */
INLINE void CK_NAME(panel)(V *sums, const int rows, const int vectors, int part, const ck_dense *dense,
                           int64_t first_vector, const float *left, int64_t left_stride, const float *right,
                           int64_t right_stride) {
    const int64_t stride = vectors * 16;
    const float *weights = dense->weights + first_vector * 16 * (dense->left + dense->right) + part;
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++)
            sums[row * 4 + v] = CK_NAME(load)(dense->bias + (first_vector + v) * 16 + part);
    CK_NAME(multiply)(sums, rows, vectors, dense->left, left, left_stride, weights, stride);
    CK_NAME(multiply)(sums, rows, vectors, dense->right, right, right_stride, weights + dense->left * stride, stride);
}

/* Runs PANEL(rows, vectors, part, first vector) for every tile of rows and panel of columns. */
#define VECTORS(n) \
    switch (dense->vectors - vector < 4 ? dense->vectors - vector : 4) { \
    case 4: PANEL(n, 4); break; \
    case 3: PANEL(n, 3); break; \
    case 2: PANEL(n, 2); break; \
    default: PANEL(n, 1); break; \
    }
#define TILES \
    for (int64_t vector = 0; vector < dense->vectors; vector += 4) \
        for (int part = 0; part < 16; part += CK_LANES) { \
            int64_t row = 0; \
            for (; row + CK_ROWS <= rows; row += CK_ROWS) VECTORS(CK_ROWS) \
            for (; row < rows; row++) VECTORS(1) \
        }

INLINE void CK_NAME(dense_tile)(const int rows, const int vectors, int part, const ck_dense *dense, int64_t vector,
                                const float *left, int64_t left_stride, float *output, int64_t output_stride) {
    V sums[CK_ROWS * 4];
    CK_NAME(panel)(sums, rows, vectors, part, dense, vector, left, left_stride, NULL, 0);
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++)
            CK_NAME(store)(output + row * output_stride + (vector + v) * 16 + part, sums[row * 4 + v]);
}

static void CK_NAME(dense_rows)(const ck_dense *dense, int64_t rows, const float *inputs, int64_t input_stride,
                                float *output, int64_t output_stride){
#define PANEL(n, vectors) \
    CK_NAME(dense_tile)(n, vectors, part, dense, vector, inputs + row * input_stride, input_stride, \
                        output + row * output_stride, output_stride)
    TILES
#undef PANEL
}

INLINE void CK_NAME(score_tile)(const int rows, const int vectors, int part, const ck_dense *dense, int64_t vector,
                                const float *score, const float *times, int64_t time_stride, const float *states,
                                int64_t state_stride, float *lanes) {
    V sums[CK_ROWS * 4];
    CK_NAME(panel)(sums, rows, vectors, part, dense, vector, times, time_stride, states, state_stride);
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++) {
        V total = CK_NAME(load)(lanes + row * 16 + part);
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            V m = CK_NAME(exp_minus)(sums[row * 4 + v], 2.0f);
            total = CK_NAME(fma)((1.0f - m) / (m + 1.0f), CK_NAME(load)(score + (vector + v) * 16 + part), total);
        }
        CK_NAME(store)(lanes + row * 16 + part, total);
    }
}

static void CK_NAME(attention_scores)(const ck_dense *dense, const float *score, int64_t total_rows, const float *times,
                                      int64_t time_stride, const float *states, int64_t state_stride, float *scores) {
    enum { chunk = 4 * CK_ROWS };
    for (int64_t start = 0; start < total_rows; start += chunk) {
        const int64_t rows = total_rows - start < chunk ? total_rows - start : chunk;
        float lanes[chunk * 16];
        memset(lanes, 0, sizeof lanes);
#define PANEL(n, vectors) \
    CK_NAME(score_tile)(n, vectors, part, dense, vector, score, times + (start + row) * time_stride, time_stride, \
                        states + (start + row) * state_stride, state_stride, lanes + row * 16)
        TILES
#undef PANEL
        for (int64_t row = 0; row < rows; row++) {
            float *sum = lanes + row * 16;
            for (int half = 8; half > 0; half /= 2)
                for (int lane = 0; lane < half; lane++) sum[lane] += sum[lane + half];
            scores[start + row] = sum[0];
        }
    }
}
#undef VECTORS
#undef TILES

static void CK_NAME(attention_pool)(int64_t rows, float *scores, const float *largest, double *sums, int64_t columns,
                                    const float *states, int64_t state_stride, double *pooled) {
    typedef double D __attribute__((ext_vector_type(CK_LANES)));
    for (int64_t start = 0; start < rows; start += CK_LANES) {
        const int64_t count = rows - start < CK_LANES ? rows - start : CK_LANES;
        float differences[CK_LANES] = {0};
        for (int64_t row = 0; row < count; row++) differences[row] = scores[start + row] - largest[start + row];
        CK_NAME(exponential) e = CK_NAME(exp)(CK_NAME(clamp)(CK_NAME(load)(differences), -80.0f, 0.0f));
        CK_NAME(store)(differences, CK_NAME(fma)(e.scale, e.part, e.scale));
        for (int64_t row = 0; row < count; row++) {
            const float weight = differences[row];
            scores[start + row] = weight;
            sums[start + row] += (double)weight;
            const float *state = states + (start + row) * state_stride;
            double *sum = pooled + (start + row) * columns;
            for (int64_t column = 0; column < columns; column += CK_LANES) {
                D total;
                memcpy(&total, sum + column, sizeof total);
                total += __builtin_convertvector(CK_NAME(load)(state + column) * weight, D);
                memcpy(sum + column, &total, sizeof total);
            }
        }
    }
}

static void CK_NAME(attention_pool_sequence)(int64_t steps, const ptrdiff_t *rows, int64_t row, float *scores,
                                             float largest, double *sum, int64_t columns, const float *states,
                                             int64_t state_stride, double *pooled) {
    enum { chunk = 64 };
    for (int64_t start = 0; start < steps; start += chunk) {
        const int64_t count = steps - start < chunk ? steps - start : chunk;
        float weights[chunk];
        for (int64_t step = 0; step < count; step++) weights[step] = scores[rows[start + step] + row] - largest;
        for (int64_t step = count; step % CK_LANES != 0; step++) weights[step] = 0;
        for (int64_t step = 0; step < count; step += CK_LANES) {
            CK_NAME(exponential) e = CK_NAME(exp)(CK_NAME(clamp)(CK_NAME(load)(weights + step), -80.0f, 0.0f));
            CK_NAME(store)(weights + step, CK_NAME(fma)(e.scale, e.part, e.scale));
        }
        double total = 0;
        for (int64_t step = 0; step < count; step++) {
            scores[rows[start + step] + row] = weights[step];
            total += (double)weights[step];
        }
        *sum += total;
        for (int64_t column = 0; column < columns;) {
            V sums[8];
            const int vectors = columns - column >= 8 * CK_LANES ? 8 : 1;
            const float *state = states + row * state_stride + column;
            for (int v = 0; v < 8; v++) sums[v] = CK_NAME(splat)(0.0f);
            if (vectors == 8)
                for (int64_t step = 0; step < count; step++) {
                    const V weight = CK_NAME(splat)(weights[step]);
#pragma clang loop unroll(full)
                    for (int v = 0; v < 8; v++)
                        sums[v] = CK_NAME(fma)(CK_NAME(load)(state + rows[start + step] * state_stride + v * CK_LANES),
                                               weight, sums[v]);
                }
            else
                for (int64_t step = 0; step < count; step++)
                    sums[0] = CK_NAME(fma)(CK_NAME(load)(state + rows[start + step] * state_stride),
                                           CK_NAME(splat)(weights[step]), sums[0]);
            for (int v = 0; v < vectors; v++)
                for (int lane = 0; lane < CK_LANES; lane++)
                    pooled[column + v * CK_LANES + lane] += (double)sums[v][lane];
            column += vectors * CK_LANES;
        }
    }
}

/* log1p(x) for x from 0 to the largest float: log(u) + (x - (u - 1)) / u, where u is 1 + x rounded. The log is that of
 * Cephes (logf). */
INLINE V CK_NAME(log1p)(V x) {
    V u = x + 1.0f;
    V lost = (x - (u - 1.0f)) / u;
    lost = u < 16777216.0f ? lost : CK_NAME(splat)(0.0f);
    I bits = (I)u;
    /* u = 2^n m, m within [sqrt(1/2), sqrt(2)) */
    I shifted = (bits - 0x3f3504f3) >> 23;
    V m = (V)(bits - (shifted << 23)) - 1.0f;
    V n = __builtin_convertvector(shifted, V);
    V z = m * m;
    V p = CK_NAME(splat)(7.0376836292e-2f);
    p = CK_NAME(fma)(p, m, CK_NAME(splat)(-1.1514610310e-1f));
    p = CK_NAME(fma)(p, m, CK_NAME(splat)(1.1676998740e-1f));
    p = CK_NAME(fma)(p, m, CK_NAME(splat)(-1.2420140846e-1f));
    p = CK_NAME(fma)(p, m, CK_NAME(splat)(1.4249322787e-1f));
    p = CK_NAME(fma)(p, m, CK_NAME(splat)(-1.6668057665e-1f));
    p = CK_NAME(fma)(p, m, CK_NAME(splat)(2.0000714765e-1f));
    p = CK_NAME(fma)(p, m, CK_NAME(splat)(-2.4999993993e-1f));
    p = CK_NAME(fma)(p, m, CK_NAME(splat)(3.3333331174e-1f));
    V y = p * m * z;
    y = CK_NAME(fma)(n, CK_NAME(splat)(-2.12194440e-4f), y);
    y = CK_NAME(fma)(z, CK_NAME(splat)(-0.5f), y);
    return CK_NAME(fma)(n, CK_NAME(splat)(0.693359375f), m + y) + lost;
}

static void CK_NAME(time_feature)(int64_t count, const float *seconds, float mean, float inverse_deviation, float limit,
                                  float *output, int64_t stride) {
    for (int64_t start = 0; start < count; start += CK_LANES) {
        const int64_t length = count - start < CK_LANES ? count - start : CK_LANES;
        float values[CK_LANES] = {0};
        if (length < CK_LANES) memcpy(values, seconds + start, (size_t)length * sizeof *values);
        V x = CK_NAME(load)(length < CK_LANES ? values : seconds + start);
        V y = (CK_NAME(log1p)(x) - mean) * inverse_deviation;
        y = CK_NAME(clamp)(y, -limit, limit);
        y = x == x ? y : CK_NAME(splat)(0.0f);
        if (stride == 1 && length == CK_LANES) {
            CK_NAME(store)(output + start, y);
            continue;
        }
        CK_NAME(store)(values, y);
        if (stride == 1) memcpy(output + start, values, (size_t)length * sizeof *values);
        else
            for (int64_t i = 0; i < length; i++) output[(start + i) * stride] = values[i];
    }
}

#undef V
#undef I
#undef INLINE
#undef CK_ROWS
