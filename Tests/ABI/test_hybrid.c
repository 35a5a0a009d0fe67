/* Section 7: hybrid features, from a C host. */
#include "abi_test.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS 6

static const double amounts[ROWS] = {1, 2, 3, 4, 5, NAN};
static const int8_t weekend[ROWS] = {1, 0, 1, 0, 1, -1};
static const int32_t countries[ROWS] = {0, 1, 2, 1, -1, 0};
static const char *const names[3] = {"NL", "BE", "FR"};
static const float embedding[ROWS][2] = {{1, 0}, {-1, 0}, {1, 0}, {-1, 0}, {1, 0}, {-1, 0}};

static covey_table whole_table(covey_column columns[3]) {
    covey_column all[3] = {
        {"amount", amounts, 0, NULL, 0, COVEY_NUMERIC, 0},
        {"weekend", weekend, 0, NULL, 0, COVEY_BOOLEAN, 0},
        {"country", countries, 0, names, 3, COVEY_CATEGORICAL, 0},
    };
    covey_table table = COVEY_TABLE_INIT;
    memcpy(columns, all, sizeof all);
    table.rows = ROWS;
    table.column_count = 3;
    table.columns = columns;
    return table;
}

static int near(float a, double b) { return fabs(a - b) < 1e-6; }

/* In a child: BLAS wants 128 MiB of address space for each thread's products, and here there are 64 left. */
static void short_of_address_space(void) {
    static float rows[500][48];
    uint64_t state = 1;
    for (int i = 0; i < 500 * 48; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        rows[i / 48][i % 48] = (float)(state >> 40) / 16777216.0f;
    }
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        unsigned long pages = 0;
        FILE *sizes = fopen("/proc/self/statm", "r");
        if (!sizes || fscanf(sizes, "%lu", &pages) != 1) _exit(2);
        fclose(sizes);
        rlim_t limit = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + (64 << 20);
        struct rlimit space = {limit, limit};
        if (setrlimit(RLIMIT_AS, &space) != 0) _exit(3);
        alarm(60);
        covey_matrix matrix = COVEY_MATRIX_INIT;
        matrix.data = rows;
        matrix.rows = 500;
        matrix.columns = 48;
        matrix.type = COVEY_FLOAT32;
        covey_hybrid_options options = COVEY_HYBRID_OPTIONS_INIT;
        options.embedding_components = 8;
        covey_hybrid *hybrid = NULL;
        covey_context *context = NULL;
        covey_context_options two = COVEY_CONTEXT_OPTIONS_INIT;
        two.threads = 2;
        if (covey_context_create(&two, &context, NULL) != COVEY_OK) _exit(4);
        _exit(covey_hybrid_fit(context, &matrix, NULL, &options, &hybrid, NULL) == COVEY_OK ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
    covey_error *error = NULL;
    covey_column columns[3];
    covey_table table = whole_table(columns);
    covey_matrix matrix = COVEY_MATRIX_INIT;
    matrix.data = embedding;
    matrix.rows = ROWS;
    matrix.columns = 2;

    covey_hybrid_options options = COVEY_HYBRID_OPTIONS_INIT;
    options.missing = COVEY_MISSING_INDICATOR;
    options.embedding_weight = 2;
    covey_hybrid *hybrid = NULL;
    CHECK_OK(covey_hybrid_fit(NULL, &matrix, &table, &options, &hybrid, &error));
    CHECK(covey_hybrid_dimension(hybrid) == 10);
    const char *expected[10] = {"embedding[0]",    "embedding[1]", "amount",     "amount missing", "weekend",
                                "weekend missing", "country=NL",   "country=BE", "country=FR",     "country missing"};
    for (int64_t column = 0; column < 10; column++)
        CHECK(strcmp(covey_hybrid_column_name(hybrid, column), expected[column]) == 0);
    CHECK(covey_hybrid_column_name(hybrid, -1) == NULL);
    CHECK(covey_hybrid_column_name(hybrid, 10) == NULL);

    float rows[ROWS][12];
    memset(rows, 0x7f, sizeof rows);
    CHECK_OK(covey_hybrid_transform(hybrid, NULL, &matrix, &table, &rows[0][0], sizeof rows[0], &error));
    double block = 1 / sqrt(3), half = sqrt(0.5);
    CHECK(near(rows[0][0], 2) && near(rows[1][0], -2) && rows[0][1] == 0);
    CHECK(near(rows[4][2], block * (5 - 3) / 2.0));                       /* median 3, quartiles 2 and 4 */
    CHECK(rows[4][3] == 0 && rows[5][2] == 0 && near(rows[5][3], block)); /* missing */
    CHECK(near(rows[0][4], block) && rows[1][4] == 0 && near(rows[5][4], block) && near(rows[5][5], block));
    CHECK(near(rows[0][6], block * half) && rows[0][7] == 0 && near(rows[4][9], block * half));
    /* What lies between the rows stays as it was. */
    uint32_t untouched;
    memcpy(&untouched, &rows[2][10], sizeof untouched);
    CHECK(untouched == 0x7f7f7f7f);

    /* One row alone, its columns in another order, as a struct of arrays with strides: the same bytes. */
    for (int row = 0; row < ROWS; row++) {
        const char *const own_names[1] = {countries[row] < 0 ? "unused" : names[countries[row]]};
        int32_t code = countries[row] < 0 ? -1 : 0;
        covey_column own[3] = {
            {"country", &code, 0, own_names, 1, COVEY_CATEGORICAL, 0},
            {"weekend", &weekend[row], 0, NULL, 0, COVEY_BOOLEAN, 0},
            {"amount", &amounts[row], 16, NULL, 0, COVEY_NUMERIC, 0},
        };
        covey_table alone = COVEY_TABLE_INIT;
        covey_matrix one = matrix;
        float output[10];
        alone.rows = one.rows = 1;
        alone.column_count = 3;
        alone.columns = own;
        one.data = embedding[row];
        CHECK_OK(covey_hybrid_transform(hybrid, NULL, &one, &alone, output, 0, &error));
        CHECK(memcmp(output, rows[row], sizeof output) == 0);
    }
    covey_hybrid_destroy(hybrid);

    /* Principal components of the embeddings alone: one axis, with a positive entry, of variance 1. */
    covey_hybrid_options principal = COVEY_HYBRID_OPTIONS_INIT;
    principal.embedding_components = 1;
    CHECK_OK(covey_hybrid_fit(NULL, &matrix, NULL, &principal, &hybrid, &error));
    CHECK(covey_hybrid_dimension(hybrid) == 1);
    CHECK(strcmp(covey_hybrid_column_name(hybrid, 0), "component[0]") == 0);
    float component[ROWS];
    CHECK_OK(covey_hybrid_transform(hybrid, NULL, &matrix, NULL, component, 0, &error));
    for (int row = 0; row < ROWS; row++) CHECK(near(component[row], embedding[row][0]));
    covey_hybrid_destroy(hybrid);

    short_of_address_space();

    CHECK(covey_hybrid_dimension(NULL) == 0);
    CHECK(covey_hybrid_column_name(NULL, 0) == NULL);
    covey_hybrid_destroy(NULL);
    return finish();
}
