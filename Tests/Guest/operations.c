#include "operations.h"

static covey_status use_context(const guest *guest, covey_context *context, int number, digest *sum,
                                covey_error **error) {
    (void)guest, (void)context, (void)number;
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    covey_context *made = NULL;
    options.threads = 2;
    covey_status status = covey_context_create(&options, &made, error);
    covey_cancel(made);
    covey_context_destroy(made);
    *sum = add(*sum, &status, sizeof status);
    return status;
}

/* The failures of each function that creates a handle. They must leave nothing behind. */
static covey_status use_error(const guest *guest, covey_context *context, int number, digest *sum,
                              covey_error **error) {
    (void)number;
    covey_status status = COVEY_OK, found;
    covey_error *failure = NULL;
    *error = NULL;
#define FAILS(call) \
    do { \
        found = (call); \
        *sum = add_text(add(*sum, &found, sizeof found), covey_error_message(failure)); \
        if (found == COVEY_OK || covey_error_code(failure) != found) status = COVEY_INTERNAL; \
        covey_error_destroy(failure); \
        failure = NULL; \
    } while (0)
    const char *const twice[] = {"a", "a"};
    covey_context_options context_options = COVEY_CONTEXT_OPTIONS_INIT;
    context_options.threads = -1;
    covey_context *no_context = NULL;
    FAILS(covey_context_create(&context_options, &no_context, &failure));
    covey_vocabulary *vocabulary = NULL;
    FAILS(covey_vocabulary_create(NULL, twice, 2, &vocabulary, &failure));
    covey_arrow_table *arrow = NULL;
    arrow_batch batch;
    make_batch(&batch);
    batch.column_schemas[2].format = "+l";
    FAILS(covey_arrow_table_import(context, &batch.schema, &batch.array, &arrow, &failure));
    covey_encoder *encoder = NULL;
    FAILS(covey_load_model(context, "Tests/Guest/operations.c", &encoder, &failure));
    FAILS(covey_load_model(context, "Tests/Guest/none", &encoder, &failure));
    covey_training_options training = COVEY_TRAINING_OPTIONS_INIT;
    training.hidden_size = 0;
    covey_training *report = NULL;
    FAILS(covey_encoder_train(context, &guest->sample.sequences, covey_encoder_vocabulary(guest->made.encoder),
                              &training, &encoder, &report, &failure));
    covey_hybrid *hybrid = NULL;
    covey_hybrid_options hybrid_options = COVEY_HYBRID_OPTIONS_INIT;
    hybrid_options.embedding_components = MODEL_DIMENSION + 1;
    FAILS(covey_hybrid_fit(context, &guest->embeddings, &guest->sample.table, &hybrid_options, &hybrid, &failure));
    covey_clustering *clustering = NULL;
    covey_cluster_options cluster_options = COVEY_CLUSTER_OPTIONS_INIT;
    cluster_options.min_samples = -1;
    FAILS(covey_cluster_matrix(context, &guest->hybrid_rows, &cluster_options, &clustering, &failure));
    covey_risk *risk = NULL;
    const int32_t label = -2;
    const int8_t known = COVEY_LABEL_FRAUD;
    FAILS(covey_cluster_risk(context, &label, &known, NULL, NULL, 1, NULL, &risk, &failure));
    covey_rules *rules = NULL;
    const uint8_t one_class[SAMPLE_ROWS] = {0};
    FAILS(covey_extract_rules(context, &guest->sample.table, one_class, NULL, &rules, &failure));
    FAILS(covey_rules_parse(NULL, "{\"rules\": [}", 12, &rules, &failure));
    covey_engine *engine = NULL;
    covey_engine_parts parts = guest->made.parts;
    parts.encoder = NULL;
    FAILS(covey_engine_build(NULL, &parts, &engine, &failure));
    FAILS(covey_engine_load(context, MODEL_PATH, &engine, &failure));
    covey_scores *scores = NULL;
    FAILS(covey_engine_score(guest->engine, context, NULL, &guest->sample.table, &scores, &failure));
#undef FAILS
    return status;
}

