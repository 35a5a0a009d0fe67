/* Uses each handle on many threads at once, as covey.h allows. ThreadSanitizer watches it, and the results must be
 * those of one thread, byte for byte.
 *
 *     concurrency [ROUNDS]     the number of rounds of each thread */
#include "operations.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 4, FIRED = SAMPLE_ROWS * 8 };

static guest host;
static int rounds = 3;

/* The handles that the threads share, in addition to those of the guest. They are new, so that several threads make
 * their first use at the same time. */
typedef struct shared {
    covey_context *context; /* One context for all calls of all threads. */
    covey_context *stopped; /* A context that is cancelled again and again. */
    covey_encoder *encoder;
    covey_training *training;
    covey_arrow_table *arrow;
    covey_vocabulary *vocabulary;
    covey_scores *scores;
    covey_risk *risk;
    atomic_int reports;
    atomic_int done;
} shared;

static shared common;

static int32_t report(void *user_data, const char *stage, double fraction) {
    shared *to = user_data;
    if (stage != NULL && fraction >= 0 && fraction <= 1) atomic_fetch_add(&to->reports, 1);
    return 0;
}

/* Reads all results of each shared handle. */
static digest read_all(covey_context *context, covey_status *status) {
    digest sum = 1;
    covey_error *error = NULL;
    *status = COVEY_OK;
#define DO(call) \
    do { \
        covey_status got_ = (call); \
        if (got_ != COVEY_OK && *status == COVEY_OK) *status = got_; \
        covey_error_destroy(error); \
        error = NULL; \
    } while (0)
    float *numbers = calloc(SAMPLE_ROWS * 64, sizeof *numbers);
    double *strengths = calloc(SAMPLE_ROWS, sizeof *strengths);
    int32_t labels[SAMPLE_ROWS] = {0};
    uint8_t fired[FIRED] = {0};
    covey_embed_options embed = COVEY_EMBED_OPTIONS_INIT;
    embed.precision = COVEY_PRECISION_BFLOAT16;
    DO(covey_embed_sequences_with(common.encoder, context, &host.sample.sequences, &embed, numbers, 0, NULL, &error));
    sum = add(sum, numbers, sizeof *numbers * SAMPLE_ROWS * MODEL_DIMENSION);
    DO(covey_embed_sequences(common.encoder, context, &host.sample.sequences, numbers, 0, NULL, &error));
    sum = add(sum, numbers, sizeof *numbers * SAMPLE_ROWS * MODEL_DIMENSION);
    sum = add_text(sum, covey_vocabulary_name(covey_encoder_vocabulary(common.encoder), 1));
    DO(covey_embed_sequences(covey_training_encoder(common.training), context, &host.sample.sequences, numbers, 0, NULL,
                             &error));
    sum = add(sum, numbers, sizeof *numbers * SAMPLE_ROWS * 4);
    covey_training_epoch epoch = COVEY_TRAINING_EPOCH_INIT;
    DO(covey_training_get(common.training, 0, &epoch, &error));
    sum = add(sum, &epoch.loss, sizeof epoch.loss);
    const char *const names[] = {"pay", "login", "none"};
    DO(covey_vocabulary_lookup(common.vocabulary, NULL, names, 3, labels, &error));
    sum = add_text(add(sum, labels, 3 * sizeof *labels), covey_vocabulary_name(common.vocabulary, 2));
    const covey_table *view = covey_arrow_table_view(common.arrow);
    sum = add_text(sum, view->columns[view->column_count - 1].name);
    DO(covey_hybrid_transform(host.made.hybrid, context, &host.embeddings, &host.sample.table, numbers, 0, &error));
    sum = add(sum, numbers, sizeof *numbers * SAMPLE_ROWS * (size_t)covey_hybrid_dimension(host.made.hybrid));
    for (int64_t column = 0; column < covey_hybrid_dimension(host.made.hybrid); column++)
        sum = add_text(sum, covey_hybrid_column_name(host.made.hybrid, column));
    const covey_clustering *clustering = host.made.clustering;
    DO(covey_clustering_predict(clustering, context, &host.hybrid_rows, labels, strengths, &error));
    sum = add(add(sum, labels, sizeof labels), strengths, sizeof *strengths * SAMPLE_ROWS);
    DO(covey_clustering_probabilities(clustering, strengths, SAMPLE_ROWS, &error));
    DO(covey_clustering_outlier_scores(clustering, strengths, SAMPLE_ROWS, &error));
    sum = add(sum, strengths, sizeof *strengths * SAMPLE_ROWS);
    int64_t exemplars[SAMPLE_ROWS] = {0};
    DO(covey_clustering_exemplars(clustering, 0, exemplars, SAMPLE_ROWS, &error));
    sum = add(sum, exemplars, sizeof exemplars);
    covey_edge edges[SAMPLE_ROWS];
    DO(covey_clustering_spanning_tree(clustering, edges, SAMPLE_ROWS, &error));
    covey_cluster_report cluster = COVEY_CLUSTER_REPORT_INIT;
    for (int64_t rank = 0; rank < covey_risk_count(common.risk); rank++) {
        DO(covey_risk_get(common.risk, rank, &cluster, &error));
        sum = add(sum, &cluster.share_low, sizeof cluster.share_low);
    }
    const covey_rules *rules = host.made.rules;
    DO(covey_rules_evaluate(rules, context, &host.sample.table, NULL, fired, &error));
    sum = add(sum, fired, SAMPLE_ROWS);
    covey_table one = host.sample.table;
    one.rows = 1;
    DO(covey_rules_evaluate(rules, context, &one, fired, NULL, &error));
    for (int32_t format = COVEY_RULES_JSON; format <= COVEY_RULES_JSON_SCHEMA; format++) {
        covey_buffer *text = NULL;
        DO(covey_rules_export(rules, context, format, NULL, &text, &error));
        sum = add_text(sum, covey_buffer_data(text));
        covey_buffer_destroy(text);
    }
    covey_condition condition = COVEY_CONDITION_INIT;
    DO(covey_rules_condition(rules, 0, 0, &condition, &error));
    sum = add_text(add_text(sum, condition.feature), covey_rules_condition_text(rules, 0, 0));
    sum = add_text(sum, covey_rules_text(rules, 0));
    covey_scores *scores = NULL;
    DO(covey_engine_score(host.engine, context, &host.sample.sequences, &host.sample.table, &scores, &error));
    for (int row = 0; row < SAMPLE_ROWS; row++) {
        const covey_scores *both[] = {scores, common.scores};
        for (int which = 0; which < 2; which++)
            for (int64_t reason = 0; covey_scores_reason(both[which], row, reason) != NULL; reason++)
                sum = add_text(sum, covey_scores_reason(both[which], row, reason));
    }
    covey_scores_destroy(scores);
    sum = add_text(sum, covey_engine_feature_name(host.engine, 0));
    free(numbers);
    free(strengths);
    return sum;
#undef DO
}

