#include "bad_clustering.h"

#include <limits.h>

static covey_status cluster(const void *data, int64_t rows, int32_t type, covey_error **error) {
    covey_matrix matrix = matrix_of(data, rows, type);
    return cluster_with(NULL, &matrix, NULL, error);
}

/* ---------------------------------------------------------------------------------------------------------- options */
#define OPTION_CASE(name, rows, change) \
    static covey_status name(covey_error **error) { \
        covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT; \
        covey_matrix matrix = matrix_of(points, rows, COVEY_FLOAT64); \
        change; \
        return cluster_with(NULL, &matrix, &options, error); \
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
OPTION_CASE(epsilon_max_negative, 18, options.cluster_selection_epsilon_max = -1)
OPTION_CASE(epsilon_max_nan, 18, options.cluster_selection_epsilon_max = NAN)
OPTION_CASE(epsilon_max_infinite, 18, options.cluster_selection_epsilon_max = INFINITY)
OPTION_CASE(persistence_negative, 18, options.cluster_selection_persistence = -1)
OPTION_CASE(persistence_infinite, 18, options.cluster_selection_persistence = INFINITY)
OPTION_CASE(persistence_large, 18, options.cluster_selection_persistence = 1e300)
OPTION_CASE(clusters_negative, 18, options.clusters = -1)
OPTION_CASE(clusters_many, 18, options.clusters = 19)
OPTION_CASE(clusters_largest, 18, options.clusters = INT64_MAX)
OPTION_CASE(clusters_of_no_rows, 0, options.clusters = 1)
OPTION_CASE(index_exact, 18, options.index = "IVF2,Flat")
OPTION_CASE(index_search_alone, 18, options.index_search = "nprobe=2")
#define INDEX_CASE(name, text, parameters) \
    OPTION_CASE(name, 18, \
                (options.search = COVEY_SEARCH_APPROXIMATE, options.index = text, options.index_search = parameters))
INDEX_CASE(index_good, "IVF2,Flat", "nprobe=2")
INDEX_CASE(index_graph, "HNSW4", NULL)
INDEX_CASE(index_probes_more, "IVF2,Flat", "nprobe=1000000")
INDEX_CASE(index_few_lists, "IVF18,Flat", NULL)
INDEX_CASE(index_empty, "", NULL)
INDEX_CASE(index_unknown, "nonsense", NULL)
INDEX_CASE(index_bytes, "IVF2,Flat\xff", NULL)
INDEX_CASE(index_many_lists, "IVF19,Flat", NULL)
INDEX_CASE(index_huge, "IVF999999999,Flat", NULL)
INDEX_CASE(index_codes, "PQ2x12", NULL)
INDEX_CASE(index_links, "HNSW1", NULL)
INDEX_CASE(index_file, "/dev/zero", NULL)
INDEX_CASE(index_verbose, "IVF2,Flat", "verbose=1")
INDEX_CASE(index_parameter, "IVF2,Flat", "efSearch=9")
INDEX_CASE(index_value, "IVF2,Flat", "nprobe=0")
OPTION_CASE(reference_unknown, 18, options.match_reference = 2)
OPTION_CASE(strengths_unknown, 18, options.strengths = 2)

OPTION_CASE(weights_negative, 18, options.weights = negative_weights)
OPTION_CASE(weights_many, 18, options.weights = many_weights)
OPTION_CASE(weights_lowest, 18, options.weights = lowest_weights)
OPTION_CASE(weights_highest, 18, options.weights = highest_weights)
OPTION_CASE(weights_zero, 18, options.weights = no_weights)

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
static covey_status too_many_rows(covey_error **error) { return cluster(points, (1 << 30) + 1, COVEY_FLOAT64, error); }
static covey_status nan_number(covey_error **error) { return cluster(with_nan, 3, COVEY_FLOAT64, error); }
static covey_status nan_float(covey_error **error) { return cluster(with_nan32, 2, COVEY_FLOAT32, error); }
static covey_status infinite(covey_error **error) { return cluster(with_infinity, 3, COVEY_FLOAT64, error); }

static covey_status no_output(covey_error **error) {
    covey_matrix matrix = matrix_of(points, 18, COVEY_FLOAT64);
    return covey_cluster_matrix(NULL, &matrix, NULL, NULL, error);
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

const abi_case clustering_cases[] = {
    {"clustering: good", COVEY_OK, "", good},
    {"clustering: struct_size 0", BAD, "options.struct_size must be", size_zero},
    {"clustering: struct_size too small", BAD, "options.struct_size must be", size_small},
    {"clustering: struct_size huge", BAD, "options.struct_size must be", size_huge},
    {"clustering: unknown field", BAD, "options.struct_size is", later_field},
    {"clustering: unknown field that is zero", COVEY_OK, "", later_zero},
    {"clustering: min_cluster_size 1", BAD, "options.min_cluster_size must be at least 2, got 1", size_one},
    {"clustering: min_cluster_size -1", BAD, "options.min_cluster_size must be at least 2, got -1", size_negative},
    {"clustering: min_cluster_size least", BAD, "options.min_cluster_size must be at least 2, got -9223372036854775808",
     size_minimum},
    {"clustering: min_cluster_size above rows", COVEY_OK, "", size_above_rows},
    {"clustering: min_cluster_size largest", COVEY_OK, "", size_maximum},
    {"clustering: min_samples -1", BAD, "options.min_samples must be at least 0, got -1", samples_negative},
    {"clustering: min_samples = rows", COVEY_OK, "", samples_rows},
    {"clustering: min_samples = rows - 1", COVEY_OK, "", samples_most},
    {"clustering: min_samples largest", COVEY_OK, "", samples_maximum},
    {"clustering: min_samples of one row", COVEY_OK, "", samples_of_one_row},
    {"clustering: min_samples of no rows", COVEY_OK, "", samples_of_no_rows},
    {"clustering: max_cluster_size -1", BAD, "options.max_cluster_size must be at least 0, got -1", largest_negative},
    {"clustering: max_cluster_size largest", COVEY_OK, "", largest_maximum},
    {"clustering: epsilon negative", BAD, "options.cluster_selection_epsilon must be finite and at least 0, got -0.5",
     epsilon_negative},
    {"clustering: epsilon NaN", BAD, "options.cluster_selection_epsilon must be finite and at least 0, got nan",
     epsilon_nan},
    {"clustering: epsilon infinite", BAD, "options.cluster_selection_epsilon must be finite and at least 0, got inf",
     epsilon_infinite},
    {"clustering: alpha 0", BAD, "options.alpha must be finite and above 0, got 0", alpha_zero},
    {"clustering: alpha negative", BAD, "options.alpha must be finite and above 0, got -1", alpha_negative},
    {"clustering: alpha NaN", BAD, "options.alpha must be finite and above 0, got nan", alpha_nan},
    {"clustering: alpha infinite", BAD, "options.alpha must be finite and above 0, got inf", alpha_infinite},
    {"clustering: alpha overflows", BAD, "options.alpha must be larger: distances of up to", alpha_overflows},
    {"clustering: alpha overflows, cosine", BAD, "options.alpha must be larger: distances of up to 2",
     alpha_overflows_cosine},
    {"clustering: metric", BAD, "options.metric must be a COVEY_METRIC_ value, got 3", metric_unknown},
    {"clustering: metric least", BAD, "options.metric must be a COVEY_METRIC_ value, got -2147483648", metric_negative},
    {"clustering: selection", BAD, "options.selection must be a COVEY_SELECTION_ value, got 2", selection_unknown},
    {"clustering: allow_single_cluster", BAD, "options.allow_single_cluster must be 0 or 1, got 2", single_unknown},
    {"clustering: search", BAD, "options.search must be a COVEY_SEARCH_ value, got -1", search_unknown},
    {"clustering: approximate cosine", BAD, "options.search must be COVEY_SEARCH_EXACT unless the metric is euclidean",
     search_metric},
    {"clustering: missing", BAD, "options.missing must be a COVEY_MISSING_ROWS_ value, got 2", missing_unknown},
    {"clustering: prediction", BAD, "options.prediction must be 0 or 1, got -1", prediction_unknown},
    {"clustering: epsilon max -1", BAD, "options.cluster_selection_epsilon_max must be at least 0, got -1",
     epsilon_max_negative},
    {"clustering: epsilon max NaN", BAD, "options.cluster_selection_epsilon_max must be at least 0, got nan",
     epsilon_max_nan},
    {"clustering: epsilon max infinite", COVEY_OK, "", epsilon_max_infinite},
    {"clustering: persistence -1", BAD, "options.cluster_selection_persistence must be finite and at least 0, got -1",
     persistence_negative},
    {"clustering: persistence infinite", BAD, "options.cluster_selection_persistence must be finite",
     persistence_infinite},
    {"clustering: persistence large", COVEY_OK, "", persistence_large},
    {"clustering: clusters -1", BAD, "options.clusters must be at least 0, got -1", clusters_negative},
    {"clustering: clusters 19", BAD, "options.clusters must be a number that the tree can be cut into", clusters_many},
    {"clustering: clusters largest", BAD, "options.clusters must be a number that the tree can be cut into",
     clusters_largest},
    {"clustering: clusters of no rows", BAD, "options.clusters must be a number", clusters_of_no_rows},
    {"clustering: index exact", BAD, "search must be COVEY_SEARCH_APPROXIMATE", index_exact},
    {"clustering: index search alone", BAD, "index_search must be NULL", index_search_alone},
    {"clustering: index", COVEY_OK, "", index_good},
    {"clustering: index graph", COVEY_OK, "", index_graph},
    {"clustering: index probes more", COVEY_OK, "", index_probes_more},
    {"clustering: index few lists", COVEY_OK, "", index_few_lists},
    {"clustering: index empty", BAD, "index must be a name of 1 to", index_empty},
    {"clustering: index unknown", BAD, "got nonsense", index_unknown},
    {"clustering: index bytes", BAD, "index must be valid UTF-8", index_bytes},
    {"clustering: index many lists", BAD, "at least 19 rows", index_many_lists},
    {"clustering: index huge", BAD, "index must be a name", index_huge},
    {"clustering: index codes", BAD, "at least 4096 rows", index_codes},
    {"clustering: index links", BAD, "index must be a name", index_links},
    {"clustering: index file", BAD, "index must be a name", index_file},
    {"clustering: index verbose", BAD, "index_search must be", index_verbose},
    {"clustering: index parameter", BAD, "has no parameter efSearch", index_parameter},
    {"clustering: index value", BAD, "index_search must be", index_value},
    {"clustering: match_reference", BAD, "match_reference must be 0 or 1, got 2", reference_unknown},
    {"clustering: strengths", BAD, "strengths must be a COVEY_STRENGTHS_ value, got 2", strengths_unknown},
    {"weights: negative", BAD, "weights[3] must be at least 0, got -1", weights_negative},
    {"weights: many", BAD, "exceed that at weights[2]", weights_many},
    {"weights: lowest", BAD, "weights[0] must be at least 0", weights_lowest},
    {"weights: highest", BAD, "exceed that at weights[0]", weights_highest},
    {"weights: zero", COVEY_OK, "", weights_zero},
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
    {NULL, 0, NULL, NULL},
};
