/* Section 12 of covey.h: find. */
#include "find_sample.h"

#include <unistd.h>

static find_sample sample;
static covey_vocabulary *vocabulary;
static covey_error *error;
static double scores[FIND_ROWS], risks[FIND_ROWS];
static uint8_t risky[FIND_ROWS];
static int32_t groups[FIND_ROWS];

static covey_found *find(const covey_sequences *sequences, const covey_table *table, const int8_t *fraud,
                         const covey_find_options *options) {
    covey_found *found = NULL;
    CHECK_OK(covey_find(NULL, sequences, vocabulary, table, fraud, sample.amounts, sample.times, FIND_ROWS, NULL,
                        options, &found, &error));
    return found;
}

/* The ring is found, wherever its rows are looked at, and it ranks above all others but for a row in ten. */
static void check_ring(const covey_found *found) {
    CHECK_OK(covey_found_scores(found, scores, FIND_ROWS, &error));
    CHECK_OK(covey_found_risky(found, risky, FIND_ROWS, &error));
    CHECK_OK(covey_found_row_groups(found, groups, FIND_ROWS, &error));
    int hits = 0, alarms = 0, above = 0;
    double most = 0;
    for (int row = 0; row < FIND_ROWS; row++) {
        hits += row < FIND_RING && risky[row];
        alarms += row >= FIND_RING && risky[row];
        CHECK(risky[row] == (groups[row] >= 0));
        CHECK(scores[row] > 0 && scores[row] < 1);
        if (row >= FIND_RING && scores[row] > most) most = scores[row];
    }
    for (int row = 0; row < FIND_RING; row++) above += scores[row] > most;
    CHECK(hits >= FIND_RING * 9 / 10 && alarms <= 3);
    CHECK(above >= FIND_RING * 9 / 10);
    CHECK(covey_found_group_count(found) >= 1);
    int64_t rows = 0;
    for (int64_t index = 0; index < covey_found_group_count(found); index++) {
        covey_risky_group group = COVEY_RISKY_GROUP_INIT;
        CHECK_OK(covey_found_group(found, index, &group, &error));
        CHECK(group.rows == group.fraud + group.legitimate + group.unknown && group.p_value <= 0.05);
        CHECK(group.share_low <= group.share && group.share <= group.share_high && group.share_high <= 1);
        CHECK(group.first_seen >= 0 && group.last_seen <= 1e6 && group.amount >= group.loss);
        CHECK(strstr(covey_found_group_text(found, index), "known to be fraud") != NULL);
        rows += group.rows;
    }
    CHECK(rows == hits + alarms);
}

/* The engine scores what it was made of as new rows, saves, loads and says the same. */
static void check_engine(const covey_found *found, const covey_sequences *sequences) {
    const covey_engine *engine = covey_found_engine(found);
    char path[] = "/tmp/covey_test_find_XXXXXX";
    int file = mkstemp(path);
    CHECK(file >= 0);
    close(file);
    CHECK_OK(covey_engine_save(engine, NULL, path, &error));
    covey_engine *loaded = NULL;
    CHECK_OK(covey_engine_load(NULL, path, &loaded, &error));
    unlink(path);
    covey_scores *first = NULL, *second = NULL;
    CHECK_OK(covey_engine_score(engine, NULL, sequences, &sample.table, &first, &error));
    CHECK_OK(covey_engine_score(loaded, NULL, sequences, &sample.table, &second, &error));
    double most = 0;
    for (int64_t row = 0; row < FIND_ROWS; row++) {
        covey_score a = COVEY_SCORE_INIT, b = COVEY_SCORE_INIT;
        CHECK_OK(covey_scores_get(first, row, &a, &error));
        CHECK_OK(covey_scores_get(second, row, &b, &error));
        CHECK(memcmp(&a, &b, sizeof a) == 0);
        CHECK(a.has_evidence == 1 && a.risk > 0 && a.risk < 1 && a.risky == (a.group >= 0));
        risks[row] = a.risk;
        if (row >= FIND_RING && a.risk > most) most = a.risk;
        for (int64_t reason = 0; reason < a.reason_count; reason++)
            CHECK(strcmp(covey_scores_reason(first, row, reason), covey_scores_reason(second, row, reason)) == 0);
        CHECK(strstr(covey_scores_reason(first, row, 0), "The risk of fraud is") != NULL);
    }
    int above = 0;
    for (int row = 0; row < FIND_RING; row++) above += risks[row] > most;
    CHECK(above >= FIND_RING * 9 / 10);
    covey_scores_destroy(first);
    covey_scores_destroy(second);
    covey_engine_destroy(loaded);
}

