/* Versioned structs as older and newer programs hand them over: every struct of the header that begins with
 * struct_size, at every size. Each lies at the end of readable memory, so that a byte read or written beyond its size
 * ends the test. */
#include "struct_calls.h"

/* -------------------------------------------------------------------------------------------------------- the table */

/* A callback's struct: it tells its size, and has it. */
static int progress_calls;

static int32_t progress(void *user_data, const covey_training_progress *given) {
    (void)user_data;
    CHECK(given->struct_size == sizeof *given);
    progress_calls++;
    return 0;
}

static covey_context_options default_context = COVEY_CONTEXT_OPTIONS_INIT;
static covey_embed_options default_embed = COVEY_EMBED_OPTIONS_INIT;
static covey_training_options small_training = COVEY_TRAINING_OPTIONS_INIT;
static covey_training_progress no_progress;
static covey_training_epoch empty_epoch = COVEY_TRAINING_EPOCH_INIT;
static covey_hybrid_options default_hybrid = COVEY_HYBRID_OPTIONS_INIT;
static covey_cluster_options default_cluster = COVEY_CLUSTER_OPTIONS_INIT;
static covey_risk_options default_risk = COVEY_RISK_OPTIONS_INIT;
static covey_cluster_report empty_report = COVEY_CLUSTER_REPORT_INIT;
static covey_rule_feature one_feature = COVEY_RULE_FEATURE_INIT;
static covey_condition one_condition = COVEY_CONDITION_INIT;
static covey_condition empty_condition = COVEY_CONDITION_INIT;
static covey_rules_options default_rules = COVEY_RULES_OPTIONS_INIT;
static covey_rule_report empty_rule = COVEY_RULE_REPORT_INIT;
static covey_export_options sqlite_export = COVEY_EXPORT_OPTIONS_INIT;
static covey_backtest_options default_backtest = COVEY_BACKTEST_OPTIONS_INIT;
static covey_backtest_report empty_backtest = COVEY_BACKTEST_REPORT_INIT;
static const covey_score_options default_score = COVEY_SCORE_OPTIONS_INIT;
static covey_engine_parts parts;
static covey_score empty_score = COVEY_SCORE_INIT;
static covey_counterfactual_options few_evaluations = COVEY_COUNTERFACTUAL_OPTIONS_INIT;
static covey_counterfactual empty_counterfactual = COVEY_COUNTERFACTUAL_INIT;
static covey_change empty_change = COVEY_CHANGE_INIT;
static covey_find_options small_find = COVEY_FIND_OPTIONS_INIT;
static covey_risky_group empty_group = COVEY_RISKY_GROUP_INIT;
static covey_arrow_options default_arrow = COVEY_ARROW_OPTIONS_INIT;
static covey_matrix empty_matrix = COVEY_MATRIX_INIT;

enum direction { IN, OUT, CALLBACK };

typedef struct row {
    const char *name;
    enum direction direction;
    size_t first; /* Its size in version 1.0's first header. */
    size_t size;
    const void *known;
    const char *field; /* What messages call it. */
    call_fn call;
} row;

#define ROW(type, direction, first, known, field, call) {#type, direction, first, sizeof(type), known, field, call}
#define WHOLE(type, direction, known, field, call) ROW(type, direction, sizeof(type), known, field, call)

