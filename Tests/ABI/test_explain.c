/* Section 11: explanations, against embeddings and distances that are computed here, one changed transaction at a
   time. */
#include "engine_sample.h"

static engine_sample sample;
static sample_parts made;

/* The hybrid row of a transaction with some of its events; `left_out` is a place in the sequence or -1. */
static void row_of(int transaction, int64_t left_out, float *row) {
    int64_t first = sample.offsets[transaction], end = sample.offsets[transaction + 1];
    int32_t types[SAMPLE_EVENTS], codes[SAMPLE_EVENTS];
    double times[SAMPLE_EVENTS], dwell[SAMPLE_EVENTS], numbers[SAMPLE_EVENTS];
    int64_t offsets[2] = {0, 0};
    for (int64_t place = first; place < end; place++) {
        if (place - first == left_out) continue;
        int64_t to = offsets[1]++;
        types[to] = sample.types[place];
        times[to] = sample.times[place];
        dwell[to] = sample.dwell[place];
        numbers[to] = sample.numbers[place];
        codes[to] = sample.codes[place];
    }
    covey_channel numeric[2] = {{numbers, 0}, {numbers, 0}}, categorical[2] = {{codes, 0}, {codes, 0}};
    covey_sequences sequences = COVEY_SEQUENCES_INIT;
    sequences.count = 1;
    sequences.offsets = offsets;
    sequences.types = types;
    sequences.times = times;
    sequences.dwell = dwell;
    sequences.numeric = numeric;
    sequences.numeric_count = 2;
    sequences.categorical = categorical;
    sequences.categorical_count = 2;
    float embedding[MODEL_DIMENSION];
    covey_error *error = NULL;
    CHECK_OK(covey_embed_sequences(made.encoder, NULL, &sequences, embedding, 0, NULL, &error));
    covey_matrix matrix = COVEY_MATRIX_INIT;
    matrix.data = embedding;
    matrix.rows = 1;
    matrix.columns = MODEL_DIMENSION;
    covey_column columns[2] = {sample.columns[0], sample.columns[1]};
    columns[0].values = sample.amounts + transaction;
    columns[1].values = sample.countries + transaction;
    covey_table table = sample.table;
    table.rows = 1;
    table.columns = columns;
    CHECK_OK(covey_hybrid_transform(made.hybrid, NULL, &matrix, &table, row, 0, &error));
}

static double distance(const float *left, const float *right, int64_t columns) {
    double sum = 0;
    for (int64_t i = 0; i < columns; i++) sum += ((double)left[i] - right[i]) * ((double)left[i] - right[i]);
    return sqrt(sum);
}

static void test_occlusion(const covey_engine *engine) {
    covey_error *error = NULL;
    covey_explanations *found = NULL;
    covey_explain_options options = COVEY_EXPLAIN_OPTIONS_INIT;
    options.method = COVEY_ATTRIBUTION_OCCLUSION;
    options.explained = COVEY_EXPLAINED_EXEMPLAR;
    CHECK_OK(covey_engine_explain(engine, NULL, &sample.sequences, &sample.table, &options, &found, &error));
    CHECK(covey_explanations_count(found) == SAMPLE_ROWS);
    int64_t columns = covey_hybrid_dimension(made.hybrid);
    for (int transaction = 0; transaction < SAMPLE_ROWS; transaction++) {
        covey_explanation told = COVEY_EXPLANATION_INIT;
        double attributions[SAMPLE_EVENTS], errors[SAMPLE_EVENTS];
        float own[64], exemplar[64], without[64];
        CHECK_OK(covey_explanations_get(found, transaction, &told, &error));
        CHECK_OK(covey_explanations_events(found, transaction, attributions, errors, SAMPLE_EVENTS, &error));
        CHECK(told.cluster == made.labels[transaction] || made.labels[transaction] < 0);
        CHECK(told.events == sample.offsets[transaction + 1] - sample.offsets[transaction] &&
              told.parts == told.events);
        CHECK(told.method == COVEY_ATTRIBUTION_OCCLUSION && told.explained == COVEY_EXPLAINED_EXEMPLAR);
        CHECK(told.features == 2 && told.steps == 0 && made.labels[told.exemplar] == told.cluster);
        row_of(transaction, -1, own);
        row_of((int)told.exemplar, -1, exemplar);
        double whole = distance(own, exemplar, columns), sum = 0;
        CHECK(fabs(told.value - whole) < 1e-5);
        for (int64_t event = 0; event < told.events; event++) {
            row_of(transaction, event, without);
            CHECK(fabs(attributions[event] - (whole - distance(without, exemplar, columns))) < 1e-5);
            CHECK(isnan(errors[event]));
            sum += attributions[event];
        }
        CHECK(fabs(told.residual - (told.value - told.base - sum)) < 1e-9);
        CHECK(told.comprehensiveness >= 0 && told.sufficiency >= 0 && told.difference >= 0 && told.preservation >= 0);
    }
    covey_explanations_destroy(found);
}

static void test_methods_add_up(const covey_engine *engine) {
    const int32_t methods[2] = {COVEY_ATTRIBUTION_SHAPLEY, COVEY_ATTRIBUTION_GRADIENTS};
    const int32_t explained[2] = {COVEY_EXPLAINED_CENTRE, COVEY_EXPLAINED_CONTRAST};
    for (int each = 0; each < 4; each++) {
        int method = each % 2;
        covey_error *error = NULL;
        covey_explanations *found = NULL;
        covey_explain_options options = COVEY_EXPLAIN_OPTIONS_INIT;
        options.method = methods[method];
        options.explained = explained[each / 2];
        options.cluster = 1;
        options.features = options.faithfulness = 0;
        CHECK_OK(covey_engine_explain(engine, NULL, &sample.sequences, &sample.table, &options, &found, &error));
        for (int transaction = 0; transaction < SAMPLE_ROWS; transaction++) {
            covey_explanation told = COVEY_EXPLANATION_INIT;
            CHECK_OK(covey_explanations_get(found, transaction, &told, &error));
            double allowed = method == 0 ? 1e-9 : 0.01 * fabs(told.value - told.base) + 1e-4;
            CHECK(fabs(told.residual) <= allowed);
            CHECK(told.cluster == 1 && told.exemplar == -1 && told.features == 0 && isnan(told.sufficiency));
        }
        covey_explanations_destroy(found);
    }
}

int main(void) {
    covey_error *error = NULL;
    covey_engine *engine = NULL;
    make_sample(&sample, 1);
    CHECK_OK(make_parts(&made, &sample, &error));
    CHECK_OK(covey_engine_build(NULL, &made.parts, &engine, &error));
    test_occlusion(engine);
    test_methods_add_up(engine);
    CHECK(covey_explanations_count(NULL) == 0);
    covey_explanations_destroy(NULL);
    covey_engine_destroy(engine);
    drop_parts(&made);
    return finish();
}
