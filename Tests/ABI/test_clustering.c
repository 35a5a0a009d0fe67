/* Section 8 of covey.h: clustering. */
#include "clustering_sample.h"

#include <pthread.h>
#include <sys/mman.h>

static void check_labels(const covey_clustering *clustering) {
    covey_error *error = NULL;
    int32_t labels[ROWS];
    double probabilities[ROWS], scores[ROWS], persistence[GROUPS];
    CHECK(covey_clustering_rows(clustering) == ROWS);
    CHECK(covey_clustering_clusters(clustering) == GROUPS);
    CHECK(covey_clustering_recall(clustering) == 1);
    CHECK_OK(covey_clustering_labels(clustering, labels, ROWS, &error));
    CHECK_OK(covey_clustering_probabilities(clustering, probabilities, ROWS, &error));
    CHECK_OK(covey_clustering_outlier_scores(clustering, scores, ROWS, &error));
    CHECK_OK(covey_clustering_persistence(clustering, persistence, GROUPS, &error));
    for (int group = 0; group < GROUPS; group++) {
        CHECK(persistence[group] > 0 && persistence[group] <= 1);
        for (int other = 0; other < group; other++) CHECK(labels[group * SIZE] != labels[other * SIZE]);
        for (int row = group * SIZE; row < (group + 1) * SIZE; row++) CHECK(labels[row] == labels[group * SIZE]);
    }
    for (int row = 0; row < ROWS; row++) {
        CHECK((labels[row] >= 0) == (row < GROUPS * SIZE));
        CHECK(labels[row] >= 0 ? probabilities[row] > 0 && probabilities[row] <= 1 : probabilities[row] == 0);
        CHECK(scores[row] >= 0 && scores[row] <= 1);
        if (row >= GROUPS * SIZE) CHECK(scores[row] > 0.9);
    }
}

static void check_trees(const covey_clustering *clustering, int samples) {
    covey_error *error = NULL;
    int64_t count = covey_clustering_edge_count(clustering);
    int64_t condensed_count = covey_clustering_condensed_count(clustering);
    covey_edge edges[ROWS];
    covey_merge merges[ROWS];
    covey_condensed_edge *condensed = calloc((size_t)condensed_count, sizeof *condensed);
    int64_t nodes[GROUPS];
    int leaves[ROWS] = {0};
    double weight = 0;
    CHECK(count == ROWS - 1);
    CHECK_OK(covey_clustering_spanning_tree(clustering, edges, count, &error));
    CHECK_OK(covey_clustering_single_linkage_tree(clustering, merges, count, &error));
    CHECK_OK(covey_clustering_condensed_tree(clustering, condensed, condensed_count, &error));
    CHECK_OK(covey_clustering_selected_nodes(clustering, nodes, GROUPS, &error));
    for (int64_t edge = 0; edge < count; edge++) {
        CHECK(edges[edge].from >= 0 && edges[edge].from < edges[edge].to && edges[edge].to < ROWS);
        CHECK(edge == 0 || edges[edge].distance >= edges[edge - 1].distance);
        CHECK(merges[edge].distance == edges[edge].distance);
        CHECK(merges[edge].left >= 0 && merges[edge].left < ROWS + edge);
        CHECK(merges[edge].right >= 0 && merges[edge].right < ROWS + edge);
        weight += edges[edge].distance;
    }
    CHECK(fabs(weight - spanning_weight(samples)) < 1e-9 * weight);
    CHECK(merges[count - 1].size == ROWS);
    for (int64_t edge = 0; edge < condensed_count; edge++) {
        CHECK(condensed[edge].parent >= ROWS && condensed[edge].lambda > 0);
        CHECK((condensed[edge].size == 1) == (condensed[edge].child < ROWS));
        if (condensed[edge].size == 1) leaves[condensed[edge].child]++;
    }
    for (int row = 0; row < ROWS; row++) CHECK(leaves[row] == 1);
    for (int cluster = 0; cluster < GROUPS; cluster++) {
        int found = 0;
        for (int64_t edge = 0; edge < condensed_count; edge++)
            if (condensed[edge].child == nodes[cluster]) found += condensed[edge].size == SIZE;
        CHECK(found == 1);
        CHECK(cluster == 0 || nodes[cluster] > nodes[cluster - 1]);
    }
    free(condensed);
}

