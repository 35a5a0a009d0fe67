/* Section 11: sessions whose events come one at a time, against the scores of whole sequences. */
#include "engine_sample.h"

enum { LARGEST = 4 };

static engine_sample sample;

/* An event of the sample. */
static covey_status add(const covey_engine *engine, void *session, int64_t size, int64_t place, covey_error **error) {
    /* Every channel of the sample has the same numbers. */
    const double numbers[2] = {sample.numbers[place], sample.numbers[place]};
    const int32_t codes[2] = {sample.codes[place], sample.codes[place]};
    covey_event event = COVEY_EVENT_INIT;
    event.type = sample.types[place];
    event.time = sample.times[place];
    event.dwell = &sample.dwell[place];
    event.numeric = numbers;
    event.categorical = codes;
    event.numeric_count = event.categorical_count = 2;
    return covey_session_add(engine, session, size, &event, error);
}

static void features_of(int row, covey_column columns[2], covey_table *table) {
    columns[0] = sample.columns[0];
    columns[1] = sample.columns[1];
    columns[0].values = sample.amounts + row;
    columns[1].values = sample.countries + row;
    *table = sample.table;
    table->rows = 1;
    table->columns = columns;
}

static int same(const covey_scores *left, const covey_scores *right) {
    covey_score a = COVEY_SCORE_INIT, b = COVEY_SCORE_INIT;
    if (covey_scores_count(left) != 1 || covey_scores_count(right) != 1) return 0;
    covey_scores_get(left, 0, &a, NULL);
    covey_scores_get(right, 0, &b, NULL);
    if (memcmp(&a, &b, sizeof a) != 0) return 0;
    for (int64_t reason = 0; reason < a.reason_count; reason++)
        if (strcmp(covey_scores_reason(left, 0, reason), covey_scores_reason(right, 0, reason)) != 0) return 0;
    return 1;
}

/* After each event the session is what a full run over its last events is. The bytes lie at an odd address. */
static void test_equal_to_whole(const covey_engine *engine) {
    covey_error *error = NULL;
    const int64_t size = covey_session_size(engine, LARGEST);
    char *memory = malloc((size_t)size + 1), *session = memory + 1;
    CHECK(size > 64 && covey_session_size(engine, 1) < size);
    for (int row = 0; row < SAMPLE_ROWS; row++) {
        CHECK_OK(covey_session_start(engine, session, size, &error));
        const int64_t first = sample.offsets[row], end = sample.offsets[row + 1];
        for (int64_t place = first; place <= end; place++) {
            int64_t offsets[2] = {place - first > LARGEST ? place - LARGEST : first, place};
            covey_sequences whole = sample.sequences;
            whole.count = 1;
            whole.offsets = offsets;
            float expected[MODEL_DIMENSION], embedding[MODEL_DIMENSION];
            CHECK_OK(covey_embed_sequences(covey_engine_encoder(engine), NULL, &whole, expected, 0, NULL, &error));
            CHECK_OK(covey_session_embed(engine, NULL, session, size, embedding, MODEL_DIMENSION, &error));
            CHECK(memcmp(expected, embedding, sizeof expected) == 0);
            covey_column columns[2];
            covey_table table;
            features_of(row, columns, &table);
            covey_scores *one = NULL, *other = NULL;
            CHECK_OK(covey_engine_score(engine, NULL, &whole, &table, &one, &error));
            CHECK_OK(covey_session_score(engine, NULL, session, size, &table, &other, &error));
            CHECK(same(one, other));
            covey_scores_destroy(one);
            covey_scores_destroy(other);
            covey_session_state state = COVEY_SESSION_STATE_INIT;
            CHECK_OK(covey_session_get(engine, session, size, &state, &error));
            CHECK(state.events == offsets[1] - offsets[0] && state.total == place - first);
            CHECK(state.largest_events == LARGEST && state.unknown == 0);
            if (place < end) CHECK_OK(add(engine, session, size, place, &error));
        }
    }
    free(memory);
}

static void expect(covey_status status, covey_status wanted, const char *text, covey_error **error) {
    CHECK(status == wanted);
    CHECK(*error != NULL && strstr(covey_error_message(*error), text) != NULL);
    covey_error_destroy(*error);
    *error = NULL;
}

