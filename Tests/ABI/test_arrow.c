/* Arrow record batches as tables, and fixed-size lists as matrices. */
#include "arrow_batch.h"

static void table_of_all_kinds(void) {
    arrow_batch batch;
    make_batch(&batch);
    covey_error *error = NULL;
    covey_arrow_table *arrow = NULL;
    CHECK_OK(covey_arrow_table_import(NULL, &batch.schema, &batch.array, &arrow, &error));
    const covey_table *table = covey_arrow_table_view(arrow);
    CHECK(table->rows == BATCH_ROWS);
    CHECK(table->column_count == BATCH_COLUMNS);
    const covey_column *columns = table->columns;
    CHECK(strcmp(columns[0].name, "amount") == 0);
    CHECK(columns[0].values == batch_amounts); /* not copied */

    const double *ages = columns[1].values;
    CHECK(columns[1].kind == COVEY_NUMERIC);
    CHECK(ages[0] == 1 && ages[1] == 2 && isnan(ages[2]) && ages[3] == 4);

    const int8_t *known = columns[2].values;
    CHECK(columns[2].kind == COVEY_BOOLEAN);
    CHECK(known[0] == 0 && known[1] == 1 && known[2] == 1 && known[3] == 0);

    const int32_t *countries = columns[3].values;
    CHECK(columns[3].kind == COVEY_CATEGORICAL && columns[3].category_count == 2);
    CHECK(strcmp(columns[3].categories[0], "NL") == 0 && strcmp(columns[3].categories[1], "BE") == 0);
    CHECK(countries[0] == 0 && countries[1] == 1 && countries[2] == -1 && countries[3] == 0);

    const int32_t *devices = columns[4].values;
    CHECK(columns[4].kind == COVEY_CATEGORICAL && columns[4].category_count == 2);
    CHECK(strcmp(columns[4].categories[0], "app") == 0 && strcmp(columns[4].categories[1], "web") == 0);
    CHECK(devices[0] == 1 && devices[1] == 0 && devices[2] == 0 && devices[3] == 1);

    const double *scores = columns[5].values;
    CHECK(scores[0] == 0.5 && scores[3] == 3);

    /* It is a table like any other. */
    covey_hybrid *hybrid = NULL;
    CHECK_OK(covey_hybrid_fit(NULL, NULL, table, NULL, &hybrid, &error));
    CHECK(covey_hybrid_dimension(hybrid) == 8);
    covey_hybrid_destroy(hybrid);
    covey_arrow_table_destroy(arrow);
    CHECK(batch.array.release != NULL && batch.schema.release != NULL);
}

/* A slice: an offset at the struct and at a column. */
static void slice(void) {
    arrow_batch batch;
    make_batch(&batch);
    batch.array.offset = 1;
    batch.array.length = 2;
    batch.column_arrays[0].offset = 1;
    batch.column_arrays[0].length = 3;
    covey_error *error = NULL;
    covey_arrow_table *arrow = NULL;
    CHECK_OK(covey_arrow_table_import(NULL, &batch.schema, &batch.array, &arrow, &error));
    const covey_table *table = covey_arrow_table_view(arrow);
    CHECK(table->rows == 2);
    CHECK(((const double *)table->columns[0].values)[1] == 40);
    CHECK(((const double *)table->columns[1].values)[0] == 2 && isnan(((const double *)table->columns[1].values)[1]));
    CHECK(((const int8_t *)table->columns[2].values)[1] == 1);
    CHECK(((const int32_t *)table->columns[3].values)[1] == -1);
    CHECK(((const int32_t *)table->columns[4].values)[1] == 0);
    covey_arrow_table_destroy(arrow);
}

/* One column of a format, with its buffers, as a batch of four rows. */
typedef struct one_column {
    struct ArrowSchema schema, column_schema, *schema_child;
    struct ArrowArray array, column_array, *array_child;
    const void *buffers[4], *root_buffers[1];
} one_column;

