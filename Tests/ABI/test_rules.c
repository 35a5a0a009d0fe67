/* Section 10 of covey.h: rules. */
#include "abi_test.h"

#include <pthread.h>

enum { rows = 4000, features = 4 };

static double amount[rows];
static int32_t country[rows];
static int8_t is_new[rows];
/* Row-major, to hand over a column with a stride. */
static double noise[rows][3];
static uint8_t target[rows];
static const char *const countries[] = {"NL", "BE", "DE", "O'Neill \"land\""};

static uint64_t state = 7;
static double uniform(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

/* The target: amount of at least 100 and below 250, and country NL or O'Neill. 5% of values are missing. */
static void make_rows(void) {
    for (int i = 0; i < rows; i++) {
        amount[i] = floor(uniform() * 1000);
        country[i] = (int32_t)(uniform() * 4);
        is_new[i] = uniform() < 0.5;
        noise[i][1] = uniform();
        target[i] = amount[i] >= 100 && amount[i] < 250 && (country[i] == 0 || country[i] == 3);
        if (uniform() < 0.05) amount[i] = NAN;
        if (uniform() < 0.05) country[i] = -1;
        if (uniform() < 0.05) is_new[i] = -1;
    }
}

/* A set as text, which lives until the end. */
static covey_buffer *kept[16];
static int kept_count;
static const char *exported(const covey_rules *rules, int32_t format) {
    covey_error *error = NULL;
    CHECK(kept_count < 16);
    CHECK_OK(covey_rules_export(rules, NULL, format, NULL, &kept[kept_count], &error));
    return covey_buffer_data(kept[kept_count++]);
}

static covey_column columns[features] = {
    {"amount", amount, 0, NULL, 0, COVEY_NUMERIC, 0},
    {"country", country, 0, countries, 4, COVEY_CATEGORICAL, 0},
    {"is_new", is_new, 0, NULL, 0, COVEY_BOOLEAN, 0},
    {"noise", &noise[0][1], sizeof noise[0], NULL, 0, COVEY_NUMERIC, 0},
};

static int by_hand(int i) { return amount[i] >= 100 && amount[i] < 250 && (country[i] == 0 || country[i] == 3); }

typedef struct job {
    const covey_rules *rules;
    const covey_table *table;
    int wrong;
} job;

static void *evaluate(void *argument) {
    job *work = argument;
    uint8_t *any = malloc(rows);
    for (int round = 0; round < 20; round++) {
        if (covey_rules_evaluate(work->rules, NULL, work->table, NULL, any, NULL) != COVEY_OK) work->wrong++;
        for (int i = 0; i < rows; i++) work->wrong += any[i] != by_hand(i);
    }
    free(any);
    return NULL;
}

/* Stops the call at its first report. */
static int32_t stop(void *user_data, const char *stage, double fraction) {
    (void)user_data;
    (void)stage;
    (void)fraction;
    return 1;
}

int main(void) {
    make_rows();
    covey_error *error = NULL;
    covey_table table = COVEY_TABLE_INIT;
    table.rows = rows;
    table.column_count = features;
    table.columns = columns;
    covey_rules_options options = COVEY_RULES_OPTIONS_INIT;
    options.target_name = "cluster 7";
    covey_rules *rules = NULL;
    CHECK_OK(covey_extract_rules(NULL, &table, target, &options, &rules, &error));
    CHECK(covey_rules_count(rules) == 1);
    CHECK(covey_rules_tried(rules) > 0 && covey_rules_fallen(rules) == 0);

    covey_rule_report report = COVEY_RULE_REPORT_INIT;
    CHECK_OK(covey_rules_get(rules, 0, &report, &error));
    CHECK(report.condition_count == 2);
    CHECK(report.precision == 1 && report.support == report.matched && report.support > 0);
    CHECK(report.precision_high == 1 && report.precision_low > 0.9 && report.precision_low < 1);
    CHECK(report.recall > 0.8 && report.recall < 1);
    int matched = 0, positives = 0;
    for (int i = 0; i < rows; i++) matched += by_hand(i), positives += target[i];
    CHECK(report.matched + report.search_matched == matched);
    CHECK(fabs(report.search_recall - report.search_support / (positives * 0.7)) < 0.01);
    CHECK(report.lift > 5 && report.search_lift > 5 && report.search_precision == 1);

    covey_condition condition = COVEY_CONDITION_INIT;
    CHECK_OK(covey_rules_condition(rules, 0, 0, &condition, &error));
    CHECK(strcmp(condition.feature, "amount") == 0 && condition.kind == COVEY_CONDITION_INTERVAL);
    CHECK(condition.low == 100 && condition.high == 250 && condition.category_count == 0);
    CHECK(strcmp(covey_rules_condition_text(rules, 0, 0), "amount is at least 100 and below 250") == 0);
    CHECK_OK(covey_rules_condition(rules, 0, 1, &condition, &error));
    CHECK(strcmp(condition.feature, "country") == 0 && condition.kind == COVEY_CONDITION_IN);
    CHECK(condition.category_count == 2 && strcmp(condition.categories[0], "NL") == 0);
    CHECK(strcmp(condition.categories[1], "O'Neill \"land\"") == 0);
    CHECK(covey_rules_condition_text(rules, 0, 2) == NULL && covey_rules_text(rules, 1) == NULL);
    CHECK(strstr(covey_rules_text(rules, 0), "are cluster 7 (95% interval") != NULL);

    const char *sql = NULL, *json = NULL;
    sql = exported(rules, COVEY_RULES_SQL);
    CHECK(strcmp(sql, "(CAST(\"amount\" AS DOUBLE PRECISION) >= 100 AND CAST(\"amount\" AS DOUBLE PRECISION) < 250 "
                      "AND CAST(\"country\" AS VARCHAR) IN ('NL', 'O''Neill \"land\"'))") == 0);

    /* By dialect, from a table in a schema; every format is a text that ends where its size says. */
    covey_export_options how = COVEY_EXPORT_OPTIONS_INIT;
    how.dialect = COVEY_SQL_SPARK;
    how.table = "ro`ws";
    how.schema = "public";
    covey_buffer *buffer = NULL;
    CHECK_OK(covey_rules_export(rules, NULL, COVEY_RULES_SQL, &how, &buffer, &error));
    CHECK(strcmp(covey_buffer_data(buffer),
                 "SELECT * FROM `public`.`ro``ws` WHERE (CAST(`ro``ws`.`amount` AS DOUBLE) >= 100 AND "
                 "CAST(`ro``ws`.`amount` AS DOUBLE) < 250 AND CAST(`ro``ws`.`country` AS STRING) IN "
                 "('NL', 'O\\'Neill \\\"land\\\"'))") == 0);
    covey_buffer_destroy(buffer);
    covey_export_options named = COVEY_EXPORT_OPTIONS_INIT;
    named.name = "ring";
    for (int32_t format = COVEY_RULES_DRL; format <= COVEY_RULES_JAVA; format++) {
        CHECK_OK(covey_rules_export(rules, NULL, format, &named, &buffer, &error));
        CHECK(strstr(covey_buffer_data(buffer), "ring") &&
              strlen(covey_buffer_data(buffer)) == (size_t)covey_buffer_size(buffer));
        covey_buffer_destroy(buffer);
    }
    CHECK(covey_buffer_data(NULL) == NULL && covey_buffer_size(NULL) == 0);
    covey_buffer_destroy(NULL);
    json = exported(rules, COVEY_RULES_JSON);

    /* The same set again, from its own text; on a table whose columns and categories stand in another order. */
    covey_rules *again = NULL;
    CHECK_OK(covey_rules_parse(NULL, json, (int64_t)strlen(json), &again, &error));
    const char *json_again = NULL;
    json_again = exported(again, COVEY_RULES_JSON);
    CHECK(strcmp(json, json_again) == 0);
    static const char *const reversed[] = {"new", "O'Neill \"land\"", "DE", "BE", "NL"};
    static int32_t codes[rows];
    for (int i = 0; i < rows; i++) codes[i] = country[i] < 0 ? -1 : 4 - country[i];
    covey_column turned[2] = {
        {"country", codes, 0, reversed, 5, COVEY_CATEGORICAL, 0},
        {"amount", amount, 0, NULL, 0, COVEY_NUMERIC, 0},
    };
    covey_table other = table;
    other.column_count = 2;
    other.columns = turned;
    static uint8_t fired[rows], any[rows];
    CHECK_OK(covey_rules_evaluate(again, NULL, &other, fired, any, &error));
    int wrong = 0;
    for (int i = 0; i < rows; i++) wrong += fired[i] != by_hand(i) || any[i] != by_hand(i);
    CHECK(wrong == 0);
    covey_rules_destroy(again);

    /* From several threads at once. */
    pthread_t threads[4];
    job jobs[4];
    for (int i = 0; i < 4; i++) {
        jobs[i].rules = rules;
        jobs[i].table = &table;
        jobs[i].wrong = 0;
        CHECK(pthread_create(&threads[i], NULL, evaluate, &jobs[i]) == 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        CHECK(jobs[i].wrong == 0);
    }

    /* The result does not depend on the number of threads. */
    for (int32_t count = 1; count <= 5; count += 2) {
        covey_context_options choice = COVEY_CONTEXT_OPTIONS_INIT;
        choice.threads = count;
        covey_context *context = NULL;
        CHECK_OK(covey_context_create(&choice, &context, &error));
        CHECK_OK(covey_extract_rules(context, &table, target, &options, &again, &error));
        json_again = exported(again, COVEY_RULES_JSON);
        CHECK(strcmp(json, json_again) == 0);
        covey_rules_destroy(again);
        covey_context_destroy(context);
    }

    /* By time: the last 30% of rows are those never seen. */
    static double times[rows];
    for (int i = 0; i < rows; i++) times[i] = i;
    options.times = times;
    CHECK_OK(covey_extract_rules(NULL, &table, target, &options, &again, &error));
    CHECK_OK(covey_rules_get(again, 0, &report, &error));
    matched = 0;
    for (int i = rows - rows * 3 / 10; i < rows; i++) matched += by_hand(i);
    CHECK(report.matched == matched);
    covey_rules_destroy(again);
    options.times = NULL;

    /* A target that the rules cannot reach is a success without rules. */
    options.min_support = rows;
    CHECK_OK(covey_extract_rules(NULL, &table, target, &options, &again, &error));
    CHECK(covey_rules_count(again) == 0);
    sql = exported(again, COVEY_RULES_SQL);
    CHECK(strcmp(sql, "1 = 0") == 0);
    memset(any, 1, sizeof any);
    CHECK_OK(covey_rules_evaluate(again, NULL, &table, NULL, any, &error));
    wrong = 0;
    for (int i = 0; i < rows; i++) wrong += any[i];
    CHECK(wrong == 0);
    covey_rules_destroy(again);
    options.min_support = 10;

    /* What experts say: NL is pinned, noise is sensitive, a rule of theirs is measured beside the one found. */
    covey_rule_feature said[2] = {COVEY_RULE_FEATURE_INIT, COVEY_RULE_FEATURE_INIT};
    said[0].feature = "noise";
    said[0].use = COVEY_FEATURE_SENSITIVE;
    said[1].feature = "amount";
    said[1].direction = COVEY_DIRECTION_MORE;
    covey_condition netherlands = COVEY_CONDITION_INIT;
    netherlands.feature = "country";
    netherlands.kind = COVEY_CONDITION_IN;
    netherlands.categories = countries;
    netherlands.category_count = 1;
    static double weights[rows], amounts[rows];
    double weighed[2] = {0, 0}, caught = 0;
    for (int i = 0; i < rows; i++) {
        weights[i] = 1 + i % 3;
        amounts[i] = i % 7;
        if (by_hand(i)) weighed[target[i]] += weights[i], caught += target[i] * weights[i] * amounts[i];
    }
    options.features = said;
    options.feature_count = 2;
    options.pinned = &netherlands;
    options.pinned_count = 1;
    options.given = rules;
    options.weights = weights;
    options.amounts = amounts;
    options.min_precision = 0.1;
    options.min_lift = 1;
    options.permutations = 19;
    options.resamples = 4;
    CHECK_OK(covey_extract_rules(NULL, &table, target, &options, &again, &error));
    CHECK(covey_rules_count(again) == 2);
    CHECK_OK(covey_rules_get(again, 0, &report, &error));
    CHECK(!report.given && report.p_value >= 0 && report.p_value < 1e-3);
    CHECK(report.search_p_value == 0.05);
    CHECK(report.stability >= 0 && report.stability <= 1);
    for (int64_t i = 0; i < report.condition_count; i++) {
        CHECK_OK(covey_rules_condition(again, 0, i, &condition, &error));
        CHECK(strcmp(condition.feature, "noise") != 0);
        if (strcmp(condition.feature, "amount") == 0) CHECK(condition.high == INFINITY);
        if (strcmp(condition.feature, "country") == 0) CHECK(strcmp(condition.categories[0], "NL") == 0);
    }
    CHECK_OK(covey_rules_get(again, 1, &report, &error));
    CHECK(report.given && report.p_value < 1e-6 && isnan(report.stability) && isnan(report.search_p_value));
    CHECK(report.support_weight + report.search_support_weight == weighed[1]);
    CHECK(report.matched_weight + report.search_matched_weight == weighed[0] + weighed[1]);
    CHECK(fabs(report.amount + report.search_amount - caught) < 1e-6 && report.false_amount == 0);
    CHECK(report.recall_low < report.recall && report.recall < report.recall_high);
    CHECK(report.search_precision_high == 1 && report.search_recall_low < report.search_recall);
    json = exported(again, COVEY_RULES_JSON);
    covey_rules *read = NULL;
    CHECK_OK(covey_rules_parse(NULL, json, (int64_t)strlen(json), &read, &error));
    json_again = exported(read, COVEY_RULES_JSON);
    CHECK(strcmp(json, json_again) == 0);
    covey_rule_report older = COVEY_RULE_REPORT_INIT;
    older.struct_size = offsetof(covey_rule_report, recall_low);
    older.given = 77;
    CHECK_OK(covey_rules_get(again, 1, &older, &error));
    CHECK(older.matched == report.matched && older.given == 77);
    covey_rules_destroy(read);
    covey_rules_destroy(again);

    /* Stopped, and usable afterwards. */
    covey_context_options choice = COVEY_CONTEXT_OPTIONS_INIT;
    choice.progress = stop;
    covey_context *context = NULL;
    CHECK_OK(covey_context_create(&choice, &context, &error));
    CHECK(covey_extract_rules(context, &table, target, &options, &again, &error) == COVEY_CANCELLED);
    CHECK(again == NULL);
    covey_error_destroy(error);
    covey_context_destroy(context);
    CHECK_OK(covey_rules_evaluate(rules, NULL, &table, NULL, any, &error));

    covey_rules_destroy(rules);
    covey_rules_destroy(NULL);
    CHECK(covey_rules_count(NULL) == 0 && covey_rules_tried(NULL) == 0 && covey_rules_fallen(NULL) == 0);
    CHECK(covey_rules_text(NULL, 0) == NULL && covey_rules_condition_text(NULL, 0, 0) == NULL);
    while (kept_count > 0) covey_buffer_destroy(kept[--kept_count]);
    return finish();
}
