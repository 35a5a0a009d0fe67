/* What an engine says of its clusters and of transactions: profiles, explanations and counterfactuals. */
#include "counterfactual_sample.h"
#include "operations.h"

covey_status use_profiles(const guest *guest, covey_context *context, int number, digest *sum, covey_error **error) {
    (void)number;
    covey_status status = COVEY_OK;
    covey_buffer *text = NULL;
    for (int64_t cluster = 0; cluster < covey_clustering_clusters(guest->made.clustering); cluster++) {
        RUN(covey_engine_profile(guest->engine, context, cluster, &text, error));
        *sum = add_text(*sum, covey_buffer_data(text));
        covey_buffer_destroy(text);
        text = NULL;
    }
done:
    covey_buffer_destroy(text);
    return status;
}

covey_status use_explanations(const guest *guest, covey_context *context, int number, digest *sum,
                              covey_error **error) {
    (void)number;
    const int32_t ways[][2] = {{COVEY_EXPLAINED_CONTRAST, COVEY_ATTRIBUTION_GRADIENTS},
                               {COVEY_EXPLAINED_EXEMPLAR, COVEY_ATTRIBUTION_OCCLUSION},
                               {COVEY_EXPLAINED_RISK, COVEY_ATTRIBUTION_SHAPLEY}};
    one_transaction one;
    take_transaction(&one, &guest->sample, RISKY_ROW);
    covey_status status = COVEY_OK;
    covey_explanations *found = NULL;
    for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
        covey_explain_options options = COVEY_EXPLAIN_OPTIONS_INIT;
        covey_explanation told = COVEY_EXPLANATION_INIT;
        double numbers[SAMPLE_EVENTS];
        options.explained = ways[way][0];
        options.method = ways[way][1];
        options.permutations = 4;
        RUN(covey_engine_explain(guest->engine, context, &one.sequences, &one.table, &options, &found, error));
        RUN(covey_explanations_get(found, 0, &told, error));
        RUN(covey_explanations_events(found, 0, numbers, NULL, SAMPLE_EVENTS, error));
        *sum = add(add(*sum, &told, sizeof told), numbers, sizeof *numbers * (size_t)told.events);
        RUN(covey_explanations_features(found, 0, numbers, SAMPLE_EVENTS, error));
        *sum = add(*sum, numbers, sizeof *numbers * (size_t)told.features);
        covey_explanations_destroy(found);
        found = NULL;
    }
done:
    covey_explanations_destroy(found);
    return status;
}

covey_status use_counterfactuals(const guest *guest, covey_context *context, int number, digest *sum,
                                 covey_error **error) {
    (void)number;
    one_transaction one;
    take_transaction(&one, &guest->sample, RISKY_ROW);
    covey_status status = COVEY_OK;
    covey_counterfactuals *found = NULL;
    /* Without other events the transaction stays in its cluster. */
    covey_counterfactual_options options = COVEY_COUNTERFACTUAL_OPTIONS_INIT;
    options.max_removed = SAMPLE_EVENTS;
    RUN(covey_counterfactuals_find(guest->engine, context, &one.sequences, &one.table, &options, &found, error));
    if (covey_counterfactuals_count(found) == 0) status = COVEY_INTERNAL;
    for (int64_t answer = 0; answer < covey_counterfactuals_count(found); answer++) {
        covey_counterfactual told = COVEY_COUNTERFACTUAL_INIT;
        RUN(covey_counterfactuals_get(found, answer, &told, error));
        *sum = add_text(add(*sum, &told, sizeof told), covey_counterfactuals_text(found, answer));
    }
done:
    covey_counterfactuals_destroy(found);
    return status;
}
