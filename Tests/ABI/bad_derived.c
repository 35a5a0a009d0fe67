/* Dates, pairs of columns, and tables that would take too much if they were taken at their word. */
#include "abi_test.h"

#include <sys/mman.h>

/* Valgrind counts every byte: there a smaller number has to do. */
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define SLOW RUNNING_ON_VALGRIND
#else
#define SLOW 0
#endif

enum { rows = 400 };
static double opened[rows], paid[rows], number[rows], other[rows];
static int32_t code[rows];
static uint8_t target[rows];
static const char *const names[] = {"a", "b"};
static covey_column columns[5];
static covey_table table;
static covey_feature_pair pairs[2];
static covey_rules_options options;

static void reset(void) {
    for (int i = 0; i < rows; i++) {
        opened[i] = 1e9 + 86400.0 * i;
        paid[i] = 2e9 + 3600.0 * i;
        number[i] = i;
        other[i] = i % 7;
        code[i] = i % 2;
        target[i] = i % 24 < 8;
    }
    const covey_column good[5] = {
        {"opened", opened, 0, NULL, 0, COVEY_DATE, 0},     {"paid", paid, 0, NULL, 0, COVEY_DATE, 0},
        {"number", number, 0, NULL, 0, COVEY_NUMERIC, 0},  {"other", other, 0, NULL, 0, COVEY_NUMERIC, 0},
        {"code", code, 0, names, 2, COVEY_CATEGORICAL, 0},
    };
    memcpy(columns, good, sizeof columns);
    const covey_table whole = COVEY_TABLE_INIT;
    table = whole;
    table.rows = rows;
    table.column_count = 5;
    table.columns = columns;
    const covey_feature_pair both[2] = {{"number", "other", COVEY_DERIVED_RATIO, 0},
                                        {"number", "other", COVEY_DERIVED_DIFFERENCE, 0}};
    memcpy(pairs, both, sizeof pairs);
    const covey_rules_options defaults = COVEY_RULES_OPTIONS_INIT;
    options = defaults;
    options.age_to = "paid";
    options.pairs = pairs;
    options.pair_count = 2;
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
EXTRACT(missing_dates, for (int i = 0; i < rows; i++) opened[i] = NAN)
EXTRACT(all_zero, for (int i = 0; i < rows; i++) other[i] = i % 2 ? 0.0 : -0.0)
EXTRACT(
    overflow, for (int i = 0; i < rows; i++) {
        number[i] = 1.7e308;
        other[i] = i % 2 ? -1.7e308 : 5e-324;
    })
EXTRACT(far_date, opened[7] = 8.7e12)
EXTRACT(infinite_date, paid[7] = -INFINITY)
EXTRACT(infinite_pair, other[7] = INFINITY)
EXTRACT(age_unknown, options.age_to = "closed")
EXTRACT(age_number, options.age_to = "number")
EXTRACT(age_invalid, options.age_to = "\xff")
EXTRACT(pair_unknown, pairs[1].second = "none")
EXTRACT(pair_category, pairs[0].first = "code")
EXTRACT(pair_date, pairs[0].first = "paid")
EXTRACT(pair_null, pairs[0].first = NULL)
EXTRACT(pair_kind, pairs[1].kind = COVEY_DERIVED_HOUR)
EXTRACT(pair_reserved, pairs[1].reserved = 1)
EXTRACT(pair_twice, pairs[1] = pairs[0])
EXTRACT(pair_itself, pairs[0].second = "number")
EXTRACT(pairs_null, options.pairs = NULL)
EXTRACT(pairs_negative, options.pair_count = -1)
EXTRACT(pairs_many, options.pair_count = 65537)
EXTRACT(same_name, columns[3].name = "number / x"; columns[4].name = "hour of paid")

static covey_rule_feature said[2];
static void say(const char *first, int32_t use, const char *second, int32_t other_use, int32_t direction) {
    const covey_rule_feature both[2] = {{sizeof *said, first, use, direction}, {sizeof *said, second, other_use, 0}};
    memcpy(said, both, sizeof said);
    options.features = said;
    options.feature_count = 2;
}
EXTRACT(date_direction, say("opened", COVEY_FEATURE_FREE, "number", COVEY_FEATURE_FREE, COVEY_DIRECTION_MORE))
EXTRACT(date_twice, say("opened", COVEY_FEATURE_FREE, "opened", COVEY_FEATURE_FREE, 0))
EXTRACT(hour_direction,
        say("hour of opened", COVEY_FEATURE_FREE, "paid", COVEY_FEATURE_FORBIDDEN, COVEY_DIRECTION_MORE))
EXTRACT(sensitive_hour, say("hour of opened", COVEY_FEATURE_FREE, "opened", COVEY_FEATURE_SENSITIVE, 0))

/* What is derived of a forbidden or sensitive column is in no rule: the target is nothing but the hour of `paid`. */
static covey_status hidden(covey_error **error, int32_t use, const char *column, int64_t least, int64_t most) {
    reset();
    say(column, use, "code", COVEY_FEATURE_FREE, 0);
    covey_rules *rules = NULL;
    covey_status status = covey_extract_rules(NULL, &table, target, &options, &rules, error);
    int64_t count = 0;
    for (int64_t rule = 0; rule < covey_rules_count(rules); rule++) {
        covey_rule_report report = COVEY_RULE_REPORT_INIT;
        covey_rules_get(rules, rule, &report, NULL);
        for (int64_t i = 0; i < report.condition_count; i++) {
            covey_condition condition = COVEY_CONDITION_INIT;
            covey_rules_condition(rules, rule, i, &condition, NULL);
            if (condition.derived == COVEY_DERIVED_HOUR && strcmp(condition.first, "paid") == 0 && !condition.second &&
                strcmp(condition.feature, "hour of paid") == 0)
                count++;
        }
    }
    covey_rules_destroy(rules);
    return status == COVEY_OK && (count < least || count > most) ? COVEY_INTERNAL : status;
}
static covey_status nothing_hidden(covey_error **error) { return hidden(error, COVEY_FEATURE_FREE, "opened", 1, 8); }
static covey_status forbidden(covey_error **error) { return hidden(error, COVEY_FEATURE_FORBIDDEN, "paid", 0, 0); }
static covey_status sensitive(covey_error **error) { return hidden(error, COVEY_FEATURE_SENSITIVE, "paid", 0, 0); }
static covey_status allowed(covey_error **error) { return hidden(error, COVEY_FEATURE_ALLOWED, "paid", 1, 8); }
static covey_status others_allowed(covey_error **error) { return hidden(error, COVEY_FEATURE_ALLOWED, "opened", 0, 0); }

/* Two billion names that nobody looks at: the pages of the array are all the one page of zeros. */
static covey_status many_categories(covey_error **error, int32_t from_last, const char *name) {
    reset();
    const int64_t count = SLOW ? 1 << 20 : INT32_MAX;
    const size_t size = (size_t)count * sizeof(char *);
    const char **all = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) return COVEY_INTERNAL;
    all[0] = "first";
    all[count - 1] = name;
    for (int i = 0; i < rows; i++) code[i] = i % 2 ? 0 : (int32_t)(count - from_last);
    columns[4].categories = all;
    columns[4].category_count = count;
    covey_context_options small = COVEY_CONTEXT_OPTIONS_INIT;
    small.memory_budget = 64 << 20;
    covey_context *context = NULL;
    covey_context_create(&small, &context, NULL);
    covey_rules *rules = NULL;
    covey_status status = covey_extract_rules(context, &table, target, &options, &rules, error);
    covey_rules_destroy(rules);
    covey_context_destroy(context);
    munmap(all, size);
    return status;
}
static covey_status categories_good(covey_error **error) { return many_categories(error, 1, "last"); }
static covey_status categories_same(covey_error **error) { return many_categories(error, 1, "first"); }
static covey_status categories_null(covey_error **error) { return many_categories(error, 5, "last"); }
static covey_status categories_above(covey_error **error) { return many_categories(error, 0, "last"); }

