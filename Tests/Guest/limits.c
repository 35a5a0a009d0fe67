/* Every kind of handle in a process with little memory and on threads with little stack: a status, never the end of the
   process.
 *
 *     limits STEPS     address spaces that are tried for each operation */
#include "operations.h"
#include "process.h"

#include <limits.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

static guest host;

typedef struct run {
    const operation *operation;
    digest sum;
    covey_status status;
} run;

static void *on_thread(void *argument) {
    run *run = argument;
    covey_error *error = NULL;
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.threads = 2;
    covey_context *context = NULL;
    run->sum = 1;
    run->status = covey_context_create(&options, &context, &error);
    if (run->status == COVEY_OK) run->status = run->operation->run(&host, context, 0, &run->sum, &error);
    covey_error_destroy(error);
    covey_context_destroy(context);
    return NULL;
}

/* JSON as deep as it is read, and deeper. */
static covey_status deep(const guest *guest, covey_context *context, int number, digest *sum, covey_error **error) {
    (void)guest, (void)number, (void)sum;
    static char text[4096];
    const int depths[] = {60, 64, 500};
    for (int i = 0; i < 3; i++) {
        int size = snprintf(text, sizeof text,
                            "{\"format_version\":1,\"features\":[{\"name\":\"x\",\"kind\":\"numeric\"}],"
                            "\"rules\":[{\"conditions\":[{\"feature\":\"x\",\"kind\":\"present\"}],\"text\":");
        for (int level = 0; level < depths[i]; level++) text[size++] = '[';
        for (int level = 0; level < depths[i]; level++) text[size++] = ']';
        size += snprintf(text + size, sizeof text - (size_t)size, "}]}");
        covey_rules *rules = NULL;
        covey_status status = covey_rules_parse(context, text, size, &rules, error);
        covey_rules_destroy(rules);
        if (status != (i == 0 ? COVEY_OK : COVEY_CORRUPT_FILE)) return COVEY_INTERNAL;
        covey_error_destroy(*error);
        *error = NULL;
    }
    return COVEY_OK;
}

/* Sizes at which memory that is refused to Swift's own arrays and strings would end the process. */
static covey_status large_vocabulary(const guest *guest, covey_context *context, int number, digest *sum,
                                     covey_error **error) {
    (void)guest, (void)number, (void)sum;
    enum { names = 300000 };
    static char text[names][12];
    static const char *pointers[names];
    for (int name = 0; name < names; name++) {
        if (pointers[name] == NULL) snprintf(text[name], sizeof text[name], "name %06d", name);
        pointers[name] = text[name];
    }
    covey_vocabulary *vocabulary = NULL;
    covey_status status = covey_vocabulary_build(context, pointers, names, 1, 0, &vocabulary, error);
    covey_vocabulary_destroy(vocabulary);
    return status;
}

static covey_status large_rules(const guest *guest, covey_context *context, int number, digest *sum,
                                covey_error **error) {
    (void)guest, (void)number, (void)sum;
    static char text[4 << 20];
    static int size;
    if (size == 0) {
        size = snprintf(text, sizeof text,
                        "{\"format_version\":1,\"features\":[{\"name\":\"x\",\"kind\":\"numeric\"}],\"rules\":[");
        for (int rule = 0; rule < 30000; rule++)
            size += snprintf(text + size, sizeof text - (size_t)size,
                             "%s{\"conditions\":[{\"feature\":\"x\",\"kind\":\"interval\",\"low\":%d.5}]}",
                             rule ? "," : "", rule);
        size += snprintf(text + size, sizeof text - (size_t)size, "]}");
    }
    covey_rules *rules = NULL;
    covey_buffer *json = NULL;
    covey_status status = covey_rules_parse(context, text, size, &rules, error);
    if (status == COVEY_OK) status = covey_rules_export(rules, context, COVEY_RULES_JSON, NULL, &json, error);
    covey_buffer_destroy(json);
    covey_rules_destroy(rules);
    return status;
}

/* Rows enough that forests, trees and groups are large; then the engine's bytes, its schema, new labels and drift. */
enum { LARGE_ROWS = 3000, LARGE_COLUMNS = 6 };

typedef struct large_table {
    double values[LARGE_COLUMNS][LARGE_ROWS];
    int8_t fraud[LARGE_ROWS];
    covey_column columns[LARGE_COLUMNS];
    covey_table table;
} large_table;

static const large_table *make_large_table(void) {
    static const char *const names[LARGE_COLUMNS] = {"a", "b", "c", "d", "e", "f"};
    static const covey_table empty = COVEY_TABLE_INIT;
    static large_table made;
    if (made.table.rows > 0) return &made;
    uint64_t state = 11;
    for (int column = 0; column < LARGE_COLUMNS; column++) {
        for (int row = 0; row < LARGE_ROWS; row++)
            made.values[column][row] =
                sample_number(&state) + sample_number(&state) + (row % 25 == 0 && column < 3 ? 3 : 0);
        made.columns[column].name = names[column];
        made.columns[column].values = made.values[column];
    }
    for (int row = 0; row < LARGE_ROWS; row++) made.fraud[row] = row % 50 == 0 ? 1 : -1;
    made.table = empty;
    made.table.rows = LARGE_ROWS;
    made.table.column_count = LARGE_COLUMNS;
    made.table.columns = made.columns;
    return &made;
}

