#include "encoder_gradient.h"

#include "encoder.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#define CK_KERNELS "encoder_gradient_kernels.h"
#include "instruction_sets.h"

void ck_lstm_learn_forward(int set, const ck_lstm_learner *lstm, int64_t rows, const float *table, int64_t table_stride,
                           const int32_t *indices, const float *inputs, int64_t input_stride,
                           const float *previous_cells, float *gates, float *cells, float *states, int64_t state_stride,
                           float *next, int64_t next_stride, int64_t next_rows) {
#define CK_CALL(set_name) \
    lstm_learn_forward_##set_name(lstm, rows, table, table_stride, indices, inputs, input_stride, previous_cells, \
                                  gates, cells, states, state_stride, next, next_stride, next_rows)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_lstm_learn_backward(int set, const ck_lstm_learner *lstm, int64_t rows, const float *later,
                            const float *gradient, int64_t gradient_stride, const float *cells,
                            const float *previous_cells, float *cell_gradient, float *gates) {
#define CK_CALL(set_name) \
    lstm_learn_backward_##set_name(lstm, rows, later, gradient, gradient_stride, cells, previous_cells, cell_gradient, \
                                   gates)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_attention_learn_scores(int set, int64_t rows, int64_t columns, const float *bias, const float *score,
                               float *hidden, float *scores) {
#define CK_CALL(set_name) attention_learn_scores_##set_name(rows, columns, bias, score, hidden, scores)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_attention_learn_products(int set, int64_t rows, int64_t columns, const float *gradient, const float *states,
                                 int64_t state_stride, const float *weights, float *products, double *totals) {
#define CK_CALL(set_name) \
    attention_learn_products_##set_name(rows, columns, gradient, states, state_stride, weights, products, totals)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_attention_learn_backward(int set, int64_t rows, int64_t columns, const float *gradient, float *state_gradient,
                                 int64_t state_stride, const float *weights, const float *products,
                                 const double *totals, int64_t hidden_columns, const float *score, float *hidden,
                                 float *score_gradient) {
#define CK_CALL(set_name) \
    attention_learn_backward_##set_name(rows, columns, gradient, state_gradient, state_stride, weights, products, \
                                        totals, hidden_columns, score, hidden, score_gradient)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_softmax_loss(int set, int64_t rows, int64_t columns, int64_t stride, float *logits, const int32_t *targets,
                     const float *scales, double *losses) {
#define CK_CALL(set_name) softmax_loss_##set_name(rows, columns, stride, logits, targets, scales, losses)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_column_sums(int set, int64_t rows, int64_t columns, int64_t stride, const float *values, float *sums) {
#define CK_CALL(set_name) column_sums_##set_name(rows, columns, stride, values, sums)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_add_rows(int set, int64_t rows, int64_t columns, const int32_t *places, const float *values, int64_t stride,
                 float *target, int64_t target_stride) {
#define CK_CALL(set_name) add_rows_##set_name(rows, columns, places, values, stride, target, target_stride)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_add(int set, int64_t count, const float *x, float *y) {
#define CK_CALL(set_name) add_##set_name(count, x, y)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_rectify(int set, int64_t rows, int64_t columns, const float *bias, const float *shared, float *values) {
#define CK_CALL(set_name) rectify_##set_name(rows, columns, bias, shared, values)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_rectify_backward(int set, int64_t count, const float *values, float *gradient) {
#define CK_CALL(set_name) rectify_backward_##set_name(count, values, gradient)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_dropout(int set, uint64_t key, int64_t first_row, int64_t rows, int64_t columns, uint32_t threshold,
                float scale, const float *values, int64_t stride, float *output, int64_t output_stride) {
#define CK_CALL(set_name) \
    dropout_##set_name(key, first_row, rows, columns, threshold, scale, values, stride, output, output_stride)
    CK_DISPATCH(set)
#undef CK_CALL
}

void ck_adam_step(int set, const ck_adam *adam, int64_t count, float *values, float *first, float *second,
                  const float *gradient) {
#define CK_CALL(set_name) adam_step_##set_name(adam, count, values, first, second, gradient)
    CK_DISPATCH(set)
#undef CK_CALL
}

double ck_square_sum(int set, int64_t count, const float *values) {
    double result = 0;
#define CK_CALL(set_name) result = square_sum_##set_name(count, values)
    CK_DISPATCH(set)
#undef CK_CALL
    return result;
}