static void make_column(one_column *batch, const char *format, const void *second, int64_t rows) {
    memset(batch, 0, sizeof *batch);
    batch->column_schema.format = format;
    batch->column_schema.name = "x";
    batch->schema_child = &batch->column_schema;
    batch->schema.format = "+s";
    batch->schema.n_children = batch->array.n_children = 1;
    batch->schema.children = &batch->schema_child;
    batch->schema.release = release_schema;
    batch->buffers[1] = second;
    batch->column_array.length = batch->array.length = rows;
    batch->column_array.n_buffers = 2;
    batch->column_array.buffers = batch->buffers;
    batch->array_child = &batch->column_array;
    batch->array.children = &batch->array_child;
    batch->array.n_buffers = 1;
    batch->array.buffers = batch->root_buffers;
    batch->array.release = release_array;
}

static void check_numbers(one_column *batch, int32_t kind, const double *expected, int64_t rows) {
    covey_error *error = NULL;
    covey_arrow_table *arrow = NULL;
    CHECK_OK(covey_arrow_table_import(NULL, &batch->schema, &batch->array, &arrow, &error));
    const covey_table *table = covey_arrow_table_view(arrow);
    CHECK(table->rows == rows && table->columns[0].kind == kind);
    const double *values = table->columns[0].values;
    for (int64_t row = 0; row < rows; row++)
        CHECK(values[row] == expected[row] || (isnan(values[row]) && isnan(expected[row])));
    covey_arrow_table_destroy(arrow);
}

static void numbers_of_other_forms(void) {
    static const int32_t small[] = {110, -370, INT32_MIN, 0};
    static const int64_t wide[][2] = {{110, 0}, {-370, -1}, {0, 1}, {INT64_MIN, -1}};
    static const uint16_t halves[] = {0x3c00, 0xc500, 0x0001, 0x7c00};
    static const int64_t microseconds[] = {1500000, -1, 3723000000, 0};
    static const int32_t days[] = {0, -1, 20000, 1};
    one_column batch;
    make_column(&batch, "d:9,2,32", small, 4);
    check_numbers(&batch, COVEY_NUMERIC, (double[]){1.10, -3.70, -21474836.48, 0}, 4);
    make_column(&batch, "d:38,2", wide, 4);
    check_numbers(&batch, COVEY_NUMERIC,
                  (double[]){1.10, -3.70, 18446744073709551616.0 / 100, -9223372036854775808.0 / 100}, 4);
    make_column(&batch, "d:9,-2,32", small, 2);
    check_numbers(&batch, COVEY_NUMERIC, (double[]){11000, -37000}, 2);
    make_column(&batch, "e", halves, 4);
    check_numbers(&batch, COVEY_NUMERIC, (double[]){1, -5, ldexp(1, -24), INFINITY}, 4);
    make_column(&batch, "tDu", microseconds, 4);
    check_numbers(&batch, COVEY_NUMERIC, (double[]){1.5, -1e-6, 3723, 0}, 4);
    make_column(&batch, "ttu", microseconds, 3);
    check_numbers(&batch, COVEY_NUMERIC, (double[]){1.5, -1e-6, 3723}, 3);
    make_column(&batch, "ttm", small, 2);
    check_numbers(&batch, COVEY_NUMERIC, (double[]){0.11, -0.37}, 2);
    make_column(&batch, "tdD", days, 4);
    check_numbers(&batch, COVEY_DATE, (double[]){0, -86400, 1728000000, 86400}, 4);

    /* Runs of 1 x 2.5, 3 x null, read from the second row on. */
    static const int32_t ends[] = {1, 4};
    static const double values[] = {2.5, 7};
    static const uint8_t first_is_known[] = {1};
    const void *end_buffers[] = {NULL, ends}, *value_buffers[] = {first_is_known, values};
    struct ArrowSchema end_schema = {"i", "run_ends", NULL, 0, 0, NULL, NULL, NULL, NULL};
    struct ArrowSchema value_schema = {"g", "values", NULL, 0, 0, NULL, NULL, NULL, NULL};
    struct ArrowSchema *schemas[] = {&end_schema, &value_schema};
    struct ArrowArray end_array = {2, 0, 0, 2, 0, end_buffers, NULL, NULL, NULL, NULL};
    struct ArrowArray value_array = {2, 1, 0, 2, 0, value_buffers, NULL, NULL, NULL, NULL};
    struct ArrowArray *arrays[] = {&end_array, &value_array};
    make_column(&batch, "+r", NULL, 4);
    batch.column_schema.n_children = batch.column_array.n_children = 2;
    batch.column_schema.children = schemas;
    batch.column_array.children = arrays;
    batch.column_array.n_buffers = 0;
    check_numbers(&batch, COVEY_NUMERIC, (double[]){2.5, NAN, NAN, NAN}, 4);
    batch.column_array.offset = 1;
    batch.column_array.length = batch.array.length = 3;
    check_numbers(&batch, COVEY_NUMERIC, (double[]){NAN, NAN, NAN}, 3);
}