static void check_exemplars(const covey_clustering *clustering) {
    covey_error *error = NULL;
    int32_t labels[ROWS];
    int64_t exemplars[ROWS];
    CHECK_OK(covey_clustering_labels(clustering, labels, ROWS, &error));
    CHECK(covey_clustering_exemplar_count(clustering, -1) == 0);
    CHECK(covey_clustering_exemplar_count(clustering, GROUPS) == 0);
    for (int cluster = 0; cluster < GROUPS; cluster++) {
        int64_t count = covey_clustering_exemplar_count(clustering, cluster);
        CHECK(count > 0 && count <= SIZE);
        CHECK_OK(covey_clustering_exemplars(clustering, cluster, exemplars, count, &error));
        for (int64_t index = 0; index < count; index++) {
            CHECK(labels[exemplars[index]] == cluster);
            CHECK(index == 0 || exemplars[index] > exemplars[index - 1]);
        }
    }
}

typedef struct prediction {
    const covey_clustering *clustering;
    int32_t labels[ROWS];
    double probabilities[ROWS];
    covey_status status;
} prediction;

static void *predict(void *argument) {
    prediction *own = argument;
    covey_matrix matrix = matrix64();
    own->status = covey_clustering_predict(own->clustering, NULL, &matrix, own->labels, own->probabilities, NULL);
    return NULL;
}

/* The clustered rows fall where they were, from any number of threads. */
static void check_prediction(const covey_clustering *clustering) {
    enum { THREADS = 4 };
    static prediction predictions[THREADS];
    pthread_t threads[THREADS];
    int32_t labels[ROWS];
    CHECK(covey_clustering_labels(clustering, labels, ROWS, NULL) == COVEY_OK);
    for (int thread = 0; thread < THREADS; thread++) {
        predictions[thread].clustering = clustering;
        CHECK(pthread_create(&threads[thread], NULL, predict, &predictions[thread]) == 0);
    }
    for (int thread = 0; thread < THREADS; thread++) {
        pthread_join(threads[thread], NULL);
        CHECK(predictions[thread].status == COVEY_OK);
        CHECK(memcmp(predictions[thread].labels, labels, sizeof labels) == 0);
        CHECK(memcmp(predictions[thread].probabilities, predictions[0].probabilities, ROWS * sizeof(double)) == 0);
    }
    /* Strengths are not wanted. */
    covey_matrix matrix = matrix64();
    CHECK(covey_clustering_predict(clustering, NULL, &matrix, labels, NULL, NULL) == COVEY_OK);
}

/* float32 rows with a stride give what the same numbers in float64 give, with any number of threads. */
static void check_same_bytes(const covey_clustering *expected) {
    covey_error *error = NULL;
    int32_t labels[ROWS], other_labels[ROWS];
    double scores[ROWS], other_scores[ROWS];
    covey_edge edges[ROWS], other_edges[ROWS];
    CHECK_OK(covey_clustering_labels(expected, labels, ROWS, &error));
    CHECK_OK(covey_clustering_outlier_scores(expected, scores, ROWS, &error));
    CHECK_OK(covey_clustering_spanning_tree(expected, edges, ROWS, &error));
    for (int32_t threads = 1; threads <= 3; threads++) {
        covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
        covey_context *context = NULL;
        covey_matrix matrix = matrix64();
        options.threads = threads;
        if (threads > 1) {
            matrix.data = rows32;
            matrix.type = COVEY_FLOAT32;
            matrix.row_stride = sizeof rows32[0];
        }
        CHECK_OK(covey_context_create(&options, &context, &error));
        covey_clustering *clustering = cluster(context, &matrix, NULL);
        CHECK_OK(covey_clustering_labels(clustering, other_labels, ROWS, &error));
        CHECK_OK(covey_clustering_outlier_scores(clustering, other_scores, ROWS, &error));
        CHECK_OK(covey_clustering_spanning_tree(clustering, other_edges, ROWS, &error));
        CHECK(memcmp(labels, other_labels, sizeof labels) == 0);
        CHECK(memcmp(scores, other_scores, sizeof scores) == 0);
        CHECK(memcmp(edges, other_edges, (ROWS - 1) * sizeof *edges) == 0);
        covey_clustering_destroy(clustering);
        covey_context_destroy(context);
    }
}