#define COUNTS "\"search\":{\"rows\":0,\"target\":0},\"unseen\":{\"rows\":0,\"target\":0}"
#define SET(features) \
    "{\"format_version\":1,\"target\":\"t\",\"confidence\":0.95,\"tried\":0,\"fallen\":0,\"features\":[" features \
    "]," COUNTS ",\"rules\":[{\"conditions\":[{\"feature\":\"hour of d\",\"kind\":\"interval\",\"low\":3}]," \
    "\"search\":{\"matched\":0,\"support\":0},\"unseen\":{\"matched\":0,\"support\":0}}]}"
#define DERIVED(what) "{\"name\":\"hour of d\",\"kind\":\"numeric\",\"derived\":" what "}"

static covey_status parse(const char *json, covey_error **error) {
    covey_rules *rules = NULL;
    covey_status status = covey_rules_parse(NULL, json, (int64_t)strlen(json), &rules, error);
    if (status != COVEY_OK && rules != NULL) return COVEY_INTERNAL;
    covey_rules_destroy(rules);
    return status;
}
#define PARSE(name, json) \
    static covey_status name(covey_error **error) { return parse(json, error); }
PARSE(parse_good, SET(DERIVED("{\"hour\":[\"d\"]}")))
PARSE(parse_name, SET(DERIVED("{\"hour\":[\"e\"]}")))
PARSE(parse_two, SET(DERIVED("{\"hour\":[\"d\",\"e\"]}")))
PARSE(parse_none, SET(DERIVED("{\"hour\":[]}")))
PARSE(parse_other, SET(DERIVED("{\"minute\":[\"d\"]}")))
PARSE(parse_both, SET(DERIVED("{\"hour\":[\"d\"],\"days\":[\"d\",\"e\"]}")))
PARSE(parse_text, SET(DERIVED("\"hour\"")))
PARSE(parse_date, SET("{\"name\":\"hour of d\",\"kind\":\"date\"}"))
PARSE(parse_kinds, SET(DERIVED("{\"hour\":[\"d\"]}") ",{\"name\":\"d\",\"kind\":\"numeric\"}"))

