/* The encoder's loops in bfloat16, for processors with AVX512_BF16: products of bfloat16 pairs, summed in float32 (vdpbf16ps);
 * cells, time features and the softmax stay float32. As in encoder_kernels.h, a row's result does not depend on the rows
 * beside it.
 *
 * The gates are as exact as bfloat16 asks for. Weights come scaled (see ck_lstm_bfloat16), so that a gate's sum is the
 * exponent of 2: 2^y by a minimax cubic (Remez's exchange, relative error 8e-5) and vscalefps, 1 / (1 + 2^y) by vrcp14ps
 * (relative error 6e-5). */
#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#include "encoder.h"

int ck_encoder_has_bfloat16(void) {
    return ck_encoder_instruction_set() == CK_AVX512 && __builtin_cpu_supports("avx512bf16");
}

#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx512bf16,fma,avx2"))), apply_to = function)

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define MINUS_TWO_LOG2E -2.88539008f
enum { ROWS = 6 };

/* 1 / (1 + 2^y); 1 and 0 at its ends. vreduceps and vscalefps run beside the multipliers, which the products keep busy. */
INLINE __m512 squash(__m512 y) {
    __m512 r = _mm512_reduce_ps(y, 0x09); /* y - floor(y) */
    __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(0x1.3f96a4p-4f), r, _mm512_set1_ps(0x1.cefc4cp-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0x1.64444cp-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0x1.fff632p-1f));
    return _mm512_rcp14_ps(_mm512_add_ps(_mm512_scalef_ps(p, y), _mm512_set1_ps(1.0f)));
}

/* sums[row][v] += sum over pairs k of x[row][k] . weights[k][v]; `stride` vectors lie between the weights of k and of k + 1. */
INLINE void multiply_pairs(__m512 *sums, const int rows, const int vectors, int64_t pairs, const uint16_t *x,
                           int64_t x_stride, const uint16_t *weights, int64_t stride) {
    for (int64_t k = 0; k < pairs; k++) {
        __m512bh w[4];
        UNROLL for (int v = 0; v < vectors; v++) w[v] = (__m512bh)_mm512_loadu_si512(weights + (k * stride + v) * 32);
        UNROLL for (int row = 0; row < rows; row++) {
            int32_t pair;
            memcpy(&pair, x + row * x_stride + 2 * k, sizeof pair);
            const __m512bh value = (__m512bh)_mm512_set1_epi32(pair);
            UNROLL for (int v = 0; v < vectors; v++)
                sums[row * 4 + v] = _mm512_dpbf16_ps(sums[row * 4 + v], w[v], value);
        }
    }
}

/* The same with float32. */
INLINE void multiply_floats(__m512 *sums, const int rows, const int vectors, int64_t count, const float *x,
                            int64_t x_stride, const float *weights, int64_t stride) {
    for (int64_t k = 0; k < count; k++) {
        __m512 w[4];
        UNROLL for (int v = 0; v < vectors; v++) w[v] = _mm512_loadu_ps(weights + (k * stride + v) * 16);
        UNROLL for (int row = 0; row < rows; row++) {
            const __m512 value = _mm512_set1_ps(x[row * x_stride + k]);
            UNROLL for (int v = 0; v < vectors; v++)
                sums[row * 4 + v] = _mm512_fmadd_ps(value, w[v], sums[row * 4 + v]);
        }
    }
}

/* One step of `rows` sequences for the units block * 16 to block * 16 + 15. */
INLINE void lstm_tile(const ck_lstm_bfloat16 *lstm, const int rows, int64_t block, const int32_t *indices,
                      const float *inputs, int64_t input_stride, const uint16_t *lower, int64_t lower_stride,
                      const ck_bfloat16_states *states, int64_t row, int64_t previous, float *cells) {
    const int64_t entry = lstm->blocks * 64;
    const int64_t column = block * 16;
    __m512 sums[ROWS * 4];
    UNROLL for (int i = 0; i < rows; i++) {
        const float *first = lstm->tables[0] + (indices ? indices[i * lstm->lookups] : 0) * entry + block * 64;
        UNROLL for (int gate = 0; gate < 4; gate++) sums[i * 4 + gate] = _mm512_loadu_ps(first + gate * 16);
    }
    for (int64_t table = 1; table < lstm->lookups; table++) {
        UNROLL for (int i = 0; i < rows; i++) {
            const float *next = lstm->tables[table] + indices[i * lstm->lookups + table] * entry + block * 64;
            UNROLL for (int gate = 0; gate < 4; gate++)
                sums[i * 4 + gate] = _mm512_add_ps(sums[i * 4 + gate], _mm512_loadu_ps(next + gate * 16));
        }
    }
    multiply_floats(sums, rows, 4, lstm->inputs, inputs, input_stride, lstm->input_weights + block * lstm->inputs * 64, 4);
    if (lower)
        multiply_pairs(sums, rows, 4, lstm->lower_pairs, lower, lower_stride,
                       lstm->lower_weights + block * lstm->lower_pairs * 128, 4);
    if (previous >= 0)
        multiply_pairs(sums, rows, 4, lstm->blocks * 8, states->halves + previous * states->stride, states->stride,
                       lstm->recurrent_weights + block * lstm->blocks * 8 * 128, 4);
    /* i, f, o = squash; tanh(x) = 2 squash - 1; all rows together: each is one long chain. */
    UNROLL for (int i = 0; i < rows * 4; i++) sums[i] = squash(sums[i]);
    UNROLL for (int i = 0; i < rows; i++) {
        float *cell = cells + i * lstm->blocks * 16 + column;
        const __m512 candidate =
            _mm512_fmadd_ps(sums[i * 4 + 2], _mm512_set1_ps(2.0f), _mm512_set1_ps(-1.0f));
        const __m512 c = _mm512_fmadd_ps(_mm512_loadu_ps(cell), sums[i * 4 + 1], _mm512_mul_ps(candidate, sums[i * 4]));
        _mm512_storeu_ps(cell, c);
        sums[i * 4] = _mm512_mul_ps(c, _mm512_set1_ps(MINUS_TWO_LOG2E));
    }
    UNROLL for (int i = 0; i < rows; i++) {
        const __m512 squashed = squash(sums[i * 4]), output = sums[i * 4 + 3];
        const __m512 h = _mm512_fmsub_ps(_mm512_add_ps(output, output), squashed, output);
        const int64_t place = (row + i) * states->stride + column;
        _mm512_storeu_ps(states->floats + place, h);
        _mm256_storeu_si256((__m256i *)(states->halves + place), (__m256i)_mm512_cvtneps_pbh(h));
    }
}

