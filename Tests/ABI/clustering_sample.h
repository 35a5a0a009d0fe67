/* Rows of test_clustering.c, and the weight that their spanning tree must have. */
#ifndef CLUSTERING_SAMPLE_H
#define CLUSTERING_SAMPLE_H

#include "abi_test.h"

enum { GROUPS = 4, SIZE = 30, ROWS = GROUPS * SIZE + 10, COLUMNS = 3 };
static double rows[ROWS][COLUMNS];
static float rows32[ROWS][COLUMNS + 2];

static uint64_t state = 42;
static double uniform(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

/* Four groups around the corners of a square, and ten rows far from all of them. */
static void make_rows(void) {
    for (int row = 0; row < ROWS; row++)
        for (int column = 0; column < COLUMNS; column++) {
            int group = row / SIZE;
            double centre = group < GROUPS ? 10.0 * (group >> (column % 2) & 1) : 0;
            double spread = group < GROUPS ? 1 : 300;
            rows[row][column] = (float)(centre + spread * (uniform() - 0.5));
            rows32[row][column] = (float)rows[row][column];
        }
}

static covey_matrix matrix64(void) {
    covey_matrix matrix = COVEY_MATRIX_INIT;
    matrix.data = rows;
    matrix.rows = ROWS;
    matrix.columns = COLUMNS;
    matrix.type = COVEY_FLOAT64;
    return matrix;
}

static covey_clustering *cluster(const covey_context *context, const covey_matrix *matrix,
                                 const covey_cluster_options *options) {
    covey_error *error = NULL;
    covey_clustering *clustering = NULL;
    CHECK_OK(covey_cluster_matrix(context, matrix, options, &clustering, &error));
    return clustering;
}

static double distance(int a, int b) {
    double sum = 0;
    for (int column = 0; column < COLUMNS; column++) {
        double difference = rows[a][column] - rows[b][column];
        sum += difference * difference;
    }
    return sqrt(sum);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The weight of a minimum spanning tree of mutual reachability, by Prim. */
static double spanning_weight(int samples) {
    static double core[ROWS], nearest[ROWS], sorted[ROWS];
    char inside[ROWS] = {0};
    double weight = 0;
    for (int row = 0; row < ROWS; row++) {
        for (int other = 0; other < ROWS; other++) sorted[other] = distance(row, other);
        qsort(sorted, ROWS, sizeof *sorted, ascending);
        core[row] = sorted[samples];
        nearest[row] = INFINITY;
    }
    for (int step = 0, row = 0; step < ROWS - 1; step++) {
        int next = -1;
        inside[row] = 1;
        for (int other = 0; other < ROWS; other++) {
            if (inside[other]) continue;
            double reach = fmax(distance(row, other), fmax(core[row], core[other]));
            nearest[other] = fmin(nearest[other], reach);
            if (next < 0 || nearest[other] < nearest[next]) next = other;
        }
        weight += nearest[next];
        row = next;
    }
    return weight;
}

#endif