/* Whatever is refused leaves the session as it was. */
static void test_bad_events(const covey_engine *engine) {
    covey_error *error = NULL;
    char session[1024], before[1024];
    const int64_t size = sizeof session;
    double numbers[2] = {1, 2}, dwell = 1;
    const int32_t codes[2] = {1, 1000};
    covey_event event = COVEY_EVENT_INIT;
    event.type = 1000;
    event.dwell = &dwell;
    event.numeric = numbers;
    event.categorical = codes;
    event.numeric_count = event.categorical_count = 2;
    CHECK_OK(covey_session_start(engine, session, size, &error));
    CHECK_OK(covey_session_add(engine, session, size, &event, &error));
    event.type = -5;
    event.dwell = NULL;
    numbers[0] = (double)NAN;
    CHECK_OK(covey_session_add(engine, session, size, &event, &error));
    covey_session_state state = COVEY_SESSION_STATE_INIT;
    CHECK_OK(covey_session_get(engine, session, size, &state, &error));
    CHECK(state.total == 2 && state.unknown == 2);
    memcpy(before, session, sizeof session);

    covey_event bad = event;
    bad.time = (double)NAN;
    expect(covey_session_add(engine, session, size, &bad, &error), COVEY_INVALID_DATA, "event.time", &error);
    bad = event;
    bad.dwell = &dwell;
    dwell = -1;
    expect(covey_session_add(engine, session, size, &bad, &error), COVEY_INVALID_DATA, "event.dwell", &error);
    bad = event;
    numbers[1] = (double)INFINITY;
    expect(covey_session_add(engine, session, size, &bad, &error), COVEY_INVALID_DATA, "event.numeric[1]", &error);
    numbers[1] = 2;
    bad.numeric_count = 1;
    expect(covey_session_add(engine, session, size, &bad, &error), COVEY_MISMATCH, "event.numeric_count", &error);
    bad = event;
    bad.categorical_count = -1;
    expect(covey_session_add(engine, session, size, &bad, &error), COVEY_INVALID_ARGUMENT, "event.categorical_count",
           &error);
    bad = event;
    bad.categorical = NULL;
    expect(covey_session_add(engine, session, size, &bad, &error), COVEY_INVALID_ARGUMENT, "event.categorical", &error);
    bad = event;
    bad.reserved = 1;
    expect(covey_session_add(engine, session, size, &bad, &error), COVEY_INVALID_ARGUMENT, "event.reserved", &error);
    expect(covey_session_add(engine, session, size, NULL, &error), COVEY_INVALID_ARGUMENT, "event", &error);
    expect(covey_session_add(engine, NULL, size, &event, &error), COVEY_INVALID_ARGUMENT, "session", &error);
    expect(covey_session_add(NULL, session, size, &event, &error), COVEY_INVALID_ARGUMENT, "engine", &error);
    expect(covey_session_add(engine, session, -1, &event, &error), COVEY_INVALID_ARGUMENT, "size", &error);
    float embedding[MODEL_DIMENSION];
    expect(covey_session_embed(engine, NULL, session, size, embedding, MODEL_DIMENSION - 1, &error),
           COVEY_BUFFER_TOO_SMALL, "embedding", &error);
    CHECK(memcmp(before, session, sizeof session) == 0);
    CHECK_OK(covey_session_embed(engine, NULL, session, size, embedding, MODEL_DIMENSION, &error));
}

/* Bytes from anywhere end in an error or in a session, never in a read outside. */
static void test_hostile_bytes(const covey_engine *engine) {
    covey_error *error = NULL;
    const int64_t size = covey_session_size(engine, LARGEST);
    char *session = malloc((size_t)size), *good = malloc((size_t)size);
    CHECK_OK(covey_session_start(engine, good, size, &error));
    for (int place = 0; place < 6; place++) CHECK_OK(add(engine, good, size, place, &error));
    for (int64_t byte = 0; byte < size; byte++)
        for (int value = 0; value < 256; value += 51) {
            memcpy(session, good, (size_t)size);
            session[byte] = (char)value;
            float embedding[MODEL_DIMENSION];
            covey_status status = covey_session_embed(engine, NULL, session, size, embedding, MODEL_DIMENSION, NULL);
            CHECK(status == COVEY_OK || status == COVEY_CORRUPT_FILE || status == COVEY_MISMATCH ||
                  status == COVEY_INVALID_DATA);
            if (status == COVEY_OK) add(engine, session, size, 0, NULL);
        }
    for (int64_t part = 0; part < size; part++)
        CHECK(covey_session_embed(engine, NULL, good, part, NULL, 0, NULL) == COVEY_CORRUPT_FILE);
    expect(covey_session_start(engine, session, 64, &error), COVEY_BUFFER_TOO_SMALL, "size", &error);
    CHECK(covey_session_size(engine, 0) == 0 && covey_session_size(engine, 16777217) == 0);
    CHECK(covey_session_size(NULL, 10) == 0);
    free(session);
    free(good);
}

