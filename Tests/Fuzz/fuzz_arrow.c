/* Arrow record batches and matrices, with whatever formats, lengths, offsets, null counts, children and dictionaries. Buffers are as long
 * as Arrow's format says for the lengths that Covey must believe, and end there; lengths that cannot be are left to Covey to find. */
#include "fuzz.h"

enum { MOST_LENGTH = 64, MOST_COLUMNS = 5, MOST_TEXT_BYTES = 96 };

static void release_schema(struct ArrowSchema *schema) { schema->release = NULL; }
static void release_array(struct ArrowArray *array) { array->release = NULL; }

static const char *take_format(fuzz_input *input) {
    static const char *const formats[] = {"g", "f", "c", "C", "s", "S", "i", "I", "l", "L", "n", "b", "u", "U", "tdD", "tdm",
                                          "tss:", "tsm:UTC", "tsu:Europe/Amsterdam", "tsn:", "ts", "tsx:", "e", "z", "+s", "+w:2", "d:5,2", "vu"};
    uint8_t kind = take_byte(input);
    if (kind < 252) return formats[kind % (kind < 200 ? 20 : sizeof formats / sizeof *formats)];
    return kind == 252 ? NULL : take_name(input);
}

/* Bits of one value; 0 where the format has none that Covey reads. */
static int64_t width_of(const char *format) {
    if (!format || !format[0]) return 0;
    if (!strncmp(format, "ts", 2) || !strcmp(format, "tdm")) return 64;
    if (!strcmp(format, "tdD")) return 32;
    if (format[1]) return 0;
    if (strchr("glL", format[0])) return 64;
    if (strchr("fiI", format[0])) return 32;
    if (strchr("sS", format[0])) return 16;
    if (strchr("cC", format[0])) return 8;
    return format[0] == 'b' ? 1 : 0;
}

static void *take_block(fuzz_input *input, int64_t size) {
    void *block = fuzz_alloc((size_t)size);
    take(input, block, (size_t)size);
    return block;
}

/* Offsets of strings that stay within the text: those that go back or below 0 are for Covey to find. */
static void *take_offsets(fuzz_input *input, int64_t count, int wide) {
    char *offsets = fuzz_alloc((size_t)(count * (wide ? 8 : 4)));
    int64_t place = 0;
    for (int64_t i = 0; i < count; i++) {
        uint8_t step = take_byte(input);
        place = step < 240 ? place + step % 8 : step < 248 ? (int64_t)step - 244 : place;
        if (place > MOST_TEXT_BYTES) place = MOST_TEXT_BYTES;
        int32_t narrow = (int32_t)place;
        int64_t far = step == 255 ? INT64_MIN : place;
        if (wide) memcpy(offsets + i * 8, &far, 8);
        else memcpy(offsets + i * 4, &narrow, 4);
    }
    return offsets;
}

/* The buffers of `held` values, and everything else of an array. */
static void fill(fuzz_input *input, struct ArrowSchema *schema, struct ArrowArray *array, int64_t held, int depth) {
    const char *format = schema->format;
    int text = format && (!strcmp(format, "u") || !strcmp(format, "U"));
    uint8_t flags = take_byte(input);
    array->n_buffers = text ? 3 : !format || !strcmp(format, "n") ? 0 : format[0] == '+' ? 1 : 2;
    const void **buffers = fuzz_alloc(3 * sizeof *buffers);
    buffers[0] = flags & 1 ? take_block(input, (held + 7) / 8) : NULL;
    buffers[1] = text ? take_offsets(input, held + 1, format[0] == 'U') : take_block(input, (held * width_of(format) + 7) / 8);
    buffers[2] = text ? take_block(input, MOST_TEXT_BYTES) : NULL;
    if (text && flags & 2) /* letters, as most strings are */
        for (int i = 0; i < MOST_TEXT_BYTES; i++) ((char *)buffers[2])[i] = (char)('a' + ((const char *)buffers[2])[i] % 4);
    array->null_count = flags & 1 ? take_count(input, 4) : 0;
    if (flags & 4) array->null_count = -1;
    uint8_t odd = take_byte(input);
    if (odd == 255) buffers[1] = NULL;
    if (odd == 254) buffers[2] = NULL;
    if (odd == 253) array->n_buffers = take_count(input, 3);
    if (odd == 252) array->buffers = NULL;
    else array->buffers = buffers;
    schema->flags = odd & 7;
    schema->metadata = odd & 8 ? "" : NULL;
    if (flags & 8 && depth < 2 && width_of(format)) {
        schema->dictionary = fuzz_alloc(sizeof *schema->dictionary);
        array->dictionary = fuzz_alloc(sizeof *array->dictionary);
        memset(schema->dictionary, 0, sizeof *schema->dictionary);
        memset(array->dictionary, 0, sizeof *array->dictionary);
        schema->dictionary->format = flags & 16 ? take_format(input) : flags & 32 ? "U" : "u";
        array->dictionary->length = take_byte(input) % 12;
        array->dictionary->offset = take_byte(input) % 3;
        int64_t entries = array->dictionary->length + array->dictionary->offset;
        if (odd == 251) array->dictionary->length = INT64_MIN + take_byte(input);
        fill(input, schema->dictionary, array->dictionary, entries, depth + 1);
        /* Indices mostly within it. */
        if (flags & 64 && buffers[1] && !strcmp(format, "c"))
            for (int64_t i = 0; i < held; i++) ((int8_t *)buffers[1])[i] &= 3;
        if (odd == 250) schema->dictionary = NULL;
        if (odd == 249) array->dictionary = NULL;
    }
}

