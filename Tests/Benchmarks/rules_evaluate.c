/* How fast covey_rules_evaluate is: on one row, as a payment page asks, and on a table, against what memory delivers.
 *
 *     rules_evaluate [rows of the table, default 1000000]
 *
 * 40 numeric columns, 8 and 100 rules of 3 conditions each (100 of 2, with 4 categorical and 4 boolean columns among
 * them, on one row). Prints the best of several runs. */
#include <covey.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COLUMNS = 40, THREADS = 2 };

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static uint64_t state = 1;
static double uniform(void) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (double)(state >> 11) / 9007199254740992.0;
}

static void check(covey_status status, covey_error *error) {
    if (status == COVEY_OK) return;
    fprintf(stderr, "%s: %s\n", covey_status_name(status), covey_error_message(error));
    exit(1);
}

static const char *const countries[] = {"NL", "BE", "DE", "FR", "ES", "IT"};

static int kind_of(int column, int mixed) {
    if (mixed && column >= 36) return COVEY_BOOLEAN;
    return mixed && column >= 32 ? COVEY_CATEGORICAL : COVEY_NUMERIC;
}

/* `count` rules of `length` conditions on columns f0 to f39. */
static covey_rules *make_rules(int count, int length, int mixed) {
    static const char *const kinds[] = {"numeric", "categorical", "boolean"};
    char *text = malloc(1 << 20), *end = text;
    end += sprintf(end, "{\"format_version\":1,\"target\":\"t\",\"confidence\":0.95,\"tried\":0,\"fallen\":0,"
                        "\"search\":{\"rows\":0,\"target\":0},\"unseen\":{\"rows\":0,\"target\":0},\"features\":[");
    for (int column = 0; column < COLUMNS; column++)
        end += sprintf(end, "%s{\"name\":\"feature_%d\",\"kind\":\"%s\"}", column ? "," : "", column,
                       kinds[kind_of(column, mixed)]);
    end += sprintf(end, "],\"rules\":[");
    for (int rule = 0; rule < count; rule++) {
        end += sprintf(
            end,
            "%s{\"search\":{\"matched\":0,\"support\":0},\"unseen\":{\"matched\":0,\"support\":0},\"conditions\":[",
            rule ? "," : "");
        for (int i = 0; i < length; i++) {
            const int column = (rule * 7 + i * 13) % COLUMNS;
            end += sprintf(end, "%s{\"feature\":\"feature_%d\",", i ? "," : "", column);
            if (kind_of(column, mixed) == COVEY_BOOLEAN) end += sprintf(end, "\"kind\":\"true\"}");
            else if (kind_of(column, mixed) == COVEY_CATEGORICAL)
                end += sprintf(end, "\"kind\":\"in\",\"categories\":[\"%s\",\"%s\"]}", countries[rule % 6],
                               countries[(rule + 1) % 6]);
            else end += sprintf(end, "\"kind\":\"interval\",\"low\":%.3f}", 0.7 + 0.3 * uniform());
        }
        end += sprintf(end, "]}");
    }
    end += sprintf(end, "]}");
    covey_rules *rules;
    covey_error *error;
    check(covey_rules_parse(NULL, text, end - text, &rules, &error), error);
    free(text);
    return rules;
}

static void one_row(int mixed) {
    covey_rules *rules = make_rules(100, 3, mixed);
    static double number[COLUMNS];
    static int32_t code[COLUMNS];
    static int8_t flag[COLUMNS];
    covey_column columns[COLUMNS];
    memset(columns, 0, sizeof columns);
    char names[COLUMNS][16];
    for (int column = 0; column < COLUMNS; column++) {
        sprintf(names[column], "feature_%d", column);
        columns[column].name = names[column];
        columns[column].kind = kind_of(column, mixed);
        number[column] = uniform();
        code[column] = column % 6;
        flag[column] = (int8_t)(column & 1);
        columns[column].values = columns[column].kind == COVEY_NUMERIC       ? (void *)&number[column]
                                 : columns[column].kind == COVEY_CATEGORICAL ? (void *)&code[column]
                                                                             : (void *)&flag[column];
        if (columns[column].kind == COVEY_CATEGORICAL)
            columns[column].categories = countries, columns[column].category_count = 6;
    }
    covey_table table = COVEY_TABLE_INIT;
    table.rows = 1, table.column_count = COLUMNS, table.columns = columns;
    uint8_t fired[100];
    double best = 1e9;
    for (int repeat = 0; repeat < 20; repeat++) {
        const int calls = 100000;
        const double start = seconds();
        for (int call = 0; call < calls; call++) {
            number[call % 32] = (double)(call & 1023) / 1024;
            check(covey_rules_evaluate(rules, NULL, &table, fired, NULL, NULL), NULL);
        }
        const double took = (seconds() - start) / calls;
        if (took < best) best = took;
    }
    printf("  one row, 100 rules of 3 conditions, 40 columns%s: %.0f ns a call\n",
           mixed ? " (4 categorical, 4 boolean)" : "", 1e9 * best);
    covey_rules_destroy(rules);
}