/* Views: short strings inside, long ones in a buffer of their own; and dictionaries that differ from batch to batch. */
static void strings_of_other_forms(void) {
    struct {
        int32_t length;
        char text[12];
    } views[3] = {{2, "NL"}, {20, ""}, {0, ""}};
    static const char text[] = "....a string of 20 bytes";
    const int32_t place[] = {0, 4};
    memcpy(views[1].text, text + 4, 4);
    memcpy(views[1].text + 4, place, 8);
    const int64_t sizes[] = {24};
    one_column batch;
    make_column(&batch, "vu", views, 3);
    batch.column_array.n_buffers = 4;
    batch.buffers[2] = text;
    batch.buffers[3] = sizes;
    covey_error *error = NULL;
    covey_arrow_table *arrow = NULL;
    CHECK_OK(covey_arrow_table_import(NULL, &batch.schema, &batch.array, &arrow, &error));
    const covey_column *column = covey_arrow_table_view(arrow)->columns;
    CHECK(column->kind == COVEY_CATEGORICAL && column->category_count == 3);
    CHECK(strcmp(column->categories[0], "NL") == 0 && strcmp(column->categories[1], "a string of 20 bytes") == 0);
    CHECK(strcmp(column->categories[2], "") == 0);
    covey_arrow_table_destroy(arrow);

    arrow_batch one, other;
    make_batch(&one);
    make_batch(&other);
    static const int32_t offsets[] = {0, 3, 6};
    other.dictionary_buffers[1] = offsets;
    other.dictionary_buffers[2] = "fawapp";
    const struct ArrowArray *arrays[] = {&one.array, &other.array};
    static const char *const names[] = {"device", "amount", "nothing"};
    covey_arrow_options options = COVEY_ARROW_OPTIONS_INIT;
    options.names = names;
    options.name_count = 3;
    CHECK_OK(covey_arrow_table_import_batches(NULL, &one.schema, arrays, 2, &options, &arrow, &error));
    const covey_table *table = covey_arrow_table_view(arrow);
    CHECK(table->rows == 8 && table->column_count == 2);
    CHECK(strcmp(table->columns[0].name, "amount") == 0 && strcmp(table->columns[1].name, "device") == 0);
    CHECK(((const double *)table->columns[0].values)[7] == 40 && table->columns[1].category_count == 3);
    static const char *const expected[] = {"web", "app", "app", "web", "app", "faw", "faw", "app"};
    for (int row = 0; row < 8; row++)
        CHECK(strcmp(table->columns[1].categories[((const int32_t *)table->columns[1].values)[row]], expected[row]) ==
              0);
    covey_arrow_table_destroy(arrow);
    CHECK_OK(covey_arrow_table_import_batches(NULL, &one.schema, NULL, 0, NULL, &arrow, &error));
    CHECK(covey_arrow_table_view(arrow)->rows == 0 && covey_arrow_table_view(arrow)->column_count == BATCH_COLUMNS);
    covey_arrow_table_destroy(arrow);
}

