#include "abi_test.h"

static const double numbers[6] = {1, 2, 3, 5, 4, 7};
static const int32_t codes[3] = {0, 1, -1};
static const char *const names[2] = {"NL", "BE"};

static covey_matrix embeddings(void) {
    covey_matrix matrix = COVEY_MATRIX_INIT;
    matrix.data = numbers;
    matrix.rows = 3;
    matrix.columns = 2;
    matrix.type = COVEY_FLOAT64;
    return matrix;
}

static covey_table features(covey_column columns[2]) {
    covey_column amount = {"amount", numbers, 0, NULL, 0, COVEY_NUMERIC, 0};
    covey_column country = {"country", codes, 0, names, 2, COVEY_CATEGORICAL, 0};
    covey_table table = COVEY_TABLE_INIT;
    columns[0] = amount;
    columns[1] = country;
    table.rows = 3;
    table.column_count = 2;
    table.columns = columns;
    return table;
}

static covey_status fit(const covey_hybrid_options *options, covey_error **error) {
    covey_column columns[2];
    covey_table table = features(columns);
    covey_matrix matrix = embeddings();
    covey_hybrid *hybrid = (covey_hybrid *)1;
    covey_status status = covey_hybrid_fit(NULL, &matrix, &table, options, &hybrid, error);
    if (status != COVEY_OK && hybrid != NULL) return COVEY_INTERNAL;
    covey_hybrid_destroy(hybrid);
    return status;
}

#define OPTION_CASE(name, change) \
    static covey_status name(covey_error **error) { \
        covey_hybrid_options options = COVEY_HYBRID_OPTIONS_INIT; \
        change; \
        return fit(&options, error); \
    }

static const double bad_weights[2] = {1, -1};
static const double nan_weights[2] = {NAN, 1};

OPTION_CASE(options_good, (void)0)
OPTION_CASE(options_size, options.struct_size = 8)
OPTION_CASE(scaling, options.scaling = 6)
OPTION_CASE(missing, options.missing = -1)
OPTION_CASE(missing_rejected, options.missing = COVEY_MISSING_REJECT)
OPTION_CASE(components_negative, options.embedding_components = -1)
OPTION_CASE(components_many, options.embedding_components = 3)
OPTION_CASE(components_huge, options.embedding_components = INT64_MAX)
OPTION_CASE(embedding_weight, options.embedding_weight = -1)
OPTION_CASE(feature_weight, options.feature_weight = INFINITY)
OPTION_CASE(clip_zero, options.clip = 0)
OPTION_CASE(clip_nan, options.clip = NAN)
OPTION_CASE(clip_infinite, options.clip = INFINITY)
OPTION_CASE(column_weight, options.column_weights = bad_weights)
OPTION_CASE(column_weight_nan, options.column_weights = nan_weights)

static covey_status no_output(covey_error **error) {
    covey_matrix matrix = embeddings();
    return covey_hybrid_fit(NULL, &matrix, NULL, NULL, NULL, error);
}

static covey_status nothing_to_fit(covey_error **error) {
    covey_hybrid *hybrid = NULL;
    return covey_hybrid_fit(NULL, NULL, NULL, NULL, &hybrid, error);
}

static covey_status rows_differ(covey_error **error) {
    covey_column columns[2];
    covey_table table = features(columns);
    covey_matrix matrix = embeddings();
    covey_hybrid *hybrid = NULL;
    matrix.rows = 2;
    return covey_hybrid_fit(NULL, &matrix, &table, NULL, &hybrid, error);
}

static covey_status over_budget(covey_error **error) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    covey_context *context = NULL;
    covey_hybrid *hybrid = NULL;
    covey_matrix matrix = embeddings();
    options.memory_budget = 16;
    covey_context_create(&options, &context, NULL);
    covey_status status = covey_hybrid_fit(context, &matrix, NULL, NULL, &hybrid, error);
    covey_hybrid_destroy(hybrid);
    covey_context_destroy(context);
    return status;
}

