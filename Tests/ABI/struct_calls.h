/* How test_struct_sizes.c hands over each struct of the header: one call for each. */
#ifndef STRUCT_CALLS_H
#define STRUCT_CALLS_H

#include "counterfactual_sample.h"

#include <sys/mman.h>
#include <unistd.h>

static engine_sample sample;
static sample_parts made;
static covey_engine *engine;
static covey_scores *scores;
static covey_training *training;
static covey_found *found;
static covey_counterfactuals *counterfactuals;
static one_transaction risky;
static covey_matrix embeddings;
static uint8_t target[SAMPLE_ROWS];

/* A struct of `size` bytes: those of `known`, then zeros; behind it nothing can be read. */
typedef struct placed {
    char *pages;
    char *at;
    size_t size;
} placed;

enum { PAGE = 4096 };

static placed place(size_t size, const void *known, size_t known_size) {
    placed result = {mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), NULL, size};
    CHECK(result.pages != MAP_FAILED && mprotect(result.pages + 3 * PAGE, PAGE, PROT_NONE) == 0);
    result.at = result.pages + 3 * PAGE - size;
    memcpy(result.at, known, size < known_size ? size : known_size);
    return result;
}

static void drop(placed *struct_) { munmap(struct_->pages, 4 * PAGE); }

/* ----------------------------------------------------------------------------------- how each struct is handed over */

/* Makes a call with the struct; `sum` tells the results of two calls apart. */
typedef covey_status (*call_fn)(void *given, uint64_t *sum, covey_error **error);

static void add(uint64_t *sum, const void *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) *sum = (*sum ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
}

static covey_status context_options(void *given, uint64_t *sum, covey_error **error) {
    (void)sum;
    covey_context *context = NULL;
    covey_status status = covey_context_create(given, &context, error);
    covey_context_destroy(context);
    return status;
}

static covey_status hybrid_rows(const covey_matrix *matrix, const covey_table *table,
                                const covey_hybrid_options *options, uint64_t *sum, covey_error **error) {
    static float rows[SAMPLE_ROWS * 64];
    covey_hybrid *hybrid = NULL;
    covey_status status = covey_hybrid_fit(NULL, matrix, table, options, &hybrid, error);
    if (status == COVEY_OK) status = covey_hybrid_transform(hybrid, NULL, matrix, table, rows, 0, error);
    if (status == COVEY_OK) add(sum, rows, sizeof *rows * SAMPLE_ROWS * (size_t)covey_hybrid_dimension(hybrid));
    covey_hybrid_destroy(hybrid);
    return status;
}

static covey_status matrix(void *given, uint64_t *sum, covey_error **error) {
    return hybrid_rows(given, NULL, NULL, sum, error);
}

static covey_status table(void *given, uint64_t *sum, covey_error **error) {
    return hybrid_rows(NULL, given, NULL, sum, error);
}

static covey_status hybrid_options(void *given, uint64_t *sum, covey_error **error) {
    return hybrid_rows(&embeddings, &sample.table, given, sum, error);
}

static covey_status embed(const covey_sequences *sequences, const covey_embed_options *options, uint64_t *sum,
                          covey_error **error) {
    static float rows[SAMPLE_ROWS * MODEL_DIMENSION];
    covey_status status = covey_embed_sequences_with(made.encoder, NULL, sequences, options, rows, 0, NULL, error);
    add(sum, rows, sizeof rows);
    return status;
}

static covey_status sequences(void *given, uint64_t *sum, covey_error **error) {
    return embed(given, NULL, sum, error);
}

static covey_status embed_options(void *given, uint64_t *sum, covey_error **error) {
    return embed(&sample.sequences, given, sum, error);
}

