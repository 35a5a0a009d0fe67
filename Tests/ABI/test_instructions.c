/* Section 3 of covey.h: the instructions of the process. Each case is a process of its own. */
#include "engine_sample.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static covey_error *error;

/* Whether the processor has what COVEY_INSTRUCTIONS_AVX2 needs. */
static int has_avx2(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static void fails(int32_t instructions, covey_status status, const char *part) {
    CHECK(covey_set_instructions(instructions, &error) == status);
    CHECK(covey_error_code(error) == status && strstr(covey_error_message(error), part) != NULL);
    covey_error_destroy(error);
    error = NULL;
    CHECK(covey_set_instructions(instructions, NULL) == status);
}

static void compute(void) {
    const char *const names[] = {"a"};
    covey_vocabulary *vocabulary = NULL;
    CHECK_OK(covey_vocabulary_create(NULL, names, 1, &vocabulary, &error));
    covey_vocabulary_destroy(vocabulary);
}

static void unknown_ones(void) {
    fails(3, COVEY_INVALID_ARGUMENT, "instructions must be");
    fails(-1, COVEY_INVALID_ARGUMENT, "instructions must be");
}

static void too_late(void) {
    compute();
    CHECK_OK(covey_set_instructions(COVEY_INSTRUCTIONS_ALL, &error));
    if (has_avx2()) fails(COVEY_INSTRUCTIONS_AVX2, COVEY_INVALID_ARGUMENT, "before the first call");
}

/* A context alone decides nothing. */
static void in_time(void) {
    covey_context *context = NULL;
    CHECK_OK(covey_context_create(NULL, &context, &error));
    covey_context_destroy(context);
    if (!has_avx2()) {
        fails(COVEY_INSTRUCTIONS_AVX2, COVEY_UNSUPPORTED, "lacks AVX2 or FMA");
        return;
    }
    CHECK_OK(covey_set_instructions(COVEY_INSTRUCTIONS_AVX2, &error));
    compute();
    CHECK_OK(covey_set_instructions(COVEY_INSTRUCTIONS_AVX2, &error));
    fails(COVEY_INSTRUCTIONS_ALL, COVEY_INVALID_ARGUMENT, "only once");
    engine_sample sample;
    make_sample(&sample, 1);
    covey_engine *engine = make_engine(&sample);
    covey_scores *scores = NULL;
    CHECK_OK(covey_engine_score(engine, NULL, &sample.sequences, &sample.table, &scores, &error));
    CHECK(covey_scores_count(scores) == SAMPLE_ROWS);
    covey_scores_destroy(scores);
    covey_engine_destroy(engine);
}

/* Without AMX, and with a signal stack that is too small for it, clusterings are those with all instructions. */
static void cluster_rows(int32_t *labels) {
    enum { ROWS = 9000, COLUMNS = 20 };
    double *numbers = malloc(ROWS * COLUMNS * sizeof *numbers);
    uint32_t state = 1;
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        state = state * 1664525u + 1013904223u;
        numbers[i] = (state >> 8) * 0x1p-24 + i / COLUMNS % 9 * (i % COLUMNS % 5);
    }
    covey_matrix matrix = COVEY_MATRIX_INIT;
    matrix.data = numbers;
    matrix.rows = ROWS;
    matrix.columns = COLUMNS;
    matrix.type = COVEY_FLOAT64;
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    options.min_cluster_size = 20;
    options.search = COVEY_SEARCH_EXACT;
    covey_clustering *clustering = NULL;
    CHECK_OK(covey_cluster_matrix(NULL, &matrix, &options, &clustering, &error));
    CHECK_OK(covey_clustering_labels(clustering, labels, ROWS, &error));
    covey_clustering_destroy(clustering);
    free(numbers);
}

/* Shared with the children. */
static struct {
    int32_t with_all[9000], without_amx[9000], with_a_small_stack[9000];
} *labels;

static void with_all(void) {
    cluster_rows(labels->with_all);
    CHECK(labels->with_all[0] >= 0);
}

static void without_amx(void) {
    CHECK_OK(covey_set_instructions(COVEY_INSTRUCTIONS_NO_AMX, &error));
    cluster_rows(labels->without_amx);
    fails(COVEY_INSTRUCTIONS_ALL, COVEY_INVALID_ARGUMENT, "only once");
    /* A small signal stack is still possible. */
    static char memory[4096];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    CHECK(sigaltstack(&stack, NULL) == 0 || errno == ENOMEM);
}

static void with_a_small_signal_stack(void) {
    static char memory[4096];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    CHECK(sigaltstack(&stack, NULL) == 0);
    cluster_rows(labels->with_a_small_stack);
    CHECK(sigaltstack(&stack, NULL) == 0);
}

static void in_child(void (*run)(void)) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        run();
        fflush(stdout);
        _exit(checks_failed);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

int main(void) {
    in_child(unknown_ones);
    in_child(too_late);
    in_child(in_time);
    labels = mmap(NULL, sizeof *labels, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(labels != MAP_FAILED);
    in_child(with_all);
    in_child(without_amx);
    in_child(with_a_small_signal_stack);
    CHECK(memcmp(labels->without_amx, labels->with_all, sizeof labels->with_all) == 0);
    CHECK(memcmp(labels->with_a_small_stack, labels->with_all, sizeof labels->with_all) == 0);
    return finish();
}
