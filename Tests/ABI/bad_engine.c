#include "engine_sample.h"

#include <unistd.h>

static engine_sample sample;
static sample_parts made;

/* The parts are made once, and live as long as the program. */
static covey_engine_parts good_parts(void) {
    if (made.hybrid == NULL) {
        make_sample(&sample, 1);
        make_parts(&made, &sample, NULL);
    }
    return made.parts;
}

static covey_status build(const covey_engine_parts *parts, covey_error **error) {
    covey_engine *engine = (covey_engine *)1;
    covey_status status = covey_engine_build(NULL, parts, &engine, error);
    if (status != COVEY_OK && engine != NULL) return COVEY_INTERNAL;
    covey_engine_destroy(engine);
    return status;
}

#define PARTS_CASE(name, change) \
    static covey_status name(covey_error **error) { \
        covey_engine_parts parts = good_parts(); \
        change; \
        return build(&parts, error); \
    }

static const covey_rules *const null_rules[1] = {NULL};
static const int64_t cluster_900[1] = {900};
static const int64_t cluster_minus_2[1] = {-2};
static const int64_t cluster_none[1] = {-1};

PARTS_CASE(parts_good, (void)0)
PARTS_CASE(parts_without_rules, (parts.rules = NULL, parts.rule_clusters = NULL, parts.rule_count = 0))
PARTS_CASE(parts_no_cluster, parts.rule_clusters = cluster_none)
PARTS_CASE(parts_size, parts.struct_size = 12)
PARTS_CASE(parts_no_encoder, parts.encoder = NULL)
PARTS_CASE(parts_no_hybrid, parts.hybrid = NULL)
PARTS_CASE(parts_no_clustering, parts.clustering = NULL)
PARTS_CASE(parts_no_risk, parts.risk = NULL)
PARTS_CASE(parts_null_rules, parts.rules = NULL)
PARTS_CASE(parts_null_rule, parts.rules = null_rules)
PARTS_CASE(parts_null_clusters, parts.rule_clusters = NULL)
PARTS_CASE(parts_rules_negative, parts.rule_count = -1)
PARTS_CASE(parts_rules_many, parts.rule_count = 65537)
PARTS_CASE(parts_cluster_high, parts.rule_clusters = cluster_900)
PARTS_CASE(parts_cluster_low, parts.rule_clusters = cluster_minus_2)

static covey_status null_parts(covey_error **error) { return build(NULL, error); }

static covey_status null_engine(covey_error **error) {
    covey_engine_parts parts = good_parts();
    return covey_engine_build(NULL, &parts, NULL, error);
}

/* A clustering of other rows, with or without prediction data. */
static covey_status other_clustering(int32_t prediction, int64_t columns, covey_error **error) {
    covey_engine_parts parts = good_parts();
    static const float rows[64];
    covey_matrix matrix = COVEY_MATRIX_INIT;
    matrix.data = rows;
    matrix.rows = 2;
    matrix.columns = columns;
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    options.prediction = prediction;
    covey_clustering *clustering = NULL;
    if (covey_cluster_matrix(NULL, &matrix, &options, &clustering, NULL) != COVEY_OK) return COVEY_INTERNAL;
    parts.clustering = clustering;
    covey_status status = build(&parts, error);
    covey_clustering_destroy(clustering);
    return status;
}

static covey_status parts_no_prediction(covey_error **error) {
    return other_clustering(0, covey_hybrid_dimension(good_parts().hybrid), error);
}

static covey_status parts_other_dimension(covey_error **error) { return other_clustering(1, 3, error); }

static covey_status parts_other_risk(covey_error **error) {
    covey_engine_parts parts = good_parts();
    int32_t label = 500;
    int8_t fraud = COVEY_LABEL_FRAUD;
    covey_risk *risk = NULL;
    if (covey_cluster_risk(NULL, &label, &fraud, NULL, NULL, 1, NULL, &risk, NULL) != COVEY_OK) return COVEY_INTERNAL;
    parts.risk = risk;
    covey_status status = build(&parts, error);
    covey_risk_destroy(risk);
    return status;
}

