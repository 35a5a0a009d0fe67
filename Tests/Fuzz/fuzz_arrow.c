/* Arrow record batches and matrices with any formats, lengths, offsets, null counts, children and dictionaries. If a
 * length is one that Covey must believe, the buffers have exactly the size that Arrow's format requires. Covey must
 * refuse lengths that are impossible. */
#include "fuzz.h"

enum { MOST_LENGTH = 64, MOST_COLUMNS = 5, MOST_TEXT_BYTES = 96 };

static void release_schema(struct ArrowSchema *schema) { schema->release = NULL; }
static void release_array(struct ArrowArray *array) { array->release = NULL; }

static const char *take_format(fuzz_input *input) {
    static const char *const formats[] = {"g",
                                          "f",
                                          "c",
                                          "C",
                                          "s",
                                          "S",
                                          "i",
                                          "I",
                                          "l",
                                          "L",
                                          "n",
                                          "b",
                                          "u",
                                          "U",
                                          "tdD",
                                          "tdm",
                                          "tss:",
                                          "tsm:UTC",
                                          "tsu:Europe/Amsterdam",
                                          "tsn:",
                                          "ts",
                                          "tsx:",
                                          "e",
                                          "z",
                                          "+s",
                                          "+w:2",
                                          "d:5,2",
                                          "vu",
                                          "+r",
                                          "d:9,2,32",
                                          "d:18,-3,64",
                                          "d:60,9,256",
                                          "tts",
                                          "ttm",
                                          "ttu",
                                          "ttn",
                                          "tDs",
                                          "tDm",
                                          "tDu",
                                          "tDn",
                                          "d:5",
                                          "d:5,2,48",
                                          "tD",
                                          "tDx",
                                          "vz"};
    uint8_t kind = take_byte(input);
    if (kind < 252) return formats[kind % (kind < 130 ? 20 : sizeof formats / sizeof *formats)];
    return kind == 252 ? NULL : take_name(input);
}

/* The bits of one value; 0 if Covey does not read the format. */
static int64_t width_of(const char *format) {
    if (!format || !format[0]) return 0;
    if (!strncmp(format, "ts", 2) || !strcmp(format, "tdm")) return 64;
    if (!strcmp(format, "tdD") || !strcmp(format, "tts") || !strcmp(format, "ttm") || !strcmp(format, "d:9,2,32"))
        return 32;
    if (!strncmp(format, "tD", 2) || !strncmp(format, "tt", 2) || !strcmp(format, "d:18,-3,64")) return 64;
    if (!strcmp(format, "d:60,9,256")) return 256;
    if (!strncmp(format, "d:", 2) || !strcmp(format, "vu")) return 128;
    if (format[1]) return 0;
    if (strchr("glL", format[0])) return 64;
    if (strchr("fiI", format[0])) return 32;
    if (strchr("sSe", format[0])) return 16;
    if (strchr("cC", format[0])) return 8;
    return format[0] == 'b' ? 1 : 0;
}

static void *take_block(fuzz_input *input, int64_t size) {
    void *block = fuzz_alloc((size_t)size);
    take(input, block, (size_t)size);
    return block;
}

/* Offsets of strings, mostly within the text. Covey must refuse those that decrease or are negative. */
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

/* String views. They are at most 12 bytes long, or they point into the text, mostly within it. */
static void *take_views(fuzz_input *input, int64_t count) {
    unsigned char *views = take_block(input, count * 16);
    for (int64_t i = 0; i < count; i++) {
        uint8_t kind = views[i * 16 + 3];
        int32_t length = views[i * 16] % (kind % 4 == 3 ? 40 : 13), zero = 0, place = views[i * 16 + 12] % 80;
        if (kind < 250) memcpy(views + i * 16, &length, 4);
        if (length > 12 && kind < 240) memcpy(views + i * 16 + 8, &zero, 4), memcpy(views + i * 16 + 12, &place, 4);
    }
    return views;
}

static void fill(fuzz_input *input, struct ArrowSchema *schema, struct ArrowArray *array, int64_t held, int depth);

