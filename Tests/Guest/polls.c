/* The host is asked often enough whether to stop: the longest processor time between two calls of the progress
 * function, in all that a table goes through from covey_find on.
 *
 *     polls ROWS */
#include "operations.h"

#include <time.h>

enum { COLUMNS = 6, TYPES = 40, EVENTS = 8 };

/* 100 ms is what a call promises; the rest is for slower processors. */
static const double most = 0.06;

static double processor_time(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

typedef struct watch {
    double last, longest;
    char before[64];
} watch;

static int32_t progress(void *user_data, const char *stage, double fraction) {
    watch *watch = user_data;
    double now = processor_time();
    (void)fraction;
    if (now - watch->last > watch->longest) {
        watch->longest = now - watch->last;
        snprintf(watch->before, sizeof watch->before, "%s", stage);
    }
    watch->last = now;
    return 0;
}

static watch seen;

static void begin(void) {
    seen.longest = 0;
    seen.last = processor_time();
}

static void end(const char *call) {
    progress(&seen, "the end", 1);
    printf("%.*s: at most %.0f ms without a poll, before %s\n", (int)strcspn(call, "("), call, 1000 * seen.longest,
           seen.before);
    CHECK(seen.longest < most);
}

#define WATCHED(call) \
    do { \
        begin(); \
        CHECK_OK(call); \
        end(#call); \
    } while (0)

/* A third of the rows is known to be fraud, in knots of a few rows: there are many groups and much to permute. */
typedef struct rows {
    double *columns[COLUMNS], *times, *dwell;
    int8_t *fraud;
    int64_t *offsets;
    int32_t *types;
    covey_column views[COLUMNS];
} rows;

static void make_rows(rows *made, int64_t count) {
    static const char *const names[COLUMNS] = {"a", "b", "c", "d", "e", "f"};
    static const covey_column empty;
    uint64_t state = 7;
    size_t n = (size_t)count;
    made->fraud = malloc(n);
    made->offsets = malloc((n + 1) * sizeof *made->offsets);
    made->types = malloc(n * EVENTS * sizeof *made->types);
    made->times = malloc(n * EVENTS * sizeof *made->times);
    made->dwell = malloc(n * EVENTS * sizeof *made->dwell);
    for (int column = 0; column < COLUMNS; column++) {
        made->columns[column] = malloc(n * sizeof **made->columns);
        made->views[column] = empty;
        made->views[column].name = names[column];
        made->views[column].values = made->columns[column];
    }
    int64_t event = 0;
    for (int64_t row = 0; row < count; row++) {
        int fraud = row % 3 == 0;
        made->fraud[row] = (int8_t)(fraud ? 1 : row % 5 == 1 ? 0 : -1);
        for (int column = 0; column < COLUMNS; column++)
            made->columns[column][row] = sample_number(&state) + sample_number(&state) +
                                         (fraud && column < 3 ? 2 + 0.3 * (double)(row / 3 % 5) : 0);
        made->offsets[row] = event;
        double time = 30.0 * (double)row;
        for (int count_here = EVENTS / 2 + (int)(row % (EVENTS / 2)); count_here > 0; count_here--, event++) {
            made->types[event] = fraud && count_here % 2 ? 4 : 1 + (int)(sample_number(&state) * (TYPES - 1));
            made->times[event] = time += fraud ? 1.5 : 20 * sample_number(&state);
            made->dwell[event] = sample_number(&state);
        }
    }
    made->offsets[count] = event;
}

static void free_rows(rows *made) {
    for (int column = 0; column < COLUMNS; column++) free(made->columns[column]);
    free(made->fraud);
    free(made->offsets);
    free(made->types);
    free(made->times);
    free(made->dwell);
}

static covey_vocabulary *make_vocabulary(void) {
    covey_error *error = NULL;
    char text[TYPES][8];
    const char *names[TYPES];
    covey_vocabulary *vocabulary = NULL;
    for (int name = 0; name < TYPES; name++) {
        snprintf(text[name], sizeof text[name], "e%d", name);
        names[name] = text[name];
    }
    CHECK_OK(covey_vocabulary_create(NULL, names, TYPES, &vocabulary, &error));
    return vocabulary;
}

/* All calls on what was found. */
static void use(covey_found *found, covey_context *context, const covey_sequences *events, const covey_table *table,
                const int8_t *fraud) {
    covey_error *error = NULL;
    covey_buffer *bytes = NULL, *schema = NULL, *report = NULL;
    covey_engine *engine = NULL, *rated = NULL;
    covey_scores *scores = NULL;
    covey_drift *drift = NULL;
    WATCHED(covey_engine_write(covey_found_engine(found), context, &bytes, &error));
    WATCHED(covey_engine_read(context, covey_buffer_data(bytes), covey_buffer_size(bytes), &engine, &error));
    WATCHED(covey_engine_schema(engine, context, &schema, &error));
    WATCHED(covey_engine_score(engine, context, events, table, &scores, &error));
    WATCHED(covey_drift_create(engine, context, &drift, &error));
    WATCHED(covey_drift_add(drift, context, events, table, scores, &error));
    WATCHED(covey_drift_report(drift, context, NULL, &report, &error));
    WATCHED(covey_engine_rerate(engine, context, fraud, NULL, NULL, table->rows, NULL, &rated, &error));
    covey_drift_destroy(drift);
    covey_scores_destroy(scores);
    covey_engine_destroy(rated);
    covey_engine_destroy(engine);
    covey_buffer_destroy(report);
    covey_buffer_destroy(schema);
    covey_buffer_destroy(bytes);
}

int main(int count, char **arguments) {
    int64_t n = count > 1 ? atol(arguments[1]) : 2000;
    rows made;
    make_rows(&made, n);
    covey_error *error = NULL;
    covey_vocabulary *vocabulary = make_vocabulary();
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.threads = 1;
    options.progress = progress;
    options.progress_user_data = &seen;
    covey_context *context = NULL;
    CHECK_OK(covey_context_create(&options, &context, &error));
    covey_sequences events = COVEY_SEQUENCES_INIT;
    events.count = n;
    events.offsets = made.offsets;
    events.types = made.types;
    events.times = made.times;
    events.dwell = made.dwell;
    covey_table table = COVEY_TABLE_INIT;
    table.rows = n;
    table.column_count = COLUMNS;
    table.columns = made.views;
    covey_training_options training = COVEY_TRAINING_OPTIONS_INIT;
    training.epochs = 1;
    training.hidden_size = 8;
    training.embedding_size = training.attention_size = 4;
    training.dimension = 8;
    covey_find_options wanted = COVEY_FIND_OPTIONS_INIT;
    wanted.training = &training;
    wanted.trees = 4;
    wanted.permutations = 99;
    covey_found *found = NULL;
    WATCHED(covey_find(context, &events, vocabulary, &table, made.fraud, NULL, NULL, n, NULL, &wanted, &found, &error));
    use(found, context, &events, &table, made.fraud);
    covey_found_destroy(found);
    covey_vocabulary_destroy(vocabulary);
    covey_context_destroy(context);
    free_rows(&made);
    return finish();
}
