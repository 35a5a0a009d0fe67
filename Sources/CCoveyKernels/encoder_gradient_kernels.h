/* The loops of training. This file is included once for each instruction set; see instruction_sets.h. */

#include "encoder_vectors.h"

/* 1 / x for x from 1 to about 2^40. */
INLINE V CK_NAME(reciprocal)(V x) {
#if CK_LANES == 16
    /* An estimate of 14 bits, doubled by a step of Newton's method. A division would block the multipliers. */
    V r = (V)_mm512_rcp14_ps((__m512)x);
    return CK_NAME(fma)(r, CK_NAME(fma)(-x, r, CK_NAME(splat)(1.0f)), r);
#else
    return 1.0f / x;
#endif
}

/* 1 / (1 + exp(-x)) */
INLINE V CK_NAME(sigmoid)(V x) { return CK_NAME(reciprocal)(CK_NAME(exp_minus)(x, 1.0f) + 1.0f); }

/* tanh(x) = 2 / (1 + exp(-2x)) - 1, within 2e-7 */
INLINE V CK_NAME(tanh)(V x) {
    V half = CK_NAME(reciprocal)(CK_NAME(exp_minus)(x, 2.0f) + 1.0f);
    return CK_NAME(fma)(half, CK_NAME(splat)(2.0f), CK_NAME(splat)(-1.0f));
}

INLINE void CK_NAME(learn_tile)(const ck_lstm_learner *lstm, const int rows, int64_t block, int part,
                                const float *table, int64_t table_stride, const int32_t *indices, const float *inputs,
                                int64_t input_stride, const float *previous_cells, float *gates, float *cells,
                                float *states, int64_t state_stride, float *next, int64_t next_stride,
                                int64_t next_rows) {
    const int64_t width = 4 * lstm->units, column = block * 16 + part, first = block * 64 + part;
    V sums[CK_ROWS * 4];
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++)
#pragma clang loop unroll(full)
        for (int gate = 0; gate < 4; gate++)
            sums[row * 4 + gate] = CK_NAME(load)(table + indices[row] * table_stride + first + gate * 16);
    CK_NAME(multiply)(sums, rows, 4, lstm->inputs, inputs, input_stride,
                      lstm->weights + block * lstm->inputs * 64 + part, 64);
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++) {
        V input = CK_NAME(sigmoid)(sums[row * 4]);
        V forget = CK_NAME(sigmoid)(sums[row * 4 + 1]);
        V candidate = CK_NAME(tanh)(sums[row * 4 + 2]);
        V output = CK_NAME(sigmoid)(sums[row * 4 + 3]);
        V before = previous_cells ? CK_NAME(load)(previous_cells + row * lstm->units + column) : CK_NAME(splat)(0.0f);
        V cell = CK_NAME(fma)(forget, before, input * candidate);
        V state = output * CK_NAME(tanh)(cell);
        float *gate = gates + row * width + first;
        CK_NAME(store)(gate, input);
        CK_NAME(store)(gate + 16, forget);
        CK_NAME(store)(gate + 32, candidate);
        CK_NAME(store)(gate + 48, output);
        CK_NAME(store)(cells + row * lstm->units + column, cell);
        CK_NAME(store)(states + row * state_stride + column, state);
        if (row < next_rows) CK_NAME(store)(next + row * next_stride + column, state);
    }
}

static void CK_NAME(lstm_learn_forward)(const ck_lstm_learner *lstm, int64_t rows, const float *table,
                                        int64_t table_stride, const int32_t *indices, const float *inputs,
                                        int64_t input_stride, const float *previous_cells, float *gates, float *cells,
                                        float *states, int64_t state_stride, float *next, int64_t next_stride,
                                        int64_t next_rows) {
#define TILE(n) \
    CK_NAME(learn_tile)(lstm, n, block, part, table, table_stride, indices + row, inputs + row * input_stride, \
                        input_stride, previous_cells ? previous_cells + row * lstm->units : NULL, \
                        gates + row * 4 * lstm->units, cells + row * lstm->units, states + row * state_stride, \
                        state_stride, next ? next + row * next_stride : NULL, next_stride, next_rows - row)
    for (int64_t block = 0; block < lstm->units / 16; block++)
        for (int part = 0; part < 16; part += CK_LANES) { CK_EVERY_ROW(rows) }
#undef TILE
}

