#include "arrow_batch.h"

static covey_status import(arrow_batch *batch, covey_error **error) {
    covey_arrow_table *table = (covey_arrow_table *)1;
    covey_status status = covey_arrow_table_import(NULL, &batch->schema, &batch->array, &table, error);
    if (status != COVEY_OK && table != NULL) return COVEY_INTERNAL;
    covey_arrow_table_destroy(table);
    return status;
}

/* A case that spoils a good batch in one place. */
#define SPOILED(name, change) \
    static covey_status name(covey_error **error) { \
        arrow_batch batch; \
        make_batch(&batch); \
        change; \
        return import(&batch, error); \
    }

static const int32_t falling_offsets[] = {0, 2, 1, 1, 6};
static const int32_t negative_offsets[] = {-1, 2, 4, 4, 6};
static const int8_t wrong_codes[] = {1, 2, 0, 1};
static const char no_text[] = "\xff\xfe\xff\xfe\xff\xfe";

static const struct {
    int32_t length, prefix, buffer, place;
} outside_view[4] = {{0, 0, 0, 0}, {20, 0, 0, 5}, {0, 0, 0, 0}, {0, 0, 0, 0}};
static const int64_t view_sizes[] = {24};
static const void *view_buffers[] = {NULL, outside_view, batch_text, view_sizes};

static void spoil_view(arrow_batch *batch) {
    batch->column_schemas[3].format = "vu";
    batch->column_arrays[3].n_buffers = 4;
    batch->column_arrays[3].null_count = 0;
    batch->column_arrays[3].buffers = view_buffers;
}

SPOILED(released_array, batch.array.release = NULL)
SPOILED(released_schema, batch.schema.release = NULL)
SPOILED(not_a_struct, batch.schema.format = "i")
SPOILED(no_format, batch.column_schemas[1].format = NULL)
SPOILED(no_name, batch.column_schemas[0].name = NULL)
SPOILED(negative_length, batch.array.length = -1)
SPOILED(huge_length, batch.array.length = INT64_MAX)
SPOILED(huge_offset, batch.column_arrays[0].offset = INT64_MAX)
SPOILED(short_column, batch.column_arrays[5].length = 3)
SPOILED(children_differ, batch.array.n_children = 5)
SPOILED(negative_children, batch.schema.n_children = -1)
SPOILED(null_child, batch.array_children[2] = NULL)
SPOILED(null_values, batch.buffers[5][1] = NULL)
SPOILED(wrong_buffers, batch.column_arrays[1].n_buffers = 1)
SPOILED(nulls_without_bits, batch.column_arrays[5].null_count = 2)
SPOILED(more_nulls_than_rows, batch.column_arrays[5].null_count = 5)
SPOILED(binary, batch.column_schemas[1].format = "z")
SPOILED(list, batch.column_schemas[1].format = "+l")
SPOILED(decimal_of_no_width, batch.column_schemas[1].format = "d:5,2,48")
SPOILED(view_without_sizes, (spoil_view(&batch), batch.column_arrays[3].n_buffers = 3))
SPOILED(view_outside, spoil_view(&batch))
SPOILED(no_runs, batch.column_schemas[1].format = "+r")
SPOILED(nul_in_text, batch.buffers[3][2] = "N\0BENL")
SPOILED(unit, batch.column_schemas[1].format = "tsx:")
SPOILED(offsets_fall, batch.buffers[3][1] = falling_offsets)
SPOILED(offsets_negative, batch.buffers[3][1] = negative_offsets)
SPOILED(not_utf8, batch.buffers[3][2] = no_text)
SPOILED(code_outside, batch.buffers[4][1] = wrong_codes)
SPOILED(no_dictionary, batch.column_arrays[4].dictionary = NULL)
SPOILED(dictionary_of_booleans, batch.dictionary_schema.format = "b")

static covey_status null_schema(covey_error **error) {
    arrow_batch batch;
    make_batch(&batch);
    covey_arrow_table *table = NULL;
    return covey_arrow_table_import(NULL, NULL, &batch.array, &table, error);
}

