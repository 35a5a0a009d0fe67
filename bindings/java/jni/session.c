/* Section 11 of covey.h: sessions, in the memory of direct buffers, which is borrowed for the call. */
#include "support.h"

typedef struct session_memory {
    void *bytes;
    int64_t size;
} session_memory;

/* Java passes direct buffers alone, and keeps them reachable. */
static session_memory memory_of(JNIEnv *env, jobject buffer) {
    session_memory result = {(*env)->GetDirectBufferAddress(env, buffer), (*env)->GetDirectBufferCapacity(env, buffer)};
    return result;
}

JNIEXPORT jlong JNICALL Java_covey_Native_sessionSize(JNIEnv *env, jclass class, jlong engine, jlong events) {
    (void)env, (void)class;
    return covey_session_size(POINTER(covey_engine, engine), events);
}

JNIEXPORT void JNICALL Java_covey_Native_sessionStart(JNIEnv *env, jclass class, jlong engine, jobject session) {
    (void)class;
    session_memory at = memory_of(env, session);
    covey_error *error = NULL;
    covey_status status = covey_session_start(POINTER(covey_engine, engine), at.bytes, at.size, &error);
    succeeded(env, status, error);
}

/* The index of an event: that of its name where it has one. Returns 0 with a pending exception on failure. */
static int find_type(arena *memory, const covey_engine *engine, jbyteArray name, int32_t *type) {
    if (!name) return 1;
    const char *utf8 = text(memory, name);
    if (!utf8) return 0;
    covey_error *error = NULL;
    const covey_vocabulary *vocabulary = covey_encoder_vocabulary(covey_engine_encoder(engine));
    covey_status status = covey_vocabulary_lookup(vocabulary, NULL, &utf8, 1, type, &error);
    return succeeded(memory->env, status, error);
}

JNIEXPORT void JNICALL Java_covey_Native_sessionAdd(JNIEnv *env, jclass class, jlong engine, jobject session,
                                                    jbyteArray name, jint type, jdouble time, jdouble dwell,
                                                    jdoubleArray numeric, jintArray categorical) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_event event = COVEY_EVENT_INIT;
    event.type = type;
    event.time = time;
    event.dwell = &dwell;
    event.numeric_count = numeric ? (*env)->GetArrayLength(env, numeric) : 0;
    event.categorical_count = categorical ? (*env)->GetArrayLength(env, categorical) : 0;
    int good = find_type(&memory, POINTER(covey_engine, engine), name, &event.type);
    if (good && event.numeric_count)
        good = (event.numeric = numbers(&memory, numeric, NUMBER_F64, 0, event.numeric_count)) != NULL;
    if (good && event.categorical_count)
        good = (event.categorical = numbers(&memory, categorical, NUMBER_I32, 0, event.categorical_count)) != NULL;
    if (good) {
        session_memory at = memory_of(env, session);
        covey_error *error = NULL;
        covey_status status = covey_session_add(POINTER(covey_engine, engine), at.bytes, at.size, &event, &error);
        succeeded(env, status, error);
    }
    arena_end(&memory);
}

JNIEXPORT void JNICALL Java_covey_Native_sessionGet(JNIEnv *env, jclass class, jlong engine, jobject session,
                                                    jlongArray integers) {
    (void)class;
    session_memory at = memory_of(env, session);
    covey_session_state state = COVEY_SESSION_STATE_INIT;
    covey_error *error = NULL;
    covey_status status = covey_session_get(POINTER(covey_engine, engine), at.bytes, at.size, &state, &error);
    if (!succeeded(env, status, error)) return;
    const jlong whole[] = {state.events, state.largest_events, state.total, state.unknown};
    (*env)->SetLongArrayRegion(env, integers, 0, 4, whole);
}

JNIEXPORT jfloatArray JNICALL Java_covey_Native_sessionEmbed(JNIEnv *env, jclass class, jlong engine, jlong context,
                                                             jobject session) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    jfloatArray result = NULL;
    const covey_engine *from = POINTER(covey_engine, engine);
    session_memory at = memory_of(env, session);
    const int64_t dimension = covey_encoder_dimension(covey_engine_encoder(from));
    float *embedding = arena_allocate(&memory, dimension, sizeof *embedding);
    if (embedding) {
        covey_error *error = NULL;
        covey_status status =
            covey_session_embed(from, context_of(context), at.bytes, at.size, embedding, dimension, &error);
        if (succeeded(env, status, error)) result = (*env)->NewFloatArray(env, (jsize)dimension);
        if (result) (*env)->SetFloatArrayRegion(env, result, 0, (jsize)dimension, embedding);
    }
    arena_end(&memory);
    return result;
}

JNIEXPORT jlong JNICALL Java_covey_Native_sessionScore(JNIEnv *env, jclass class, jlong engine, jlong context,
                                                       jobject session, jobject features) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_scores *scores = NULL;
    covey_table view;
    const covey_table *table;
    if (read_table(&memory, features, &view, &table)) {
        session_memory at = memory_of(env, session);
        covey_error *error = NULL;
        covey_status status = covey_session_score(POINTER(covey_engine, engine), context_of(context), at.bytes, at.size,
                                                  table, &scores, &error);
        if (!succeeded(env, status, error)) {
            covey_scores_destroy(scores);
            scores = NULL;
        }
    }
    arena_end(&memory);
    return HANDLE(scores);
}
