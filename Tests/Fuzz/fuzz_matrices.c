/* Matrices with any shapes, strides and numbers, and any clustering options. The target clusters, reads all results,
 * and predicts new rows. */
#include "fuzz_matrix.h"

/* Exported only for Covey's tests. Search methods for tens of thousands of rows then begin at a few dozen rows. */
void covey_test_small_searches(int32_t small);

enum { MOST_ROWS = 160, MOST_COLUMNS = 40 };

static covey_cluster_options take_options(fuzz_input *input) {
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    int64_t *counts[] = {&options.min_cluster_size, &options.min_samples, &options.max_cluster_size};
    int32_t *enums[] = {&options.metric, &options.selection, &options.allow_single_cluster,
                        &options.search, &options.missing,   &options.prediction};
    uint8_t flags = take_byte(input);
    options.min_cluster_size = 2 + flags % 16;
    options.metric = flags / 16 % 3;
    options.missing = flags >> 7;
    flags = take_byte(input);
    options.prediction = flags & 1;
    options.selection = flags >> 1 & 1;
    options.allow_single_cluster = flags >> 2 & 1;
    options.search = flags >> 3 & 1;
    options.min_samples = flags >> 4;
    for (int changes = take_byte(input) % 4; changes; changes--) {
        uint8_t which = take_byte(input) % 12;
        if (which < 3) *counts[which] = take_count(input, MOST_ROWS);
        else if (which < 9) *enums[which - 3] = (int32_t)take_count(input, 2);
        else if (which == 9) options.cluster_selection_epsilon = take_double(input);
        else if (which == 10) options.alpha = take_double(input);
        else options.seed = (uint64_t)take_int64(input);
    }
    return options;
}

static void check_trees(const covey_clustering *clustering, int64_t rows, int64_t clusters) {
    covey_error *error = NULL;
    int64_t edges = covey_clustering_edge_count(clustering), condensed = covey_clustering_condensed_count(clustering);
    FUZZ_REQUIRE(edges >= 0 && edges <= (rows ? rows - 1 : 0));
    covey_edge *tree = fuzz_alloc((size_t)edges * sizeof *tree);
    covey_merge *merges = fuzz_alloc((size_t)edges * sizeof *merges);
    covey_condensed_edge *rest = fuzz_alloc((size_t)condensed * sizeof *rest);
    FUZZ_OK(covey_clustering_spanning_tree(clustering, tree, edges, &error));
    FUZZ_OK(covey_clustering_single_linkage_tree(clustering, merges, edges, &error));
    FUZZ_OK(covey_clustering_condensed_tree(clustering, rest, condensed, &error));
    for (int64_t i = 0; i < edges; i++) {
        FUZZ_REQUIRE(tree[i].from >= 0 && tree[i].from < rows && tree[i].to >= 0 && tree[i].to < rows &&
                     tree[i].distance >= 0);
        FUZZ_REQUIRE(i == 0 || tree[i].distance >= tree[i - 1].distance);
        FUZZ_REQUIRE(merges[i].size >= 2 && merges[i].size <= rows);
    }
    for (int64_t i = 0; i < condensed; i++)
        FUZZ_REQUIRE(rest[i].parent >= rows && rest[i].size >= 1 && rest[i].size <= rows);
    int64_t *nodes = fuzz_alloc((size_t)clusters * sizeof *nodes);
    FUZZ_OK(covey_clustering_selected_nodes(clustering, nodes, clusters, &error));
    for (int64_t cluster = 0; cluster < clusters; cluster++) {
        int64_t count = covey_clustering_exemplar_count(clustering, cluster);
        FUZZ_REQUIRE(count >= 1 && count <= rows);
        int64_t *exemplars = fuzz_alloc((size_t)count * sizeof *exemplars);
        FUZZ_OK(covey_clustering_exemplars(clustering, cluster, exemplars, count, &error));
        for (int64_t i = 0; i < count; i++) FUZZ_REQUIRE(exemplars[i] >= 0 && exemplars[i] < rows);
    }
}

