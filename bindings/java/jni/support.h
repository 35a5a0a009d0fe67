/*
 * What the JNI files share. Each Java_covey_Native_* function copies or borrows its arguments into an arena, makes one
 * call of covey.h, turns a failure into a CoveyException and frees the arena. So nothing is held between calls, and no
 * array is pinned while Covey runs. Java has already checked for nulls and for closed handles.
 */
#ifndef COVEY_JNI_SUPPORT_H
#define COVEY_JNI_SUPPORT_H

#include <jni.h>

#include "covey.h"
#include "covey_Native.h"

/* ------------------------------------------------------------------------------------------------------ memory --- */

/**
 * Memory that lives as long as one call. Small calls, such as the scoring of one transaction, need only the part on the
 * stack.
 */
typedef struct arena {
    JNIEnv *env;
    int64_t deadline; /**< On the monotonic clock in nanoseconds; 0 = none. */
    struct arena_block *blocks;
    size_t used;
    _Alignas(16) unsigned char first[6144];
} arena;

void arena_start(arena *memory, JNIEnv *env);
void arena_end(arena *memory);

/** Ends the call after this number of seconds, 0 = never, counted from now: copies count too. */
void arena_deadline(arena *memory, double seconds);

/** The seconds that are left, as covey_score_options takes them; below 0 with a pending exception if there are none. */
double arena_seconds_left(arena *memory);

/** Allocates `count` items of `size` bytes. If it returns NULL, an exception is pending. */
void *arena_allocate(arena *memory, int64_t count, size_t size);

/* ------------------------------------------------------------------------------------------------------ errors --- */

/**
 * Returns 1 if the call succeeded and no Java exception (of a progress listener) is pending. Otherwise it returns 0,
 * and an exception is pending. Frees the error.
 */
int succeeded(JNIEnv *env, covey_status status, covey_error *error);

/** Whether Thread.interrupt was called on this thread. */
int interrupted(JNIEnv *env);

/** Throws a CoveyException with a message in printf's format. */
__attribute__((format(printf, 3, 4))) void fail(JNIEnv *env, covey_status status, const char *format, ...);

/* ------------------------------------------------------------------------------------------------------ inputs --- */

typedef enum number { NUMBER_I8 = 1, NUMBER_I32 = 4, NUMBER_I64 = 8, NUMBER_F32 = 4 + 16, NUMBER_F64 = 8 + 16 } number;

/** The size of a number in bytes. */
static inline size_t number_size(number type) { return (size_t)type & 15; }

/** Returns the length of a Java array or direct buffer of numbers; 0 for null. */
int64_t numbers_length(arena *memory, jobject source);

/**
 * Returns the numbers [from, from + count) of a Java array (copied) or of a direct buffer (borrowed). NULL with a
 * pending exception on failure. The caller has checked the range.
 */
void *numbers(arena *memory, jobject source, number type, int64_t from, int64_t count);

/**
 * Returns memory to write `count` numbers to: that of a direct buffer, or memory that `write_back` copies to a Java
 * array.
 */
void *output_numbers(arena *memory, jobject target, number type, int64_t count);
void write_back(arena *memory, jobject target, number type, const void *values, int64_t count);

/** Returns a Java byte[] as a C string; NULL if it is null. */
const char *text(arena *memory, jbyteArray utf8);

/** Returns `count` strings of a Java byte[] in which each ends with NUL; NULL with a pending exception on failure. */
const char **texts(arena *memory, jbyteArray blob, int64_t count);

/** Fills C's view of covey.Sequences; if it is null, *result is NULL. Returns 0 with a pending exception on failure. */
int read_sequences(arena *memory, jobject source, covey_sequences *view, const covey_sequences **result);

/** The same for covey.FeatureTable and covey.Matrix. */
int read_table(arena *memory, jobject source, covey_table *view, const covey_table **result);
int read_matrix(arena *memory, jobject source, covey_matrix *view, const covey_matrix **result);

/** Fills the numbers in the order of TrainingOptions; likewise. */
int read_training_numbers(arena *memory, jlongArray integers, jdoubleArray reals, covey_training_options *options);

/** The same for ClusterOptions. */
int read_cluster_options(JNIEnv *env, jlongArray integers, jdoubleArray reals, covey_cluster_options *options);

/* ----------------------------------------------------------------------------------------------------- outputs --- */

/** Returns UTF-8 text as a Java byte[]; null for NULL. */
jbyteArray utf8(JNIEnv *env, const char *string);

/** Returns a copy of a file in memory as a new byte[], and destroys the file. */
jbyteArray file_bytes(JNIEnv *env, covey_bytes *bytes);

/** Returns a copy of numbers as a new long[]. */
jlongArray new_longs(JNIEnv *env, const void *values, int64_t count);

/** Stores numbers in arrays that Java made. Returns 0 with a pending exception on failure. */
int store(JNIEnv *env, jlongArray integers, const jlong *values, int count, jdoubleArray reals, const jdouble *numbers,
          int real_count);

/** Stores a score in the arrays that Scores.read and Scorer have. Returns 0 with a pending exception on failure. */
int store_score(JNIEnv *env, const covey_score *score, jlongArray integers, jdoubleArray reals);

/* ----------------------------------------------------------------------------------------------------- handles --- */

/**
 * What a Java Context owns: Covey's context, and a weak reference to the listener, so that a listener may refer to its
 * Context.
 */
typedef struct host_context {
    covey_context *context;
    JavaVM *machine;
    jweak listener;
    jmethodID on_progress;
} host_context;

#define POINTER(type, handle) ((type *)(intptr_t)(handle))
#define HANDLE(pointer) ((jlong)(intptr_t)(pointer))

/** The defaults, for calls without a context: Thread.interrupt cancels these calls too. */
extern host_context default_context;

/** Returns the context of a handle; the defaults for 0. */
static inline covey_context *context_of(jlong handle) {
    return handle == 0 ? default_context.context : POINTER(host_context, handle)->context;
}

/** Returns the handle of a call that made a clustering; after a failure 0, and an exception is pending. */
jlong made_clustering(JNIEnv *env, covey_status status, covey_clustering *clustering, covey_error *error);

/* Makes the default context. Returns 0 with a pending exception on failure. */
int load_context(JNIEnv *env, JavaVM *machine);

/* Looks up the Java fields that inputs.c reads. Returns 0 with a pending exception on failure. */
int load_inputs(JNIEnv *env);

#endif
