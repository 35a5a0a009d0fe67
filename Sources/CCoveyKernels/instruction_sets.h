/* Includes CK_KERNELS, a file of loops, once for each instruction set. For each it defines
 *   CK_NAME(f)  the name of function f for the set: f_avx512, f_avx2 or f_baseline
 *   CK_LANES    the number of floats in a vector register: 16, 8 or 4
 *   CK_FMA      1 if the set has fused multiply-add, otherwise 0
 * CK_DISPATCH(set) then runs CK_CALL(name of the set) for the set that is given. */

#define CK_NAME(f) f##_avx512
#define CK_LANES 16
#define CK_FMA 1
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,fma,avx2"))), \
                             apply_to = function)
#include CK_KERNELS
#pragma clang attribute pop
#undef CK_NAME
#undef CK_LANES
#undef CK_FMA

#define CK_NAME(f) f##_avx2
#define CK_LANES 8
#define CK_FMA 1
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include CK_KERNELS
#pragma clang attribute pop
#undef CK_NAME
#undef CK_LANES
#undef CK_FMA

#define CK_NAME(f) f##_baseline
#define CK_LANES 4
#define CK_FMA 0
#include CK_KERNELS
#undef CK_NAME
#undef CK_LANES
#undef CK_FMA

#define CK_DISPATCH(set) \
    switch (set) { \
    case CK_AVX512: CK_CALL(avx512); break; \
    case CK_AVX2: CK_CALL(avx2); break; \
    default: CK_CALL(baseline); break; \
    }