/* The labels of the clustering, but for the last row. */
static covey_status parts_fewer_rows(covey_error **error) {
    covey_engine_parts parts = good_parts();
    int8_t fraud[SAMPLE_ROWS] = {0};
    covey_risk *risk = NULL;
    if (covey_cluster_risk(NULL, made.labels, fraud, NULL, NULL, SAMPLE_ROWS - 1, NULL, &risk, NULL) != COVEY_OK)
        return COVEY_INTERNAL;
    parts.risk = risk;
    covey_status status = build(&parts, error);
    covey_risk_destroy(risk);
    return status;
}

static covey_status load(const char *path, covey_error **error) {
    covey_engine *engine = (covey_engine *)1;
    covey_status status = covey_engine_load(NULL, path, &engine, error);
    if (status != COVEY_OK && engine != NULL) return COVEY_INTERNAL;
    covey_engine_destroy(engine);
    return status;
}

static covey_status load_null(covey_error **error) { return load(NULL, error); }
static covey_status load_empty(covey_error **error) { return load("", error); }
static covey_status load_absent(covey_error **error) { return load("/nowhere/engine", error); }
static covey_status load_folder(covey_error **error) { return load("/tmp", error); }
static covey_status load_other(covey_error **error) { return load(MODEL_PATH, error); }
static covey_status load_text(covey_error **error) { return load("include/covey.h", error); }
static covey_status load_no_output(covey_error **error) { return covey_engine_load(NULL, "x", NULL, error); }
static covey_status load_over_budget(covey_error **error) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    covey_context *context = NULL;
    covey_engine *engine = NULL;
    options.memory_budget = 64;
    covey_context_create(&options, &context, NULL);
    covey_status status = covey_engine_load(context, MODEL_PATH, &engine, error);
    covey_context_destroy(context);
    return status;
}

static covey_status save_null(covey_error **error) { return covey_engine_save(NULL, NULL, "/tmp/x", error); }

/* Scores with a good engine, and checks that it stays usable. */
static covey_status score(const covey_sequences *sequences, const covey_table *table, const covey_context *context,
                          covey_error **error) {
    covey_engine_parts parts = good_parts();
    covey_engine *engine = NULL;
    covey_scores *scores = (covey_scores *)1, *again = NULL;
    covey_engine_build(NULL, &parts, &engine, NULL);
    covey_status status = covey_engine_score(engine, context, sequences, table, &scores, error);
    if (status != COVEY_OK && scores != NULL) return COVEY_INTERNAL;
    covey_scores_destroy(scores);
    if (covey_engine_score(engine, NULL, &sample.sequences, &sample.table, &again, NULL) != COVEY_OK)
        status = COVEY_INTERNAL;
    covey_scores_destroy(again);
    covey_engine_destroy(engine);
    return status;
}

#define SCORE_CASE(name, change, sequences_argument, table_argument) \
    static covey_status name(covey_error **error) { \
        good_parts(); \
        covey_sequences sequences = sample.sequences; \
        covey_table table = sample.table; \
        covey_column columns[2]; \
        memcpy(columns, sample.columns, sizeof columns); \
        table.columns = columns; \
        change; \
        (void)sequences, (void)table; \
        return score(sequences_argument, table_argument, NULL, error); \
    }

static const int64_t falling_offsets[3] = {0, 4, 2};
static const double bad_amounts[SAMPLE_ROWS] = {0, INFINITY};
static const double bad_times[SAMPLE_ROWS * SAMPLE_EVENTS] = {0, NAN};

SCORE_CASE(score_good, (void)0, &sequences, &table)
SCORE_CASE(score_no_sequences, (void)0, NULL, &table)
SCORE_CASE(score_no_features, (void)0, &sequences, NULL)
SCORE_CASE(score_rows_differ, sequences.count = 5, &sequences, &table)
SCORE_CASE(score_missing_column, table.column_count = 1, &sequences, &table)
SCORE_CASE(score_missing_columns, (columns[0].name = "one", columns[1].name = "other"), &sequences, &table)
SCORE_CASE(score_other_kind, columns[0].kind = COVEY_BOOLEAN, &sequences, &table)
SCORE_CASE(score_infinite, columns[0].values = bad_amounts, &sequences, &table)
SCORE_CASE(score_times, sequences.times = bad_times, &sequences, &table)
SCORE_CASE(score_offsets, (sequences.offsets = falling_offsets, sequences.count = table.rows = 2), &sequences, &table)
SCORE_CASE(score_channels, sequences.numeric_count = 1, &sequences, &table)
SCORE_CASE(score_sequences_size, sequences.struct_size = 1, &sequences, &table)
SCORE_CASE(score_table_size, table.struct_size = 1, &sequences, &table)
SCORE_CASE(score_none, sequences.count = table.rows = 0, &sequences, &table)

