#include "products.h"

#include "encoder.h"

#include <immintrin.h>
#include <string.h>

#define CK_KERNELS "products_kernels.h"
#include "instruction_sets.h"

void ck_product(int set, int64_t m, int64_t n, int64_t k, const float *a, int64_t a_row, int64_t a_step, const float *b,
                int64_t ldb, const float *bias, int accumulate, float *c, int64_t ldc) {
#define CK_CALL(set_name) product_##set_name(m, n, k, a, a_row, a_step, b, ldb, bias, accumulate, c, ldc)
    CK_DISPATCH(set)
#undef CK_CALL
}
