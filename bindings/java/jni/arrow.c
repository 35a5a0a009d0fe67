/* Section 4 of covey.h: Arrow's C data interface. Java sees the imported numbers as direct buffers. */
#include "support.h"

JNIEXPORT jlong JNICALL Java_covey_Native_arrowImport(JNIEnv *env, jclass class, jlong context, jlong schema,
                                                      jlong array) {
    (void)class;
    covey_arrow_table *table = NULL;
    covey_error *error = NULL;
    covey_status status = covey_arrow_table_import(context_of(context), POINTER(struct ArrowSchema, schema),
                                                   POINTER(struct ArrowArray, array), &table, &error);
    if (!succeeded(env, status, error)) {
        covey_arrow_table_destroy(table);
        table = NULL;
    }
    return HANDLE(table);
}

/* The options for reading `count` columns by name; a null blob means all columns. */
static covey_arrow_options wanted(arena *memory, jbyteArray names, jlong count) {
    covey_arrow_options options = COVEY_ARROW_OPTIONS_INIT;
    static const char *const none[1];
    if (names == NULL) return options;
    options.names = count == 0 ? none : (const char *const *)texts(memory, names, count);
    options.name_count = count;
    return options;
}

JNIEXPORT jlong JNICALL Java_covey_Native_arrowImportStream(JNIEnv *env, jclass class, jlong context, jlong stream,
                                                            jbyteArray names, jlong count) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_arrow_table *table = NULL;
    covey_error *error = NULL;
    covey_arrow_options options = wanted(&memory, names, count);
    if (!(*env)->ExceptionCheck(env)) {
        covey_status status = covey_arrow_table_import_stream(
            context_of(context), POINTER(struct ArrowArrayStream, stream), &options, &table, &error);
        if (!succeeded(env, status, error)) {
            covey_arrow_table_destroy(table);
            table = NULL;
        }
    }
    arena_end(&memory);
    return HANDLE(table);
}

JNIEXPORT jlong JNICALL Java_covey_Native_arrowImportBatches(JNIEnv *env, jclass class, jlong context, jlong schema,
                                                             jlongArray arrays, jbyteArray names, jlong name_count) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_arrow_table *table = NULL;
    covey_error *error = NULL;
    covey_arrow_options options = wanted(&memory, names, name_count);
    jsize count = (*env)->GetArrayLength(env, arrays);
    const struct ArrowArray **pointers = arena_allocate(&memory, count, sizeof *pointers);
    if (pointers != NULL) {
        for (jsize index = 0; index < count; index++) {
            jlong address = 0;
            (*env)->GetLongArrayRegion(env, arrays, index, 1, &address);
            pointers[index] = POINTER(struct ArrowArray, address);
        }
    }
    if (!(*env)->ExceptionCheck(env)) {
        covey_status status = covey_arrow_table_import_batches(context_of(context), POINTER(struct ArrowSchema, schema),
                                                               pointers, count, &options, &table, &error);
        if (!succeeded(env, status, error)) {
            covey_arrow_table_destroy(table);
            table = NULL;
        }
    }
    arena_end(&memory);
    return HANDLE(table);
}

JNIEXPORT void JNICALL Java_covey_Native_arrowDestroy(JNIEnv *env, jclass class, jlong table) {
    (void)env, (void)class;
    covey_arrow_table_destroy(POINTER(covey_arrow_table, table));
}

static const covey_table *view_of(jlong table) { return covey_arrow_table_view(POINTER(covey_arrow_table, table)); }

/* The columns may be longer than the struct of this version. */
static const covey_column *column_of(jlong table, jint index) {
    const covey_table *view = view_of(table);
    return (const covey_column *)((const char *)view->columns + (size_t)index * view->column_size);
}

JNIEXPORT jlong JNICALL Java_covey_Native_arrowRows(JNIEnv *env, jclass class, jlong table) {
    (void)env, (void)class;
    return view_of(table)->rows;
}

JNIEXPORT jlong JNICALL Java_covey_Native_arrowColumnCount(JNIEnv *env, jclass class, jlong table) {
    (void)env, (void)class;
    return view_of(table)->column_count;
}

JNIEXPORT jbyteArray JNICALL Java_covey_Native_arrowColumnName(JNIEnv *env, jclass class, jlong table, jint column) {
    (void)class;
    return utf8(env, column_of(table, column)->name);
}

JNIEXPORT jint JNICALL Java_covey_Native_arrowColumnKind(JNIEnv *env, jclass class, jlong table, jint column) {
    (void)env, (void)class;
    return column_of(table, column)->kind;
}

JNIEXPORT jlong JNICALL Java_covey_Native_arrowCategoryCount(JNIEnv *env, jclass class, jlong table, jint column) {
    (void)env, (void)class;
    return column_of(table, column)->category_count;
}

JNIEXPORT jbyteArray JNICALL Java_covey_Native_arrowCategory(JNIEnv *env, jclass class, jlong table, jint column,
                                                             jlong category) {
    (void)class;
    return utf8(env, column_of(table, column)->categories[category]);
}

/** Returns a direct buffer that borrows the memory. */
static jobject buffer_over(JNIEnv *env, const void *data, int64_t count, size_t size) {
    if (count > INT32_MAX / (int64_t)size) {
        fail(env, COVEY_OUT_OF_MEMORY, "%lld numbers of %zu bytes do not fit in a Java buffer", (long long)count, size);
        return NULL;
    }
    return (*env)->NewDirectByteBuffer(env, (void *)(uintptr_t)data, count * (int64_t)size);
}

JNIEXPORT jobject JNICALL Java_covey_Native_arrowColumnValues(JNIEnv *env, jclass class, jlong table, jint index) {
    (void)class;
    const covey_column *column = column_of(table, index);
    size_t size = column->kind == COVEY_NUMERIC || column->kind == COVEY_DATE ? 8
                  : column->kind == COVEY_CATEGORICAL                         ? 4
                                                                              : 1;
    if (column->stride != 0 && column->stride != (int64_t)size) {
        fail(env, COVEY_UNSUPPORTED, "%s: a stride of %lld bytes", column->name, (long long)column->stride);
        return NULL;
    }
    return buffer_over(env, column->values, view_of(table)->rows, size);
}

/* Writes rows, columns and type to `shape`. */
JNIEXPORT jobject JNICALL Java_covey_Native_arrowMatrix(JNIEnv *env, jclass class, jlong schema, jlong array,
                                                        jlongArray shape) {
    (void)class;
    covey_matrix matrix = COVEY_MATRIX_INIT;
    covey_error *error = NULL;
    covey_status status =
        covey_arrow_matrix(POINTER(struct ArrowSchema, schema), POINTER(struct ArrowArray, array), &matrix, &error);
    if (!succeeded(env, status, error)) return NULL;
    const jlong numbers[] = {matrix.rows, matrix.columns, matrix.type};
    (*env)->SetLongArrayRegion(env, shape, 0, 3, numbers);
    if ((*env)->ExceptionCheck(env)) return NULL;
    size_t size = matrix.type == COVEY_FLOAT32 ? 4 : 8;
    if (matrix.row_stride != 0 && matrix.row_stride != matrix.columns * (int64_t)size) {
        fail(env, COVEY_UNSUPPORTED, "a row stride of %lld bytes", (long long)matrix.row_stride);
        return NULL;
    }
    return buffer_over(env, matrix.data, matrix.rows * matrix.columns, size);
}
