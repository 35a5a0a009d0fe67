/* The SIMD loops. The instruction set is chosen at run time. They are not part of the public interface: their names
 * begin with ck_, never with covey_. */
#ifndef CK_KERNELS_H
#define CK_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "distances.h"
#include "groups.h"
#include "leaves.h"
#include "pairs.h"
#include "lists.h"

/* The number of processors that this process may run on. (Swift cannot call sched_getaffinity.) */
int ck_available_processors(void);

/* Row-major C (m x n, leading dimension ldc) = alpha A (m x k, lda) times the transpose of B (n x k, ldb) + beta C, on
 * the calling thread. Several threads may call it at once: see blas_memory.c. */
void ck_sgemm_nt(int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                 float beta, float *c, int64_t ldc);

/* The same in float64, with A stored as k x m and B as k x n: C = alpha times the transpose of A, times B, + beta C. */
void ck_dgemm_tn(int64_t m, int64_t n, int64_t k, double alpha, const double *a, int64_t lda, const double *b,
                 int64_t ldb, double beta, double *c, int64_t ldc);

/* The same as ck_sgemm_nt, in float64. */
void ck_dgemm_nt(int64_t m, int64_t n, int64_t k, double alpha, const double *a, int64_t lda, const double *b,
                 int64_t ldb, double beta, double *c, int64_t ldc);

/* Called between pieces of work. If the result is not 0, the work stops. */
typedef int ck_stop(const void *state);

#define CK_STOPPED (-1001)
#define CK_NO_MEMORY (-1002)
#define CK_BAD_ORDER (-1003)

/* Computes the `count` largest eigenvalues of a covariance matrix (n x n, positive semidefinite; it is overwritten), in
 * ascending order, and their eigenvectors as rows (count x n). The method is Householder reflections and relatively
 * robust representations (Dhillon, Parlett, Voemel 2006), as in LAPACK's dsyevr. If that would take too long without a
 * stop, it is divide and conquer (Cuppen 1981; Gu & Eisenstat 1994), as in dsyevd.
 *
 * `stop` (may be NULL) is called between pieces of about 20 ms; above 8,000 columns a piece is one product of the
 * matrix and a vector. Needs memory for at most about 3 n^2 numbers. Returns 0, a CK_ code, or LAPACK's info. */
int ck_symmetric_eigen(int64_t n, int64_t count, double *matrix, double *values, double *vectors, ck_stop *stop,
                       const void *state);

#endif
