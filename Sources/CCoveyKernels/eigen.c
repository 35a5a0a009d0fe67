#include "kernels.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

/* The steps of LAPACK's dsyevr and dsyevd: reduction to tridiagonal form, its eigenvectors, and the transformation
 * back. Each step is divided into pieces of a few milliseconds, between which the call can be cancelled. The LAPACK
 * routines are declared as OpenBLAS exports them, with Fortran's calling convention: the lengths of strings are the
 * last arguments. Matrices are stored by columns. Of the symmetric matrix only the lower triangle is used. */
void dlarfg_(const int *n, double *alpha, double *x, const int *step, double *tau);
void dsytd2_(const char *triangle, const int *n, double *a, const int *lda, double *diagonal, double *beside,
             double *tau, int *info, size_t);
void dstemr_(const char *job, const char *range, const int *n, double *diagonal, double *beside, const double *lowest,
             const double *highest, const int *first, const int *last, int *found, double *values, double *vectors,
             const int *ldz, const int *columns, int *support, int *relative, double *work, const int *lwork,
             int *iwork, const int *liwork, int *info, size_t, size_t);
void dsteqr_(const char *job, const int *n, double *diagonal, double *beside, double *vectors, const int *ldz,
             double *work, int *info, size_t);
void dlaed2_(int *k, const int *n, const int *cut, double *values, double *q, const int *ldq, int *order, double *rho,
             double *z, double *poles, double *w, double *packed, int *index, int *groups, int *places, int *types,
             int *info);
void dlaed4_(const int *k, const int *root, const double *poles, const double *z, double *distances, const double *rho,
             double *value, int *info);
void dlamrg_(const int *n, const int *m, const double *values, const int *step, const int *other, int *order);
void dlarft_(const char *direction, const char *stored, const int *n, const int *k, const double *v, const int *ldv,
             const double *tau, double *t, const int *ldt, size_t, size_t);
void dlarfb_(const char *side, const char *transposed, const char *direction, const char *stored, const int *m,
             const int *n, const int *k, const double *v, const int *ldv, const double *t, const int *ldt, double *c,
             const int *ldc, double *work, const int *ldw, size_t, size_t, size_t, size_t);

enum { PANEL = 32 };

typedef struct {
    int n;
    double *matrix, *diagonal, *beside, *tau, *work;
    int lwork;
    ck_stop *stop;
    const void *state;
} Decomposition;

/* Returns how many equal pieces of work, of `each` multiplications, may run without a stop: about 20 ms. */
static int pieces(double each, int most) {
    double count = 4e8 / each;
    return count < 1 ? 1 : count < most ? (int)count : most;
}

static int stopped(const Decomposition *s) { return s->stop != NULL && s->stop(s->state); }

/* Like dlatrd: reduces the first columns of the rest of the matrix (`m` rows) to tridiagonal form. The other columns
 * must then change by - V W^T - W V^T; V is stored in the reduced columns. Each column needs a product with the whole
 * rest, which is limited by the memory bandwidth. */
static int reduce_panel(const Decomposition *s, int start, int width) {
    int n = s->n, m = n - start, one = 1;
    double *a = s->matrix + start + (size_t)start * n;
    for (int i = 0; i < width; i++) {
        int under = m - i - 1;
        double *column = a + i + (size_t)i * n, *v = column + 1, *w = s->work + (size_t)i * m,
               *tau = s->tau + start + i;
        const double *others = a + i + 1, *products = s->work + i + 1;
        if (stopped(s)) return CK_STOPPED;
        cblas_dgemv(CblasColMajor, CblasNoTrans, under + 1, i, -1, a + i, n, s->work + i, m, 1, column, 1);
        cblas_dgemv(CblasColMajor, CblasNoTrans, under + 1, i, -1, s->work + i, m, a + i, n, 1, column, 1);
        dlarfg_(&under, v, under > 1 ? v + 1 : v, &one, tau);
        s->diagonal[start + i] = column[0];
        s->beside[start + i] = v[0];
        v[0] = 1;
        cblas_dsymv(CblasColMajor, CblasLower, under, 1, v + n, n, v, 1, 0, w + i + 1, 1);
        cblas_dgemv(CblasColMajor, CblasTrans, under, i, 1, products, m, v, 1, 0, w, 1);
        cblas_dgemv(CblasColMajor, CblasNoTrans, under, i, -1, others, n, w, 1, 1, w + i + 1, 1);
        cblas_dgemv(CblasColMajor, CblasTrans, under, i, 1, others, n, v, 1, 0, w, 1);
        cblas_dgemv(CblasColMajor, CblasNoTrans, under, i, -1, products, m, w, 1, 1, w + i + 1, 1);
        cblas_dscal(under, *tau, w + i + 1, 1);
        cblas_daxpy(under, -0.5 * *tau * cblas_ddot(under, w + i + 1, 1, v, 1), v, 1, w + i + 1, 1);
    }
    return 0;
}

