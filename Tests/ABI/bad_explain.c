#include "engine_sample.h"

static engine_sample sample;
static covey_engine *engine;

/* The engine is made once, and lives as long as the program. */
static const covey_engine *good_engine(void) {
    if (engine == NULL) {
        make_sample(&sample, 1);
        engine = make_engine(&sample);
    }
    return engine;
}

/* Explains with these options, and checks that the engine stays usable. */
static covey_status explain(const covey_sequences *sequences, const covey_table *table,
                            const covey_explain_options *options, const covey_context *context, covey_error **error) {
    covey_explanations *found = (covey_explanations *)1, *again = NULL;
    covey_status status = covey_engine_explain(good_engine(), context, sequences, table, options, &found, error);
    if (status != COVEY_OK && found != NULL) return COVEY_INTERNAL;
    covey_explanations_destroy(found);
    if (covey_engine_explain(engine, NULL, &sample.sequences, &sample.table, NULL, &again, NULL) != COVEY_OK)
        status = COVEY_INTERNAL;
    covey_explanations_destroy(again);
    return status;
}

#define OPTION_CASE(name, change) \
    static covey_status name(covey_error **error) { \
        covey_explain_options options = COVEY_EXPLAIN_OPTIONS_INIT; \
        good_engine(); \
        change; \
        return explain(&sample.sequences, &sample.table, &options, NULL, error); \
    }

OPTION_CASE(good, (void)0)
OPTION_CASE(good_exemplar, options.explained = COVEY_EXPLAINED_EXEMPLAR)
OPTION_CASE(good_risk, options.explained = COVEY_EXPLAINED_RISK)
OPTION_CASE(good_shapley, (options.method = COVEY_ATTRIBUTION_SHAPLEY, options.permutations = 4))
OPTION_CASE(good_gradients, options.method = COVEY_ATTRIBUTION_GRADIENTS)
OPTION_CASE(size, options.struct_size = 12)
OPTION_CASE(explained_low, options.explained = -1)
OPTION_CASE(explained_high, options.explained = 5)
OPTION_CASE(method_low, options.method = -2)
OPTION_CASE(method_high, options.method = 3)
OPTION_CASE(cluster_low, options.cluster = INT64_MIN)
OPTION_CASE(cluster_high, options.cluster = INT64_MAX)
OPTION_CASE(cluster_of_risk, (options.explained = COVEY_EXPLAINED_RISK, options.cluster = 0))
OPTION_CASE(parts_low, options.largest_parts = 0)
OPTION_CASE(parts_high, options.largest_parts = INT64_MAX)
OPTION_CASE(permutations_low, options.permutations = 2)
OPTION_CASE(permutations_odd, options.permutations = 7)
OPTION_CASE(permutations_high, options.permutations = INT64_MAX)
OPTION_CASE(steps_low, options.largest_steps = 3)
OPTION_CASE(steps_high, options.largest_steps = 4097)
OPTION_CASE(features_flag, options.features = 2)
OPTION_CASE(faithfulness_flag, options.faithfulness = -1)
OPTION_CASE(sensitivity_flag, options.sensitivity = 2)
OPTION_CASE(good_sensitivity, options.sensitivity = 1)
OPTION_CASE(gradients_of_risk, (options.explained = COVEY_EXPLAINED_RISK, options.method = COVEY_ATTRIBUTION_GRADIENTS))

static covey_status null_engine(covey_error **error) {
    covey_explanations *found = NULL;
    good_engine();
    return covey_engine_explain(NULL, NULL, &sample.sequences, &sample.table, NULL, &found, error);
}

static covey_status null_output(covey_error **error) {
    return covey_engine_explain(good_engine(), NULL, &sample.sequences, &sample.table, NULL, NULL, error);
}

static covey_status no_sequences(covey_error **error) {
    good_engine();
    return explain(NULL, &sample.table, NULL, NULL, error);
}

static covey_status no_features(covey_error **error) {
    good_engine();
    return explain(&sample.sequences, NULL, NULL, NULL, error);
}

static covey_status none(covey_error **error) {
    good_engine();
    covey_sequences sequences = sample.sequences;
    covey_table table = sample.table;
    sequences.count = table.rows = 0;
    return explain(&sequences, &table, NULL, NULL, error);
}

static covey_status bad_time(covey_error **error) {
    static const double times[SAMPLE_ROWS * SAMPLE_EVENTS] = {0, NAN};
    good_engine();
    covey_sequences sequences = sample.sequences;
    sequences.times = times;
    return explain(&sequences, &sample.table, NULL, NULL, error);
}

