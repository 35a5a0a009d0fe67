#include "counterfactual_sample.h"

static engine_sample sample;
static covey_engine *engine;
static one_transaction given;
static covey_counterfactuals *found;

/* Everything is made once, and lives as long as the program. */
static void prepare(void) {
    if (engine != NULL) return;
    make_sample(&sample, 1);
    engine = make_feature_engine(&sample);
    take_transaction(&given, &sample, RISKY_ROW);
    covey_counterfactuals_find(engine, NULL, &given.sequences, &given.table, NULL, &found, NULL);
}

static covey_status find(const covey_context *context, const one_transaction *one,
                         const covey_counterfactual_options *options, covey_error **error) {
    covey_counterfactuals *result = (covey_counterfactuals *)1;
    covey_status status =
        covey_counterfactuals_find(engine, context, &one->sequences, &one->table, options, &result, error);
    if (status != COVEY_OK && result != NULL) return COVEY_INTERNAL;
    covey_counterfactuals_destroy(result);
    return status;
}

#define OPTIONS_CASE(name, change) \
    static covey_status name(covey_error **error) { \
        prepare(); \
        covey_counterfactual_options options = COVEY_COUNTERFACTUAL_OPTIONS_INIT; \
        change; \
        return find(NULL, &given, &options, error); \
    }

#define LIMIT_CASE(name, column, change) \
    static covey_status name(covey_error **error) { \
        prepare(); \
        covey_counterfactual_options options = COVEY_COUNTERFACTUAL_OPTIONS_INIT; \
        covey_change_limit limit = {column, 1, 0, 0, NULL, 0, 0, 0, 0, 0}; \
        options.limits = &limit; \
        options.limit_count = 1; \
        change; \
        return find(NULL, &given, &options, error); \
    }

static const double not_a_number = 0.0 / 0.0, infinite = 1.0 / 0.0;
static const char *const twice[2] = {"NL", "NL"};
static const char *const null_name[1] = {NULL};

OPTIONS_CASE(options_good, (void)0)
OPTIONS_CASE(options_size, options.struct_size = 12)
OPTIONS_CASE(limit_size_small, options.limit_size = 8)
OPTIONS_CASE(limit_size_odd, options.limit_size = 70)
OPTIONS_CASE(limits_null, options.limit_count = 1)
OPTIONS_CASE(limits_many, options.limit_count = 65537)
OPTIONS_CASE(limits_negative, options.limit_count = -1)
OPTIONS_CASE(goal_unknown, options.goal = 8)
OPTIONS_CASE(goal_negative, options.goal = -1)
OPTIONS_CASE(below_missing, options.goal = COVEY_GOAL_RISK_BELOW)
OPTIONS_CASE(below_nan, (options.goal = COVEY_GOAL_RISK_BELOW, options.risk_below = not_a_number))
OPTIONS_CASE(below_high, (options.goal = COVEY_GOAL_RISK_BELOW, options.risk_below = 1.5))
OPTIONS_CASE(below_alone, options.risk_below = 0.5)
OPTIONS_CASE(answers_none, options.answers = 0)
OPTIONS_CASE(answers_many, options.answers = 101)
OPTIONS_CASE(changes_negative, options.max_changes = -1)
OPTIONS_CASE(removed_negative, options.max_removed = -1)
OPTIONS_CASE(event_cost_zero, options.event_cost = 0)
OPTIONS_CASE(event_cost_nan, options.event_cost = not_a_number)
OPTIONS_CASE(evaluations_few, options.max_evaluations = 99)
OPTIONS_CASE(evaluations_many, options.max_evaluations = 1000001)
OPTIONS_CASE(others_two, options.others_immutable = 2)

LIMIT_CASE(limit_good, "amount", (limit.high = 400, limit.has_high = 1))
LIMIT_CASE(limit_no_name, NULL, (void)0)
LIMIT_CASE(limit_unknown, "colour", (void)0)
LIMIT_CASE(limit_cost_nan, "amount", limit.cost = not_a_number)
LIMIT_CASE(limit_cost_zero, "amount", limit.cost = 0)
LIMIT_CASE(limit_cost_infinite, "amount", limit.cost = infinite)
LIMIT_CASE(limit_low_nan, "amount", (limit.low = not_a_number, limit.has_low = 1))
LIMIT_CASE(limit_high_infinite, "amount", (limit.high = infinite, limit.has_high = 1))
LIMIT_CASE(limit_contradiction, "amount", (limit.low = 5, limit.high = 3, limit.has_low = limit.has_high = 1))
LIMIT_CASE(limit_flag, "amount", limit.has_low = 2)
LIMIT_CASE(limit_immutable_flag, "amount", limit.immutable = -1)
LIMIT_CASE(limit_immutable_bounds, "amount", (limit.immutable = limit.has_low = 1))
LIMIT_CASE(limit_reserved, "amount", limit.reserved = 1)
LIMIT_CASE(limit_category_bounds, "country", limit.has_low = 1)
LIMIT_CASE(limit_number_categories, "amount", (limit.categories = sample_countries, limit.category_count = 3))
LIMIT_CASE(limit_categories_null, "country", limit.category_count = 2)
LIMIT_CASE(limit_categories_twice, "country", (limit.categories = twice, limit.category_count = 2))
LIMIT_CASE(limit_categories_name, "country", (limit.categories = null_name, limit.category_count = 1))