/* Like dsytrd: reduces a panel of columns, then updates the rest of the matrix in strips of columns. */
static int reduce(const Decomposition *s) {
    int n = s->n, start = 0, info = 0;
    for (; n - start > 2 * PANEL; start += PANEL) {
        int m = n - start, below = m - PANEL, strip = pieces(2.0 * below * PANEL, below);
        double *a = s->matrix + start + (size_t)start * n;
        int status = reduce_panel(s, start, PANEL);
        if (status != 0) return status;
        for (int at = 0; at < below; at += strip) {
            int columns = below - at < strip ? below - at : strip, under = below - at - columns;
            double *target = a + PANEL + at + (size_t)(PANEL + at) * n;
            const double *v = a + PANEL + at, *w = s->work + PANEL + at;
            if (stopped(s)) return CK_STOPPED;
            cblas_dsyr2k(CblasColMajor, CblasLower, CblasNoTrans, columns, PANEL, -1, v, n, w, m, 1, target, n);
            cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, under, columns, PANEL, -1, v + columns, n, w, m, 1,
                        target + columns, n);
            cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, under, columns, PANEL, -1, w + columns, m, v, n, 1,
                        target + columns, n);
        }
        for (int i = 0; i < PANEL; i++) a[i + 1 + (size_t)i * n] = s->beside[start + i];
    }
    int rest = n - start;
    dsytd2_("L", &rest, s->matrix + start + (size_t)start * n, &n, s->diagonal + start, s->beside + start,
            s->tau + start, &info, 1);
    return info;
}

/* Computes the `count` largest eigenpairs of the tridiagonal matrix by LAPACK's dstemr. `copy` has space for 3 n
 * numbers. */
static int solve(const Decomposition *s, double *copy, int count, double *values, double *vectors, int *support) {
    int n = s->n, first = n - count + 1, found = 0, relative = 1, info = 0, liwork = 10 * n;
    double unused = 0;
    memcpy(copy, s->diagonal, (size_t)n * sizeof *copy);
    memcpy(copy + n, s->beside, (size_t)(n - 1) * sizeof *copy);
    int *iwork = malloc((size_t)liwork * sizeof *iwork);
    if (iwork == NULL) return CK_NO_MEMORY;
    dstemr_("V", "I", &n, copy, copy + n, &unused, &unused, &first, &n, &found, copy + 2 * n, vectors, &n, &count,
            support, &relative, s->work, &s->lwork, iwork, &liwork, &info, 1, 1);
    free(iwork);
    memcpy(values, copy + 2 * n, (size_t)count * sizeof *values);
    return info != 0 ? info : found == count ? 0 : 1;
}

/* Merges the eigenpairs of two parts of the tridiagonal matrix, like LAPACK's dlaed1 and dlaed3. The parts have `n`
 * rows together, and the first part has `cut`. `rho` is the matrix entry between the parts. dlaed2 deflates equal
 * eigenvalues. Each other eigenvalue is a root of the secular equation. The eigenvectors follow Gu & Eisenstat (1994),
 * so that they are orthogonal without extra precision. */
