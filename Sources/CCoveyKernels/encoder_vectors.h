/* Vectors, exp and the innermost product of the encoder's loops. encoder_kernels.h and encoder_gradient_kernels.h
 * include this file once for each instruction set. They undefine V, I, INLINE and CK_ROWS at their end. */

/* The number of rows of a tile: CK_ROWS x 4 accumulators stay in registers. */
#if CK_LANES == 16
#define CK_ROWS 6
#elif CK_LANES == 8
#define CK_ROWS 3
#else
#define CK_ROWS 2
#endif

#ifndef CK_EVERY_ROW
/* Runs TILE(n) at `row` for all rows, in tiles of nearly the same height. A short tile would wait for its weights. */
#define CK_EVERY_ROW(count) \
    for (int64_t row = 0, tiles = ((count) + CK_ROWS - 1) / CK_ROWS; tiles > 0; tiles--) { \
        const int64_t height = ((count) - row + tiles - 1) / tiles; \
        switch (height) { \
            CK_TALL_TILES \
        case 2: TILE(2); break; \
        default: TILE(1); break; \
        } \
        row += height; \
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
#define CK_TALL_TILES \
    case 3: TILE(3); break;
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

/* x limited to [low, high]; high if x is NaN. */
INLINE V CK_NAME(clamp)(V x, float low, float high) {
    x = x < CK_NAME(splat)(high) ? x : CK_NAME(splat)(high);
    return x > CK_NAME(splat)(low) ? x : CK_NAME(splat)(low);
}

/* exp(x) = scale + scale * part for x in [-80, 80]. With x = n ln 2 + r, scale is 2^n, and part is exp(r) - 1, computed
 * by a polynomial (Cephes, expf). The relative error is about 1e-7. */
typedef struct {
    V scale, part;
} CK_NAME(exponential);

INLINE CK_NAME(exponential) CK_NAME(exp)(V x) {
    const float magic = 12582912.0f; /* 1.5 x 2^23: adding it rounds to an integer, which is then in the low bits */
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

/* exp(-factor * x), limited to about exp(28), so that a product of three of them is still a float. */
INLINE V CK_NAME(exp_minus)(V x, float factor) {
#if CK_LANES == 16
    /* 2^y = 2^floor(y) t p(r). r is the part of y beyond a multiple of 1/32, t is 2^(number of 32nds / 32), and p is a
     * minimax polynomial (Remez's exchange, exact at 0; relative error 6.6e-8). Four of the instructions use the
     * multipliers, which the products keep busy. The other instructions run at the same time. */
    static const float powers[32] = {
        1.0f,        1.0218972f,  1.04427373f, 1.06714046f, 1.09050775f, 1.1143868f,  1.13878858f, 1.1637249f,
        1.18920708f, 1.21524739f, 1.24185777f, 1.26905096f, 1.29683959f, 1.32523668f, 1.35425556f, 1.38390994f,
        1.41421354f, 1.44518077f, 1.47682619f, 1.50916445f, 1.54221082f, 1.5759809f,  1.61049032f, 1.64575553f,
        1.68179286f, 1.71861935f, 1.75625217f, 1.79470909f, 1.8340081f,  1.87416768f, 1.91520655f, 1.95714414f};
    V y = (V)_mm512_min_ps((__m512)(x * (factor * -1.44269504088896341f)), _mm512_set1_ps(40.0f));
    V r = (V)_mm512_reduce_ps((__m512)y, 0x59); /* y - floor(32 y) / 32 */
    /* The low bits of this number are those of floor(32 y). */
    const __m512 place =
        _mm512_add_round_ps((__m512)y, _mm512_set1_ps(0x1.8p18f), _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    V t = (V)_mm512_permutex2var_ps(_mm512_loadu_ps(powers), (__m512i)place, _mm512_loadu_ps(powers + 16));
    V p = CK_NAME(fma)(r, CK_NAME(splat)(0x1.f0f3e6p-3f), CK_NAME(splat)(0x1.62e11ep-1f));
    p = CK_NAME(fma)(t * r, p, t);
    return (V)_mm512_scalef_ps((__m512)p, (__m512)y);
#else
    CK_NAME(exponential) e = CK_NAME(exp)(CK_NAME(clamp)(x * -factor, -28.0f, 28.0f));
    return CK_NAME(fma)(e.scale, e.part, e.scale);
#endif
}

/* sums[row][v] += x[row] weights[v], with one vector of columns for each v. */
INLINE void CK_NAME(multiply_one)(V *sums, const int rows, const int vectors, const float *x, int64_t x_stride,
                                  const float *weights) {
    V values[CK_ROWS];
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++) values[row] = CK_NAME(splat)(x[row * x_stride]);
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
        const V w = CK_NAME(load)(weights + v * 16);
#pragma clang loop unroll(full)
        for (int row = 0; row < rows; row++) sums[row * 4 + v] = CK_NAME(fma)(values[row], w, sums[row * 4 + v]);
    }
}

/* sums[row][v] += sum over k of x[row][k] weights[k][v]. `stride` is the number of floats from the weights of k to
 * those of k + 1. */
INLINE void CK_NAME(multiply)(V *sums, const int rows, const int vectors, int64_t count, const float *x,
                              int64_t x_stride, const float *weights, int64_t stride) {
    for (int64_t k = 0; k < count; k++)
        CK_NAME(multiply_one)(sums, rows, vectors, x + k, x_stride, weights + k * stride);
}
