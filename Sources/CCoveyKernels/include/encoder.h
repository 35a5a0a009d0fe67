#ifndef CK_ENCODER_H
#define CK_ENCODER_H

#include <stddef.h>
#include <stdint.h>

/* The encoder's loops. A row's result is the same bytes whatever rows are beside it; it may differ between instruction sets. `set` is what
 * ck_encoder_instruction_set returns, or a lesser one. Units and columns come in blocks of 16, padded with zeros. */
#define CK_BASELINE 0
#define CK_AVX2 1
#define CK_AVX512 2

int ck_encoder_instruction_set(void);

/* One direction of one LSTM layer, for H hidden units. */
typedef struct ck_lstm {
    int64_t hidden;                 /* H */
    int64_t blocks;                 /* ceil(H / 16) */
    int64_t lookups;                /* Tables, at least 1. */
    int64_t inputs;                 /* Input columns that are multiplied, beside the tables. */
    const float *const *tables;     /* Each [entries][blocks][4 gates][16]: what an entry adds to the gates. */
    const float *input_weights;     /* [blocks][inputs][4][16] */
    const float *recurrent_weights; /* [blocks][H][4][16] */
} ck_lstm;

/* One step of `rows` sequences: gates from table entries (`indices`, rows x lookups; NULL = entry 0 of the one table), from
 * `inputs` (rows x inputs) and from the previous states (NULL = the first step), then the new cells (rows x 16 blocks, zero
 * before the first step) and states. Strides in floats. `descending` runs over blocks of units from the last to the first.
 * Steps take turns: the weights that one read last are those that the next reads first. And the states that one step computes
 * last are those that the next needs last: a block's sums begin with the previous states of the blocks that come after it,
 * go on with its own, and end with those of the blocks before it. */
void ck_lstm_step(int set, const ck_lstm *lstm, int64_t rows, const int32_t *indices, const float *inputs,
                  int64_t input_stride, const float *previous, int64_t previous_stride, float *states,
                  int64_t state_stride, float *cells, int descending);

/* `steps` steps of one sequence that take turns, with the bytes of ck_lstm_step, reading fewer weights. The event of the
 * next step has the next row of `indices`, `inputs` and `states`, or with `direction` -1 the one before. `sums` is memory for
 * 64 floats for each block; `descending` is the first step's. */
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

/* output (rows x 16 vectors) = the map of inputs (rows x left); the right part is empty. */
void ck_dense_rows(int set, const ck_dense *dense, int64_t rows, const float *inputs, int64_t input_stride, float *output,
                   int64_t output_stride);

/* scores[row] = score . tanh(the map of [times; states]). */
void ck_attention_scores(int set, const ck_dense *dense, const float *score, int64_t rows, const float *times,
                         int64_t time_stride, const float *states, int64_t state_stride, float *scores);

/* One step of a softmax-weighted sum: scores[row] = exp(scores[row] - largest[row]), which is added to sums[row], and times
 * the state to pooled[row] (`columns` of them, a multiple of 16). */
void ck_attention_pool(int set, int64_t rows, float *scores, const float *largest, double *sums, int64_t columns,
                       const float *states, int64_t state_stride, double *pooled);

/* Part of one sequence's softmax-weighted sum: its events lie at rows[step] + row. Their scores become
 * exp(score - largest), which is added to *sum, and times the state to pooled (`columns` of them, a multiple of 16). Parts of a
 * multiple of 64 steps add up to the same bytes as the whole. */
void ck_attention_pool_sequence(int set, int64_t steps, const ptrdiff_t *rows, int64_t row, float *scores, float largest,
                       double *sum, int64_t columns, const float *states, int64_t state_stride, double *pooled);

/* table (entries x columns) = start + embeddings (entries x width) times matrix (width x columns); columns are a multiple of 64. */
void ck_fold_table(int64_t entries, int64_t width, int64_t columns, const float *embeddings, const double *matrix,
                   const double *start, float *table);

/* Asks for memory that is soon read. */
void ck_prefetch_range(const void *start, int64_t bytes);

/* Whether all values are finite. */
int ck_all_finite(int64_t count, const float *values);

/* In bfloat16. The functions below need ck_encoder_has_bfloat16(). Pairs lie as the processor reads them: two neighbouring
 * columns of one output beside each other. */
int ck_encoder_has_bfloat16(void);

/* As ck_lstm. All weights and tables are multiplied by -log2(e), those of the gate g by -2 log2(e): a gate's sum is the exponent
 * of 2 that it needs. The first table's gate i is lessened by log2(2 log2(e)), as the cells are multiplied by -2 log2(e). */
typedef struct ck_lstm_bfloat16 {
    int64_t blocks;
    int64_t lookups;
    int64_t inputs;      /* Input columns in float32. */
    int64_t lower_pairs; /* Pairs of input columns in bfloat16: the states of the layer beneath. */
    const float *const *tables;
    const float *input_weights;        /* [blocks][inputs][4][16] */
    const uint16_t *lower_weights;     /* [blocks][lower_pairs][4][16][2] */
    const uint16_t *recurrent_weights; /* [blocks][8 blocks][4][16][2] */
} ck_lstm_bfloat16;

/* The states of one direction: rows of `stride` numbers in float32 and, rounded, in bfloat16. */
typedef struct ck_bfloat16_states {
    float *floats;
    uint16_t *halves;
    int64_t stride;
} ck_bfloat16_states;

/* As ck_lstm_step, from the states' row `previous` (-1 = the first step) to row `first`. */
void ck_lstm_step_bfloat16(const ck_lstm_bfloat16 *lstm, int64_t rows, const int32_t *indices, const float *inputs,
                           int64_t input_stride, const uint16_t *lower, int64_t lower_stride,
                           const ck_bfloat16_states *states, int64_t first, int64_t previous, float *cells,
                           int descending);

/* The attention; weights and bias are multiplied by -2 log2(e), the score by 2. */
typedef struct ck_attention_bfloat16 {
    int64_t times;             /* Time features. */
    int64_t pairs;             /* Pairs of states. */
    int64_t vectors;           /* ceil(columns / 16) */
    const float *time_weights; /* Panels of up to 4 vectors, each [times][vectors of the panel][16]. */
    const uint16_t *weights;   /* Likewise, each [pairs][vectors of the panel][16][2]. */
    const float *bias;         /* [vectors][16] */
    const float *score;        /* [vectors][16], and zeros up to a multiple of 4 vectors. */
} ck_attention_bfloat16;

/* scores[row] = score . tanh(the map of [times; states]), up to a number that is the same for all rows. */
void ck_attention_scores_bfloat16(const ck_attention_bfloat16 *attention, int64_t rows, const float *times,
                                  int64_t time_stride, const uint16_t *states, int64_t state_stride, float *scores);

/* output[i * stride] = (log1p(seconds[i]) - mean) * inverse_deviation, held within [-limit, limit]; 0 for NaN. */
void ck_time_feature(int set, int64_t count, const float *seconds, float mean, float inverse_deviation, float limit,
                     float *output, int64_t stride);

#endif
