/* Arrow record batches and matrices with any formats, lengths, offsets, null counts, children and dictionaries. If a
 * length is one that Covey must believe, the buffers have exactly the size that Arrow's format requires. Covey must
 * refuse lengths that are impossible. */
#include "fuzz_arrow_data.h"

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
    /* The schema of a stream is read before there is an array: all the children that it says it has must be there. If
     * schema and array have different numbers of children, Covey may read the first array before it finds out. */
    struct ArrowSchema **schemas = fuzz_alloc(MOST_COLUMNS * sizeof *schemas);
    struct ArrowArray **arrays = fuzz_alloc((size_t)(count + !count) * sizeof *arrays);
    memset(schemas, 0, MOST_COLUMNS * sizeof *schemas);
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
    if (schema.n_children > (schema.n_children == array.n_children ? count : MOST_COLUMNS)) schema.n_children = -1;
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