/* 64 MiB of brackets, of digits and of one key over and over. */
static covey_status parse_large(const char *start, const char *again, const char *end, covey_error **error) {
    const size_t size = SLOW ? 1 << 20 : 64 << 20;
    char *json = malloc(size);
    size_t used = strlen(start);
    memcpy(json, start, used);
    while (used + strlen(again) + strlen(end) <= size) memcpy(json + used, again, strlen(again)), used += strlen(again);
    memcpy(json + used, end, strlen(end));
    covey_rules *rules = NULL;
    covey_status status = covey_rules_parse(NULL, json, (int64_t)(used + strlen(end)), &rules, error);
    free(json);
    if (status != COVEY_OK && rules != NULL) return COVEY_INTERNAL;
    covey_rules_destroy(rules);
    return status;
}
static covey_status large_depth(covey_error **error) { return parse_large("", "[", "", error); }
static covey_status large_objects(covey_error **error) { return parse_large("", "{\"a\":", "", error); }
static covey_status large_number(covey_error **error) { return parse_large("{\"format_version\":", "9", "}", error); }
static covey_status large_text(covey_error **error) { return parse_large("{\"target\":\"", "x", "\"}", error); }

const abi_case derived_cases[] = {
    {"derived", COVEY_OK, "", good},
    {"derived: missing dates", COVEY_OK, "", missing_dates},
    {"derived: divided by zero", COVEY_OK, "", all_zero},
    {"derived: overflow", COVEY_OK, "", overflow},
    {"derived: a far date", COVEY_INVALID_DATA, "column \"opened\", row 7: must lie within 8.64e12 seconds of 1970",
     far_date},
    {"derived: an infinite date", COVEY_INVALID_DATA, "column \"paid\", row 7: must lie", infinite_date},
    {"derived: infinity in a pair", COVEY_INVALID_DATA, "column \"other\", row 7: must not be infinite", infinite_pair},
    {"derived: age to nothing", COVEY_MISMATCH, "options.age_to names \"closed\"", age_unknown},
    {"derived: age to a number", COVEY_MISMATCH, "options.age_to: column \"number\" must be date, got numeric",
     age_number},
    {"derived: age invalid", COVEY_INVALID_ARGUMENT, "options.age_to must be valid UTF-8", age_invalid},
    {"derived: pair of nothing", COVEY_MISMATCH, "options.pairs[1] names \"none\"", pair_unknown},
    {"derived: pair of a category", COVEY_MISMATCH, "options.pairs[0]: column \"code\" must be numeric", pair_category},
    {"derived: pair of a date", COVEY_MISMATCH, "options.pairs[0]: column \"paid\" must be numeric", pair_date},
    {"derived: pair of NULL", COVEY_INVALID_ARGUMENT, "options.pairs[0].first must not be NULL", pair_null},
    {"derived: pair kind", COVEY_INVALID_ARGUMENT, "options.pairs[1].kind must be", pair_kind},
    {"derived: pair reserved", COVEY_INVALID_ARGUMENT, "options.pairs[1].reserved must be 0, got 1", pair_reserved},
    {"derived: pair twice", COVEY_INVALID_ARGUMENT, "options.pairs[1] is \"number / other\" again", pair_twice},
    {"derived: pair with itself", COVEY_OK, "", pair_itself},
    {"derived: pairs null", COVEY_INVALID_ARGUMENT, "options.pairs must not be NULL", pairs_null},
    {"derived: pairs -1", COVEY_INVALID_ARGUMENT, "options.pair_count must be 0 to 65536, got -1", pairs_negative},
    {"derived: pairs 65537", COVEY_INVALID_ARGUMENT, "options.pair_count must be 0 to 65536", pairs_many},
    {"derived: pair of a renamed column", COVEY_MISMATCH, "options.pairs[0] names \"other\"", same_name},
    {"derived: direction of a date", COVEY_INVALID_ARGUMENT, "the date \"opened\" has no direction", date_direction},
    {"derived: date named twice", COVEY_INVALID_ARGUMENT, "names \"opened\" again", date_twice},
    {"derived: direction of an hour", COVEY_OK, "", hour_direction},
    {"derived: hour of a sensitive date", COVEY_MISMATCH, "\"hour of opened\", which is no column", sensitive_hour},
    {"derived: found", COVEY_OK, "", nothing_hidden},
    {"derived: forbidden", COVEY_OK, "", forbidden},
    {"derived: sensitive", COVEY_OK, "", sensitive},
    {"derived: allowed", COVEY_OK, "", allowed},
    {"derived: others allowed", COVEY_OK, "", others_allowed},
    {"categories: two billion", COVEY_OK, "", categories_good},
    {"categories: the same name", COVEY_INVALID_DATA, "\"first\" occurs twice", categories_same},
    {"categories: no name", COVEY_INVALID_ARGUMENT, "] must not be NULL", categories_null},
    {"categories: above", COVEY_INVALID_DATA, "column \"code\", row 0: code must be", categories_above},
    {"derived: parse", COVEY_OK, "", parse_good},
    {"derived: parse another name", COVEY_CORRUPT_FILE, "must be named \"hour of e\"", parse_name},
    {"derived: parse two columns", COVEY_CORRUPT_FILE, "hour: takes one column, got 2", parse_two},
    {"derived: parse no column", COVEY_CORRUPT_FILE, "hour: takes one column, got 0", parse_none},
    {"derived: parse an unknown one", COVEY_CORRUPT_FILE,
     "features[0].derived.minute: there is no such key here; known are days, difference, hour, ratio", parse_other},
    {"derived: parse two of them", COVEY_CORRUPT_FILE, "must be one of hour, days, ratio and difference", parse_both},
    {"derived: parse a text", COVEY_CORRUPT_FILE, "features[0].derived", parse_text},
    {"derived: parse a date", COVEY_CORRUPT_FILE, "features[0]: a date takes part", parse_date},
    {"derived: parse two kinds", COVEY_OK, "", parse_kinds},
    {"json: 64 MiB of brackets", COVEY_CORRUPT_FILE, "", large_depth},
    {"json: 64 MiB of objects", COVEY_CORRUPT_FILE, "", large_objects},
    {"json: a number of 64 MiB", COVEY_CORRUPT_FILE, "", large_number},
    {"json: a text of 64 MiB", COVEY_CORRUPT_FILE, "", large_text},
    {NULL, 0, NULL, NULL},
};