/* A stream of batches, which counts what is released. */
static int batches_left, released;
static arrow_batch streamed;
static void count_array(struct ArrowArray *array) { array->release = NULL, released++; }
static void count_schema(struct ArrowSchema *schema) { schema->release = NULL, released++; }
static int stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    (void)stream;
    *out = streamed.schema;
    out->release = count_schema;
    return 0;
}
static int stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    if (batches_left == 0 && stream->private_data) return 5;
    *out = streamed.array;
    out->release = batches_left-- > 0 ? count_array : NULL;
    return 0;
}
static const char *stream_error(struct ArrowArrayStream *stream) { return stream->private_data; }
static void stream_release(struct ArrowArrayStream *stream) { stream->release = NULL; }

static void stream(void) {
    make_batch(&streamed);
    struct ArrowArrayStream given = {stream_schema, stream_next, stream_error, stream_release, NULL};
    covey_error *error = NULL;
    covey_arrow_table *arrow = NULL;
    batches_left = 3;
    CHECK_OK(covey_arrow_table_import_stream(NULL, &given, NULL, &arrow, &error));
    CHECK(given.release == stream_release && released == 0);
    CHECK(covey_arrow_table_view(arrow)->rows == 12);
    CHECK(((const double *)covey_arrow_table_view(arrow)->columns[1].values)[11] == 4);
    covey_arrow_table_destroy(arrow);
    CHECK(released == 4);

    batches_left = 2;
    given.private_data = "the disk is gone";
    CHECK(covey_arrow_table_import_stream(NULL, &given, NULL, &arrow, &error) == COVEY_IO);
    CHECK(arrow == NULL && strstr(covey_error_message(error), "batch 2: the disk is gone") != NULL);
    CHECK(released == 7);
    covey_error_destroy(error);
}

static void matrix(void) {
    static const float numbers[] = {0, 1, 2, 3, 4, 5, 6, 7};
    const void *number_buffers[] = {NULL, numbers}, *list_buffers[] = {NULL};
    struct ArrowSchema number_schema = {"f", "item", NULL, 0, 0, NULL, NULL, release_schema, NULL};
    struct ArrowSchema *schema_children[] = {&number_schema};
    struct ArrowSchema schema = {"+w:2", "embedding", NULL, 0, 1, schema_children, NULL, release_schema, NULL};
    struct ArrowArray number_array = {8, 0, 0, 2, 0, number_buffers, NULL, NULL, release_array, NULL};
    struct ArrowArray *array_children[] = {&number_array};
    struct ArrowArray array = {3, 0, 1, 1, 1, list_buffers, array_children, NULL, release_array, NULL};
    covey_error *error = NULL;
    covey_matrix view = COVEY_MATRIX_INIT;
    CHECK_OK(covey_arrow_matrix(&schema, &array, &view, &error));
    CHECK(view.data == numbers + 2);
    CHECK(view.rows == 3 && view.columns == 2 && view.type == COVEY_FLOAT32);

    array.length = 4;
    CHECK(covey_arrow_matrix(&schema, &array, &view, NULL) == COVEY_INVALID_DATA);
    array.length = 3;
    schema.format = "+w:9223372036854775807";
    CHECK(covey_arrow_matrix(&schema, &array, &view, NULL) == COVEY_UNSUPPORTED);
    schema.format = "+l";
    CHECK(covey_arrow_matrix(&schema, &array, &view, NULL) == COVEY_UNSUPPORTED);
    CHECK(covey_arrow_matrix(&schema, &array, NULL, NULL) != COVEY_OK);
}

static void nothing(void) {
    CHECK(covey_arrow_table_view(NULL) == NULL);
    covey_arrow_table_destroy(NULL);
}

int main(void) {
    table_of_all_kinds();
    slice();
    numbers_of_other_forms();
    strings_of_other_forms();
    stream();
    matrix();
    nothing();
    return finish();
}
