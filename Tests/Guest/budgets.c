/* The memory budget of a context against what calls really allocate: the smallest budget with which a call succeeds,
 * and the most that it has allocated at any time with this budget and with smaller ones, which it refuses. Every byte
 * of malloc, operator new and mmap is counted, whoever asks for it. What is asked for must not be far above what is
 * taken.
 *
 *     budgets SHARE     of the sizes at which budgets were exceeded once, 1 to 100 percent */
#include "fault_hooks.h"
#include "operations.h"

/* What has no budget: handles, messages, a thread's start. */
enum { SMALL_CHANGE = 64 << 10 };

static double share;
static char folder[64];

static long scaled(long count) {
    long result = (long)(share * (double)count);
    return result < 300 ? 300 : result;
}

static const char *file_of(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* The bytes that the result of a call takes: those that were there while its handle lived. */
static long kept;

static void keep(void) { kept = faults_kept_bytes(); }

/* ---------------------------------------------------------------------------------------------------------- inputs */

static uint64_t state = 1;

static double *numbers(long count) {
    double *values = malloc((size_t)count * sizeof *values);
    for (long i = 0; i < count; i++) values[i] = sample_number(&state) + sample_number(&state) + sample_number(&state);
    return values;
}

static const char **names_of(long count) {
    const char **names = malloc((size_t)count * sizeof *names);
    char *text = malloc((size_t)count * 24);
    for (long i = 0; i < count; i++, text += 24) {
        snprintf(text, 24, "category number %ld", i);
        names[i] = text;
    }
    return names;
}

enum { COLUMNS = 6 };

typedef struct input {
    long rows, categories;
    covey_column columns[COLUMNS];
    covey_table table;
    uint8_t *target;
    int8_t *fraud;
    int32_t *labels;
    const char **names;
    covey_matrix matrix, first;
    char *rules;
    long rules_size;
} input;

static input given;

static void make_input(void) {
    static const char *const titles[COLUMNS] = {"a", "b", "c", "d", "e", "code"};
    static const covey_table table = COVEY_TABLE_INIT;
    static const covey_matrix matrix = COVEY_MATRIX_INIT;
    given.rows = scaled(60000);
    given.categories = scaled(50000);
    given.names = names_of(given.categories);
    for (int column = 0; column < COLUMNS - 1; column++) {
        given.columns[column].name = titles[column];
        given.columns[column].values = numbers(given.rows);
    }
    int32_t *codes = malloc((size_t)given.rows * sizeof *codes);
    given.target = malloc((size_t)given.rows);
    given.fraud = malloc((size_t)given.rows);
    given.labels = malloc((size_t)given.rows * sizeof *given.labels);
    for (long row = 0; row < given.rows; row++) {
        codes[row] = (int32_t)(row % given.categories);
        given.target[row] = ((const double *)given.columns[0].values)[row] > 2.2;
        given.fraud[row] = row % 50 == 0 ? 1 : -1;
        given.labels[row] = (int32_t)row;
    }
    covey_column code = {titles[COLUMNS - 1], codes, 0, given.names, given.categories, COVEY_CATEGORICAL, 0};
    given.columns[COLUMNS - 1] = code;
    given.table = table;
    given.table.rows = given.rows;
    given.table.column_count = COLUMNS;
    given.table.columns = given.columns;
    given.matrix = matrix;
    given.matrix.type = COVEY_FLOAT64;
    given.matrix.rows = scaled(30000);
    given.matrix.columns = 8;
    given.matrix.data = numbers(given.matrix.rows * given.matrix.columns);
    given.first = given.matrix;
    given.first.rows /= 4;
    given.rules = malloc((size_t)given.categories * 32 + 512);
    given.rules_size =
        sprintf(given.rules, "{\"format_version\":1,\"features\":[{\"name\":\"x\",\"kind\":\"categorical\"}],\"rules\":"
                             "[{\"conditions\":[{\"feature\":\"x\",\"kind\":\"in\",\"categories\":[");
    for (long i = 0; i < given.categories; i++)
        given.rules_size += sprintf(given.rules + given.rules_size, "%s\"%s\"", i > 0 ? "," : "", given.names[i]);
    given.rules_size += sprintf(given.rules + given.rules_size, "]}]}]}");
}

/* ------------------------------------------------------------------------------------------------------- workloads */

static covey_status parse_rules(covey_context *context, covey_error **error) {
    covey_rules *rules = NULL;
    covey_status status = covey_rules_parse(context, given.rules, given.rules_size, &rules, error);
    keep();
    covey_rules_destroy(rules);
    return status;
}

static covey_status extract_rules(covey_context *context, covey_error **error) {
    covey_rules_options options = COVEY_RULES_OPTIONS_INIT;
    covey_rules *rules = NULL;
    covey_status status = covey_extract_rules(context, &given.table, given.target, &options, &rules, error);
    keep();
    covey_rules_destroy(rules);
    return status;
}

static covey_rules *sample_rules;

static covey_status evaluate_rules(covey_context *context, covey_error **error) {
    uint8_t *fired = malloc((size_t)given.rows);
    covey_status status = covey_rules_evaluate(sample_rules, context, &given.table, NULL, fired, error);
    free(fired);
    return status;
}

static covey_status export_rules(covey_context *context, covey_error **error) {
    covey_buffer *text = NULL;
    covey_status status = covey_rules_export(sample_rules, context, COVEY_RULES_JSON, NULL, &text, error);
    keep();
    covey_buffer_destroy(text);
    return status;
}

/* Each row is a cluster of its own. */
static covey_status rate(covey_context *context, covey_error **error) {
    covey_risk *risk = NULL;
    covey_status status =
        covey_cluster_risk(context, given.labels, given.fraud, NULL, NULL, given.rows, NULL, &risk, error);
    keep();
    covey_risk_destroy(risk);
    return status;
}

static covey_status cluster(covey_context *context, int32_t search, int32_t prediction, covey_error **error) {
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    options.min_cluster_size = 20;
    options.search = search;
    options.prediction = prediction;
    covey_clustering *clustering = NULL;
    covey_status status = covey_cluster_matrix(context, &given.matrix, &options, &clustering, error);
    keep();
    covey_clustering_destroy(clustering);
    return status;
}

static covey_status cluster_exactly(covey_context *context, covey_error **error) {
    return cluster(context, COVEY_SEARCH_EXACT, 0, error);
}

static covey_status cluster_for_prediction(covey_context *context, covey_error **error) {
    return cluster(context, COVEY_SEARCH_EXACT, 1, error);
}

static covey_status cluster_approximately(covey_context *context, covey_error **error) {
    return cluster(context, COVEY_SEARCH_APPROXIMATE, 1, error);
}

static covey_clustering *sample_clustering;

static covey_status predict(covey_context *context, covey_error **error) {
    int32_t *labels = malloc((size_t)given.first.rows * sizeof *labels);
    covey_status status = covey_clustering_predict(sample_clustering, context, &given.first, labels, NULL, error);
    free(labels);
    return status;
}

static covey_status fit_hybrid(covey_context *context, covey_error **error) {
    covey_hybrid *hybrid = NULL;
    covey_status status = covey_hybrid_fit(context, NULL, &given.table, NULL, &hybrid, error);
    keep();
    covey_hybrid_destroy(hybrid);
    return status;
}

/* Embeddings alone, which are turned to their principal components. */
static covey_status fit_components(covey_context *context, covey_error **error) {
    covey_hybrid_options options = COVEY_HYBRID_OPTIONS_INIT;
    options.embedding_components = 3;
    covey_hybrid *hybrid = NULL;
    covey_status status = covey_hybrid_fit(context, &given.matrix, NULL, &options, &hybrid, error);
    keep();
    covey_hybrid_destroy(hybrid);
    return status;
}

static covey_status build_vocabulary(covey_context *context, covey_error **error) {
    covey_vocabulary *vocabulary = NULL;
    covey_status status = covey_vocabulary_build(context, given.names, given.categories, 1, 0, &vocabulary, error);
    keep();
    covey_vocabulary_destroy(vocabulary);
    return status;
}

/* A few numbers, so that the engine is made of rows and trees. */
static covey_status find(covey_context *context, covey_error **error) {
    covey_table table = given.table;
    table.rows = scaled(4000);
    table.column_count = COLUMNS - 1;
    covey_find_options options = COVEY_FIND_OPTIONS_INIT;
    options.trees = 8;
    options.permutations = 49;
    covey_found *found = NULL;
    covey_status status =
        covey_find(context, NULL, NULL, &table, given.fraud, NULL, NULL, table.rows, NULL, &options, &found, error);
    keep();
    if (status == COVEY_OK && access(file_of("engine"), R_OK) != 0)
        status = covey_engine_save(covey_found_engine(found), NULL, file_of("engine"), error);
    covey_found_destroy(found);
    return status;
}

#define LOAD(name, type, call) \
    static covey_status name(covey_context *context, covey_error **error) { \
        covey_##type *loaded = NULL; \
        covey_status status = call(context, file_of(#type), &loaded, error); \
        keep(); \
        covey_##type##_destroy(loaded); \
        return status; \
    }

LOAD(load_engine, engine, covey_engine_load)
LOAD(load_encoder, encoder, covey_load_model)
LOAD(load_clustering, clustering, covey_clustering_load)
LOAD(load_hybrid, hybrid, covey_hybrid_load)
LOAD(load_risk, risk, covey_risk_load)

typedef struct workload {
    const char *name;
    covey_status (*run)(covey_context *context, covey_error **error);
} workload;

/* The files that are loaded, and the handles that are used. `find` writes the engine. */
static void make_parts_of_input(void) {
    covey_error *error = NULL;
    covey_rules_options rules = COVEY_RULES_OPTIONS_INIT;
    CHECK_OK(covey_extract_rules(NULL, &given.table, given.target, &rules, &sample_rules, &error));
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    options.min_cluster_size = 20;
    options.prediction = 1;
    CHECK_OK(covey_cluster_matrix(NULL, &given.matrix, &options, &sample_clustering, &error));
    CHECK_OK(covey_clustering_save(sample_clustering, NULL, file_of("clustering"), &error));
    covey_hybrid *hybrid = NULL;
    CHECK_OK(covey_hybrid_fit(NULL, NULL, &given.table, NULL, &hybrid, &error));
    CHECK_OK(covey_hybrid_save(hybrid, NULL, file_of("hybrid"), &error));
    covey_hybrid_destroy(hybrid);
    covey_risk *risk = NULL;
    CHECK_OK(covey_cluster_risk(NULL, given.labels, given.fraud, NULL, NULL, given.rows, NULL, &risk, &error));
    CHECK_OK(covey_risk_save(risk, NULL, file_of("risk"), &error));
    covey_risk_destroy(risk);
    covey_vocabulary *vocabulary = NULL;
    CHECK_OK(covey_vocabulary_create(NULL, given.names, given.categories, &vocabulary, &error));
    engine_sample *sample = malloc(sizeof *sample);
    make_sample(sample, 1);
    sample->sequences.numeric_count = sample->sequences.categorical_count = 0;
    covey_training_options training = COVEY_TRAINING_OPTIONS_INIT;
    training.epochs = 1;
    covey_encoder *encoder = NULL;
    CHECK_OK(covey_encoder_train(NULL, &sample->sequences, vocabulary, &training, &encoder, NULL, &error));
    CHECK_OK(covey_encoder_save(encoder, NULL, file_of("encoder"), &error));
    covey_encoder_destroy(encoder);
    covey_vocabulary_destroy(vocabulary);
    free(sample);
}

/* ------------------------------------------------------------------------------------------------------ the budget */

/* Runs the workload with a budget: its status, and the most bytes at any time. */
static covey_status with_budget(const workload *load, uint64_t budget, long *most) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.threads = 2;
    options.memory_budget = budget;
    covey_context *context = NULL;
    covey_error *error = NULL;
    CHECK_OK(covey_context_create(&options, &context, &error));
    faults_begin(FAULT_NONE, 0, 0, 0);
    covey_status status = load->run(context, &error);
    *most = faults_most_bytes();
    faults_end();
    CHECK(status == COVEY_OK || status == COVEY_OUT_OF_MEMORY);
    if (getenv("COVEY_VERBOSE") != NULL || (status != COVEY_OK && status != COVEY_OUT_OF_MEMORY))
        printf("  %.1f KB with a budget of %.1f: %s\n", (double)*most / 1024, (double)budget / 1024,
               covey_error_message(error));
    covey_error_destroy(error);
    covey_context_destroy(context);
    return status;
}

static void measure(const workload *load) {
    long most = 0, worst = 0;
    kept = 0;
    CHECK(with_budget(load, 0, &most) == COVEY_OK); /* What stays allocated for good is so from here on. */
    CHECK(with_budget(load, 0, &most) == COVEY_OK);
    const long free_most = most, result = kept;
    uint64_t refused = 0, accepted = (uint64_t)most + 1;
    while (accepted < 1ULL << 40 && with_budget(load, accepted, &most) != COVEY_OK) {
        if (most - (long)accepted > worst) worst = most - (long)accepted;
        refused = accepted;
        accepted *= 2;
    }
    for (int step = 0; step < 8 && accepted - refused > accepted / 50; step++) {
        uint64_t middle = refused + (accepted - refused) / 2;
        covey_status status = with_budget(load, middle, &most);
        if (most - (long)middle > worst) worst = most - (long)middle;
        if (status == COVEY_OK) accepted = middle;
        else refused = middle;
    }
    /* The smallest is not the same in every run: the sizes of hash tables of the standard library are not. */
    accepted += accepted / 50;
    CHECK(with_budget(load, accepted, &most) == COVEY_OK);
    if (most - (long)accepted > worst) worst = most - (long)accepted;
    CHECK(worst <= SMALL_CHANGE);
    CHECK((double)accepted <= 2.5 * (double)most + SMALL_CHANGE);
    printf("%-23s smallest budget %9.1f KB, most allocated %9.1f KB (%.2f), above a budget %+8.1f KB, result %9.1f KB, "
           "without a budget %.1f KB\n",
           load->name, (double)accepted / 1024, (double)most / 1024, (double)most / (double)accepted,
           (double)worst / 1024, (double)result / 1024, (double)free_most / 1024);
}

int main(int count, char **arguments) {
    share = count > 1 ? atof(arguments[1]) / 100 : 0.1;
    snprintf(folder, sizeof folder, "%s/covey-budgets-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    CHECK(mkdtemp(folder) != NULL);
    make_input();
    make_parts_of_input();
    const workload loads[] = {{"rules, parsed", parse_rules},
                              {"rules, searched", extract_rules},
                              {"rules, evaluated", evaluate_rules},
                              {"rules, written", export_rules},
                              {"risk", rate},
                              {"clustering", cluster_exactly},
                              {"clustering, prediction", cluster_for_prediction},
                              {"clustering, approximate", cluster_approximately},
                              {"prediction", predict},
                              {"hybrid", fit_hybrid},
                              {"hybrid, components", fit_components},
                              {"vocabulary", build_vocabulary},
                              {"find", find},
                              {"load: engine", load_engine},
                              {"load: encoder", load_encoder},
                              {"load: clustering", load_clustering},
                              {"load: hybrid", load_hybrid},
                              {"load: risk", load_risk}};
    for (size_t i = 0; i < sizeof loads / sizeof *loads; i++)
        if (count < 3 || strstr(loads[i].name, arguments[2]) != NULL) measure(&loads[i]);
    static const char *const files[] = {"engine", "encoder", "clustering", "hybrid", "risk"};
    for (int i = 0; i < 5; i++) unlink(file_of(files[i]));
    rmdir(folder);
    covey_clustering_destroy(sample_clustering);
    covey_rules_destroy(sample_rules);
    return finish();
}
