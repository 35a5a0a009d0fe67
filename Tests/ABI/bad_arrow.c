#include "arrow_batch.h"

static covey_status import(arrow_batch *batch, covey_error **error) {
    covey_arrow_table *table = (covey_arrow_table *)1;
    covey_status status = covey_arrow_table_import(NULL, &batch->schema, &batch->array, &table, error);
    if (status != COVEY_OK && table != NULL) return COVEY_INTERNAL;
    covey_arrow_table_destroy(table);
    return status;
}

/* A case that spoils a good batch in one place. */
#define SPOILED(name, change)                     \
    static covey_status name(covey_error **error) { \
        arrow_batch batch;                        \
        make_batch(&batch);                       \
        change;                                   \
        return import(&batch, error);             \
    }

static const int32_t falling_offsets[] = {0, 2, 1, 1, 6};
static const int32_t negative_offsets[] = {-1, 2, 4, 4, 6};
static const int8_t wrong_codes[] = {1, 2, 0, 1};
static const char no_text[] = "\xff\xfe\xff\xfe\xff\xfe";

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
SPOILED(time_of_day, batch.column_schemas[1].format = "ttm")
SPOILED(unit, batch.column_schemas[1].format = "tsx:")
SPOILED(offsets_fall, batch.buffers[3][1] = falling_offsets)
SPOILED(offsets_negative, batch.buffers[3][1] = negative_offsets)
SPOILED(not_utf8, batch.buffers[3][2] = no_text)
SPOILED(code_outside, batch.buffers[4][1] = wrong_codes)
SPOILED(no_dictionary, batch.column_arrays[4].dictionary = NULL)
SPOILED(dictionary_of_numbers, batch.dictionary_schema.format = "i")

static covey_status null_schema(covey_error **error) {
    arrow_batch batch;
    make_batch(&batch);
    covey_arrow_table *table = NULL;
    return covey_arrow_table_import(NULL, NULL, &batch.array, &table, error);
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
    {"arrow: time of day", COVEY_UNSUPPORTED, "\"ttm\"", time_of_day},
    {"arrow: timestamp of no unit", COVEY_UNSUPPORTED, "\"tsx:\"", unit},
    {"arrow: offsets fall", COVEY_INVALID_DATA, "column \"country\", row 1", offsets_fall},
    {"arrow: offsets negative", COVEY_INVALID_DATA, "column \"country\", row 0", offsets_negative},
    {"arrow: not UTF-8", COVEY_INVALID_DATA, "must be valid UTF-8", not_utf8},
    {"arrow: index outside the dictionary", COVEY_INVALID_DATA, "the index must be 0 to 1, got 2", code_outside},
    {"arrow: no dictionary", COVEY_INVALID_ARGUMENT, "the dictionary of column \"device\"", no_dictionary},
    {"arrow: dictionary of numbers", COVEY_UNSUPPORTED, "\"i\"", dictionary_of_numbers},
    {NULL, 0, NULL, NULL},
};