/* Rows further apart than 2^31 bytes, in memory that is only reserved: offsets are 64 bits wide all the way. */
static void check_far_rows(const covey_clustering *expected) {
    const size_t stride = ((size_t)1 << 31) + 24, length = ROWS * stride;
    covey_error *error = NULL;
    covey_matrix matrix = matrix64();
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    int32_t labels[ROWS], other_labels[ROWS];
    covey_edge edges[ROWS], other_edges[ROWS];
    char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return; /* As under valgrind, or where the system promises no more than it has. */
    for (int row = 0; row < ROWS; row++) memcpy(memory + (size_t)row * stride, rows[row], sizeof rows[row]);
    matrix.data = memory;
    matrix.row_stride = (int64_t)stride;
    options.prediction = 1;
    covey_clustering *clustering = cluster(NULL, &matrix, &options);
    CHECK_OK(covey_clustering_labels(expected, labels, ROWS, &error));
    CHECK_OK(covey_clustering_labels(clustering, other_labels, ROWS, &error));
    CHECK(memcmp(labels, other_labels, sizeof labels) == 0);
    CHECK_OK(covey_clustering_spanning_tree(expected, edges, ROWS, &error));
    CHECK_OK(covey_clustering_spanning_tree(clustering, other_edges, ROWS, &error));
    CHECK(memcmp(edges, other_edges, (ROWS - 1) * sizeof *edges) == 0);
    CHECK_OK(covey_clustering_predict(clustering, NULL, &matrix, other_labels, NULL, &error));
    CHECK(memcmp(labels, other_labels, sizeof labels) == 0);
    covey_clustering_destroy(clustering);
    munmap(memory, length);
}

/* A row of weight w is w equal rows. */
static void check_weights(void) {
    enum { MOST = 3 * ROWS };
    static double repeated[MOST][COLUMNS];
    static int64_t weights[ROWS], source[MOST];
    covey_error *error = NULL;
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    covey_matrix matrix = matrix64(), longer = matrix64();
    int32_t labels[ROWS], all_labels[MOST];
    double strengths[ROWS], all_strengths[MOST];
    int64_t count = 0, sizes = 0;
    for (int row = 0; row < ROWS; row++) {
        weights[row] = row % 4;
        for (int64_t copy = 0; copy < weights[row]; copy++, count++) {
            memcpy(repeated[count], rows[row], sizeof rows[row]);
            source[count] = row;
        }
    }
    longer.data = repeated;
    longer.rows = count;
    covey_clustering *expected = cluster(NULL, &longer, &options);
    options.weights = weights;
    covey_clustering *clustering = cluster(NULL, &matrix, &options);
    CHECK(covey_clustering_rows(clustering) == ROWS);
    CHECK(covey_clustering_clusters(clustering) == covey_clustering_clusters(expected));
    CHECK_OK(covey_clustering_labels(clustering, labels, ROWS, &error));
    CHECK_OK(covey_clustering_labels(expected, all_labels, count, &error));
    CHECK_OK(covey_clustering_probabilities(clustering, strengths, ROWS, &error));
    CHECK_OK(covey_clustering_probabilities(expected, all_strengths, count, &error));
    for (int64_t row = 0; row < count; row++) {
        CHECK(all_labels[row] == labels[source[row]]);
        CHECK(fabs(all_strengths[row] - strengths[source[row]]) < 1e-12);
    }
    static covey_condensed_edge edges[4 * ROWS];
    CHECK_OK(covey_clustering_condensed_tree(clustering, edges, 4 * ROWS, &error));
    for (int64_t edge = 0; edge < covey_clustering_condensed_count(clustering); edge++) {
        if (edges[edge].child >= ROWS) continue;
        CHECK(edges[edge].size == weights[edges[edge].child]);
        sizes += edges[edge].size;
    }
    CHECK(sizes == count);
    for (int row = 0; row < ROWS; row += 4) CHECK(labels[row] == -1);
    CHECK_OK(covey_clustering_options(clustering, &options, &error));
    CHECK(options.weights == NULL);
    covey_clustering_destroy(clustering);
    covey_clustering_destroy(expected);
}

