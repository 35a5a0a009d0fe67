/* The JSON of a rule set. Covey refuses it, or the target reads it, exports it, parses it again to the same rules, and
 * evaluates it on a table that has its thresholds. The two ways of evaluation (single rows and blocks of columns) must
 * agree with each other and with the header. */
#include "fuzz.h"
#if !defined FUZZ_REPLAY || defined FUZZ_MUTATORS
#include "json_mutator.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed) {
    uint32_t random = seed * 2654435761u + 1;
    json_text text = {(char *)data, size, capacity};
    json_mutate(&text, &random);
    return text.size;
}
#endif

enum { ROWS = 24, MOST_COLUMNS = 64 };

static struct {
    covey_column columns[MOST_COLUMNS];
    int64_t count;
    int full;
} made;

/* Returns the column with this name. Creates it if it does not exist. */
static covey_column *column(const char *name, int32_t kind) {
    for (int64_t i = 0; i < made.count; i++)
        if (!strcmp(made.columns[i].name, name)) return &made.columns[i];
    if (made.count == MOST_COLUMNS) {
        made.full = 1;
        return &made.columns[0];
    }
    size_t width = kind == COVEY_CATEGORICAL ? 4 : kind == COVEY_BOOLEAN ? 1 : 8;
    void *values = fuzz_alloc(ROWS * width);
    for (int row = 0; row < ROWS; row++) {
        if (kind == COVEY_CATEGORICAL) ((int32_t *)values)[row] = row % 5 - 1 < 1 ? row % 5 - 1 : -1;
        else if (kind == COVEY_BOOLEAN) ((int8_t *)values)[row] = (int8_t)(row % 3 - 1);
        else ((double *)values)[row] = row % 7 == 6 ? NAN : row % 7 * 7 - 14;
    }
    static const char *const other[] = {"another"};
    covey_column column = {name, values, 0, NULL, 0, kind, 0};
    if (kind == COVEY_CATEGORICAL) {
        column.categories = other;
        column.category_count = 1;
    }
    made.columns[made.count] = column;
    return &made.columns[made.count++];
}

/* Writes the threshold to a row, and the next smaller and next larger numbers to two more. */
static void put_threshold(covey_column *column, double value, int64_t rule) {
    if (!isfinite(value) || column->kind != COVEY_NUMERIC) return;
    double *values = (double *)column->values;
    values[(rule * 3) % ROWS] = value;
    if (isfinite(nextafter(value, -INFINITY))) values[(rule * 3 + 1) % ROWS] = nextafter(value, -INFINITY);
    if (isfinite(nextafter(value, INFINITY))) values[(rule * 3 + 2) % ROWS] = nextafter(value, INFINITY);
}

static void put_categories(covey_column *column, const covey_condition *condition, int64_t rule) {
    if (column->kind != COVEY_CATEGORICAL) return;
    const char **names = fuzz_alloc((size_t)(column->category_count + condition->category_count) * sizeof *names);
    memcpy(names, column->categories, (size_t)column->category_count * sizeof *names);
    int64_t count = column->category_count;
    for (int64_t i = 0; i < condition->category_count && i < 16; i++) {
        int known = 0;
        for (int64_t j = 0; j < count; j++) known |= !strcmp(names[j], condition->categories[i]);
        if (known) continue;
        ((int32_t *)column->values)[(rule + i) % ROWS] = (int32_t)count;
        names[count++] = condition->categories[i];
    }
    column->categories = names;
    column->category_count = count;
}

static void make_column(const covey_condition *condition, int64_t rule) {
    int is_date = condition->derived == COVEY_DERIVED_HOUR || condition->derived == COVEY_DERIVED_DAYS;
    if (condition->derived != COVEY_DERIVED_NONE) {
        put_threshold(column(condition->first, is_date ? COVEY_DATE : COVEY_NUMERIC), condition->low, rule);
        if (condition->second) column(condition->second, is_date ? COVEY_DATE : COVEY_NUMERIC);
    } else if (condition->kind == COVEY_CONDITION_IN || condition->kind == COVEY_CONDITION_NOT_IN) {
        put_categories(column(condition->feature, COVEY_CATEGORICAL), condition, rule);
    } else if (condition->kind == COVEY_CONDITION_TRUE || condition->kind == COVEY_CONDITION_FALSE) {
        column(condition->feature, COVEY_BOOLEAN);
    } else {
        put_threshold(column(condition->feature, COVEY_NUMERIC), condition->low, rule);
        put_threshold(column(condition->feature, COVEY_NUMERIC), condition->high, rule + 5);
    }
}

/* Evaluates a condition on a column as the header defines it; -1 if the condition is on a derived feature. */
static int holds(const covey_condition *condition, int64_t row) {
    if (condition->derived != COVEY_DERIVED_NONE) return -1;
    const covey_column *found = column(condition->feature, COVEY_NUMERIC);
    double number = found->kind == COVEY_NUMERIC ? ((const double *)found->values)[row] : 0;
    int32_t code = found->kind == COVEY_CATEGORICAL ? ((const int32_t *)found->values)[row] : 0;
    int8_t flag = found->kind == COVEY_BOOLEAN ? ((const int8_t *)found->values)[row] : 0;
    int missing = isnan(number) || code < 0 || flag < 0;
    switch (condition->kind) {
    case COVEY_CONDITION_INTERVAL: return condition->low <= number && number < condition->high;
    case COVEY_CONDITION_TRUE: return flag == 1;
    case COVEY_CONDITION_FALSE: return flag == 0;
    case COVEY_CONDITION_MISSING: return missing;
    case COVEY_CONDITION_PRESENT: return !missing;
    }
    int in = 0;
    for (int64_t i = 0; !missing && i < condition->category_count; i++)
        in |= !strcmp(condition->categories[i], found->categories[code]);
    return !missing && in == (condition->kind == COVEY_CONDITION_IN);
}

