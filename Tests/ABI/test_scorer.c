/* A scorer gives the scores of covey_engine_score, byte for byte, and allocates nothing once it is warm. */
#include "engine_sample.h"

#include <pthread.h>

/* The address sanitizer has functions of its own: then nothing is counted. */
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#define COUNTS !__has_feature(address_sanitizer)

static volatile long allocations, frees;

#if COUNTS
/* Every allocation of the process goes through these, the library's too. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

static void count(volatile long *counter) { __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED); }

void *malloc(size_t size) {
    count(&allocations);
    return __libc_malloc(size);
}
void *calloc(size_t number, size_t size) {
    count(&allocations);
    return __libc_calloc(number, size);
}
void *realloc(void *memory, size_t size) {
    count(&allocations);
    return __libc_realloc(memory, size);
}
void *memalign(size_t alignment, size_t size) {
    count(&allocations);
    return __libc_memalign(alignment, size);
}
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **memory, size_t alignment, size_t size) {
    *memory = memalign(alignment, size);
    return *memory == NULL ? 12 : 0;
}
void free(void *memory) {
    if (memory) count(&frees);
    __libc_free(memory);
}
#endif

static engine_sample sample;
static int64_t amount, country;

/* The sequence and the features of a row. */
typedef struct transaction {
    int64_t offsets[2];
    covey_sequences sequences;
    covey_column columns[2];
    covey_table table;
} transaction;

static void transaction_of(int row, transaction *one) {
    one->offsets[0] = sample.offsets[row];
    one->offsets[1] = sample.offsets[row + 1];
    one->sequences = sample.sequences;
    one->sequences.count = 1;
    one->sequences.offsets = one->offsets;
    one->columns[0] = sample.columns[0];
    one->columns[1] = sample.columns[1];
    one->columns[0].values = sample.amounts + row;
    one->columns[1].values = sample.countries + row;
    one->table = sample.table;
    one->table.rows = 1;
    one->table.columns = one->columns;
}

static covey_status set(covey_scorer *scorer, int row, covey_error **error) {
    const int32_t code = sample.countries[row];
    covey_status status = covey_scorer_set_number(scorer, amount, sample.amounts[row], error);
    if (status != COVEY_OK) return status;
    return covey_scorer_set_category(scorer, country, code < 0 ? NULL : sample_countries[code], error);
}

static void expect(covey_status status, covey_status wanted, const char *text, covey_error **error) {
    CHECK(status == wanted);
    CHECK(*error != NULL && strstr(covey_error_message(*error), text) != NULL);
    covey_error_destroy(*error);
    *error = NULL;
}

/* The last score of the scorer, and all that is said of it, is that of covey_engine_score. */
static void check_equal(const covey_engine *engine, const covey_scorer *scorer, const covey_score *score,
                        const transaction *one) {
    covey_error *error = NULL;
    covey_scores *expected = NULL, *found = NULL;
    covey_score a = COVEY_SCORE_INIT, b = COVEY_SCORE_INIT;
    CHECK_OK(covey_engine_score(engine, NULL, &one->sequences, &one->table, &expected, &error));
    CHECK_OK(covey_scores_get(expected, 0, &a, &error));
    CHECK(memcmp(&a, score, sizeof a) == 0);
    CHECK_OK(covey_scorer_scores(scorer, &found, &error));
    CHECK_OK(covey_scores_get(found, 0, &b, &error));
    CHECK(memcmp(&a, &b, sizeof a) == 0 && covey_scores_count(found) == 1);
    for (int64_t index = 0; index < a.reason_count; index++)
        CHECK(strcmp(covey_scores_reason(expected, 0, index), covey_scores_reason(found, 0, index)) == 0);
    for (int64_t index = 0; index < a.rule_count; index++) {
        CHECK(strcmp(covey_scores_rule(expected, 0, index), covey_scores_rule(found, 0, index)) == 0);
        CHECK(covey_scores_rule_cluster(expected, 0, index) == covey_scores_rule_cluster(found, 0, index));
    }
    covey_scores_destroy(expected);
    covey_scores_destroy(found);
}

static void test_equal(const covey_engine *engine, covey_scorer *scorer) {
    covey_error *error = NULL;
    int clusters = 0, rules = 0;
    for (int row = 0; row < SAMPLE_ROWS; row++) {
        transaction one;
        transaction_of(row, &one);
        covey_score score = COVEY_SCORE_INIT;
        CHECK_OK(set(scorer, row, &error));
        CHECK_OK(covey_scorer_score(scorer, &one.sequences, NULL, &score, &error));
        check_equal(engine, scorer, &score, &one);
        clusters += score.cluster >= 0;
        rules += score.rule_count > 0;
    }
    CHECK(clusters > 60 && clusters < SAMPLE_ROWS && rules > 10);
}

