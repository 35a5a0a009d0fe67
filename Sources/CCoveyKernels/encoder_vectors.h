/* Vectors, exp and the innermost product of the encoder's loops, included once for each instruction set by encoder_kernels.h
 * and encoder_gradient_kernels.h, which undefine V, I, INLINE and CK_ROWS at their ends. */

/* Rows of a tile, so that CK_ROWS x 4 accumulators stay in registers. */
#if CK_LANES == 16
#define CK_ROWS 6
#elif CK_LANES == 8
#define CK_ROWS 3
#else
#define CK_ROWS 2
#endif

#ifndef CK_EVERY_ROW
/* Runs TILE(n) at `row` for all rows, in tiles of nearly the same height: short ones wait for their weights. */
#define CK_EVERY_ROW(count)                                                               \
    for (int64_t row = 0, tiles = ((count) + CK_ROWS - 1) / CK_ROWS; tiles > 0; tiles--) { \
        const int64_t height = ((count)-row + tiles - 1) / tiles;                         \
        switch (height) {                                                                 \
            CK_TALL_TILES                                                                 \
        case 2: TILE(2); break;                                                           \
        default: TILE(1); break;                                                          \
        }                                                                                 \
        row += height;                                                                    \
    }
#endif
#undef CK_TALL_TILES
#if CK_ROWS == 6
#define CK_TALL_TILES \
    case 6: TILE(6); break; \
    case 5: TILE(5); break; \
    case 4: TILE(4); break; \
    case 3: TILE(3); break;
#elif CK_ROWS == 3
#define CK_TALL_TILES case 3: TILE(3); break;
#else
#define CK_TALL_TILES
#endif

typedef float CK_NAME(vector) __attribute__((ext_vector_type(CK_LANES)));
typedef int32_t CK_NAME(integers) __attribute__((ext_vector_type(CK_LANES)));
#define V CK_NAME(vector)
#define I CK_NAME(integers)
#define INLINE static inline __attribute__((always_inline))

INLINE V CK_NAME(load)(const float *p) {
    V v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void CK_NAME(store)(float *p, V v) { memcpy(p, &v, sizeof v); }

INLINE V CK_NAME(splat)(float x) { return (V)x; }

INLINE V CK_NAME(fma)(V a, V b, V c) {
#if CK_FMA
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

/* x held within [low, high]; high for NaN. */
INLINE V CK_NAME(clamp)(V x, float low, float high) {
    x = x < CK_NAME(splat)(high) ? x : CK_NAME(splat)(high);
    return x > CK_NAME(splat)(low) ? x : CK_NAME(splat)(low);
}

/* exp(x) = scale + scale * part for x within [-80, 80]: x = n ln 2 + r, scale = 2^n, part = exp(r) - 1 by a polynomial
 * (Cephes, expf), relative error about 1e-7. */
typedef struct {
    V scale, part;
} CK_NAME(exponential);

INLINE CK_NAME(exponential) CK_NAME(exp)(V x) {
    const float magic = 12582912.0f; /* 1.5 x 2^23: adding it rounds to an integer, which the low bits then hold */
    V shifted = CK_NAME(fma)(x, CK_NAME(splat)(1.44269504088896341f), CK_NAME(splat)(magic));
    V n = shifted - magic;
    V r = CK_NAME(fma)(n, CK_NAME(splat)(-0.693359375f), x);
    r = CK_NAME(fma)(n, CK_NAME(splat)(2.12194440e-4f), r);
    V p = CK_NAME(splat)(1.9875691500e-4f);
    p = CK_NAME(fma)(p, r, CK_NAME(splat)(1.3981999507e-3f));
    p = CK_NAME(fma)(p, r, CK_NAME(splat)(8.3334519073e-3f));
    p = CK_NAME(fma)(p, r, CK_NAME(splat)(4.1665795894e-2f));
    p = CK_NAME(fma)(p, r, CK_NAME(splat)(1.6666665459e-1f));
    p = CK_NAME(fma)(p, r, CK_NAME(splat)(5.0000001201e-1f));
    CK_NAME(exponential) e;
    e.part = CK_NAME(fma)(p, r * r, r);
    I bits = ((I)shifted << 23) + 0x3f800000;
    e.scale = (V)bits;
    return e;
}

/* exp(-factor * x), held at about exp(28): a product of three of them is still a float. */
INLINE V CK_NAME(exp_minus)(V x, float factor) {
#if CK_LANES == 16
    /* 2^y = 2^floor(y) p(y - floor(y)), with a minimax polynomial (Remez's exchange, exact at 0; relative error
     * 1.4e-7): vreduceps and vscalefps run beside the multipliers, which the products keep busy. */
    V y = (V)_mm512_min_ps((__m512)(x * (factor * -1.44269504088896341f)), _mm512_set1_ps(40.0f));
    V r = (V)_mm512_reduce_ps((__m512)y, 0x09);
    V p = CK_NAME(fma)(r, CK_NAME(splat)(0x1.e974fap-10f), CK_NAME(splat)(0x1.277856p-7f));
    p = CK_NAME(fma)(p, r, CK_NAME(splat)(0x1.c91ce6p-5f));
    p = CK_NAME(fma)(p, r, CK_NAME(splat)(0x1.ebdb56p-3f));
    p = CK_NAME(fma)(p, r, CK_NAME(splat)(0x1.62e4bap-1f));
    p = CK_NAME(fma)(p, r, CK_NAME(splat)(1.0f));
    return (V)_mm512_scalef_ps((__m512)p, (__m512)y);
#else
    CK_NAME(exponential) e = CK_NAME(exp)(CK_NAME(clamp)(x * -factor, -28.0f, 28.0f));
    return CK_NAME(fma)(e.scale, e.part, e.scale);
#endif
}

/* sums[row][v] += x[row] weights[v], one vector of columns for each v. */
INLINE void CK_NAME(multiply_one)(V *sums, const int rows, const int vectors, const float *x, int64_t x_stride,
                                  const float *weights) {
    V w[4];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) w[v] = CK_NAME(load)(weights + v * 16);
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++) {
        V value = CK_NAME(splat)(x[row * x_stride]);
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) sums[row * 4 + v] = CK_NAME(fma)(value, w[v], sums[row * 4 + v]);
    }
}

/* sums[row][v] += sum over k of x[row][k] weights[k][v]. `stride` floats lie between the weights of k and of k + 1. */
INLINE void CK_NAME(multiply)(V *sums, const int rows, const int vectors, int64_t count, const float *x, int64_t x_stride,
                              const float *weights, int64_t stride) {
    for (int64_t k = 0; k < count; k++) CK_NAME(multiply_one)(sums, rows, vectors, x + k, x_stride, weights + k * stride);
}