static covey_status use_arrow(const guest *guest, covey_context *context, int number, digest *sum,
                              covey_error **error) {
    (void)guest, (void)number;
    arrow_batch batch;
    make_batch(&batch);
    covey_arrow_table *table = NULL;
    covey_status status = covey_arrow_table_import(context, &batch.schema, &batch.array, &table, error);
    const covey_table *view = covey_arrow_table_view(table);
    for (int64_t column = 0; view != NULL && column < view->column_count; column++)
        *sum = add_text(*sum, view->columns[column].name);
    covey_arrow_table_destroy(table);
    return status;
}

static covey_status use_vocabulary(const guest *guest, covey_context *context, int number, digest *sum,
                                   covey_error **error) {
    (void)guest, (void)context, (void)number;
    const char *const names[] = {"login", "pay", "", "login", "basket"};
    covey_vocabulary *vocabulary = NULL;
    covey_status status = COVEY_OK;
    int32_t indices[5];
    RUN(covey_vocabulary_build(NULL, names, 5, 1, 0, &vocabulary, error));
    RUN(covey_vocabulary_lookup(vocabulary, context, names, 5, indices, error));
    *sum = add_text(add(*sum, indices, sizeof indices), covey_vocabulary_name(vocabulary, 1));
done:
    covey_vocabulary_destroy(vocabulary);
    return status;
}

static covey_status use_encoder(const guest *guest, covey_context *context, int number, digest *sum,
                                covey_error **error) {
    char path[96];
    snprintf(path, sizeof path, "%s/encoder-%d", guest->folder, number);
    covey_encoder *encoder = NULL;
    covey_status status = COVEY_OK;
    float *embeddings = malloc(sizeof *embeddings * SAMPLE_ROWS * MODEL_DIMENSION);
    covey_embed_options options = COVEY_EMBED_OPTIONS_INIT;
    options.precision = COVEY_PRECISION_BFLOAT16;
    RUN(covey_load_model(context, MODEL_PATH, &encoder, error));
    RUN(covey_embed_sequences(encoder, context, &guest->sample.sequences, embeddings, 0, NULL, error));
    *sum = add(*sum, embeddings, sizeof *embeddings * SAMPLE_ROWS * MODEL_DIMENSION);
    RUN(covey_embed_sequences_with(encoder, context, &guest->sample.sequences, &options, embeddings, 0, NULL, error));
    *sum = add(*sum, embeddings, sizeof *embeddings * SAMPLE_ROWS * MODEL_DIMENSION);
    RUN(covey_encoder_save(encoder, NULL, path, error));
done:
    free(embeddings);
    covey_encoder_destroy(encoder);
    return status;
}

static covey_status use_training(const guest *guest, covey_context *context, int number, digest *sum,
                                 covey_error **error) {
    char path[96];
    snprintf(path, sizeof path, "%s/training-%d", guest->folder, number);
    unlink(path);
    const covey_vocabulary *vocabularies[] = {covey_encoder_categorical_vocabulary(guest->made.encoder, 0),
                                              covey_encoder_categorical_vocabulary(guest->made.encoder, 1)};
    covey_training_options options = COVEY_TRAINING_OPTIONS_INIT;
    options.embedding_size = options.category_embedding_size = 2;
    options.hidden_size = options.attention_size = 3;
    options.dimension = 4;
    options.epochs = 2;
    options.batch_size = 64;
    options.contrastive = options.masked_event = 0.5;
    options.categorical_vocabularies = vocabularies;
    options.checkpoint_path = path;
    covey_encoder *encoder = NULL;
    covey_training *training = NULL;
    covey_status status = COVEY_OK;
    float embeddings[SAMPLE_ROWS * 4];
    RUN(covey_encoder_train(context, &guest->sample.sequences, covey_encoder_vocabulary(guest->made.encoder), &options,
                            &encoder, &training, error));
    RUN(covey_embed_sequences(encoder, context, &guest->sample.sequences, embeddings, 0, NULL, error));
    covey_training_epoch epoch = COVEY_TRAINING_EPOCH_INIT;
    RUN(covey_training_get(training, 1, &epoch, error));
    *sum = add(add(*sum, embeddings, sizeof embeddings), &epoch.loss, sizeof epoch.loss);
done:
    unlink(path);
    covey_training_destroy(training);
    covey_encoder_destroy(encoder);
    return status;
}

