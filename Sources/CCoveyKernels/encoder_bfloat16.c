/* The loops of the encoder in bfloat16, for processors with AVX512_BF16. Products of bfloat16 pairs are summed in
 * float32 (vdpbf16ps). Cells, time features and the softmax stay in float32. As in encoder_kernels.h, the result of a
 * row does not depend on the other rows.
 *
 * The gates are only as exact as bfloat16 needs. Weights are scaled (see ck_lstm_bfloat16) so that the sum of a gate is
 * an exponent of 2. 2^y is computed by a table of 16 lines and vscalefps (relative error 1.2e-4), 1 / (1 + 2^y) by
 * vrcp14ps (6e-5).
 *
 * vdpbf16ps, multiplications and vrcp14ps share an execution port, and the products alone keep it busy. Additions,
 * vreduceps, vscalefps and vpermps use another port. So the gates of one tile are computed in pieces, between the
 * products of the next. */
#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#include "encoder.h"

int ck_encoder_has_bfloat16(void) {
    return ck_encoder_instruction_set() == CK_AVX512 && __builtin_cpu_supports("avx512bf16");
}

#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx512bf16,fma,avx2"))), \
                             apply_to = function)

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define TWO_LOG2E 2.88539008f
/* The number of rows of a tile. Twice 12 sums stay in registers: those of this tile and those of the tile before. */
enum { ROWS = 3 };

/* 2^y. With f the part of y beyond a multiple of 1/16, 2^f = (1 - e) (1 + a f) and e = 1.17e-4. This is the chord from
 * 0 to 1/16, shifted to the middle of its error. */
