#include "abi_test.h"

/* Forty rows, half of them in the target: a number, a category and a flag. */
enum { rows = 40 };
static double number[rows];
static int32_t code[rows];
static int8_t yes[rows];
static uint8_t target[rows];
static const char *const names[] = {"a", "b"};
static covey_column columns[3];
static covey_table table;
static covey_rules_options options;

static void reset(void) {
    for (int i = 0; i < rows; i++) {
        number[i] = i;
        code[i] = i % 2;
        yes[i] = i % 3 == 0;
        target[i] = i >= 20;
    }
    const covey_column good[3] = {
        {"number", number, 0, NULL, 0, COVEY_NUMERIC, 0},
        {"code", code, 0, names, 2, COVEY_CATEGORICAL, 0},
        {"yes", yes, 0, NULL, 0, COVEY_BOOLEAN, 0},
    };
    memcpy(columns, good, sizeof columns);
    const covey_table whole = COVEY_TABLE_INIT;
    table = whole;
    table.rows = rows;
    table.column_count = 3;
    table.columns = columns;
    const covey_rules_options defaults = COVEY_RULES_OPTIONS_INIT;
    options = defaults;
    options.min_support = 5;
    options.min_lift = 1.5;
}

static covey_status extract(covey_error **error) {
    covey_rules *rules = (covey_rules *)1;
    covey_status status = covey_extract_rules(NULL, &table, target, &options, &rules, error);
    if (status != COVEY_OK && rules != NULL) return COVEY_INTERNAL;
    covey_rules_destroy(rules);
    return status;
}

#define EXTRACT(name, change) \
    static covey_status name(covey_error **error) { \
        reset(); \
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
    reset();
    return covey_extract_rules(NULL, &table, target, &options, NULL, error);
}
static covey_status null_table(covey_error **error) {
    reset();
    covey_rules *rules = NULL;
    return covey_extract_rules(NULL, NULL, target, &options, &rules, error);
}
static covey_status null_target(covey_error **error) {
    reset();
    covey_rules *rules = NULL;
    return covey_extract_rules(NULL, &table, NULL, &options, &rules, error);
}
static covey_status small_budget(covey_error **error) {
    reset();
    covey_context_options choice = COVEY_CONTEXT_OPTIONS_INIT;
    choice.memory_budget = 100;
    covey_context *context = NULL;
    covey_rules *rules = NULL;
    if (covey_context_create(&choice, &context, NULL) != COVEY_OK) return COVEY_INTERNAL;
    covey_status status = covey_extract_rules(context, &table, target, &options, &rules, error);
    covey_context_destroy(context);
    return status;
}

/* What the other functions are called with: one rule on each kind of feature. */
#define HEAD "{\"format_version\":1,\"target\":\"t\",\"confidence\":0.95,\"tried\":1,\"fallen\":0,"
#define FEATURES \
    "\"features\":[{\"name\":\"number\",\"kind\":\"numeric\"},{\"name\":\"code\",\"kind\":\"categorical\"}],"
#define COUNTS "\"search\":{\"rows\":40,\"target\":20},\"unseen\":{\"rows\":40,\"target\":20},"
#define RULE(conditions) \
    "{\"conditions\":[" conditions \
    "],\"search\":{\"matched\":9,\"support\":8},\"unseen\":{\"matched\":9,\"support\":7}}"
#define SET(rules) HEAD FEATURES COUNTS "\"rules\":[" rules "]}"
#define INTERVAL "{\"feature\":\"number\",\"kind\":\"interval\",\"low\":1,\"high\":2}"

static covey_status parse(const char *json, covey_error **error) {
    covey_rules *rules = (covey_rules *)1;
    covey_status status = covey_rules_parse(NULL, json, (int64_t)strlen(json), &rules, error);
    if (status != COVEY_OK && rules != NULL) return COVEY_INTERNAL;
    covey_rules_destroy(rules);
    return status;
}

#define PARSE(name, json) \
    static covey_status name(covey_error **error) { return parse(json, error); }

