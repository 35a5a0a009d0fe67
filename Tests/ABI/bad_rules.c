#include "rule_sample.h"

static covey_status extract(covey_error **error) {
    covey_rules *rules = (covey_rules *)1;
    covey_status status = covey_extract_rules(NULL, &table, target, &options, &rules, error);
    if (status != COVEY_OK && rules != NULL) return COVEY_INTERNAL;
    covey_rules_destroy(rules);
    return status;
}

#define EXTRACT(name, change) \
    static covey_status name(covey_error **error) { \
        reset_sample(); \
        change; \
        return extract(error); \
    }

EXTRACT(good, (void)0)
EXTRACT(no_columns, table.column_count = 0)
EXTRACT(negative_rows, table.rows = -1)
EXTRACT(overflowing_rows, table.rows = INT64_MAX)
EXTRACT(too_many_columns, table.column_count = 65537)
EXTRACT(column_size, table.column_size = 1)
EXTRACT(null_columns, table.columns = NULL)
EXTRACT(null_name, columns[1].name = NULL)
EXTRACT(empty_name, columns[1].name = "")
EXTRACT(invalid_name, columns[1].name = "\xff")
EXTRACT(duplicate_name, columns[2].name = "number")
EXTRACT(null_values, columns[0].values = NULL)
EXTRACT(bad_kind, columns[0].kind = 9)
EXTRACT(bad_stride, columns[0].stride = 3)
EXTRACT(null_categories, columns[1].categories = NULL)
EXTRACT(negative_categories, columns[1].category_count = -1)
EXTRACT(huge_categories, columns[1].category_count = (int64_t)1 << 31)
EXTRACT(infinite, number[7] = -INFINITY)
EXTRACT(code_above, code[3] = 2)
EXTRACT(code_below, code[3] = -2)
EXTRACT(flag_value, yes[9] = 2)
EXTRACT(target_value, target[11] = 2)
EXTRACT(target_all, memset(target, 1, sizeof target))
EXTRACT(target_none, memset(target, 0, sizeof target))
EXTRACT(no_rows, table.rows = 0)
EXTRACT(one_row, table.rows = 1)
EXTRACT(constant, for (int i = 0; i < rows; i++) number[i] = code[i] = yes[i] = 0)
EXTRACT(
    all_missing, for (int i = 0; i < rows; i++) {
        number[i] = NAN;
        code[i] = -1;
        yes[i] = -1;
    })
EXTRACT(huge_numbers, for (int i = 0; i < rows; i++) number[i] = i % 2 ? 1.7e308 : -1.7e308)
EXTRACT(tiny_numbers, for (int i = 0; i < rows; i++) number[i] = i * 5e-324)
EXTRACT(small_target, options.min_support = 1000)
EXTRACT(lift_out_of_reach, options.min_lift = 1e300)
EXTRACT(conditions_0, options.max_conditions = 0)
EXTRACT(conditions_9, options.max_conditions = 9)
EXTRACT(rules_0, options.max_rules = 0)
EXTRACT(support_0, options.min_support = 0)
EXTRACT(precision_nan, options.min_precision = NAN)
EXTRACT(precision_high, options.min_precision = 1.5)
EXTRACT(lift_negative, options.min_lift = -1)
EXTRACT(bins_1, options.max_bins = 1)
EXTRACT(bins_255, options.max_bins = 255)
EXTRACT(beam_0, options.beam_width = 0)
EXTRACT(beam_huge, options.beam_width = INT64_MAX)
EXTRACT(holdout_0, options.held_out = 0)
EXTRACT(holdout_nan, options.held_out = NAN)
EXTRACT(confidence_1, options.confidence = 1)
EXTRACT(size_0, options.struct_size = 0)
EXTRACT(name_invalid, options.target_name = "\xc3")
static double times[rows];
EXTRACT(time_nan, memset(times, 0, sizeof times); times[4] = NAN; options.times = times)
EXTRACT(equal_times, memset(times, 0, sizeof times); options.times = times)

static covey_status null_output(covey_error **error) {
    reset_sample();
    return covey_extract_rules(NULL, &table, target, &options, NULL, error);
}
static covey_status null_table(covey_error **error) {
    reset_sample();
    covey_rules *rules = NULL;
    return covey_extract_rules(NULL, NULL, target, &options, &rules, error);
}
static covey_status null_target(covey_error **error) {
    reset_sample();
    covey_rules *rules = NULL;
    return covey_extract_rules(NULL, &table, NULL, &options, &rules, error);
}
static covey_status small_budget(covey_error **error) {
    reset_sample();
    covey_context_options choice = COVEY_CONTEXT_OPTIONS_INIT;
    choice.memory_budget = 100;
    covey_context *context = NULL;
    covey_rules *rules = NULL;
    if (covey_context_create(&choice, &context, NULL) != COVEY_OK) return COVEY_INTERNAL;
    covey_status status = covey_extract_rules(context, &table, target, &options, &rules, error);
    covey_context_destroy(context);
    return status;
}

