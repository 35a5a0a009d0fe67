/* Small matrix products. This file is included once for each instruction set; see instruction_sets.h. */

#include "encoder_vectors.h"

/* The number of rows of B in a contiguous copy of 64 columns. The copy stays in the first-level cache while all rows of
 * A are multiplied with it. */
#define DEPTH 128

/* Computes `rows` rows and 16 x `vectors` columns of C. Element (i, p) of A is a[i * a_row + p * a_step]. */
INLINE void CK_NAME(product_tile)(const int rows, const int vectors, int64_t k, const float *a, int64_t a_row,
                                  int64_t a_step, const float *b, int64_t ldb, const float *before, int64_t before_row,
                                  float *c, int64_t ldc) {
    V sums[CK_ROWS * 4];
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++)
            sums[row * 4 + v] = before ? CK_NAME(load)(before + row * before_row + v * 16) : CK_NAME(splat)(0.0f);
    for (int64_t p = 0; p < k; p++, a += a_step, b += ldb) {
        V w[4];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) w[v] = CK_NAME(load)(b + v * 16);
#pragma clang loop unroll(full)
        for (int row = 0; row < rows; row++) {
            V value = CK_NAME(splat)(a[row * a_row]);
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++) sums[row * 4 + v] = CK_NAME(fma)(value, w[v], sums[row * 4 + v]);
        }
    }
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) CK_NAME(store)(c + row * ldc + v * 16, sums[row * 4 + v]);
}

/* A panel: all rows of 16 to 64 columns, with `k` terms of each product. */
INLINE void CK_NAME(product_panel)(const int vectors, int64_t m, int64_t k, const float *a, int64_t a_row,
                                   int64_t a_step, const float *b, int64_t ldb, const float *before, int64_t before_row,
                                   float *c, int64_t ldc) {
    for (int part = 0; part < 16; part += CK_LANES) {
#define TILE(n) \
    CK_NAME(product_tile)(n, vectors, k, a + row * a_row, a_row, a_step, b + part, ldb, \
                          before ? before + row * before_row + part : NULL, before_row, c + row * ldc + part, ldc)
        CK_EVERY_ROW(m)
#undef TILE
    }
}

static void CK_NAME(product)(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_row, int64_t a_step,
                             const float *b, int64_t ldb, const float *bias, int accumulate, float *c, int64_t ldc) {
    _Alignas(64) float copy[DEPTH * 64];
    const int64_t depths = k > DEPTH ? (k + DEPTH - 1) / DEPTH : 1, blocks = n / 16, panels = (blocks + 3) / 4;
    int64_t start = 0;
    for (int64_t depth = 0; depth < depths; depth++) {
        const int64_t count = (k - start) / (depths - depth);
        for (int64_t panel = 0, block = 0; panel < panels; panel++) {
            const int64_t vectors = (blocks - block) / (panels - panel);
            const float *values = b + start * ldb + block * 16;
            int64_t stride = ldb;
            if (m > 2 * CK_ROWS && ldb > vectors * 16) {
                for (int64_t p = 0; p < count; p++)
                    memcpy(copy + p * vectors * 16, values + p * ldb, (size_t)vectors * 64);
                values = copy;
                stride = vectors * 16;
            }
            float *target = c + block * 16;
            const float *before = depth > 0 || accumulate ? target : bias ? bias + block * 16 : NULL;
            const int64_t before_row = before == target ? ldc : 0;
            const float *source = a + start * a_step;
#define PANEL(vectors) \
    CK_NAME(product_panel)(vectors, m, count, source, a_row, a_step, values, stride, before, before_row, target, ldc)
            switch (vectors) {
            case 1: PANEL(1); break;
            case 2: PANEL(2); break;
            case 3: PANEL(3); break;
            default: PANEL(4); break;
            }
#undef PANEL
            block += vectors;
        }
        start += count;
    }
}

#undef DEPTH
#undef V
#undef I
#undef INLINE
#undef CK_ROWS