/* Setters and scores of all rows, the second time. */
static void test_allocations(covey_scorer *scorer) {
    covey_error *error = NULL;
    const long sound = allocations;
    void *volatile probe = malloc(100);
    free(probe);
    /* valgrind puts functions of its own in their place. */
    const char *preloaded = getenv("LD_PRELOAD");
    CHECK(!COUNTS || allocations == sound + 1 || (preloaded && strstr(preloaded, "vgpreload")));
    for (int turn = 0; turn < 2; turn++) {
        const long before = allocations, freed = frees;
        int failed = 0;
        for (int row = 0; row < SAMPLE_ROWS; row++) {
            transaction one;
            transaction_of(row, &one);
            covey_score score = COVEY_SCORE_INIT;
            failed += set(scorer, row, &error) != COVEY_OK;
            if (row % 3 == 0) failed += covey_scorer_set_category(scorer, country, "Atlantis, a name", &error) != 0;
            if (row % 5 == 0) failed += covey_scorer_set_category(scorer, country, NULL, &error) != COVEY_OK;
            failed += covey_scorer_score(scorer, &one.sequences, NULL, &score, &error) != COVEY_OK;
        }
        CHECK(failed == 0);
        if (turn == 1) CHECK(allocations == before && frees == freed);
    }
}

/* Missing values and a category that the engine does not know. */
static void test_values(const covey_engine *engine, covey_scorer *scorer) {
    covey_error *error = NULL;
    const char *const unknown[1] = {"Atlantis"};
    double numbers[2] = {(double)NAN, 205};
    int32_t codes[2] = {-1, 0};
    for (int which = 0; which < 2; which++) {
        transaction one;
        transaction_of(2, &one);
        one.columns[0].values = numbers + which;
        one.columns[1].values = codes + which;
        one.columns[1].categories = unknown;
        one.columns[1].category_count = 1;
        covey_score score = COVEY_SCORE_INIT;
        CHECK_OK(covey_scorer_clear(scorer, &error));
        if (which) {
            CHECK_OK(covey_scorer_set_number(scorer, amount, 205, &error));
            CHECK_OK(covey_scorer_set_category(scorer, country, "Atlantis", &error));
        }
        CHECK_OK(covey_scorer_score(scorer, &one.sequences, NULL, &score, &error));
        check_equal(engine, scorer, &score, &one);
    }
    /* An empty name is unknown too; names that are not UTF-8 change nothing. */
    CHECK_OK(covey_scorer_set_category(scorer, country, "", &error));
    expect(covey_scorer_set_category(scorer, country, "N\xff", &error), COVEY_INVALID_ARGUMENT, "UTF-8", &error);
    expect(covey_scorer_set_category(scorer, amount, "NL", &error), COVEY_MISMATCH, "\"amount\" is not cat", &error);
    expect(covey_scorer_set_number(scorer, country, 1, &error), COVEY_MISMATCH, "\"country\" is categorical", &error);
    expect(covey_scorer_set_number(scorer, amount, (double)INFINITY, &error), COVEY_INVALID_DATA, "infinite", &error);
    expect(covey_scorer_set_number(scorer, 2, 1, &error), COVEY_INVALID_ARGUMENT, "feature must be 0 to 1", &error);
    expect(covey_scorer_set_category(scorer, -1, "NL", &error), COVEY_INVALID_ARGUMENT, "feature must be", &error);
    expect(covey_scorer_set_number(scorer, INT64_MIN, 1, &error), COVEY_INVALID_ARGUMENT, "feature must be", &error);
}

