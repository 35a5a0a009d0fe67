/* A libFuzzer mutator for safetensors files. It parses a file, changes a part, and writes it again with the right
 * header length, offsets and checksum. Without this, hardly any changed file would pass the first check. Some files
 * keep a wrong value. */
#ifndef TENSORS_MUTATOR_H
#define TENSORS_MUTATOR_H

#include "json_mutator.h"

#include <math.h>

enum { MOST_TENSORS = 96, MOST_ENTRIES = 24, MOST_AXES = 6, MOST_TEXT = 1 << 16 };

typedef struct mutator_tensor {
    char name[128], type[8];
    int64_t shape[MOST_AXES];
    int axes;
    uint8_t *bytes;
    size_t size;
} mutator_tensor;

typedef struct mutator_entry {
    char name[64];
    json_text text;
} mutator_entry;

typedef struct mutator_file {
    mutator_tensor tensors[MOST_TENSORS];
    mutator_entry entries[MOST_ENTRIES];
    int tensor_count, entry_count;
} mutator_file;

static const char *const mutator_checksum = "covey.checksum";

/* ------------------------------------------------------------------------------------------------- taking apart --- */

typedef struct header_reader {
    const char *next, *end;
    int failed;
} header_reader;

static inline void skip_spaces(header_reader *reader) {
    while (reader->next < reader->end && strchr(" \n\t\r", *reader->next) && *reader->next) reader->next++;
}

static inline int skip_mark(header_reader *reader, char mark) {
    skip_spaces(reader);
    if (reader->next < reader->end && *reader->next == mark) {
        reader->next++;
        return 1;
    }
    return 0;
}

/* A string without its escapes, except \u, which is kept as it is. */
static inline size_t read_string(header_reader *reader, char *target, size_t capacity) {
    size_t size = 0;
    if (!skip_mark(reader, '"')) reader->failed = 1;
    while (!reader->failed && reader->next < reader->end && *reader->next != '"') {
        char byte = *reader->next++;
        if (byte == '\\' && reader->next < reader->end && *reader->next != 'u') {
            byte = *reader->next++;
            byte = byte == 'n' ? '\n' : byte == 't' ? '\t' : byte;
        }
        if (size + 1 >= capacity) reader->failed = 1;
        else target[size++] = byte;
    }
    if (!skip_mark(reader, '"')) reader->failed = 1;
    target[size] = 0;
    return size;
}

static inline int64_t read_number(header_reader *reader) {
    char *stop, copy[32] = {0};
    skip_spaces(reader);
    memcpy(copy, reader->next, (size_t)(reader->end - reader->next) < 31 ? (size_t)(reader->end - reader->next) : 31);
    int64_t value = strtoll(copy, &stop, 10);
    if (stop == copy) reader->failed = 1;
    reader->next += stop - copy;
    return value;
}

static inline int mutator_width(const char *type) {
    if (!strcmp(type, "F64") || !strcmp(type, "I64") || !strcmp(type, "U64")) return 8;
    if (!strcmp(type, "F32") || !strcmp(type, "I32") || !strcmp(type, "U32")) return 4;
    if (!strcmp(type, "F16") || !strcmp(type, "BF16") || !strcmp(type, "I16") || !strcmp(type, "U16")) return 2;
    return 1;
}

static inline void drop_file(mutator_file *file) {
    for (int index = 0; index < file->tensor_count; index++) free(file->tensors[index].bytes);
    for (int index = 0; index < file->entry_count; index++) free(file->entries[index].text.bytes);
    free(file);
}