INLINE void CK_NAME(backward_tile)(const ck_lstm_learner *lstm, const int rows, const int vectors, int64_t panel,
                                   int part, const float *later, const float *gradient, int64_t gradient_stride,
                                   const float *cells, const float *previous_cells, float *cell_gradient,
                                   float *gates) {
    const int64_t units = lstm->units, width = 4 * units, column = panel * 16 + part;
    V sums[CK_ROWS * 4];
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++)
            sums[row * 4 + v] = CK_NAME(load)(gradient + row * gradient_stride + column + v * 16);
    if (later) CK_NAME(multiply)(sums, rows, vectors, width, later, width, lstm->transposed + column, units);
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            const int64_t unit = row * units + column + v * 16;
            float *gate = gates + row * width + (panel + v) * 64 + part;
            V input = CK_NAME(load)(gate), forget = CK_NAME(load)(gate + 16);
            V candidate = CK_NAME(load)(gate + 32), output = CK_NAME(load)(gate + 48);
            V squashed = CK_NAME(tanh)(CK_NAME(load)(cells + unit));
            V before = previous_cells ? CK_NAME(load)(previous_cells + unit) : CK_NAME(splat)(0.0f);
            V state = sums[row * 4 + v];
            V cell = CK_NAME(fma)(state * output, 1.0f - squashed * squashed, CK_NAME(load)(cell_gradient + unit));
            CK_NAME(store)(cell_gradient + unit, cell * forget);
            CK_NAME(store)(gate, cell * candidate * input * (1.0f - input));
            CK_NAME(store)(gate + 16, cell * before * forget * (1.0f - forget));
            CK_NAME(store)(gate + 32, cell * input * (1.0f - candidate * candidate));
            CK_NAME(store)(gate + 48, state * squashed * output * (1.0f - output));
        }
}

static void CK_NAME(lstm_learn_backward)(const ck_lstm_learner *lstm, int64_t rows, const float *later,
                                         const float *gradient, int64_t gradient_stride, const float *cells,
                                         const float *previous_cells, float *cell_gradient, float *gates) {
#define BACKWARD(n, vectors) \
    CK_NAME(backward_tile)(lstm, n, vectors, panel, part, later ? later + row * 4 * lstm->units : NULL, \
                           gradient + row * gradient_stride, gradient_stride, cells + row * lstm->units, \
                           previous_cells ? previous_cells + row * lstm->units : NULL, \
                           cell_gradient + row * lstm->units, gates + row * 4 * lstm->units)
    const int64_t blocks = lstm->units / 16;
    for (int64_t panel = 0; panel < blocks; panel += 4)
        for (int part = 0; part < 16; part += CK_LANES) {
            switch (blocks - panel) {
#define TILE(n) BACKWARD(n, 1)
            case 1: {
                CK_EVERY_ROW(rows)
            } break;
#undef TILE
#define TILE(n) BACKWARD(n, 2)
            case 2: {
                CK_EVERY_ROW(rows)
            } break;
#undef TILE
#define TILE(n) BACKWARD(n, 3)
            case 3: {
                CK_EVERY_ROW(rows)
            } break;
#undef TILE
#define TILE(n) BACKWARD(n, 4)
            default: {
                CK_EVERY_ROW(rows)
            } break;
#undef TILE
            }
        }
#undef BACKWARD
}

/* The sum of a vector's numbers. */
INLINE float CK_NAME(total)(V v) {
    float lanes[CK_LANES];
    memcpy(lanes, &v, sizeof v);
    for (int half = CK_LANES / 2; half > 0; half /= 2)
        for (int lane = 0; lane < half; lane++) lanes[lane] += lanes[lane + half];
    return lanes[0];
}

/* The largest of a vector's numbers, copied to every lane. */
INLINE V CK_NAME(largest)(V v) {
    float lanes[CK_LANES];
    memcpy(lanes, &v, sizeof v);
    for (int half = CK_LANES / 2; half > 0; half /= 2)
        for (int lane = 0; lane < half; lane++)
            if (lanes[lane + half] > lanes[lane]) lanes[lane] = lanes[lane + half];
    return CK_NAME(splat)(lanes[0]);
}

/* exp(x) for x below 0; below -80 it is exp(-80). */
INLINE V CK_NAME(exp_below)(V x) {
    x = x > CK_NAME(splat)(-80.0f) ? x : CK_NAME(splat)(-80.0f);
#if CK_LANES == 16
    return CK_NAME(exp_minus)(x, -1.0f);
#else
    CK_NAME(exponential) e = CK_NAME(exp)(x);
    return CK_NAME(fma)(e.scale, e.part, e.scale);
#endif
}