PARSE(parse_good, SET(RULE(INTERVAL)))
PARSE(parse_empty, "")
PARSE(parse_array, "[]")
PARSE(parse_cut, HEAD FEATURES)
PARSE(parse_invalid, "{\"format_version\":1,\"target\":\"\xff\"}")
PARSE(parse_newer, "{\"format_version\":2}")
PARSE(parse_version, "{\"format_version\":0}")
PARSE(parse_huge_version, "{\"format_version\":1e99}")
PARSE(parse_no_rules, HEAD FEATURES COUNTS "\"other\":1}")
PARSE(parse_kind, SET(RULE("{\"feature\":\"number\",\"kind\":\"like\"}")))
PARSE(parse_feature, SET(RULE(INTERVAL) "," RULE("{\"feature\":\"unknown\",\"kind\":\"missing\"}")))
PARSE(parse_wrong_kind, SET(RULE("{\"feature\":\"code\",\"kind\":\"interval\",\"low\":1}")))
PARSE(parse_order, SET(RULE("{\"feature\":\"number\",\"kind\":\"interval\",\"low\":2,\"high\":1}")))
PARSE(parse_open, SET(RULE("{\"feature\":\"number\",\"kind\":\"interval\"}")))
PARSE(parse_nan, SET(RULE("{\"feature\":\"number\",\"kind\":\"interval\",\"low\":NaN}")))
PARSE(parse_overflow, SET(RULE("{\"feature\":\"number\",\"kind\":\"interval\",\"low\":1e999}")))
PARSE(parse_text, SET(RULE("{\"feature\":\"number\",\"kind\":\"interval\",\"low\":\"1\"}")))
PARSE(parse_no_categories, SET(RULE("{\"feature\":\"code\",\"kind\":\"in\",\"categories\":[]}")))
PARSE(parse_same_category, SET(RULE("{\"feature\":\"code\",\"kind\":\"in\",\"categories\":[\"a\",\"a\"]}")))
PARSE(parse_nul, SET(RULE("{\"feature\":\"code\",\"kind\":\"in\",\"categories\":[\"a\\u0000\"]}")))
PARSE(parse_no_conditions, SET(RULE("")))
PARSE(parse_weights,
      HEAD FEATURES "\"search\":{\"rows\":40,\"target\":20,\"weight\":1e60},\"rules\":[" RULE(INTERVAL) "]}")
PARSE(parse_squares, HEAD FEATURES COUNTS "\"rules\":[{\"conditions\":[" INTERVAL
                                          "],\"search\":{\"matched\":9,\"support\":8,\"squared_weights\":1e300}}]}")
PARSE(parse_counts,
      HEAD FEATURES COUNTS "\"rules\":[{\"conditions\":[" INTERVAL
                           "],\"search\":{\"matched\":3,\"support\":8},\"unseen\":{\"matched\":9,\"support\":7}}]}")
PARSE(parse_negative, HEAD FEATURES "\"search\":{\"rows\":-9223372036854775808,\"target\":-9223372036854775808},"
                                    "\"unseen\":{\"rows\":40,\"target\":20},\"rules\":[]}")
PARSE(parse_same_feature,
      HEAD "\"features\":[{\"name\":\"x\",\"kind\":\"numeric\"},{\"name\":\"x\",\"kind\":\"boolean\"}]," COUNTS
           "\"rules\":[]}")

static covey_status parse_null(covey_error **error) {
    covey_rules *rules = NULL;
    return covey_rules_parse(NULL, NULL, 4, &rules, error);
}
static covey_status parse_negative_length(covey_error **error) {
    covey_rules *rules = NULL;
    return covey_rules_parse(NULL, "{}", -1, &rules, error);
}
static covey_status parse_long(covey_error **error) {
    covey_rules *rules = NULL;
    return covey_rules_parse(NULL, "{}", ((int64_t)64 << 20) + 1, &rules, error);
}
/* A million opening brackets. */
static covey_status parse_deep(covey_error **error) {
    size_t length = 1000000;
    char *json = malloc(length + 1);
    memset(json, '[', length);
    json[length] = 0;
    covey_status status = parse(json, error);
    free(json);
    return status;
}