static covey_status use_hybrid(const guest *guest, covey_context *context, int number, digest *sum,
                               covey_error **error) {
    (void)number;
    covey_hybrid_options options = COVEY_HYBRID_OPTIONS_INIT;
    options.embedding_components = 5;
    options.missing = COVEY_MISSING_INDICATOR;
    covey_hybrid *hybrid = NULL;
    covey_status status = COVEY_OK;
    float *rows = NULL;
    RUN(covey_hybrid_fit(context, &guest->embeddings, &guest->sample.table, &options, &hybrid, error));
    size_t size = sizeof *rows * SAMPLE_ROWS * (size_t)covey_hybrid_dimension(hybrid);
    rows = malloc(size);
    RUN(covey_hybrid_transform(hybrid, context, &guest->embeddings, &guest->sample.table, rows, 0, error));
    *sum = add_text(add(*sum, rows, size), covey_hybrid_column_name(hybrid, 0));
done:
    free(rows);
    covey_hybrid_destroy(hybrid);
    return status;
}

/* Clusters the rows, reads all results of the clustering, and predicts the first rows again. */
static covey_status cluster(const covey_matrix *matrix, const covey_cluster_options *options, covey_context *context,
                            digest *sum, covey_error **error) {
    covey_clustering *clustering = NULL;
    covey_status status = COVEY_OK;
    size_t n = (size_t)matrix->rows;
    covey_merge *merges = malloc(sizeof *merges * n);
    covey_condensed_edge *condensed = NULL;
    int32_t *labels = malloc(sizeof *labels * n);
    double *scores = malloc(sizeof *scores * n);
    RUN(covey_cluster_matrix(context, matrix, options, &clustering, error));
    RUN(covey_clustering_labels(clustering, labels, (int64_t)n, error));
    *sum = add(*sum, labels, sizeof *labels * n);
    RUN(covey_clustering_outlier_scores(clustering, scores, (int64_t)n, error));
    *sum = add(*sum, scores, sizeof *scores * n);
    RUN(covey_clustering_single_linkage_tree(clustering, merges, (int64_t)n, error));
    *sum = add(*sum, merges, sizeof *merges * (n - 1));
    int64_t rows = covey_clustering_condensed_count(clustering);
    condensed = malloc(sizeof *condensed * (size_t)rows);
    RUN(covey_clustering_condensed_tree(clustering, condensed, rows, error));
    *sum = add(*sum, condensed, sizeof *condensed * (size_t)rows);
    covey_matrix first = *matrix;
    first.rows = 40;
    RUN(covey_clustering_predict(clustering, context, &first, labels, scores, error));
    *sum = add(add(*sum, labels, sizeof *labels * 40), scores, sizeof *scores * 40);
done:
    free(merges);
    free(condensed);
    free(labels);
    free(scores);
    covey_clustering_destroy(clustering);
    return status;
}

static covey_status use_clustering(const guest *guest, covey_context *context, int number, digest *sum,
                                   covey_error **error) {
    (void)number;
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    options.min_cluster_size = 10;
    options.prediction = 1;
    return cluster(&guest->hybrid_rows, &options, context, sum, error);
}

static covey_status use_tiles(const guest *guest, covey_context *context, int number, digest *sum,
                              covey_error **error) {
    (void)number;
    covey_matrix matrix = COVEY_MATRIX_INIT;
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    matrix.data = guest->wide;
    matrix.rows = WIDE_ROWS;
    matrix.columns = WIDE_COLUMNS;
    options.min_cluster_size = 20;
    options.prediction = 1;
    return cluster(&matrix, &options, context, sum, error);
}

