/* Scoring with options: a status for each transaction, the last events alone, a deadline. */
#include "engine_sample.h"

static engine_sample sample, other;

static covey_scores *score_with(const covey_engine *engine, const engine_sample *given, covey_score_options options) {
    covey_error *error = NULL;
    covey_scores *scores = NULL;
    CHECK_OK(covey_engine_score_with(engine, NULL, &given->sequences, &given->table, &options, &scores, &error));
    return scores;
}

static void expect(covey_status status, covey_status expected, const char *text, covey_error **error) {
    CHECK(status == expected && strstr(covey_error_message(*error), text) != NULL);
    covey_error_destroy(*error);
    *error = NULL;
}

/* Scores are equal, byte for byte. */
static int equal(const covey_scores *one, const covey_scores *two, int64_t row) {
    covey_score a = COVEY_SCORE_INIT, b = COVEY_SCORE_INIT;
    int same = covey_scores_get(one, row, &a, NULL) == COVEY_OK && covey_scores_get(two, row, &b, NULL) == COVEY_OK &&
               memcmp(&a, &b, sizeof a) == 0;
    for (int64_t index = 0; same && index < a.reason_count; index++)
        same = strcmp(covey_scores_reason(one, row, index), covey_scores_reason(two, row, index)) == 0;
    return same;
}

/* Bad rows get a status, and the others the scores that they have without the bad ones. */
static void check_rows(const covey_engine *engine, const covey_scores *good, const int *bad, const char *const *texts,
                       int count) {
    covey_score_options options = COVEY_SCORE_OPTIONS_INIT;
    options.bad_rows = COVEY_BAD_ROWS_STATUS;
    covey_scores *scores = score_with(engine, &other, options);
    CHECK(covey_scores_count(scores) == SAMPLE_ROWS);
    for (int row = 0; row < SAMPLE_ROWS; row++) {
        int place = 0;
        while (place < count && bad[place] != row) place++;
        if (place == count) {
            CHECK(covey_scores_status(scores, row) == COVEY_OK && covey_scores_message(scores, row) == NULL);
            CHECK(equal(scores, good, row));
            continue;
        }
        covey_score none = COVEY_SCORE_INIT;
        CHECK(covey_scores_status(scores, row) == COVEY_INVALID_DATA);
        CHECK(strstr(covey_scores_message(scores, row), texts[place]) != NULL);
        CHECK(covey_scores_get(scores, row, &none, NULL) == COVEY_OK);
        CHECK(isnan(none.risk) && none.cluster == -1 && !none.risky && !none.rule_count && !none.reason_count);
        CHECK(covey_scores_reason(scores, row, 0) == NULL && covey_scores_rule(scores, row, 0) == NULL);
    }
    CHECK(covey_scores_status(scores, -1) == COVEY_INVALID_ARGUMENT && covey_scores_message(scores, -1) == NULL);
    CHECK(covey_scores_status(scores, SAMPLE_ROWS) == COVEY_INVALID_ARGUMENT);
    covey_scores_destroy(scores);
}

static void test_bad_rows(const covey_engine *engine) {
    covey_score_options options = COVEY_SCORE_OPTIONS_INIT;
    covey_error *error = NULL;
    covey_scores *good = score_with(engine, &sample, options), *scores = NULL;
    CHECK(covey_scores_status(good, 0) == COVEY_OK && covey_scores_status(NULL, 0) == COVEY_INVALID_ARGUMENT);
    CHECK(covey_scores_message(NULL, 0) == NULL);

    check_rows(engine, good, NULL, NULL, 0);
    other.amounts[0] = INFINITY;
    other.times[other.offsets[7]] = NAN;
    other.dwell[other.offsets[8]] = -1;
    other.countries[119] = 3;
    static const int bad[] = {0, 7, 8, 119};
    static const char *const texts[] = {"amount", "times[", "dwell[", "country"};
    check_rows(engine, good, bad, texts, 4);
    expect(covey_engine_score_with(engine, NULL, &other.sequences, &other.table, &options, &scores, &error),
           COVEY_INVALID_DATA, "", &error);
    CHECK(scores == NULL);

    /* Every row is bad. */
    options.bad_rows = COVEY_BAD_ROWS_STATUS;
    for (int row = 0; row < SAMPLE_ROWS; row++) other.amounts[row] = -INFINITY;
    scores = score_with(engine, &other, options);
    for (int row = 0; row < SAMPLE_ROWS; row++) CHECK(covey_scores_status(scores, row) == COVEY_INVALID_DATA);
    covey_scores_destroy(scores);

    /* What concerns the batch still fails. */
    make_sample(&other, 1);
    covey_table table = other.table;
    table.rows = 5;
    expect(covey_engine_score_with(engine, NULL, &other.sequences, &table, &options, &scores, &error), COVEY_MISMATCH,
           "rows", &error);
    other.offsets[3] = 0;
    expect(covey_engine_score_with(engine, NULL, &other.sequences, &other.table, &options, &scores, &error),
           COVEY_INVALID_DATA, "offsets", &error);
    make_sample(&other, 1);
    covey_scores_destroy(good);
}