static covey_status with_rules(covey_status (*call)(const covey_rules *, covey_error **), covey_error **error) {
    const char *json = SET(RULE(INTERVAL ",{\"feature\":\"code\",\"kind\":\"not_in\",\"categories\":[\"a\"]}"));
    covey_rules *rules = NULL;
    if (covey_rules_parse(NULL, json, (int64_t)strlen(json), &rules, NULL) != COVEY_OK) return COVEY_INTERNAL;
    reset();
    covey_status status = call(rules, error);
    covey_rules_destroy(rules);
    return status;
}

#define WITH_RULES(name, body) \
    static covey_status name##_call(const covey_rules *rules, covey_error **error) { body } \
    static covey_status name(covey_error **error) { return with_rules(name##_call, error); }

static uint8_t fired[rows];
static covey_rule_report report;
static covey_condition condition;
WITH_RULES(get_negative, report.struct_size = sizeof report; return covey_rules_get(rules, -1, &report, error);)
WITH_RULES(get_above, report.struct_size = sizeof report; return covey_rules_get(rules, 1, &report, error);)
WITH_RULES(get_null, return covey_rules_get(rules, 0, NULL, error);)
WITH_RULES(get_size, report.struct_size = 3; return covey_rules_get(rules, 0, &report, error);)
WITH_RULES(condition_rule, condition.struct_size = sizeof condition;
           return covey_rules_condition(rules, 7, 0, &condition, error);)
WITH_RULES(condition_index, condition.struct_size = sizeof condition;
           return covey_rules_condition(rules, 0, 2, &condition, error);)
WITH_RULES(condition_null, return covey_rules_condition(rules, 0, 0, NULL, error);)
static covey_status export_with(const covey_rules *rules, int32_t format, const covey_export_options *options,
                                covey_error **error) {
    covey_buffer *text = NULL;
    covey_status status = covey_rules_export(rules, NULL, format, options, &text, error);
    if (status != COVEY_OK && text) abort();
    covey_buffer_destroy(text);
    return status;
}
#define EXPORT(name, format, change) \
    WITH_RULES(name, covey_export_options how = COVEY_EXPORT_OPTIONS_INIT; change; \
               return export_with(rules, format, &how, error);)
WITH_RULES(export_format, return export_with(rules, 77, NULL, error);)
WITH_RULES(export_null, return covey_rules_export(rules, NULL, COVEY_RULES_SQL, NULL, NULL, error);)
EXPORT(export_dialect, COVEY_RULES_SQL, how.dialect = 6)
EXPORT(export_timestamps, COVEY_RULES_SQL, how.timestamps = 2)
EXPORT(export_zone, COVEY_RULES_SQL, how.time_zone = "Europe/Vienna")
EXPORT(export_zone_dialect, COVEY_RULES_SQL, how.time_zone = "Europe/Vienna"; how.timestamps = 1;
       how.dialect = COVEY_SQL_SQLITE)
EXPORT(export_table_empty, COVEY_RULES_SQL, how.table = "")
EXPORT(export_table_utf8, COVEY_RULES_SQL, how.table = "\xff")
EXPORT(export_schema, COVEY_RULES_SQL, how.schema = "public")
EXPORT(export_catalog, COVEY_RULES_SQL, how.table = "rows"; how.catalog = "main")
EXPORT(export_sql_name, COVEY_RULES_SQL, how.name = "rules")
EXPORT(export_c_table, COVEY_RULES_C, how.table = "rows")
EXPORT(export_name, COVEY_RULES_C, how.name = "2rules")
EXPORT(export_name_word, COVEY_RULES_PYTHON, how.name = "class")
EXPORT(export_name_dots, COVEY_RULES_JAVA, how.name = "a..b")
EXPORT(export_name_code, COVEY_RULES_JAVA, how.name = "a;b")
EXPORT(export_size, COVEY_RULES_C, how.struct_size = 3)
WITH_RULES(evaluate_good, return covey_rules_evaluate(rules, NULL, &table, fired, NULL, error);)
WITH_RULES(evaluate_nothing, return covey_rules_evaluate(rules, NULL, &table, NULL, NULL, error);)
WITH_RULES(evaluate_table, return covey_rules_evaluate(rules, NULL, NULL, fired, NULL, error);)
WITH_RULES(evaluate_column, columns[1].name = "other";
           return covey_rules_evaluate(rules, NULL, &table, fired, NULL, error);)
WITH_RULES(evaluate_kind, columns[0].kind = COVEY_CATEGORICAL;
           return covey_rules_evaluate(rules, NULL, &table, fired, NULL, error);)
WITH_RULES(evaluate_infinite, number[5] = INFINITY;
           return covey_rules_evaluate(rules, NULL, &table, fired, NULL, error);)
WITH_RULES(evaluate_code, code[5] = 2; return covey_rules_evaluate(rules, NULL, &table, fired, NULL, error);)
WITH_RULES(evaluate_rows, table.rows = INT64_MAX; return covey_rules_evaluate(rules, NULL, &table, fired, NULL, error);)
static covey_status evaluate_null(covey_error **error) {
    reset();
    return covey_rules_evaluate(NULL, NULL, &table, fired, NULL, error);
}

#define BAD_ARGUMENT COVEY_INVALID_ARGUMENT
#define BAD_DATA COVEY_INVALID_DATA
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
    {"rules: parse a good set", COVEY_OK, "", parse_good},
    {"rules: parse nothing", COVEY_CORRUPT_FILE, "the text", parse_empty},
    {"rules: parse an array", COVEY_CORRUPT_FILE, "the text", parse_array},
    {"rules: parse a part", COVEY_CORRUPT_FILE, "", parse_cut},
    {"rules: parse invalid UTF-8", COVEY_CORRUPT_FILE, "", parse_invalid},
    {"rules: parse a newer version", COVEY_UNSUPPORTED, "format_version is 2", parse_newer},
    {"rules: parse version 0", COVEY_CORRUPT_FILE, "format_version must be at least 1, got 0", parse_version},
    {"rules: parse a huge version", COVEY_CORRUPT_FILE,
     "format_version must be a whole number within 64 bits, got 1e99", parse_huge_version},
    {"rules: parse no rules", COVEY_CORRUPT_FILE, "other: there is no such key here", parse_no_rules},
    {"rules: parse a kind", COVEY_CORRUPT_FILE, "rules[0].conditions[0].kind: \"like\"", parse_kind},
    {"rules: parse a feature", COVEY_CORRUPT_FILE, "rules[1].conditions[0]: the feature \"unknown\"", parse_feature},
    {"rules: parse another kind", COVEY_CORRUPT_FILE, "rules[0].conditions[0]: the feature \"code\" is categorical",
     parse_wrong_kind},
    {"rules: parse low > high", COVEY_CORRUPT_FILE, "rules[0].conditions[0]: low must be below high, got 2.0 and 1.0",
     parse_order},
    {"rules: parse no bound", COVEY_CORRUPT_FILE, "rules[0].conditions[0]: an interval needs", parse_open},
    {"rules: parse NaN", COVEY_CORRUPT_FILE, "", parse_nan},
    {"rules: parse 1e999", COVEY_CORRUPT_FILE, "rules[0].conditions[0].low must be a number that a double holds",
     parse_overflow},
    {"rules: parse a text for a number", COVEY_CORRUPT_FILE, "rules[0].conditions[0].low must be a number", parse_text},
    {"rules: parse no categories", COVEY_CORRUPT_FILE, "rules[0].conditions[0]: categories must not be empty",
     parse_no_categories},
    {"rules: parse a category twice", COVEY_CORRUPT_FILE, "rules[0].conditions[0]: the category \"a\" occurs twice",
     parse_same_category},
    {"rules: parse a NUL", COVEY_CORRUPT_FILE, "rules[0].conditions[0]: categories must not contain a NUL", parse_nul},
    {"rules: parse no conditions", COVEY_CORRUPT_FILE, "rules[0] must have 1 to 64 conditions, got 0",
     parse_no_conditions},
    {"rules: parse weights", COVEY_CORRUPT_FILE, "search: the weights do not fit together", parse_weights},
    {"rules: parse squares", COVEY_CORRUPT_FILE, "rules[0].search: the counts do not fit together", parse_squares},
    {"rules: parse counts", COVEY_CORRUPT_FILE, "rules[0].search: the counts do not fit together", parse_counts},
    {"rules: parse negative rows", COVEY_CORRUPT_FILE, "search: target must be 0 to rows", parse_negative},
    {"rules: parse a feature twice", COVEY_CORRUPT_FILE, "features[1]: the name \"x\" occurs twice",
     parse_same_feature},
    {"rules: parse null", BAD_ARGUMENT, "json must not be NULL", parse_null},
    {"rules: parse length -1", BAD_ARGUMENT, "length must be 0 to", parse_negative_length},
    {"rules: parse too long", BAD_ARGUMENT, "length must be 0 to 67108864, got 67108865", parse_long},
    {"rules: parse deep", COVEY_CORRUPT_FILE, "", parse_deep},
    {"rules: get -1", BAD_ARGUMENT, "rule must be at least 0 and below 1, got -1", get_negative},
    {"rules: get above", BAD_ARGUMENT, "rule must be at least 0 and below 1, got 1", get_above},
    {"rules: get null", BAD_ARGUMENT, "report must not be NULL", get_null},
    {"rules: get struct_size", BAD_ARGUMENT, "report.struct_size must be", get_size},
    {"rules: condition of no rule", BAD_ARGUMENT, "rule must be at least 0 and below 1, got 7", condition_rule},
    {"rules: condition above", BAD_ARGUMENT, "index must be at least 0 and below 2, got 2", condition_index},
    {"rules: condition null", BAD_ARGUMENT, "condition must not be NULL", condition_null},
    {"rules: export format", BAD_ARGUMENT, "format must be a COVEY_RULES_ format, got 77", export_format},
    {"rules: export null", BAD_ARGUMENT, "text must not be NULL", export_null},
    {"rules: export dialect", BAD_ARGUMENT, "options.dialect must be a COVEY_SQL_ dialect, got 6", export_dialect},
    {"rules: export timestamps", BAD_ARGUMENT, "options.timestamps must be 0 or 1, got 2", export_timestamps},
    {"rules: export zone", BAD_ARGUMENT, "options.time_zone needs options.timestamps = 1", export_zone},
    {"rules: export zone dialect", COVEY_UNSUPPORTED, "options.time_zone is for PostgreSQL", export_zone_dialect},
    {"rules: export table empty", BAD_ARGUMENT, "options.table must not be empty", export_table_empty},
    {"rules: export table utf8", BAD_ARGUMENT, "options.table must be valid UTF-8", export_table_utf8},
    {"rules: export schema", BAD_ARGUMENT, "options.schema needs options.table", export_schema},
    {"rules: export catalog", BAD_ARGUMENT, "options.catalog needs options.schema", export_catalog},
    {"rules: export sql name", BAD_ARGUMENT, "options.name is not for SQL and JSON", export_sql_name},
    {"rules: export c table", BAD_ARGUMENT, "are for SQL", export_c_table},
    {"rules: export name", BAD_ARGUMENT, "options.name must be an identifier", export_name},
    {"rules: export name word", BAD_ARGUMENT, "got \"class\"", export_name_word},
    {"rules: export name dots", BAD_ARGUMENT, "got \"a..b\"", export_name_dots},
    {"rules: export name code", BAD_ARGUMENT, "got \"a;b\"", export_name_code},
    {"rules: export size", BAD_ARGUMENT, "options.struct_size must be", export_size},
    {"rules: evaluate", COVEY_OK, "", evaluate_good},
    {"rules: evaluate into nothing", COVEY_OK, "", evaluate_nothing},
    {"rules: evaluate null", BAD_ARGUMENT, "rules must not be NULL", evaluate_null},
    {"rules: evaluate no table", BAD_ARGUMENT, "features must not be NULL", evaluate_table},
    {"rules: evaluate without a column", COVEY_MISMATCH, "\"code\"", evaluate_column},
    {"rules: evaluate another kind", COVEY_MISMATCH, "\"number\"", evaluate_kind},
    {"rules: evaluate infinity", BAD_DATA, "column \"number\", row 5: must not be infinite", evaluate_infinite},
    {"rules: evaluate a code", BAD_DATA, "column \"code\", row 5: code must be", evaluate_code},
    {"rules: evaluate overflowing rows", BAD_ARGUMENT, "features.rows must be 0 to", evaluate_rows},
    {NULL, 0, NULL, NULL},
};
