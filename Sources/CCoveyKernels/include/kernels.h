/* The SIMD loops, dispatched at run time. Not part of the public interface: names begin with ck_, never covey_. */
#ifndef CK_KERNELS_H
#define CK_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "distances.h"
#include "leaves.h"
#include "pairs.h"
#include "lists.h"

/* The processors that this process may run on; sched_getaffinity is not visible from Swift. */
int ck_available_processors(void);

/* Row-major C (m x n, leading dimension ldc) = alpha A (m x k, lda) times B transposed (B is n x k, ldb) + beta C, on the
 * calling thread. From several threads at once: see blas_memory.c. */
void ck_sgemm_nt(int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                 float beta, float *c, int64_t ldc);

/* The same with A as k x m, B as k x n, in float64. */
void ck_dgemm_tn(int64_t m, int64_t n, int64_t k, double alpha, const double *a, int64_t lda, const double *b,
                 int64_t ldb, double beta, double *c, int64_t ldc);

/* As ck_sgemm_nt, in float64. */
void ck_dgemm_nt(int64_t m, int64_t n, int64_t k, double alpha, const double *a, int64_t lda, const double *b,
                 int64_t ldb, double beta, double *c, int64_t ldc);

/* Asked between pieces of work; not 0 = stop. */
typedef int ck_stop(const void *state);

#define CK_STOPPED (-1001)
#define CK_NO_MEMORY (-1002)
#define CK_BAD_ORDER (-1003)

/* The `count` largest eigenvalues of a covariance (n x n, positive semidefinite, overwritten), ascending, and their eigenvectors, one a row
 * (count x n), by Householder reflections and relatively robust representations (Dhillon, Parlett, Voemel 2006), as LAPACK's
 * dsyevr, or, where that would take long at one go, by division (Cuppen 1981; Gu & Eisenstat 1994), as dsyevd. `stop` (may be
 * NULL) is asked between pieces of some 20 ms (above 8,000 columns, of one product of the matrix with a vector). Takes 3 n^2
 * numbers at the most. 0 = success, CK_..., or LAPACK's info. */
int ck_symmetric_eigen(int64_t n, int64_t count, double *matrix, double *values, double *vectors, ck_stop *stop,
                       const void *state);

#endif