static covey_status use_approximate(const guest *guest, covey_context *context, int number, digest *sum,
                                    covey_error **error) {
    (void)number;
    covey_matrix matrix = COVEY_MATRIX_INIT;
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    matrix.data = guest->wide;
    matrix.rows = APPROXIMATE_ROWS;
    matrix.columns = WIDE_COLUMNS;
    options.min_cluster_size = 20;
    options.search = COVEY_SEARCH_APPROXIMATE;
    options.prediction = 1;
    return cluster(&matrix, &options, context, sum, error);
}

static covey_status use_risk(const guest *guest, covey_context *context, int number, digest *sum, covey_error **error) {
    (void)number;
    int8_t fraud[SAMPLE_ROWS];
    for (int row = 0; row < SAMPLE_ROWS; row++) fraud[row] = (int8_t)(row % 4 == 2);
    covey_risk *risk = NULL;
    covey_cluster_report report = COVEY_CLUSTER_REPORT_INIT;
    covey_status status = COVEY_OK;
    RUN(covey_cluster_risk(context, guest->made.labels, fraud, guest->sample.amounts, NULL, SAMPLE_ROWS, NULL, &risk,
                           error));
    RUN(covey_risk_get(risk, 0, &report, error));
    *sum = add(*sum, &report.share_low, sizeof report.share_low);
done:
    covey_risk_destroy(risk);
    return status;
}

static covey_status use_rules(const guest *guest, covey_context *context, int number, digest *sum,
                              covey_error **error) {
    (void)number;
    uint8_t target[SAMPLE_ROWS], fired[SAMPLE_ROWS];
    for (int row = 0; row < SAMPLE_ROWS; row++) target[row] = row % 3 == 1;
    covey_rules_options options = COVEY_RULES_OPTIONS_INIT;
    options.min_support = 4;
    options.resamples = 2;
    covey_rules *rules = NULL, *again = NULL;
    covey_buffer *text = NULL;
    covey_status status = COVEY_OK;
    RUN(covey_extract_rules(context, &guest->sample.table, target, &options, &rules, error));
    RUN(covey_rules_evaluate(rules, context, &guest->sample.table, NULL, fired, error));
    *sum = add_text(add(*sum, fired, sizeof fired), covey_rules_text(rules, 0));
    for (int32_t format = COVEY_RULES_SQL; format <= COVEY_RULES_JSON_SCHEMA; format++) {
        RUN(covey_rules_export(rules, context, format, NULL, &text, error));
        *sum = add_text(*sum, covey_buffer_data(text));
        covey_buffer_destroy(text);
        text = NULL;
    }
    RUN(covey_rules_parse(NULL, guest->rules_json, (int64_t)strlen(guest->rules_json), &again, error));
    RUN(covey_rules_export(again, context, COVEY_RULES_JSON, NULL, &text, error));
    *sum = add_text(*sum, covey_buffer_data(text));
done:
    covey_buffer_destroy(text);
    covey_rules_destroy(again);
    covey_rules_destroy(rules);
    return status;
}

static covey_status use_engine(const guest *guest, covey_context *context, int number, digest *sum,
                               covey_error **error) {
    char path[96];
    snprintf(path, sizeof path, "%s/engine-%d", guest->folder, number);
    covey_engine *engine = NULL, *loaded = NULL;
    covey_scores *scores = NULL;
    covey_status status = COVEY_OK;
    RUN(covey_engine_build(NULL, &guest->made.parts, &engine, error));
    RUN(covey_engine_save(engine, NULL, path, error));
    RUN(covey_engine_load(context, path, &loaded, error));
    RUN(covey_engine_score(loaded, context, &guest->sample.sequences, &guest->sample.table, &scores, error));
    for (int row = 0; row < SAMPLE_ROWS; row++) {
        covey_score score = COVEY_SCORE_INIT;
        RUN(covey_scores_get(scores, row, &score, error));
        *sum = add(add(*sum, &score.risk, sizeof score.risk), &score.cluster, sizeof score.cluster);
        for (int64_t reason = 0; reason < score.reason_count; reason++)
            *sum = add_text(*sum, covey_scores_reason(scores, row, reason));
    }
done:
    covey_scores_destroy(scores);
    covey_engine_destroy(loaded);
    covey_engine_destroy(engine);
    return status;
}

