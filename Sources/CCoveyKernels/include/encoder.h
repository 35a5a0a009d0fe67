#ifndef CK_ENCODER_H
#define CK_ENCODER_H

#include <stddef.h>
#include <stdint.h>

/* The loops of the encoder. The result of a row is the same byte for byte, whatever other rows are computed with it. It
 * may differ between instruction sets. `set` is the result of ck_encoder_instruction_set, or a smaller instruction set.
 * Units and columns come in blocks of 16, padded with zeros. */
#define CK_BASELINE 0
#define CK_AVX2 1
#define CK_AVX512 2
/* As a limit of the process alone (instructions.h): AVX-512 and AMX. */
#define CK_AMX 3

/* The largest set that the processor has and the process may use (instructions.h). */
int ck_encoder_instruction_set(void);

/* One direction of one LSTM layer, for H hidden units. */
typedef struct ck_lstm {
    int64_t hidden;                 /* H */
    int64_t blocks;                 /* ceil(H / 16) */
    int64_t lookups;                /* The number of tables, at least 1. */
    int64_t inputs;                 /* Input columns that are multiplied, in addition to the tables. */
    const float *const *tables;     /* Each [entries][blocks][4 gates][16]: what an entry adds to the gates. */
    const float *input_weights;     /* [blocks][inputs][4][16] */
    const float *recurrent_weights; /* [blocks][H][4][16] */
} ck_lstm;

/* One step of `rows` sequences. The gates are computed from table entries (`indices`, rows x lookups; NULL means entry
 * 0 of the only table), from `inputs` (rows x inputs) and from the previous states (NULL in the first step). Then come
 * the new cells (rows x 16 blocks; zero before the first step) and the new states. Strides are in floats.
 *
 * If `descending`, the blocks of units are computed from the last to the first. The caller alternates it from step to
 * step, so that a step first reads the weights that the step before read last. The sums of a block begin with the
 * previous states of the blocks that are computed after it, continue with its own, and end with those of the blocks
 * computed before it. So the states that one step computes last are the ones that the next step needs last. */
void ck_lstm_step(int set, const ck_lstm *lstm, int64_t rows, const int32_t *indices, const float *inputs,
                  int64_t input_stride, const float *previous, int64_t previous_stride, float *states,
                  int64_t state_stride, float *cells, int descending);

/* Computes `steps` steps of one sequence, with an alternating order of the blocks. The result is that of ck_lstm_step,
 * byte for byte, but it reads fewer weights. The next step uses the next row of `indices`, `inputs` and `states`; if
 * `direction` is -1, the previous row. `sums` is memory for 64 floats for each block. `descending` is that of the first
 * step. */
void ck_lstm_sequence(int set, const ck_lstm *lstm, int64_t steps, int64_t direction, const int32_t *indices,
                      const float *inputs, int64_t input_stride, const float *previous, float *states,
                      int64_t state_stride, float *cells, float *sums, int descending);

/* An affine map of rows [left; right] to 16 x vectors columns. */
typedef struct ck_dense {
    int64_t left;         /* Columns of the left part. */
    int64_t right;        /* Columns of the right part. */
    int64_t vectors;      /* ceil(columns / 16) */
    const float *weights; /* Panels of up to 4 vectors, each [left + right][vectors of the panel][16]. */
    const float *bias;    /* [vectors][16] */
} ck_dense;

/* output (rows x 16 vectors) = the map of inputs (rows x left). The right part is empty. */
void ck_dense_rows(int set, const ck_dense *dense, int64_t rows, const float *inputs, int64_t input_stride,
                   float *output, int64_t output_stride);

/* scores[row] = score . tanh(the map of [times; states]). */
void ck_attention_scores(int set, const ck_dense *dense, const float *score, int64_t rows, const float *times,
                         int64_t time_stride, const float *states, int64_t state_stride, float *scores);

/* One step of a softmax-weighted sum. scores[row] becomes exp(scores[row] - largest[row]). This weight is added to
 * sums[row], and the weight times the state is added to pooled[row] (`columns` numbers, a multiple of 16). */
void ck_attention_pool(int set, int64_t rows, float *scores, const float *largest, double *sums, int64_t columns,
                       const float *states, int64_t state_stride, double *pooled);

