/* Section 8 of covey.h: other clusters on a tree, files and bytes, cuts, soft membership, distances and trees given. */
#include "abi_test.h"

#include <unistd.h>

enum { GROUPS = 5, SIZE = 24, ROWS = GROUPS * SIZE };
static double rows[ROWS][2];

static uint64_t state = 7;
static double uniform(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

static covey_matrix matrix_of_rows(void) {
    covey_matrix matrix = COVEY_MATRIX_INIT;
    for (int row = 0; row < ROWS; row++)
        for (int column = 0; column < 2; column++)
            rows[row][column] = (row / SIZE) * (column ? 3 + row / SIZE : 5) + uniform();
    matrix.data = rows;
    matrix.rows = ROWS;
    matrix.columns = 2;
    matrix.type = COVEY_FLOAT64;
    return matrix;
}

/* Two clusterings that say the same of every row, to a relative error, up to the numbers of clusters. */
static void check_near(const covey_clustering *a, const covey_clustering *b, double most) {
    covey_error *error = NULL;
    int32_t labels[2][ROWS], number[ROWS + 1];
    double numbers[2][3][ROWS];
    const covey_clustering *both[] = {a, b};
    memset(numbers, 0, sizeof numbers);
    for (int which = 0; which < 2; which++) {
        CHECK_OK(covey_clustering_labels(both[which], labels[which], ROWS, &error));
        CHECK_OK(covey_clustering_probabilities(both[which], numbers[which][0], ROWS, &error));
        CHECK_OK(covey_clustering_outlier_scores(both[which], numbers[which][1], ROWS, &error));
        CHECK_OK(covey_clustering_persistence(both[which], numbers[which][2], ROWS, &error));
    }
    CHECK(covey_clustering_clusters(a) == covey_clustering_clusters(b));
    /* Clusters may be numbered in another order: number[label + 1] is the label of `a` of b's cluster. */
    for (int label = 0; label <= ROWS; label++) number[label] = -2;
    number[0] = -1;
    for (int row = 0; row < ROWS; row++) {
        int32_t *known = &number[labels[1][row] + 1];
        if (*known == -2) *known = labels[0][row];
        CHECK(*known == labels[0][row]);
    }
    for (int which = 0; which < 2; which++)
        for (int row = 0; row < ROWS; row++)
            CHECK(fabs(numbers[0][which][row] - numbers[1][which][row]) <= most * numbers[1][which][row]);
    for (int64_t cluster = 0; cluster < covey_clustering_clusters(b); cluster++) {
        double theirs = numbers[1][2][cluster];
        int32_t own = number[cluster + 1];
        CHECK(own >= 0 && fabs(numbers[0][2][own] - theirs) <= most * theirs);
    }
}

/* Given nodes have their own stability, and excess of mass the sum of those below it. */
static void check_same_labels(const covey_clustering *a, const covey_clustering *b) {
    covey_error *error = NULL;
    int32_t labels[2][ROWS];
    CHECK_OK(covey_clustering_labels(a, labels[0], ROWS, &error));
    CHECK_OK(covey_clustering_labels(b, labels[1], ROWS, &error));
    CHECK(memcmp(labels[0], labels[1], sizeof labels[0]) == 0);
}

static void check_same(const covey_clustering *a, const covey_clustering *b) {
    check_same_labels(a, b);
    check_near(a, b, 0);
}

static void check_files(const covey_clustering *clustering, const covey_matrix *matrix) {
    char path[] = "/tmp/covey-selection-XXXXXX";
    covey_error *error = NULL;
    covey_clustering *read = NULL;
    covey_bytes *bytes = NULL, *again = NULL;
    int32_t labels[2][ROWS];
    int file = mkstemp(path);
    CHECK(file >= 0 && close(file) == 0);
    CHECK_OK(covey_clustering_save(clustering, NULL, path, &error));
    CHECK_OK(covey_clustering_load(NULL, path, &read, &error));
    check_same(clustering, read);
    CHECK_OK(covey_clustering_write(read, NULL, &bytes, &error));
    covey_clustering_destroy(read);
    CHECK_OK(covey_clustering_read(NULL, covey_bytes_data(bytes), covey_bytes_size(bytes), &read, &error));
    check_same(clustering, read);
    CHECK_OK(covey_clustering_write(clustering, NULL, &again, &error));
    CHECK(covey_bytes_size(bytes) == covey_bytes_size(again));
    CHECK(memcmp(covey_bytes_data(bytes), covey_bytes_data(again), (size_t)covey_bytes_size(bytes)) == 0);
    CHECK_OK(covey_clustering_predict(clustering, NULL, matrix, labels[0], NULL, &error));
    CHECK_OK(covey_clustering_predict(read, NULL, matrix, labels[1], NULL, &error));
    CHECK(memcmp(labels[0], labels[1], sizeof labels[0]) == 0);
    covey_clustering_destroy(read);
    /* Every changed byte, and every shorter file, is refused. */
    size_t size = (size_t)covey_bytes_size(bytes);
    unsigned char *copy = malloc(size);
    for (size_t place = 0; place < size; place += 1 + size / 300) {
        memcpy(copy, covey_bytes_data(bytes), size);
        copy[place] ^= 0x55;
        covey_clustering *none = (covey_clustering *)1;
        covey_status status = covey_clustering_read(NULL, copy, (int64_t)size, &none, NULL);
        CHECK((status == COVEY_CORRUPT_FILE || status == COVEY_UNSUPPORTED || status == COVEY_OUT_OF_MEMORY) &&
              none == NULL);
        CHECK(covey_clustering_read(NULL, covey_bytes_data(bytes), (int64_t)place, &none, NULL) == COVEY_CORRUPT_FILE);
    }
    free(copy);
    covey_bytes_destroy(bytes);
    covey_bytes_destroy(again);
    covey_bytes_destroy(NULL);
    CHECK(covey_bytes_data(NULL) == NULL && covey_bytes_size(NULL) == 0);
    CHECK(unlink(path) == 0);
}

static void check_selections(const covey_clustering *fitted, const covey_matrix *matrix) {
    covey_error *error = NULL;
    for (int64_t size = 3; size <= 12; size += 3)
        for (int32_t method = 0; method < 2; method++)
            for (int32_t single = 0; single < 2; single++) {
                covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
                covey_clustering *selected = NULL, *expected = NULL;
                options.min_cluster_size = size;
                options.min_samples = 4;
                options.selection = method;
                options.allow_single_cluster = single;
                options.cluster_selection_epsilon = single ? 0.2 : 0;
                options.prediction = 1;
                CHECK_OK(covey_clustering_select(fitted, NULL, &options, NULL, 0, &selected, &error));
                CHECK_OK(covey_cluster_matrix(NULL, matrix, &options, &expected, &error));
                check_same(selected, expected);
                covey_clustering_destroy(expected);
                check_files(selected, matrix);
                covey_clustering_destroy(selected);
            }
    for (int64_t clusters = 2; clusters <= GROUPS; clusters++) {
        covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT, found = COVEY_CLUSTER_OPTIONS_INIT;
        covey_clustering *selected = NULL, *same = NULL;
        options.clusters = clusters;
        CHECK_OK(covey_clustering_select(fitted, NULL, &options, NULL, 0, &selected, &error));
        CHECK(covey_clustering_clusters(selected) == clusters);
        CHECK_OK(covey_clustering_options(selected, &found, &error));
        CHECK(found.cluster_selection_epsilon > 0 && found.min_samples == 4 && found.prediction == 1);
        /* The epsilon that gave so many gives them again. */
        CHECK_OK(covey_clustering_select(fitted, NULL, &found, NULL, 0, &same, &error));
        check_same(selected, same);
        covey_clustering_destroy(same);
        int64_t nodes[GROUPS];
        CHECK_OK(covey_clustering_selected_nodes(selected, nodes, GROUPS, &error));
        CHECK_OK(covey_clustering_select(fitted, NULL, NULL, nodes, clusters, &same, &error));
        check_same_labels(selected, same);
        covey_clustering_destroy(same);
        covey_clustering_destroy(selected);
    }
}

/* At every size the leaves are there that the trace counts: a leaf for each that lasts, until none is left. */
static void check_sizes(const covey_clustering *fitted) {
    covey_error *error = NULL;
    int64_t count = covey_clustering_size_count(fitted), sizes[ROWS];
    double persistence[ROWS];
    CHECK(count > 0 && count < ROWS && covey_clustering_size_count(NULL) == 0);
    CHECK_OK(covey_clustering_sizes(fitted, sizes, persistence, ROWS, &error));
    CHECK(covey_clustering_sizes(fitted, sizes, NULL, count - 1, NULL) == COVEY_BUFFER_TOO_SMALL);
    for (int64_t index = 0; index < count; index++) {
        covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
        covey_clustering *selected = NULL;
        options.min_cluster_size = sizes[index];
        options.selection = COVEY_SELECTION_LEAF;
        CHECK(index == 0 || sizes[index] > sizes[index - 1]);
        CHECK_OK(covey_clustering_select(fitted, NULL, &options, NULL, 0, &selected, &error));
        CHECK((covey_clustering_clusters(selected) > 0) == (persistence[index] > 0));
        CHECK(persistence[index] >= (double)covey_clustering_clusters(selected));
        covey_clustering_destroy(selected);
    }
    CHECK(persistence[count - 1] == 0);
}

static void check_membership(const covey_clustering *fitted, const covey_matrix *matrix) {
    enum { BEST = 2 };
    static double all[ROWS * GROUPS], best[ROWS * BEST], new_rows[ROWS * GROUPS];
    static int32_t clusters[ROWS * BEST];
    covey_error *error = NULL;
    int32_t labels[ROWS];
    CHECK(covey_clustering_clusters(fitted) == GROUPS);
    CHECK_OK(covey_clustering_labels(fitted, labels, ROWS, &error));
    CHECK_OK(covey_clustering_membership(fitted, NULL, NULL, 0, NULL, all, ROWS * GROUPS, &error));
    CHECK_OK(covey_clustering_membership(fitted, NULL, NULL, BEST, clusters, best, ROWS * BEST, &error));
    CHECK_OK(covey_clustering_membership(fitted, NULL, matrix, 0, NULL, new_rows, ROWS * GROUPS, &error));
    for (int row = 0; row < ROWS; row++) {
        double sum = 0, largest = 0;
        for (int cluster = 0; cluster < GROUPS; cluster++) {
            double number = all[row * GROUPS + cluster];
            CHECK(number >= 0 && number <= 1 && new_rows[row * GROUPS + cluster] >= 0);
            sum += number;
            if (number > largest) largest = number;
        }
        CHECK(sum <= 1 + 1e-12);
        CHECK(best[row * BEST] == largest && best[row * BEST] >= best[row * BEST + 1]);
        CHECK(all[row * GROUPS + clusters[row * BEST]] == largest);
        if (labels[row] >= 0) CHECK(clusters[row * BEST] == labels[row]);
    }
}

/* With one neighbour there are no ties: among ties the order is that of the rows' numbers, which distances do not
   have. */
static void check_given_distances(const covey_matrix *points) {
    static double distances[ROWS][ROWS];
    static covey_edge edges[ROWS];
    covey_error *error = NULL;
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    covey_matrix matrix = COVEY_MATRIX_INIT;
    covey_clustering *fitted = NULL, *other = NULL;
    int32_t cut[2][ROWS];
    for (int a = 0; a < ROWS; a++)
        for (int b = 0; b < ROWS; b++) {
            double x = rows[a][0] - rows[b][0], y = rows[a][1] - rows[b][1];
            distances[a][b] = sqrt(x * x + y * y);
        }
    matrix.data = distances;
    matrix.rows = ROWS;
    matrix.columns = ROWS;
    matrix.type = COVEY_FLOAT64;
    options.min_samples = 1;
    CHECK_OK(covey_cluster_matrix(NULL, points, &options, &fitted, &error));
    CHECK_OK(covey_cluster_distances(NULL, &matrix, &options, &other, &error));
    check_near(other, fitted, 1e-9);
    CHECK_OK(covey_clustering_cut(fitted, NULL, 0.5, 3, cut[0], ROWS, &error));
    CHECK_OK(covey_clustering_cut(other, NULL, 0.5, 3, cut[1], ROWS, &error));
    CHECK(memcmp(cut[0], cut[1], sizeof cut[0]) == 0);
    covey_clustering_destroy(other);
    CHECK_OK(covey_clustering_spanning_tree(fitted, edges, ROWS, &error));
    for (int edge = 0; edge < ROWS / 2; edge++) { /* In any order. */
        covey_edge swapped = edges[edge];
        edges[edge] = edges[ROWS - 2 - edge];
        edges[ROWS - 2 - edge] = swapped;
    }
    CHECK_OK(covey_cluster_spanning_tree(NULL, ROWS, edges, &options, &other, &error));
    check_near(fitted, other, 1e-12);
    covey_clustering_destroy(other);
    covey_clustering_destroy(fitted);
}

int main(void) {
    covey_error *error = NULL;
    covey_matrix matrix = matrix_of_rows();
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    covey_clustering *fitted = NULL;
    double index, of_clusters[GROUPS], kept[ROWS][2];
    int32_t labels[ROWS];
    options.min_samples = 4;
    options.prediction = 1;
    CHECK_OK(covey_cluster_matrix(NULL, &matrix, &options, &fitted, &error));
    check_selections(fitted, &matrix);
    check_membership(fitted, &matrix);
    check_sizes(fitted);
    check_given_distances(&matrix);
    CHECK(covey_clustering_columns(fitted) == 2 && covey_clustering_columns(NULL) == 0);
    CHECK_OK(covey_clustering_fitted_rows(fitted, kept[0], ROWS * 2, &error));
    CHECK(memcmp(kept, rows, sizeof rows) == 0);
    CHECK_OK(covey_clustering_labels(fitted, labels, ROWS, &error));
    CHECK_OK(covey_validity(NULL, &matrix, labels, COVEY_METRIC_EUCLIDEAN, 0, &index, of_clusters, GROUPS, &error));
    CHECK(index > 0.5 && index <= 1);
    covey_clustering_destroy(fitted);
    return finish();
}
