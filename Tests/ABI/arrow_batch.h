/* A record batch as a producer would export it, for the tests of the Arrow import. */
#ifndef ARROW_BATCH_H
#define ARROW_BATCH_H

#include "abi_test.h"

#define BATCH_ROWS 4
#define BATCH_COLUMNS 6

typedef struct arrow_batch {
    struct ArrowSchema schema, *schema_children[BATCH_COLUMNS], column_schemas[BATCH_COLUMNS], dictionary_schema;
    struct ArrowArray array, *array_children[BATCH_COLUMNS], column_arrays[BATCH_COLUMNS], dictionary;
    const void *buffers[BATCH_COLUMNS][3];
    const void *root_buffers[1], *dictionary_buffers[3];
} arrow_batch;

static inline void release_schema(struct ArrowSchema *schema) { schema->release = NULL; }
static inline void release_array(struct ArrowArray *array) { array->release = NULL; }

static const double batch_amounts[] = {9.5, 20, NAN, 40};
static const int32_t batch_ages[] = {1, 2, 3, 4};
static const uint8_t batch_third_is_null[] = {0x0b};
static const uint8_t batch_flags[] = {0x06};
static const int32_t batch_offsets[] = {0, 2, 4, 4, 6};
static const char batch_text[] = "NLBENL";
static const int8_t batch_codes[] = {1, 0, 0, 1};
static const int32_t batch_dictionary_offsets[] = {0, 3, 6};
static const char batch_dictionary_text[] = "appweb";
static const float batch_scores[] = {0.5f, 1, 2, 3};

/* amount (float64), age (int32, the third is null), known (bool), country (utf8, the third is null), device (a
 * dictionary), score (float32). */
static inline void make_batch(arrow_batch *batch) {
    static const char *const names[] = {"amount", "age", "known", "country", "device", "score"};
    static const char *const formats[] = {"g", "i", "b", "u", "c", "f"};
    memset(batch, 0, sizeof *batch);
    const void *columns[BATCH_COLUMNS][3] = {
        {NULL, batch_amounts, NULL}, {batch_third_is_null, batch_ages, NULL},
        {NULL, batch_flags, NULL},   {batch_third_is_null, batch_offsets, batch_text},
        {NULL, batch_codes, NULL},   {NULL, batch_scores, NULL},
    };
    memcpy(batch->buffers, columns, sizeof columns);
    for (int i = 0; i < BATCH_COLUMNS; i++) {
        batch->column_schemas[i].format = formats[i];
        batch->column_schemas[i].name = names[i];
        batch->column_arrays[i].length = BATCH_ROWS;
        batch->column_arrays[i].n_buffers = i == 3 ? 3 : 2;
        batch->column_arrays[i].buffers = batch->buffers[i];
        batch->column_arrays[i].null_count = i == 1 || i == 3 ? 1 : 0;
        batch->schema_children[i] = &batch->column_schemas[i];
        batch->array_children[i] = &batch->column_arrays[i];
    }
    batch->dictionary_schema.format = "u";
    batch->dictionary.length = 2;
    batch->dictionary.n_buffers = 3;
    batch->dictionary_buffers[1] = batch_dictionary_offsets;
    batch->dictionary_buffers[2] = batch_dictionary_text;
    batch->dictionary.buffers = batch->dictionary_buffers;
    batch->column_schemas[4].dictionary = &batch->dictionary_schema;
    batch->column_arrays[4].dictionary = &batch->dictionary;
    batch->schema.format = "+s";
    batch->schema.n_children = BATCH_COLUMNS;
    batch->schema.children = batch->schema_children;
    batch->schema.release = release_schema;
    batch->array.length = BATCH_ROWS;
    batch->array.n_buffers = 1;
    batch->array.buffers = batch->root_buffers;
    batch->array.n_children = BATCH_COLUMNS;
    batch->array.children = batch->array_children;
    batch->array.release = release_array;
}

#endif
