/* Section 7 of covey.h: hybrid features. */
#include "files.h"

JNIEXPORT jlong JNICALL Java_covey_Native_hybridFit(JNIEnv *env, jclass class, jlong context, jobject embeddings,
                                                    jobject features, jint scaling, jint missing, jlong components,
                                                    jdouble embedding_weight, jdouble feature_weight, jdouble clip,
                                                    jdoubleArray column_weights) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_hybrid *hybrid = NULL;
    covey_matrix matrix_view;
    covey_table table_view;
    const covey_matrix *matrix;
    const covey_table *table;
    covey_hybrid_options options = COVEY_HYBRID_OPTIONS_INIT;
    options.scaling = scaling;
    options.missing = missing;
    options.embedding_components = components;
    options.embedding_weight = embedding_weight;
    options.feature_weight = feature_weight;
    options.clip = clip;
    if (read_matrix(&memory, embeddings, &matrix_view, &matrix) && read_table(&memory, features, &table_view, &table)) {
        if (column_weights)
            options.column_weights =
                numbers(&memory, column_weights, NUMBER_F64, 0, (*env)->GetArrayLength(env, column_weights));
        if (!(*env)->ExceptionCheck(env)) {
            covey_error *error = NULL;
            covey_status status = covey_hybrid_fit(context_of(context), matrix, table, &options, &hybrid, &error);
            if (!succeeded(env, status, error)) {
                covey_hybrid_destroy(hybrid);
                hybrid = NULL;
            }
        }
    }
    arena_end(&memory);
    return HANDLE(hybrid);
}

JNIEXPORT jlong JNICALL Java_covey_Native_hybridDimension(JNIEnv *env, jclass class, jlong hybrid) {
    (void)env, (void)class;
    return covey_hybrid_dimension(POINTER(covey_hybrid, hybrid));
}

JNIEXPORT jbyteArray JNICALL Java_covey_Native_hybridColumnName(JNIEnv *env, jclass class, jlong hybrid, jlong column) {
    (void)class;
    return utf8(env, covey_hybrid_column_name(POINTER(covey_hybrid, hybrid), column));
}

JNIEXPORT void JNICALL Java_covey_Native_hybridTransform(JNIEnv *env, jclass class, jlong hybrid, jlong context,
                                                         jobject embeddings, jobject features, jobject output) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_matrix matrix_view;
    covey_table table_view;
    const covey_matrix *matrix;
    const covey_table *table;
    if (read_matrix(&memory, embeddings, &matrix_view, &matrix) && read_table(&memory, features, &table_view, &table)) {
        /* The caller gives both row counts. If they differ, the library refuses the call before it writes. */
        int64_t rows = matrix ? matrix->rows : table ? table->rows : 0;
        int64_t count = rows * covey_hybrid_dimension(POINTER(covey_hybrid, hybrid));
        float *result = output_numbers(&memory, output, NUMBER_F32, count);
        if (result) {
            covey_error *error = NULL;
            covey_status status = covey_hybrid_transform(POINTER(covey_hybrid, hybrid), context_of(context), matrix,
                                                         table, result, 0, &error);
            if (succeeded(env, status, error)) write_back(&memory, output, NUMBER_F32, result, count);
        }
    }
    arena_end(&memory);
}

SAVES(hybrid, covey_hybrid_save)
LOADS(hybrid, covey_hybrid_load, covey_hybrid_destroy)
WRITES(hybrid, covey_hybrid_write)
READS(hybrid, covey_hybrid_read, covey_hybrid_destroy)

JNIEXPORT void JNICALL Java_covey_Native_hybridDestroy(JNIEnv *env, jclass class, jlong hybrid) {
    (void)env, (void)class;
    covey_hybrid_destroy(POINTER(covey_hybrid, hybrid));
}