/* The same as sequences that were cut by hand, in whatever order the events come. */
static void test_last_events(const covey_engine *engine) {
    covey_score_options options = COVEY_SCORE_OPTIONS_INIT;
    static engine_sample cut;
    enum { MOST = 3 };
    make_sample(&cut, 1);
    int64_t next = 0;
    for (int row = 0; row < SAMPLE_ROWS; row++) {
        int64_t start = sample.offsets[row], end = sample.offsets[row + 1];
        if (end - start > MOST) start = end - MOST;
        cut.offsets[row] = next;
        for (; start < end; start++, next++) {
            cut.types[next] = sample.types[start];
            cut.times[next] = sample.times[start];
            cut.dwell[next] = sample.dwell[start];
            cut.numbers[next] = sample.numbers[start];
            cut.codes[next] = sample.codes[start];
        }
    }
    cut.offsets[SAMPLE_ROWS] = next;
    covey_scores *expected = score_with(engine, &cut, options);
    options.max_events = MOST;
    covey_scores *scores = score_with(engine, &sample, options);
    options.bad_rows = COVEY_BAD_ROWS_STATUS;
    covey_scores *each = score_with(engine, &sample, options);
    for (int row = 0; row < SAMPLE_ROWS; row++) CHECK(equal(scores, expected, row) && equal(each, expected, row));
    covey_scores_destroy(scores);
    covey_scores_destroy(each);
    options.max_events = INT32_MAX;
    covey_scores *all = score_with(engine, &sample, options);
    options = (covey_score_options)COVEY_SCORE_OPTIONS_INIT;
    scores = score_with(engine, &sample, options);
    for (int row = 0; row < SAMPLE_ROWS; row++) CHECK(equal(scores, all, row));

    /* Backwards in time: the last ones by time come first. */
    make_sample(&other, 1);
    for (int row = 0; row < SAMPLE_ROWS; row++) {
        int64_t start = sample.offsets[row], end = sample.offsets[row + 1];
        for (int64_t place = start; place < end; place++) {
            int64_t from = end - 1 - (place - start);
            other.types[place] = sample.types[from];
            other.times[place] = sample.times[from];
            other.dwell[place] = sample.dwell[from];
            other.numbers[place] = sample.numbers[from];
            other.codes[place] = sample.codes[from];
        }
    }
    options.max_events = MOST;
    covey_scores *turned = score_with(engine, &other, options);
    for (int row = 0; row < SAMPLE_ROWS; row++) {
        covey_score a = COVEY_SCORE_INIT, b = COVEY_SCORE_INIT;
        CHECK(covey_scores_get(turned, row, &a, NULL) == COVEY_OK &&
              covey_scores_get(expected, row, &b, NULL) == COVEY_OK);
        CHECK(a.risk == b.risk && a.cluster == b.cluster && a.strength == b.strength);
    }
    covey_scores_destroy(turned);
    covey_scores_destroy(expected);
    covey_scores_destroy(scores);
    covey_scores_destroy(all);
    make_sample(&other, 1);
}

static void test_bad_options(const covey_engine *engine) {
    covey_error *error = NULL;
    covey_scores *scores = NULL;
    const covey_score_options good = COVEY_SCORE_OPTIONS_INIT;
    covey_score_options options = good;
#define REFUSED(field, value, text) \
    options = good; \
    options.field = value; \
    expect(covey_engine_score_with(engine, NULL, &sample.sequences, &sample.table, &options, &scores, &error), \
           COVEY_INVALID_ARGUMENT, text, &error)
    REFUSED(bad_rows, 2, "options.bad_rows");
    REFUSED(bad_rows, -1, "options.bad_rows");
    REFUSED(reserved, 1, "options.reserved");
    REFUSED(max_events, -1, "options.max_events");
    REFUSED(max_events, (int64_t)1 << 31, "options.max_events");
    REFUSED(seconds, -1, "options.seconds");
    REFUSED(seconds, NAN, "options.seconds");
    REFUSED(seconds, 1e10, "options.seconds");
    options = good;
    options.seconds = 1e-9;
    expect(covey_engine_score_with(engine, NULL, &sample.sequences, &sample.table, &options, &scores, &error),
           COVEY_CANCELLED, "deadline", &error);
    options.seconds = 1e9;
    scores = score_with(engine, &sample, options);
    CHECK(covey_scores_count(scores) == SAMPLE_ROWS);
    covey_scores_destroy(scores);
    CHECK_OK(covey_engine_score_with(engine, NULL, &sample.sequences, &sample.table, NULL, &scores, &error));
    covey_scores_destroy(scores);
}

int main(void) {
    make_sample(&sample, 1);
    make_sample(&other, 1);
    covey_engine *engine = make_engine(&sample);
    if (engine == NULL) return finish();
    test_bad_rows(engine);
    test_last_events(engine);
    test_bad_options(engine);
    covey_engine_destroy(engine);
    return finish();
}
