/* Sections 1 to 3 of covey.h: version, status names, context. */
#include "support.h"

#include <stdlib.h>

JNIEXPORT jbyteArray JNICALL Java_covey_Native_version(JNIEnv *env, jclass class) {
    (void)class;
    return utf8(env, covey_version());
}

JNIEXPORT jint JNICALL Java_covey_Native_versionNumber(JNIEnv *env, jclass class) {
    (void)env, (void)class;
    return covey_version_number();
}

JNIEXPORT jbyteArray JNICALL Java_covey_Native_statusName(JNIEnv *env, jclass class, jint status) {
    (void)class;
    return utf8(env, covey_status_name(status));
}

JNIEXPORT void JNICALL Java_covey_Native_setInstructions(JNIEnv *env, jclass class, jint instructions) {
    (void)class;
    covey_error *error = NULL;
    covey_status status = covey_set_instructions(instructions, &error);
    succeeded(env, status, error);
}

/**
 * Asks the Java listener whether to go on. If the listener throws an exception, the call stops. The exception stays
 * pending, so that the Java method throws it.
 */
static int32_t on_progress(void *user_data, const char *stage, double fraction) {
    host_context *host = user_data;
    JNIEnv *env;
    if ((*host->machine)->GetEnv(host->machine, (void **)&env, JNI_VERSION_10) != JNI_OK) return 1;
    if ((*env)->ExceptionCheck(env) || (*env)->PushLocalFrame(env, 8) != 0) return 1;
    if (interrupted(env) || (*env)->ExceptionCheck(env)) {
        (*env)->PopLocalFrame(env, NULL);
        return 1;
    }
    int32_t stop = 0;
    jobject listener = host->listener ? (*env)->NewLocalRef(env, host->listener) : NULL;
    if (listener) {
        jstring name = (*env)->NewStringUTF(env, stage);
        stop = 1;
        if (name) {
            jboolean proceed = (*env)->CallBooleanMethod(env, listener, host->on_progress, name, (jdouble)fraction);
            stop = (*env)->ExceptionCheck(env) || !proceed;
        }
    }
    (*env)->PopLocalFrame(env, NULL);
    return stop;
}

host_context default_context;

int load_context(JNIEnv *env, JavaVM *machine) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    covey_error *error = NULL;
    default_context.machine = machine;
    options.progress = on_progress;
    options.progress_user_data = &default_context;
    covey_status status = covey_context_create(&options, &default_context.context, &error);
    return succeeded(env, status, error);
}

static void destroy(JNIEnv *env, host_context *host) {
    covey_context_destroy(host->context);
    if (host->listener) (*env)->DeleteWeakGlobalRef(env, host->listener);
    free(host);
}

JNIEXPORT jlong JNICALL Java_covey_Native_contextCreate(JNIEnv *env, jclass class, jint threads, jlong memory_budget,
                                                        jobject listener) {
    (void)class;
    host_context *host = calloc(1, sizeof *host);
    if (!host) {
        fail(env, COVEY_OUT_OF_MEMORY, "a context does not fit in memory");
        return 0;
    }
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.threads = threads;
    options.memory_budget = (uint64_t)memory_budget;
    options.progress = on_progress;
    options.progress_user_data = host;
    host->machine = default_context.machine;
    if (listener) {
        jclass type = (*env)->GetObjectClass(env, listener);
        host->on_progress = (*env)->GetMethodID(env, type, "onProgress", "(Ljava/lang/String;D)Z");
        if (!host->on_progress || !(host->listener = (*env)->NewWeakGlobalRef(env, listener))) {
            fail(env, COVEY_INTERNAL, "the progress listener cannot be called");
            free(host);
            return 0;
        }
    }
    covey_error *error = NULL;
    covey_status status = covey_context_create(&options, &host->context, &error);
    if (!succeeded(env, status, error)) {
        destroy(env, host);
        return 0;
    }
    return HANDLE(host);
}

JNIEXPORT void JNICALL Java_covey_Native_contextCancel(JNIEnv *env, jclass class, jlong context) {
    (void)env, (void)class;
    covey_cancel(context_of(context));
}

JNIEXPORT void JNICALL Java_covey_Native_contextDestroy(JNIEnv *env, jclass class, jlong context) {
    (void)class;
    destroy(env, POINTER(host_context, context));
}
