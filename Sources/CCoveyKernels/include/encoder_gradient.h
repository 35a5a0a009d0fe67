/* The loops of training an encoder. Units and columns come in blocks of 16, padded with zeros that stay zero. `set` is
 * the result of ck_encoder_instruction_set, or a smaller instruction set. */
#ifndef CK_ENCODER_GRADIENT_H
#define CK_ENCODER_GRADIENT_H

#include <stdint.h>

/* One direction of an LSTM layer. gates = table entry + [previous state; dense inputs] times the weights. The columns
 * of gates are stored as [units / 16][4 gates][16]. */
typedef struct ck_lstm_learner {
    int64_t units;           /* A multiple of 16. */
    int64_t inputs;          /* units + dense inputs */
    const float *weights;    /* [units / 16][inputs][64]: the columns of a block of units side by side */
    const float *transposed; /* [4 units][units]: the rows of the previous state, transposed */
} ck_lstm_learner;

/* One step of `rows` sequences. Writes the gates i, f, g, o after their activation (rows x 4 units), the cells (rows x
 * units) and the states. The states of the first `next_rows` rows are also written to the inputs of the next step.
 * previous_cells may be NULL, which means zeros. */
void ck_lstm_learn_forward(int set, const ck_lstm_learner *lstm, int64_t rows, const float *table, int64_t table_stride,
                           const int32_t *indices, const float *inputs, int64_t input_stride,
                           const float *previous_cells, float *gates, float *cells, float *states, int64_t state_stride,
                           float *next, int64_t next_stride, int64_t next_rows);

/* The backward pass of one step. `later` has the gate gradients of the next step (rows x 4 units; NULL if there is
 * none). `gradient` has the gradient of the states from all other sources. cell_gradient (rows x units) is passed on
 * from step to step. The gates are replaced by their gradients. */
void ck_lstm_learn_backward(int set, const ck_lstm_learner *lstm, int64_t rows, const float *later,
                            const float *gradient, int64_t gradient_stride, const float *cells,
                            const float *previous_cells, float *cell_gradient, float *gates);

/* For rows x columns numbers (columns a multiple of 16): hidden = tanh(hidden + bias), scores[row] = score . hidden. */
void ck_attention_learn_scores(int set, int64_t rows, int64_t columns, const float *bias, const float *score,
                               float *hidden, float *scores);

/* products[row] = gradient[row] . states[row], totals[row] += weights[row] products[row]. */
void ck_attention_learn_products(int set, int64_t rows, int64_t columns, const float *gradient, const float *states,
                                 int64_t state_stride, const float *weights, float *products, double *totals);

/* With s = weights (products - totals): state_gradient += weights gradient, score_gradient += s hidden. `hidden` is
 * replaced by the gradient of the argument of tanh. */
void ck_attention_learn_backward(int set, int64_t rows, int64_t columns, const float *gradient, float *state_gradient,
                                 int64_t state_stride, const float *weights, const float *products,
                                 const double *totals, int64_t hidden_columns, const float *score, float *hidden,
                                 float *score_gradient);

/* The softmax loss of each row with a target of at least 0. losses[row] = log sum exp(logits) - logit of the target, or
 * NaN if a logit is not finite. The logits are replaced by their gradient, scales[row] (softmax - 1 at the target). The
 * other rows get a loss of 0 and a gradient of zeros. */
void ck_softmax_loss(int set, int64_t rows, int64_t columns, int64_t stride, float *logits, const int32_t *targets,
                     const float *scales, double *losses);

/* sums += the sum of the rows. */
void ck_column_sums(int set, int64_t rows, int64_t columns, int64_t stride, const float *values, float *sums);

/* Adds each row to row places[row] of the target. */
void ck_add_rows(int set, int64_t rows, int64_t columns, const int32_t *places, const float *values, int64_t stride,
                 float *target, int64_t target_stride);

/* y += x. */
void ck_add(int set, int64_t count, const float *x, float *y);

/* values = max(values + bias + row, 0) for rows x columns, columns a multiple of 16. */
void ck_rectify(int set, int64_t rows, int64_t columns, const float *bias, const float *shared, float *values);

/* Sets gradient to 0 if the value is not above 0. */
void ck_rectify_backward(int set, int64_t count, const float *values, float *gradient);

/* output = values times 0 or `scale`. Each number is dropped with the probability threshold / 65536. The key and the
 * row's number decide which ones are dropped, so the same call on a gradient is the backward pass. */
void ck_dropout(int set, uint64_t key, int64_t first_row, int64_t rows, int64_t columns, uint32_t threshold,
                float scale, const float *values, int64_t stride, float *output, int64_t output_stride);

/* A step of Adam with decoupled weight decay. With g = scale gradient: first = b1 first + (1 - b1) g, second = b2
 * second + (1 - b2) g^2, values = (1 - decay) values - rate first / (sqrt(second) root + epsilon). */
typedef struct ck_adam {
    float scale, beta1, beta2, rate, root, epsilon, decay;
} ck_adam;
void ck_adam_step(int set, const ck_adam *adam, int64_t count, float *values, float *first, float *second,
                  const float *gradient);

/* The sum of the squares, in float64. */
double ck_square_sum(int set, int64_t count, const float *values);

#endif