static void test_roads(void) {
    covey_find_options options = small_find_options();
    const covey_sequences *events[3] = {NULL, &sample.sequences, &sample.sequences};
    const covey_table *tables[3] = {&sample.table, &sample.table, NULL};
    for (int road = 0; road < 3; road++) {
        covey_found *found = find(events[road], tables[road], sample.fraud, &options);
        CHECK(covey_found_rows(found) == FIND_ROWS);
        CHECK(has_finding(found, COVEY_FINDING_UNLABELLED_COMPARED) && has_finding(found, COVEY_FINDING_KNOWN_SHARE));
        CHECK(strstr(covey_found_settings(found), "\"known_share_from\":\"groups\"") != NULL);
        if (tables[road] != NULL) {
            check_ring(found);
            check_engine(found, events[road]);
        }
        int32_t labels[FIND_ROWS];
        CHECK_OK(covey_found_labels(found, labels, FIND_ROWS, &error));
        for (int row = 0; row < FIND_ROWS; row++) CHECK(labels[row] >= -1 && labels[row] < covey_found_clusters(found));
        CHECK((covey_found_rules(found) != NULL) == (tables[road] != NULL));
        for (int32_t part = COVEY_EVIDENCE_TREE; part <= COVEY_EVIDENCE_JOINT; part++)
            CHECK_OK(covey_found_evidence(found, part, scores, FIND_ROWS, &error));
        covey_found_destroy(found);
    }
}

/* The same for any number of threads, and for the same seed. */
static void test_threads(void) {
    covey_find_options options = small_find_options();
    static double one[FIND_ROWS], many[FIND_ROWS];
    for (int32_t threads = 1; threads <= 3; threads += 2) {
        covey_context_options wanted = COVEY_CONTEXT_OPTIONS_INIT;
        wanted.threads = threads;
        covey_context *context = NULL;
        CHECK_OK(covey_context_create(&wanted, &context, &error));
        covey_found *found = NULL;
        CHECK_OK(covey_find(context, NULL, NULL, &sample.table, sample.fraud, NULL, NULL, FIND_ROWS, NULL, &options,
                            &found, &error));
        CHECK_OK(covey_found_scores(found, threads == 1 ? one : many, FIND_ROWS, &error));
        covey_found_destroy(found);
        covey_context_destroy(context);
    }
    CHECK(memcmp(one, many, sizeof one) == 0);
}

/* What little is known, and what that gives: never an error, never a false alarm. */
static void test_little_is_known(void) {
    covey_find_options options = small_find_options();
    static int8_t fraud[FIND_ROWS];
    const struct {
        int known;
        int32_t finding;
    } cases[] = {
        {0, COVEY_FINDING_NO_KNOWN_FRAUD},
        {1, COVEY_FINDING_TOO_FEW_FRAUDS},
        {FIND_ROWS, COVEY_FINDING_ONLY_FRAUD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int row = 0; row < FIND_ROWS; row++)
            fraud[row] = row < cases[i].known ? COVEY_LABEL_FRAUD : COVEY_LABEL_UNKNOWN;
        covey_found *found = find(NULL, &sample.table, fraud, &options);
        CHECK(has_finding(found, cases[i].finding));
        CHECK(covey_found_group_count(found) == 0);
        CHECK_OK(covey_found_risky(found, risky, FIND_ROWS, &error));
        for (int row = 0; row < FIND_ROWS; row++) CHECK(risky[row] == 0);
        CHECK(covey_found_engine(found) != NULL);
        covey_found_destroy(found);
    }
    covey_found *found = find(&sample.sequences, &sample.table, NULL, &options);
    CHECK(has_finding(found, COVEY_FINDING_NO_LABELS));
    CHECK_OK(covey_found_scores(found, scores, FIND_ROWS, &error));
    for (int row = 0; row < FIND_ROWS; row++) CHECK(scores[row] >= 0 && scores[row] <= 1);
    covey_found_destroy(found);
}