INLINE __m512 power(__m512 y) {
    /* (1 - e) 2^(i/16), and the same times a. */
    static const float starts[16] = {0.999882705f, 1.04415129f, 1.09037982f, 1.13865506f, 1.18906763f, 1.24171215f,
                                     1.29668744f,  1.3540967f,  1.41404768f, 1.47665292f, 1.54202993f, 1.61030143f,
                                     1.68159556f,  1.75604616f, 1.83379297f, 1.91498192f};
    static const float slopes[16] = {0.708297429f, 0.739656436f, 0.772403824f, 0.806601063f, 0.842312342f, 0.879604696f,
                                     0.918548123f, 0.959215723f, 1.00168383f,  1.04603216f,  1.09234396f,  1.14070616f,
                                     1.19120954f,  1.24394889f,  1.29902321f,  1.35653588f};
    /* The low bits of this number are those of floor(16 y). */
    const __m512i place =
        (__m512i)_mm512_add_round_ps(y, _mm512_set1_ps(0x1.8p19f), _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    const __m512 part = _mm512_reduce_ps(y, 0x49); /* y - floor(16 y) / 16 */
    const __m512 p = _mm512_fmadd_ps(_mm512_permutexvar_ps(place, _mm512_loadu_ps(slopes)), part,
                                     _mm512_permutexvar_ps(place, _mm512_loadu_ps(starts)));
    return _mm512_scalef_ps(p, y);
}

/* 1 / (1 + 2^y). It is 1 or 0 at the ends of the range. */
INLINE __m512 squash(__m512 y) { return _mm512_rcp14_ps(_mm512_add_ps(power(y), _mm512_set1_ps(1.0f))); }

/* sums[row][v] += the sum over the pairs k from `first` to `end` of x[row][k] . weights[k][v]. `stride` is the number
 * of vectors from the weights of k to those of k + 1. */
INLINE void multiply_pairs(__m512 *sums, const int rows, const int vectors, int64_t first, int64_t end,
                           const uint16_t *x, int64_t x_stride, const uint16_t *weights, int64_t stride) {
    for (int64_t k = first; k < end; k++) {
        __m512bh w[4];
        UNROLL for (int v = 0; v < vectors; v++) w[v] = (__m512bh)_mm512_loadu_si512(weights + (k * stride + v) * 32);
        UNROLL for (int row = 0; row < rows; row++) {
            int32_t pair;
            memcpy(&pair, x + row * x_stride + 2 * k, sizeof pair);
            const __m512bh value = (__m512bh)_mm512_set1_epi32(pair);
            UNROLL for (int v = 0; v < vectors; v++) sums[row * 4 + v] =
                _mm512_dpbf16_ps(sums[row * 4 + v], w[v], value);
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
            UNROLL for (int v = 0; v < vectors; v++) sums[row * 4 + v] =
                _mm512_fmadd_ps(value, w[v], sums[row * 4 + v]);
        }
    }
}

/* A tile whose gate sums are computed: its number of rows (0 means none), and the start of its cells and states. */
typedef struct tile {
    int rows;
    float *cells;
    float *floats;
    uint16_t *halves;
    __m512 sums[ROWS * 4];
} tile;

enum { PIECES = 5 };

/* One piece of the work that turns the sums of one row into its cells and states. i, f and o are `squash` of their
 * sums; tanh(x) = 2 squash - 1. i tanh(g) needs only one division: with a = 1 + 2^i and b = 2^g it is (1 - b) / (a (1 +
 * b)). The cell is multiplied by -2 log2(e), so a / (2 log2(e)) is computed instead of a. b is limited so that it is
 * not infinite. */
INLINE void finish_piece(const int piece, __m512 *sums, float *cells, float *floats, uint16_t *halves) {
    switch (piece) {
    case 0: sums[0] = _mm512_add_ps(power(sums[0]), _mm512_set1_ps(1 / TWO_LOG2E)); break;
    case 1: {
        const __m512 one = _mm512_set1_ps(1.0f), b = power(_mm512_min_ps(_mm512_set1_ps(60.0f), sums[2]));
        sums[2] = _mm512_mul_ps(_mm512_sub_ps(b, one), _mm512_rcp14_ps(_mm512_mul_ps(sums[0], _mm512_add_ps(b, one))));
        break;
    }
    case 2:
        sums[0] = _mm512_fmadd_ps(_mm512_loadu_ps(cells), squash(sums[1]), sums[2]);
        _mm512_storeu_ps(cells, sums[0]);
        break;
    case 3: sums[3] = squash(sums[3]); break;
    default: {
        const __m512 output = sums[3];
        const __m512 h = _mm512_fmsub_ps(_mm512_add_ps(output, output), squash(sums[0]), output);
        _mm512_storeu_ps(floats, h);
        _mm256_storeu_si256((__m256i *)halves, (__m256i)_mm512_cvtneps_pbh(h));
    }
    }
}

/* Computes the gate sums of one step of `rows` sequences for the units block * 16 to block * 16 + 15. They replace the
 * sums of the tile before, which is finished at the same time. */
INLINE void lstm_tile(tile *before, const ck_lstm_bfloat16 *lstm, const int rows, int64_t block, const int32_t *indices,
                      const float *inputs, int64_t input_stride, const uint16_t *lower, int64_t lower_stride,
                      const ck_bfloat16_states *states, int64_t row, int64_t previous, float *cells) {
    const int64_t entry = lstm->blocks * 64, units = lstm->blocks * 16;
    const int64_t pairs = previous < 0 ? 0 : lstm->blocks * 8;
    __m512 sums[ROWS * 4];
    UNROLL for (int i = 0; i < rows; i++) {
        const float *first = lstm->tables[0] + (indices ? indices[i * lstm->lookups] : 0) * entry + block * 64;
        UNROLL for (int gate = 0; gate < 4; gate++) sums[i * 4 + gate] = _mm512_loadu_ps(first + gate * 16);
    }
    for (int64_t table = 1; table < lstm->lookups; table++) {
        UNROLL for (int i = 0; i < rows; i++) {
            const float *next = lstm->tables[table] + indices[i * lstm->lookups + table] * entry + block * 64;
            UNROLL for (int gate = 0; gate < 4; gate++) sums[i * 4 + gate] =
                _mm512_add_ps(sums[i * 4 + gate], _mm512_loadu_ps(next + gate * 16));
        }
    }
    multiply_floats(sums, rows, 4, lstm->inputs, inputs, input_stride, lstm->input_weights + block * lstm->inputs * 64,
                    4);
    if (lower)
        multiply_pairs(sums, rows, 4, 0, lstm->lower_pairs, lower, lower_stride,
                       lstm->lower_weights + block * lstm->lower_pairs * 128, 4);
    const uint16_t *x = states->halves + (previous < 0 ? 0 : previous) * states->stride;
    const uint16_t *weights = lstm->recurrent_weights + block * lstm->blocks * 8 * 128;
    /* After the last piece come 2/16 of the products, because the data that it stores may be read soon. */
#define PART(i, piece) (pairs * ((i) * PIECES + (piece)) / (ROWS * PIECES + 1))
    UNROLL for (int i = 0; i < ROWS; i++) UNROLL for (int piece = 0; piece < PIECES; piece++) {
        if (i < before->rows)
            finish_piece(piece, before->sums + i * 4, before->cells + i * units, before->floats + i * states->stride,
                         before->halves + i * states->stride);
        multiply_pairs(sums, rows, 4, PART(i, piece), PART(i, piece + 1), x, states->stride, weights, 4);
    }
    multiply_pairs(sums, rows, 4, PART(ROWS, 0), pairs, x, states->stride, weights, 4);
#undef PART
    before->rows = rows;
    before->cells = cells + block * 16;
    before->floats = states->floats + row * states->stride + block * 16;
    before->halves = states->halves + row * states->stride + block * 16;
    UNROLL for (int i = 0; i < rows * 4; i++) before->sums[i] = sums[i];
}

void ck_lstm_step_bfloat16(const ck_lstm_bfloat16 *lstm, int64_t rows, const int32_t *indices, const float *inputs,
                           int64_t input_stride, const uint16_t *lower, int64_t lower_stride,
                           const ck_bfloat16_states *states, int64_t first, int64_t previous, float *cells,
                           int descending) {
    tile before;
    before.rows = 0;
#define TILE(n) \
    lstm_tile(&before, lstm, n, block, indices ? indices + row * lstm->lookups : NULL, inputs + row * input_stride, \
              input_stride, lower ? lower + row * lower_stride : NULL, lower_stride, states, first + row, \
              previous < 0 ? -1 : previous + row, cells + row * lstm->blocks * 16)
    for (int64_t i = 0; i < lstm->blocks; i++) {
        const int64_t block = descending ? lstm->blocks - 1 - i : i;
        int64_t row = 0;
        for (; row + ROWS <= rows; row += ROWS) TILE(ROWS);
        switch (rows - row) {
        case 2: TILE(2); break;
        case 1: TILE(1); break;
        default: break;
        }
    }
#undef TILE
    UNROLL for (int i = 0; i < ROWS; i++) if (i < before.rows) UNROLL for (int piece = 0; piece < PIECES; piece++)
        finish_piece(piece, before.sums + i * 4, before.cells + i * lstm->blocks * 16,
                     before.floats + i * states->stride, before.halves + i * states->stride);
}

/* A tile of the attention whose sums are computed: its number of rows (0 means none), the totals, 16 for each row, and
 * the weights of the score. */
typedef struct score_tile {
    int rows;
    float *totals;
    const float *score;
    __m512 sums[ROWS * 4];
} score_tile;

/* Adds one vector of the tile to the totals of its row. */
INLINE void finish_score(const score_tile *before, const int row, const int vector) {
    float *total = before->totals + row * 16;
    const __m512 squashed = squash(before->sums[row * 4 + vector]);
    _mm512_storeu_ps(total,
                     _mm512_fmadd_ps(squashed, _mm512_loadu_ps(before->score + vector * 16), _mm512_loadu_ps(total)));
}

/* Computes the sums of `rows` rows for a panel of `vectors` vectors, from `vector` on. They replace the sums of the
 * tile before, which is finished at the same time. If a panel has fewer than 4 vectors, the others have weights of
 * zero. */
INLINE void next_scores(score_tile *before, const int rows, const int vectors, const ck_attention_bfloat16 *attention,
                        int64_t vector, const float *times, int64_t time_stride, const uint16_t *states,
                        int64_t state_stride, float *totals) {
    const uint16_t *weights = attention->weights + vector * 32 * attention->pairs;
    const int64_t pairs = attention->pairs;
    __m512 sums[ROWS * 4];
    UNROLL for (int i = 0; i < ROWS * 4; i++) sums[i] =
        i % 4 < vectors ? _mm512_loadu_ps(attention->bias + (vector + i % 4) * 16) : _mm512_setzero_ps();
    multiply_floats(sums, rows, vectors, attention->times, times, time_stride,
                    attention->time_weights + vector * 16 * attention->times, vectors);
#define PART(i) (pairs * (i) / (ROWS * 4 + 1))
    UNROLL for (int i = 0; i < ROWS * 4; i++) {
        if (i / 4 < before->rows) finish_score(before, i / 4, i % 4);
        multiply_pairs(sums, rows, vectors, PART(i), PART(i + 1), states, state_stride, weights, vectors);
    }
    multiply_pairs(sums, rows, vectors, PART(ROWS * 4), pairs, states, state_stride, weights, vectors);
#undef PART
    before->rows = rows;
    before->totals = totals;
    before->score = attention->score + vector * 16;
    UNROLL for (int i = 0; i < ROWS * 4; i++) before->sums[i] = sums[i];
}

void ck_attention_scores_bfloat16(const ck_attention_bfloat16 *attention, int64_t all_rows, const float *times,
                                  int64_t time_stride, const uint16_t *states, int64_t state_stride, float *scores) {
    enum { chunk = 16 * ROWS };
    float totals[chunk * 16];
    for (int64_t start = 0; start < all_rows; start += chunk) {
        const int64_t rows = all_rows - start < chunk ? all_rows - start : chunk;
        score_tile before;
        before.rows = 0;
        memset(totals, 0, sizeof totals);
        for (int64_t vector = 0; vector < attention->vectors; vector += 4) {
            for (int64_t row = 0; row < rows; row += ROWS) {
#define TILE(n, vectors) \
    next_scores(&before, n, vectors, attention, vector, times + (start + row) * time_stride, time_stride, \
                states + (start + row) * state_stride, state_stride, totals + row * 16)
#define TILES(vectors) \
    switch (rows - row) { \
    case 1: TILE(1, vectors); break; \
    case 2: TILE(2, vectors); break; \
    default: TILE(ROWS, vectors); break; \
    }
                switch (attention->vectors - vector) {
                case 1: TILES(1) break;
                case 2: TILES(2) break;
                case 3: TILES(3) break;
                default: TILES(4) break;
                }
#undef TILES
#undef TILE
            }
        }
        UNROLL for (int i = 0; i < ROWS * 4; i++) if (i / 4 < before.rows) finish_score(&before, i / 4, i % 4);
        for (int64_t row = 0; row < rows; row++)
            scores[start + row] = _mm512_reduce_add_ps(_mm512_loadu_ps(totals + row * 16));
    }
}

#pragma clang attribute pop