static int32_t stop(void *data, const char *stage, double fraction) {
    (void)data, (void)stage, (void)fraction;
    return 1;
}

static covey_status cancelled(covey_error **error) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    covey_context *context = NULL;
    covey_hybrid *hybrid = NULL;
    covey_matrix matrix = embeddings();
    options.progress = stop;
    covey_context_create(&options, &context, NULL);
    covey_status status = covey_hybrid_fit(context, &matrix, NULL, NULL, &hybrid, error);
    covey_hybrid_destroy(hybrid);
    covey_context_destroy(context);
    return status;
}

/* Transforms with a good transform, and checks that it stays usable. */
static covey_status transform(const covey_matrix *matrix, const covey_table *table, float *output, int64_t row_stride,
                              covey_error **error) {
    covey_column columns[2];
    covey_table good = features(columns);
    covey_matrix fitted = embeddings();
    covey_hybrid *hybrid = NULL;
    float numbers_out[15];
    covey_hybrid_fit(NULL, &fitted, &good, NULL, &hybrid, NULL);
    covey_status status = covey_hybrid_transform(hybrid, NULL, matrix, table, output, row_stride, error);
    if (covey_hybrid_transform(hybrid, NULL, &fitted, &good, numbers_out, 0, NULL) != COVEY_OK) status = COVEY_INTERNAL;
    covey_hybrid_destroy(hybrid);
    return status;
}

static float out[64];

#define TRANSFORM_CASE(name, change, matrix_argument, table_argument, output, stride) \
    static covey_status name(covey_error **error) { \
        covey_column columns[2]; \
        covey_table table = features(columns); \
        covey_matrix matrix = embeddings(); \
        change; \
        (void)table, (void)matrix; \
        return transform(matrix_argument, table_argument, output, stride, error); \
    }

static const double infinite_amounts[3] = {1, INFINITY, 3};
static const double nan_embeddings[6] = {1, 2, NAN, 4, 5, 6};

TRANSFORM_CASE(transform_good, (void)0, &matrix, &table, out, 0)
TRANSFORM_CASE(transform_wide, (void)0, &matrix, &table, out, 64)
TRANSFORM_CASE(transform_no_output, (void)0, &matrix, &table, NULL, 0)
TRANSFORM_CASE(transform_small_stride, (void)0, &matrix, &table, out, 8)
TRANSFORM_CASE(transform_odd_stride, (void)0, &matrix, &table, out, 65)
TRANSFORM_CASE(transform_no_embeddings, (void)0, NULL, &table, out, 0)
TRANSFORM_CASE(transform_no_features, (void)0, &matrix, NULL, out, 0)
TRANSFORM_CASE(transform_columns, matrix.columns = 1, &matrix, &table, out, 0)
TRANSFORM_CASE(transform_rows, matrix.rows = 2, &matrix, &table, out, 0)
TRANSFORM_CASE(transform_no_rows, (matrix.rows = 0, table.rows = 0), &matrix, &table, NULL, 0)
TRANSFORM_CASE(transform_missing_column, table.column_count = 1, &matrix, &table, out, 0)
TRANSFORM_CASE(transform_other_kind, (columns[0].kind = COVEY_CATEGORICAL), &matrix, &table, out, 0)
TRANSFORM_CASE(transform_infinite, (columns[0].values = infinite_amounts), &matrix, &table, out, 0)
TRANSFORM_CASE(transform_nan, matrix.data = nan_embeddings, &matrix, &table, out, 0)

static covey_status transform_null(covey_error **error) {
    covey_matrix matrix = embeddings();
    return covey_hybrid_transform(NULL, NULL, &matrix, NULL, out, 0, error);
}

