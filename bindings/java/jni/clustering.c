/* Section 8 of covey.h: clustering. */
#include "files.h"

#include <string.h>

enum { INTEGERS = 13, REALS = 4 };

int read_cluster_options(JNIEnv *env, jlongArray integers, jdoubleArray reals, covey_cluster_options *options) {
    jlong n[INTEGERS];
    jdouble x[REALS];
    (*env)->GetLongArrayRegion(env, integers, 0, INTEGERS, n);
    if ((*env)->ExceptionCheck(env)) return 0;
    (*env)->GetDoubleArrayRegion(env, reals, 0, REALS, x);
    if ((*env)->ExceptionCheck(env)) return 0;
    const covey_cluster_options defaults = COVEY_CLUSTER_OPTIONS_INIT;
    *options = defaults;
    options->min_cluster_size = n[0];
    options->min_samples = n[1];
    options->max_cluster_size = n[2];
    options->seed = (uint64_t)n[3];
    options->clusters = n[4];
    options->metric = (int32_t)n[5];
    options->selection = (int32_t)n[6];
    options->allow_single_cluster = (int32_t)n[7];
    options->search = (int32_t)n[8];
    options->missing = (int32_t)n[9];
    options->prediction = (int32_t)n[10];
    options->match_reference = (int32_t)n[11];
    options->strengths = (int32_t)n[12];
    options->cluster_selection_epsilon = x[0];
    options->alpha = x[1];
    options->cluster_selection_epsilon_max = x[2];
    options->cluster_selection_persistence = x[3];
    return 1;
}

jlong made_clustering(JNIEnv *env, covey_status status, covey_clustering *clustering, covey_error *error) {
    if (succeeded(env, status, error)) return HANDLE(clustering);
    covey_clustering_destroy(clustering);
    return 0;
}

typedef covey_status (*matrix_function)(const covey_context *, const covey_matrix *, const covey_cluster_options *,
                                        covey_clustering **, covey_error **);

/* weights: null, or one number for each row of the matrix. */
static jlong cluster(JNIEnv *env, matrix_function function, jlong context, jobject matrix, jlongArray weights,
                     jlongArray integers, jdoubleArray reals, jbyteArray index, jbyteArray index_search) {
    arena memory;
    arena_start(&memory, env);
    jlong result = 0;
    covey_matrix view;
    const covey_matrix *rows;
    covey_cluster_options options;
    if (read_cluster_options(env, integers, reals, &options) && read_matrix(&memory, matrix, &view, &rows) &&
        (!weights || (options.weights = numbers(&memory, weights, NUMBER_I64, 0, view.rows))) &&
        (!index || (options.index = text(&memory, index))) &&
        (!index_search || (options.index_search = text(&memory, index_search)))) {
        covey_clustering *clustering = NULL;
        covey_error *error = NULL;
        covey_status status = function(context_of(context), rows, &options, &clustering, &error);
        result = made_clustering(env, status, clustering, error);
    }
    arena_end(&memory);
    return result;
}

JNIEXPORT jlong JNICALL Java_covey_Native_clusterMatrix(JNIEnv *env, jclass class, jlong context, jobject matrix,
                                                        jlongArray weights, jlongArray integers, jdoubleArray reals,
                                                        jbyteArray index, jbyteArray index_search) {
    (void)class;
    return cluster(env, covey_cluster_matrix, context, matrix, weights, integers, reals, index, index_search);
}

JNIEXPORT jlong JNICALL Java_covey_Native_clusterDistances(JNIEnv *env, jclass class, jlong context, jobject distances,
                                                           jlongArray weights, jlongArray integers, jdoubleArray reals,
                                                           jbyteArray index, jbyteArray index_search) {
    (void)class;
    return cluster(env, covey_cluster_distances, context, distances, weights, integers, reals, index, index_search);
}

JNIEXPORT jlong JNICALL Java_covey_Native_clusterSpanningTree(JNIEnv *env, jclass class, jlong context, jlong rows,
                                                              jlongArray words, jlongArray integers,
                                                              jdoubleArray reals) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    jlong result = 0;
    covey_cluster_options options;
    if (read_cluster_options(env, integers, reals, &options)) {
        const void *edges = numbers(&memory, words, NUMBER_I64, 0, (*env)->GetArrayLength(env, words));
        if (edges) {
            covey_clustering *clustering = NULL;
            covey_error *error = NULL;
            covey_status status =
                covey_cluster_spanning_tree(context_of(context), rows, edges, &options, &clustering, &error);
            result = made_clustering(env, status, clustering, error);
        }
    }
    arena_end(&memory);
    return result;
}