static const row rows[] = {
    WHOLE(covey_context_options, IN, &default_context, "options", context_options),
    WHOLE(covey_matrix, IN, &embeddings, "embeddings", matrix),
    WHOLE(covey_matrix, OUT, &empty_matrix, "matrix", arrow_matrix),
    WHOLE(covey_arrow_options, IN, &default_arrow, "options", arrow_options),
    WHOLE(covey_table, IN, &sample.table, "features", table),
    WHOLE(covey_sequences, IN, &sample.sequences, "sequences", sequences),
    WHOLE(covey_embed_options, IN, &default_embed, "options", embed_options),
    WHOLE(covey_training_progress, CALLBACK, &no_progress, NULL, NULL),
    WHOLE(covey_training_options, IN, &small_training, "options", training_options),
    WHOLE(covey_training_epoch, OUT, &empty_epoch, "result", training_epoch),
    WHOLE(covey_hybrid_options, IN, &default_hybrid, "options", hybrid_options),
    WHOLE(covey_cluster_options, IN, &default_cluster, "options", cluster_options),
    WHOLE(covey_risk_options, IN, &default_risk, "options", risk_options),
    WHOLE(covey_cluster_report, OUT, &empty_report, "report", cluster_report),
    WHOLE(covey_rule_feature, IN, &one_feature, "options.features[0]", rule_feature),
    ROW(covey_condition, IN, offsetof(covey_condition, derived), &one_condition, "options.pinned[0]", pinned),
    ROW(covey_condition, OUT, offsetof(covey_condition, derived), &empty_condition, "condition", condition),
    ROW(covey_rules_options, IN, offsetof(covey_rules_options, weights), &default_rules, "options", rules_options),
    ROW(covey_rule_report, OUT, offsetof(covey_rule_report, recall_low), &empty_rule, "report", rule_report),
    WHOLE(covey_export_options, IN, &sqlite_export, "options", export_options),
    WHOLE(covey_backtest_options, IN, &default_backtest, "options", backtest_options),
    WHOLE(covey_backtest_report, OUT, &empty_backtest, "report", backtest_report),
    WHOLE(covey_engine_parts, IN, &parts, "parts", engine_parts),
    WHOLE(covey_score_options, IN, &default_score, "options", score_options),
    WHOLE(covey_score, OUT, &empty_score, "score", score),
    WHOLE(covey_counterfactual_options, IN, &few_evaluations, "options", counterfactual_options),
    WHOLE(covey_counterfactual, OUT, &empty_counterfactual, "counterfactual", counterfactual),
    WHOLE(covey_change, OUT, &empty_change, "change", change),
    WHOLE(covey_event, IN, &one_event, "event", session_add),
    WHOLE(covey_session_state, OUT, &empty_state, "state", session_get),
    WHOLE(covey_explain_options, IN, &default_explain, "options", explain_options),
    WHOLE(covey_explanation, OUT, &empty_explanation, "explanation", explanation),
    WHOLE(covey_find_options, IN, &small_find, "options", find_options),
    WHOLE(covey_risky_group, OUT, &empty_group, "group", risky_group),
};

enum { LARGEST = 4096 };

static void say(const row *row, size_t size, covey_status status, const char *message) {
    printf("  %s of %zu bytes: %s, \"%s\"\n", row->name, size, covey_status_name(status), message);
}

/* The struct with `size` in struct_size, in as much memory. */
static void try_size(const row *row, size_t size, const char *expected) {
    covey_error *error = NULL;
    uint64_t sum = 1, reference = 1;
    /* What lies in memory: enough for the size field, no more than the test can map. */
    size_t memory = size < 8 ? 8 : size > LARGEST + 64 ? LARGEST + 64 : size;
    placed given = place(memory, row->known, row->size);
    memcpy(given.at, &size, sizeof size);
    covey_status status = row->call(given.at, &sum, &error);
    int failed = checks_failed;
    CHECK(status == (expected == NULL ? COVEY_OK : COVEY_INVALID_ARGUMENT));
    if (expected != NULL) {
        char field[64], number[32];
        snprintf(field, sizeof field, "%s.struct_size", row->field);
        snprintf(number, sizeof number, "%zu", size);
        const char *message = covey_error_message(error);
        CHECK(strstr(message, field) != NULL && strstr(message, number) != NULL && strstr(message, expected) != NULL);
    } else if (row->direction == IN && size < row->size) {
        /* What an older struct lacks means what zero means. */
        placed zeroed = place(row->size, row->known, size);
        memcpy(zeroed.at, &row->size, sizeof row->size);
        CHECK(row->call(zeroed.at, &reference, NULL) == COVEY_OK && sum == reference);
        drop(&zeroed);
    } else if (row->direction == OUT) {
        /* The fields that it has are those of the whole struct; its own size stays, and so does what is behind. */
        placed whole = place(row->size, row->known, row->size);
        CHECK(row->call(whole.at, &reference, NULL) == COVEY_OK);
        size_t common = size < row->size ? size : row->size;
        CHECK(memcmp(given.at + 8, whole.at + 8, common - 8) == 0);
        CHECK(memcmp(given.at + 8, (const char *)row->known + 8, common - 8) != 0);
        CHECK(memcmp(given.at, &size, sizeof size) == 0);
        for (size_t i = common; i < size; i++) CHECK(given.at[i] == 0);
        drop(&whole);
    }
    if (checks_failed > failed) say(row, size, status, covey_error_message(error));
    covey_error_destroy(error);
    drop(&given);
}

