/* Rows that the tables of bad inputs to clustering share. */
#ifndef BAD_CLUSTERING_H
#define BAD_CLUSTERING_H

#include "abi_test.h"

#define BAD COVEY_INVALID_ARGUMENT
#define SMALL COVEY_BUFFER_TOO_SMALL

/* Three groups of six points. */
static const double points[36] = {0,   0,   .1,  0, 0, .1,  .1, .1, .2,  0, 0, .2, 5,   5,  5.1, 5, 5, 5.1,
                                  5.1, 5.1, 5.2, 5, 5, 5.2, 9,  0,  9.1, 0, 9, .1, 9.1, .1, 9.2, 0, 9, .2};
static const double with_nan[6] = {0, 0, 1, NAN, 2, 2};
static const double with_infinity[6] = {0, 0, 1, 1, -INFINITY, 2};
static const float with_nan32[4] = {0, 0, 0, NAN};
static const double equal[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

static const int64_t negative_weights[18] = {1, 1, 1, -1}, many_weights[18] = {1, 2, 1 << 30};
static const int64_t lowest_weights[18] = {INT64_MIN}, highest_weights[18] = {INT64_MAX, INT64_MAX},
                     no_weights[18] = {0};

static inline covey_matrix matrix_of(const void *data, int64_t rows, int32_t type) {
    covey_matrix matrix = COVEY_MATRIX_INIT;
    matrix.data = data;
    matrix.rows = rows;
    matrix.columns = 2;
    matrix.type = type;
    return matrix;
}

/* Clusters; a call that fails must leave no handle behind. */
static inline covey_status cluster_with(const covey_context *context, const covey_matrix *matrix,
                                        const covey_cluster_options *options, covey_error **error) {
    covey_clustering *clustering = (covey_clustering *)1;
    covey_status status = covey_cluster_matrix(context, matrix, options, &clustering, error);
    if ((status == COVEY_OK) != (clustering != NULL)) return COVEY_INTERNAL;
    covey_clustering_destroy(clustering);
    return status;
}

#endif