static int join(const Decomposition *s, int n, int cut, double rho, double *values, double *q, int ldq, int *order,
                double *work, int *iwork) {
    double *z = work, *poles = z + n, *w = poles + n, *packed = w + n;
    int *index = iwork, *groups = index + n, *places = groups + n, *types = places + n, k = 0, info = 0, up = 1,
        down = -1;
    cblas_dcopy(cut, q + cut - 1, ldq, z, 1);
    cblas_dcopy(n - cut, q + cut + (size_t)cut * ldq, ldq, z + cut, 1);
    dlaed2_(&k, &n, &cut, values, q, &ldq, order, &rho, z, poles, w, packed, index, groups, places, types, &info);
    if (info != 0) return info;
    if (k == 0) {
        for (int i = 0; i < n; i++) order[i] = i + 1;
        return 0;
    }
    int upper = types[0] + types[1], lower = types[1] + types[2], rest = n - cut, kept = n - k;
    double *own = packed + (size_t)upper * (size_t)cut + (size_t)lower * (size_t)rest;
    for (int j = 1; j <= k; j++) {
        if (stopped(s)) return CK_STOPPED;
        dlaed4_(&k, &j, poles, w, q + (size_t)(j - 1) * ldq, &rho, values + j - 1, &info);
        if (info != 0) return info;
    }
    if (k == 2) {
        for (int j = 0; j < 2; j++) {
            double pair[2] = {q[(size_t)j * ldq], q[1 + (size_t)j * ldq]};
            for (int i = 0; i < 2; i++) q[i + (size_t)j * ldq] = pair[groups[i] - 1];
        }
    } else if (k > 2) {
        cblas_dcopy(k, w, 1, own, 1);
        cblas_dcopy(k, q, ldq + 1, w, 1);
        for (int j = 0; j < k; j++) {
            const double *column = q + (size_t)j * ldq;
            if (stopped(s)) return CK_STOPPED;
            for (int i = 0; i < j; i++) w[i] *= column[i] / (poles[i] - poles[j]);
            for (int i = j + 1; i < k; i++) w[i] *= column[i] / (poles[i] - poles[j]);
        }
        for (int i = 0; i < k; i++) w[i] = copysign(sqrt(-w[i]), own[i]);
        for (int j = 0; j < k; j++) {
            double *column = q + (size_t)j * ldq;
            if (stopped(s)) return CK_STOPPED;
            for (int i = 0; i < k; i++) own[i] = w[i] / column[i];
            double length = cblas_dnrm2(k, own, 1);
            for (int i = 0; i < k; i++) column[i] = own[groups[i] - 1] / length;
        }
    }
    /* Back to the eigenvectors of the parts, which dlaed2 has packed by their non-zero rows. The coefficients of a
     * strip are copied first, because the product overwrites them. */
    int widest = upper * (double)cut > lower * (double)rest ? upper : lower;
    int strip = pieces((double)n * (widest > 0 ? widest : 1), k);
    for (int at = 0; at < k; at += strip) {
        int columns = k - at < strip ? k - at : strip;
        double *target = q + (size_t)at * ldq, *second = own + (size_t)upper * columns;
        if (stopped(s)) return CK_STOPPED;
        for (int j = 0; j < columns; j++) {
            memcpy(own + (size_t)j * upper, target + (size_t)j * ldq, (size_t)upper * sizeof *own);
            memcpy(second + (size_t)j * lower, target + types[0] + (size_t)j * ldq, (size_t)lower * sizeof *own);
            memset(target + (size_t)j * ldq, 0, (size_t)n * sizeof *own);
        }
        if (upper > 0)
            cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, cut, columns, upper, 1, packed, cut, own, upper, 0,
                        target, ldq);
        if (lower > 0)
            cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, rest, columns, lower, 1,
                        packed + (size_t)cut * upper, rest, second, lower, 0, target + cut, ldq);
    }
    dlamrg_(&k, &kept, values, &up, &down, order);
    return 0;
}

/* Computes all eigenpairs of a part of the tridiagonal matrix by divide and conquer (Cuppen 1981). `q` must be zero.
 * `order` (from 1) sorts the eigenvalues in ascending order. */
static int divide(const Decomposition *s, int start, int n, double *values, double *q, int *order, double *work,
                  int *iwork) {
    int ldq = s->n, info = 0;
    double *own = values + start, *block = q + start + (size_t)start * ldq;
    if (n <= PANEL) {
        for (int column = 0; column < n; column++) order[start + column] = column + 1;
        memcpy(work, s->beside + start, (size_t)(n - 1) * sizeof *work);
        dsteqr_("I", &n, own, work, block, &ldq, work + n, &info, 1);
        return info;
    }
    int cut = n / 2, left = start + cut - 1;
    double rho = s->beside[left];
    values[left] -= fabs(rho);
    values[left + 1] -= fabs(rho);
    int status = divide(s, start, cut, values, q, order, work, iwork);
    if (status == 0) status = divide(s, start + cut, n - cut, values, q, order, work, iwork);
    return status != 0 ? status : join(s, n, cut, rho, own, block, ldq, order + start, work, iwork);
}

/* Computes all eigenpairs and keeps the `count` largest. `order` has space for 5 n numbers (the last 4 n are the
 * `iwork` of `divide`), `q` for n^2, and `work` for 2 n^2 + 5 n. */
