/* Section 8 of covey.h: clustering from edges and lists, and the kernels for data in parts. */
#include "support.h"

/* Numbers of a Java array that may be null. Returns 0 with a pending exception on failure. */
static int optional(arena *memory, jarray source, number type, const void **result) {
    JNIEnv *env = memory->env;
    *result = source ? numbers(memory, source, type, 0, (*env)->GetArrayLength(env, source)) : NULL;
    return !source || *result;
}

JNIEXPORT jlong JNICALL Java_covey_Native_clusterEdges(JNIEnv *env, jclass class, jlong context, jlong rows,
                                                       jlongArray words, jdoubleArray cores, jlongArray integers,
                                                       jdoubleArray reals) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    jlong result = 0;
    covey_cluster_options options;
    const void *edges, *distances;
    if (read_cluster_options(env, integers, reals, &options) && optional(&memory, words, NUMBER_I64, &edges) &&
        optional(&memory, cores, NUMBER_F64, &distances)) {
        covey_clustering *clustering = NULL;
        covey_error *error = NULL;
        covey_status status =
            covey_cluster_edges(context_of(context), rows, edges, (*env)->GetArrayLength(env, words) / 3, distances,
                                &options, &clustering, &error);
        result = made_clustering(env, status, clustering, error);
    }
    arena_end(&memory);
    return result;
}

JNIEXPORT jlong JNICALL Java_covey_Native_clusterNeighbours(JNIEnv *env, jclass class, jlong context, jlong rows,
                                                            jlong k, jlongArray indices, jdoubleArray distances,
                                                            jlongArray integers, jdoubleArray reals,
                                                            jlongArray certified) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    jlong result = 0;
    covey_cluster_options options;
    const void *lists, *lengths;
    if (read_cluster_options(env, integers, reals, &options) && optional(&memory, indices, NUMBER_I64, &lists) &&
        optional(&memory, distances, NUMBER_F64, &lengths)) {
        covey_clustering *clustering = NULL;
        covey_error *error = NULL;
        int64_t count = 0;
        covey_status status = covey_cluster_neighbours(context_of(context), rows, k, lists, lengths, &options,
                                                       &clustering, &count, &error);
        result = made_clustering(env, status, clustering, error);
        const jlong told = count;
        if (result) (*env)->SetLongArrayRegion(env, certified, 0, 1, &told);
    }
    arena_end(&memory);
    return result;
}

JNIEXPORT jlong JNICALL Java_covey_Native_clusteringParts(JNIEnv *env, jclass class, jlong clustering) {
    (void)env;
    (void)class;
    return covey_clustering_parts(POINTER(covey_clustering, clustering));
}

JNIEXPORT void JNICALL Java_covey_Native_nearest(JNIEnv *env, jclass class, jlong context, jobject queries,
                                                 jlongArray query_numbers, jobject rows, jlongArray row_numbers,
                                                 jlong k, jint metric, jboolean merge, jlongArray indices,
                                                 jdoubleArray distances) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_matrix first, second;
    const covey_matrix *asked, *others;
    const void *own, *given;
    int64_t count = (*env)->GetArrayLength(env, indices);
    if (read_matrix(&memory, queries, &first, &asked) && read_matrix(&memory, rows, &second, &others) &&
        optional(&memory, query_numbers, NUMBER_I64, &own) && optional(&memory, row_numbers, NUMBER_I64, &given)) {
        int64_t *lists = numbers(&memory, indices, NUMBER_I64, 0, count);
        double *lengths = lists ? numbers(&memory, distances, NUMBER_F64, 0, count) : NULL;
        covey_error *error = NULL;
        if (lengths && succeeded(env,
                                 covey_nearest(context_of(context), asked, own, others, given, k, metric, merge, lists,
                                               lengths, count, &error),
                                 error)) {
            write_back(&memory, indices, NUMBER_I64, lists, count);
            write_back(&memory, distances, NUMBER_F64, lengths, count);
        }
    }
    arena_end(&memory);
}

JNIEXPORT jlongArray JNICALL Java_covey_Native_spanningEdges(JNIEnv *env, jclass class, jlong context, jobject rows,
                                                             jlongArray row_numbers, jdoubleArray cores, jint metric,
                                                             jdouble alpha) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    jlongArray result = NULL;
    covey_matrix view;
    const covey_matrix *block;
    const void *given, *distances;
    if (read_matrix(&memory, rows, &view, &block) && optional(&memory, row_numbers, NUMBER_I64, &given) &&
        optional(&memory, cores, NUMBER_F64, &distances)) {
        int64_t count = block->rows > 0 ? block->rows - 1 : 0;
        covey_edge *edges = arena_allocate(&memory, count, sizeof *edges);
        covey_error *error = NULL;
        if (edges && succeeded(env,
                               covey_spanning_edges(context_of(context), block, given, distances, metric, alpha, edges,
                                                    count, &error),
                               error))
            result = new_longs(env, edges, 3 * count);
    }
    arena_end(&memory);
    return result;
}

JNIEXPORT jlongArray JNICALL Java_covey_Native_mergeEdges(JNIEnv *env, jclass class, jlong context, jlong rows,
                                                          jlongArray words) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    jlongArray result = NULL;
    int64_t length = (*env)->GetArrayLength(env, words);
    covey_edge *edges = numbers(&memory, words, NUMBER_I64, 0, length);
    int64_t kept = 0;
    covey_error *error = NULL;
    if (edges && succeeded(env, covey_merge_edges(context_of(context), rows, edges, length / 3, &kept, &error), error))
        result = new_longs(env, edges, 3 * kept);
    arena_end(&memory);
    return result;
}

JNIEXPORT jlongArray JNICALL Java_covey_Native_constrainEdges(JNIEnv *env, jclass class, jlong context, jlong rows,
                                                              jlongArray words, jlongArray must_link,
                                                              jlongArray cannot_link) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    jlongArray result = NULL;
    int64_t length = (*env)->GetArrayLength(env, words);
    int64_t links = (*env)->GetArrayLength(env, must_link), forbidden = (*env)->GetArrayLength(env, cannot_link);
    covey_edge *edges = numbers(&memory, words, NUMBER_I64, 0, length);
    covey_row_pair *joined = numbers(&memory, must_link, NUMBER_I64, 0, links);
    covey_row_pair *apart = numbers(&memory, cannot_link, NUMBER_I64, 0, forbidden);
    int64_t capacity = length / 3 + links / 2, kept = 0;
    covey_edge *forest = arena_allocate(&memory, capacity > 0 ? capacity : 1, sizeof *forest);
    covey_error *error = NULL;
    if (edges && joined && apart && forest &&
        succeeded(env,
                  covey_constrain_edges(context_of(context), rows, edges, length / 3, joined, links / 2, apart,
                                        forbidden / 2, forest, capacity, &kept, &error),
                  error))
        result = new_longs(env, forest, 3 * kept);
    arena_end(&memory);
    return result;
}
