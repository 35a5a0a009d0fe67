/* One transaction of the sample, which is risky, as the input of a search for counterfactuals. */
#ifndef COUNTERFACTUAL_SAMPLE_H
#define COUNTERFACTUAL_SAMPLE_H

#include "engine_sample.h"

#define RISKY_ROW 2

typedef struct one_transaction {
    int64_t offsets[2];
    covey_column columns[2];
    covey_sequences sequences;
    covey_table table;
} one_transaction;

static inline void take_transaction(one_transaction *one, const engine_sample *sample, int row) {
    one->offsets[0] = sample->offsets[row];
    one->offsets[1] = sample->offsets[row + 1];
    one->columns[0] = sample->columns[0];
    one->columns[1] = sample->columns[1];
    one->columns[0].values = sample->amounts + row;
    one->columns[1].values = sample->countries + row;
    one->sequences = sample->sequences;
    one->sequences.count = 1;
    one->sequences.offsets = one->offsets;
    one->table = sample->table;
    one->table.rows = 1;
    one->table.columns = one->columns;
}

/* An engine of the sample in which features weigh more than events: their change alone takes a row out of its
   cluster. */
static inline covey_engine *make_feature_engine(const engine_sample *sample) {
    static sample_parts made;
    static float rows[SAMPLE_ROWS * 64];
    covey_error *error = NULL;
    covey_engine *engine = NULL;
    memset(&made, 0, sizeof made);
    CHECK_OK(make_parts(&made, sample, &error));
    covey_hybrid_destroy(made.hybrid);
    covey_clustering_destroy(made.clustering);
    covey_risk_destroy(made.risk);
    covey_matrix matrix = COVEY_MATRIX_INIT;
    matrix.data = made.embeddings;
    matrix.rows = SAMPLE_ROWS;
    matrix.columns = MODEL_DIMENSION;
    covey_hybrid_options hybrid = COVEY_HYBRID_OPTIONS_INIT;
    hybrid.embedding_weight = 0.02;
    CHECK_OK(covey_hybrid_fit(NULL, &matrix, &sample->table, &hybrid, &made.hybrid, &error));
    CHECK_OK(covey_hybrid_transform(made.hybrid, NULL, &matrix, &sample->table, rows, 0, &error));
    matrix.data = rows;
    matrix.columns = covey_hybrid_dimension(made.hybrid);
    covey_cluster_options clustering = COVEY_CLUSTER_OPTIONS_INIT;
    clustering.min_cluster_size = 20;
    clustering.prediction = 1;
    CHECK_OK(covey_cluster_matrix(NULL, &matrix, &clustering, &made.clustering, &error));
    CHECK_OK(covey_clustering_labels(made.clustering, made.labels, SAMPLE_ROWS, &error));
    int8_t fraud[SAMPLE_ROWS];
    for (int row = 0; row < SAMPLE_ROWS; row++)
        fraud[row] = row % 3 == 2 ? (row % 2 ? COVEY_LABEL_FRAUD : COVEY_LABEL_UNKNOWN) : COVEY_LABEL_LEGITIMATE;
    covey_risk_options risk = COVEY_RISK_OPTIONS_INIT;
    risk.min_lift = 2;
    CHECK_OK(covey_cluster_risk(NULL, made.labels, fraud, NULL, NULL, SAMPLE_ROWS, &risk, &made.risk, &error));
    made.rule_cluster = made.labels[2];
    made.parts.hybrid = made.hybrid;
    made.parts.clustering = made.clustering;
    made.parts.risk = made.risk;
    CHECK_OK(covey_engine_build(NULL, &made.parts, &engine, &error));
    drop_parts(&made);
    return engine;
}

#endif