/* Labels that have nothing to do with the rows: no group, and a finding that says so. */
static void test_no_signal(void) {
    covey_find_options options = small_find_options();
    int finds = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        static int8_t fraud[FIND_ROWS];
        uint64_t state = seed;
        for (int row = 0; row < FIND_ROWS; row++)
            fraud[row] = find_number(&state) < 0.05 ? COVEY_LABEL_FRAUD : COVEY_LABEL_UNKNOWN;
        options.seed = seed;
        covey_found *found = find(NULL, &sample.table, fraud, &options);
        if (covey_found_group_count(found) > 0) finds++;
        else CHECK(has_finding(found, COVEY_FINDING_NO_SIGNAL) || has_finding(found, COVEY_FINDING_NO_GROUP));
        covey_found_destroy(found);
    }
    /* 5 % of 20 is 1; more than 4 would be chance once in 400 times. */
    CHECK(finds <= 4);
}

/* A feature that equals the label, and amounts that are missing, are told. */
static void test_told(void) {
    covey_find_options options = small_find_options();
    static double leak[FIND_ROWS], amounts[FIND_ROWS];
    for (int row = 0; row < FIND_ROWS; row++) {
        leak[row] = sample.fraud[row] == COVEY_LABEL_FRAUD;
        amounts[row] = row % 3 == 0 ? NAN : sample.amounts[row];
    }
    covey_column columns[4] = {
        sample.columns[0], sample.columns[1], sample.columns[2], {"charged back", leak, 0, NULL, 0, COVEY_NUMERIC, 0}};
    covey_table table = sample.table;
    table.columns = columns;
    table.column_count = 4;
    covey_found *found = NULL;
    CHECK_OK(
        covey_find(NULL, NULL, NULL, &table, sample.fraud, amounts, NULL, FIND_ROWS, NULL, &options, &found, &error));
    CHECK(has_finding(found, COVEY_FINDING_AMOUNTS_MISSING));
    int told = 0;
    for (int64_t index = 0; index < covey_found_finding_count(found); index++)
        told += covey_found_finding_code(found, index) == COVEY_FINDING_FEATURE_GIVES_LABEL_AWAY &&
                strstr(covey_found_finding_text(found, index), "\"charged back\"") != NULL;
    CHECK(told == 1);
    covey_found_destroy(found);
}

/* Known legitimate rows, and a share of known fraud that is given. */
static void test_known_share(void) {
    covey_find_options options = small_find_options();
    static int8_t fraud[FIND_ROWS];
    for (int row = 0; row < FIND_ROWS; row++)
        fraud[row] = sample.fraud[row] == COVEY_LABEL_FRAUD ? 1 : row >= FIND_RING && row % 2 == 0 ? 0 : -1;
    covey_found *found = find(NULL, &sample.table, fraud, &options);
    CHECK(strstr(covey_found_settings(found), "\"known_share_from\":\"labelled\"") != NULL);
    CHECK(!has_finding(found, COVEY_FINDING_UNLABELLED_COMPARED));
    check_ring(found);
    covey_found_destroy(found);
    options.known_share = 0.5;
    options.error_rate = COVEY_ERROR_RATE_FALSE_DISCOVERY;
    found = find(NULL, &sample.table, sample.fraud, &options);
    CHECK(strstr(covey_found_settings(found), "\"known_share\":0.5,\"known_share_from\":\"given\"") != NULL);
    check_ring(found);
    covey_found_destroy(found);
}

