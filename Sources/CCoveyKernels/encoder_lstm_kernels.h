/* The loops of the LSTM, a part of encoder_kernels.h. */

/* Computes what the table entries and the inputs of `rows` events add to the gates of the units block * 16 + part to
 * block * 16 + part + CK_LANES - 1. */
INLINE void CK_NAME(lstm_inputs)(V *sums, const ck_lstm *lstm, const int rows, int64_t block, int part,
                                 const int32_t *indices, const float *inputs, int64_t input_stride) {
    const int64_t entry = lstm->blocks * 64;
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++) {
        const float *first = lstm->tables[0] + (indices ? indices[row * lstm->lookups] : 0) * entry + block * 64 + part;
#pragma clang loop unroll(full)
        for (int gate = 0; gate < 4; gate++) sums[row * 4 + gate] = CK_NAME(load)(first + gate * 16);
    }
    for (int64_t table = 1; table < lstm->lookups; table++) {
#pragma clang loop unroll(full)
        for (int row = 0; row < rows; row++) {
            const float *next = lstm->tables[table] + indices[row * lstm->lookups + table] * entry + block * 64 + part;
#pragma clang loop unroll(full)
            for (int gate = 0; gate < 4; gate++) sums[row * 4 + gate] += CK_NAME(load)(next + gate * 16);
        }
    }
    CK_NAME(multiply)(sums, rows, 4, lstm->inputs, inputs, input_stride,
                      lstm->input_weights + block * lstm->inputs * 64 + part, 64);
}

/* The end of a block's range of units. */
INLINE int64_t CK_NAME(block_end)(const ck_lstm *lstm, int64_t block) {
    return (block + 1) * 16 < lstm->hidden ? (block + 1) * 16 : lstm->hidden;
}

/* Adds the products of a block's gates with previous states to their sums. With `after`, these are the states of the
 * blocks that this step computes later, then its own. With `before`, they are those of the blocks that this step
 * computed already. One loop that changes its direction is faster than two loops. */
INLINE void CK_NAME(lstm_products)(V *sums, const ck_lstm *lstm, const int rows, const int after, const int before,
                                   int64_t block, int part, const float *previous, int64_t previous_stride,
                                   int descending) {
    const int64_t end = CK_NAME(block_end)(lstm, block), turn = descending ? end - 1 : block * 16;
    const float *weights = lstm->recurrent_weights + block * lstm->hidden * 64 + part;
    const int64_t outside = descending ? lstm->hidden - 1 : 0;
    int64_t k = descending ? 0 : lstm->hidden - 1, step = descending ? 1 : -1;
    int64_t count = descending ? end : lstm->hidden - block * 16;
    if (!after) k = outside, step = -step, count = lstm->hidden - count;
    if (after && before) count = lstm->hidden;
    for (; count > 0; count--) {
        CK_NAME(multiply_one)(sums, rows, 4, previous + k, previous_stride, weights + k * 64);
        const int turns = after && before && k == turn;
        k = turns ? outside : k + step;
        step = turns ? -step : step;
    }
}

/* Adds the products with the block's own states. */
INLINE void CK_NAME(lstm_own_products)(V *sums, const ck_lstm *lstm, int64_t block, int part, const float *previous,
                                       int descending) {
    const int64_t first = block * 16, last = CK_NAME(block_end)(lstm, block) - 1, step = descending ? 1 : -1;
    const float *weights = lstm->recurrent_weights + block * lstm->hidden * 64 + part;
    int64_t k = descending ? first : last;
    for (int64_t count = last - first + 1; count > 0; count--, k += step)
        CK_NAME(multiply_one)(sums, 1, 4, previous + k, 0, weights + k * 64);
}

/* Adds the products with the states of the blocks that this step computed already: the previous states to the sums of
 * this step, and the new states to the sums of the next step. */