/* A part of the softmax-weighted sum of one sequence. The row of its event at a step is rows[step] + row. Each score
 * becomes exp(score - largest). This weight is added to *sum, and the weight times the state is added to `pooled`
 * (`columns` numbers, a multiple of 16). If the parts have a multiple of 64 steps, the result is that of the whole,
 * byte for byte. */
void ck_attention_pool_sequence(int set, int64_t steps, const ptrdiff_t *rows, int64_t row, float *scores,
                                float largest, double *sum, int64_t columns, const float *states, int64_t state_stride,
                                double *pooled);

/* table (entries x columns) = start + embeddings (entries x width) times matrix (width x columns). columns is a
 * multiple of 64. */
void ck_fold_table(int64_t entries, int64_t width, int64_t columns, const float *embeddings, const double *matrix,
                   const double *start, float *table);

/* Prefetches memory that is read soon. */
void ck_prefetch_range(const void *start, int64_t bytes);

/* Returns 1 if all values are finite, otherwise 0. */
int ck_all_finite(int64_t count, const float *values);

/* bfloat16. The functions below need ck_encoder_has_bfloat16(). Numbers are stored in pairs, as the processor reads
 * them: two neighbouring input columns of one output. */
int ck_encoder_has_bfloat16(void);

/* The bfloat16 form of ck_lstm. All weights and tables are multiplied by -log2(e), those of the gate g by -2 log2(e),
 * so that the sum of a gate is the exponent of 2 that the gate needs. From the gate i of the first table, log2(2
 * log2(e)) is subtracted, because the cells are multiplied by -2 log2(e). */
typedef struct ck_lstm_bfloat16 {
    int64_t blocks;
    int64_t lookups;
    int64_t inputs;      /* Input columns in float32. */
    int64_t lower_pairs; /* Pairs of input columns in bfloat16: the states of the layer below. */
    const float *const *tables;
    const float *input_weights;        /* [blocks][inputs][4][16] */
    const uint16_t *lower_weights;     /* [blocks][lower_pairs][4][16][2] */
    const uint16_t *recurrent_weights; /* [blocks][8 blocks][4][16][2] */
} ck_lstm_bfloat16;

/* The states of one direction: rows of `stride` numbers, in float32 and, rounded, in bfloat16. */
typedef struct ck_bfloat16_states {
    float *floats;
    uint16_t *halves;
    int64_t stride;
} ck_bfloat16_states;

/* Like ck_lstm_step. It goes from the states in row `previous` (-1 in the first step) to those in row `first`. */
void ck_lstm_step_bfloat16(const ck_lstm_bfloat16 *lstm, int64_t rows, const int32_t *indices, const float *inputs,
                           int64_t input_stride, const uint16_t *lower, int64_t lower_stride,
                           const ck_bfloat16_states *states, int64_t first, int64_t previous, float *cells,
                           int descending);

/* The attention. Weights and bias are multiplied by -2 log2(e), the score by 2. */
typedef struct ck_attention_bfloat16 {
    int64_t times;             /* Time features. */
    int64_t pairs;             /* Pairs of states. */
    int64_t vectors;           /* ceil(columns / 16) */
    const float *time_weights; /* Panels of up to 4 vectors, each [times][vectors of the panel][16]. */
    const uint16_t *weights;   /* The same, each [pairs][vectors of the panel][16][2]. */
    const float *bias;         /* [vectors][16] */
    const float *score;        /* [vectors][16], then zeros up to a multiple of 4 vectors. */
} ck_attention_bfloat16;

/* scores[row] = score . tanh(the map of [times; states]), plus a number that is the same for all rows. */
void ck_attention_scores_bfloat16(const ck_attention_bfloat16 *attention, int64_t rows, const float *times,
                                  int64_t time_stride, const uint16_t *states, int64_t state_stride, float *scores);

/* output[i * stride] = (log1p(seconds[i]) - mean) * inverse_deviation, limited to [-limit, limit]; 0 for NaN. */
void ck_time_feature(int set, int64_t count, const float *seconds, float mean, float inverse_deviation, float limit,
                     float *output, int64_t stride);

#endif