static void check_risk(const int32_t *labels, int64_t rows) {
    covey_error *error = NULL;
    covey_risk *risk = NULL;
    int8_t *fraud = fuzz_alloc((size_t)rows);
    for (int64_t row = 0; row < rows; row++) fraud[row] = (int8_t)(row % 3 - 1);
    FUZZ_OK(covey_cluster_risk(fuzz_context(1), labels, fraud, NULL, NULL, rows, NULL, &risk, &error));
    for (int64_t rank = 0; rank < covey_risk_count(risk); rank++) {
        covey_cluster_report report = COVEY_CLUSTER_REPORT_INIT;
        FUZZ_OK(covey_risk_get(risk, rank, &report, &error));
        FUZZ_REQUIRE(report.size >= 1 && report.share_low >= 0 && report.share_high <= 1);
    }
    covey_risk_destroy(risk);
}

static void check(const covey_clustering *clustering) {
    covey_error *error = NULL;
    int64_t rows = covey_clustering_rows(clustering), clusters = covey_clustering_clusters(clustering);
    FUZZ_REQUIRE(rows >= 0 && rows <= 512 && clusters >= 0 && clusters <= rows);
    int32_t *labels = fuzz_alloc((size_t)rows * 4);
    double *numbers = fuzz_alloc((size_t)rows * 8);
    FUZZ_OK(covey_clustering_labels(clustering, labels, rows, &error));
    for (int64_t row = 0; row < rows; row++) FUZZ_REQUIRE(labels[row] >= -1 && labels[row] < clusters);
    FUZZ_OK(covey_clustering_probabilities(clustering, numbers, rows, &error));
    for (int64_t row = 0; row < rows; row++)
        FUZZ_REQUIRE(numbers[row] >= 0 && numbers[row] <= 1 && (labels[row] >= 0 || numbers[row] == 0));
    FUZZ_OK(covey_clustering_outlier_scores(clustering, numbers, rows, &error));
    for (int64_t row = 0; row < rows; row++) FUZZ_REQUIRE(numbers[row] >= 0 && numbers[row] <= 1);
    FUZZ_OK(covey_clustering_persistence(clustering, numbers, clusters, &error));
    for (int64_t cluster = 0; cluster < clusters; cluster++) FUZZ_REQUIRE(numbers[cluster] >= 0);
    FUZZ_REQUIRE(covey_clustering_recall(clustering) >= 0 && covey_clustering_recall(clustering) <= 1);
    check_trees(clustering, rows, clusters);
    if (rows) check_risk(labels, rows);
}

static void predict(fuzz_input *input, const covey_clustering *clustering) {
    covey_error *error = NULL;
    covey_matrix matrix = take_matrix(input, 12, MOST_COLUMNS);
    int64_t rows = matrix.rows < 0 || matrix.rows > 512 ? 0 : matrix.rows;
    int32_t *labels = fuzz_alloc((size_t)rows * 4);
    double *strengths = fuzz_alloc((size_t)rows * 8);
    if (!fuzz_ok(covey_clustering_predict(clustering, fuzz_context(1), fuzz_struct(&matrix, sizeof matrix, 0), labels,
                                          strengths, &error),
                 &error))
        return;
    for (int64_t row = 0; row < rows; row++)
        FUZZ_REQUIRE(labels[row] >= -1 && labels[row] < covey_clustering_clusters(clustering) && strengths[row] >= 0 &&
                     strengths[row] <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = {data, size};
    covey_error *error = NULL;
    covey_clustering *clustering = NULL;
    fuzz_begin();
    int threads = fuzz_threads(size);
    covey_test_small_searches(size % 4 != 0);
    covey_cluster_options options = take_options(&input);
    covey_matrix matrix = take_matrix(&input, MOST_ROWS, MOST_COLUMNS);
    if (fuzz_ok(covey_cluster_matrix(fuzz_context(threads), fuzz_struct(&matrix, sizeof matrix, 0), &options,
                                     &clustering, &error),
                &error)) {
        check(clustering);
        predict(&input, clustering);
    } else {
        FUZZ_REQUIRE(!clustering);
    }
    covey_clustering_destroy(clustering);
    return fuzz_end();
}
