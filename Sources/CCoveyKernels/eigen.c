#include "kernels.h"

#include <limits.h>
#include <stdlib.h>

/* LAPACK, as OpenBLAS exports it: Fortran's calling convention, with the lengths of the strings at the end. */
void dsyevr_(const char *job, const char *range, const char *triangle, const int *n, double *a, const int *lda,
             const double *lowest, const double *highest, const int *first, const int *last, const double *tolerance,
             int *found, double *values, double *vectors, const int *ldz, int *support, double *work, const int *lwork,
             int *iwork, const int *liwork, int *info, size_t job_length, size_t range_length, size_t triangle_length);

int ck_symmetric_eigen(int64_t n, int64_t count, double *matrix, double *values, double *vectors) {
    if (n < 1 || n > INT_MAX / 64 || count < 1 || count > n) return -1;
    int order = (int)n, first = (int)(n - count + 1), last = (int)n, found = 0, info = 0;
    int query = -1, iwork_size = 0;
    double unused = 0, tolerance = 0, work_size = 0;
    int *support = malloc(2 * (size_t)count * sizeof *support);
    if (support == NULL) return -2;
    dsyevr_("V", "I", "U", &order, matrix, &order, &unused, &unused, &first, &last, &tolerance, &found, values, vectors,
            &order, support, &work_size, &query, &iwork_size, &query, &info, 1, 1, 1);
    if (info == 0) {
        int lwork = (int)work_size, liwork = iwork_size;
        double *work = malloc((size_t)lwork * sizeof *work);
        int *iwork = malloc((size_t)liwork * sizeof *iwork);
        if (work != NULL && iwork != NULL)
            dsyevr_("V", "I", "U", &order, matrix, &order, &unused, &unused, &first, &last, &tolerance, &found, values,
                    vectors, &order, support, work, &lwork, iwork, &liwork, &info, 1, 1, 1);
        else
            info = -2;
        free(work);
        free(iwork);
    }
    free(support);
    if (info == 0 && found != count) info = 1;
    return info;
}