static inline void read_member(header_reader *reader, mutator_file *file, const uint8_t *data, size_t size) {
    char name[128], key[32];
    read_string(reader, name, sizeof name);
    if (!skip_mark(reader, ':') || !skip_mark(reader, '{')) reader->failed = 1;
    if (!strcmp(name, "__metadata__")) {
        while (!reader->failed && !skip_mark(reader, '}')) {
            if (file->entry_count == MOST_ENTRIES) reader->failed = 1;
            if (reader->failed) return;
            mutator_entry *entry = &file->entries[file->entry_count++];
            read_string(reader, entry->name, sizeof entry->name);
            if (!skip_mark(reader, ':')) reader->failed = 1;
            entry->text.bytes = malloc(MOST_TEXT);
            entry->text.capacity = MOST_TEXT;
            entry->text.size = read_string(reader, entry->text.bytes, MOST_TEXT);
            skip_mark(reader, ',');
        }
        return;
    }
    if (file->tensor_count == MOST_TENSORS) reader->failed = 1;
    if (reader->failed) return;
    mutator_tensor *tensor = &file->tensors[file->tensor_count++];
    memset(tensor, 0, sizeof *tensor);
    memcpy(tensor->name, name, sizeof name);
    int64_t from = 0, to = 0;
    while (!reader->failed && !skip_mark(reader, '}')) {
        read_string(reader, key, sizeof key);
        if (!skip_mark(reader, ':')) reader->failed = 1;
        if (!strcmp(key, "dtype")) {
            read_string(reader, tensor->type, sizeof tensor->type);
        } else {
            int shape = !strcmp(key, "shape");
            if (!skip_mark(reader, '[')) reader->failed = 1;
            for (int axis = 0; !reader->failed && !skip_mark(reader, ']'); axis++) {
                int64_t value = read_number(reader);
                if (shape && tensor->axes < MOST_AXES) tensor->shape[tensor->axes++] = value;
                if (!shape && axis == 0) from = value;
                if (!shape && axis == 1) to = value;
                skip_mark(reader, ',');
            }
        }
        skip_mark(reader, ',');
    }
    if (from < 0 || to < from || (uint64_t)to > size) from = to = 0;
    tensor->size = (size_t)(to - from);
    tensor->bytes = malloc(tensor->size + 1);
    memcpy(tensor->bytes, data + from, tensor->size);
}

/* Returns NULL if the file cannot be parsed. */
static inline mutator_file *read_file(const uint8_t *data, size_t size) {
    uint64_t length;
    if (size < 10) return NULL;
    memcpy(&length, data, 8);
    if (length > size - 8) return NULL;
    mutator_file *file = calloc(1, sizeof *file);
    header_reader reader = {(const char *)data + 8, (const char *)data + 8 + length, 0};
    if (!skip_mark(&reader, '{')) reader.failed = 1;
    while (!reader.failed && !skip_mark(&reader, '}')) {
        read_member(&reader, file, data + 8 + length, size - 8 - (size_t)length);
        skip_mark(&reader, ',');
        if (reader.next >= reader.end) break;
    }
    if (!reader.failed && file->tensor_count + file->entry_count > 0) return file;
    drop_file(file);
    return NULL;
}

/* ------------------------------------------------------------------------------------------- putting together --- */

static inline void append(json_text *text, const char *bytes, size_t size) {
    json_splice(text, text->size, text->size, bytes, size);
}
static inline void append_text(json_text *text, const char *bytes) { append(text, bytes, strlen(bytes)); }

static inline void append_string(json_text *text, const char *bytes, size_t size) {
    append_text(text, "\"");
    for (size_t place = 0; place < size; place++) {
        char byte = bytes[place], code[8];
        if (byte == '"' || (byte == '\\' && !(place + 1 < size && bytes[place + 1] == 'u'))) append_text(text, "\\");
        if ((uint8_t)byte < 0x20) {
            snprintf(code, sizeof code, "\\u%04x", byte);
            append_text(text, code);
        } else {
            append(text, &byte, 1);
        }
    }
    append_text(text, "\"");
}

/* The same as in Sources/CoveyFiles/SafeTensorsChecksum.swift. */
static inline uint64_t sum_word(uint64_t sum, uint64_t word) {
    sum = (sum ^ word) * 0xBF58476D1CE4E5B9u;
    return sum ^ (sum >> 32);
}

static inline uint64_t sum_bytes(uint64_t sum, const void *bytes, size_t size) {
    const uint8_t *next = bytes;
    uint64_t word, rest = 0;
    sum = sum_word(sum, size);
    for (; size >= 8; size -= 8, next += 8) {
        memcpy(&word, next, 8);
        sum = sum_word(sum, word);
    }
    for (; size; size--) rest = rest << 8 | *next++;
    return sum_word(sum, rest);
}

static inline int by_entry_name(const void *left, const void *right) {
    return strcmp(((const mutator_entry *)left)->name, ((const mutator_entry *)right)->name);
}
static inline int by_tensor_name(const void *left, const void *right) {
    return strcmp(((const mutator_tensor *)left)->name, ((const mutator_tensor *)right)->name);
}

