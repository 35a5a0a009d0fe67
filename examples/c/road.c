#include "road.h"

#include "check.h"
#include "terminal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The seconds since the last call; 0 the first time. */
static double lap(double *since) {
    double now = seconds_now(), passed = now - *since;
    *since = now;
    return passed;
}

static void *numbers(int64_t count, size_t size) { return calloc((size_t)count + 1, size); }

/* Steps 1 and 2: from click streams to vectors. */
static covey_status embed(road *road, const char *folder, double *clock, covey_error **error) {
    const sample *sample = &road->sample;
    char path[1024];
    covey_status status;
    snprintf(path, sizeof path, "%s/shop.safetensors", folder);
    status = covey_load_model(NULL, path, &road->encoder, error);
    if (status != COVEY_OK) return status;
    road->times.load = lap(clock);

    road->dimension = covey_encoder_dimension(road->encoder);
    road->types = numbers(sample->events, sizeof(int32_t));
    road->attention = numbers(sample->events, sizeof(float));
    road->embeddings = numbers(sample->transactions * road->dimension, sizeof(float));
    if (!road->types || !road->attention || !road->embeddings) return COVEY_OUT_OF_MEMORY;
    status = sample_sequences(sample, covey_encoder_vocabulary(road->encoder), sample->transactions, road->types,
                              &road->sequences, error);
    if (status != COVEY_OK) return status;
    status = covey_embed_sequences(road->encoder, NULL, &road->sequences, road->embeddings, 0, road->attention, error);
    road->times.embed = lap(clock);
    return status;
}

/* All in one call: the transactions that are likely to be fraud, by what is known so far. */
static covey_status find(road *road, double *clock, covey_error **error) {
    const sample *sample = &road->sample;
    int64_t n = sample->transactions;
    covey_status status =
        covey_find(NULL, &road->sequences, NULL, &sample->features, sample->label, sample_numbers(sample, "amount"),
                   sample->time, n, road->encoder, NULL, &road->found, error);
    if (status != COVEY_OK) return status;
    road->groups = numbers(n, sizeof(int32_t));
    road->risks = numbers(n, sizeof(double));
    if (!road->groups || !road->risks) return COVEY_OUT_OF_MEMORY;
    status = covey_found_row_groups(road->found, road->groups, n, error);
    if (status == COVEY_OK) status = covey_found_scores(road->found, road->risks, n, error);
    road->times.find = lap(clock);
    return status;
}

/* Steps 3 and 4: beside the expert features. */
static covey_status join(road *road, double *clock, covey_error **error) {
    covey_hybrid_options options = COVEY_HYBRID_OPTIONS_INIT;
    covey_matrix embeddings = COVEY_MATRIX_INIT;
    covey_status status;
    embeddings.data = road->embeddings;
    embeddings.rows = road->sample.transactions;
    embeddings.columns = road->dimension;
    options.embedding_weight = 1.5;
    options.clip = 3;
    status = covey_hybrid_fit(NULL, &embeddings, &road->sample.features, &options, &road->hybrid, error);
    if (status != COVEY_OK) return status;
    road->columns = covey_hybrid_dimension(road->hybrid);
    road->hybrids = numbers(embeddings.rows * road->columns, sizeof(float));
    if (!road->hybrids) return COVEY_OUT_OF_MEMORY;
    status = covey_hybrid_transform(road->hybrid, NULL, &embeddings, &road->sample.features, road->hybrids, 0, error);
    road->times.hybrid = lap(clock);
    return status;
}

/* Step 5: clusters. */
static covey_status cluster(road *road, double *clock, covey_error **error) {
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    covey_matrix rows = COVEY_MATRIX_INIT;
    covey_status status;
    int64_t n = road->sample.transactions;
    rows.data = road->hybrids;
    rows.rows = n;
    rows.columns = road->columns;
    options.min_cluster_size = 12;
    options.min_samples = 5;
    options.selection = COVEY_SELECTION_LEAF; /* Rings are small; excess of mass would keep them in the crowd. */
    options.prediction = 1;
    road->labels = numbers(n, sizeof(int32_t));
    road->probabilities = numbers(n, sizeof(double));
    if (!road->labels || !road->probabilities) return COVEY_OUT_OF_MEMORY;
    status = covey_cluster_matrix(NULL, &rows, &options, &road->clustering, error);
    if (status == COVEY_OK) status = covey_clustering_labels(road->clustering, road->labels, n, error);
    if (status == COVEY_OK) status = covey_clustering_probabilities(road->clustering, road->probabilities, n, error);
    road->times.cluster = lap(clock);
    return status;
}