static covey_status train(const covey_training_options *options, covey_training **report, uint64_t *sum,
                          covey_error **error) {
    static float rows[SAMPLE_ROWS * 3];
    covey_encoder *encoder = NULL;
    covey_status status = covey_encoder_train(NULL, &sample.sequences, covey_encoder_vocabulary(made.encoder), options,
                                              &encoder, report, error);
    if (status == COVEY_OK) status = covey_embed_sequences(encoder, NULL, &sample.sequences, rows, 0, NULL, error);
    add(sum, rows, sizeof rows);
    covey_encoder_destroy(encoder);
    return status;
}

static covey_status training_options(void *given, uint64_t *sum, covey_error **error) {
    return train(given, NULL, sum, error);
}

static covey_status cluster_options(void *given, uint64_t *sum, covey_error **error) {
    covey_clustering *clustering = NULL;
    int32_t labels[SAMPLE_ROWS];
    covey_status status = covey_cluster_matrix(NULL, &embeddings, given, &clustering, error);
    if (status == COVEY_OK) status = covey_clustering_labels(clustering, labels, SAMPLE_ROWS, error);
    if (status == COVEY_OK) add(sum, labels, sizeof labels);
    covey_clustering_destroy(clustering);
    return status;
}

static covey_status risk_options(void *given, uint64_t *sum, covey_error **error) {
    int8_t fraud[SAMPLE_ROWS];
    for (int row = 0; row < SAMPLE_ROWS; row++) fraud[row] = (int8_t)target[row];
    covey_risk *risk = NULL;
    covey_cluster_report report = COVEY_CLUSTER_REPORT_INIT;
    covey_status status = covey_cluster_risk(NULL, made.labels, fraud, NULL, NULL, SAMPLE_ROWS, given, &risk, error);
    if (status == COVEY_OK) status = covey_risk_get(risk, 0, &report, error);
    add(sum, &report, sizeof report);
    covey_risk_destroy(risk);
    return status;
}

/* Two groups of the sample are far from the third, of which half is known to be fraud. */
static covey_status find_in_sample(const covey_find_options *options, covey_found **result, covey_error **error) {
    int8_t fraud[SAMPLE_ROWS];
    for (int row = 0; row < SAMPLE_ROWS; row++)
        fraud[row] = row % 6 == 0 && row < 96 ? COVEY_LABEL_FRAUD : COVEY_LABEL_UNKNOWN;
    return covey_find(NULL, NULL, NULL, &sample.table, fraud, NULL, NULL, SAMPLE_ROWS, NULL, options, result, error);
}

static covey_status find_options(void *given, uint64_t *sum, covey_error **error) {
    static double scores[SAMPLE_ROWS];
    covey_found *own = NULL;
    covey_status status = find_in_sample(given, &own, error);
    if (status == COVEY_OK) status = covey_found_scores(own, scores, SAMPLE_ROWS, error);
    if (status == COVEY_OK) add(sum, scores, sizeof scores);
    covey_found_destroy(own);
    return status;
}

static covey_status risky_group(void *given, uint64_t *sum, covey_error **error) {
    (void)sum;
    return covey_found_group(found, 0, given, error);
}

static covey_status rules_options(void *given, uint64_t *sum, covey_error **error) {
    covey_rules *rules = NULL;
    covey_buffer *text = NULL;
    covey_status status = covey_extract_rules(NULL, &sample.table, target, given, &rules, error);
    if (status == COVEY_OK) status = covey_rules_export(rules, NULL, COVEY_RULES_JSON, NULL, &text, error);
    if (status == COVEY_OK) add(sum, covey_buffer_data(text), (size_t)covey_buffer_size(text));
    covey_buffer_destroy(text);
    covey_rules_destroy(rules);
    return status;
}

static covey_status export_options(void *given, uint64_t *sum, covey_error **error) {
    covey_buffer *text = NULL;
    covey_status status = covey_rules_export(made.rules, NULL, COVEY_RULES_SQL, given, &text, error);
    if (status == COVEY_OK) add(sum, covey_buffer_data(text), (size_t)covey_buffer_size(text));
    covey_buffer_destroy(text);
    return status;
}