static void check_report(const covey_drift *drift, const covey_drift *earlier, const char *text) {
    covey_error *error = NULL;
    covey_buffer *report = NULL;
    CHECK_OK(covey_drift_report(drift, NULL, earlier, &report, &error));
    CHECK(strstr(covey_buffer_data(report), text) != NULL);
    covey_buffer_destroy(report);
}

/* Counts, in parts and whole; unknown events are told in scores and report. */
static void test_drift(const covey_engine *engine) {
    covey_error *error = NULL;
    covey_drift *whole = NULL, *copy = NULL;
    covey_scores *scores = NULL;
    covey_buffer *bytes = NULL, *again = NULL;
    CHECK_OK(covey_drift_create(engine, NULL, &whole, &error));
    CHECK_OK(covey_engine_score(engine, NULL, &sample.sequences, &sample.table, &scores, &error));
    CHECK_OK(covey_drift_add(whole, NULL, &sample.sequences, &sample.table, scores, &error));
    check_report(whole, NULL, "\"moved\":[]");
    check_report(whole, NULL, "\"transactions\":120");
    CHECK_OK(covey_drift_write(whole, NULL, &bytes, &error));
    CHECK_OK(covey_drift_read(engine, NULL, covey_buffer_data(bytes), covey_buffer_size(bytes), &copy, &error));
    CHECK_OK(covey_drift_write(copy, NULL, &again, &error));
    CHECK(covey_buffer_size(bytes) == covey_buffer_size(again));
    CHECK(memcmp(covey_buffer_data(bytes), covey_buffer_data(again), (size_t)covey_buffer_size(bytes)) == 0);
    CHECK_OK(covey_drift_merge(copy, NULL, whole, &error));
    check_report(copy, whole, "\"transactions\":240");
    check_report(copy, whole, "\"moved\":[]");
    covey_buffer_destroy(bytes);
    covey_buffer_destroy(again);
    covey_scores_destroy(scores);

    engine_sample unknown = sample;
    for (int64_t place = 0; place < sample.offsets[SAMPLE_ROWS]; place++) unknown.types[place] = 1000;
    covey_sequences sequences = sample.sequences;
    sequences.types = unknown.types;
    CHECK_OK(covey_engine_score(engine, NULL, &sequences, &sample.table, &scores, &error));
    CHECK(covey_scores_warning(scores, 0) != NULL && strstr(covey_scores_warning(scores, 0), "does not know") != NULL);
    CHECK(covey_scores_warning(scores, -1) == NULL && covey_scores_warning(NULL, 0) == NULL);
    CHECK_OK(covey_drift_add(copy, NULL, &sequences, NULL, scores, &error));
    check_report(copy, NULL, "unknown_events");
    covey_scores_destroy(scores);

    expect(covey_drift_add(copy, NULL, NULL, NULL, NULL, &error), COVEY_INVALID_ARGUMENT, "NULL", &error);
    expect(covey_drift_add(NULL, NULL, &sequences, NULL, NULL, &error), COVEY_INVALID_ARGUMENT, "drift", &error);
    expect(covey_drift_merge(copy, NULL, NULL, &error), COVEY_INVALID_ARGUMENT, "other", &error);
    covey_drift *none = NULL;
    expect(covey_drift_create(NULL, NULL, &none, &error), COVEY_INVALID_ARGUMENT, "engine", &error);
    expect(covey_drift_read(engine, NULL, "COVEYDR1", 8, &none, &error), COVEY_CORRUPT_FILE, "bytes", &error);
    covey_drift_destroy(whole);
    covey_drift_destroy(copy);
    covey_drift_destroy(NULL);
}

int main(void) {
    make_sample(&sample, 1);
    covey_engine *engine = make_engine(&sample);
    if (engine == NULL) return finish();
    test_equal_to_whole(engine);
    test_bad_events(engine);
    test_hostile_bytes(engine);
    test_drift(engine);
    covey_engine_destroy(engine);
    return finish();
}