/* Runs whose ends are spoilt. */
static covey_status import_runs(int32_t first, int32_t second, int64_t values, const char *format,
                                covey_error **error) {
    const int32_t ends[] = {first, second};
    const double numbers[] = {1, 2};
    const void *end_buffers[] = {NULL, ends}, *value_buffers[] = {NULL, numbers};
    struct ArrowSchema end_schema = {format, "run_ends", NULL, 0, 0, NULL, NULL, NULL, NULL};
    struct ArrowSchema value_schema = {"g", "values", NULL, 0, 0, NULL, NULL, NULL, NULL};
    struct ArrowSchema *schemas[] = {&end_schema, &value_schema};
    struct ArrowArray end_array = {2, 0, 0, 2, 0, end_buffers, NULL, NULL, NULL, NULL};
    struct ArrowArray value_array = {values, 0, 0, 2, 0, value_buffers, NULL, NULL, NULL, NULL};
    struct ArrowArray *arrays[] = {&end_array, &value_array};
    arrow_batch batch;
    make_batch(&batch);
    batch.column_schemas[0].format = "+r";
    batch.column_schemas[0].n_children = batch.column_arrays[0].n_children = 2;
    batch.column_schemas[0].children = schemas;
    batch.column_arrays[0].children = arrays;
    batch.column_arrays[0].n_buffers = 0;
    return import(&batch, error);
}

static covey_status runs_fall(covey_error **error) { return import_runs(3, 3, 2, "i", error); }
static covey_status runs_end_early(covey_error **error) { return import_runs(1, 3, 2, "i", error); }
static covey_status runs_without_values(covey_error **error) { return import_runs(1, 4, 1, "i", error); }
static covey_status runs_of_bytes(covey_error **error) { return import_runs(1, 4, 2, "c", error); }

static covey_status import_batches(int64_t count, const covey_arrow_options *options, int with_arrays,
                                   covey_error **error) {
    arrow_batch batch;
    make_batch(&batch);
    const struct ArrowArray *arrays[] = {&batch.array, NULL};
    covey_arrow_table *table = (covey_arrow_table *)1;
    covey_status status = covey_arrow_table_import_batches(NULL, &batch.schema, with_arrays ? arrays : NULL, count,
                                                           options, &table, error);
    return status != COVEY_OK && table != NULL ? COVEY_INTERNAL : status;
}

static covey_status negative_count(covey_error **error) { return import_batches(-1, NULL, 1, error); }
static covey_status no_arrays(covey_error **error) { return import_batches(1, NULL, 0, error); }
static covey_status null_batch(covey_error **error) { return import_batches(2, NULL, 1, error); }
static covey_status no_names(covey_error **error) {
    covey_arrow_options options = COVEY_ARROW_OPTIONS_INIT;
    options.name_count = 1;
    return import_batches(1, &options, 1, error);
}
static covey_status null_name(covey_error **error) {
    static const char *const names[] = {NULL};
    covey_arrow_options options = COVEY_ARROW_OPTIONS_INIT;
    options.names = names;
    options.name_count = 1;
    return import_batches(1, &options, 1, error);
}
static covey_status null_stream(covey_error **error) {
    covey_arrow_table *table = NULL;
    return covey_arrow_table_import_stream(NULL, NULL, NULL, &table, error);
}
static covey_status released_stream(covey_error **error) {
    struct ArrowArrayStream stream = {NULL, NULL, NULL, NULL, NULL};
    covey_arrow_table *table = NULL;
    return covey_arrow_table_import_stream(NULL, &stream, NULL, &table, error);
}

static covey_status null_table(covey_error **error) {
    arrow_batch batch;
    make_batch(&batch);
    return covey_arrow_table_import(NULL, &batch.schema, &batch.array, NULL, error);
}

