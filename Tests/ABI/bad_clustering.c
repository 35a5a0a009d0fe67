#include "abi_test.h"

#include <limits.h>

/* Three groups of six points. */
static const double points[36] = {0, 0, .1, 0, 0, .1, .1, .1, .2, 0, 0, .2, 5, 5, 5.1, 5, 5, 5.1,
                                  5.1, 5.1, 5.2, 5, 5, 5.2, 9, 0, 9.1, 0, 9, .1, 9.1, .1, 9.2, 0, 9, .2};
static const double with_nan[6] = {0, 0, 1, NAN, 2, 2};
static const double with_infinity[6] = {0, 0, 1, 1, -INFINITY, 2};
static const float with_nan32[4] = {0, 0, 0, NAN};
static const double equal[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

static covey_matrix matrix_of(const void *data, int64_t rows, int32_t type) {
    covey_matrix matrix = COVEY_MATRIX_INIT;
    matrix.data = data;
    matrix.rows = rows;
    matrix.columns = 2;
    matrix.type = type;
    return matrix;
}

/* Clusters; a call that fails must leave no handle behind. */
static covey_status cluster_with(const covey_context *context, const covey_matrix *matrix,
                                 const covey_cluster_options *options, covey_error **error) {
    covey_clustering *clustering = (covey_clustering *)1;
    covey_status status = covey_cluster_matrix(context, matrix, options, &clustering, error);
    if ((status == COVEY_OK) != (clustering != NULL)) return COVEY_INTERNAL;
    covey_clustering_destroy(clustering);
    return status;
}

static covey_status cluster(const void *data, int64_t rows, int32_t type, covey_error **error) {
    covey_matrix matrix = matrix_of(data, rows, type);
    return cluster_with(NULL, &matrix, NULL, error);
}

/* ---------------------------------------------------------------------------------------------------------- options */
#define OPTION_CASE(name, rows, change)                              \
    static covey_status name(covey_error **error) {                  \
        covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;  \
        covey_matrix matrix = matrix_of(points, rows, COVEY_FLOAT64); \
        change;                                                      \
        return cluster_with(NULL, &matrix, &options, error);         \
    }

OPTION_CASE(good, 18, (void)0)
OPTION_CASE(size_zero, 18, options.struct_size = 0)
OPTION_CASE(size_small, 18, options.struct_size = sizeof options - 8)
OPTION_CASE(size_huge, 18, options.struct_size = (size_t)-1)
OPTION_CASE(size_one, 18, options.min_cluster_size = 1)
OPTION_CASE(size_negative, 18, options.min_cluster_size = -1)
OPTION_CASE(size_minimum, 18, options.min_cluster_size = INT64_MIN)
OPTION_CASE(size_above_rows, 18, options.min_cluster_size = 19)
OPTION_CASE(size_maximum, 18, options.min_cluster_size = INT64_MAX)
OPTION_CASE(samples_negative, 18, options.min_samples = -1)
OPTION_CASE(samples_rows, 18, options.min_samples = 18)
OPTION_CASE(samples_most, 18, options.min_samples = 17)
OPTION_CASE(samples_maximum, 18, options.min_samples = INT64_MAX)
OPTION_CASE(samples_of_one_row, 1, options.min_samples = 3)
OPTION_CASE(samples_of_no_rows, 0, options.min_samples = INT64_MAX)
OPTION_CASE(largest_negative, 18, options.max_cluster_size = -1)
OPTION_CASE(largest_maximum, 18, options.max_cluster_size = INT64_MAX)
OPTION_CASE(epsilon_negative, 18, options.cluster_selection_epsilon = -0.5)
OPTION_CASE(epsilon_nan, 18, options.cluster_selection_epsilon = NAN)
OPTION_CASE(epsilon_infinite, 18, options.cluster_selection_epsilon = INFINITY)
OPTION_CASE(alpha_zero, 18, options.alpha = 0)
OPTION_CASE(alpha_negative, 18, options.alpha = -1)
OPTION_CASE(alpha_nan, 18, options.alpha = NAN)
OPTION_CASE(alpha_infinite, 18, options.alpha = INFINITY)
OPTION_CASE(alpha_overflows, 18, options.alpha = 5e-324)
OPTION_CASE(alpha_overflows_cosine, 18, (options.alpha = 5e-324, options.metric = COVEY_METRIC_COSINE))
OPTION_CASE(metric_unknown, 18, options.metric = 3)
OPTION_CASE(metric_negative, 18, options.metric = INT_MIN)
OPTION_CASE(selection_unknown, 18, options.selection = 2)
OPTION_CASE(single_unknown, 18, options.allow_single_cluster = 2)
OPTION_CASE(search_unknown, 18, options.search = -1)
OPTION_CASE(search_metric, 18, (options.search = COVEY_SEARCH_APPROXIMATE, options.metric = COVEY_METRIC_COSINE))
OPTION_CASE(missing_unknown, 18, options.missing = 2)
OPTION_CASE(prediction_unknown, 18, options.prediction = -1)

/* A later version's struct, whose new field this version does not know. */
typedef struct later_options {
    covey_cluster_options options;
    double added;
} later_options;

static covey_status later(double added, covey_error **error) {
    later_options later = {COVEY_CLUSTER_OPTIONS_INIT, 0};
    covey_matrix matrix = matrix_of(points, 18, COVEY_FLOAT64);
    later.options.struct_size = sizeof later;
    later.added = added;
    return cluster_with(NULL, &matrix, &later.options, error);
}

static covey_status later_field(covey_error **error) { return later(0.5, error); }
static covey_status later_zero(covey_error **error) { return later(0, error); }

/* ----------------------------------------------------------------------------------------------------------- matrix */
static covey_status no_matrix(covey_error **error) { return cluster_with(NULL, NULL, NULL, error); }
static covey_status no_data(covey_error **error) { return cluster(NULL, 3, COVEY_FLOAT64, error); }
static covey_status no_rows(covey_error **error) { return cluster(NULL, 0, COVEY_FLOAT64, error); }
static covey_status one_row(covey_error **error) { return cluster(points, 1, COVEY_FLOAT64, error); }
static covey_status two_rows(covey_error **error) { return cluster(points, 2, COVEY_FLOAT64, error); }
static covey_status equal_rows(covey_error **error) { return cluster(equal, 8, COVEY_FLOAT64, error); }
static covey_status negative_rows(covey_error **error) { return cluster(points, -1, COVEY_FLOAT64, error); }
static covey_status overflowing_rows(covey_error **error) { return cluster(points, INT64_MAX, COVEY_FLOAT64, error); }
static covey_status too_many_rows(covey_error **error) {
    return cluster(points, (1 << 30) + 1, COVEY_FLOAT64, error);
}
static covey_status nan_number(covey_error **error) { return cluster(with_nan, 3, COVEY_FLOAT64, error); }
static covey_status nan_float(covey_error **error) { return cluster(with_nan32, 2, COVEY_FLOAT32, error); }
static covey_status infinite(covey_error **error) { return cluster(with_infinity, 3, COVEY_FLOAT64, error); }

static covey_status no_output(covey_error **error) {
    covey_matrix matrix = matrix_of(points, 18, COVEY_FLOAT64);
    return covey_cluster_matrix(NULL, &matrix, NULL, NULL, error);
}

/* Too few rows are left for min_samples. */
static covey_status samples_of_finite_rows(covey_error **error) {
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    covey_matrix matrix = matrix_of(with_nan, 3, COVEY_FLOAT64);
    options.missing = COVEY_MISSING_ROWS_NOISE;
    options.min_samples = 2;
    return cluster_with(NULL, &matrix, &options, error);
}

static covey_status small_budget(covey_error **error) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    covey_context *context = NULL;
    covey_matrix matrix = matrix_of(points, 18, COVEY_FLOAT64);
    options.memory_budget = 100;
    if (covey_context_create(&options, &context, NULL) != COVEY_OK) return COVEY_INTERNAL;
    covey_status status = cluster_with(context, &matrix, NULL, error);
    covey_context_destroy(context);
    return status;
}