static inline void set_checksum(mutator_file *file) {
    uint64_t sum = 0x9E3779B97F4A7C15u;
    mutator_entry *own = NULL;
    qsort(file->entries, (size_t)file->entry_count, sizeof *file->entries, by_entry_name);
    qsort(file->tensors, (size_t)file->tensor_count, sizeof *file->tensors, by_tensor_name);
    for (int index = 0; index < file->entry_count; index++) {
        mutator_entry *entry = &file->entries[index];
        if (!strcmp(entry->name, mutator_checksum)) {
            own = entry;
            continue;
        }
        sum = sum_bytes(sum, entry->name, strlen(entry->name));
        sum = sum_bytes(sum, entry->text.bytes, entry->text.size);
    }
    for (int index = 0; index < file->tensor_count; index++) {
        mutator_tensor *tensor = &file->tensors[index];
        sum = sum_bytes(sum, tensor->name, strlen(tensor->name));
        sum = sum_bytes(sum, tensor->type, strlen(tensor->type));
        for (int axis = 0; axis < tensor->axes; axis++) sum = sum_word(sum, (uint64_t)tensor->shape[axis]);
        sum = sum_bytes(sum, tensor->bytes, tensor->size);
    }
    if (own) own->text.size = (size_t)snprintf(own->text.bytes, own->text.capacity, "%016llx", (unsigned long long)sum);
}

static inline void write_header(const mutator_file *file, json_text *text) {
    char number[64];
    append_text(text, "{\"__metadata__\":{");
    for (int index = 0; index < file->entry_count; index++) {
        if (index) append_text(text, ",");
        append_string(text, file->entries[index].name, strlen(file->entries[index].name));
        append_text(text, ":");
        append_string(text, file->entries[index].text.bytes, file->entries[index].text.size);
    }
    append_text(text, "}");
    size_t from = 0;
    for (int index = 0; index < file->tensor_count; index++) {
        const mutator_tensor *tensor = &file->tensors[index];
        append_text(text, ",");
        append_string(text, tensor->name, strlen(tensor->name));
        append_text(text, ":{\"dtype\":");
        append_string(text, tensor->type, strlen(tensor->type));
        append_text(text, ",\"shape\":[");
        for (int axis = 0; axis < tensor->axes; axis++) {
            snprintf(number, sizeof number, "%s%lld", axis ? "," : "", (long long)tensor->shape[axis]);
            append_text(text, number);
        }
        snprintf(number, sizeof number, "],\"data_offsets\":[%zu,%zu]}", from, from + tensor->size);
        append_text(text, number);
        from += tensor->size;
    }
    append_text(text, "}");
}

/* ---------------------------------------------------------------------------------------------------- changing --- */

/* Gives the tensor the bytes that its shape needs, if they are few. */
static inline void fit_bytes(mutator_tensor *tensor, uint32_t *random) {
    uint64_t size = (uint64_t)mutator_width(tensor->type);
    for (int axis = 0; axis < tensor->axes; axis++) {
        if (tensor->shape[axis] < 0 || tensor->shape[axis] > 4096 || size > 1 << 16) return;
        size *= (uint64_t)tensor->shape[axis];
    }
    if (size > 1 << 16) return;
    uint8_t *bytes = calloc(1, (size_t)size + 1);
    for (size_t place = 0; place < size; place++)
        bytes[place] = tensor->size ? tensor->bytes[place % tensor->size] : (uint8_t)mutator_random(random);
    free(tensor->bytes);
    tensor->bytes = bytes;
    tensor->size = (size_t)size;
}

static inline void change_element(mutator_tensor *tensor, uint32_t *random) {
    static const double odd[] = {0, 1, -1, 2, 0.5, 1e30, -1e30, 3e38, 1e-40, 1e100, 1e308, -1e308, 5e-324};
    static const int64_t whole[] = {0, 1, -1, 2, 3, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 255, 65536};
    size_t width = (size_t)mutator_width(tensor->type);
    if (tensor->size < width) return;
    uint8_t *place = tensor->bytes + mutator_random(random) % (tensor->size / width) * width;
    uint32_t kind = mutator_random(random);
    double number = odd[kind % (sizeof odd / sizeof *odd)];
    if (kind & 0x10000) number = kind & 0x20000 ? NAN : INFINITY;
    float narrow = (float)number;
    int64_t integer = whole[kind % (sizeof whole / sizeof *whole)];
    if (kind & 0x40000) memcpy(place, tensor->bytes + mutator_random(random) % (tensor->size / width) * width, width);
    else if (!strcmp(tensor->type, "F32")) memcpy(place, &narrow, 4);
    else if (!strcmp(tensor->type, "F64")) memcpy(place, &number, 8);
    else memcpy(place, &integer, width);
}