/* Step 6: how risky they are. */
static covey_status rate(road *road, double *clock, covey_error **error) {
    const sample *sample = &road->sample;
    int64_t rank;
    covey_status status = covey_cluster_risk(NULL, road->labels, sample->label, sample_numbers(sample, "amount"),
                                             sample->time, sample->transactions, NULL, &road->risk, error);
    if (status != COVEY_OK) return status;
    road->rule_clusters = numbers(covey_risk_count(road->risk), sizeof(int64_t));
    if (!road->rule_clusters) return COVEY_OUT_OF_MEMORY;
    for (rank = 0; rank < covey_risk_count(road->risk); rank++) {
        covey_cluster_report report = COVEY_CLUSTER_REPORT_INIT;
        status = covey_risk_get(road->risk, rank, &report, error);
        if (status != COVEY_OK) return status;
        if (report.risky) road->rule_clusters[road->risky++] = report.cluster;
    }
    road->times.risk = lap(clock);
    return COVEY_OK;
}

/* Step 7: rules for each risky cluster. */
static covey_status describe(road *road, double *clock, covey_error **error) {
    const sample *sample = &road->sample;
    covey_status status = COVEY_OK;
    uint8_t *target = numbers(sample->transactions, 1);
    int64_t r, i;
    road->rules = numbers(road->risky, sizeof *road->rules);
    if (!target || !road->rules) status = COVEY_OUT_OF_MEMORY;
    for (r = 0; r < road->risky && status == COVEY_OK; r++) {
        covey_rules_options options = COVEY_RULES_OPTIONS_INIT;
        char name[32];
        snprintf(name, sizeof name, "cluster %lld", (long long)road->rule_clusters[r]);
        options.min_support = 5;
        options.times = sample->time;
        options.target_name = name;
        for (i = 0; i < sample->transactions; i++) target[i] = road->labels[i] == road->rule_clusters[r];
        status = covey_extract_rules(NULL, &sample->features, target, &options, &road->rules[r], error);
    }
    free(target);
    road->times.rules = lap(clock);
    return status;
}

/* Steps 8 and 9: the engine, and what it says. */
static covey_status score(road *road, double *clock, covey_error **error) {
    covey_engine_parts parts = COVEY_ENGINE_PARTS_INIT;
    covey_sequences sequences = road->sequences;
    covey_table features;
    covey_status status;
    sequences.count = sequences.count < ROAD_SCORED ? sequences.count : ROAD_SCORED;
    features = sample_features(&road->sample, sequences.count);
    parts.encoder = road->encoder;
    parts.hybrid = road->hybrid;
    parts.clustering = road->clustering;
    parts.risk = road->risk;
    parts.rules = (const covey_rules *const *)road->rules;
    parts.rule_clusters = road->rule_clusters;
    parts.rule_count = road->risky;
    status = covey_engine_build(NULL, &parts, &road->engine, error);
    road->times.engine = lap(clock);
    if (status != COVEY_OK) return status;
    status = covey_engine_score(road->engine, NULL, &sequences, &features, &road->scores, error);
    road->times.score = lap(clock);
    return status;
}

int road_walk(const char *folder, road *road) {
    covey_error *error = NULL;
    covey_status status;
    double clock;
    memset(road, 0, sizeof *road);
    if (!sample_read(folder, &road->sample)) return 0;
    clock = seconds_now();
    status = embed(road, folder, &clock, &error);
    if (status == COVEY_OK) status = find(road, &clock, &error);
    if (status == COVEY_OK) status = join(road, &clock, &error);
    if (status == COVEY_OK) status = cluster(road, &clock, &error);
    if (status == COVEY_OK) status = rate(road, &clock, &error);
    if (status == COVEY_OK) status = describe(road, &clock, &error);
    if (status == COVEY_OK) status = score(road, &clock, &error);
    if (status == COVEY_OK) return 1;
    fprintf(stderr, "%s: %s\n", covey_status_name(status), error ? covey_error_message(error) : "not enough memory");
    covey_error_destroy(error);
    return 0;
}