static covey_status limit_twice(covey_error **error) {
    prepare();
    covey_counterfactual_options options = COVEY_COUNTERFACTUAL_OPTIONS_INIT;
    covey_change_limit limits[2] = {{"amount", 1, 0, 0, NULL, 0, 0, 0, 0, 0}, {"amount", 2, 0, 0, NULL, 0, 0, 0, 0, 0}};
    options.limits = limits;
    options.limit_count = 2;
    return find(NULL, &given, &options, error);
}

#define INPUT_CASE(name, change) \
    static covey_status name(covey_error **error) { \
        prepare(); \
        one_transaction one = given; \
        change; \
        return find(NULL, &one, NULL, error); \
    }

static int64_t three_offsets[3];

INPUT_CASE(two_transactions, (one.table.rows = one.sequences.count = 2, three_offsets[0] = three_offsets[1] = 0,
                              three_offsets[2] = 1, one.sequences.offsets = three_offsets))
INPUT_CASE(no_transaction, one.table.rows = one.sequences.count = 0)
INPUT_CASE(other_rows, one.table.rows = 0)
INPUT_CASE(missing_column, one.table.column_count = 1)

static covey_status no_engine(covey_error **error) {
    covey_counterfactuals *result = NULL;
    return covey_counterfactuals_find(NULL, NULL, NULL, NULL, NULL, &result, error);
}

static covey_status no_result(covey_error **error) {
    prepare();
    return covey_counterfactuals_find(engine, NULL, &given.sequences, &given.table, NULL, NULL, error);
}

static covey_status no_inputs(covey_error **error) {
    prepare();
    covey_counterfactuals *result = NULL;
    return covey_counterfactuals_find(engine, NULL, NULL, NULL, NULL, &result, error);
}

static int32_t stop(void *user_data, const char *stage, double fraction) {
    (void)user_data, (void)stage, (void)fraction;
    return 1;
}

static covey_status with_context(uint64_t budget, covey_progress_fn progress, covey_error **error) {
    prepare();
    covey_context *context = NULL;
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.memory_budget = budget;
    options.progress = progress;
    covey_context_create(&options, &context, NULL);
    covey_status status = find(context, &given, NULL, error);
    covey_context_destroy(context);
    return status;
}

static covey_status cancelled(covey_error **error) { return with_context(0, stop, error); }
static covey_status over_budget(covey_error **error) { return with_context(1024, NULL, error); }

#define GET_CASE(name, expression) \
    static covey_status name(covey_error **error) { \
        prepare(); \
        covey_counterfactual answer = COVEY_COUNTERFACTUAL_INIT; \
        covey_change change = COVEY_CHANGE_INIT; \
        int64_t events[4] = {0}; \
        (void)answer, (void)change, (void)events; \
        return expression; \
    }

GET_CASE(get_good, covey_counterfactuals_get(found, 0, &answer, error))
GET_CASE(get_null, covey_counterfactuals_get(NULL, 0, &answer, error))
GET_CASE(get_low, covey_counterfactuals_get(found, -1, &answer, error))
GET_CASE(get_high, covey_counterfactuals_get(found, 50, &answer, error))
GET_CASE(get_no_output, covey_counterfactuals_get(found, 0, NULL, error))
GET_CASE(get_size, (answer.struct_size = 4, covey_counterfactuals_get(found, 0, &answer, error)))
GET_CASE(change_low, covey_counterfactuals_change(found, 0, -1, &change, error))
GET_CASE(change_high, covey_counterfactuals_change(found, 0, 9, &change, error))
GET_CASE(change_answer, covey_counterfactuals_change(found, 50, 0, &change, error))
GET_CASE(change_size, (change.struct_size = 9, covey_counterfactuals_change(found, 0, 0, &change, error)))
GET_CASE(removed_capacity, covey_counterfactuals_removed(found, 0, events, -1, error))
GET_CASE(removed_answer, covey_counterfactuals_removed(found, -1, events, 4, error))

