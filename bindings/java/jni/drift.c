/* Section 11 of covey.h: drift, and what is odd about a scored batch. */
#include "support.h"

JNIEXPORT jbyteArray JNICALL Java_covey_Native_scoresWarning(JNIEnv *env, jclass class, jlong scores, jlong index) {
    (void)class;
    const char *found = covey_scores_warning(POINTER(covey_scores, scores), index);
    return found ? utf8(env, found) : NULL;
}

JNIEXPORT jlong JNICALL Java_covey_Native_driftCreate(JNIEnv *env, jclass class, jlong engine, jlong context) {
    (void)class;
    covey_drift *drift = NULL;
    covey_error *error = NULL;
    covey_status status = covey_drift_create(POINTER(covey_engine, engine), context_of(context), &drift, &error);
    return succeeded(env, status, error) ? HANDLE(drift) : 0;
}

JNIEXPORT void JNICALL Java_covey_Native_driftAdd(JNIEnv *env, jclass class, jlong drift, jlong context,
                                                  jobject sequences, jobject features, jlong scores) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_sequences sequences_view;
    covey_table table_view;
    const covey_sequences *batch;
    const covey_table *table;
    if (read_sequences(&memory, sequences, &sequences_view, &batch) &&
        read_table(&memory, features, &table_view, &table)) {
        covey_error *error = NULL;
        covey_status status = covey_drift_add(POINTER(covey_drift, drift), context_of(context), batch, table,
                                              POINTER(covey_scores, scores), &error);
        succeeded(env, status, error);
    }
    arena_end(&memory);
}

JNIEXPORT void JNICALL Java_covey_Native_driftMerge(JNIEnv *env, jclass class, jlong drift, jlong context,
                                                    jlong other) {
    (void)class;
    covey_error *error = NULL;
    covey_status status =
        covey_drift_merge(POINTER(covey_drift, drift), context_of(context), POINTER(covey_drift, other), &error);
    succeeded(env, status, error);
}

/* 0 = the report, 1 = the bytes. */
JNIEXPORT jbyteArray JNICALL Java_covey_Native_driftText(JNIEnv *env, jclass class, jlong drift, jlong context,
                                                         jlong earlier, jint what) {
    (void)class;
    const covey_drift *from = POINTER(covey_drift, drift);
    covey_buffer *buffer = NULL;
    covey_error *error = NULL;
    covey_status status =
        what == 0 ? covey_drift_report(from, context_of(context), POINTER(covey_drift, earlier), &buffer, &error)
                  : covey_drift_write(from, context_of(context), &buffer, &error);
    jbyteArray result = NULL;
    if (succeeded(env, status, error)) {
        const int64_t size = covey_buffer_size(buffer);
        if (size > INT32_MAX - 16)
            fail(env, COVEY_OUT_OF_MEMORY, "%lld bytes do not fit into a Java array", (long long)size);
        else result = (*env)->NewByteArray(env, (jsize)size);
        if (result) (*env)->SetByteArrayRegion(env, result, 0, (jsize)size, (const jbyte *)covey_buffer_data(buffer));
    }
    covey_buffer_destroy(buffer);
    return result;
}

JNIEXPORT jlong JNICALL Java_covey_Native_driftRead(JNIEnv *env, jclass class, jlong engine, jlong context,
                                                    jbyteArray bytes) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_drift *drift = NULL;
    const int64_t size = (*env)->GetArrayLength(env, bytes);
    const int8_t *given = numbers(&memory, bytes, NUMBER_I8, 0, size);
    if (given) {
        covey_error *error = NULL;
        covey_status status =
            covey_drift_read(POINTER(covey_engine, engine), context_of(context), given, size, &drift, &error);
        succeeded(env, status, error);
    }
    arena_end(&memory);
    return HANDLE(drift);
}

JNIEXPORT void JNICALL Java_covey_Native_driftDestroy(JNIEnv *env, jclass class, jlong drift) {
    (void)env, (void)class;
    covey_drift_destroy(POINTER(covey_drift, drift));
}
