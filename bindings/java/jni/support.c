/* Memory, errors, strings and numbers for the JNI files. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "support.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static jclass exception_class;
static jmethodID exception_new;
static jclass buffer_class;
static jclass thread_class;
static jmethodID current_thread, is_interrupted;

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *machine, void *reserved) {
    (void)reserved;
    JNIEnv *env;
    if ((*machine)->GetEnv(machine, (void **)&env, JNI_VERSION_10) != JNI_OK) return JNI_ERR;
    jclass exception = (*env)->FindClass(env, "covey/CoveyException");
    if (!exception) return JNI_ERR;
    exception_new = (*env)->GetMethodID(env, exception, "<init>", "(I[B)V");
    if (!exception_new) return JNI_ERR;
    jclass buffer = (*env)->FindClass(env, "java/nio/Buffer");
    if (!buffer) return JNI_ERR;
    jclass thread = (*env)->FindClass(env, "java/lang/Thread");
    if (!thread) return JNI_ERR;
    current_thread = (*env)->GetStaticMethodID(env, thread, "currentThread", "()Ljava/lang/Thread;");
    is_interrupted = (*env)->GetMethodID(env, thread, "isInterrupted", "()Z");
    if (!current_thread || !is_interrupted) return JNI_ERR;
    exception_class = (*env)->NewGlobalRef(env, exception);
    buffer_class = (*env)->NewGlobalRef(env, buffer);
    thread_class = (*env)->NewGlobalRef(env, thread);
    return exception_class && buffer_class && thread_class && load_inputs(env) && load_context(env, machine)
               ? JNI_VERSION_10
               : JNI_ERR;
}

JNIEXPORT void JNICALL JNI_OnUnload(JavaVM *machine, void *reserved) {
    (void)reserved;
    JNIEnv *env;
    if ((*machine)->GetEnv(machine, (void **)&env, JNI_VERSION_10) != JNI_OK) return;
    (*env)->DeleteGlobalRef(env, exception_class);
    (*env)->DeleteGlobalRef(env, buffer_class);
    (*env)->DeleteGlobalRef(env, thread_class);
    covey_context_destroy(default_context.context);
}

/* ------------------------------------------------------------------------------------------------------ memory --- */

struct arena_block {
    struct arena_block *next;
    _Alignas(16) unsigned char bytes[];
};

void arena_start(arena *memory, JNIEnv *env) {
    memory->env = env;
    memory->deadline = 0;
    memory->blocks = NULL;
    memory->used = 0;
}

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void arena_deadline(arena *memory, double seconds) {
    if (seconds > 0 && seconds <= 1e9) memory->deadline = nanoseconds() + (int64_t)(seconds * 1e9);
}

double arena_seconds_left(arena *memory) {
    if (memory->deadline == 0) return 0;
    int64_t left = memory->deadline - nanoseconds();
    if (left > 0) return (double)left / 1e9;
    fail(memory->env, COVEY_CANCELLED, "the call was not done by its deadline");
    return -1;
}

void arena_end(arena *memory) {
    while (memory->blocks) {
        struct arena_block *next = memory->blocks->next;
        free(memory->blocks);
        memory->blocks = next;
    }
}

void *arena_allocate(arena *memory, int64_t count, size_t size) {
    if (count < 0 || (uint64_t)count > (SIZE_MAX / 2) / size) {
        fail(memory->env, COVEY_OUT_OF_MEMORY, "%lld values of %zu bytes do not fit in memory", (long long)count, size);
        return NULL;
    }
    size_t bytes = ((size_t)count * size + 15) & ~(size_t)15;
    if (bytes <= sizeof memory->first - memory->used) {
        void *result = memory->first + memory->used;
        memory->used += bytes;
        return result;
    }
    struct arena_block *block = malloc(sizeof *block + bytes);
    if (!block) {
        fail(memory->env, COVEY_OUT_OF_MEMORY, "a copy of %zu bytes does not fit in memory", bytes);
        return NULL;
    }
    block->next = memory->blocks;
    memory->blocks = block;
    return block->bytes;
}

/* ------------------------------------------------------------------------------------------------------ errors --- */