/* A length and an offset; the values that must be there. What is returned is small, or Covey must refuse the numbers. */
static int64_t take_extent(fuzz_input *input, struct ArrowArray *array, int64_t least) {
    array->length = least + take_byte(input) % 3;
    array->offset = take_byte(input) % 4 == 3 ? take_byte(input) % 20 : 0;
    int64_t held = array->length + array->offset;
    switch (take_byte(input)) {
    case 255: array->length = least - 1; break;
    case 254: array->length = -take_byte(input); break;
    case 253: array->offset = -1 - take_byte(input); break;
    case 252: array->length = (1ll << 48) + 1 + take_byte(input); break;
    case 251: array->offset = INT64_MAX - take_byte(input); break;
    case 250: array->length = INT64_MAX; break;
    }
    return held;
}

static void import(fuzz_input *input, int threads) {
    covey_error *error = NULL;
    covey_arrow_table *table = NULL;
    static const char *const names[] = {"amount", "country", "a", "b", "c"};
    struct ArrowSchema schema = {"+s", "", NULL, 0, 0, NULL, NULL, release_schema, NULL};
    struct ArrowArray array = {0, 0, 0, 1, 0, NULL, NULL, NULL, release_array, NULL};
    int64_t rows = take_byte(input) % (MOST_LENGTH - 20), start = take_byte(input) % 4 == 3 ? take_byte(input) % 16 : 0;
    int64_t count = take_byte(input) % (MOST_COLUMNS + 1);
    /* Covey may look at the first child that the schema says it has before it finds that the array has another number. */
    struct ArrowSchema **schemas = fuzz_alloc((size_t)(count + !count) * sizeof *schemas);
    struct ArrowArray **arrays = fuzz_alloc((size_t)(count + !count) * sizeof *arrays);
    schemas[0] = NULL;
    arrays[0] = NULL;
    for (int64_t i = 0; i < count; i++) {
        schemas[i] = fuzz_alloc(sizeof **schemas);
        arrays[i] = fuzz_alloc(sizeof **arrays);
        memset(schemas[i], 0, sizeof **schemas);
        memset(arrays[i], 0, sizeof **arrays);
        uint8_t odd = take_byte(input);
        schemas[i]->format = take_format(input);
        schemas[i]->name = odd < 240 ? names[i] : odd < 254 ? take_name(input) : NULL;
        fill(input, schemas[i], arrays[i], take_extent(input, arrays[i], rows + start), 0);
        if (odd == 239) schemas[i] = NULL;
        if (odd == 238) arrays[i] = NULL;
    }
    const void *root_buffers[1] = {NULL};
    array.length = rows;
    array.offset = start;
    array.buffers = root_buffers;
    schema.n_children = array.n_children = count;
    schema.children = schemas;
    array.children = arrays;
    uint8_t odd = take_byte(input);
    int usable = 1;
    switch (odd) {
    case 255: array.length = take_int64(input) | 1ll << 50, usable = 0; break;
    case 254: array.offset = take_int64(input) | 1ll << 50, usable = 0; break;
    case 253: schema.n_children = take_count(input, MOST_COLUMNS); break;
    case 252: array.n_children = take_count(input, MOST_COLUMNS); break;
    case 251: schema.format = take_format(input); break;
    case 250: array.null_count = take_count(input, 2); break;
    case 249: array.n_buffers = take_count(input, 2); break;
    case 248: array.buffers = NULL; break;
    case 247: schema.children = NULL; break;
    case 246: array.children = NULL; break;
    case 245: schema.release = NULL; break;
    case 244: array.release = NULL; break;
    case 243: root_buffers[0] = take_block(input, (rows + start + 7) / 8), array.null_count = -1; break;
    }
    if (schema.n_children == array.n_children && schema.n_children > count) schema.n_children = -1;
    if (fuzz_ok(covey_arrow_table_import(fuzz_context(threads), odd == 242 ? NULL : &schema, odd == 241 ? NULL : &array, &table, &error), &error)) {
        FUZZ_REQUIRE(usable);
        const covey_table *view = covey_arrow_table_view(table);
        FUZZ_REQUIRE(view->rows == array.length && view->column_count == schema.n_children);
        covey_hybrid *hybrid = NULL;
        covey_hybrid_options options = COVEY_HYBRID_OPTIONS_INIT;
        options.missing = COVEY_MISSING_INDICATOR;
        fuzz_ok(covey_hybrid_fit(fuzz_context(1), NULL, view, &options, &hybrid, &error), &error);
        covey_hybrid_destroy(hybrid);
    } else {
        FUZZ_REQUIRE(!table);
    }
    covey_arrow_table_destroy(table);
}