/* Rules are tested part by part if few frauds are known; otherwise on the latest rows, unless those cannot have their
 * labels yet or hold most of the known fraud. */
static void test_rules_held_out(void) {
    covey_find_options options = small_find_options();
    static double times[FIND_ROWS];
    static int8_t fraud[FIND_ROWS];
    const struct {
        int known;
        double when;
        const char *expected;
    } cases[] = {{100, -1, "\"latest\""}, {100, 0.1, "\"random\""}, {100, 0.9, "\"random\""}, {99, -1, "\"folds\""}};
    for (int i = 0; i < 4; i++) {
        int known = cases[i].known;
        for (int row = 0; row < FIND_ROWS; row++) {
            double spread = row < known ? (row + 0.5) / known : (row - known + 0.5) / (FIND_ROWS - known);
            fraud[row] = row < known ? COVEY_LABEL_FRAUD : COVEY_LABEL_UNKNOWN;
            times[row] = 1e6 * (row < known && cases[i].when >= 0 ? cases[i].when : spread);
        }
        covey_found *found = NULL;
        CHECK_OK(
            covey_find(NULL, NULL, NULL, &sample.table, fraud, NULL, times, FIND_ROWS, NULL, &options, &found, &error));
        const char *told = strstr(covey_found_settings(found), "\"rules_held_out\":");
        size_t length = strlen(cases[i].expected);
        CHECK(told != NULL && strncmp(told + strlen("\"rules_held_out\":"), cases[i].expected, length) == 0);
        covey_found_destroy(found);
    }
}

static int32_t stop(void *user_data, const char *stage, double fraction) {
    (void)stage;
    (void)fraction;
    return --*(int *)user_data < 0;
}

/* A stopped call leaves nothing, and everything usable. */
static void test_cancel(void) {
    covey_find_options options = small_find_options();
    for (int after = 0; after < 40; after += 8) {
        int left = after;
        covey_context_options wanted = COVEY_CONTEXT_OPTIONS_INIT;
        wanted.progress = stop;
        wanted.progress_user_data = &left;
        covey_context *context = NULL;
        CHECK_OK(covey_context_create(&wanted, &context, &error));
        covey_found *found = (covey_found *)1;
        covey_status status = covey_find(context, &sample.sequences, vocabulary, &sample.table, sample.fraud, NULL,
                                         NULL, FIND_ROWS, NULL, &options, &found, NULL);
        CHECK(status == COVEY_CANCELLED ? found == NULL : status == COVEY_OK);
        if (status == COVEY_OK) covey_found_destroy(found);
        covey_context_destroy(context);
    }
}

static void test_null(void) {
    CHECK(covey_found_rows(NULL) == 0 && covey_found_clusters(NULL) == 0 && covey_found_group_count(NULL) == 0);
    CHECK(covey_found_finding_count(NULL) == 0 && covey_found_finding_code(NULL, 0) == 0);
    CHECK(covey_found_group_text(NULL, 0) == NULL && covey_found_finding_text(NULL, 0) == NULL);
    CHECK(covey_found_rules(NULL) == NULL && covey_found_engine(NULL) == NULL && covey_found_settings(NULL) == NULL);
    covey_found_destroy(NULL);
}

int main(void) {
    static const char *const names[4] = {"home", "search", "cart", "pay"};
    make_find_sample(&sample, 1);
    CHECK_OK(covey_vocabulary_create(NULL, names, 4, &vocabulary, &error));
    test_roads();
    test_threads();
    test_little_is_known();
    test_no_signal();
    test_told();
    test_known_share();
    test_rules_held_out();
    test_cancel();
    test_null();
    covey_vocabulary_destroy(vocabulary);
    return finish();
}
