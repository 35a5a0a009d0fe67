/* Section 11 of covey.h: the engine and its scores. */
#include "files.h"

#include <string.h>

JNIEXPORT jlong JNICALL Java_covey_Native_engineBuild(JNIEnv *env, jclass class, jlong context, jlong encoder,
                                                      jlong hybrid, jlong clustering, jlong risk, jlongArray rules,
                                                      jlongArray rule_clusters) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_engine *engine = NULL;
    int64_t count = (*env)->GetArrayLength(env, rules);
    const int64_t *handles = numbers(&memory, rules, NUMBER_I64, 0, count);
    const int64_t *clusters = handles ? numbers(&memory, rule_clusters, NUMBER_I64, 0, count) : NULL;
    const covey_rules **sets = clusters ? arena_allocate(&memory, count, sizeof *sets) : NULL;
    if (sets) {
        for (int64_t index = 0; index < count; ++index) sets[index] = POINTER(covey_rules, handles[index]);
        covey_engine_parts parts = COVEY_ENGINE_PARTS_INIT;
        parts.encoder = POINTER(covey_encoder, encoder);
        parts.hybrid = POINTER(covey_hybrid, hybrid);
        parts.clustering = POINTER(covey_clustering, clustering);
        parts.risk = POINTER(covey_risk, risk);
        parts.rules = sets;
        parts.rule_clusters = clusters;
        parts.rule_count = count;
        covey_error *error = NULL;
        covey_status status = covey_engine_build(context_of(context), &parts, &engine, &error);
        succeeded(env, status, error);
    }
    arena_end(&memory);
    return HANDLE(engine);
}

SAVES(engine, covey_engine_save)
LOADS(engine, covey_engine_load, covey_engine_destroy)

/* Borrowed: Java keeps the engine alive as long as the encoder is. */
JNIEXPORT jlong JNICALL Java_covey_Native_engineEncoder(JNIEnv *env, jclass class, jlong engine) {
    (void)env, (void)class;
    return HANDLE(covey_engine_encoder(POINTER(covey_engine, engine)));
}

JNIEXPORT jlong JNICALL Java_covey_Native_engineFeatureCount(JNIEnv *env, jclass class, jlong engine) {
    (void)env, (void)class;
    return covey_engine_feature_count(POINTER(covey_engine, engine));
}

JNIEXPORT jbyteArray JNICALL Java_covey_Native_engineFeatureName(JNIEnv *env, jclass class, jlong engine,
                                                                 jlong feature) {
    (void)class;
    return utf8(env, covey_engine_feature_name(POINTER(covey_engine, engine), feature));
}

JNIEXPORT jint JNICALL Java_covey_Native_engineFeatureKind(JNIEnv *env, jclass class, jlong engine, jlong feature) {
    (void)env, (void)class;
    return covey_engine_feature_kind(POINTER(covey_engine, engine), feature);
}

JNIEXPORT jlong JNICALL Java_covey_Native_engineFeatureIndex(JNIEnv *env, jclass class, jlong engine, jbyteArray name) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    const char *utf8 = text(&memory, name);
    int64_t index = utf8 ? covey_engine_feature_index(POINTER(covey_engine, engine), utf8) : -1;
    arena_end(&memory);
    return index;
}

JNIEXPORT jlong JNICALL Java_covey_Native_engineScore(JNIEnv *env, jclass class, jlong engine, jlong context,
                                                      jobject sequences, jobject features, jint bad_rows,
                                                      jlong max_events, jdouble seconds) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    arena_deadline(&memory, seconds);
    covey_score_options options = COVEY_SCORE_OPTIONS_INIT;
    options.bad_rows = bad_rows;
    options.max_events = max_events;
    covey_scores *scores = NULL;
    covey_sequences sequences_view;
    covey_table table_view;
    const covey_sequences *batch;
    const covey_table *table;
    if (read_sequences(&memory, sequences, &sequences_view, &batch) &&
        read_table(&memory, features, &table_view, &table) &&
        (options.seconds = memory.deadline ? arena_seconds_left(&memory) : seconds, !(*env)->ExceptionCheck(env))) {
        covey_error *error = NULL;
        covey_status status = covey_engine_score_with(POINTER(covey_engine, engine), context_of(context), batch, table,
                                                      &options, &scores, &error);
        if (!succeeded(env, status, error)) {
            covey_scores_destroy(scores);
            scores = NULL;
        }
    }
    arena_end(&memory);
    return HANDLE(scores);
}

