/* 7. The engine: everything that scores a transaction, in one file.
 *
 * Built here from the first 6,000 transactions, saved, loaded as a payment service would load it, and asked about
 * transactions that came later. `pipeline` does it with the whole sample.
 *
 *   07_engine [FOLDER] [FILE]      the folder of the sample and the file to write; default examples/data and
 *   ./shop-engine.safetensors,
 *                                  which is removed at the end */
#include "check.h"
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>

#define HISTORY 6000

int main(int argc, char **argv) {
    const char *folder = argc > 1 ? argv[1] : "examples/data", *file = argc > 2 ? argv[2] : "shop-engine.safetensors";
    char path[1024], name[64];
    covey_error *error = NULL;
    covey_encoder *encoder = NULL;
    covey_hybrid *hybrid = NULL;
    covey_clustering *clustering = NULL;
    covey_risk *risk = NULL;
    covey_rules *rules = NULL;
    covey_engine *engine = NULL, *loaded = NULL;
    covey_scores *scores = NULL;
    covey_hybrid_options hybrid_options = COVEY_HYBRID_OPTIONS_INIT;
    covey_cluster_options cluster_options = COVEY_CLUSTER_OPTIONS_INIT;
    covey_rules_options rules_options = COVEY_RULES_OPTIONS_INIT;
    covey_engine_parts parts = COVEY_ENGINE_PARTS_INIT;
    covey_cluster_report riskiest = COVEY_CLUSTER_REPORT_INIT;
    covey_matrix embeddings = COVEY_MATRIX_INIT, rows = COVEY_MATRIX_INIT;
    covey_sequences sequences;
    covey_table features;
    sample sample;
    int32_t *types = NULL, *labels = NULL;
    float *vectors = NULL, *hybrids = NULL;
    uint8_t *target = NULL;
    const covey_rules *rule_sets[1];
    int64_t i, r, d, columns, risky = 0, caught = 0;
    int failed = 1;

    if (!sample_read(folder, &sample)) goto done;
    if (sample.transactions <= HISTORY) goto done;
    features = sample_features(&sample, HISTORY);

    /* Stages 1 to 5, as in the programs before. */
    snprintf(path, sizeof path, "%s/shop.safetensors", folder);
    CHECK(covey_load_model(NULL, path, &encoder, &error));
    d = covey_encoder_dimension(encoder);
    types = malloc((size_t)sample.events * sizeof *types);
    labels = malloc(HISTORY * sizeof *labels);
    target = malloc(HISTORY);
    vectors = malloc((size_t)(HISTORY * d) * sizeof *vectors);
    if (types == NULL || labels == NULL || target == NULL || vectors == NULL) goto done;
    CHECK(sample_sequences(&sample, covey_encoder_vocabulary(encoder), HISTORY, types, &sequences, &error));
    CHECK(covey_embed_sequences(encoder, NULL, &sequences, vectors, 0, NULL, &error));

    embeddings.data = vectors;
    embeddings.rows = HISTORY;
    embeddings.columns = d;
    hybrid_options.clip = 3;
    CHECK(covey_hybrid_fit(NULL, &embeddings, &features, &hybrid_options, &hybrid, &error));
    columns = covey_hybrid_dimension(hybrid);
    hybrids = malloc((size_t)(HISTORY * columns) * sizeof *hybrids);
    if (hybrids == NULL) goto done;
    CHECK(covey_hybrid_transform(hybrid, NULL, &embeddings, &features, hybrids, 0, &error));

    rows.data = hybrids;
    rows.rows = HISTORY;
    rows.columns = columns;
    cluster_options.min_cluster_size = 8;
    cluster_options.min_samples = 4;
    cluster_options.selection = COVEY_SELECTION_LEAF;
    cluster_options.prediction = 1; /* An engine needs it. */
    CHECK(covey_cluster_matrix(NULL, &rows, &cluster_options, &clustering, &error));
    CHECK(covey_clustering_labels(clustering, labels, HISTORY, &error));
    CHECK(covey_cluster_risk(NULL, labels, sample.label, sample_numbers(&sample, "amount"), sample.time, HISTORY, NULL,
                             &risk, &error));

    /* Stage 6 for the riskiest cluster. */
    CHECK(covey_risk_get(risk, 0, &riskiest, &error));
    for (i = 0; i < HISTORY; i++) target[i] = labels[i] == riskiest.cluster;
    snprintf(name, sizeof name, "cluster %lld", (long long)riskiest.cluster);
    rules_options.min_support = 5;
    rules_options.target_name = name;
    CHECK(covey_extract_rules(NULL, &features, target, &rules_options, &rules, &error));

    /* Build, save, load. */
    rule_sets[0] = rules;
    parts.encoder = encoder;
    parts.hybrid = hybrid;
    parts.clustering = clustering;
    parts.risk = risk;
    parts.rules = rule_sets;
    parts.rule_clusters = &riskiest.cluster;
    parts.rule_count = 1;
    CHECK(covey_engine_build(NULL, &parts, &engine, &error));
    CHECK(covey_engine_save(engine, NULL, file, &error));
    CHECK(covey_engine_load(NULL, file, &loaded, &error));
    printf("%s: an engine of %d transactions in %lld clusters; it needs %lld features:", file, HISTORY,
           (long long)covey_clustering_clusters(clustering), (long long)covey_engine_feature_count(loaded));
    for (i = 0; i < covey_engine_feature_count(loaded); i++) printf(" %s", covey_engine_feature_name(loaded, i));
    printf("\n\n");

    /* Score everything, the later transactions too. Any number of threads may do this with one engine. */
    CHECK(sample_sequences(&sample, covey_encoder_vocabulary(covey_engine_encoder(loaded)), sample.transactions, types,
                           &sequences, &error));
    CHECK(covey_engine_score(loaded, NULL, &sequences, &sample.features, &scores, &error));
    for (i = HISTORY; i < covey_scores_count(scores); i++) {
        covey_score score = COVEY_SCORE_INIT;
        CHECK(covey_scores_get(scores, i, &score, &error));
        if (!score.risky) continue;
        risky++;
        caught += sample.fraud[i];
        if (risky > 3) continue;
        printf("transaction %lld: risk %.2f, cluster %lld, strength %.2f\n", (long long)i, score.risk,
               (long long)score.cluster, score.strength);
        for (r = 0; r < score.reason_count; r++) printf("  reason: %s\n", covey_scores_reason(scores, i, r));
        for (r = 0; r < score.rule_count; r++)
            printf("  fires:  a rule of cluster %lld\n", (long long)covey_scores_rule_cluster(scores, i, r));
        printf("\n");
    }
    printf("Of the %lld later transactions the engine calls %lld risky; %lld of them are fraud, as the truth says.\n",
           (long long)(sample.transactions - HISTORY), (long long)risky, (long long)caught);
    if (argc <= 2) remove(file);
    failed = 0;
    goto done;

failed:
    fprintf(stderr, "%s\n", covey_error_message(error));
done:
    covey_error_destroy(error);
    covey_scores_destroy(scores);
    covey_engine_destroy(loaded);
    covey_engine_destroy(engine);
    covey_rules_destroy(rules);
    covey_risk_destroy(risk);
    covey_clustering_destroy(clustering);
    covey_hybrid_destroy(hybrid);
    covey_encoder_destroy(encoder);
    free(types);
    free(labels);
    free(target);
    free(vectors);
    free(hybrids);
    sample_free(&sample);
    return failed;
}
