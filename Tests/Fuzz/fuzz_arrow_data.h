/* Arrow schemas and arrays with any formats, lengths, offsets, null counts, children and dictionaries, made of the
 * fuzzer's input. */
#ifndef FUZZ_ARROW_DATA_H
#define FUZZ_ARROW_DATA_H

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

#endif