static void CK_NAME(attention_learn_scores)(int64_t rows, int64_t columns, const float *bias, const float *score,
                                            float *hidden, float *scores) {
    for (int64_t row = 0; row < rows; row++) {
        float *values = hidden + row * columns;
        V sum = CK_NAME(splat)(0.0f);
        for (int64_t column = 0; column < columns; column += CK_LANES) {
            V value = CK_NAME(tanh)(CK_NAME(load)(values + column) + CK_NAME(load)(bias + column));
            CK_NAME(store)(values + column, value);
            sum = CK_NAME(fma)(value, CK_NAME(load)(score + column), sum);
        }
        scores[row] = CK_NAME(total)(sum);
    }
}

static void CK_NAME(attention_learn_products)(int64_t rows, int64_t columns, const float *gradient, const float *states,
                                              int64_t state_stride, const float *weights, float *products,
                                              double *totals) {
    for (int64_t row = 0; row < rows; row++) {
        V sum = CK_NAME(splat)(0.0f);
        for (int64_t column = 0; column < columns; column += CK_LANES)
            sum = CK_NAME(fma)(CK_NAME(load)(gradient + row * columns + column),
                               CK_NAME(load)(states + row * state_stride + column), sum);
        products[row] = CK_NAME(total)(sum);
        totals[row] += (double)weights[row] * (double)products[row];
    }
}

static void CK_NAME(attention_learn_backward)(int64_t rows, int64_t columns, const float *gradient,
                                              float *state_gradient, int64_t state_stride, const float *weights,
                                              const float *products, const double *totals, int64_t hidden_columns,
                                              const float *score, float *hidden, float *score_gradient) {
    for (int64_t row = 0; row < rows; row++) {
        V weight = CK_NAME(splat)(weights[row]);
        for (int64_t column = 0; column < columns; column += CK_LANES) {
            float *target = state_gradient + row * state_stride + column;
            CK_NAME(store)(
                target, CK_NAME(fma)(weight, CK_NAME(load)(gradient + row * columns + column), CK_NAME(load)(target)));
        }
        V slope = CK_NAME(splat)((float)(weights[row] * (products[row] - totals[row])));
        for (int64_t column = 0; column < hidden_columns; column += CK_LANES) {
            float *place = hidden + row * hidden_columns + column;
            V value = CK_NAME(load)(place);
            CK_NAME(store)(score_gradient + column, CK_NAME(fma)(slope, value, CK_NAME(load)(score_gradient + column)));
            CK_NAME(store)(place, slope * CK_NAME(load)(score + column) * (1.0f - value * value));
        }
    }
}

static void CK_NAME(softmax_loss)(int64_t rows, int64_t columns, int64_t stride, float *logits, const int32_t *targets,
                                  const float *scales, double *losses) {
    const int64_t whole = columns / CK_LANES * CK_LANES;
    for (int64_t row = 0; row < rows; row++) {
        float *values = logits + row * stride;
        losses[row] = 0;
        if (targets[row] < 0) {
            memset(values, 0, (size_t)columns * sizeof *values);
            continue;
        }
        V largest = CK_NAME(splat)(-__FLT_MAX__), probe = CK_NAME(splat)(0.0f);
        for (int64_t column = 0; column < whole; column += CK_LANES) {
            V x = CK_NAME(load)(values + column);
            largest = x > largest ? x : largest;
            probe = CK_NAME(fma)(x, CK_NAME(splat)(0.0f), probe);
        }
        float lanes[CK_LANES], odd = CK_NAME(total)(probe);
        V rest = CK_NAME(splat)(-__FLT_MAX__);
        memcpy(lanes, &rest, sizeof lanes);
        for (int64_t column = whole; column < columns; column++) {
            lanes[column - whole] = values[column];
            odd += values[column] * 0.0f;
        }
        rest = CK_NAME(load)(lanes);
        const V top = CK_NAME(largest)(rest > largest ? rest : largest);
        const double target = (double)values[targets[row]];
        V part = CK_NAME(splat)(0.0f);
        for (int64_t column = 0; column < whole; column += CK_LANES) {
            V x = CK_NAME(exp_below)(CK_NAME(load)(values + column) - top);
            CK_NAME(store)(values + column, x);
            part += x;
        }
        double sum = (double)CK_NAME(total)(part);
        rest = CK_NAME(exp_below)(rest - top);
        memcpy(lanes, &rest, sizeof lanes);
        for (int64_t column = whole; column < columns; column++) {
            values[column] = lanes[column - whole];
            sum += (double)values[column];
        }
        losses[row] = log(sum) + (double)top[0] - target + (double)odd;
        const float factor = (float)((double)scales[row] / sum);
        for (int64_t column = 0; column < columns; column++) values[column] *= factor;
        values[targets[row]] -= scales[row];
    }
}