static int32_t stop(void *data, const char *stage, double fraction) {
    (void)data, (void)stage, (void)fraction;
    return 1;
}

static covey_status score_cancelled(covey_error **error) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    covey_context *context = NULL;
    good_parts();
    options.progress = stop;
    covey_context_create(&options, &context, NULL);
    covey_status status = score(&sample.sequences, &sample.table, context, error);
    covey_context_destroy(context);
    return status;
}

static covey_status score_over_budget(covey_error **error) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    covey_context *context = NULL;
    good_parts();
    options.memory_budget = 1024;
    covey_context_create(&options, &context, NULL);
    covey_status status = score(&sample.sequences, &sample.table, context, error);
    covey_context_destroy(context);
    return status;
}

static covey_status score_null(covey_error **error) {
    covey_scores *scores = NULL;
    good_parts();
    return covey_engine_score(NULL, NULL, &sample.sequences, &sample.table, &scores, error);
}

/* Asks good scores. */
static covey_status get(int64_t transaction, size_t size, int give, covey_error **error) {
    covey_engine_parts parts = good_parts();
    covey_engine *engine = NULL;
    covey_scores *scores = NULL;
    covey_score score = COVEY_SCORE_INIT;
    score.struct_size = size;
    covey_engine_build(NULL, &parts, &engine, NULL);
    covey_engine_score(engine, NULL, &sample.sequences, &sample.table, &scores, NULL);
    covey_engine_destroy(engine);
    covey_status status = covey_scores_get(scores, transaction, give ? &score : NULL, error);
    covey_scores_destroy(scores);
    return status;
}

static covey_status get_good(covey_error **error) { return get(0, sizeof(covey_score), 1, error); }
static covey_status get_low(covey_error **error) { return get(-1, sizeof(covey_score), 1, error); }
static covey_status get_high(covey_error **error) { return get(SAMPLE_ROWS, sizeof(covey_score), 1, error); }
static covey_status get_size(covey_error **error) { return get(0, 3, 1, error); }
static covey_status get_no_output(covey_error **error) { return get(0, 0, 0, error); }
static covey_status get_null(covey_error **error) {
    covey_score score = COVEY_SCORE_INIT;
    return covey_scores_get(NULL, 0, &score, error);
}