/* What cannot be scored fails, and the next score is good. */
static void test_failures(const covey_engine *engine, covey_scorer *scorer) {
    covey_error *error = NULL;
    covey_scores *scores = NULL;
    covey_score score = COVEY_SCORE_INIT, before = COVEY_SCORE_INIT;
    covey_score_options options = COVEY_SCORE_OPTIONS_INIT;
    transaction one;
    transaction_of(0, &one);
    CHECK_OK(set(scorer, 0, &error));
    expect(covey_scorer_score(scorer, NULL, NULL, &score, &error), COVEY_MISMATCH, "sequences must not be", &error);
    expect(covey_scorer_scores(scorer, &scores, &error), COVEY_INVALID_ARGUMENT, "no score yet", &error);
    CHECK(memcmp(&score, &before, sizeof score) == 0 && scores == NULL);
    expect(covey_scorer_score(scorer, &sample.sequences, NULL, &score, &error), COVEY_MISMATCH, "120", &error);
    double bad[2 * SAMPLE_EVENTS];
    for (int place = 0; place < 2 * SAMPLE_EVENTS; place++) bad[place] = (double)NAN;
    one.sequences.times = bad;
    expect(covey_scorer_score(scorer, &one.sequences, NULL, &score, &error), COVEY_INVALID_DATA, "times[0]", &error);
    transaction_of(0, &one);
    options.seconds = 1e-9;
    expect(covey_scorer_score(scorer, &one.sequences, &options, &score, &error), COVEY_CANCELLED, "deadline", &error);
    options.reserved = 1;
    expect(covey_scorer_score(scorer, &one.sequences, &options, &score, &error), COVEY_INVALID_ARGUMENT, "reserved",
           &error);
    expect(covey_scorer_score(scorer, &one.sequences, NULL, NULL, &error), COVEY_INVALID_ARGUMENT, "score", &error);
    expect(covey_scorer_score(NULL, &one.sequences, NULL, &score, &error), COVEY_INVALID_ARGUMENT, "scorer", &error);
    CHECK_OK(covey_scorer_score(scorer, &one.sequences, NULL, &score, &error));
    check_equal(engine, scorer, &score, &one);

    /* The last two events alone, in an order that is not that of time. */
    options = (covey_score_options)COVEY_SCORE_OPTIONS_INIT;
    options.max_events = 2;
    covey_scores *expected = NULL;
    static double reversed[SAMPLE_ROWS * SAMPLE_EVENTS];
    int row = 0;
    while (sample.offsets[row + 1] - sample.offsets[row] < 4) row++;
    transaction_of(row, &one);
    for (int64_t place = one.offsets[0]; place < one.offsets[1]; place++) reversed[place] = -(double)place;
    one.sequences.times = reversed;
    CHECK_OK(set(scorer, row, &error));
    CHECK_OK(covey_scorer_score(scorer, &one.sequences, NULL, &score, &error));
    check_equal(engine, scorer, &score, &one);
    CHECK_OK(covey_engine_score_with(engine, NULL, &one.sequences, &one.table, &options, &expected, &error));
    CHECK_OK(covey_scores_get(expected, 0, &before, &error));
    CHECK_OK(covey_scorer_score(scorer, &one.sequences, &options, &score, &error));
    CHECK(memcmp(&score, &before, sizeof score) == 0);
    covey_scores_destroy(expected);
    CHECK(covey_scorer_create(NULL, NULL, &scorer, NULL) == COVEY_INVALID_ARGUMENT && scorer == NULL);
    CHECK(covey_scorer_create(engine, NULL, NULL, NULL) == COVEY_INVALID_ARGUMENT);
    CHECK(covey_scorer_clear(NULL, NULL) == COVEY_INVALID_ARGUMENT);
    covey_scorer_destroy(NULL);
}

static void *use(void *scorer) {
    intptr_t good = 0;
    for (int turn = 0; turn < 2000; turn++) {
        transaction one;
        transaction_of(turn % SAMPLE_ROWS, &one);
        covey_score score = COVEY_SCORE_INIT;
        covey_status status = covey_scorer_score(scorer, &one.sequences, NULL, &score, NULL);
        if (status == COVEY_OK) good++;
        if (status != COVEY_OK && status != COVEY_INVALID_ARGUMENT) return (void *)(intptr_t)-1;
    }
    return (void *)good;
}

/* Two threads at once are an error of the host, and no crash. */
static void test_two_threads(covey_scorer *scorer) {
    pthread_t other;
    CHECK(pthread_create(&other, NULL, use, scorer) == 0);
    void *found = NULL;
    CHECK((intptr_t)use(scorer) >= 0);
    CHECK(pthread_join(other, &found) == 0 && (intptr_t)found >= 0);
}

int main(void) {
    make_sample(&sample, 1);
    covey_engine *engine = make_engine(&sample);
    if (engine == NULL) return finish();
    covey_error *error = NULL;
    covey_scorer *scorer = NULL;
    covey_scores *none = NULL;
    amount = covey_engine_feature_index(engine, "amount");
    country = covey_engine_feature_index(engine, "country");
    CHECK(amount == 0 && country == 1 && covey_engine_feature_index(engine, "Amount") == -1);
    CHECK(covey_engine_feature_index(engine, NULL) == -1 && covey_engine_feature_index(NULL, "amount") == -1);
    CHECK_OK(covey_scorer_create(engine, NULL, &scorer, &error));
    expect(covey_scorer_scores(scorer, &none, &error), COVEY_INVALID_ARGUMENT, "no score yet", &error);
    /* New transactions, so that some are in no cluster. */
    make_sample(&sample, 7);
    for (int row = 0; row < SAMPLE_ROWS; row += 9) sample.amounts[row] = 1000 + 50 * row;
    test_equal(engine, scorer);
    test_allocations(scorer);
    test_values(engine, scorer);
    test_failures(engine, scorer);
    test_two_threads(scorer);
    covey_engine_destroy(engine);
    CHECK((intptr_t)use(scorer) == 2000);
    covey_scorer_destroy(scorer);
    return finish();
}