static int32_t stop(void *user_data, const char *stage, double fraction) {
    (void)user_data, (void)stage, (void)fraction;
    return 1;
}

static covey_status stopped(covey_error **error) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    covey_context *context = NULL;
    covey_matrix matrix = matrix_of(points, 18, COVEY_FLOAT64);
    options.progress = stop;
    if (covey_context_create(&options, &context, NULL) != COVEY_OK) return COVEY_INTERNAL;
    covey_status status = cluster_with(context, &matrix, NULL, error);
    covey_context_destroy(context);
    return status;
}

/* ----------------------------------------------------------------------------------------------------------- results */
static covey_clustering *three_groups(int32_t prediction) {
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    covey_matrix matrix = matrix_of(points, 18, COVEY_FLOAT64);
    covey_clustering *clustering = NULL;
    options.prediction = prediction;
    covey_cluster_matrix(NULL, &matrix, &options, &clustering, NULL);
    return clustering;
}

static int32_t labels[18];
static double numbers[18];
static int64_t integers[18];
static covey_edge edges[18];
static covey_merge merges[18];
static covey_condensed_edge condensed[64];

/* A call on a good clustering, which must be as good afterwards. */
#define RESULT_CASE(name, prediction, call)                                                                  \
    static covey_status name(covey_error **error) {                                                          \
        covey_clustering *clustering = three_groups(prediction);                                             \
        covey_status status = call;                                                                          \
        if (covey_clustering_labels(clustering, labels, 18, NULL) != COVEY_OK) status = COVEY_INTERNAL;      \
        covey_clustering_destroy(clustering);                                                                \
        return status;                                                                                       \
    }