/* Reads its share of the table and nothing else. */
typedef struct part {
    const double *values;
    int64_t count;
    double sum;
} part;

static void *read_part(void *argument) {
    part *own = argument;
    double sums[32] = {0};
    for (int64_t i = 0; i + 32 <= own->count; i += 32)
        for (int lane = 0; lane < 32; lane++) sums[lane] += own->values[i + lane];
    for (int lane = 0; lane < 32; lane++) own->sum += sums[lane];
    return NULL;
}

static double read_all(const double *values, int64_t count) {
    double best = 1e9;
    for (int repeat = 0; repeat < 5; repeat++) {
        pthread_t threads[THREADS];
        part parts[THREADS];
        const double start = seconds();
        for (int i = 0; i < THREADS; i++) {
            parts[i] = (part){values + count / THREADS * i, count / THREADS, 0};
            pthread_create(&threads[i], NULL, read_part, &parts[i]);
        }
        for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
        const double took = seconds() - start;
        if (took < best) best = took;
        if (parts[0].sum == 0.1) puts("");
    }
    return best;
}

static void whole_table(int64_t rows) {
    double *values = malloc((size_t)rows * COLUMNS * sizeof *values);
    uint8_t *fired = malloc((size_t)rows * 100);
    for (int64_t i = 0; i < rows * COLUMNS; i++) values[i] = uniform() < 0.05 ? NAN : uniform();
    memset(fired, 0, (size_t)rows * 100);
    covey_column columns[COLUMNS];
    memset(columns, 0, sizeof columns);
    char names[COLUMNS][16];
    for (int column = 0; column < COLUMNS; column++) {
        sprintf(names[column], "feature_%d", column);
        columns[column].name = names[column];
        columns[column].values = values + rows * column;
    }
    covey_table table = COVEY_TABLE_INIT;
    table.rows = rows, table.column_count = COLUMNS, table.columns = columns;
    covey_context *context;
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.threads = THREADS;
    check(covey_context_create(&options, &context, NULL), NULL);
    const double bytes = (double)rows * COLUMNS * sizeof *values, alone = read_all(values, rows * COLUMNS);
    printf("  %lld rows, reading the table and nothing else: %.1f GB/s\n", (long long)rows, 1e-9 * bytes / alone);
    const int counts[] = {8, 100};
    for (int i = 0; i < 2; i++) {
        covey_rules *rules = make_rules(counts[i], 3, 0);
        /* Columns that rules use: the others are not read. */
        int used = 0;
        for (int column = 0; column < COLUMNS; column++) {
            int found = 0;
            for (int rule = 0; rule < counts[i]; rule++)
                for (int c = 0; c < 3; c++) found |= (rule * 7 + c * 13) % COLUMNS == column;
            used += found;
        }
        for (int each = 0; each < 2; each++) {
            double best = 1e9;
            for (int repeat = 0; repeat < 5; repeat++) {
                const double start = seconds();
                check(covey_rules_evaluate(rules, context, &table, each ? fired : NULL, each ? NULL : fired, NULL),
                      NULL);
                const double took = seconds() - start;
                if (took < best) best = took;
            }
            const double read = bytes * used / COLUMNS;
            printf("  %lld rows, %d rules on %d columns, %s: %.1f ns a row, reads %.1f GB/s (%.0f%% of the above)\n",
                   (long long)rows, counts[i], used, each ? "every rule's verdict" : "whether any fires",
                   1e9 * best / (double)rows, 1e-9 * read / best, 100 * (read / best) / (bytes / alone));
        }
        covey_rules_destroy(rules);
    }
    covey_context_destroy(context);
    free(values);
    free(fired);
}

int main(int count, char **arguments) {
    printf("covey_rules_evaluate, %d threads\n", THREADS);
    one_row(0);
    one_row(1);
    whole_table(count > 1 ? atoll(arguments[1]) : 1000000);
    return 0;
}