/* Rows with a NaN or an infinity are noise; the others are clustered as if alone. */
static void check_missing_rows(const covey_clustering *expected) {
    enum { ALL = ROWS + 2 };
    static double with_missing[ALL][COLUMNS];
    covey_error *error = NULL;
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    covey_matrix matrix = matrix64();
    int32_t labels[ROWS], all_labels[ALL];
    double scores[ALL], probabilities[ALL];
    covey_edge edges[ALL];
    memcpy(with_missing[1], rows, sizeof rows);
    for (int column = 0; column < COLUMNS; column++) with_missing[0][column] = column;
    with_missing[0][1] = NAN;
    with_missing[ALL - 1][0] = INFINITY;
    matrix.data = with_missing;
    matrix.rows = ALL;
    options.missing = COVEY_MISSING_ROWS_NOISE;
    options.prediction = 1;
    covey_clustering *clustering = cluster(NULL, &matrix, &options);
    CHECK(covey_clustering_rows(clustering) == ALL);
    CHECK(covey_clustering_edge_count(clustering) == ROWS - 1);
    CHECK(covey_clustering_condensed_count(clustering) == covey_clustering_condensed_count(expected) + 2);
    CHECK_OK(covey_clustering_labels(expected, labels, ROWS, &error));
    CHECK_OK(covey_clustering_labels(clustering, all_labels, ALL, &error));
    CHECK_OK(covey_clustering_outlier_scores(clustering, scores, ALL, &error));
    CHECK_OK(covey_clustering_probabilities(clustering, probabilities, ALL, &error));
    CHECK(memcmp(labels, all_labels + 1, sizeof labels) == 0);
    CHECK(all_labels[0] == -1 && all_labels[ALL - 1] == -1);
    CHECK(scores[0] == 1 && scores[ALL - 1] == 1 && scores[1] < 1);
    CHECK(probabilities[0] == 0 && probabilities[ALL - 1] == 0);
    CHECK_OK(covey_clustering_spanning_tree(clustering, edges, ALL, &error));
    for (int edge = 0; edge < ROWS - 1; edge++) CHECK(edges[edge].from > 0 && edges[edge].to < ALL - 1);
    for (int cluster = 0; cluster < GROUPS; cluster++) {
        int64_t rows_of[ALL], count = covey_clustering_exemplar_count(clustering, cluster);
        CHECK_OK(covey_clustering_exemplars(clustering, cluster, rows_of, ALL, &error));
        for (int64_t index = 0; index < count; index++) CHECK(all_labels[rows_of[index]] == cluster);
    }
    CHECK_OK(covey_clustering_predict(clustering, NULL, &matrix, all_labels, probabilities, &error));
    CHECK(memcmp(labels, all_labels + 1, sizeof labels) == 0 && all_labels[0] == -1);
    covey_clustering_destroy(clustering);
}

/* Nothing, one row, two rows, rows that are all equal, fewer rows than a cluster has. */
static void check_small(void) {
    static const double same[12][2] = {{0}};
    for (int64_t count = 0; count <= 12; count++)
        for (int32_t single = 0; single < 2; single++) {
            covey_error *error = NULL;
            covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
            covey_matrix matrix = COVEY_MATRIX_INIT;
            int32_t labels[12];
            double scores[12], probabilities[12];
            int expected = single && count >= 5 ? 0 : -1;
            matrix.data = same;
            matrix.rows = count;
            matrix.columns = 2;
            matrix.type = COVEY_FLOAT64;
            options.allow_single_cluster = single;
            options.prediction = 1;
            covey_clustering *clustering = cluster(NULL, &matrix, &options);
            CHECK(covey_clustering_rows(clustering) == count);
            CHECK(covey_clustering_clusters(clustering) == expected + 1);
            CHECK(covey_clustering_edge_count(clustering) == (count > 0 ? count - 1 : 0));
            CHECK_OK(covey_clustering_labels(clustering, labels, 12, &error));
            CHECK_OK(covey_clustering_outlier_scores(clustering, scores, 12, &error));
            for (int row = 0; row < count; row++) CHECK(labels[row] == expected && scores[row] == 0);
            CHECK_OK(covey_clustering_predict(clustering, NULL, &matrix, labels, probabilities, &error));
            covey_clustering_destroy(clustering);
        }
}

int main(void) {
    covey_matrix matrix = matrix64();
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    make_rows();
    options.prediction = 1;
    covey_clustering *clustering = cluster(NULL, &matrix, &options);
    check_labels(clustering);
    check_trees(clustering, 5);
    check_exemplars(clustering);
    check_prediction(clustering);
    check_same_bytes(clustering);
    check_far_rows(clustering);
    check_weights();
    check_missing_rows(clustering);
    covey_clustering_destroy(clustering);
    check_small();
    CHECK(covey_clustering_rows(NULL) == 0 && covey_clustering_clusters(NULL) == 0);
    CHECK(covey_clustering_edge_count(NULL) == 0 && covey_clustering_condensed_count(NULL) == 0);
    CHECK(covey_clustering_exemplar_count(NULL, 0) == 0);
    covey_clustering_destroy(NULL);
    return finish();
}