static int solve_all(const Decomposition *s, int count, double *values, double *vectors, double *q, double *work,
                     int *order) {
    size_t n = (size_t)s->n;
    double unit = 0, *own = work + 2 * n * n + 4 * n;
    for (size_t i = 0; i < n; i++) unit = fmax(unit, fmax(fabs(s->diagonal[i]), i + 1 < n ? fabs(s->beside[i]) : 0));
    if (unit == 0) unit = 1;
    for (size_t i = 0; i < n; i++) own[i] = s->diagonal[i] / unit;
    for (size_t i = 0; i + 1 < n; i++) s->beside[i] /= unit;
    /* dlaed2 uses all of this memory at once. It is cleared here in parts, so that the time to get it from the system
     * can be stopped. */
    for (size_t i = 0; i < 3 * n; i++) {
        if (i % 32 == 0 && stopped(s)) return CK_STOPPED;
        memset(i < n ? q + i * n : work + (i - n) * n, 0, n * sizeof *q);
    }
    int status = divide(s, 0, s->n, own, q, order, work, order + n);
    for (int place = 0; status == 0 && place < count; place++) {
        size_t column = (size_t)order[s->n - count + place] - 1;
        if (place % 32 == 0 && stopped(s)) return CK_STOPPED;
        values[place] = own[column] * unit;
        memcpy(vectors + (size_t)place * n, q + column * n, n * sizeof *q);
    }
    return status;
}

/* Transforms the eigenvectors to the coordinates of the matrix. The reflections are applied in blocks, the last block
 * first. */
static int turn(const Decomposition *s, int count, double *vectors) {
    int n = s->n, size = PANEL;
    double block[PANEL * PANEL];
    for (int end = n - 1; end > 0; end -= PANEL) {
        int start = end > PANEL ? end - PANEL : 0, width = end - start, rows = n - 1 - start;
        int strip = pieces(4.0 * rows * width, count);
        const double *v = s->matrix + start + 1 + (size_t)start * n;
        dlarft_("F", "C", &rows, &width, v, &n, s->tau + start, block, &size, 1, 1);
        for (int at = 0; at < count; at += strip) {
            int columns = count - at < strip ? count - at : strip;
            if (stopped(s)) return CK_STOPPED;
            dlarfb_("L", "N", "F", "C", &rows, &columns, &width, v, &n, block, &size,
                    vectors + start + 1 + (size_t)at * n, &n, s->work, &columns, 1, 1, 1, 1);
        }
    }
    return 0;
}

int ck_symmetric_eigen(int64_t n, int64_t count, double *matrix, double *values, double *vectors, ck_stop *stop,
                       const void *state) {
    if (n < 1 || n > INT_MAX / 128 || count < 1 || count > n) return CK_BAD_ORDER;
    int order = (int)n, wanted = (int)count;
    if (n == 1) {
        values[0] = matrix[0];
        vectors[0] = 1;
        return 0;
    }
    /* The products of a panel, and the work space of dstemr and of dlarfb, which use it one after the other. */
    size_t lwork = (size_t)n * PANEL;
    double *room = malloc(((size_t)n * 6 + lwork) * sizeof *room);
    int *support = malloc(2 * (size_t)count * sizeof *support);
    int status = CK_NO_MEMORY;
    if (room != NULL && support != NULL) {
        Decomposition s = {.n = order,
                           .matrix = matrix,
                           .diagonal = room,
                           .beside = room + n,
                           .tau = room + 2 * n,
                           .work = room + 6 * n,
                           .lwork = (int)lwork,
                           .stop = stop,
                           .state = state};
        status = reduce(&s);
        if (status == 0) {
            /* dstemr, if few eigenpairs are wanted: it cannot be stopped. Otherwise, or if it fails, divide and
             * conquer. */
            status =
                pieces(1000.0 * order, wanted) < wanted ? 1 : solve(&s, room + 3 * n, wanted, values, vectors, support);
            if (status > 0) {
                size_t square = (size_t)n * (size_t)n;
                double *more = malloc((3 * square + 5 * (size_t)n) * sizeof *more);
                int *places = malloc(5 * (size_t)n * sizeof *places);
                status = more != NULL && places != NULL
                             ? solve_all(&s, wanted, values, vectors, more, more + square, places)
                             : CK_NO_MEMORY;
                free(more);
                free(places);
            }
        }
        if (status == 0) status = turn(&s, wanted, vectors);
    }
    free(room);
    free(support);
    return status;
}