const abi_case hybrid_cases[] = {
    {"hybrid: good options", COVEY_OK, "", options_good},
    {"hybrid: struct_size", COVEY_INVALID_ARGUMENT, "options.struct_size must be", options_size},
    {"hybrid: scaling", COVEY_INVALID_ARGUMENT, "scaling must be a COVEY_SCALING_ value, got 6", scaling},
    {"hybrid: missing", COVEY_INVALID_ARGUMENT, "missing must be a COVEY_MISSING_ value, got -1", missing},
    {"hybrid: missing value", COVEY_INVALID_DATA, "column \"country\" has 1 missing values", missing_rejected},
    {"hybrid: negative components", COVEY_INVALID_ARGUMENT, "embedding_components must be", components_negative},
    {"hybrid: many components", COVEY_INVALID_ARGUMENT, "embedding_components must be 0 to 2, got 3", components_many},
    {"hybrid: huge components", COVEY_INVALID_ARGUMENT, "got 9223372036854775807", components_huge},
    {"hybrid: embedding weight", COVEY_INVALID_ARGUMENT, "embedding_weight must be finite", embedding_weight},
    {"hybrid: feature weight", COVEY_INVALID_ARGUMENT, "feature_weight must be finite and at least 0, got inf",
     feature_weight},
    {"hybrid: clip 0", COVEY_INVALID_ARGUMENT, "clip must be above 0, got 0", clip_zero},
    {"hybrid: clip NaN", COVEY_INVALID_ARGUMENT, "clip must be above 0, got nan", clip_nan},
    {"hybrid: clip infinite", COVEY_OK, "", clip_infinite},
    {"hybrid: column weight", COVEY_INVALID_ARGUMENT, "column_weights[1] must be finite", column_weight},
    {"hybrid: column weight NaN", COVEY_INVALID_ARGUMENT, "column_weights[0] must be finite", column_weight_nan},
    {"hybrid: null output", COVEY_INVALID_ARGUMENT, "hybrid must not be NULL", no_output},
    {"hybrid: nothing to fit", COVEY_INVALID_ARGUMENT, "embeddings and features must not both be NULL", nothing_to_fit},
    {"hybrid: rows differ", COVEY_MISMATCH, "embeddings have 2 rows, features have 3", rows_differ},
    {"hybrid: over budget", COVEY_OUT_OF_MEMORY, "above the memory budget of 16", over_budget},
    {"hybrid: cancelled", COVEY_CANCELLED, "cancelled", cancelled},
    {"transform: good", COVEY_OK, "", transform_good},
    {"transform: wide rows", COVEY_OK, "", transform_wide},
    {"transform: null handle", COVEY_INVALID_ARGUMENT, "hybrid must not be NULL", transform_null},
    {"transform: null output", COVEY_INVALID_ARGUMENT, "output must not be NULL", transform_no_output},
    {"transform: small stride", COVEY_INVALID_ARGUMENT, "row_stride must be", transform_small_stride},
    {"transform: odd stride", COVEY_INVALID_ARGUMENT, "row_stride must be", transform_odd_stride},
    {"transform: no embeddings", COVEY_MISMATCH, "embeddings must not be NULL", transform_no_embeddings},
    {"transform: no features", COVEY_MISMATCH, "features must not be NULL", transform_no_features},
    {"transform: columns", COVEY_MISMATCH, "embeddings must have 2 columns, as in fitting, got 1", transform_columns},
    {"transform: rows", COVEY_MISMATCH, "embeddings have 2 rows, features have 3", transform_rows},
    {"transform: no rows", COVEY_OK, "", transform_no_rows},
    {"transform: missing column", COVEY_MISMATCH, "features have no column \"country\"", transform_missing_column},
    {"transform: other kind", COVEY_MISMATCH, "column \"amount\" must be numeric, got categorical",
     transform_other_kind},
    {"transform: infinity", COVEY_INVALID_DATA, "column \"amount\", row 1: must not be infinite", transform_infinite},
    {"transform: NaN", COVEY_INVALID_DATA, "embeddings, row 1, column 0: must be finite", transform_nan},
    {NULL, 0, NULL, NULL},
};
