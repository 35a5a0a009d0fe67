/* Section 8 of covey.h: what a clustering holds. */
#include "files.h"

/* Trees leave as rows of 64-bit words, which Java reads back as longs and doubles. */
_Static_assert(sizeof(covey_edge) == 3 * 8, "three words");
_Static_assert(sizeof(covey_merge) == 4 * 8, "four words");
_Static_assert(sizeof(covey_condensed_edge) == 4 * 8, "four words");

JNIEXPORT jlong JNICALL Java_covey_Native_clusteringRows(JNIEnv *env, jclass class, jlong clustering) {
    (void)env, (void)class;
    return covey_clustering_rows(POINTER(covey_clustering, clustering));
}

JNIEXPORT jlong JNICALL Java_covey_Native_clusteringClusters(JNIEnv *env, jclass class, jlong clustering) {
    (void)env, (void)class;
    return covey_clustering_clusters(POINTER(covey_clustering, clustering));
}

JNIEXPORT jdouble JNICALL Java_covey_Native_clusteringRecall(JNIEnv *env, jclass class, jlong clustering) {
    (void)env, (void)class;
    return covey_clustering_recall(POINTER(covey_clustering, clustering));
}

JNIEXPORT void JNICALL Java_covey_Native_clusteringLabels(JNIEnv *env, jclass class, jlong clustering,
                                                          jintArray labels) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    int64_t count = (*env)->GetArrayLength(env, labels);
    int32_t *values = arena_allocate(&memory, count, sizeof *values);
    if (values) {
        covey_error *error = NULL;
        covey_status status = covey_clustering_labels(POINTER(covey_clustering, clustering), values, count, &error);
        if (succeeded(env, status, error)) write_back(&memory, labels, NUMBER_I32, values, count);
    }
    arena_end(&memory);
}

typedef covey_status (*reals_function)(const covey_clustering *, double *, int64_t, covey_error **);

JNIEXPORT void JNICALL Java_covey_Native_clusteringNumbers(JNIEnv *env, jclass class, jlong clustering, jint which,
                                                           jdoubleArray result) {
    (void)class;
    static const reals_function functions[] = {covey_clustering_probabilities, covey_clustering_outlier_scores,
                                               covey_clustering_persistence};
    arena memory;
    arena_start(&memory, env);
    int64_t count = (*env)->GetArrayLength(env, result);
    double *values = arena_allocate(&memory, count, sizeof *values);
    if (values) {
        covey_error *error = NULL;
        covey_status status = functions[which](POINTER(covey_clustering, clustering), values, count, &error);
        if (succeeded(env, status, error)) write_back(&memory, result, NUMBER_F64, values, count);
    }
    arena_end(&memory);
}

JNIEXPORT jlongArray JNICALL Java_covey_Native_clusteringTree(JNIEnv *env, jclass class, jlong handle, jint which) {
    (void)class;
    const covey_clustering *clustering = POINTER(covey_clustering, handle);
    int64_t count = which == 2 ? covey_clustering_condensed_count(clustering) : covey_clustering_edge_count(clustering);
    int64_t words = which == 0 ? 3 : 4;
    jlongArray result = NULL;
    arena memory;
    arena_start(&memory, env);
    void *rows = arena_allocate(&memory, count, (size_t)words * 8);
    if (rows) {
        covey_error *error = NULL;
        covey_status status = which == 0   ? covey_clustering_spanning_tree(clustering, rows, count, &error)
                              : which == 1 ? covey_clustering_single_linkage_tree(clustering, rows, count, &error)
                                           : covey_clustering_condensed_tree(clustering, rows, count, &error);
        if (succeeded(env, status, error)) result = new_longs(env, rows, count * words);
    }
    arena_end(&memory);
    return result;
}

JNIEXPORT jlongArray JNICALL Java_covey_Native_clusteringSelectedNodes(JNIEnv *env, jclass class, jlong handle) {
    (void)class;
    const covey_clustering *clustering = POINTER(covey_clustering, handle);
    int64_t count = covey_clustering_clusters(clustering);
    jlongArray result = NULL;
    arena memory;
    arena_start(&memory, env);
    int64_t *nodes = arena_allocate(&memory, count, sizeof *nodes);
    if (nodes) {
        covey_error *error = NULL;
        covey_status status = covey_clustering_selected_nodes(clustering, nodes, count, &error);
        if (succeeded(env, status, error)) result = new_longs(env, nodes, count);
    }
    arena_end(&memory);
    return result;
}

JNIEXPORT jlongArray JNICALL Java_covey_Native_clusteringExemplars(JNIEnv *env, jclass class, jlong handle,
                                                                   jlong cluster) {
    (void)class;
    const covey_clustering *clustering = POINTER(covey_clustering, handle);
    int64_t count = covey_clustering_exemplar_count(clustering, cluster);
    jlongArray result = NULL;
    arena memory;
    arena_start(&memory, env);
    int64_t *rows = arena_allocate(&memory, count, sizeof *rows);
    if (rows) {
        covey_error *error = NULL;
        covey_status status = covey_clustering_exemplars(clustering, cluster, rows, count, &error);
        if (succeeded(env, status, error)) result = new_longs(env, rows, count);
    }
    arena_end(&memory);
    return result;
}