static inline void change_tensor(mutator_file *file, uint32_t *random) {
    static const char *const types[] = {"F32", "F64", "I32", "I64", "U8", "BOOL", "F16", "BF16"};
    if (file->tensor_count == 0) return;
    mutator_tensor *tensor = &file->tensors[mutator_random(random) % (uint32_t)file->tensor_count];
    switch (mutator_random(random) % 12) {
    case 0: { /* make one axis longer, shorter or odd */
        static const int64_t odd[] = {0, 1, 2, 3, -1, 65536, 65537, INT64_MAX, 1ll << 62, 1ll << 32};
        if (tensor->axes == 0) return;
        int64_t *axis = &tensor->shape[mutator_random(random) % (uint32_t)tensor->axes];
        uint32_t kind = mutator_random(random) % 16;
        *axis = kind < 10 ? odd[kind] : kind < 13 ? *axis + 1 : *axis > 0 ? *axis - 1 : 0;
        fit_bytes(tensor, random);
        break;
    }
    case 1: /* add an axis or remove one */
        if (mutator_random(random) & 1 && tensor->axes) tensor->axes--;
        else if (tensor->axes < MOST_AXES) tensor->shape[tensor->axes++] = mutator_random(random) % 3;
        fit_bytes(tensor, random);
        break;
    case 2:
        strcpy(tensor->type, types[mutator_random(random) % 8]);
        fit_bytes(tensor, random);
        break;
    case 3: /* remove the tensor */
        free(tensor->bytes);
        *tensor = file->tensors[--file->tensor_count];
        break;
    case 4: { /* take the name or the values of another tensor */
        mutator_tensor *other = &file->tensors[mutator_random(random) % (uint32_t)file->tensor_count];
        if (mutator_random(random) & 1) {
            char name[128];
            memcpy(name, tensor->name, sizeof name);
            memcpy(tensor->name, other->name, sizeof name);
            memcpy(other->name, name, sizeof name);
        } else if (other != tensor) {
            free(tensor->bytes);
            tensor->bytes = malloc(other->size + 1);
            memcpy(tensor->bytes, other->bytes, other->size);
            tensor->size = other->size;
            tensor->axes = other->axes;
            memcpy(tensor->shape, other->shape, sizeof tensor->shape);
        }
        break;
    }
    case 5:
    case 6: LLVMFuzzerMutate(tensor->bytes, tensor->size, tensor->size ? tensor->size : 1); break;
    default:
        for (uint32_t count = 1 + mutator_random(random) % 4; count; count--) change_element(tensor, random);
    }
}

static inline void change_entry(mutator_file *file, uint32_t *random) {
    if (file->entry_count == 0) return;
    mutator_entry *entry = &file->entries[mutator_random(random) % (uint32_t)file->entry_count];
    if (mutator_random(random) % 64 == 0) {
        snprintf(entry->name, sizeof entry->name, "%u", mutator_random(random) % 10);
    } else if (strcmp(entry->name, mutator_checksum)) {
        json_mutate(&entry->text, random);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed) {
    uint32_t random = seed * 2654435761u + 1;
    mutator_file *file = mutator_random(&random) % 32 ? read_file(data, size) : NULL;
    if (!file) return LLVMFuzzerMutate(data, size, capacity);
    do {
        if (mutator_random(&random) % 5 < 3) change_entry(file, &random);
        else change_tensor(file, &random);
    } while (mutator_random(&random) % 3 == 0);
    if (mutator_random(&random) % 32) set_checksum(file);
    json_text header = {malloc(8 * MOST_TEXT), 0, 8 * MOST_TEXT};
    write_header(file, &header);
    if (mutator_random(&random) % 16 == 0) json_mutate(&header, &random);
    uint64_t length = header.size;
    size_t total = 8 + header.size;
    for (int index = 0; index < file->tensor_count; index++) total += file->tensors[index].size;
    if (total <= capacity) {
        memcpy(data, &length, 8);
        memcpy(data + 8, header.bytes, header.size);
        size = 8 + header.size;
        for (int index = 0; index < file->tensor_count; index++) {
            memcpy(data + size, file->tensors[index].bytes, file->tensors[index].size);
            size += file->tensors[index].size;
        }
    } else {
        size = LLVMFuzzerMutate(data, size, capacity);
    }
    free(header.bytes);
    drop_file(file);
    return size;
}

#endif
