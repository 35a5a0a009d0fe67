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
    matrix();
    nothing();
    return finish();
}