static covey_status no_clustering_labels(covey_error **error) {
    return covey_clustering_labels(NULL, labels, 18, error);
}
static covey_status no_clustering_tree(covey_error **error) {
    return covey_clustering_condensed_tree(NULL, condensed, 64, error);
}
static covey_status no_clustering_exemplars(covey_error **error) {
    return covey_clustering_exemplars(NULL, 0, integers, 18, error);
}
RESULT_CASE(labels_null, 0, covey_clustering_labels(clustering, NULL, 18, error))
RESULT_CASE(labels_small, 0, covey_clustering_labels(clustering, labels, 17, error))
RESULT_CASE(labels_negative, 0, covey_clustering_labels(clustering, labels, -1, error))
RESULT_CASE(probabilities_small, 0, covey_clustering_probabilities(clustering, numbers, 0, error))
RESULT_CASE(scores_null, 0, covey_clustering_outlier_scores(clustering, NULL, 18, error))
RESULT_CASE(persistence_small, 0, covey_clustering_persistence(clustering, numbers, 2, error))
RESULT_CASE(spanning_small, 0, covey_clustering_spanning_tree(clustering, edges, 16, error))
RESULT_CASE(linkage_null, 0, covey_clustering_single_linkage_tree(clustering, NULL, 17, error))
RESULT_CASE(linkage_small, 0, covey_clustering_single_linkage_tree(clustering, merges, 16, error))
RESULT_CASE(condensed_small, 0, covey_clustering_condensed_tree(clustering, condensed, 17, error))
RESULT_CASE(nodes_small, 0, covey_clustering_selected_nodes(clustering, integers, 1, error))
RESULT_CASE(exemplars_negative, 0, covey_clustering_exemplars(clustering, -1, integers, 18, error))
RESULT_CASE(exemplars_outside, 0, covey_clustering_exemplars(clustering, 3, integers, 18, error))
RESULT_CASE(exemplars_small, 0, covey_clustering_exemplars(clustering, 0, integers, 0, error))

/* -------------------------------------------------------------------------------------------------------- prediction */
static covey_status predict(const covey_clustering *clustering, const void *data, int64_t rows, int64_t columns,
                            int32_t *output, covey_error **error) {
    covey_matrix matrix = matrix_of(data, rows, COVEY_FLOAT64);
    matrix.columns = columns;
    return covey_clustering_predict(clustering, NULL, &matrix, output, numbers, error);
}

static covey_status no_clustering_predict(covey_error **error) { return predict(NULL, points, 2, 2, labels, error); }
RESULT_CASE(predict_good, 1, predict(clustering, points, 2, 2, labels, error))
RESULT_CASE(predict_no_rows, 1, predict(clustering, NULL, 0, 2, NULL, error))
RESULT_CASE(predict_no_data, 0, predict(clustering, points, 2, 2, labels, error))
RESULT_CASE(predict_null, 1, predict(clustering, points, 2, 2, NULL, error))
RESULT_CASE(predict_columns, 1, predict(clustering, points, 2, 3, labels, error))
RESULT_CASE(predict_nan, 1, predict(clustering, with_nan, 3, 2, labels, error))
RESULT_CASE(predict_matrix, 1, covey_clustering_predict(clustering, NULL, NULL, labels, numbers, error))

