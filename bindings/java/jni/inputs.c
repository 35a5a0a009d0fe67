/* Sections 4 and 5 of covey.h: C's view of covey.Sequences, covey.FeatureTable and covey.Matrix. */
#include "support.h"

#include <string.h>

static struct {
    jfieldID offsets, types, times, dwell, numeric, categorical;
} sequences_field;
static struct {
    jfieldID rows, text, kinds, category_counts, values;
} table_field;
static struct {
    jfieldID data, rows, columns, type;
} matrix_field;

int load_inputs(JNIEnv *env) {
    const char *object = "Ljava/lang/Object;", *objects = "[Ljava/lang/Object;";
    jclass type = (*env)->FindClass(env, "covey/Sequences");
    if (!type || !(sequences_field.offsets = (*env)->GetFieldID(env, type, "offsets", object)) ||
        !(sequences_field.types = (*env)->GetFieldID(env, type, "types", object)) ||
        !(sequences_field.times = (*env)->GetFieldID(env, type, "times", object)) ||
        !(sequences_field.dwell = (*env)->GetFieldID(env, type, "dwell", object)) ||
        !(sequences_field.numeric = (*env)->GetFieldID(env, type, "numeric", objects)) ||
        !(sequences_field.categorical = (*env)->GetFieldID(env, type, "categorical", objects)))
        return 0;
    type = (*env)->FindClass(env, "covey/FeatureTable");
    if (!type || !(table_field.rows = (*env)->GetFieldID(env, type, "rows", "I")) ||
        !(table_field.text = (*env)->GetFieldID(env, type, "text", "[B")) ||
        !(table_field.kinds = (*env)->GetFieldID(env, type, "kinds", "[I")) ||
        !(table_field.category_counts = (*env)->GetFieldID(env, type, "categoryCounts", "[I")) ||
        !(table_field.values = (*env)->GetFieldID(env, type, "values", objects)))
        return 0;
    type = (*env)->FindClass(env, "covey/Matrix");
    return type && (matrix_field.data = (*env)->GetFieldID(env, type, "data", object)) &&
           (matrix_field.rows = (*env)->GetFieldID(env, type, "rows", "I")) &&
           (matrix_field.columns = (*env)->GetFieldID(env, type, "columns", "I")) &&
           (matrix_field.type = (*env)->GetFieldID(env, type, "type", "I"));
}

/* --------------------------------------------------------------------------------------------------- sequences --- */

/** Reads the events [from, from + count) of a column. Returns 0 with a pending exception if the column is shorter. */
static int read_events(arena *memory, jobject source, const char *name, number type, int64_t from, int64_t count,
                       const void **values) {
    int64_t length = numbers_length(memory, source);
    if (length < from + count) {
        fail(memory->env, COVEY_MISMATCH, "%s must hold offsets[count] = %lld numbers, got %lld", name,
             (long long)(from + count), (long long)length);
        return 0;
    }
    *values = numbers(memory, source, type, from, count);
    return *values != NULL;
}

static int read_channels(arena *memory, jobjectArray sources, const char *name, number type, int64_t from,
                         int64_t count, const covey_channel **channels, int64_t *channel_count) {
    JNIEnv *env = memory->env;
    *channel_count = (*env)->GetArrayLength(env, sources);
    *channels = NULL;
    if (*channel_count == 0) return 1;
    covey_channel *result = arena_allocate(memory, *channel_count, sizeof *result);
    if (!result) return 0;
    for (jsize index = 0; index < *channel_count; ++index) {
        jobject source = (*env)->GetObjectArrayElement(env, sources, index);
        if ((*env)->ExceptionCheck(env)) return 0;
        result[index].stride = 0;
        if (!read_events(memory, source, name, type, from, count, &result[index].values)) return 0;
        (*env)->DeleteLocalRef(env, source);
    }
    *channels = result;
    return 1;
}

/**
 * Reads the offsets of a Java batch. They must be at least 0 and not decrease, so that the last one is the end of the
 * columns. Only the events between the first and the last offset are read, so the offsets of the copy start at 0.
 */
static int read_offsets(arena *memory, jobject source, covey_sequences *view, int64_t *first) {
    int64_t length = numbers_length(memory, source);
    if (length == 0) {
        fail(memory->env, COVEY_INVALID_DATA, "offsets must hold at least one number");
        return 0;
    }
    const int64_t *given = numbers(memory, source, NUMBER_I64, 0, length);
    int64_t *offsets = arena_allocate(memory, length, sizeof *offsets);
    if (!given || !offsets) return 0;
    memcpy(offsets, given, (size_t)length * sizeof *offsets); /* a borrowed buffer may change after the check */
    *first = offsets[0];
    for (int64_t index = 0, previous = 0; index < length; ++index) {
        if (offsets[index] < previous) {
            fail(memory->env, COVEY_INVALID_DATA, "offsets must not be negative or decrease: offsets[%lld] is %lld",
                 (long long)index, (long long)offsets[index]);
            return 0;
        }
        previous = offsets[index];
        offsets[index] -= *first;
    }
    view->offsets = offsets;
    view->count = length - 1;
    return 1;
}