/* Fields of a later version that ask for something. */
static void try_later(const row *row, size_t size, size_t at) {
    covey_error *error = NULL;
    uint64_t sum = 1;
    placed given = place(size, row->known, row->size);
    memcpy(given.at, &size, sizeof size);
    given.at[at] = 1;
    covey_status status = row->call(given.at, &sum, &error);
    CHECK(status == COVEY_INVALID_ARGUMENT && strstr(covey_error_message(error), "does not know") != NULL);
    if (status != COVEY_INVALID_ARGUMENT) say(row, size, status, covey_error_message(error));
    covey_error_destroy(error);
    drop(&given);
}

static void test_row(const row *row) {
    if (row->direction == CALLBACK) return;
    CHECK(*(const size_t *)row->known == row->size);
    for (size_t size = 0; size < row->first; size++) try_size(row, size, "must be");
    for (size_t size = row->first; size <= row->size + 24; size++)
        try_size(row, size, size % 8 == 0 ? NULL : "must be");
    try_size(row, LARGEST, NULL);
    for (size_t size = LARGEST + 1; size < LARGEST + 10; size++) try_size(row, size, "must be");
    try_size(row, (size_t)1 << 32, "must be");
    try_size(row, (size_t)1 << 63, "must be");
    try_size(row, (size_t)-1, "must be");
    try_size(row, (size_t)-8, "must be");
    if (row->direction == IN)
        for (size_t at = row->size; at < row->size + 16; at++) try_later(row, row->size + 16, at);
    if (row->direction == IN) try_later(row, LARGEST, LARGEST - 1);
}

/* No struct of the header that begins with struct_size is missing above. */
static void test_all_are_there(void) {
    FILE *header = fopen("include/covey.h", "r");
    CHECK(header != NULL);
    char line[512], name[128] = "";
    int found = 0;
    while (header != NULL && fgets(line, sizeof line, header) != NULL) {
        char next[128];
        if (sscanf(line, "typedef struct %127s {", next) == 1) {
            strcpy(name, next);
        } else if (strstr(line, "size_t struct_size;") != NULL) {
            int listed = 0;
            for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) listed += strcmp(rows[i].name, name) == 0;
            if (listed == 0) printf("  %s is not in the table\n", name);
            CHECK(listed > 0);
            found++;
        }
    }
    if (header != NULL) fclose(header);
    CHECK(found >= 18);
}