const abi_case arrow_cases[] = {
    {"arrow: null schema", COVEY_INVALID_ARGUMENT, "schema must not be NULL", null_schema},
    {"arrow: null table", COVEY_INVALID_ARGUMENT, "table must not be NULL", null_table},
    {"arrow: released array", COVEY_INVALID_ARGUMENT, "array was released", released_array},
    {"arrow: released schema", COVEY_INVALID_ARGUMENT, "schema was released", released_schema},
    {"arrow: not a struct", COVEY_UNSUPPORTED, "\"+s\"", not_a_struct},
    {"arrow: no format", COVEY_INVALID_ARGUMENT, "the format of column \"age\"", no_format},
    {"arrow: no name", COVEY_INVALID_ARGUMENT, "column 0's name", no_name},
    {"arrow: negative length", COVEY_INVALID_DATA, "length -1", negative_length},
    {"arrow: huge length", COVEY_INVALID_DATA, "length 9223372036854775807", huge_length},
    {"arrow: huge offset", COVEY_INVALID_DATA, "column \"amount\"", huge_offset},
    {"arrow: short column", COVEY_INVALID_DATA, "column \"score\" has 3 values, the table 4", short_column},
    {"arrow: numbers of children differ", COVEY_INVALID_DATA, "the array 5", children_differ},
    {"arrow: negative number of children", COVEY_INVALID_ARGUMENT, "the number of columns", negative_children},
    {"arrow: null child", COVEY_INVALID_ARGUMENT, "column \"known\"", null_child},
    {"arrow: null values", COVEY_INVALID_DATA, "column \"score\": buffer 1", null_values},
    {"arrow: wrong number of buffers", COVEY_INVALID_DATA, "has 2 buffers, the array 1", wrong_buffers},
    {"arrow: nulls without bits", COVEY_INVALID_DATA, "2 nulls", nulls_without_bits},
    {"arrow: more nulls than rows", COVEY_INVALID_DATA, "null_count 5", more_nulls_than_rows},
    {"arrow: binary", COVEY_UNSUPPORTED, "\"z\"", binary},
    {"arrow: list", COVEY_UNSUPPORTED, "column \"age\": the Arrow format \"+l\"", list},
    {"arrow: decimal of no width", COVEY_UNSUPPORTED, "\"d:5,2,48\"", decimal_of_no_width},
    {"arrow: view without sizes", COVEY_INVALID_DATA, "column \"country\"", view_without_sizes},
    {"arrow: view outside its buffer", COVEY_INVALID_DATA, "column \"country\", row 1: 20 bytes at 5 of text buffer 0",
     view_outside},
    {"arrow: NUL in a string", COVEY_INVALID_DATA, "column \"country\", row 0: must not hold a NUL", nul_in_text},
    {"arrow: run ends without children", COVEY_INVALID_DATA, "has 2 children", no_runs},
    {"arrow: run ends do not increase", COVEY_INVALID_DATA,
     "the run ends of column \"amount\" must increase, got 3 after 3", runs_fall},
    {"arrow: run ends end early", COVEY_INVALID_DATA, "end at 3, the rows at 4", runs_end_early},
    {"arrow: fewer values than runs", COVEY_INVALID_DATA, "1 values for 2 runs", runs_without_values},
    {"arrow: run ends of bytes", COVEY_UNSUPPORTED, "run ends must be", runs_of_bytes},
    {"arrow: negative count", COVEY_INVALID_ARGUMENT, "count must be", negative_count},
    {"arrow: no arrays", COVEY_INVALID_ARGUMENT, "arrays must not be NULL", no_arrays},
    {"arrow: null batch", COVEY_INVALID_ARGUMENT, "array must not be NULL", null_batch},
    {"arrow: no names", COVEY_INVALID_ARGUMENT, "options.names must not be NULL", no_names},
    {"arrow: null name", COVEY_INVALID_ARGUMENT, "options.names[0]", null_name},
    {"arrow: null stream", COVEY_INVALID_ARGUMENT, "stream must not be NULL", null_stream},
    {"arrow: released stream", COVEY_INVALID_ARGUMENT, "stream was released", released_stream},
    {"arrow: timestamp of no unit", COVEY_UNSUPPORTED, "\"tsx:\"", unit},
    {"arrow: offsets fall", COVEY_INVALID_DATA, "column \"country\", row 1", offsets_fall},
    {"arrow: offsets negative", COVEY_INVALID_DATA, "column \"country\", row 0", offsets_negative},
    {"arrow: not UTF-8", COVEY_INVALID_DATA, "must be valid UTF-8", not_utf8},
    {"arrow: index outside the dictionary", COVEY_INVALID_DATA, "the index must be 0 to 1, got 2", code_outside},
    {"arrow: no dictionary", COVEY_INVALID_ARGUMENT, "the dictionary of column \"device\"", no_dictionary},
    {"arrow: dictionary of booleans", COVEY_UNSUPPORTED, "\"b\"", dictionary_of_booleans},
    {NULL, 0, NULL, NULL},
};
