#include "encoder.h"

#include <immintrin.h>
#include <string.h>

#define CK_NAME(f) f##_avx512
#define CK_LANES 16
#define CK_ROWS 6
#define CK_FMA 1
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,fma,avx2"))), apply_to = function)
#include "encoder_kernels.h"
#pragma clang attribute pop
#undef CK_NAME
#undef CK_LANES
#undef CK_ROWS
#undef CK_FMA

#define CK_NAME(f) f##_avx2
#define CK_LANES 8
#define CK_ROWS 3
#define CK_FMA 1
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "encoder_kernels.h"
#pragma clang attribute pop
#undef CK_NAME
#undef CK_LANES
#undef CK_ROWS
#undef CK_FMA

#define CK_NAME(f) f##_baseline
#define CK_LANES 4
#define CK_ROWS 2
#define CK_FMA 0
#include "encoder_kernels.h"
#undef CK_NAME
#undef CK_LANES
#undef CK_ROWS
#undef CK_FMA

int ck_encoder_instruction_set(void) {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        return CK_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return CK_AVX2;
    return CK_BASELINE;
}

#define DISPATCH(set)                       \
    switch (set) {                                 \
    case CK_AVX512: CK_CALL(avx512); break;  \
    case CK_AVX2: CK_CALL(avx2); break;      \
    default: CK_CALL(baseline); break;       \
    }

void ck_lstm_step(int set, const ck_lstm *lstm, int64_t rows, const int32_t *indices, const float *inputs,
                  int64_t input_stride, const float *previous, int64_t previous_stride, float *states,
                  int64_t state_stride, float *cells, int descending) {
#define CK_CALL(name)                                                                                                    \
    lstm_step_##name(lstm, rows, indices, inputs, input_stride, previous, previous_stride, states, state_stride, cells, \
                     descending)
    DISPATCH(set)
#undef CK_CALL
}

void ck_dense_rows(int set, const ck_dense *dense, int64_t rows, const float *inputs, int64_t input_stride, float *output,
                   int64_t output_stride) {
#define CK_CALL(name) dense_rows_##name(dense, rows, inputs, input_stride, output, output_stride)
    DISPATCH(set)
#undef CK_CALL
}

void ck_attention_scores(int set, const ck_dense *dense, const float *score, int64_t rows, const float *times,
                         int64_t time_stride, const float *states, int64_t state_stride, float *scores) {
#define CK_CALL(name) \
    attention_scores_##name(dense, score, rows, times, time_stride, states, state_stride, scores)
    DISPATCH(set)
#undef CK_CALL
}

void ck_attention_pool(int set, int64_t rows, float *scores, const float *largest, double *sums, int64_t columns,
                       const float *states, int64_t state_stride, double *pooled) {
#define CK_CALL(name) attention_pool_##name(rows, scores, largest, sums, columns, states, state_stride, pooled)
    DISPATCH(set)
#undef CK_CALL
}

void ck_attention_pool_sequence(int set, int64_t steps, const ptrdiff_t *rows, int64_t row, float *scores, float largest,
                       double *sum, int64_t columns, const float *states, int64_t state_stride, double *pooled) {
#define CK_CALL(name) \
    attention_pool_sequence_##name(steps, rows, row, scores, largest, sum, columns, states, state_stride, pooled)
    DISPATCH(set)
#undef CK_CALL
}

void ck_time_feature(int set, int64_t count, const float *seconds, float mean, float inverse_deviation, float limit,
                     float *output, int64_t stride) {
#define CK_CALL(name) time_feature_##name(count, seconds, mean, inverse_deviation, limit, output, stride)
    DISPATCH(set)
#undef CK_CALL
}
