#include "encoder.h"

#include <immintrin.h>
#include <string.h>

#include "clones.h"
#include "instructions.h"

#define CK_KERNELS "encoder_kernels.h"
#include "instruction_sets.h"

int ck_encoder_instruction_set(void) {
    if (ck_instructions_most() >= CK_AVX512 && __builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return CK_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return CK_AVX2;
    return CK_BASELINE;
}

void ck_lstm_step(int set, const ck_lstm *lstm, int64_t rows, const int32_t *indices, const float *inputs,
                  int64_t input_stride, const float *previous, int64_t previous_stride, float *states,
                  int64_t state_stride, float *cells, int descending) {
    if (rows == 1) {
#define CK_CALL(name) \
    lstm_step_one_##name(lstm, indices, inputs, input_stride, previous, previous_stride, states, state_stride, cells, \
                         descending)
        CK_DISPATCH(set)
#undef CK_CALL
        return;
    }
#define CK_CALL(name) \
    lstm_step_##name(lstm, rows, indices, inputs, input_stride, previous, previous_stride, states, state_stride, \
                     cells, descending)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_lstm_sequence(int set, const ck_lstm *lstm, int64_t steps, int64_t direction, const int32_t *indices,
                      const float *inputs, int64_t input_stride, const float *previous, float *states,
                      int64_t state_stride, float *cells, float *sums, int descending) {
#define CK_CALL(name) \
    lstm_sequence_##name(lstm, steps, direction, indices, inputs, input_stride, previous, states, state_stride, cells, \
                         sums, descending)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_dense_rows(int set, const ck_dense *dense, int64_t rows, const float *inputs, int64_t input_stride,
                   float *output, int64_t output_stride) {
#define CK_CALL(name) dense_rows_##name(dense, rows, inputs, input_stride, output, output_stride)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_attention_scores(int set, const ck_dense *dense, const float *score, int64_t rows, const float *times,
                         int64_t time_stride, const float *states, int64_t state_stride, float *scores) {
#define CK_CALL(name) attention_scores_##name(dense, score, rows, times, time_stride, states, state_stride, scores)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_attention_pool(int set, int64_t rows, float *scores, const float *largest, double *sums, int64_t columns,
                       const float *states, int64_t state_stride, double *pooled) {
#define CK_CALL(name) attention_pool_##name(rows, scores, largest, sums, columns, states, state_stride, pooled)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_attention_pool_sequence(int set, int64_t steps, const ptrdiff_t *rows, int64_t row, float *scores,
                                float largest, double *sum, int64_t columns, const float *states, int64_t state_stride,
                                double *pooled) {
#define CK_CALL(name) \
    attention_pool_sequence_##name(steps, rows, row, scores, largest, sum, columns, states, state_stride, pooled)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_time_feature(int set, int64_t count, const float *seconds, float mean, float inverse_deviation, float limit,
                     float *output, int64_t stride) {
#define CK_CALL(name) time_feature_##name(count, seconds, mean, inverse_deviation, limit, output, stride)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_prefetch_range(const void *start, int64_t bytes) {
    for (int64_t byte = 0; byte < bytes; byte += 64) __builtin_prefetch((const char *)start + byte);
}

int ck_all_finite(int64_t count, const float *values) {
    int32_t infinite = 0;
    for (int64_t i = 0; i < count; i++) {
        int32_t bits;
        memcpy(&bits, values + i, sizeof bits);
        infinite |= (bits & 0x7f800000) == 0x7f800000;
    }
    return !infinite;
}

CLONES void ck_fold_table(int64_t entries, int64_t width, int64_t columns, const float *embeddings,
                          const double *matrix, const double *start, float *table) {
    enum { block = 32 };
    for (int64_t first = 0; first < columns; first += block)
        for (int64_t entry = 0; entry < entries; entry++) {
            double sums[block];
            for (int column = 0; column < block; column++) sums[column] = start[first + column];
            for (int64_t k = 0; k < width; k++) {
                const double value = (double)embeddings[entry * width + k];
                for (int column = 0; column < block; column++)
                    sums[column] += value * matrix[k * columns + first + column];
            }
            for (int column = 0; column < block; column++)
                table[entry * columns + first + column] = (float)sums[column];
        }
}