static covey_status bad_amount(covey_error **error) {
    static const double amounts[SAMPLE_ROWS] = {0, INFINITY};
    good_engine();
    covey_column columns[2] = {sample.columns[0], sample.columns[1]};
    covey_table table = sample.table;
    columns[0].values = amounts;
    table.columns = columns;
    return explain(&sample.sequences, &table, NULL, NULL, error);
}

static covey_status bad_category(covey_error **error) {
    static const int32_t countries[SAMPLE_ROWS] = {0, 7};
    good_engine();
    covey_column columns[2] = {sample.columns[0], sample.columns[1]};
    covey_table table = sample.table;
    columns[1].values = countries;
    table.columns = columns;
    return explain(&sample.sequences, &table, NULL, NULL, error);
}

static int32_t stop(void *data, const char *stage, double fraction) {
    (void)data, (void)stage, (void)fraction;
    return 1;
}

static covey_status with_context(covey_context_options options, covey_error **error) {
    covey_context *context = NULL;
    good_engine();
    covey_context_create(&options, &context, NULL);
    covey_status status = explain(&sample.sequences, &sample.table, NULL, context, error);
    covey_context_destroy(context);
    return status;
}

static covey_status cancelled(covey_error **error) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.progress = stop;
    return with_context(options, error);
}

static covey_status over_budget(covey_error **error) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.memory_budget = 1024;
    return with_context(options, error);
}

/* Asks good explanations. */
enum question { GET, EVENTS, FEATURES };

static covey_status ask(enum question question, int64_t transaction, int64_t capacity, int give, covey_error **error) {
    static double numbers[SAMPLE_EVENTS], errors[SAMPLE_EVENTS];
    covey_explanations *found = NULL;
    covey_explanation explanation = COVEY_EXPLANATION_INIT;
    covey_engine_explain(good_engine(), NULL, &sample.sequences, &sample.table, NULL, &found, NULL);
    double *target = give ? numbers : NULL;
    covey_status status =
        question == GET      ? covey_explanations_get(found, transaction, give ? &explanation : NULL, error)
        : question == EVENTS ? covey_explanations_events(found, transaction, target, errors, capacity, error)
                             : covey_explanations_features(found, transaction, target, capacity, error);
    covey_explanations_destroy(found);
    return status;
}

static covey_status get_good(covey_error **error) { return ask(GET, SAMPLE_ROWS - 1, 0, 1, error); }
static covey_status get_low(covey_error **error) { return ask(GET, -1, 0, 1, error); }
static covey_status get_high(covey_error **error) { return ask(GET, SAMPLE_ROWS, 0, 1, error); }
static covey_status get_no_output(covey_error **error) { return ask(GET, 0, 0, 0, error); }
static covey_status get_null(covey_error **error) {
    covey_explanation explanation = COVEY_EXPLANATION_INIT;
    return covey_explanations_get(NULL, 0, &explanation, error);
}
static covey_status events_good(covey_error **error) { return ask(EVENTS, 0, SAMPLE_EVENTS, 1, error); }
static covey_status events_small(covey_error **error) { return ask(EVENTS, 0, 1, 1, error); }
static covey_status events_negative(covey_error **error) { return ask(EVENTS, 0, -1, 1, error); }
static covey_status events_high(covey_error **error) { return ask(EVENTS, INT64_MAX, SAMPLE_EVENTS, 1, error); }
static covey_status events_no_output(covey_error **error) { return ask(EVENTS, 0, SAMPLE_EVENTS, 0, error); }
static covey_status events_null(covey_error **error) {
    double numbers[1];
    return covey_explanations_events(NULL, 0, numbers, NULL, 1, error);
}
static covey_status features_good(covey_error **error) { return ask(FEATURES, 0, 2, 1, error); }
static covey_status features_small(covey_error **error) { return ask(FEATURES, 0, 1, 1, error); }
static covey_status features_no_output(covey_error **error) { return ask(FEATURES, 0, 2, 0, error); }

