/* Changes values of a JSON text, so that most results are still JSON. A value is replaced by another one, removed,
 * repeated, or replaced by a value that programs often handle wrongly. */
#ifndef JSON_MUTATOR_H
#define JSON_MUTATOR_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t capacity);

static inline uint32_t mutator_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* A text that grows in memory of a fixed size. */
typedef struct json_text {
    char *bytes;
    size_t size, capacity;
} json_text;

/* Returns the end of the value that begins at `place`; `size` if it does not end. */
static inline size_t json_value_end(const json_text *text, size_t place) {
    int depth = 0;
    for (; place < text->size; place++) {
        char byte = text->bytes[place];
        if (byte == '"') {
            for (place++; place < text->size && text->bytes[place] != '"'; place++)
                if (text->bytes[place] == '\\') place++;
            if (depth == 0) return place < text->size ? place + 1 : text->size;
        } else if (byte == '{' || byte == '[') {
            depth++;
        } else if (byte == '}' || byte == ']') {
            if (depth == 0) return place;
            if (--depth == 0) return place + 1;
        } else if (depth == 0 && (byte == ',' || byte == ':' || byte == ' ' || byte == '\n')) {
            return place;
        }
    }
    return text->size;
}

static inline int json_is_value_start(const json_text *text, size_t place) {
    char before = place ? text->bytes[place - 1] : ',';
    char byte = text->bytes[place];
    return byte && strchr("{[\"-0123456789tfn", byte) && strchr(":,[{ \n", before) && before;
}

/* Returns the start of a value after a random position; 0 if there is none. */
static inline size_t json_find_value(const json_text *text, uint32_t *random) {
    if (text->size == 0) return 0;
    size_t start = mutator_random(random) % text->size;
    for (size_t step = 0; step < text->size; step++) {
        size_t place = (start + step) % text->size;
        if (json_is_value_start(text, place)) return place;
    }
    return 0;
}

/* Replaces the bytes from `from` to `to` by `count` other bytes. Returns 0 if they do not fit. */
static inline int json_splice(json_text *text, size_t from, size_t to, const char *bytes, size_t count) {
    if (text->size - (to - from) + count > text->capacity) return 0;
    memmove(text->bytes + from + count, text->bytes + to, text->size - to);
    memcpy(text->bytes + from, bytes, count);
    text->size += count - (to - from);
    return 1;
}

static inline void json_mutate_once(json_text *text, uint32_t *random) {
    static const char *const odd[] = {"0",
                                      "-1",
                                      "1",
                                      "2",
                                      "3",
                                      "-0",
                                      "0.5",
                                      "1e308",
                                      "-1e308",
                                      "1e-320",
                                      "1e999",
                                      "9223372036854775807",
                                      "9223372036854775808",
                                      "-9223372036854775808",
                                      "18446744073709551615",
                                      "2147483647",
                                      "2147483648",
                                      "-2147483649",
                                      "4294967296",
                                      "65536",
                                      "65537",
                                      "4611686018427387904",
                                      "1e18",
                                      "1.5",
                                      "100000000",
                                      "null",
                                      "true",
                                      "false",
                                      "\"\"",
                                      "\"a\"",
                                      "[]",
                                      "{}",
                                      "[[]]",
                                      "\"\\u0000\"",
                                      "\"\\ud800\"",
                                      "\"e\\u0301\"",
                                      "\"\xc3\xa9\"",
                                      "[0]",
                                      "[1,1]",
                                      "[0,0]",
                                      "\"numeric\"",
                                      "\"boolean\"",
                                      "\"NaN\""};
    size_t start = json_find_value(text, random), end = json_value_end(text, start);
    char copy[4096];
    size_t length = end - start;
    switch (mutator_random(random) % 10) {
    case 0:
    case 1:
    case 2: {
        const char *value = odd[mutator_random(random) % (sizeof odd / sizeof *odd)];
        json_splice(text, start, end, value, strlen(value));
        break;
    }
    case 3: { /* one more or less, the double, or the other sign */
        char *stop;
        if (length == 0 || length > 30) return;
        memcpy(copy, text->bytes + start, length);
        copy[length] = 0;
        double value = strtod(copy, &stop);
        if (stop == copy) return;
        static const double steps[] = {1, -1, 0, 0.5, 1e9};
        uint32_t kind = mutator_random(random) % 8;
        value = kind < 5 ? value + steps[kind] : kind == 5 ? 2 * value : kind == 6 ? -value : value / 10;
        int written =
            snprintf(copy, sizeof copy,
                     value < 1e18 && value > -1e18 && value == (double)(long long)value ? "%.0f" : "%.17g", value);
        json_splice(text, start, end, copy, (size_t)written);
        break;
    }
    case 4: { /* another value of the text */
        size_t other = json_find_value(text, random), stop = json_value_end(text, other);
        if (stop - other > sizeof copy) return;
        memcpy(copy, text->bytes + other, stop - other);
        json_splice(text, start, end, copy, stop - other);
        break;
    }
    case 5: { /* remove it with the comma after it, or with its name */
        while (end < text->size && (text->bytes[end] == ' ' || text->bytes[end] == '\n')) end++;
        if (end < text->size && text->bytes[end] == ':') end = json_value_end(text, end + 1);
        if (end < text->size && text->bytes[end] == ',') end++;
        else if (start > 0 && text->bytes[start - 1] == ',') start--;
        json_splice(text, start, end, "", 0);
        break;
    }
    case 6:
    case 7: { /* repeat it, with its name */
        if (end < text->size && text->bytes[end] == ':') end = json_value_end(text, end + 1);
        length = end - start;
        if (length + 1 > sizeof copy) return;
        memcpy(copy, text->bytes + start, length);
        copy[length] = ',';
        json_splice(text, start, start, copy, length + 1);
        break;
    }
    case 8: { /* nest it deeper */
        uint32_t depth = 1 + mutator_random(random) % (mutator_random(random) % 16 ? 3 : 1000);
        for (uint32_t level = 0; level < depth; level++) {
            if (!json_splice(text, end, end, "]", 1)) return;
            if (!json_splice(text, start, start, "[", 1)) return;
            end += 1;
        }
        break;
    }
    default: text->size = LLVMFuzzerMutate((uint8_t *)text->bytes, text->size, text->capacity);
    }
}

static inline void json_mutate(json_text *text, uint32_t *random) {
    for (uint32_t count = 1 + mutator_random(random) % 3; count; count--) json_mutate_once(text, random);
}

#endif