static digest expected, expected_operations[32];

typedef struct worker {
    pthread_t thread;
    int number;
    int wrong;
} worker;

static void *work(void *argument) {
    worker *own = argument;
    covey_status status;
    covey_error *error = NULL;
    for (int round = 0; round < rounds; round++) {
        own->wrong += read_all(common.context, &status) != expected || status != COVEY_OK;
        /* The call may be cancelled at any point, or not at all. Neither may do harm. */
        digest sum = read_all(common.stopped, &status);
        own->wrong += !(status == COVEY_CANCELLED || (status == COVEY_OK && sum == expected));
        for (int i = 0; operations[i].name != NULL; i++) {
            if (operations[i].slow == 2 && round > 0) continue;
            sum = 1;
            covey_status made = operations[i].run(&host, common.context, own->number, &sum, &error);
            if (made != COVEY_OK || sum != expected_operations[i]) {
                printf("thread %d, %s: status %d: %s\n", own->number, operations[i].name, made,
                       covey_error_message(error));
                own->wrong++;
            }
            covey_error_destroy(error);
            error = NULL;
            sum = 1;
            made = operations[i].run(&host, common.stopped, own->number, &sum, &error);
            own->wrong += !(made == COVEY_CANCELLED || made == COVEY_OK);
            covey_error_destroy(error);
            error = NULL;
        }
    }
    return NULL;
}

static void *cancel(void *unused) {
    (void)unused;
    while (!atomic_load(&common.done)) {
        covey_cancel(common.stopped);
        usleep(500);
    }
    return NULL;
}

/* Destroys the parts of an engine that scores on another thread. */
static void *destroy_parts(void *parts) {
    usleep(2000);
    drop_parts(parts);
    return NULL;
}