INLINE void CK_NAME(lstm_products_of_two)(V *now, V *next, const ck_lstm *lstm, int64_t block, int part,
                                          const float *previous, const float *states, int descending) {
    const int64_t end = CK_NAME(block_end)(lstm, block), step = descending ? -1 : 1;
    const float *weights = lstm->recurrent_weights + block * lstm->hidden * 64 + part;
    int64_t k = descending ? lstm->hidden - 1 : 0;
    for (int64_t count = descending ? lstm->hidden - end : block * 16; count > 0; count--, k += step) {
        const V x = CK_NAME(splat)(previous[k]), y = CK_NAME(splat)(states[k]);
#pragma clang loop unroll(full)
        for (int gate = 0; gate < 4; gate++) {
            const V w = CK_NAME(load)(weights + k * 64 + gate * 16);
            now[gate] = CK_NAME(fma)(x, w, now[gate]);
            next[gate] = CK_NAME(fma)(y, w, next[gate]);
        }
    }
}

/* Computes the new cells and states from the sums of the gates. */
INLINE void CK_NAME(lstm_outputs)(const V *sums, const int rows, float *cells, int64_t cell_stride, float *states,
                                  int64_t state_stride) {
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++) {
        /* With i, f, o = 1 / (1 + exp(-x)) and tanh(x) = (1 - m) / (1 + m), m = exp(-2x), and common denominators: c =
         * f c + i tanh(g), h = o tanh(c). */
        float *cell = cells + row * cell_stride;
        V input = CK_NAME(exp_minus)(sums[row * 4], 1.0f) + 1.0f;
        V forget = CK_NAME(exp_minus)(sums[row * 4 + 1], 1.0f) + 1.0f;
        V candidate = CK_NAME(exp_minus)(sums[row * 4 + 2], 2.0f);
        V output = CK_NAME(exp_minus)(sums[row * 4 + 3], 1.0f) + 1.0f;
        V gated = input * (candidate + 1.0f);
        V c = CK_NAME(fma)(CK_NAME(load)(cell), gated, (1.0f - candidate) * forget) / (forget * gated);
        CK_NAME(store)(cell, c);
        V squashed = CK_NAME(exp_minus)(c, 2.0f);
        CK_NAME(store)(states + row * state_stride, (1.0f - squashed) / (output * (squashed + 1.0f)));
    }
}

/* One step of `rows` sequences for the units block * 16 + part to block * 16 + part + CK_LANES - 1. */
INLINE void CK_NAME(lstm_tile)(const ck_lstm *lstm, const int rows, int64_t block, int part, const int32_t *indices,
                               const float *inputs, int64_t input_stride, const float *previous,
                               int64_t previous_stride, float *states, int64_t state_stride, float *cells,
                               int descending) {
    V sums[CK_ROWS * 4];
    CK_NAME(lstm_inputs)(sums, lstm, rows, block, part, indices, inputs, input_stride);
    if (previous) CK_NAME(lstm_products)(sums, lstm, rows, 1, 1, block, part, previous, previous_stride, descending);
    const int64_t column = block * 16 + part;
    CK_NAME(lstm_outputs)(sums, rows, cells + column, lstm->blocks * 16, states + column, state_stride);
}

/* Computes steps of one sequence, with the sums of lstm_tile. The weights are in the second-level cache, so each is
 * read as rarely as possible. The next step runs in the opposite direction: the blocks before a block in this step come
 * after it in the next step. The new states of these blocks are known by then, so one read of their weights serves both
 * steps. The next step's products with the block's own states have no such partner. They are computed while the gates
 * of the next block are computed. `sums` has the sums so far, [blocks][4][16]. */