#define BAD COVEY_INVALID_ARGUMENT
#define SMALL COVEY_BUFFER_TOO_SMALL

const abi_case clustering_cases[] = {
    {"clustering: good", COVEY_OK, "", good},
    {"clustering: struct_size 0", BAD, "options.struct_size must be", size_zero},
    {"clustering: struct_size too small", BAD, "options.struct_size must be", size_small},
    {"clustering: struct_size huge", BAD, "options.struct_size must be", size_huge},
    {"clustering: unknown field", BAD, "options.struct_size is", later_field},
    {"clustering: unknown field that is zero", COVEY_OK, "", later_zero},
    {"clustering: min_cluster_size 1", BAD, "min_cluster_size must be at least 2, got 1", size_one},
    {"clustering: min_cluster_size -1", BAD, "min_cluster_size must be at least 2, got -1", size_negative},
    {"clustering: min_cluster_size least", BAD, "min_cluster_size must be at least 2, got -9223372036854775808",
     size_minimum},
    {"clustering: min_cluster_size above rows", COVEY_OK, "", size_above_rows},
    {"clustering: min_cluster_size largest", COVEY_OK, "", size_maximum},
    {"clustering: min_samples -1", BAD, "min_samples must be at least 0, got -1", samples_negative},
    {"clustering: min_samples = rows", BAD, "min_samples must be below the number of rows, got 18 with 18 rows",
     samples_rows},
    {"clustering: min_samples = rows - 1", COVEY_OK, "", samples_most},
    {"clustering: min_samples largest", BAD, "got 9223372036854775807 with 18 rows", samples_maximum},
    {"clustering: min_samples of one row", COVEY_OK, "", samples_of_one_row},
    {"clustering: min_samples of no rows", COVEY_OK, "", samples_of_no_rows},
    {"clustering: min_samples of finite rows", BAD, "min_samples must be below the number of rows, got 2 with 2 rows",
     samples_of_finite_rows},
    {"clustering: max_cluster_size -1", BAD, "max_cluster_size must be at least 0, got -1", largest_negative},
    {"clustering: max_cluster_size largest", COVEY_OK, "", largest_maximum},
    {"clustering: epsilon negative", BAD, "cluster_selection_epsilon must be finite and at least 0, got -0.5",
     epsilon_negative},
    {"clustering: epsilon NaN", BAD, "cluster_selection_epsilon must be finite and at least 0, got nan", epsilon_nan},
    {"clustering: epsilon infinite", BAD, "cluster_selection_epsilon must be finite and at least 0, got inf",
     epsilon_infinite},
    {"clustering: alpha 0", BAD, "alpha must be finite and above 0, got 0", alpha_zero},
    {"clustering: alpha negative", BAD, "alpha must be finite and above 0, got -1", alpha_negative},
    {"clustering: alpha NaN", BAD, "alpha must be finite and above 0, got nan", alpha_nan},
    {"clustering: alpha infinite", BAD, "alpha must be finite and above 0, got inf", alpha_infinite},
    {"clustering: alpha overflows", BAD, "alpha must be larger: distances of up to", alpha_overflows},
    {"clustering: alpha overflows, cosine", BAD, "alpha must be larger: distances of up to 2", alpha_overflows_cosine},
    {"clustering: metric", BAD, "metric must be a COVEY_METRIC_ value, got 3", metric_unknown},
    {"clustering: metric least", BAD, "metric must be a COVEY_METRIC_ value, got -2147483648", metric_negative},
    {"clustering: selection", BAD, "selection must be a COVEY_SELECTION_ value, got 2", selection_unknown},
    {"clustering: allow_single_cluster", BAD, "allow_single_cluster must be 0 or 1, got 2", single_unknown},
    {"clustering: search", BAD, "search must be a COVEY_SEARCH_ value, got -1", search_unknown},
    {"clustering: approximate cosine", BAD, "search must be COVEY_SEARCH_EXACT unless the metric is euclidean",
     search_metric},
    {"clustering: missing", BAD, "missing must be a COVEY_MISSING_ROWS_ value, got 2", missing_unknown},
    {"clustering: prediction", BAD, "prediction must be 0 or 1, got -1", prediction_unknown},
    {"clustering: no output", BAD, "clustering must not be NULL", no_output},
    {"clustering: no matrix", BAD, "matrix must not be NULL", no_matrix},
    {"clustering: no data", BAD, "matrix.data must not be NULL", no_data},
    {"clustering: no rows", COVEY_OK, "", no_rows},
    {"clustering: one row", COVEY_OK, "", one_row},
    {"clustering: two rows", COVEY_OK, "", two_rows},
    {"clustering: equal rows", COVEY_OK, "", equal_rows},
    {"clustering: negative rows", BAD, "matrix.rows must be 0 to", negative_rows},
    {"clustering: overflowing rows", BAD, "matrix.rows must be 0 to", overflowing_rows},
    {"clustering: too many rows", BAD, "matrix.rows must be at most 1073741824 to be clustered, got 1073741825",
     too_many_rows},
    {"clustering: NaN", COVEY_INVALID_DATA, "matrix row 1, column 1 must be finite, got nan", nan_number},
    {"clustering: NaN of float32", COVEY_INVALID_DATA, "matrix row 1, column 1 must be finite, got nan", nan_float},
    {"clustering: infinity", COVEY_INVALID_DATA, "matrix row 2, column 0 must be finite, got -inf", infinite},
    {"clustering: memory budget", COVEY_OUT_OF_MEMORY, "above the memory budget of 100", small_budget},
    {"clustering: stopped", COVEY_CANCELLED, "the call was cancelled", stopped},
    {"clustering: labels of none", BAD, "clustering must not be NULL", no_clustering_labels},
    {"clustering: tree of none", BAD, "clustering must not be NULL", no_clustering_tree},
    {"clustering: exemplars of none", BAD, "clustering must not be NULL", no_clustering_exemplars},
    {"clustering: labels NULL", BAD, "labels must not be NULL", labels_null},
    {"clustering: labels small", SMALL, "labels needs a capacity of 18, got 17", labels_small},
    {"clustering: labels negative", BAD, "capacity must be at least 0, got -1", labels_negative},
    {"clustering: probabilities small", SMALL, "probabilities needs a capacity of 18, got 0", probabilities_small},
    {"clustering: scores NULL", BAD, "scores must not be NULL", scores_null},
    {"clustering: persistence small", SMALL, "persistence needs a capacity of 3, got 2", persistence_small},
    {"clustering: spanning tree small", SMALL, "edges needs a capacity of 17, got 16", spanning_small},
    {"clustering: linkage NULL", BAD, "merges must not be NULL", linkage_null},
    {"clustering: linkage small", SMALL, "merges needs a capacity of 17, got 16", linkage_small},
    {"clustering: condensed tree small", SMALL, "edges needs a capacity of", condensed_small},
    {"clustering: nodes small", SMALL, "nodes needs a capacity of 3, got 1", nodes_small},
    {"clustering: exemplars of -1", BAD, "cluster must be 0 to 2, got -1", exemplars_negative},
    {"clustering: exemplars of 3", BAD, "cluster must be 0 to 2, got 3", exemplars_outside},
    {"clustering: exemplars small", SMALL, "rows needs a capacity of", exemplars_small},
    {"clustering: predict without clustering", BAD, "clustering must not be NULL", no_clustering_predict},
    {"clustering: predict", COVEY_OK, "", predict_good},
    {"clustering: predict no rows", COVEY_OK, "", predict_no_rows},
    {"clustering: predict without prediction data", BAD, "prediction", predict_no_data},
    {"clustering: predict no labels", BAD, "labels must not be NULL", predict_null},
    {"clustering: predict columns", COVEY_MISMATCH, "matrix.columns must be 2, as clustered, got 3", predict_columns},
    {"clustering: predict NaN", COVEY_INVALID_DATA, "matrix row 1, column 1 must be finite, got nan", predict_nan},
    {"clustering: predict no matrix", BAD, "matrix must not be NULL", predict_matrix},
    {NULL, 0, NULL, NULL},
};
