/* Matrix products of the sizes that occur in training: the short sides are those of a layer. */
#ifndef CK_PRODUCTS_H
#define CK_PRODUCTS_H

#include <stdint.h>

/* C (m x n, row-major) = A (m x k) B (k x n). The product is added to C if `accumulate` is not 0, otherwise to `bias`
 * in each row (n numbers; NULL means 0). Element (i, p) of A is a[i * a_row + p * a_step], so A may be transposed. n is
 * a multiple of 16. Every number of C is a sum over p in ascending order, for every m. `set` is described in
 * encoder_gradient.h. */
void ck_product(int set, int64_t m, int64_t n, int64_t k, const float *a, int64_t a_row, int64_t a_step, const float *b,
                int64_t ldb, const float *bias, int accumulate, float *c, int64_t ldc);

#endif
