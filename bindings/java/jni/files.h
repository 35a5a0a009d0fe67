/*
 * The JNI functions that save and load objects. SAVES(hybrid, covey_hybrid_save) defines Native.hybridSave, and so on.
 * They are macros, because each function of covey.h has its own types.
 */
#ifndef COVEY_JNI_FILES_H
#define COVEY_JNI_FILES_H

#include "support.h"

#define SAVES(object, save) \
    JNIEXPORT void JNICALL Java_covey_Native_##object##Save(JNIEnv *env, jclass class, jlong handle, jlong context, \
                                                            jbyteArray path) { \
        (void)class; \
        arena memory; \
        arena_start(&memory, env); \
        const char *name = text(&memory, path); \
        if (name) { \
            covey_error *error = NULL; \
            covey_status status = save(POINTER(covey_##object, handle), context_of(context), name, &error); \
            succeeded(env, status, error); \
        } \
        arena_end(&memory); \
    }

#define LOADS(object, load, destroy) \
    JNIEXPORT jlong JNICALL Java_covey_Native_##object##Load(JNIEnv *env, jclass class, jlong context, \
                                                             jbyteArray path) { \
        (void)class; \
        arena memory; \
        arena_start(&memory, env); \
        covey_##object *loaded = NULL; \
        const char *name = text(&memory, path); \
        if (name) { \
            covey_error *error = NULL; \
            covey_status status = load(context_of(context), name, &loaded, &error); \
            if (!succeeded(env, status, error)) { \
                destroy(loaded); \
                loaded = NULL; \
            } \
        } \
        arena_end(&memory); \
        return HANDLE(loaded); \
    }

#define WRITES(object, write) \
    JNIEXPORT jbyteArray JNICALL Java_covey_Native_##object##Write(JNIEnv *env, jclass class, jlong handle, \
                                                                   jlong context) { \
        (void)class; \
        covey_bytes *bytes = NULL; \
        covey_error *error = NULL; \
        covey_status status = write(POINTER(covey_##object, handle), context_of(context), &bytes, &error); \
        return succeeded(env, status, error) ? file_bytes(env, bytes) : NULL; \
    }

#define READS(object, read, destroy) \
    JNIEXPORT jlong JNICALL Java_covey_Native_##object##Read(JNIEnv *env, jclass class, jlong context, \
                                                             jbyteArray bytes) { \
        (void)class; \
        arena memory; \
        arena_start(&memory, env); \
        covey_##object *made = NULL; \
        int64_t length = (*env)->GetArrayLength(env, bytes); \
        const void *data = numbers(&memory, bytes, NUMBER_I8, 0, length); \
        if (data) { \
            covey_error *error = NULL; \
            covey_status status = read(context_of(context), data, length, &made, &error); \
            if (!succeeded(env, status, error)) { \
                destroy(made); \
                made = NULL; \
            } \
        } \
        arena_end(&memory); \
        return HANDLE(made); \
    }

#endif