static covey_status profile_of(const covey_engine *of, int64_t cluster, covey_error **error) {
    covey_buffer *text = NULL;
    covey_status status = covey_engine_profile(of, NULL, cluster, &text, error);
    if (status == COVEY_OK && strstr(covey_buffer_data(text), "not_known") == NULL) status = COVEY_INTERNAL;
    covey_buffer_destroy(text);
    return status;
}

GET_CASE(profile_good, profile_of(engine, 0, error))
GET_CASE(profile_null, profile_of(NULL, 0, error))
GET_CASE(profile_low, profile_of(engine, -1, error))
GET_CASE(profile_high, profile_of(engine, INT64_MAX, error))
GET_CASE(profile_no_output, covey_engine_profile(engine, NULL, 0, NULL, error))

const abi_case counterfactual_cases[] = {
    {"profile: good", COVEY_OK, "", profile_good},
    {"profile: null engine", COVEY_INVALID_ARGUMENT, "engine must not be NULL", profile_null},
    {"profile: too low", COVEY_INVALID_ARGUMENT, "cluster must be 0 to 2, got -1", profile_low},
    {"profile: too high", COVEY_INVALID_ARGUMENT, "cluster must be 0 to 2", profile_high},
    {"profile: null output", COVEY_INVALID_ARGUMENT, "text must not be NULL", profile_no_output},
    {"counterfactuals: good", COVEY_OK, "", options_good},
    {"counterfactuals: struct_size", COVEY_INVALID_ARGUMENT, "options.struct_size must be", options_size},
    {"counterfactuals: small limits", COVEY_INVALID_ARGUMENT, "options.limit_size must be 64 to 4096",
     limit_size_small},
    {"counterfactuals: odd limits", COVEY_INVALID_ARGUMENT, "multiple of 8, got 70", limit_size_odd},
    {"counterfactuals: null limits", COVEY_INVALID_ARGUMENT, "options.limits must not be NULL", limits_null},
    {"counterfactuals: many limits", COVEY_INVALID_ARGUMENT, "options.limit_count must be 0 to 65536", limits_many},
    {"counterfactuals: negative limits", COVEY_INVALID_ARGUMENT, "got -1", limits_negative},
    {"counterfactuals: unknown goal", COVEY_INVALID_ARGUMENT, "options.goal must be a sum of COVEY_GOAL_ values, got 8",
     goal_unknown},
    {"counterfactuals: negative goal", COVEY_INVALID_ARGUMENT, "options.goal", goal_negative},
    {"counterfactuals: no threshold", COVEY_INVALID_ARGUMENT, "options.risk_below must be above 0", below_missing},
    {"counterfactuals: threshold NaN", COVEY_INVALID_ARGUMENT, "options.risk_below", below_nan},
    {"counterfactuals: high threshold", COVEY_INVALID_ARGUMENT, "at most 1, got 1.5", below_high},
    {"counterfactuals: threshold alone", COVEY_INVALID_ARGUMENT, "without COVEY_GOAL_RISK_BELOW", below_alone},
    {"counterfactuals: no answers", COVEY_INVALID_ARGUMENT, "options.answers must be 1 to 100, got 0", answers_none},
    {"counterfactuals: many answers", COVEY_INVALID_ARGUMENT, "options.answers", answers_many},
    {"counterfactuals: negative changes", COVEY_INVALID_ARGUMENT, "options.max_changes", changes_negative},
    {"counterfactuals: negative removed", COVEY_INVALID_ARGUMENT, "options.max_removed", removed_negative},
    {"counterfactuals: event cost 0", COVEY_INVALID_ARGUMENT, "options.event_cost must be finite and above 0",
     event_cost_zero},
    {"counterfactuals: event cost NaN", COVEY_INVALID_ARGUMENT, "options.event_cost", event_cost_nan},
    {"counterfactuals: few evaluations", COVEY_INVALID_ARGUMENT, "options.max_evaluations", evaluations_few},
    {"counterfactuals: many evaluations", COVEY_INVALID_ARGUMENT, "options.max_evaluations", evaluations_many},
    {"counterfactuals: others", COVEY_INVALID_ARGUMENT, "options.others_immutable must be 0 or 1", others_two},
    {"limit: good", COVEY_OK, "", limit_good},
    {"limit: no name", COVEY_INVALID_ARGUMENT, "options.limits[0].name must not be NULL", limit_no_name},
    {"limit: unknown feature", COVEY_MISMATCH, "the engine has no feature colour", limit_unknown},
    {"limit: cost NaN", COVEY_INVALID_ARGUMENT, "(amount): cost must be finite and above 0, got nan", limit_cost_nan},
    {"limit: cost 0", COVEY_INVALID_ARGUMENT, "cost must be finite and above 0", limit_cost_zero},
    {"limit: cost infinite", COVEY_INVALID_ARGUMENT, "cost must be finite and above 0", limit_cost_infinite},
    {"limit: low NaN", COVEY_INVALID_ARGUMENT, "low must be finite, got nan", limit_low_nan},
    {"limit: high infinite", COVEY_INVALID_ARGUMENT, "high must be finite, got inf", limit_high_infinite},
    {"limit: contradiction", COVEY_INVALID_ARGUMENT, "low must be at most high, got 5.0 and 3.0", limit_contradiction},
    {"limit: flag", COVEY_INVALID_ARGUMENT, "has_low must be 0 or 1, got 2", limit_flag},
    {"limit: immutable flag", COVEY_INVALID_ARGUMENT, "immutable must be 0 or 1, got -1", limit_immutable_flag},
    {"limit: immutable with bounds", COVEY_INVALID_ARGUMENT, "it is immutable", limit_immutable_bounds},
    {"limit: reserved", COVEY_INVALID_ARGUMENT, "reserved must be 0, got 1", limit_reserved},
    {"limit: bounds of categories", COVEY_INVALID_ARGUMENT, "low and high are for numbers", limit_category_bounds},
    {"limit: categories of a number", COVEY_INVALID_ARGUMENT, "categories are for a categorical feature",
     limit_number_categories},
    {"limit: null categories", COVEY_INVALID_ARGUMENT, "categories must not be NULL", limit_categories_null},
    {"limit: repeated category", COVEY_INVALID_ARGUMENT, "the category NL occurs twice", limit_categories_twice},
    {"limit: null category", COVEY_INVALID_ARGUMENT, "categories[0] must not be NULL", limit_categories_name},
    {"limit: repeated feature", COVEY_INVALID_ARGUMENT, "options.limits[1]: the feature amount occurs twice",
     limit_twice},
    {"counterfactuals: two transactions", COVEY_MISMATCH, "one transaction must be given, got 2", two_transactions},
    {"counterfactuals: no transaction", COVEY_MISMATCH, "one transaction must be given, got 0", no_transaction},
    {"counterfactuals: rows differ", COVEY_MISMATCH, "features have 0 rows", other_rows},
    {"counterfactuals: missing column", COVEY_MISMATCH, "no column \"country\"", missing_column},
    {"counterfactuals: null engine", COVEY_INVALID_ARGUMENT, "engine must not be NULL", no_engine},
    {"counterfactuals: null output", COVEY_INVALID_ARGUMENT, "result must not be NULL", no_result},
    {"counterfactuals: no inputs", COVEY_MISMATCH, "sequences must not be NULL", no_inputs},
    {"counterfactuals: cancelled", COVEY_CANCELLED, "cancelled", cancelled},
    {"counterfactuals: over budget", COVEY_OUT_OF_MEMORY, "memory budget of 1024", over_budget},
    {"counterfactual: good", COVEY_OK, "", get_good},
    {"counterfactual: null", COVEY_INVALID_ARGUMENT, "result must not be NULL", get_null},
    {"counterfactual: too low", COVEY_INVALID_ARGUMENT, "answer must be at least 0", get_low},
    {"counterfactual: too high", COVEY_INVALID_ARGUMENT, "got 50", get_high},
    {"counterfactual: null output", COVEY_INVALID_ARGUMENT, "counterfactual must not be NULL", get_no_output},
    {"counterfactual: struct_size", COVEY_INVALID_ARGUMENT, "counterfactual.struct_size must be", get_size},
    {"change: too low", COVEY_INVALID_ARGUMENT, "index must be at least 0", change_low},
    {"change: too high", COVEY_INVALID_ARGUMENT, "got 9", change_high},
    {"change: no answer", COVEY_INVALID_ARGUMENT, "answer must be at least 0", change_answer},
    {"change: struct_size", COVEY_INVALID_ARGUMENT, "change.struct_size must be", change_size},
    {"removed: capacity", COVEY_INVALID_ARGUMENT, "capacity must be at least 0, got -1", removed_capacity},
    {"removed: no answer", COVEY_INVALID_ARGUMENT, "answer must be at least 0", removed_answer},
    {NULL, 0, NULL, NULL},
};