JNIEXPORT jlong JNICALL Java_covey_Native_clusteringSelect(JNIEnv *env, jclass class, jlong handle, jlong context,
                                                           jlongArray integers, jdoubleArray reals, jlongArray nodes) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    jlong result = 0;
    covey_cluster_options options;
    if (read_cluster_options(env, integers, reals, &options)) {
        int64_t count = nodes ? (*env)->GetArrayLength(env, nodes) : 0;
        const int64_t *chosen = nodes ? numbers(&memory, nodes, NUMBER_I64, 0, count) : NULL;
        if (!(*env)->ExceptionCheck(env)) {
            covey_clustering *clustering = NULL;
            covey_error *error = NULL;
            covey_status status = covey_clustering_select(POINTER(covey_clustering, handle), context_of(context),
                                                          &options, chosen, count, &clustering, &error);
            result = made_clustering(env, status, clustering, error);
        }
    }
    arena_end(&memory);
    return result;
}

SAVES(clustering, covey_clustering_save)
LOADS(clustering, covey_clustering_load, covey_clustering_destroy)
WRITES(clustering, covey_clustering_write)
READS(clustering, covey_clustering_read, covey_clustering_destroy)

JNIEXPORT void JNICALL Java_covey_Native_clusteringOptions(JNIEnv *env, jclass class, jlong clustering,
                                                           jlongArray integers, jdoubleArray reals) {
    (void)class;
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    covey_error *error = NULL;
    if (!succeeded(env, covey_clustering_options(POINTER(covey_clustering, clustering), &options, &error), error))
        return;
    const jlong n[INTEGERS] = {
        options.min_cluster_size, options.min_samples, options.max_cluster_size, (jlong)options.seed,
        options.clusters,         options.metric,      options.selection,        options.allow_single_cluster,
        options.search,           options.missing,     options.prediction,       options.match_reference,
        options.strengths};
    const jdouble x[REALS] = {options.cluster_selection_epsilon, options.alpha, options.cluster_selection_epsilon_max,
                              options.cluster_selection_persistence};
    store(env, integers, n, INTEGERS, reals, x, REALS);
}

JNIEXPORT jbyteArray JNICALL Java_covey_Native_clusteringIndex(JNIEnv *env, jclass class, jlong clustering,
                                                               jboolean search) {
    (void)class;
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    covey_error *error = NULL;
    if (!succeeded(env, covey_clustering_options(POINTER(covey_clustering, clustering), &options, &error), error))
        return NULL;
    return utf8(env, search ? options.index_search : options.index);
}

JNIEXPORT jlongArray JNICALL Java_covey_Native_clusteringSizes(JNIEnv *env, jclass class, jlong handle) {
    (void)class;
    const covey_clustering *clustering = POINTER(covey_clustering, handle);
    int64_t count = covey_clustering_size_count(clustering);
    jlongArray result = NULL;
    arena memory;
    arena_start(&memory, env);
    /* The sizes, then the bits of the persistences. */
    int64_t *words = arena_allocate(&memory, 2 * count, sizeof *words);
    if (words) {
        covey_error *error = NULL;
        covey_status status = covey_clustering_sizes(clustering, words, (double *)(words + count), count, &error);
        if (succeeded(env, status, error)) result = new_longs(env, words, 2 * count);
    }
    arena_end(&memory);
    return result;
}

JNIEXPORT jlong JNICALL Java_covey_Native_clusteringColumns(JNIEnv *env, jclass class, jlong clustering) {
    (void)env, (void)class;
    return covey_clustering_columns(POINTER(covey_clustering, clustering));
}

JNIEXPORT void JNICALL Java_covey_Native_clusteringFittedRows(JNIEnv *env, jclass class, jlong clustering,
                                                              jdoubleArray rows) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    int64_t count = (*env)->GetArrayLength(env, rows);
    double *values = arena_allocate(&memory, count, sizeof *values);
    if (values) {
        covey_error *error = NULL;
        covey_status status =
            covey_clustering_fitted_rows(POINTER(covey_clustering, clustering), values, count, &error);
        if (succeeded(env, status, error)) write_back(&memory, rows, NUMBER_F64, values, count);
    }
    arena_end(&memory);
}

JNIEXPORT void JNICALL Java_covey_Native_clusteringCut(JNIEnv *env, jclass class, jlong clustering, jdouble distance,
                                                       jlong min_cluster_size, jintArray labels) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    int64_t count = (*env)->GetArrayLength(env, labels);
    int32_t *values = arena_allocate(&memory, count, sizeof *values);
    if (values) {
        covey_error *error = NULL;
        covey_status status = covey_clustering_cut(POINTER(covey_clustering, clustering), NULL, distance,
                                                   min_cluster_size, values, count, &error);
        if (succeeded(env, status, error)) write_back(&memory, labels, NUMBER_I32, values, count);
    }
    arena_end(&memory);
}