void road_free(road *road) {
    int64_t r;
    covey_scores_destroy(road->scores);
    covey_engine_destroy(road->engine);
    for (r = 0; road->rules != NULL && r < road->risky; r++) covey_rules_destroy(road->rules[r]);
    free((void *)road->rules);
    free(road->rule_clusters);
    covey_risk_destroy(road->risk);
    covey_clustering_destroy(road->clustering);
    covey_hybrid_destroy(road->hybrid);
    covey_found_destroy(road->found);
    covey_encoder_destroy(road->encoder);
    free(road->types);
    free(road->embeddings);
    free(road->attention);
    free(road->hybrids);
    free(road->groups);
    free(road->risks);
    free(road->labels);
    free(road->probabilities);
    sample_free(&road->sample);
    memset(road, 0, sizeof *road);
}

/* ------------------------------------------------------------------------------------------------ what is compared */

static int write_file(const char *folder, const char *name, const void *bytes, size_t count) {
    char path[1024];
    FILE *file;
    int written;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "wb");
    written = file != NULL && fwrite(bytes, 1, count, file) == count;
    if (file != NULL && fclose(file) != 0) written = 0;
    if (!written) fprintf(stderr, "%s: %s\n", path, strerror(errno));
    return written;
}

/* The rule sets as JSON, each followed by a line feed. */
static char *rules_text(const road *road, size_t *length, covey_error **error) {
    char *text = malloc(1);
    int64_t r;
    *length = 0;
    for (r = 0; r < road->risky && text != NULL; r++) {
        covey_buffer *json;
        char *longer;
        size_t bytes;
        if (covey_rules_export(road->rules[r], NULL, COVEY_RULES_JSON, NULL, &json, error) != COVEY_OK) {
            free(text);
            return NULL;
        }
        bytes = (size_t)covey_buffer_size(json);
        longer = realloc(text, *length + bytes + 1);
        if (longer == NULL) {
            covey_buffer_destroy(json);
            free(text);
            return NULL;
        }
        text = longer;
        memcpy(text + *length, covey_buffer_data(json), bytes);
        covey_buffer_destroy(json);
        text[*length + bytes] = '\n';
        *length += bytes + 1;
    }
    return text;
}

int road_write(const road *road, const char *folder) {
    covey_error *error = NULL;
    int64_t n = road->sample.transactions, count = covey_scores_count(road->scores), i;
    double *outliers = numbers(n, sizeof(double)), *scores = numbers(3 * count, sizeof(double));
    char *rules = NULL, path[1024];
    size_t rules_length;
    int written = 0;
    if (outliers == NULL || scores == NULL) goto failed;
    CHECK(covey_clustering_outlier_scores(road->clustering, outliers, n, &error));
    for (i = 0; i < count; i++) {
        covey_score score = COVEY_SCORE_INIT;
        CHECK(covey_scores_get(road->scores, i, &score, &error));
        scores[3 * i] = (double)score.cluster;
        scores[3 * i + 1] = score.strength;
        scores[3 * i + 2] = score.risk;
    }
    rules = rules_text(road, &rules_length, &error);
    if (rules == NULL) goto failed;
    snprintf(path, sizeof path, "%s/engine.safetensors", folder);
    CHECK(covey_engine_save(road->engine, NULL, path, &error));
    snprintf(path, sizeof path, "%s/found.engine.safetensors", folder);
    CHECK(covey_engine_save(covey_found_engine(road->found), NULL, path, &error));
    written = write_file(folder, "embeddings.f32", road->embeddings, (size_t)(n * road->dimension) * sizeof(float)) &&
              write_file(folder, "hybrid.f32", road->hybrids, (size_t)(n * road->columns) * sizeof(float)) &&
              write_file(folder, "labels.i32", road->labels, (size_t)n * sizeof(int32_t)) &&
              write_file(folder, "probabilities.f64", road->probabilities, (size_t)n * sizeof(double)) &&
              write_file(folder, "outlier_scores.f64", outliers, (size_t)n * sizeof(double)) &&
              write_file(folder, "found_groups.i32", road->groups, (size_t)n * sizeof(int32_t)) &&
              write_file(folder, "found_scores.f64", road->risks, (size_t)n * sizeof(double)) &&
              write_file(folder, "rules.json", rules, rules_length) &&
              write_file(folder, "scores.f64", scores, (size_t)(3 * count) * sizeof(double));
    goto done;

failed:
    fprintf(stderr, "%s\n", error ? covey_error_message(error) : "not enough memory");
done:
    covey_error_destroy(error);
    free(outliers);
    free(scores);
    free(rules);
    return written;
}