static void matrix(fuzz_input *input) {
    covey_error *error = NULL;
    covey_matrix matrix = COVEY_MATRIX_INIT;
    char format[32];
    int64_t columns = take_byte(input) % 5, odd = take_byte(input);
    snprintf(format, sizeof format, odd < 240 ? "+w:%lld" : odd < 245 ? "+w:-%lld" : odd < 250 ? "+w:%lld0000000000" : "+l%lld", (long long)columns);
    struct ArrowSchema schema = {format, "", NULL, 0, 1, NULL, NULL, release_schema, NULL}, child = {take_format(input), "", NULL, 0, 0, NULL, NULL, NULL, NULL};
    if (odd & 1) child.format = odd & 2 ? "f" : "g";
    struct ArrowArray array = {0, 0, 0, 1, 1, NULL, NULL, NULL, release_array, NULL}, numbers = {0, 0, 0, 2, 0, NULL, NULL, NULL, NULL, NULL};
    int64_t lists = take_extent(input, &array, take_byte(input) % 20);
    fill(input, &child, &numbers, take_extent(input, &numbers, lists * columns), 0);
    const void *root_buffers[1] = {take_byte(input) == 255 ? take_block(input, (lists + 7) / 8) : NULL};
    struct ArrowSchema *schemas[] = {&child};
    struct ArrowArray *arrays[] = {&numbers};
    schema.children = schemas;
    array.children = arrays;
    array.buffers = root_buffers;
    array.null_count = root_buffers[0] ? take_count(input, 2) : 0;
    switch (take_byte(input)) {
    case 255: schema.n_children = take_count(input, 1); break;
    case 254: array.n_children = take_count(input, 1); break;
    case 253: schemas[0] = NULL; break;
    case 252: arrays[0] = NULL; break;
    case 251: array.buffers = NULL; break;
    case 250: array.n_buffers = take_count(input, 2); break;
    case 249: matrix.struct_size = (size_t)take_count(input, sizeof matrix); break;
    }
    if (schema.n_children == array.n_children && schema.n_children > 1) schema.n_children = -1;
    covey_matrix *written = fuzz_struct(&matrix, sizeof matrix, 0);
    if (!fuzz_ok(covey_arrow_matrix(&schema, &array, written, &error), &error)) return;
    FUZZ_REQUIRE(written->struct_size == matrix.struct_size && written->rows == array.length && written->columns == columns);
    memcpy(&matrix, written, matrix.struct_size < sizeof matrix ? matrix.struct_size : sizeof matrix);
    matrix.struct_size = sizeof matrix;
    covey_clustering *clustering = NULL;
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    options.missing = COVEY_MISSING_ROWS_NOISE;
    fuzz_ok(covey_cluster_matrix(fuzz_context(1), &matrix, &options, &clustering, &error), &error);
    covey_clustering_destroy(clustering);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = {data, size};
    fuzz_begin();
    uint8_t flags = take_byte(&input);
    if (flags % 4 == 3) matrix(&input);
    else import(&input, fuzz_threads(size));
    return fuzz_end();
}