/* Destroys handles on another thread than the one that created them, while other handles that need them are in use. */
static void destroyed_meanwhile(void) {
    static sample_parts made;
    covey_error *error = NULL;
    covey_engine *engine = NULL;
    covey_scores *scores = NULL;
    memset(&made, 0, sizeof made);
    CHECK_OK(make_parts(&made, &host.sample, &error));
    CHECK_OK(covey_engine_build(NULL, &made.parts, &engine, &error));
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, destroy_parts, &made) == 0);
    for (int round = 0; round < 10; round++) {
        CHECK_OK(covey_engine_score(engine, NULL, &host.sample.sequences, &host.sample.table, &scores, &error));
        covey_scores_destroy(scores);
    }
    pthread_join(thread, NULL);
    CHECK_OK(covey_engine_score(engine, NULL, &host.sample.sequences, &host.sample.table, &scores, &error));
    covey_engine_destroy(engine);
    CHECK(covey_scores_reason(scores, 0, 0) != NULL);
    covey_scores_destroy(scores);
}

static void make_common(void) {
    covey_error *error = NULL;
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.threads = 3;
    CHECK_OK(covey_context_create(&options, &common.stopped, &error));
    options.progress = report;
    options.progress_user_data = &common;
    CHECK_OK(covey_context_create(&options, &common.context, &error));
    CHECK_OK(covey_load_model(NULL, MODEL_PATH, &common.encoder, &error));
    const char *const names[] = {"login", "pay"};
    CHECK_OK(covey_vocabulary_create(NULL, names, 2, &common.vocabulary, &error));
    static arrow_batch batch;
    make_batch(&batch);
    CHECK_OK(covey_arrow_table_import(NULL, &batch.schema, &batch.array, &common.arrow, &error));
    int8_t fraud[SAMPLE_ROWS];
    for (int row = 0; row < SAMPLE_ROWS; row++) fraud[row] = (int8_t)(row % 4 == 2);
    CHECK_OK(covey_cluster_risk(NULL, host.made.labels, fraud, NULL, NULL, SAMPLE_ROWS, NULL, &common.risk, &error));
    CHECK_OK(covey_engine_score(host.engine, NULL, &host.sample.sequences, &host.sample.table, &common.scores, &error));
    const covey_vocabulary *vocabularies[] = {covey_encoder_categorical_vocabulary(common.encoder, 0),
                                              covey_encoder_categorical_vocabulary(common.encoder, 1)};
    covey_training_options training = COVEY_TRAINING_OPTIONS_INIT;
    training.embedding_size = training.hidden_size = training.attention_size = 3;
    training.dimension = 4;
    training.epochs = 1;
    training.categorical_vocabularies = vocabularies;
    covey_encoder *encoder = NULL;
    CHECK_OK(covey_encoder_train(NULL, &host.sample.sequences, covey_encoder_vocabulary(common.encoder), &training,
                                 &encoder, &common.training, &error));
    covey_encoder_destroy(encoder);
}

static void drop_common(void) {
    covey_context_destroy(common.context);
    covey_context_destroy(common.stopped);
    covey_encoder_destroy(common.encoder);
    covey_training_destroy(common.training);
    covey_arrow_table_destroy(common.arrow);
    covey_vocabulary_destroy(common.vocabulary);
    covey_scores_destroy(common.scores);
    covey_risk_destroy(common.risk);
}

int main(int count, char **arguments) {
    if (count > 1) rounds = atoi(arguments[1]);
    guest_create(&host);
    /* The reference is computed on one thread. The handles are then created again for the threads. */
    make_common();
    covey_status status;
    covey_error *error = NULL;
    expected = read_all(NULL, &status);
    CHECK(status == COVEY_OK);
    drop_common();
    for (int i = 0; operations[i].name != NULL; i++) {
        expected_operations[i] = 1;
        CHECK_OK(operations[i].run(&host, NULL, 0, &expected_operations[i], &error));
    }
    make_common();
    worker workers[THREADS];
    pthread_t canceller;
    for (int i = 0; i < THREADS; i++) {
        worker own = {0, i, 0};
        workers[i] = own;
        CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
    }
    CHECK(pthread_create(&canceller, NULL, cancel, NULL) == 0);
    destroyed_meanwhile();
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        CHECK(workers[i].wrong == 0);
    }
    atomic_store(&common.done, 1);
    pthread_join(canceller, NULL);
    CHECK(atomic_load(&common.reports) > 0);
    drop_common();
    guest_destroy(&host);
    return finish();
}