static void CK_NAME(column_sums)(int64_t rows, int64_t columns, int64_t stride, const float *values, float *sums) {
    int64_t column = 0;
    for (; column + 4 * CK_LANES <= columns; column += 4 * CK_LANES) {
        V sum[4];
        for (int v = 0; v < 4; v++) sum[v] = CK_NAME(load)(sums + column + v * CK_LANES);
        for (int64_t row = 0; row < rows; row++)
            for (int v = 0; v < 4; v++) sum[v] += CK_NAME(load)(values + row * stride + column + v * CK_LANES);
        for (int v = 0; v < 4; v++) CK_NAME(store)(sums + column + v * CK_LANES, sum[v]);
    }
    for (int64_t row = 0; row < rows; row++)
        for (int64_t rest = column; rest < columns; rest++) sums[rest] += values[row * stride + rest];
}

static void CK_NAME(add_rows)(int64_t rows, int64_t columns, const int32_t *places, const float *values, int64_t stride,
                              float *target, int64_t target_stride) {
    const int64_t whole = columns / CK_LANES * CK_LANES;
    for (int64_t row = 0; row < rows; row++) {
        const float *source = values + row * stride;
        float *sum = target + places[row] * target_stride;
        for (int64_t column = 0; column < whole; column += CK_LANES)
            CK_NAME(store)(sum + column, CK_NAME(load)(sum + column) + CK_NAME(load)(source + column));
        for (int64_t column = whole; column < columns; column++) sum[column] += source[column];
    }
}

static void CK_NAME(add)(int64_t count, const float *x, float *y) {
    for (int64_t i = 0; i < count; i++) y[i] += x[i];
}

static void CK_NAME(rectify)(int64_t rows, int64_t columns, const float *bias, const float *shared, float *values) {
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < columns; column++) {
            float value = values[row * columns + column] + bias[column] + shared[row * columns + column];
            values[row * columns + column] = value > 0.0f ? value : 0.0f;
        }
}

static void CK_NAME(rectify_backward)(int64_t count, const float *values, float *gradient) {
    for (int64_t i = 0; i < count; i++) gradient[i] = values[i] > 0.0f ? gradient[i] : 0.0f;
}

static void CK_NAME(dropout)(uint64_t key, int64_t first_row, int64_t rows, int64_t columns, uint32_t threshold,
                             float scale, const float *values, int64_t stride, float *output, int64_t output_stride) {
    for (int64_t row = 0; row < rows; row++)
        for (int64_t start = 0; start < columns; start += 4) {
            /* SplitMix64 of a counter gives four numbers of 16 bits. */
            uint64_t bits = key + (uint64_t)((first_row + row) * columns + start) * 0x9E3779B97F4A7C15u;
            bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9u;
            bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBu;
            bits ^= bits >> 31;
            for (int lane = 0; lane < 4; lane++)
                output[row * output_stride + start + lane] =
                    values[row * stride + start + lane] * (((bits >> (16 * lane)) & 0xFFFF) < threshold ? 0.0f : scale);
        }
}

static void CK_NAME(adam_step)(const ck_adam *adam, int64_t count, float *values, float *first, float *second,
                               const float *gradient) {
    const ck_adam a = *adam;
    for (int64_t i = 0; i < count; i++) {
        float g = gradient[i] * a.scale;
        float m = a.beta1 * first[i] + (1.0f - a.beta1) * g;
        float v = a.beta2 * second[i] + (1.0f - a.beta2) * g * g;
        first[i] = m;
        second[i] = v;
        values[i] = values[i] * (1.0f - a.decay) - a.rate * m / (__builtin_sqrtf(v) * a.root + a.epsilon);
    }
}

static double CK_NAME(square_sum)(int64_t count, const float *values) {
    double sums[8] = {0};
    int64_t i = 0;
    for (; i + 8 <= count; i += 8)
        for (int lane = 0; lane < 8; lane++) sums[lane] += (double)values[i + lane] * (double)values[i + lane];
    for (; i < count; i++) sums[0] += (double)values[i] * (double)values[i];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

#undef V
#undef I
#undef INLINE
#undef CK_ROWS