static covey_status run_backtest(const covey_backtest_options *given, covey_backtest_report *report, uint64_t *sum,
                                 covey_error **error) {
    int8_t fraud[SAMPLE_ROWS];
    for (int row = 0; row < SAMPLE_ROWS; row++) fraud[row] = (int8_t)target[row];
    covey_backtest *backtest = NULL;
    covey_backtest_report own = COVEY_BACKTEST_REPORT_INIT;
    covey_status status = covey_backtest_run(NULL, made.rules, &sample.table, fraud, given, &backtest, error);
    if (status == COVEY_OK) status = covey_backtest_get(backtest, 0, report ? report : &own, error);
    if (!report) add(sum, &own, sizeof own);
    covey_backtest_destroy(backtest);
    return status;
}

static covey_status backtest_options(void *given, uint64_t *sum, covey_error **error) {
    return run_backtest(given, NULL, sum, error);
}

static covey_status backtest_report(void *given, uint64_t *sum, covey_error **error) {
    return run_backtest(NULL, given, sum, error);
}

static covey_status rule_feature(void *given, uint64_t *sum, covey_error **error) {
    covey_rules_options options = COVEY_RULES_OPTIONS_INIT;
    options.features = given;
    options.feature_count = 1;
    return rules_options(&options, sum, error);
}

static covey_status pinned(void *given, uint64_t *sum, covey_error **error) {
    covey_rules_options options = COVEY_RULES_OPTIONS_INIT;
    options.pinned = given;
    options.pinned_count = 1;
    return rules_options(&options, sum, error);
}

static covey_status engine_parts(void *given, uint64_t *sum, covey_error **error) {
    covey_engine *built = NULL;
    covey_status status = covey_engine_build(NULL, given, &built, error);
    int64_t features = covey_engine_feature_count(built);
    add(sum, &features, sizeof features);
    covey_engine_destroy(built);
    return status;
}

static covey_status score_options(void *given, uint64_t *sum, covey_error **error) {
    covey_scores *own = NULL;
    covey_score score = COVEY_SCORE_INIT;
    covey_status status = covey_engine_score_with(engine, NULL, &sample.sequences, &sample.table, given, &own, error);
    if (status == COVEY_OK) status = covey_scores_get(own, 0, &score, error);
    add(sum, &score, sizeof score);
    covey_scores_destroy(own);
    return status;
}

static covey_status training_epoch(void *given, uint64_t *sum, covey_error **error) {
    (void)sum;
    return covey_training_get(training, 0, given, error);
}

static covey_status cluster_report(void *given, uint64_t *sum, covey_error **error) {
    (void)sum;
    return covey_risk_get(made.risk, 0, given, error);
}

static covey_status rule_report(void *given, uint64_t *sum, covey_error **error) {
    (void)sum;
    return covey_rules_get(made.rules, 0, given, error);
}

static covey_status condition(void *given, uint64_t *sum, covey_error **error) {
    (void)sum;
    return covey_rules_condition(made.rules, 0, 0, given, error);
}

/* A session of the engine's, and an event that it takes. */
static uint64_t session[512];
static const double event_numbers[2] = {1, 2};
static const int32_t event_codes[2] = {1, 2};
static covey_event one_event = COVEY_EVENT_INIT;
static covey_session_state empty_state = COVEY_SESSION_STATE_INIT;

static covey_status session_add(void *given, uint64_t *sum, covey_error **error) {
    covey_status status = covey_session_start(engine, session, sizeof session, error);
    if (status == COVEY_OK) status = covey_session_add(engine, session, sizeof session, given, error);
    add(sum, session, sizeof session);
    return status;
}

static covey_status session_get(void *given, uint64_t *sum, covey_error **error) {
    (void)sum;
    covey_status status = covey_session_start(engine, session, sizeof session, error);
    return status == COVEY_OK ? covey_session_get(engine, session, sizeof session, given, error) : status;
}

static covey_status score(void *given, uint64_t *sum, covey_error **error) {
    (void)sum;
    return covey_scores_get(scores, 2, given, error);
}