JNIEXPORT void JNICALL Java_covey_Native_engineDestroy(JNIEnv *env, jclass class, jlong engine) {
    (void)env, (void)class;
    covey_engine_destroy(POINTER(covey_engine, engine));
}

JNIEXPORT jlong JNICALL Java_covey_Native_scoresCount(JNIEnv *env, jclass class, jlong scores) {
    (void)env, (void)class;
    return covey_scores_count(POINTER(covey_scores, scores));
}

JNIEXPORT jint JNICALL Java_covey_Native_scoresStatus(JNIEnv *env, jclass class, jlong scores, jlong transaction) {
    (void)env, (void)class;
    return covey_scores_status(POINTER(covey_scores, scores), transaction);
}

JNIEXPORT jbyteArray JNICALL Java_covey_Native_scoresMessage(JNIEnv *env, jclass class, jlong scores,
                                                             jlong transaction) {
    (void)class;
    return utf8(env, covey_scores_message(POINTER(covey_scores, scores), transaction));
}

JNIEXPORT void JNICALL Java_covey_Native_scoresGet(JNIEnv *env, jclass class, jlong scores, jlong transaction,
                                                   jlongArray integers, jdoubleArray reals) {
    (void)class;
    covey_score score = COVEY_SCORE_INIT;
    covey_error *error = NULL;
    covey_status status = covey_scores_get(POINTER(covey_scores, scores), transaction, &score, &error);
    if (!succeeded(env, status, error)) return;
    store_score(env, &score, integers, reals);
}

int store_score(JNIEnv *env, const covey_score *score, jlongArray integers, jdoubleArray reals) {
    const jlong whole[] = {score->cluster,      score->risky,        score->rule_count,
                           score->reason_count, score->has_evidence, score->has_evidence ? score->group : -1};
    jdouble real[7] = {score->strength, score->risk};
    memcpy(real + 2, score->evidence, sizeof score->evidence);
    return store(env, integers, whole, 6, reals, real, 7);
}

/* One figure of every transaction: 0 cluster, 1 strength, 2 risk. */
JNIEXPORT void JNICALL Java_covey_Native_scoresColumn(JNIEnv *env, jclass class, jlong scores, jint which,
                                                      jdoubleArray result) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    int64_t count = (*env)->GetArrayLength(env, result);
    double *values = arena_allocate(&memory, count, sizeof *values);
    for (int64_t index = 0; values && index < count; ++index) {
        covey_score score = COVEY_SCORE_INIT;
        covey_error *error = NULL;
        covey_status status = covey_scores_get(POINTER(covey_scores, scores), index, &score, &error);
        if (!succeeded(env, status, error)) {
            values = NULL;
            break;
        }
        values[index] = which == 0 ? (double)score.cluster : which == 1 ? score.strength : score.risk;
    }
    if (values) write_back(&memory, result, NUMBER_F64, values, count);
    arena_end(&memory);
}

JNIEXPORT jbyteArray JNICALL Java_covey_Native_scoresRule(JNIEnv *env, jclass class, jlong scores, jlong transaction,
                                                          jlong index) {
    (void)class;
    return utf8(env, covey_scores_rule(POINTER(covey_scores, scores), transaction, index));
}

JNIEXPORT jlong JNICALL Java_covey_Native_scoresRuleCluster(JNIEnv *env, jclass class, jlong scores, jlong transaction,
                                                            jlong index) {
    (void)env, (void)class;
    return covey_scores_rule_cluster(POINTER(covey_scores, scores), transaction, index);
}

JNIEXPORT jbyteArray JNICALL Java_covey_Native_scoresReason(JNIEnv *env, jclass class, jlong scores, jlong transaction,
                                                            jlong index) {
    (void)class;
    return utf8(env, covey_scores_reason(POINTER(covey_scores, scores), transaction, index));
}

JNIEXPORT void JNICALL Java_covey_Native_scoresDestroy(JNIEnv *env, jclass class, jlong scores) {
    (void)env, (void)class;
    covey_scores_destroy(POINTER(covey_scores, scores));
}