const operation operations[] = {
    {"context", use_context, 0},
    {"error", use_error, 0},
    {"arrow table", use_arrow, 0},
    {"vocabulary", use_vocabulary, 0},
    {"encoder", use_encoder, 0},
    {"hybrid", use_hybrid, 0},
    {"clustering", use_clustering, 0},
    {"risk", use_risk, 0},
    {"rules", use_rules, 0},
    {"engine, scores", use_engine, 0},
    {"training", use_training, 1},
    {"clustering by tiles", use_tiles, 2},
    {"clustering, approximate", use_approximate, 2},
    {"clustering by indexes", use_index, 1},
    {"find", use_find, 2},
    {"profiles", use_profiles, 0},
    {"explanations", use_explanations, 0},
    {"counterfactuals", use_counterfactuals, 1},
    {NULL, NULL, 0},
};

void guest_create(guest *guest) {
    covey_error *error = NULL;
    memset(guest, 0, sizeof *guest);
    /* In memory if possible, because files are synced thousands of times. */
    snprintf(guest->folder, sizeof guest->folder, "%s/covey-guest-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    CHECK(mkdtemp(guest->folder) != NULL);
    make_sample(&guest->sample, 1);
    make_find_sample(&guest->find, 3);
    CHECK_OK(make_parts(&guest->made, &guest->sample, &error));
    CHECK_OK(covey_engine_build(NULL, &guest->made.parts, &guest->engine, &error));
    covey_matrix matrix = COVEY_MATRIX_INIT;
    matrix.data = guest->made.embeddings;
    matrix.rows = SAMPLE_ROWS;
    matrix.columns = MODEL_DIMENSION;
    guest->embeddings = matrix;
    matrix.columns = covey_hybrid_dimension(guest->made.hybrid);
    matrix.data = guest->rows = malloc(sizeof *guest->rows * SAMPLE_ROWS * (size_t)matrix.columns);
    guest->hybrid_rows = matrix;
    CHECK_OK(covey_hybrid_transform(guest->made.hybrid, NULL, &guest->embeddings, &guest->sample.table, guest->rows, 0,
                                    &error));
    guest->wide = malloc(sizeof *guest->wide * APPROXIMATE_ROWS * WIDE_COLUMNS);
    uint64_t state = 5;
    for (int row = 0; row < APPROXIMATE_ROWS; row++)
        for (int column = 0; column < WIDE_COLUMNS; column++)
            guest->wide[row * WIDE_COLUMNS + column] = (float)(sample_number(&state) + sample_number(&state) +
                                                               sample_number(&state) + 2 * (row % 4 == column % 4));
    covey_buffer *text = NULL;
    CHECK_OK(covey_rules_export(guest->made.rules, NULL, COVEY_RULES_JSON, NULL, &text, &error));
    guest->rules_json = strdup(covey_buffer_data(text));
    covey_buffer_destroy(text);
}

void guest_destroy(guest *guest) {
    char path[96];
    for (int number = 0; number < 64; number++) {
        static const char *const names[] = {"encoder", "engine", "training"};
        for (int name = 0; name < 3; name++) {
            snprintf(path, sizeof path, "%s/%s-%d", guest->folder, names[name], number);
            unlink(path);
        }
    }
    CHECK(rmdir(guest->folder) == 0);
    covey_engine_destroy(guest->engine);
    drop_parts(&guest->made);
    free(guest->rows);
    free(guest->wide);
    free(guest->rules_json);
}