JNIEXPORT void JNICALL Java_covey_Native_clusteringMembership(JNIEnv *env, jclass class, jlong clustering,
                                                              jlong context, jobject matrix, jlong count,
                                                              jintArray clusters, jdoubleArray results) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_matrix view;
    const covey_matrix *rows = NULL;
    if (read_matrix(&memory, matrix, &view, &rows)) {
        int64_t size = (*env)->GetArrayLength(env, results);
        double *values = arena_allocate(&memory, size, sizeof *values);
        int32_t *best = values && clusters ? arena_allocate(&memory, size, sizeof *best) : NULL;
        if (values && !(*env)->ExceptionCheck(env)) {
            covey_error *error = NULL;
            covey_status status = covey_clustering_membership(
                POINTER(covey_clustering, clustering), context_of(context), rows, count, best, values, size, &error);
            if (succeeded(env, status, error)) {
                write_back(&memory, results, NUMBER_F64, values, size);
                if (best && !(*env)->ExceptionCheck(env)) write_back(&memory, clusters, NUMBER_I32, best, size);
            }
        }
    }
    arena_end(&memory);
}

JNIEXPORT void JNICALL Java_covey_Native_clusteringPlace(JNIEnv *env, jclass class, jlong clustering, jlong context,
                                                         jobject matrix, jintArray labels, jdoubleArray probabilities,
                                                         jdoubleArray outlier_scores, jlongArray neighbours) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_matrix view;
    const covey_matrix *rows;
    if (read_matrix(&memory, matrix, &view, &rows)) {
        int64_t count = rows->rows;
        int32_t *places = output_numbers(&memory, labels, NUMBER_I32, count);
        double *strengths = places ? output_numbers(&memory, probabilities, NUMBER_F64, count) : NULL;
        double *scores = strengths ? output_numbers(&memory, outlier_scores, NUMBER_F64, count) : NULL;
        int64_t *nearest = scores ? output_numbers(&memory, neighbours, NUMBER_I64, count) : NULL;
        if (nearest) {
            covey_error *error = NULL;
            covey_status status = covey_clustering_place(POINTER(covey_clustering, clustering), context_of(context),
                                                         rows, places, strengths, scores, nearest, &error);
            if (succeeded(env, status, error)) {
                write_back(&memory, labels, NUMBER_I32, places, count);
                if (!(*env)->ExceptionCheck(env)) write_back(&memory, probabilities, NUMBER_F64, strengths, count);
                if (!(*env)->ExceptionCheck(env)) write_back(&memory, outlier_scores, NUMBER_F64, scores, count);
                if (!(*env)->ExceptionCheck(env)) write_back(&memory, neighbours, NUMBER_I64, nearest, count);
            }
        }
    }
    arena_end(&memory);
}

JNIEXPORT jdouble JNICALL Java_covey_Native_validity(JNIEnv *env, jclass class, jlong context, jobject matrix,
                                                     jintArray labels, jint metric) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    double index = 0;
    covey_matrix view;
    const covey_matrix *rows;
    if (read_matrix(&memory, matrix, &view, &rows)) {
        const int32_t *values = numbers(&memory, labels, NUMBER_I32, 0, rows->rows);
        if (values) {
            covey_error *error = NULL;
            covey_status status = covey_validity(context_of(context), rows, values, metric, 0, &index, NULL, 0, &error);
            succeeded(env, status, error);
        }
    }
    arena_end(&memory);
    return index;
}

JNIEXPORT void JNICALL Java_covey_Native_clusteringPredict(JNIEnv *env, jclass class, jlong clustering, jlong context,
                                                           jobject matrix, jintArray labels,
                                                           jdoubleArray probabilities) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_matrix view;
    const covey_matrix *rows;
    if (read_matrix(&memory, matrix, &view, &rows)) {
        int32_t *places = output_numbers(&memory, labels, NUMBER_I32, rows->rows);
        double *strengths = places ? output_numbers(&memory, probabilities, NUMBER_F64, rows->rows) : NULL;
        if (strengths) {
            covey_error *error = NULL;
            covey_status status = covey_clustering_predict(POINTER(covey_clustering, clustering), context_of(context),
                                                           rows, places, strengths, &error);
            if (succeeded(env, status, error)) {
                write_back(&memory, labels, NUMBER_I32, places, rows->rows);
                if (!(*env)->ExceptionCheck(env)) write_back(&memory, probabilities, NUMBER_F64, strengths, rows->rows);
            }
        }
    }
    arena_end(&memory);
}

JNIEXPORT void JNICALL Java_covey_Native_clusteringDestroy(JNIEnv *env, jclass class, jlong clustering) {
    (void)env, (void)class;
    covey_clustering_destroy(POINTER(covey_clustering, clustering));
}