static void throw_exception(JNIEnv *env, covey_status status, const char *message) {
    jbyteArray bytes = utf8(env, message);
    if (!bytes) return; /* OutOfMemoryError is pending */
    jobject exception = (*env)->NewObject(env, exception_class, exception_new, (jint)status, bytes);
    if (exception) (*env)->Throw(env, exception);
}

int succeeded(JNIEnv *env, covey_status status, covey_error *error) {
    int pending = (*env)->ExceptionCheck(env);
    if (!pending && status != COVEY_OK) throw_exception(env, status, covey_error_message(error));
    covey_error_destroy(error);
    return !pending && status == COVEY_OK;
}

void fail(JNIEnv *env, covey_status status, const char *format, ...) {
    if ((*env)->ExceptionCheck(env)) return;
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    throw_exception(env, status, message);
}

/* ----------------------------------------------------------------------------------------------------- numbers --- */

int64_t numbers_length(arena *memory, jobject source) {
    JNIEnv *env = memory->env;
    if (!source) return 0;
    return (*env)->IsInstanceOf(env, source, buffer_class) ? (*env)->GetDirectBufferCapacity(env, source)
                                                           : (*env)->GetArrayLength(env, source);
}

/** Returns the memory of a direct buffer; NULL with a pending exception on failure. */
static void *buffer_memory(JNIEnv *env, jobject buffer, number type) {
    void *address = (*env)->GetDirectBufferAddress(env, buffer);
    if (!address) {
        fail(env, COVEY_INVALID_ARGUMENT, "a buffer must be direct");
    } else if ((uintptr_t)address % number_size(type) != 0) {
        fail(env, COVEY_INVALID_ARGUMENT, "a direct buffer must be aligned to its numbers of %zu bytes",
             number_size(type));
        address = NULL;
    }
    return address;
}

int interrupted(JNIEnv *env) {
    jobject thread = (*env)->CallStaticObjectMethod(env, thread_class, current_thread);
    if ((*env)->ExceptionCheck(env) || !thread) return 0;
    jboolean result = (*env)->CallBooleanMethod(env, thread, is_interrupted);
    int failed = (*env)->ExceptionCheck(env);
    (*env)->DeleteLocalRef(env, thread);
    return !failed && result;
}

/** Numbers that are copied between two looks at the clock and at interrupts. */
enum { PIECE = 1 << 17 };

/** Returns 0 with a pending exception if the call must end. `count` numbers were copied. */
static int may_go_on(arena *memory, int64_t count) {
    if (memory->deadline && arena_seconds_left(memory) < 0) return 0;
    if (count < PIECE || !interrupted(memory->env)) return !(*memory->env)->ExceptionCheck(memory->env);
    fail(memory->env, COVEY_CANCELLED, "the call was cancelled: the thread was interrupted");
    return 0;
}

void *numbers(arena *memory, jobject source, number type, int64_t from, int64_t count) {
    JNIEnv *env = memory->env;
    if ((*env)->IsInstanceOf(env, source, buffer_class)) {
        unsigned char *address = buffer_memory(env, source, type);
        return address ? address + (size_t)from * number_size(type) : NULL;
    }
    unsigned char *copy = arena_allocate(memory, count, number_size(type));
    if (!copy) return NULL;
    for (int64_t done = 0; done < count || done == 0; done += PIECE) {
        if (!may_go_on(memory, done)) return NULL;
        jsize start = (jsize)(from + done), length = (jsize)(count - done < PIECE ? count - done : PIECE);
        void *target = copy + (size_t)done * number_size(type);
        switch (type) {
        case NUMBER_I8: (*env)->GetByteArrayRegion(env, source, start, length, target); break;
        case NUMBER_I32: (*env)->GetIntArrayRegion(env, source, start, length, target); break;
        case NUMBER_I64: (*env)->GetLongArrayRegion(env, source, start, length, target); break;
        case NUMBER_F32: (*env)->GetFloatArrayRegion(env, source, start, length, target); break;
        case NUMBER_F64: (*env)->GetDoubleArrayRegion(env, source, start, length, target); break;
        }
        if ((*env)->ExceptionCheck(env)) return NULL;
    }
    return copy;
}

