#include "find_sample.h"

static find_sample sample;
static int8_t fraud[FIND_ROWS];
static double numbers[FIND_ROWS];

static void prepare(void) {
    make_find_sample(&sample, 1);
    memcpy(fraud, sample.fraud, sizeof fraud);
    memcpy(numbers, sample.amounts, sizeof numbers);
}

static covey_status run(const covey_sequences *sequences, const covey_table *table, const double *amounts,
                        const double *times, int64_t rows, const covey_find_options *options, covey_error **error) {
    covey_found *found = (covey_found *)1;
    covey_status status =
        covey_find(NULL, sequences, NULL, table, fraud, amounts, times, rows, NULL, options, &found, error);
    if (status != COVEY_OK && found != NULL) return COVEY_INTERNAL;
    covey_found_destroy(found);
    return status;
}

static covey_status null_output(covey_error **error) {
    prepare();
    return covey_find(NULL, NULL, NULL, &sample.table, fraud, NULL, NULL, FIND_ROWS, NULL, NULL, NULL, error);
}
static covey_status nothing(covey_error **error) {
    prepare();
    return run(NULL, NULL, NULL, NULL, FIND_ROWS, NULL, error);
}
static covey_status no_rows(covey_error **error) {
    prepare();
    return run(NULL, &sample.table, NULL, NULL, 0, NULL, error);
}
static covey_status huge_rows(covey_error **error) {
    prepare();
    return run(NULL, &sample.table, NULL, NULL, INT64_MAX, NULL, error);
}
static covey_status other_rows(covey_error **error) {
    prepare();
    return run(NULL, &sample.table, NULL, NULL, FIND_ROWS - 1, NULL, error);
}
static covey_status no_vocabulary(covey_error **error) {
    prepare();
    return run(&sample.sequences, NULL, NULL, NULL, FIND_ROWS, NULL, error);
}
static covey_status bad_label(covey_error **error) {
    prepare();
    fraud[7] = 2;
    return run(NULL, &sample.table, NULL, NULL, FIND_ROWS, NULL, error);
}
static covey_status with_amount(double amount, covey_error **error) {
    prepare();
    numbers[3] = amount;
    return run(NULL, &sample.table, numbers, NULL, FIND_ROWS, NULL, error);
}
static covey_status negative_amount(covey_error **error) { return with_amount(-0.5, error); }
static covey_status infinite_amount(covey_error **error) { return with_amount(INFINITY, error); }
static covey_status nan_time(covey_error **error) {
    prepare();
    numbers[5] = NAN;
    return run(NULL, &sample.table, NULL, numbers, FIND_ROWS, NULL, error);
}
static covey_status infinite_feature(covey_error **error) {
    prepare();
    sample.ages[9] = INFINITY;
    return run(NULL, &sample.table, NULL, NULL, FIND_ROWS, NULL, error);
}
static covey_status dates_alone(covey_error **error) {
    prepare();
    sample.columns[0].kind = COVEY_DATE;
    sample.table.column_count = 1;
    return run(NULL, &sample.table, NULL, NULL, FIND_ROWS, NULL, error);
}
static covey_status small_memory(covey_error **error) {
    prepare();
    covey_context_options wanted = COVEY_CONTEXT_OPTIONS_INIT;
    wanted.memory_budget = 20000;
    covey_context *context = NULL;
    covey_found *found = NULL;
    if (covey_context_create(&wanted, &context, NULL) != COVEY_OK) return COVEY_INTERNAL;
    covey_status status =
        covey_find(context, NULL, NULL, &sample.table, fraud, NULL, NULL, FIND_ROWS, NULL, NULL, &found, error);
    covey_found_destroy(found);
    covey_context_destroy(context);
    return status;
}

#define OPTION_CASE(name, assignment) \
    static covey_status option_##name(covey_error **error) { \
        prepare(); \
        covey_find_options options = COVEY_FIND_OPTIONS_INIT; \
        options.assignment; \
        return run(NULL, &sample.table, NULL, NULL, FIND_ROWS, &options, error); \
    }