static void check_evaluation(const covey_rules *rules, int64_t count) {
    covey_error *error = NULL;
    covey_table table = COVEY_TABLE_INIT;
    table.rows = ROWS;
    table.column_count = made.count;
    table.columns = made.columns;
    uint8_t *fired = fuzz_alloc((size_t)(ROWS * count)), *any = fuzz_alloc(ROWS);
    if (!fuzz_ok(covey_rules_evaluate(rules, fuzz_context(1), &table, fired, any, &error), &error)) return;
    uint8_t *alone = fuzz_alloc((size_t)count), alone_any;
    covey_column *columns = fuzz_copy(made.columns, (size_t)made.count * sizeof *columns);
    table.columns = columns;
    table.rows = 1;
    for (int64_t row = 0; row < ROWS; row++) {
        for (int64_t i = 0; i < made.count; i++) {
            size_t width = columns[i].kind == COVEY_CATEGORICAL ? 4 : columns[i].kind == COVEY_BOOLEAN ? 1 : 8;
            columns[i].values = (const char *)made.columns[i].values + (size_t)row * width;
        }
        FUZZ_OK(covey_rules_evaluate(rules, fuzz_context(1), &table, alone, &alone_any, &error));
        FUZZ_REQUIRE(alone_any == any[row] && memcmp(alone, fired + row * count, (size_t)count) == 0);
        for (int64_t rule = 0; rule < count; rule++) {
            covey_rule_report report = COVEY_RULE_REPORT_INIT;
            covey_condition condition = COVEY_CONDITION_INIT;
            int all = 1;
            FUZZ_OK(covey_rules_get(rules, rule, &report, &error));
            for (int64_t i = 0; i < report.condition_count; i++) {
                FUZZ_OK(covey_rules_condition(rules, rule, i, &condition, &error));
                int one = holds(&condition, row);
                all = one < 0 || all < 0 ? (one == 0 || all == 0 ? 0 : -1) : all && one;
            }
            FUZZ_REQUIRE(all < 0 || all == alone[rule]);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    covey_error *error = NULL;
    covey_rules *rules = NULL, *again = NULL;
    fuzz_begin();
    memset(&made, 0, sizeof made);
    const char *json = fuzz_copy(data, size);
    covey_buffer *text = NULL, *same = NULL;
    if (!fuzz_ok(covey_rules_parse(NULL, json, (int64_t)size, &rules, &error), &error)) {
        FUZZ_REQUIRE(!rules);
        return fuzz_end();
    }
    int64_t count = covey_rules_count(rules);
    for (int64_t rule = 0; rule < count; rule++) {
        covey_rule_report report = COVEY_RULE_REPORT_INIT;
        covey_condition condition = COVEY_CONDITION_INIT;
        FUZZ_OK(covey_rules_get(rules, rule, &report, &error));
        FUZZ_REQUIRE(covey_rules_text(rules, rule));
        for (int64_t i = 0; i < report.condition_count; i++) {
            FUZZ_OK(covey_rules_condition(rules, rule, i, &condition, &error));
            FUZZ_REQUIRE(covey_rules_condition_text(rules, rule, i));
            make_column(&condition, rule);
        }
    }
    for (int32_t format = COVEY_RULES_SQL; format <= COVEY_RULES_JSON_SCHEMA; format++) {
        if (!fuzz_ok(covey_rules_export(rules, NULL, format, NULL, &text, &error), &error)) continue;
        FUZZ_REQUIRE(covey_buffer_size(text) > 0 && strlen(covey_buffer_data(text)) == (size_t)covey_buffer_size(text));
        covey_buffer_destroy(text);
    }
    for (int32_t dialect = COVEY_SQL_POSTGRESQL; dialect <= COVEY_SQL_BIGQUERY; dialect++) {
        covey_export_options options = COVEY_EXPORT_OPTIONS_INIT;
        options.dialect = dialect;
        options.table = "rows";
        FUZZ_OK(covey_rules_export(rules, NULL, COVEY_RULES_SQL, &options, &text, &error));
        covey_buffer_destroy(text);
    }
    FUZZ_OK(covey_rules_export(rules, NULL, COVEY_RULES_JSON, NULL, &text, &error));
    FUZZ_OK(covey_rules_parse(NULL, covey_buffer_data(text), covey_buffer_size(text), &again, &error));
    FUZZ_OK(covey_rules_export(again, NULL, COVEY_RULES_JSON, NULL, &same, &error));
    FUZZ_REQUIRE(strcmp(covey_buffer_data(text), covey_buffer_data(same)) == 0);
    covey_buffer_destroy(text);
    covey_buffer_destroy(same);
    if (!made.full && count <= 256) check_evaluation(rules, count);
    covey_rules_destroy(rules);
    covey_rules_destroy(again);
    return fuzz_end();
}