static covey_status large_find(const guest *guest, covey_context *context, int number, digest *sum,
                               covey_error **error) {
    (void)guest, (void)number, (void)sum;
    const large_table *given = make_large_table();
    covey_find_options options = COVEY_FIND_OPTIONS_INIT;
    options.trees = 4;
    options.permutations = 49;
    covey_status status = COVEY_OK;
    covey_found *found = NULL;
    covey_buffer *bytes = NULL, *schema = NULL, *report = NULL;
    covey_engine *engine = NULL, *rated = NULL;
    covey_scores *scores = NULL;
    covey_drift *drift = NULL;
    RUN(covey_find(context, NULL, NULL, &given->table, given->fraud, NULL, NULL, LARGE_ROWS, NULL, &options, &found,
                   error));
    RUN(covey_engine_write(covey_found_engine(found), context, &bytes, error));
    RUN(covey_engine_read(context, covey_buffer_data(bytes), covey_buffer_size(bytes), &engine, error));
    RUN(covey_engine_schema(engine, context, &schema, error));
    RUN(covey_engine_score(engine, context, NULL, &given->table, &scores, error));
    RUN(covey_drift_create(engine, context, &drift, error));
    RUN(covey_drift_add(drift, context, NULL, &given->table, scores, error));
    RUN(covey_drift_report(drift, context, NULL, &report, error));
    RUN(covey_engine_rerate(engine, context, given->fraud, NULL, NULL, LARGE_ROWS, NULL, &rated, error));
done:
    covey_drift_destroy(drift);
    covey_scores_destroy(scores);
    covey_engine_destroy(rated);
    covey_engine_destroy(engine);
    covey_buffer_destroy(report);
    covey_buffer_destroy(schema);
    covey_buffer_destroy(bytes);
    covey_found_destroy(found);
    return status;
}

/* An index of FAISS, whose parallel regions cannot hand an exception on. */
static covey_status large_index(const guest *guest, covey_context *context, int number, digest *sum,
                                covey_error **error) {
    (void)number, (void)sum;
    covey_matrix matrix = COVEY_MATRIX_INIT;
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    matrix.data = guest->wide;
    matrix.rows = APPROXIMATE_ROWS;
    matrix.columns = WIDE_COLUMNS;
    options.min_cluster_size = 20;
    options.search = COVEY_SEARCH_APPROXIMATE;
    options.index = "IVF64,PQ13";
    covey_clustering *clustering = NULL;
    covey_status status = covey_cluster_matrix(context, &matrix, &options, &clustering, error);
    covey_clustering_destroy(clustering);
    return status;
}

/* The header says 128 KB; nothing lies above the thread's stack but its guard. */
static void stacks(const operation *operation) {
    run plain = {operation, 0, 0}, small = {operation, 0, 0};
    on_thread(&plain);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 << 10);
    pthread_t thread;
    CHECK(pthread_create(&thread, &attributes, on_thread, &small) == 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    CHECK(plain.status == COVEY_OK && small.status == COVEY_OK && small.sum == plain.sum);
}

/* In a child whose address space may grow by so many kilobytes: what the operation ends with, or less a signal. */
static int in_child(const operation *operation, long limit) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        rlim_t bytes = (rlim_t)(kilobytes_of("VmSize") + limit) << 10;
        struct rlimit space = {bytes, bytes};
        if (setrlimit(RLIMIT_AS, &space) != 0) _exit(100);
        run run = {operation, 0, 0};
        on_thread(&run);
        _exit(run.status);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* From 256 KB to 1 GB, each so many times the one before. */
static void spaces(const operation *operation, int steps) {
    int refused = 0, ended = COVEY_OK;
    for (int step = 0; step <= steps; step++) {
        long limit = (long)(256 * pow(4096, (double)step / steps));
        ended = in_child(operation, limit);
        refused += ended == COVEY_OUT_OF_MEMORY;
        CHECK(ended == COVEY_OK || ended == COVEY_OUT_OF_MEMORY);
        if (ended != COVEY_OK && ended != COVEY_OUT_OF_MEMORY)
            printf("  %s within %ld KB: %s %d\n", operation->name, limit, ended < 0 ? "signal" : "status", abs(ended));
    }
    CHECK(ended == COVEY_OK);
    printf("%s: refused at %d of %d limits\n", operation->name, refused, steps + 1);
}

int main(int count, char **arguments) {
    int steps = count > 1 ? atoi(arguments[1]) : 5;
    guest_create(&host);
    const operation nested = {"nested JSON", deep, 0};
    stacks(&nested);
    for (const operation *operation = operations; operation->name != NULL; operation++) stacks(operation);
    for (const operation *operation = operations; operation->name != NULL; operation++)
        if (strcmp(operation->name, "error") != 0) spaces(operation, steps);
    const operation large[] = {{"a large vocabulary", large_vocabulary, 0},
                               {"large rules", large_rules, 0},
                               {"an index", large_index, 0},
                               {"a large find", large_find, 0}};
    for (int i = 0; i < 4; i++) spaces(&large[i], steps);
    guest_destroy(&host);
    return finish();
}
