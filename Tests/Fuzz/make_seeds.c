/* Writes the seeds that Covey itself can make: encoders, training states, engines and rule sets. The other targets take
 * numbers from bytes, and the fuzzer found their seeds. Usage: make_seeds FOLDER */
#include "fuzz_sample.h"

/* For Covey's own tests: searches that are made from now on have cells of a few rows. */
void covey_test_small_searches(int32_t small);

static const char *folder;

static const char *seed_path(const char *target, const char *name) {
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, target);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", folder, target, name);
    return path;
}

static void write_text(const char *target, const char *name, const char *text) {
    FILE *file = fopen(seed_path(target, name), "wb");
    FUZZ_REQUIRE(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* The state after each of the first steps and after the last one, and the resulting encoder. */
static int32_t stop_after(void *user_data, const covey_training_progress *progress) {
    return progress->epoch >= *(const int64_t *)user_data;
}

static void make_trainings(void) {
    covey_error *error = NULL;
    for (int64_t epochs = 1; epochs <= 2; epochs++) {
        covey_encoder *encoder = NULL;
        covey_training_options options = sample_options();
        options.checkpoint_path = seed_path("training", epochs == 1 ? "begun" : "done");
        unlink(options.checkpoint_path);
        if (epochs == 1) {
            options.progress = stop_after;
            options.progress_user_data = &epochs;
        }
        fuzz_ok(covey_encoder_train(NULL, &sample_get()->sequences, sample_get()->vocabulary, &options, &encoder, NULL,
                                    &error),
                &error);
        if (encoder) FUZZ_OK(covey_encoder_save(encoder, NULL, seed_path("encoder", "channels"), &error));
        covey_encoder_destroy(encoder);
    }
    FUZZ_OK(covey_encoder_save(sample_encoder(), NULL, seed_path("encoder", "dwell"), &error));
}

enum { ROWS = 60 };

static double amounts[ROWS], opened[ROWS], paid[ROWS], limits[ROWS];
static int32_t countries[ROWS];
static int8_t known[ROWS];
static uint8_t target[ROWS];
static const char *const names[] = {"NL", "BE", "FR"};

static covey_table make_table(void) {
    static covey_column columns[] = {
        {"amount", amounts, 0, NULL, 0, COVEY_NUMERIC, 0}, {"country", countries, 0, names, 3, COVEY_CATEGORICAL, 0},
        {"known", known, 0, NULL, 0, COVEY_BOOLEAN, 0},    {"limit", limits, 0, NULL, 0, COVEY_NUMERIC, 0},
        {"opened", opened, 0, NULL, 0, COVEY_DATE, 0},     {"paid", paid, 0, NULL, 0, COVEY_DATE, 0},
    };
    for (int row = 0; row < ROWS; row++) {
        int group = row % 3;
        amounts[row] = row % 17 == 16 ? NAN : 100 * group + row % 10;
        limits[row] = 500 + row % 7 * 10;
        countries[row] = row % 13 == 12 ? -1 : group;
        known[row] = (int8_t)(row % 11 == 10 ? -1 : group != 2);
        opened[row] = 1.6e9 + 86400.0 * (row % 20) + 3600 * (group == 2 ? 3 : 12);
        paid[row] = opened[row] + 86400.0 * (group == 2 ? 1 : 30 + row % 9);
        target[row] = group == 2 && row % 8 != 0;
    }
    covey_table table = COVEY_TABLE_INIT;
    table.rows = ROWS;
    table.column_count = 6;
    table.columns = columns;
    return table;
}

static covey_rules *make_rules(const char *name, const char *age_to, const covey_feature_pair *pairs,
                               int64_t pair_count, int64_t use, const double *weights) {
    covey_error *error = NULL;
    covey_rules *rules = NULL;
    covey_buffer *text = NULL;
    covey_table table = make_table();
    covey_rule_feature features[2] = {COVEY_RULE_FEATURE_INIT, COVEY_RULE_FEATURE_INIT};
    features[0].feature = "country";
    features[1].feature = "known";
    features[0].use = features[1].use = (int32_t)use;
    covey_rules_options options = COVEY_RULES_OPTIONS_INIT;
    options.min_support = 3;
    options.significance = 0;
    options.age_to = age_to;
    options.pairs = pairs;
    options.pair_count = pair_count;
    options.features = features;
    options.feature_count = 2;
    options.weights = weights;
    options.amounts = weights ? limits : NULL;
    options.permutations = options.resamples = weights ? 3 : 0;
    FUZZ_OK(covey_extract_rules(NULL, &table, target, &options, &rules, &error));
    FUZZ_OK(covey_rules_export(rules, NULL, COVEY_RULES_JSON, NULL, &text, &error));
    write_text("rules", name, covey_buffer_data(text));
    covey_buffer_destroy(text);
    return rules;
}

/* An engine of a table with or without the dates, and with or without an encoder. */
static void make_engine(const char *name, int with_encoder, int components, const covey_rules *const *rules,
                        int64_t rule_count) {
    covey_error *error = NULL;
    covey_hybrid *hybrid = NULL;
    covey_clustering *clustering = NULL;
    covey_risk *risk = NULL;
    covey_engine *engine = NULL;
    covey_table table = make_table();
    static float embeddings[ROWS * 64], rows[ROWS * 64];
    static int32_t labels[ROWS];
    int8_t fraud[ROWS];
    int64_t width = covey_encoder_dimension(sample_encoder());
    for (int i = 0; i < ROWS * width; i++)
        embeddings[i] = (float)((i / width % 3 == i % width) * 3 + i * 7 % 13 * 0.01);
    covey_matrix matrix = COVEY_MATRIX_INIT;
    matrix.data = embeddings;
    matrix.rows = ROWS;
    matrix.columns = width;
    covey_hybrid_options hybrid_options = COVEY_HYBRID_OPTIONS_INIT;
    hybrid_options.embedding_components = components;
    if (!components) hybrid_options.missing = COVEY_MISSING_INDICATOR;
    table.column_count = 3;
    FUZZ_OK(covey_hybrid_fit(NULL, with_encoder ? &matrix : NULL, &table, &hybrid_options, &hybrid, &error));
    FUZZ_OK(covey_hybrid_transform(hybrid, NULL, with_encoder ? &matrix : NULL, &table, rows, 0, &error));
    matrix.data = rows;
    matrix.columns = covey_hybrid_dimension(hybrid);
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    options.prediction = 1;
    options.min_cluster_size = 8;
    if (!with_encoder) {
        options.missing = COVEY_MISSING_ROWS_NOISE;
        rows[5] = NAN;
    }
    FUZZ_OK(covey_cluster_matrix(NULL, &matrix, &options, &clustering, &error));
    FUZZ_OK(covey_clustering_labels(clustering, labels, ROWS, &error));
    FUZZ_OK(covey_clustering_save(clustering, NULL, seed_path("clustering", name), &error));
    for (int row = 0; row < ROWS; row++) fraud[row] = (int8_t)(row % 3 == 2 ? row % 2 : row % 5 ? 0 : -1);
    FUZZ_OK(covey_cluster_risk(NULL, labels, fraud, limits, opened, ROWS, NULL, &risk, &error));
    int64_t clusters[] = {covey_clustering_clusters(clustering) - 1, -1};
    covey_engine_parts parts = COVEY_ENGINE_PARTS_INIT;
    parts.encoder = with_encoder ? sample_encoder() : NULL;
    parts.hybrid = hybrid;
    parts.clustering = clustering;
    parts.risk = risk;
    parts.rules = rules;
    parts.rule_clusters = clusters;
    parts.rule_count = rule_count;
    FUZZ_OK(covey_engine_build(NULL, &parts, &engine, &error));
    FUZZ_OK(covey_engine_save(engine, NULL, seed_path("engine", name), &error));
    covey_hybrid_destroy(hybrid);
    covey_clustering_destroy(clustering);
    covey_risk_destroy(risk);
    covey_engine_destroy(engine);
}

/* An engine with evidence: covey_find with a trained encoder, and a third of the rows known to be fraud. */
static void make_found(void) {
    covey_error *error = NULL;
    covey_found *found = NULL;
    covey_table table = make_table();
    covey_training_options training = sample_options();
    covey_find_options options = COVEY_FIND_OPTIONS_INIT;
    static int64_t offsets[ROWS + 1];
    static int32_t types[2 * ROWS];
    static double times[2 * ROWS];
    int8_t fraud[ROWS];
    for (int row = 0; row < ROWS; row++) {
        fraud[row] = (int8_t)(row % 3 == 2 && row % 2 ? COVEY_LABEL_FRAUD : COVEY_LABEL_UNKNOWN);
        offsets[row + 1] = 2 * (row + 1);
        for (int event = 0; event < 2; event++) {
            types[2 * row + event] = 1 + (row % 3 + event) % 4;
            times[2 * row + event] = 5 * event + row % 7;
        }
    }
    covey_sequences sequences = COVEY_SEQUENCES_INIT;
    sequences.count = ROWS;
    sequences.offsets = offsets;
    sequences.types = types;
    sequences.times = times;
    table.column_count = 4;
    training.categorical_vocabularies = NULL;
    options.training = &training;
    options.trees = 2;
    options.permutations = 99;
    FUZZ_OK(covey_find(NULL, &sequences, sample_get()->vocabulary, &table, fraud, limits, opened, ROWS, NULL, &options,
                       &found, &error));
    FUZZ_OK(covey_engine_save(covey_found_engine(found), NULL, seed_path("engine", "found"), &error));
    covey_found_destroy(found);
}

static const char *const by_hand[] = {
    "{\"format_version\":1,\"features\":[{\"name\":\"amount\",\"kind\":\"numeric\"},{\"name\":\"country\",\"kind\":"
    "\"categorical\"}],\"rules\":"
    "[{\"conditions\":[{\"feature\":\"amount\",\"kind\":\"interval\",\"low\":100},{\"feature\":\"country\",\"kind\":"
    "\"in\",\"categories\":"
    "[\"NL\",\"B E\",\"\\u00e9\"]}]}]}",
    "{\"format_version\":1,\"target\":\"fraud\",\"confidence\":0.9,\"features\":[{\"name\":\"known\",\"kind\":"
    "\"boolean\"},{\"name\":\"a\","
    "\"kind\":\"numeric\"},{\"name\":\"c\",\"kind\":\"categorical\"}],\"rules\":[{\"conditions\":[{\"feature\":"
    "\"known\",\"kind\":\"true\"},"
    "{\"feature\":\"a\",\"kind\":\"missing\"}]},{\"conditions\":[{\"feature\":\"known\",\"kind\":\"false\"},{"
    "\"feature\":\"c\",\"kind\":"
    "\"not_in\",\"categories\":[\"x\",\"\"]},{\"feature\":\"a\",\"kind\":\"interval\",\"low\":-1e308,\"high\":1e308}],"
    "\"given\":true},"
    "{\"conditions\":[{\"feature\":\"a\",\"kind\":\"present\"}],\"p_value\":0.5,\"search_p_value\":0.01,\"stability\":"
    "1}]}",
    "{\"format_version\":1,\"features\":[{\"name\":\"hour of "
    "d\",\"kind\":\"numeric\",\"derived\":{\"hour\":[\"d\"]}},{\"name\":"
    "\"days from d to e\",\"kind\":\"numeric\",\"derived\":{\"days\":[\"d\",\"e\"]}},{\"name\":\"x / "
    "y\",\"kind\":\"numeric\",\"derived\":"
    "{\"ratio\":[\"x\",\"y\"]}},{\"name\":\"x - "
    "y\",\"kind\":\"numeric\",\"derived\":{\"difference\":[\"x\",\"y\"]}}],\"rules\":"
    "[{\"conditions\":[{\"feature\":\"hour of d\",\"kind\":\"interval\",\"low\":2,\"high\":4.5},{\"feature\":\"days "
    "from d to e\",\"kind\":"
    "\"interval\",\"high\":30}]},{\"conditions\":[{\"feature\":\"x / "
    "y\",\"kind\":\"interval\",\"low\":0.5},{\"feature\":\"x - y\",\"kind\":"
    "\"interval\",\"low\":-7}]}]}",
};

int main(int count, char **arguments) {
    if (count != 2) return fprintf(stderr, "usage: make_seeds FOLDER\n"), 2;
    folder = arguments[1];
    mkdir(folder, 0777);
    make_trainings();
    static const covey_feature_pair pairs[] = {{"amount", "limit", COVEY_DERIVED_RATIO, 0},
                                               {"amount", "limit", COVEY_DERIVED_DIFFERENCE, 0}};
    covey_rules *rules[] = {make_rules("found", NULL, NULL, 0, COVEY_FEATURE_FREE, NULL),
                            make_rules("derived", "paid", pairs, 2, COVEY_FEATURE_FORBIDDEN, NULL)};
    double weights[ROWS];
    for (int row = 0; row < ROWS; row++) weights[row] = row % 5 * 0.5;
    covey_rules_destroy(make_rules("weighted", NULL, NULL, 0, COVEY_FEATURE_FREE, weights));
    for (size_t index = 0; index < sizeof by_hand / sizeof *by_hand; index++) {
        char name[16];
        snprintf(name, sizeof name, "by_hand_%zu", index);
        write_text("rules", name, by_hand[index]);
    }
    make_engine("features", 0, 0, (const covey_rules *const *)rules, 2);
    covey_test_small_searches(1);
    make_engine("encoder", 1, 0, (const covey_rules *const *)rules, 1);
    make_engine("components", 1, 2, NULL, 0);
    make_found();
    covey_test_small_searches(0);
    covey_rules_destroy(rules[0]);
    covey_rules_destroy(rules[1]);
    return 0;
}
