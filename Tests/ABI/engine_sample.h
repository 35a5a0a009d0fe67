/* Transactions of three groups that differ in amount, country and events, and an engine made of them from all its
   parts. */
#ifndef ENGINE_SAMPLE_H
#define ENGINE_SAMPLE_H

#include "encoder_model.h"

#define SAMPLE_ROWS 120
#define SAMPLE_EVENTS 5

typedef struct engine_sample {
    int64_t offsets[SAMPLE_ROWS + 1];
    int32_t types[SAMPLE_ROWS * SAMPLE_EVENTS];
    double times[SAMPLE_ROWS * SAMPLE_EVENTS];
    double dwell[SAMPLE_ROWS * SAMPLE_EVENTS];
    double numbers[SAMPLE_ROWS * SAMPLE_EVENTS];
    int32_t codes[SAMPLE_ROWS * SAMPLE_EVENTS];
    double amounts[SAMPLE_ROWS];
    int32_t countries[SAMPLE_ROWS];
    covey_channel numeric[2];
    covey_channel categorical[2];
    covey_sequences sequences;
    covey_column columns[2];
    covey_table table;
} engine_sample;

static const char *const sample_countries[3] = {"NL", "BE", "FR"};

static inline double sample_number(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0;
}

static inline void make_sample(engine_sample *sample, uint64_t seed) {
    sample->offsets[0] = 0;
    for (int row = 0; row < SAMPLE_ROWS; row++) {
        int group = row % 3;
        int events = 2 + (int)(sample_number(&seed) * (SAMPLE_EVENTS - 1));
        for (int event = 0; event < events; event++) {
            int64_t place = sample->offsets[row] + event;
            sample->types[place] = 1 + (group * 2 + event) % 4;
            sample->times[place] = 1e9 + 20 * event + sample_number(&seed);
            sample->dwell[place] = 1 + group;
            sample->numbers[place] = group;
            sample->codes[place] = group;
        }
        sample->offsets[row + 1] = sample->offsets[row] + events;
        sample->amounts[row] = 100 * group + 10 * sample_number(&seed);
        sample->countries[row] = group;
    }
    covey_channel numbers = {sample->numbers, 0}, codes = {sample->codes, 0};
    covey_sequences sequences = COVEY_SEQUENCES_INIT;
    covey_table table = COVEY_TABLE_INIT;
    covey_column amount = {"amount", sample->amounts, 0, NULL, 0, COVEY_NUMERIC, 0};
    covey_column country = {"country", sample->countries, 0, sample_countries, 3, COVEY_CATEGORICAL, 0};
    sample->numeric[0] = sample->numeric[1] = numbers;
    sample->categorical[0] = sample->categorical[1] = codes;
    sequences.count = SAMPLE_ROWS;
    sequences.offsets = sample->offsets;
    sequences.types = sample->types;
    sequences.times = sample->times;
    sequences.dwell = sample->dwell;
    sequences.numeric = sample->numeric;
    sequences.numeric_count = 2;
    sequences.categorical = sample->categorical;
    sequences.categorical_count = 2;
    sample->sequences = sequences;
    sample->columns[0] = amount;
    sample->columns[1] = country;
    table.rows = SAMPLE_ROWS;
    table.column_count = 2;
    table.columns = sample->columns;
    sample->table = table;
}

/* The handles of an engine; destroyed by drop_parts. */
typedef struct sample_parts {
    covey_encoder *encoder;
    covey_hybrid *hybrid;
    covey_clustering *clustering;
    covey_risk *risk;
    covey_rules *rules;
    int32_t labels[SAMPLE_ROWS];
    float embeddings[SAMPLE_ROWS * MODEL_DIMENSION];
    int64_t rule_cluster;
    covey_engine_parts parts;
} sample_parts;

static inline covey_status make_parts(sample_parts *made, const engine_sample *sample, covey_error **error) {
    covey_status status = covey_load_model(NULL, MODEL_PATH, &made->encoder, error);
    if (status != COVEY_OK) return status;
    status = covey_embed_sequences(made->encoder, NULL, &sample->sequences, made->embeddings, 0, NULL, error);
    if (status != COVEY_OK) return status;
    covey_matrix matrix = COVEY_MATRIX_INIT;
    matrix.data = made->embeddings;
    matrix.rows = SAMPLE_ROWS;
    matrix.columns = MODEL_DIMENSION;
    covey_hybrid_options options = COVEY_HYBRID_OPTIONS_INIT;
    options.embedding_components = 4;
    status = covey_hybrid_fit(NULL, &matrix, &sample->table, &options, &made->hybrid, error);
    if (status != COVEY_OK) return status;
    static float rows[SAMPLE_ROWS * 64];
    status = covey_hybrid_transform(made->hybrid, NULL, &matrix, &sample->table, rows, 0, error);
    if (status != COVEY_OK) return status;
    matrix.data = rows;
    matrix.columns = covey_hybrid_dimension(made->hybrid);
    covey_cluster_options clustering = COVEY_CLUSTER_OPTIONS_INIT;
    clustering.min_cluster_size = 20;
    clustering.prediction = 1;
    status = covey_cluster_matrix(NULL, &matrix, &clustering, &made->clustering, error);
    if (status != COVEY_OK) return status;
    status = covey_clustering_labels(made->clustering, made->labels, SAMPLE_ROWS, error);
    if (status != COVEY_OK) return status;
    /* Of the third group half is known as fraud, of the others all as legitimate. */
    int8_t fraud[SAMPLE_ROWS];
    uint8_t target[SAMPLE_ROWS];
    for (int row = 0; row < SAMPLE_ROWS; row++) {
        fraud[row] = row % 3 == 2 ? (row % 2 ? COVEY_LABEL_FRAUD : COVEY_LABEL_UNKNOWN) : COVEY_LABEL_LEGITIMATE;
        target[row] = made->labels[row] == made->labels[2];
    }
    covey_risk_options risk = COVEY_RISK_OPTIONS_INIT;
    risk.min_lift = 2;
    status = covey_cluster_risk(NULL, made->labels, fraud, NULL, NULL, SAMPLE_ROWS, &risk, &made->risk, error);
    if (status != COVEY_OK) return status;
    made->rule_cluster = made->labels[2];
    status = covey_extract_rules(NULL, &sample->table, target, NULL, &made->rules, error);
    covey_engine_parts parts = COVEY_ENGINE_PARTS_INIT;
    parts.encoder = made->encoder;
    parts.hybrid = made->hybrid;
    parts.clustering = made->clustering;
    parts.risk = made->risk;
    parts.rules = (const covey_rules *const *)&made->rules;
    parts.rule_clusters = &made->rule_cluster;
    parts.rule_count = 1;
    made->parts = parts;
    return status;
}

static inline void drop_parts(sample_parts *made) {
    covey_encoder_destroy(made->encoder);
    covey_hybrid_destroy(made->hybrid);
    covey_clustering_destroy(made->clustering);
    covey_risk_destroy(made->risk);
    covey_rules_destroy(made->rules);
}

/* An engine whose parts are gone already. */
static inline covey_engine *make_engine(const engine_sample *sample) {
    static sample_parts made;
    covey_error *error = NULL;
    covey_engine *engine = NULL;
    memset(&made, 0, sizeof made);
    CHECK_OK(make_parts(&made, sample, &error));
    CHECK_OK(covey_engine_build(NULL, &made.parts, &engine, &error));
    drop_parts(&made);
    return engine;
}

#endif
