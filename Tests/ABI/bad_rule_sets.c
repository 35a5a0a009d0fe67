#include "rule_sample.h"

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
    reset_sample();
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
    reset_sample();
    return covey_rules_evaluate(NULL, NULL, &table, fired, NULL, error);
}

const abi_case rule_set_cases[] = {
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