/* Run ends, which mostly increase, and the values of the runs. */
static void fill_runs(fuzz_input *input, struct ArrowSchema *schema, struct ArrowArray *array, int64_t held,
                      int depth) {
    static const char *const ends_formats[] = {"s", "i", "l", "c"};
    int64_t runs = take_byte(input) % 9;
    schema->children = fuzz_alloc(2 * sizeof *schema->children);
    array->children = fuzz_alloc(2 * sizeof *array->children);
    for (int i = 0; i < 2; i++) {
        schema->children[i] = fuzz_alloc(sizeof **schema->children);
        array->children[i] = fuzz_alloc(sizeof **array->children);
        memset(schema->children[i], 0, sizeof **schema->children);
        memset(array->children[i], 0, sizeof **array->children);
        schema->children[i]->name = i ? "values" : "run_ends";
        array->children[i]->length = runs;
    }
    uint8_t kind = take_byte(input);
    schema->children[0]->format = ends_formats[kind % (kind < 200 ? 3 : 4)];
    const void **buffers = fuzz_alloc(2 * sizeof *buffers);
    size_t size = !strcmp(schema->children[0]->format, "s") ? 2 : !strcmp(schema->children[0]->format, "i") ? 4 : 8;
    char *ends = fuzz_alloc((size_t)runs * size + 1);
    int64_t end = 0;
    for (int64_t i = 0; i < runs; i++) {
        uint8_t step = take_byte(input);
        end += step < 250 ? step % 16 + 1 : (int64_t)step - 252;
        if (i == runs - 1 && step < 240 && end < held) end = held;
        int16_t small = (int16_t)end;
        int32_t middle = (int32_t)end;
        memcpy(ends + (size_t)i * size, size == 2 ? (void *)&small : size == 4 ? (void *)&middle : (void *)&end, size);
    }
    buffers[0] = NULL;
    buffers[1] = ends;
    array->children[0]->buffers = buffers;
    array->children[0]->n_buffers = 2;
    schema->children[1]->format = take_format(input);
    fill(input, schema->children[1], array->children[1], runs, depth + 1);
    uint8_t odd = take_byte(input);
    schema->n_children = array->n_children = 2;
    array->n_buffers = 0;
    switch (odd) {
    case 255: array->children[1]->length = runs - 1; break;
    case 254: schema->n_children = 1; break;
    case 253: array->n_children = 1; break;
    case 252: array->children[0] = NULL; break;
    case 251: schema->children[1] = NULL; break;
    case 250: schema->children = NULL; break;
    case 249: array->children = NULL; break;
    case 248: array->n_children = 3; break;
    }
}

/* Fills the buffers for `held` values, and all other fields of an array. */
static void fill(fuzz_input *input, struct ArrowSchema *schema, struct ArrowArray *array, int64_t held, int depth) {
    const char *format = schema->format;
    if (format && !strcmp(format, "+r") && depth < 2) {
        fill_runs(input, schema, array, held, depth);
        return;
    }
    int view = format && !strcmp(format, "vu");
    int text = format && (!strcmp(format, "u") || !strcmp(format, "U"));
    uint8_t flags = take_byte(input);
    array->n_buffers = text ? 3 : !format || !strcmp(format, "n") ? 0 : format[0] == '+' ? 1 : 2;
    if (view) array->n_buffers = 4;
    const void **buffers = fuzz_alloc(4 * sizeof *buffers);
    buffers[3] = NULL;
    buffers[0] = flags & 1 ? take_block(input, (held + 7) / 8) : NULL;
    buffers[1] = text   ? take_offsets(input, held + 1, format[0] == 'U')
                 : view ? take_views(input, held)
                        : take_block(input, (held * width_of(format) + 7) / 8);
    buffers[2] = text || view ? take_block(input, MOST_TEXT_BYTES) : NULL;
    if (view) {
        int64_t *sizes = fuzz_alloc(sizeof *sizes);
        *sizes = MOST_TEXT_BYTES;
        buffers[3] = sizes;
    }
    if ((text || view) && flags & 2) /* letters, like most strings */
        for (int i = 0; i < MOST_TEXT_BYTES; i++)
            ((char *)buffers[2])[i] = (char)('a' + ((const char *)buffers[2])[i] % 4);
    array->null_count = flags & 1 ? take_count(input, 4) : 0;
    if (flags & 4) array->null_count = -1;
    uint8_t odd = take_byte(input);
    if (odd == 255) buffers[1] = NULL;
    if (odd == 254) buffers[2] = NULL;
    if (odd == 253) array->n_buffers = view ? 2 + take_byte(input) % 2 : take_count(input, 3);
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
        /* Most indices are in the dictionary. */
        if (flags & 64 && buffers[1] && !strcmp(format, "c"))
            for (int64_t i = 0; i < held; i++) ((int8_t *)buffers[1])[i] &= 3;
        if (odd == 250) schema->dictionary = NULL;
        if (odd == 249) array->dictionary = NULL;
    }
}

/* Sets a length and an offset. Returns the number of values that the buffers must have. It is small, or Covey must
 * refuse the array. */
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