OPTION_CASE(known_share, known_share = 1.5)
OPTION_CASE(known_share_nan, known_share = NAN)
OPTION_CASE(shares_over, shares_over = 3)
OPTION_CASE(error_rate, error_rate = -1)
OPTION_CASE(significance, significance = 0)
OPTION_CASE(confidence, confidence = 1)
OPTION_CASE(min_share, min_share = NAN)
OPTION_CASE(min_fraud, min_fraud = 1)
OPTION_CASE(permutations, permutations = 5)
OPTION_CASE(trees, trees = 10001)
OPTION_CASE(max_rules, max_rules = -1)
OPTION_CASE(min_cluster_size, min_cluster_size = 1)
OPTION_CASE(scaling, scaling = 6)
OPTION_CASE(search, search = 2)
OPTION_CASE(embedding_weight, embedding_weight = 0)
OPTION_CASE(feature_weight, feature_weight = INFINITY)

static covey_status training(covey_error **error) {
    prepare();
    covey_training_options own = COVEY_TRAINING_OPTIONS_INIT;
    own.struct_size = 3;
    covey_find_options options = COVEY_FIND_OPTIONS_INIT;
    options.training = &own;
    return run(NULL, &sample.table, NULL, NULL, FIND_ROWS, &options, error);
}
static covey_status null_found(covey_error **error) {
    double scores[1];
    return covey_found_scores(NULL, scores, 1, error);
}

#define ARGUMENT COVEY_INVALID_ARGUMENT
const abi_case find_cases[] = {
    {"find: NULL output", ARGUMENT, "found must not be NULL", null_output},
    {"find: neither events nor features", ARGUMENT, "sequences and features must not both be NULL", nothing},
    {"find: no rows", ARGUMENT, "rows must be 1 to", no_rows},
    {"find: too many rows", ARGUMENT, "rows must be 1 to", huge_rows},
    {"find: other rows", COVEY_MISMATCH, "features has 400 rows, rows is 399", other_rows},
    {"find: no vocabulary", ARGUMENT, "vocabulary must not be NULL", no_vocabulary},
    {"find: a label", COVEY_INVALID_DATA, "fraud[7] must be -1, 0 or 1, got 2", bad_label},
    {"find: a negative amount", COVEY_INVALID_DATA, "amounts[3] must be at least 0", negative_amount},
    {"find: an infinite amount", COVEY_INVALID_DATA, "amounts[3] must be at least 0", infinite_amount},
    {"find: a time", COVEY_INVALID_DATA, "times[5] must be finite, got nan", nan_time},
    {"find: an infinite feature", COVEY_INVALID_DATA, "column \"age\", row 9", infinite_feature},
    {"find: dates alone", COVEY_INVALID_DATA, "must have a column that is not a date", dates_alone},
    {"find: memory", COVEY_OUT_OF_MEMORY, "memory budget", small_memory},
    {"find: known_share", ARGUMENT, "known_share must be above 0 and at most 1", option_known_share},
    {"find: known_share NaN", ARGUMENT, "known_share must be above 0 and at most 1", option_known_share_nan},
    {"find: shares_over", ARGUMENT, "shares_over must be a COVEY_SHARES_ value, got 3", option_shares_over},
    {"find: error_rate", ARGUMENT, "error_rate must be a COVEY_ERROR_RATE_ value, got -1", option_error_rate},
    {"find: significance", ARGUMENT, "significance must be above 0", option_significance},
    {"find: confidence", ARGUMENT, "confidence must be 0.5 to 0.9999", option_confidence},
    {"find: min_share", ARGUMENT, "min_share must be 0 to 1, got nan", option_min_share},
    {"find: min_fraud", ARGUMENT, "min_fraud must be at least 2, got 1", option_min_fraud},
    {"find: permutations", ARGUMENT, "permutations must be 19 to 100000, got 5", option_permutations},
    {"find: trees", ARGUMENT, "trees must be 0 to 10000, got 10001", option_trees},
    {"find: max_rules", ARGUMENT, "max_rules must be 0 to 1000, got -1", option_max_rules},
    {"find: min_cluster_size", ARGUMENT, "min_cluster_size must be at least 2, got 1", option_min_cluster_size},
    {"find: scaling", ARGUMENT, "scaling must be a COVEY_SCALING_ value, got 6", option_scaling},
    {"find: search", ARGUMENT, "search must be a COVEY_SEARCH_ value, got 2", option_search},
    {"find: embedding_weight", ARGUMENT, "embedding_weight must be finite and above 0", option_embedding_weight},
    {"find: feature_weight", ARGUMENT, "feature_weight must be finite and above 0", option_feature_weight},
    {"find: training", ARGUMENT, "options.training.struct_size", training},
    {"find: NULL found", ARGUMENT, "found must not be NULL", null_found},
    {NULL, 0, NULL, NULL},
};
