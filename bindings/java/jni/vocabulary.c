/* Section 5 of covey.h: vocabularies. */
#include "support.h"

JNIEXPORT jlong JNICALL Java_covey_Native_vocabularyCreate(JNIEnv *env, jclass class, jlong context, jbyteArray names,
                                                           jlong count) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_vocabulary *vocabulary = NULL;
    const char **list = texts(&memory, names, count);
    if (list) {
        covey_error *error = NULL;
        covey_status status = covey_vocabulary_create(context_of(context), list, count, &vocabulary, &error);
        succeeded(env, status, error);
    }
    arena_end(&memory);
    return HANDLE(vocabulary);
}

JNIEXPORT jlong JNICALL Java_covey_Native_vocabularyBuild(JNIEnv *env, jclass class, jlong context, jbyteArray events,
                                                          jlong count, jlong min_count, jlong max_size) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_vocabulary *vocabulary = NULL;
    const char **list = texts(&memory, events, count);
    if (list) {
        covey_error *error = NULL;
        covey_status status =
            covey_vocabulary_build(context_of(context), list, count, min_count, max_size, &vocabulary, &error);
        succeeded(env, status, error);
    }
    arena_end(&memory);
    return HANDLE(vocabulary);
}

JNIEXPORT jlong JNICALL Java_covey_Native_vocabularySize(JNIEnv *env, jclass class, jlong vocabulary) {
    (void)env, (void)class;
    return covey_vocabulary_size(POINTER(covey_vocabulary, vocabulary));
}

JNIEXPORT jbyteArray JNICALL Java_covey_Native_vocabularyName(JNIEnv *env, jclass class, jlong vocabulary,
                                                              jlong index) {
    (void)class;
    return utf8(env, covey_vocabulary_name(POINTER(covey_vocabulary, vocabulary), index));
}

JNIEXPORT void JNICALL Java_covey_Native_vocabularyLookup(JNIEnv *env, jclass class, jlong vocabulary, jlong context,
                                                          jbyteArray names, jintArray indices) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    int64_t count = (*env)->GetArrayLength(env, indices);
    const char **list = texts(&memory, names, count);
    int32_t *result = list ? arena_allocate(&memory, count, sizeof *result) : NULL;
    if (result) {
        covey_error *error = NULL;
        covey_status status = covey_vocabulary_lookup(POINTER(covey_vocabulary, vocabulary), context_of(context), list,
                                                      count, result, &error);
        if (succeeded(env, status, error))
            (*env)->SetIntArrayRegion(env, indices, 0, (jsize)count, (const jint *)result);
    }
    arena_end(&memory);
}

JNIEXPORT void JNICALL Java_covey_Native_vocabularyDestroy(JNIEnv *env, jclass class, jlong vocabulary) {
    (void)env, (void)class;
    covey_vocabulary_destroy(POINTER(covey_vocabulary, vocabulary));
}
