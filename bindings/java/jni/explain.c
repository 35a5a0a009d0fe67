/* Section 11 of covey.h: explanations. */
#include "support.h"

JNIEXPORT jlong JNICALL Java_covey_Native_engineExplain(JNIEnv *env, jclass class, jlong engine, jlong context,
                                                        jobject sequences, jobject features, jlongArray integers) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_explanations *explanations = NULL;
    covey_sequences sequences_view;
    covey_table table_view;
    const covey_sequences *batch;
    const covey_table *table;
    const int64_t *given = numbers(&memory, integers, NUMBER_I64, 0, 10);
    if (given && read_sequences(&memory, sequences, &sequences_view, &batch) &&
        read_table(&memory, features, &table_view, &table)) {
        covey_explain_options options = COVEY_EXPLAIN_OPTIONS_INIT;
        options.explained = (int32_t)given[0];
        options.method = (int32_t)given[1];
        options.cluster = given[2];
        options.largest_parts = given[3];
        options.permutations = given[4];
        options.largest_steps = given[5];
        options.seed = (uint64_t)given[6];
        options.features = (int32_t)given[7];
        options.faithfulness = (int32_t)given[8];
        options.sensitivity = (int32_t)given[9];
        covey_error *error = NULL;
        covey_status status = covey_engine_explain(POINTER(covey_engine, engine), context_of(context), batch, table,
                                                   &options, &explanations, &error);
        if (!succeeded(env, status, error)) {
            covey_explanations_destroy(explanations);
            explanations = NULL;
        }
    }
    arena_end(&memory);
    return HANDLE(explanations);
}

JNIEXPORT jlong JNICALL Java_covey_Native_explanationsCount(JNIEnv *env, jclass class, jlong explanations) {
    (void)env, (void)class;
    return covey_explanations_count(POINTER(covey_explanations, explanations));
}

JNIEXPORT void JNICALL Java_covey_Native_explanationsGet(JNIEnv *env, jclass class, jlong explanations,
                                                         jlong transaction, jlongArray integers, jdoubleArray reals) {
    (void)class;
    covey_explanation found = COVEY_EXPLANATION_INIT;
    covey_error *error = NULL;
    covey_status status =
        covey_explanations_get(POINTER(covey_explanations, explanations), transaction, &found, &error);
    if (!succeeded(env, status, error)) return;
    const jlong whole[] = {found.cluster,  found.exemplar, found.events, found.parts,
                           found.features, found.steps,    found.method, found.explained};
    const jdouble real[] = {found.value,       found.base,       found.residual,     found.comprehensiveness,
                            found.sufficiency, found.difference, found.preservation, found.infidelity,
                            found.sensitivity};
    store(env, integers, whole, 8, reals, real, 9);
}

JNIEXPORT void JNICALL Java_covey_Native_explanationsEvents(JNIEnv *env, jclass class, jlong explanations,
                                                            jlong transaction, jdoubleArray attributions,
                                                            jdoubleArray errors) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    int64_t count = (*env)->GetArrayLength(env, attributions);
    double *values = output_numbers(&memory, attributions, NUMBER_F64, count);
    double *spread = values ? output_numbers(&memory, errors, NUMBER_F64, count) : NULL;
    if (spread) {
        covey_error *error = NULL;
        covey_status status = covey_explanations_events(POINTER(covey_explanations, explanations), transaction, values,
                                                        spread, count, &error);
        if (succeeded(env, status, error)) {
            write_back(&memory, attributions, NUMBER_F64, values, count);
            write_back(&memory, errors, NUMBER_F64, spread, count);
        }
    }
    arena_end(&memory);
}

JNIEXPORT void JNICALL Java_covey_Native_explanationsFeatures(JNIEnv *env, jclass class, jlong explanations,
                                                              jlong transaction, jdoubleArray attributions) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    int64_t count = (*env)->GetArrayLength(env, attributions);
    double *values = output_numbers(&memory, attributions, NUMBER_F64, count);
    if (values) {
        covey_error *error = NULL;
        covey_status status =
            covey_explanations_features(POINTER(covey_explanations, explanations), transaction, values, count, &error);
        if (succeeded(env, status, error)) write_back(&memory, attributions, NUMBER_F64, values, count);
    }
    arena_end(&memory);
}

JNIEXPORT void JNICALL Java_covey_Native_explanationsDestroy(JNIEnv *env, jclass class, jlong explanations) {
    (void)env, (void)class;
    covey_explanations_destroy(POINTER(covey_explanations, explanations));
}