const abi_case rules_cases[] = {
    {"rules: good", COVEY_OK, "", good},
    {"rules: null output", BAD_ARGUMENT, "rules must not be NULL", null_output},
    {"rules: null table", BAD_ARGUMENT, "features must not be NULL", null_table},
    {"rules: null target", BAD_ARGUMENT, "target must not be NULL", null_target},
    {"rules: no columns", COVEY_OK, "", no_columns},
    {"rules: negative rows", BAD_ARGUMENT, "features.rows must be 0 to", negative_rows},
    {"rules: overflowing rows", BAD_ARGUMENT, "features.rows must be 0 to", overflowing_rows},
    {"rules: too many columns", BAD_ARGUMENT, "features.column_count must be 0 to 65536, got 65537", too_many_columns},
    {"rules: column size", BAD_ARGUMENT, "features.column_size", column_size},
    {"rules: null columns", BAD_ARGUMENT, "features.columns must not be NULL", null_columns},
    {"rules: null name", BAD_ARGUMENT, "features.columns[1].name must not be NULL", null_name},
    {"rules: empty name", BAD_ARGUMENT, "name must not be empty", empty_name},
    {"rules: invalid name", BAD_ARGUMENT, "features.columns[1].name must be valid UTF-8", invalid_name},
    {"rules: duplicate name", BAD_DATA, "\"number\" occurs twice", duplicate_name},
    {"rules: null values", BAD_ARGUMENT, "features.columns[0].values must not be NULL", null_values},
    {"rules: column kind", BAD_ARGUMENT, "features.columns[0].kind", bad_kind},
    {"rules: column stride", BAD_ARGUMENT, "features.columns[0].values stride", bad_stride},
    {"rules: null categories", BAD_ARGUMENT, "features.columns[1].categories must not be NULL", null_categories},
    {"rules: negative categories", BAD_ARGUMENT, "features.columns[1].category_count", negative_categories},
    {"rules: huge categories", BAD_ARGUMENT, "features.columns[1].category_count", huge_categories},
    {"rules: infinite value", BAD_DATA, "column \"number\", row 7: must not be infinite, got -inf", infinite},
    {"rules: code above", BAD_DATA, "column \"code\", row 3: code must be -1 to 1, got 2", code_above},
    {"rules: code below", BAD_DATA, "column \"code\", row 3: code must be -1 to 1, got -2", code_below},
    {"rules: boolean value", BAD_DATA, "column \"yes\", row 9: must be -1, 0 or 1, got 2", flag_value},
    {"rules: target value", BAD_DATA, "target[11] must be 0 or 1, got 2", target_value},
    {"rules: target of all rows", BAD_DATA, "target must have rows of both classes, got 40", target_all},
    {"rules: target of no rows", BAD_DATA, "target must have rows of both classes, got 0", target_none},
    {"rules: no rows", BAD_DATA, "target must have rows of both classes", no_rows},
    {"rules: one row", BAD_DATA, "target must have rows of both classes", one_row},
    {"rules: constant features", COVEY_OK, "", constant},
    {"rules: all missing", COVEY_OK, "", all_missing},
    {"rules: huge numbers", COVEY_OK, "", huge_numbers},
    {"rules: tiny numbers", COVEY_OK, "", tiny_numbers},
    {"rules: target below min_support", COVEY_OK, "", small_target},
    {"rules: lift out of reach", COVEY_OK, "", lift_out_of_reach},
    {"rules: max_conditions 0", BAD_ARGUMENT, "options.max_conditions must be 1 to 8, got 0", conditions_0},
    {"rules: max_conditions 9", BAD_ARGUMENT, "options.max_conditions must be 1 to 8, got 9", conditions_9},
    {"rules: max_rules 0", BAD_ARGUMENT, "options.max_rules must be 1 to 1000, got 0", rules_0},
    {"rules: min_support 0", BAD_ARGUMENT, "options.min_support must be at least 1, got 0", support_0},
    {"rules: min_precision NaN", BAD_ARGUMENT, "options.min_precision must be 0.0 to 1.0, got nan", precision_nan},
    {"rules: min_precision 1.5", BAD_ARGUMENT, "options.min_precision must be 0.0 to 1.0, got 1.5", precision_high},
    {"rules: min_lift -1", BAD_ARGUMENT, "options.min_lift must be finite and at least 0, got -1", lift_negative},
    {"rules: max_bins 1", BAD_ARGUMENT, "options.max_bins must be 2 to 254, got 1", bins_1},
    {"rules: max_bins 255", BAD_ARGUMENT, "options.max_bins must be 2 to 254, got 255", bins_255},
    {"rules: beam_width 0", BAD_ARGUMENT, "options.beam_width must be 1 to 10000, got 0", beam_0},
    {"rules: beam_width huge", BAD_ARGUMENT, "options.beam_width must be 1 to 10000, got 9223", beam_huge},
    {"rules: held_out 0", BAD_ARGUMENT, "options.held_out must be 0.05 to 0.95, got 0", holdout_0},
    {"rules: held_out NaN", BAD_ARGUMENT, "options.held_out must be 0.05 to 0.95, got nan", holdout_nan},
    {"rules: confidence 1", BAD_ARGUMENT, "options.confidence must be 0.5 to 0.9999, got 1", confidence_1},
    {"rules: options.struct_size 0", BAD_ARGUMENT, "options.struct_size must be", size_0},
    {"rules: target_name", BAD_ARGUMENT, "options.target_name must be valid UTF-8", name_invalid},
    {"rules: time NaN", BAD_DATA, "options.times[4] must be finite, got nan", time_nan},
    {"rules: equal times", COVEY_OK, "", equal_times},
    {"rules: memory budget", COVEY_OUT_OF_MEMORY, "above the memory budget of 100", small_budget},
    {NULL, 0, NULL, NULL},
};
