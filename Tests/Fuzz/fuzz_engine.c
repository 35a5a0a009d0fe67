/* An engine file with any content. Covey refuses it, or loads it, scores with it, and saves it without a loss. */
#include "fuzz_sample.h"
#if !defined FUZZ_REPLAY || defined FUZZ_MUTATORS
#include "tensors_mutator.h"
#endif

enum { ROWS = 3 };

static const char *const categories[] = {"NL", "BE", "FR", "other"};
static const double numbers[ROWS] = {1, 150, NAN}, dates[ROWS] = {1e9, 1.6e9 + 1800.5, NAN};
static const int32_t codes[ROWS] = {0, 3, -1};
static const int8_t flags[ROWS] = {1, 0, -1};

/* Makes the columns that the engine needs. */
static covey_table table_for(const covey_engine *engine) {
    int64_t count = covey_engine_feature_count(engine);
    covey_column *columns = fuzz_alloc((size_t)count * sizeof *columns);
    for (int64_t i = 0; i < count; i++) {
        covey_column column = {covey_engine_feature_name(engine, i), numbers, 0, NULL, 0,
                               covey_engine_feature_kind(engine, i), 0};
        FUZZ_REQUIRE(column.name && column.kind >= COVEY_NUMERIC && column.kind <= COVEY_DATE);
        if (column.kind == COVEY_DATE) column.values = dates;
        if (column.kind == COVEY_BOOLEAN) column.values = flags;
        if (column.kind == COVEY_CATEGORICAL) {
            column.values = codes;
            column.categories = categories;
            column.category_count = 4;
        }
        columns[i] = column;
    }
    covey_table table = COVEY_TABLE_INIT;
    table.rows = ROWS;
    table.column_count = count;
    table.columns = columns;
    return table;
}

static covey_scores *score(const covey_engine *engine, const covey_table *table, int64_t rows, int threads) {
    covey_error *error = NULL;
    covey_scores *scores = NULL;
    covey_table part = *table;
    part.rows = rows;
    const covey_encoder *encoder = covey_engine_encoder(engine);
    covey_sequences sequences = COVEY_SEQUENCES_INIT;
    if (encoder) sequences = sample_sequences_for(encoder, rows);
    if (!fuzz_ok(covey_engine_score(engine, fuzz_context(threads), encoder ? &sequences : NULL, &part, &scores, &error),
                 &error))
        FUZZ_REQUIRE(!scores);
    return scores;
}

static covey_score check_score(const covey_scores *scores, int64_t row) {
    covey_error *error = NULL;
    covey_score score = COVEY_SCORE_INIT;
    FUZZ_OK(covey_scores_get(scores, row, &score, &error));
    FUZZ_REQUIRE(score.risk >= 0 && score.risk <= 1 && score.strength >= 0 && score.strength <= 1 &&
                 score.cluster >= -1);
    for (int64_t i = 0; i < score.rule_count; i++)
        FUZZ_REQUIRE(covey_scores_rule(scores, row, i) && covey_scores_rule_cluster(scores, row, i) >= -1);
    for (int64_t i = 0; i < score.reason_count; i++) FUZZ_REQUIRE(covey_scores_reason(scores, row, i));
    return score;
}

/* Other labels of the rows that the engine keeps. */
static void rerate(const covey_engine *engine, const covey_table *table, int threads) {
    enum { MOST = 512 };
    static int8_t fraud[MOST];
    covey_error *error = NULL;
    covey_engine *rated = NULL;
    int64_t rows = covey_engine_rows(engine);
    if (rows > MOST) return;
    for (int64_t row = 0; row < rows; row++) fraud[row] = (int8_t)(row % 5 == 0 ? 1 : row % 3 ? 0 : -1);
    if (fuzz_ok(covey_engine_rerate(engine, fuzz_context(threads), fraud, NULL, NULL, rows, NULL, &rated, &error),
                &error))
        covey_scores_destroy(score(rated, table, ROWS, threads));
    covey_engine_destroy(rated);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    covey_error *error = NULL;
    covey_engine *engine = NULL, *again = NULL;
    int threads = fuzz_threads(size);
    sample_get();
    fuzz_begin();
    if (fuzz_ok(covey_engine_load(fuzz_context(threads), fuzz_file(data, size), &engine, &error), &error)) {
        covey_table table = table_for(engine);
        covey_scores *all = score(engine, &table, ROWS, threads);
        for (int64_t row = 0; row < covey_scores_count(all); row++) check_score(all, row);
        covey_scores *one = all ? score(engine, &table, 1, 1) : NULL;
        if (all) {
            FUZZ_REQUIRE(one);
            covey_score first = check_score(all, 0), alone = check_score(one, 0);
            FUZZ_REQUIRE(memcmp(&first, &alone, sizeof first) == 0);
        }
        covey_scores_destroy(all);
        covey_scores_destroy(one);
        rerate(engine, &table, threads);
        size_t first_size, second_size;
        FUZZ_OK(covey_engine_save(engine, NULL, fuzz_written(), &error));
        uint8_t *first = fuzz_read_written(&first_size);
        FUZZ_OK(covey_engine_load(fuzz_context(1), fuzz_file(first, first_size), &again, &error));
        FUZZ_OK(covey_engine_save(again, NULL, fuzz_written(), &error));
        uint8_t *second = fuzz_read_written(&second_size);
        FUZZ_REQUIRE(first_size == second_size && memcmp(first, second, first_size) == 0);
    } else {
        FUZZ_REQUIRE(!engine);
    }
    covey_engine_destroy(engine);
    covey_engine_destroy(again);
    return fuzz_end();
}