/* Arrays of versioned structs have one size for all elements. */
static void test_arrays(void) {
    covey_rule_feature features[2] = {COVEY_RULE_FEATURE_INIT, COVEY_RULE_FEATURE_INIT};
    features[0].feature = "amount";
    features[1].feature = "country";
    covey_rules_options options = COVEY_RULES_OPTIONS_INIT;
    options.features = features;
    options.feature_count = 2;
    uint64_t sum = 1;
    covey_error *error = NULL;
    CHECK_OK(rules_options(&options, &sum, &error));
    features[1].struct_size += 8;
    CHECK(rules_options(&options, &sum, &error) == COVEY_INVALID_ARGUMENT);
    CHECK(strstr(covey_error_message(error), "options.features[1]") != NULL);
    covey_error_destroy(error);

    /* Columns and channels have their size in the table and the batch. */
    const size_t bad[] = {0, 8, sizeof(covey_column) - 8, sizeof(covey_column) + 4, 4104, (size_t)-8};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        covey_table columns = sample.table;
        columns.column_size = bad[i];
        CHECK(table(&columns, &sum, &error) == COVEY_INVALID_ARGUMENT);
        CHECK(strstr(covey_error_message(error), "features.column_size") != NULL);
        covey_error_destroy(error);
        covey_sequences channels = sample.sequences;
        channels.channel_size = bad[i] == sizeof(covey_column) - 8 ? sizeof(covey_channel) - 8 : bad[i];
        CHECK(sequences(&channels, &sum, &error) == COVEY_INVALID_ARGUMENT);
        CHECK(strstr(covey_error_message(error), "sequences.channel_size") != NULL);
        covey_error_destroy(error);
    }
    /* A newer program's columns lie further apart. */
    struct {
        covey_column column;
        void *later;
    } columns[2] = {{sample.columns[0], NULL}, {sample.columns[1], NULL}};
    covey_table wider = sample.table;
    wider.column_size = sizeof *columns;
    wider.columns = &columns[0].column;
    uint64_t reference = 1;
    sum = 1;
    CHECK_OK(table(&wider, &sum, &error));
    CHECK_OK(table(&sample.table, &reference, &error));
    CHECK(sum == reference);
}

int main(void) {
    small_find.permutations = 99;
    small_find.trees = 10;
    make_sample(&sample, 1);
    covey_error *error = NULL;
    uint64_t sum = 1;
    CHECK_OK(make_parts(&made, &sample, &error));
    CHECK_OK(covey_engine_build(NULL, &made.parts, &engine, &error));
    CHECK_OK(find_in_sample(&small_find, &found, &error));
    CHECK(covey_found_group_count(found) > 0);
    CHECK_OK(covey_engine_score(engine, NULL, &sample.sequences, &sample.table, &scores, &error));
    take_transaction(&risky, &sample, RISKY_ROW);
    few_evaluations.max_evaluations = 100;
    covey_engine *of_features = make_feature_engine(&sample);
    CHECK_OK(
        covey_counterfactuals_find(of_features, NULL, &risky.sequences, &risky.table, NULL, &counterfactuals, &error));
    covey_engine_destroy(of_features);
    CHECK_OK(covey_engine_explain(engine, NULL, &sample.sequences, &sample.table, NULL, &explanations, &error));
    covey_matrix rows_of_embeddings = COVEY_MATRIX_INIT;
    rows_of_embeddings.data = made.embeddings;
    rows_of_embeddings.rows = SAMPLE_ROWS;
    rows_of_embeddings.columns = MODEL_DIMENSION;
    embeddings = rows_of_embeddings;
    parts = made.parts;
    for (int row = 0; row < SAMPLE_ROWS; row++) target[row] = row % 3 == 1;
    static const covey_vocabulary *vocabularies[2];
    for (int channel = 0; channel < 2; channel++)
        vocabularies[channel] = covey_encoder_categorical_vocabulary(made.encoder, channel);
    small_training.embedding_size = small_training.hidden_size = small_training.attention_size = 2;
    small_training.dimension = 3;
    small_training.epochs = 1;
    small_training.categorical_vocabularies = vocabularies;
    small_training.progress = progress;
    CHECK_OK(train(&small_training, &training, &sum, &error));
    CHECK(progress_calls > 0);
    sqlite_export.dialect = COVEY_SQL_SQLITE;
    sqlite_export.table = "rows";
    one_event.type = 1;
    one_event.numeric = event_numbers;
    one_event.categorical = event_codes;
    one_event.numeric_count = one_event.categorical_count = 2;
    one_feature.feature = "amount";
    one_condition.feature = "amount";
    one_condition.low = 50;
    one_condition.high = 1e9;

    test_all_are_there();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) test_row(&rows[i]);
    test_arrays();

    covey_training_destroy(training);
    covey_counterfactuals_destroy(counterfactuals);
    covey_scores_destroy(scores);
    covey_explanations_destroy(explanations);
    covey_found_destroy(found);
    covey_engine_destroy(engine);
    drop_parts(&made);
    return finish();
}