void ck_lstm_step_bfloat16(const ck_lstm_bfloat16 *lstm, int64_t rows, const int32_t *indices, const float *inputs,
                           int64_t input_stride, const uint16_t *lower, int64_t lower_stride,
                           const ck_bfloat16_states *states, int64_t first, int64_t previous, float *cells,
                           int descending) {
#define TILE(n)                                                                                                          \
    lstm_tile(lstm, n, block, indices ? indices + row * lstm->lookups : NULL, inputs + row * input_stride, input_stride, \
              lower ? lower + row * lower_stride : NULL, lower_stride, states, first + row,                               \
              previous < 0 ? -1 : previous + row, cells + row * lstm->blocks * 16)
    for (int64_t i = 0; i < lstm->blocks; i++) {
        const int64_t block = descending ? lstm->blocks - 1 - i : i;
        int64_t row = 0;
        for (; row + ROWS <= rows; row += ROWS) TILE(ROWS);
        switch (rows - row) {
        case 5: TILE(5); break;
        case 4: TILE(4); break;
        case 3: TILE(3); break;
        case 2: TILE(2); break;
        case 1: TILE(1); break;
        default: break;
        }
    }
#undef TILE
}

INLINE void score_tile(const int rows, const int vectors, const ck_attention_bfloat16 *attention, int64_t vector,
                       const float *times, int64_t time_stride, const uint16_t *states, int64_t state_stride,
                       __m512 *totals) {
    __m512 sums[ROWS * 4];
    UNROLL for (int row = 0; row < rows; row++)
        UNROLL for (int v = 0; v < vectors; v++) sums[row * 4 + v] = _mm512_loadu_ps(attention->bias + (vector + v) * 16);
    multiply_floats(sums, rows, vectors, attention->times, times, time_stride,
                    attention->time_weights + vector * 16 * attention->times, vectors);
    multiply_pairs(sums, rows, vectors, attention->pairs, states, state_stride,
                   attention->weights + vector * 32 * attention->pairs, vectors);
    UNROLL for (int row = 0; row < rows; row++)
        UNROLL for (int v = 0; v < vectors; v++)
            totals[row] = _mm512_fmadd_ps(squash(sums[row * 4 + v]), _mm512_loadu_ps(attention->score + (vector + v) * 16),
                                          totals[row]);
}

INLINE void score_rows(const int rows, const ck_attention_bfloat16 *attention, const float *times, int64_t time_stride,
                       const uint16_t *states, int64_t state_stride, float *scores) {
    __m512 totals[ROWS];
    UNROLL for (int row = 0; row < rows; row++) totals[row] = _mm512_setzero_ps();
    for (int64_t vector = 0; vector < attention->vectors; vector += 4) {
#define PANEL(n) score_tile(rows, n, attention, vector, times, time_stride, states, state_stride, totals)
        switch (attention->vectors - vector) {
        case 1: PANEL(1); break;
        case 2: PANEL(2); break;
        case 3: PANEL(3); break;
        default: PANEL(4); break;
        }
#undef PANEL
    }
    UNROLL for (int row = 0; row < rows; row++) scores[row] = _mm512_reduce_add_ps(totals[row]);
}

void ck_attention_scores_bfloat16(const ck_attention_bfloat16 *attention, int64_t rows, const float *times,
                                  int64_t time_stride, const uint16_t *states, int64_t state_stride, float *scores) {
    int64_t row = 0;
#define SCORES(n) \
    score_rows(n, attention, times + row * time_stride, time_stride, states + row * state_stride, state_stride, scores + row)
    for (; row + ROWS <= rows; row += ROWS) SCORES(ROWS);
    for (; row < rows; row++) SCORES(1);
#undef SCORES
}

#pragma clang attribute pop
