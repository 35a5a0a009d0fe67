/* A clustering's file: whatever it holds it is refused, or it loads, selects, places and comes back whole from bytes of
   its own. */
#include "fuzz_sample.h"
#if !defined FUZZ_REPLAY || defined FUZZ_MUTATORS
#include "tensors_mutator.h"
#endif

static void check_results(const covey_clustering *clustering) {
    covey_error *error = NULL;
    int64_t rows = covey_clustering_rows(clustering), clusters = covey_clustering_clusters(clustering);
    int32_t *labels = fuzz_alloc((size_t)rows * sizeof *labels);
    double *numbers = fuzz_alloc((size_t)(rows > clusters ? rows : clusters) * sizeof *numbers);
    FUZZ_OK(covey_clustering_labels(clustering, labels, rows, &error));
    for (int64_t row = 0; row < rows; row++) FUZZ_REQUIRE(labels[row] >= -1 && labels[row] < clusters);
    FUZZ_OK(covey_clustering_probabilities(clustering, numbers, rows, &error));
    for (int64_t row = 0; row < rows; row++) FUZZ_REQUIRE(numbers[row] >= 0 && numbers[row] <= 1);
    FUZZ_OK(covey_clustering_outlier_scores(clustering, numbers, rows, &error));
    for (int64_t row = 0; row < rows; row++) FUZZ_REQUIRE(numbers[row] >= 0 && numbers[row] <= 1);
    FUZZ_OK(covey_clustering_persistence(clustering, numbers, clusters, &error));
    for (int64_t cluster = 0; cluster < clusters; cluster++)
        FUZZ_REQUIRE(numbers[cluster] >= 0 && numbers[cluster] < INFINITY);
    FUZZ_OK(covey_clustering_cut(clustering, NULL, 1, 2, labels, rows, &error));
    for (int64_t row = 0; row < rows; row++) FUZZ_REQUIRE(labels[row] >= -1 && labels[row] < rows);
}

/* The kept rows placed again, and how much each belongs to the clusters. */
static void check_rows(const covey_clustering *clustering, int threads) {
    covey_error *error = NULL;
    int64_t rows = covey_clustering_rows(clustering), columns = covey_clustering_columns(clustering);
    if (rows > 512 || columns > 64) return;
    double *kept = fuzz_alloc((size_t)(rows * columns) * sizeof *kept);
    if (!fuzz_ok(covey_clustering_fitted_rows(clustering, kept, rows * columns, &error), &error)) return;
    int32_t *labels = fuzz_alloc((size_t)rows * sizeof *labels);
    double *numbers = fuzz_alloc((size_t)rows * 2 * sizeof *numbers);
    covey_matrix matrix = COVEY_MATRIX_INIT;
    matrix.data = kept;
    matrix.rows = rows;
    matrix.columns = columns;
    matrix.type = COVEY_FLOAT64;
    if (fuzz_ok(covey_clustering_place(clustering, fuzz_context(threads), &matrix, labels, numbers, numbers + rows,
                                       NULL, &error),
                &error))
        for (int64_t row = 0; row < 2 * rows; row++) FUZZ_REQUIRE(numbers[row] >= 0 && numbers[row] <= 1);
    int32_t *best = fuzz_alloc((size_t)rows * 2 * sizeof *best);
    if (fuzz_ok(
            covey_clustering_membership(clustering, fuzz_context(threads), NULL, 2, best, numbers, rows * 2, &error),
            &error))
        for (int64_t place = 0; place < rows * 2; place++)
            FUZZ_REQUIRE(numbers[place] >= 0 && numbers[place] <= 1 + 1e-9);
}

static void check_selections(const covey_clustering *clustering, size_t size, int threads) {
    covey_error *error = NULL;
    covey_clustering *selected = NULL;
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    options.min_cluster_size = 2 + (int64_t)(size % 5);
    options.selection = (int32_t)(size / 5 % 2);
    options.allow_single_cluster = (int32_t)(size / 10 % 2);
    options.clusters = (int64_t)(size / 20 % 3);
    options.strengths = (int32_t)(size / 60 % 2);
    options.cluster_selection_persistence = size % 7 ? 0 : 0.5;
    options.cluster_selection_epsilon = size % 11 ? 0 : 0.25;
    if (fuzz_ok(covey_clustering_select(clustering, fuzz_context(threads), &options, NULL, 0, &selected, &error),
                &error))
        check_results(selected);
    covey_clustering_destroy(selected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    covey_error *error = NULL;
    covey_clustering *clustering = NULL, *again = NULL;
    covey_bytes *first = NULL, *second = NULL;
    int threads = fuzz_threads(size);
    fuzz_begin();
    if (fuzz_ok(covey_clustering_read(fuzz_context(threads), data, (int64_t)size, &clustering, &error), &error)) {
        check_results(clustering);
        check_rows(clustering, threads);
        check_selections(clustering, size, threads);
        FUZZ_OK(covey_clustering_write(clustering, NULL, &first, &error));
        FUZZ_OK(
            covey_clustering_read(fuzz_context(1), covey_bytes_data(first), covey_bytes_size(first), &again, &error));
        FUZZ_OK(covey_clustering_write(again, NULL, &second, &error));
        FUZZ_REQUIRE(covey_bytes_size(first) == covey_bytes_size(second));
        FUZZ_REQUIRE(memcmp(covey_bytes_data(first), covey_bytes_data(second), (size_t)covey_bytes_size(first)) == 0);
    } else {
        FUZZ_REQUIRE(!clustering);
    }
    covey_clustering_destroy(clustering);
    covey_clustering_destroy(again);
    covey_bytes_destroy(first);
    covey_bytes_destroy(second);
    return fuzz_end();
}