static covey_status counterfactual_options(void *given, uint64_t *sum, covey_error **error) {
    covey_counterfactuals *result = NULL;
    covey_status status =
        covey_counterfactuals_find(engine, NULL, &risky.sequences, &risky.table, given, &result, error);
    *sum = (uint64_t)covey_counterfactuals_evaluations(result);
    covey_counterfactuals_destroy(result);
    return status;
}

static covey_status counterfactual(void *given, uint64_t *sum, covey_error **error) {
    (void)sum;
    return covey_counterfactuals_get(counterfactuals, 0, given, error);
}

static covey_status change(void *given, uint64_t *sum, covey_error **error) {
    (void)sum;
    return covey_counterfactuals_change(counterfactuals, 0, 0, given, error);
}

static covey_explanations *explanations;
static covey_explain_options default_explain = COVEY_EXPLAIN_OPTIONS_INIT;
static covey_explanation empty_explanation = COVEY_EXPLANATION_INIT;

static covey_status explain_options(void *given, uint64_t *sum, covey_error **error) {
    covey_explanations *own = NULL;
    double numbers[SAMPLE_EVENTS];
    covey_status status = covey_engine_explain(engine, NULL, &sample.sequences, &sample.table, given, &own, error);
    if (status == COVEY_OK) status = covey_explanations_events(own, 2, numbers, NULL, SAMPLE_EVENTS, error);
    if (status == COVEY_OK) add(sum, numbers, sizeof *numbers * (size_t)(sample.offsets[3] - sample.offsets[2]));
    covey_explanations_destroy(own);
    return status;
}

static covey_status explanation(void *given, uint64_t *sum, covey_error **error) {
    (void)sum;
    return covey_explanations_get(explanations, 2, given, error);
}

static covey_status arrow_matrix(void *given, uint64_t *sum, covey_error **error) {
    (void)sum;
    static const float numbers[6] = {1, 2, 3, 4, 5, 6};
    const void *buffers[2] = {NULL, numbers}, *none[1] = {NULL};
    struct ArrowSchema item = {"f", "item", NULL, 0, 0, NULL, NULL, NULL, NULL}, *items = &item;
    struct ArrowArray values = {6, 0, 0, 2, 0, buffers, NULL, NULL, NULL, NULL}, *children = &values;
    struct ArrowSchema schema = {"+w:2", "", NULL, 0, 1, &items, NULL, NULL, NULL};
    struct ArrowArray array = {3, 0, 0, 1, 1, none, &children, NULL, NULL, NULL};
    /* Never called, but a struct without is a released one. */
    schema.release = (void (*)(struct ArrowSchema *))drop;
    array.release = (void (*)(struct ArrowArray *))drop;
    return covey_arrow_matrix(&schema, &array, given, error);
}

static covey_status arrow_options(void *given, uint64_t *sum, covey_error **error) {
    static const double numbers[2] = {1, 2};
    const void *buffers[2] = {NULL, numbers}, *none[1] = {NULL};
    struct ArrowSchema item = {"g", "x", NULL, 0, 0, NULL, NULL, NULL, NULL}, *items = &item;
    struct ArrowArray values = {2, 0, 0, 2, 0, buffers, NULL, NULL, NULL, NULL}, *children = &values;
    struct ArrowSchema schema = {"+s", "", NULL, 0, 1, &items, NULL, NULL, NULL};
    struct ArrowArray array = {2, 0, 0, 1, 1, none, &children, NULL, NULL, NULL};
    schema.release = (void (*)(struct ArrowSchema *))drop;
    array.release = (void (*)(struct ArrowArray *))drop;
    const struct ArrowArray *arrays[1] = {&array};
    covey_arrow_table *table = NULL;
    covey_status status = covey_arrow_table_import_batches(NULL, &schema, arrays, 1, given, &table, error);
    if (status == COVEY_OK) *sum = (uint64_t)covey_arrow_table_view(table)->column_count;
    covey_arrow_table_destroy(table);
    return status;
}

#endif