const abi_case explain_cases[] = {
    {"explain: good", COVEY_OK, "", good},
    {"explain: the exemplar", COVEY_OK, "", good_exemplar},
    {"explain: the risk", COVEY_OK, "", good_risk},
    {"explain: sensitivity", COVEY_OK, "", good_sensitivity},
    {"explain: Shapley values", COVEY_OK, "", good_shapley},
    {"explain: gradients", COVEY_OK, "", good_gradients},
    {"explain: none", COVEY_OK, "", none},
    {"explain: null engine", COVEY_INVALID_ARGUMENT, "engine must not be NULL", null_engine},
    {"explain: null output", COVEY_INVALID_ARGUMENT, "explanations must not be NULL", null_output},
    {"explain: struct_size", COVEY_INVALID_ARGUMENT, "options.struct_size must be", size},
    {"explain: explained too low", COVEY_INVALID_ARGUMENT, "options.explained must be", explained_low},
    {"explain: explained too high", COVEY_INVALID_ARGUMENT, "got 5", explained_high},
    {"explain: method too low", COVEY_INVALID_ARGUMENT, "options.method must be", method_low},
    {"explain: method too high", COVEY_INVALID_ARGUMENT, "got 3", method_high},
    {"explain: cluster too low", COVEY_INVALID_ARGUMENT, "options.cluster must be -1 to", cluster_low},
    {"explain: cluster too high", COVEY_INVALID_ARGUMENT, "got 9223372036854775807", cluster_high},
    {"explain: cluster of a risk", COVEY_INVALID_ARGUMENT, "options.cluster must be -1 if the risk", cluster_of_risk},
    {"explain: no parts", COVEY_INVALID_ARGUMENT, "options.largest_parts must be 1 to 4096, got 0", parts_low},
    {"explain: many parts", COVEY_INVALID_ARGUMENT, "options.largest_parts must be 1 to 4096", parts_high},
    {"explain: few permutations", COVEY_INVALID_ARGUMENT, "permutations must be even, 4 to 65536, got 2",
     permutations_low},
    {"explain: odd permutations", COVEY_INVALID_ARGUMENT, "permutations must be even", permutations_odd},
    {"explain: many permutations", COVEY_INVALID_ARGUMENT, "permutations must be even", permutations_high},
    {"explain: few steps", COVEY_INVALID_ARGUMENT, "largest_steps must be 4 to 4096, got 3", steps_low},
    {"explain: many steps", COVEY_INVALID_ARGUMENT, "largest_steps must be 4 to 4096, got 4097", steps_high},
    {"explain: features", COVEY_INVALID_ARGUMENT, "options.features must be 0 or 1, got 2", features_flag},
    {"explain: faithfulness", COVEY_INVALID_ARGUMENT, "options.faithfulness must be 0 or 1, got -1", faithfulness_flag},
    {"explain: bad sensitivity", COVEY_INVALID_ARGUMENT, "options.sensitivity must be 0 or 1, got 2", sensitivity_flag},
    {"explain: gradients of a risk", COVEY_INVALID_ARGUMENT, "method must not be GRADIENTS", gradients_of_risk},
    {"explain: no sequences", COVEY_MISMATCH, "sequences must not be NULL", no_sequences},
    {"explain: no features", COVEY_MISMATCH, "features must not be NULL", no_features},
    {"explain: times", COVEY_INVALID_DATA, "times[1] must be finite", bad_time},
    {"explain: infinity", COVEY_INVALID_DATA, "column \"amount\", row 1", bad_amount},
    {"explain: category", COVEY_INVALID_DATA, "column \"country\", row 1", bad_category},
    {"explain: cancelled", COVEY_CANCELLED, "cancelled", cancelled},
    {"explain: over budget", COVEY_OUT_OF_MEMORY, "memory budget of 1024", over_budget},
    {"explanations: good", COVEY_OK, "", get_good},
    {"explanations: null", COVEY_INVALID_ARGUMENT, "explanations must not be NULL", get_null},
    {"explanations: too low", COVEY_INVALID_ARGUMENT, "transaction must be 0 to 119, got -1", get_low},
    {"explanations: too high", COVEY_INVALID_ARGUMENT, "transaction must be 0 to 119, got 120", get_high},
    {"explanations: null output", COVEY_INVALID_ARGUMENT, "explanation must not be NULL", get_no_output},
    {"explanations: events", COVEY_OK, "", events_good},
    {"explanations: small capacity", COVEY_BUFFER_TOO_SMALL, "attributions needs a capacity of", events_small},
    {"explanations: negative capacity", COVEY_INVALID_ARGUMENT, "capacity must be at least 0, got -1", events_negative},
    {"explanations: events too high", COVEY_INVALID_ARGUMENT, "transaction must be 0 to 119", events_high},
    {"explanations: null attributions", COVEY_INVALID_ARGUMENT, "attributions must not be NULL", events_no_output},
    {"explanations: events of null", COVEY_INVALID_ARGUMENT, "explanations must not be NULL", events_null},
    {"explanations: features", COVEY_OK, "", features_good},
    {"explanations: features' capacity", COVEY_BUFFER_TOO_SMALL, "attributions needs a capacity of 2, got 1",
     features_small},
    {"explanations: null features", COVEY_INVALID_ARGUMENT, "attributions must not be NULL", features_no_output},
    {NULL, 0, NULL, NULL},
};