int read_sequences(arena *memory, jobject source, covey_sequences *view, const covey_sequences **result) {
    JNIEnv *env = memory->env;
    *result = NULL;
    if (!source) return 1;
    int64_t first;
    *view = (covey_sequences)COVEY_SEQUENCES_INIT;
    if (!read_offsets(memory, (*env)->GetObjectField(env, source, sequences_field.offsets), view, &first)) return 0;
    int64_t count = view->offsets[view->count];
    const void *types, *times, *dwell = NULL;
    jobject dwells = (*env)->GetObjectField(env, source, sequences_field.dwell);
    if (!read_events(memory, (*env)->GetObjectField(env, source, sequences_field.types), "types", NUMBER_I32, first,
                     count, &types) ||
        !read_events(memory, (*env)->GetObjectField(env, source, sequences_field.times), "times", NUMBER_F64, first,
                     count, &times) ||
        (dwells && !read_events(memory, dwells, "dwell", NUMBER_F64, first, count, &dwell)) ||
        !read_channels(memory, (*env)->GetObjectField(env, source, sequences_field.numeric), "a numeric channel",
                       NUMBER_F64, first, count, &view->numeric, &view->numeric_count) ||
        !read_channels(memory, (*env)->GetObjectField(env, source, sequences_field.categorical),
                       "a categorical channel", NUMBER_I32, first, count, &view->categorical, &view->categorical_count))
        return 0;
    view->types = types;
    view->times = times;
    view->dwell = dwell;
    *result = view;
    return 1;
}

/* ------------------------------------------------------------------------------------------ tables and matrices --- */

static int read_columns(arena *memory, jobject source, covey_table *view) {
    JNIEnv *env = memory->env;
    jobjectArray values = (*env)->GetObjectField(env, source, table_field.values);
    jbyteArray blob = (*env)->GetObjectField(env, source, table_field.text);
    int64_t count = (*env)->GetArrayLength(env, values);
    view->column_count = count;
    if (count == 0) return 1;
    const jint *kinds = numbers(memory, (*env)->GetObjectField(env, source, table_field.kinds), NUMBER_I32, 0, count);
    if (!kinds) return 0;
    const jint *category_counts =
        numbers(memory, (*env)->GetObjectField(env, source, table_field.category_counts), NUMBER_I32, 0, count);
    if (!category_counts) return 0;
    int64_t strings = count;
    for (int64_t index = 0; index < count; ++index) strings += category_counts[index];
    const char **names = texts(memory, blob, strings);
    covey_column *columns = names ? arena_allocate(memory, count, sizeof *columns) : NULL;
    if (!columns) return 0;
    for (jsize index = 0; index < count; ++index) {
        const number type = kinds[index] == COVEY_NUMERIC || kinds[index] == COVEY_DATE ? NUMBER_F64
                            : kinds[index] == COVEY_CATEGORICAL                         ? NUMBER_I32
                                                                                        : NUMBER_I8;
        jobject column = (*env)->GetObjectArrayElement(env, values, index);
        if ((*env)->ExceptionCheck(env)) return 0;
        const void *copy = numbers(memory, column, type, 0, view->rows);
        if (!copy) return 0;
        (*env)->DeleteLocalRef(env, column);
        columns[index] = (covey_column){
            names[0], copy, 0, category_counts[index] ? names + 1 : NULL, category_counts[index], kinds[index], 0};
        names += 1 + category_counts[index];
    }
    view->columns = columns;
    return 1;
}

int read_table(arena *memory, jobject source, covey_table *view, const covey_table **result) {
    *result = NULL;
    if (!source) return 1;
    *view = (covey_table)COVEY_TABLE_INIT;
    view->rows = (*memory->env)->GetIntField(memory->env, source, table_field.rows);
    if (!read_columns(memory, source, view)) return 0;
    *result = view;
    return 1;
}

int read_matrix(arena *memory, jobject source, covey_matrix *view, const covey_matrix **result) {
    JNIEnv *env = memory->env;
    *result = NULL;
    if (!source) return 1;
    *view = (covey_matrix)COVEY_MATRIX_INIT;
    view->rows = (*env)->GetIntField(env, source, matrix_field.rows);
    view->columns = (*env)->GetIntField(env, source, matrix_field.columns);
    view->type = (*env)->GetIntField(env, source, matrix_field.type);
    number type = view->type == COVEY_FLOAT32 ? NUMBER_F32 : NUMBER_F64;
    view->data =
        numbers(memory, (*env)->GetObjectField(env, source, matrix_field.data), type, 0, view->rows * view->columns);
    if (!view->data) return 0;
    *result = view;
    return 1;
}