const abi_case engine_cases[] = {
    {"engine: good parts", COVEY_OK, "", parts_good},
    {"engine: without rules", COVEY_OK, "", parts_without_rules},
    {"engine: rules of no cluster", COVEY_OK, "", parts_no_cluster},
    {"engine: null parts", COVEY_INVALID_ARGUMENT, "parts must not be NULL", null_parts},
    {"engine: null output", COVEY_INVALID_ARGUMENT, "engine must not be NULL", null_engine},
    {"engine: struct_size", COVEY_INVALID_ARGUMENT, "parts.struct_size must be", parts_size},
    {"engine: no encoder", COVEY_MISMATCH, "encoder must not be NULL: hybrid was fitted with embeddings",
     parts_no_encoder},
    {"engine: no hybrid", COVEY_INVALID_ARGUMENT, "parts.hybrid must not be NULL", parts_no_hybrid},
    {"engine: no clustering", COVEY_INVALID_ARGUMENT, "parts.clustering must not be NULL", parts_no_clustering},
    {"engine: no risk", COVEY_INVALID_ARGUMENT, "parts.risk must not be NULL", parts_no_risk},
    {"engine: null rule sets", COVEY_INVALID_ARGUMENT, "parts.rules must not be NULL", parts_null_rules},
    {"engine: null rule set", COVEY_INVALID_ARGUMENT, "parts.rules[0] must not be NULL", parts_null_rule},
    {"engine: null rule clusters", COVEY_INVALID_ARGUMENT, "parts.rule_clusters must not be NULL", parts_null_clusters},
    {"engine: negative rule count", COVEY_INVALID_ARGUMENT, "parts.rule_count must be 0 to 65536, got -1",
     parts_rules_negative},
    {"engine: many rule sets", COVEY_INVALID_ARGUMENT, "parts.rule_count must be 0 to 65536, got 65537",
     parts_rules_many},
    {"engine: cluster too high", COVEY_MISMATCH, "rule_clusters[0] must be -1 to", parts_cluster_high},
    {"engine: cluster too low", COVEY_MISMATCH, "got -2", parts_cluster_low},
    {"engine: no prediction data", COVEY_INVALID_ARGUMENT, "clustering must be made with prediction = 1",
     parts_no_prediction},
    {"engine: other dimension", COVEY_MISMATCH, "clustering has rows of 3 columns", parts_other_dimension},
    {"engine: other risk", COVEY_MISMATCH, "risk rates the cluster 500", parts_other_risk},
    {"engine: fewer rows", COVEY_MISMATCH, "risk must be made of the clustering's labels", parts_fewer_rows},
    {"engine file: null path", COVEY_INVALID_ARGUMENT, "path must not be NULL", load_null},
    {"engine file: empty path", COVEY_INVALID_ARGUMENT, "path must not be empty", load_empty},
    {"engine file: null output", COVEY_INVALID_ARGUMENT, "engine must not be NULL", load_no_output},
    {"engine file: absent", COVEY_IO, "/nowhere/engine", load_absent},
    {"engine file: a folder", COVEY_IO, "/tmp", load_folder},
    {"engine file: a model", COVEY_CORRUPT_FILE, "covey.engine is missing", load_other},
    {"engine file: text", COVEY_CORRUPT_FILE, "include/covey.h", load_text},
    {"engine file: over budget", COVEY_OUT_OF_MEMORY, "memory budget of 64", load_over_budget},
    {"engine file: save null", COVEY_INVALID_ARGUMENT, "engine must not be NULL", save_null},
    {"score: good", COVEY_OK, "", score_good},
    {"score: none", COVEY_OK, "", score_none},
    {"score: null engine", COVEY_INVALID_ARGUMENT, "engine must not be NULL", score_null},
    {"score: no sequences", COVEY_MISMATCH, "sequences must not be NULL", score_no_sequences},
    {"score: no features", COVEY_MISMATCH, "features must not be NULL: the engine needs the column", score_no_features},
    {"score: rows differ", COVEY_MISMATCH, "sequences are 5, features have 120 rows", score_rows_differ},
    {"score: missing column", COVEY_MISMATCH, "no column \"country\"", score_missing_column},
    {"score: all missing columns", COVEY_MISMATCH, "no column \"amount\", \"country\"", score_missing_columns},
    {"score: other kind", COVEY_MISMATCH, "column \"amount\" must be numeric, got boolean", score_other_kind},
    {"score: infinity", COVEY_INVALID_DATA, "column \"amount\", row 1", score_infinite},
    {"score: times", COVEY_INVALID_DATA, "times[1] must be finite", score_times},
    {"score: offsets", COVEY_INVALID_DATA, "offsets[2] must not be below", score_offsets},
    {"score: channels", COVEY_MISMATCH, "numeric channels", score_channels},
    {"score: sequences' struct_size", COVEY_INVALID_ARGUMENT, "sequences.struct_size must be", score_sequences_size},
    {"score: table's struct_size", COVEY_INVALID_ARGUMENT, "features.struct_size must be", score_table_size},
    {"score: cancelled", COVEY_CANCELLED, "cancelled", score_cancelled},
    {"score: over budget", COVEY_OUT_OF_MEMORY, "memory budget of 1024", score_over_budget},
    {"scores: good", COVEY_OK, "", get_good},
    {"scores: null", COVEY_INVALID_ARGUMENT, "scores must not be NULL", get_null},
    {"scores: too low", COVEY_INVALID_ARGUMENT, "transaction must be 0 to 119, got -1", get_low},
    {"scores: too high", COVEY_INVALID_ARGUMENT, "transaction must be 0 to 119, got 120", get_high},
    {"scores: struct_size", COVEY_INVALID_ARGUMENT, "score.struct_size must be", get_size},
    {"scores: null output", COVEY_INVALID_ARGUMENT, "score must not be NULL", get_no_output},
    {NULL, 0, NULL, NULL},
};