/* A stream of copies of one batch. It may fail at a given copy. */
typedef struct copies {
    const struct ArrowSchema *schema;
    const struct ArrowArray *array;
    int left, failure;
} copies;

static int copies_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    copies *given = stream->private_data;
    if (given->failure == 1) return 5;
    *out = *given->schema;
    return 0;
}

static int copies_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    copies *given = stream->private_data;
    if (given->left == 0 && given->failure == 2) return 5;
    if (given->left-- <= 0) memset(out, 0, sizeof *out);
    else *out = *given->array;
    return 0;
}

static const char *copies_error(struct ArrowArrayStream *stream) {
    return ((copies *)stream->private_data)->left % 2 ? NULL : "no more";
}
static void copies_release(struct ArrowArrayStream *stream) { stream->release = NULL; }

/* Imports through one of the three functions. *times becomes the number of copies of the rows that the table must have.
 */
static covey_status import_by(fuzz_input *input, const covey_context *context, struct ArrowSchema *schema,
                              struct ArrowArray *array, int64_t *times, int *wanted, covey_arrow_table **table,
                              covey_error **error) {
    uint8_t way = take_byte(input);
    covey_arrow_options options = COVEY_ARROW_OPTIONS_INIT;
    static const char *const some[] = {"country", "nothing"};
    *wanted = way & 8 ? 1 : 0;
    if (*wanted) options.names = some, options.name_count = 2;
    *times = 1;
    if (way % 4 < 2) {
        *wanted = 0;
        return covey_arrow_table_import(context, schema, array, table, error);
    }
    *times = way / 16 % 4;
    if (way % 4 == 2) {
        const struct ArrowArray *arrays[3] = {array, array, array};
        return covey_arrow_table_import_batches(context, schema, arrays, *times, *wanted || way & 4 ? &options : NULL,
                                                table, error);
    }
    copies given = {schema, array, (int)*times, way > 250 ? way % 3 : 0};
    struct ArrowArrayStream stream = {copies_schema, copies_next, copies_error, copies_release, &given};
    if (!schema || !array) return covey_arrow_table_import_stream(context, NULL, &options, table, error);
    int released = !array->release;
    covey_status status = covey_arrow_table_import_stream(context, &stream, &options, table, error);
    FUZZ_REQUIRE(stream.release);
    if (released) *times = 0; /* a released array ends a stream */
    return status;
}

static void import(fuzz_input *input, int threads) {
    covey_error *error = NULL;
    covey_arrow_table *table = NULL;
    static const char *const names[] = {"amount", "country", "a", "b", "c"};
    struct ArrowSchema schema = {"+s", "", NULL, 0, 0, NULL, NULL, release_schema, NULL};
    struct ArrowArray array = {0, 0, 0, 1, 0, NULL, NULL, NULL, release_array, NULL};
    int64_t rows = take_byte(input) % (MOST_LENGTH - 20), start = take_byte(input) % 4 == 3 ? take_byte(input) % 16 : 0;
    int64_t count = take_byte(input) % (MOST_COLUMNS + 1);
    /* If schema and array have different numbers of children, Covey may read the first child before it finds out. */
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
    int64_t times = 1;
    int wanted = 0;
    covey_status status = import_by(input, fuzz_context(threads), odd == 242 ? NULL : &schema,
                                    odd == 241 ? NULL : &array, &times, &wanted, &table, &error);
    if (fuzz_ok(status, &error)) {
        FUZZ_REQUIRE(usable || times == 0);
        const covey_table *view = covey_arrow_table_view(table);
        FUZZ_REQUIRE(view->rows == array.length * times &&
                     (wanted ? view->column_count <= schema.n_children : view->column_count == schema.n_children));
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
    snprintf(format, sizeof format,
             odd < 240   ? "+w:%lld"
             : odd < 245 ? "+w:-%lld"
             : odd < 250 ? "+w:%lld0000000000"
                         : "+l%lld",
             (long long)columns);
    struct ArrowSchema schema = {format, "", NULL, 0, 1, NULL, NULL, release_schema, NULL},
                       child = {take_format(input), "", NULL, 0, 0, NULL, NULL, NULL, NULL};
    if (odd & 1) child.format = odd & 2 ? "f" : "g";
    struct ArrowArray array = {0, 0, 0, 1, 1, NULL, NULL, NULL, release_array, NULL},
                      numbers = {0, 0, 0, 2, 0, NULL, NULL, NULL, NULL, NULL};
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
    FUZZ_REQUIRE(written->struct_size == matrix.struct_size && written->rows == array.length &&
                 written->columns == columns);
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