void *output_numbers(arena *memory, jobject target, number type, int64_t count) {
    JNIEnv *env = memory->env;
    int64_t length = numbers_length(memory, target);
    if (length < count) {
        fail(env, COVEY_BUFFER_TOO_SMALL, "output must hold %lld numbers, got %lld", (long long)count,
             (long long)length);
        return NULL;
    }
    return (*env)->IsInstanceOf(env, target, buffer_class) ? buffer_memory(env, target, type)
                                                           : arena_allocate(memory, count, number_size(type));
}

void write_back(arena *memory, jobject target, number type, const void *values, int64_t count) {
    JNIEnv *env = memory->env;
    if ((*env)->IsInstanceOf(env, target, buffer_class)) return;
    jsize length = (jsize)count;
    switch (type) {
    case NUMBER_I8: (*env)->SetByteArrayRegion(env, target, 0, length, values); break;
    case NUMBER_I32: (*env)->SetIntArrayRegion(env, target, 0, length, values); break;
    case NUMBER_I64: (*env)->SetLongArrayRegion(env, target, 0, length, values); break;
    case NUMBER_F32: (*env)->SetFloatArrayRegion(env, target, 0, length, values); break;
    case NUMBER_F64: (*env)->SetDoubleArrayRegion(env, target, 0, length, values); break;
    }
}

jbyteArray file_bytes(JNIEnv *env, covey_bytes *bytes) {
    jbyteArray result = NULL;
    int64_t size = covey_bytes_size(bytes);
    if (size > INT32_MAX - 16) {
        fail(env, COVEY_OUT_OF_MEMORY, "a file of %lld bytes does not fit in an array: save it", (long long)size);
    } else {
        result = (*env)->NewByteArray(env, (jsize)size);
        if (result) (*env)->SetByteArrayRegion(env, result, 0, (jsize)size, covey_bytes_data(bytes));
    }
    covey_bytes_destroy(bytes);
    return result;
}

jlongArray new_longs(JNIEnv *env, const void *values, int64_t count) {
    if (count > INT32_MAX) {
        fail(env, COVEY_OUT_OF_MEMORY, "%lld numbers do not fit in a Java array", (long long)count);
        return NULL;
    }
    jlongArray result = (*env)->NewLongArray(env, (jsize)count);
    if (result) (*env)->SetLongArrayRegion(env, result, 0, (jsize)count, values);
    return result;
}

int store(JNIEnv *env, jlongArray integers, const jlong *values, int count, jdoubleArray reals, const jdouble *numbers,
          int real_count) {
    (*env)->SetLongArrayRegion(env, integers, 0, count, values);
    if ((*env)->ExceptionCheck(env)) return 0;
    (*env)->SetDoubleArrayRegion(env, reals, 0, real_count, numbers);
    return !(*env)->ExceptionCheck(env);
}

/* ----------------------------------------------------------------------------------------------------- strings --- */

jbyteArray utf8(JNIEnv *env, const char *string) {
    if (!string) return NULL;
    size_t length = strlen(string);
    if (length > INT32_MAX) {
        fail(env, COVEY_OUT_OF_MEMORY, "a text of %zu bytes does not fit in a Java array", length);
        return NULL;
    }
    jbyteArray bytes = (*env)->NewByteArray(env, (jsize)length);
    if (bytes) (*env)->SetByteArrayRegion(env, bytes, 0, (jsize)length, (const jbyte *)string);
    return bytes;
}

const char *text(arena *memory, jbyteArray source) {
    if (!source) return NULL;
    jsize length = (*memory->env)->GetArrayLength(memory->env, source);
    char *copy = arena_allocate(memory, (int64_t)length + 1, 1);
    if (!copy) return NULL;
    (*memory->env)->GetByteArrayRegion(memory->env, source, 0, length, (jbyte *)copy);
    copy[length] = 0;
    return copy;
}

const char **texts(arena *memory, jbyteArray blob, int64_t count) {
    const char **result = arena_allocate(memory, count + 1, sizeof *result);
    const char *next = result ? text(memory, blob) : NULL;
    if (!next) return NULL;
    const char *end = next + (*memory->env)->GetArrayLength(memory->env, blob);
    for (int64_t index = 0; index < count; ++index) {
        if (next >= end) {
            fail(memory->env, COVEY_INTERNAL, "the text of %lld strings ends early", (long long)count);
            return NULL;
        }
        result[index] = next;
        next += strlen(next) + 1;
    }
    return result;
}
