/* Section 11 of covey.h: what an engine tells of itself, its bytes, and new labels for it. */
#include "files.h"

static jbyteArray bytes_of(JNIEnv *env, const covey_buffer *buffer) {
    const int64_t size = covey_buffer_size(buffer);
    if (size > INT32_MAX - 16) {
        covey_error *error = NULL;
        succeeded(env, COVEY_OUT_OF_MEMORY, error);
        return NULL;
    }
    jbyteArray result = (*env)->NewByteArray(env, (jsize)size);
    if (result) (*env)->SetByteArrayRegion(env, result, 0, (jsize)size, (const jbyte *)covey_buffer_data(buffer));
    return result;
}

/* 0 = the bytes of the file, 1 = the schema, 2 = the hash. */
JNIEXPORT jbyteArray JNICALL Java_covey_Native_engineText(JNIEnv *env, jclass class, jlong engine, jlong context,
                                                          jint what) {
    (void)class;
    const covey_engine *from = POINTER(covey_engine, engine);
    covey_buffer *buffer = NULL;
    covey_error *error = NULL;
    covey_status status = what == 0   ? covey_engine_write(from, context_of(context), &buffer, &error)
                          : what == 1 ? covey_engine_schema(from, context_of(context), &buffer, &error)
                                      : covey_engine_hash(from, context_of(context), &buffer, &error);
    jbyteArray result = succeeded(env, status, error) ? bytes_of(env, buffer) : NULL;
    covey_buffer_destroy(buffer);
    return result;
}

READS(engine, covey_engine_read, covey_engine_destroy)

JNIEXPORT jlong JNICALL Java_covey_Native_engineRows(JNIEnv *env, jclass class, jlong engine) {
    (void)env, (void)class;
    return covey_engine_rows(POINTER(covey_engine, engine));
}

JNIEXPORT jlong JNICALL Java_covey_Native_engineRerate(JNIEnv *env, jclass class, jlong engine, jlong context,
                                                       jbyteArray fraud, jdoubleArray amounts, jdoubleArray times) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_engine *rated = NULL;
    const int64_t rows = (*env)->GetArrayLength(env, fraud);
    const int8_t *known = numbers(&memory, fraud, NUMBER_I8, 0, rows);
    const double *money = known && amounts ? numbers(&memory, amounts, NUMBER_F64, 0, rows) : NULL;
    const double *clock = known && times && (money || !amounts) ? numbers(&memory, times, NUMBER_F64, 0, rows) : NULL;
    if (known && (money || !amounts) && (clock || !times)) {
        covey_error *error = NULL;
        covey_status status = covey_engine_rerate(POINTER(covey_engine, engine), context_of(context), known, money,
                                                  clock, rows, NULL, &rated, &error);
        succeeded(env, status, error);
    }
    arena_end(&memory);
    return HANDLE(rated);
}