static void CK_NAME(lstm_sequence)(const ck_lstm *lstm, int64_t steps, int64_t direction, const int32_t *indices,
                                   const float *inputs, int64_t input_stride, const float *previous,
                                   float *first_states, int64_t state_stride, float *cells, float *sums,
                                   int descending) {
    V now[4], next[4];
#define EACH_PART for (int part = 0; part < 16; part += CK_LANES)
#define LOAD(block) \
    for (int gate = 0; gate < 4; gate++) now[gate] = CK_NAME(load)(sums + (block) * 64 + gate * 16 + part)
#define STORE(block, from) \
    for (int gate = 0; gate < 4; gate++) CK_NAME(store)(sums + (block) * 64 + gate * 16 + part, from[gate])
    for (int64_t block = 0; block < lstm->blocks; block++) EACH_PART {
            CK_NAME(lstm_inputs)(now, lstm, 1, block, part, indices, inputs, 0);
            if (previous) CK_NAME(lstm_products)(now, lstm, 1, 1, 0, block, part, previous, 0, descending);
            STORE(block, now);
        }
    for (int64_t step = 0; step < steps; step++) {
        const int is_last = step + 1 == steps;
        const int64_t next_row = (step + 1) * direction;
        float *states = first_states + step * direction * state_stride;
        for (int64_t i = 0; i < lstm->blocks; i++) {
            const int64_t block = descending ? lstm->blocks - 1 - i : i;
            const int64_t before = descending ? block + 1 : block - 1;
            EACH_PART {
                LOAD(block);
                if (i == 0 && step > 0) CK_NAME(lstm_own_products)(now, lstm, block, part, previous, descending);
                if (!is_last)
                    CK_NAME(lstm_inputs)(next, lstm, 1, block, part,
                                         indices ? indices + next_row * lstm->lookups : NULL,
                                         inputs + next_row * input_stride, 0);
                if (previous && !is_last)
                    CK_NAME(lstm_products_of_two)(now, next, lstm, block, part, previous, states, descending);
                else if (previous) CK_NAME(lstm_products)(now, lstm, 1, 0, 1, block, part, previous, 0, descending);
                else if (!is_last) CK_NAME(lstm_products)(next, lstm, 1, 0, 1, block, part, states, 0, descending);
                if (!is_last) STORE(block, next);
                CK_NAME(lstm_outputs)(now, 1, cells + block * 16 + part, 0, states + block * 16 + part, 0);
            }
            if (i > 0 && !is_last) EACH_PART {
                    LOAD(before);
                    CK_NAME(lstm_own_products)(now, lstm, before, part, states, !descending);
                    STORE(before, now);
                }
        }
        previous = states;
        descending = !descending;
    }
#undef EACH_PART
#undef LOAD
#undef STORE
}

/* One sequence. This is a separate function because the compiler then needs only a few instructions beside the tile. */
static void CK_NAME(lstm_step_one)(const ck_lstm *lstm, const int32_t *indices, const float *inputs,
                                   int64_t input_stride, const float *previous, int64_t previous_stride, float *states,
                                   int64_t state_stride, float *cells, int descending) {
    for (int64_t i = 0; i < lstm->blocks; i++)
        for (int part = 0; part < 16; part += CK_LANES)
            CK_NAME(lstm_tile)(lstm, 1, descending ? lstm->blocks - 1 - i : i, part, indices, inputs, input_stride,
                               previous, previous_stride, states, state_stride, cells, descending);
}

static void CK_NAME(lstm_step)(const ck_lstm *lstm, int64_t rows, const int32_t *indices, const float *inputs,
                               int64_t input_stride, const float *previous, int64_t previous_stride, float *states,
                               int64_t state_stride, float *cells, int descending) {
#define TILE(n) \
    CK_NAME(lstm_tile)(lstm, n, block, part, indices ? indices + row * lstm->lookups : NULL, \
                       inputs + row * input_stride, input_stride, previous ? previous + row * previous_stride : NULL, \
                       previous_stride, states + row * state_stride, state_stride, cells + row * lstm->blocks * 16, \
                       descending)
    for (int64_t i = 0; i < lstm->blocks; i++) {
        const int64_t block = descending ? lstm->blocks - 1 - i : i;
        for (int part = 0; part < 16; part += CK_LANES) {
            int64_t row = 0;
            for (; row + CK_ROWS <= rows; row += CK_ROWS) TILE(CK_ROWS);
            switch (rows - row) {
#if CK_ROWS > 3
            case 5: TILE(5); break;
            case 4: TILE(4); break;
            case 3: TILE(3); break;
#endif
#if CK_ROWS > 2
            case 2: TILE(2); break;
#endif
            case 1: TILE(1); break;
            default: break;
            }
        }
    }
#undef TILE
}
