#include "sample.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int32_t kind;
} FEATURES[SAMPLE_FEATURES] = {
    {"amount", COVEY_NUMERIC},           {"items", COVEY_NUMERIC},         {"discount", COVEY_NUMERIC},
    {"account_age_days", COVEY_NUMERIC}, {"orders_before", COVEY_NUMERIC}, {"returns_share", COVEY_NUMERIC},
    {"email_age_days", COVEY_NUMERIC},   {"distance_km", COVEY_NUMERIC},   {"ip_risk", COVEY_NUMERIC},
    {"country", COVEY_CATEGORICAL},      {"device", COVEY_CATEGORICAL},    {"payment", COVEY_CATEGORICAL},
    {"basket", COVEY_CATEGORICAL},       {"delivery", COVEY_CATEGORICAL},  {"guest", COVEY_BOOLEAN},
    {"ships_elsewhere", COVEY_BOOLEAN},  {"vpn", COVEY_BOOLEAN},
};

/* ----------------------------------------------------------------------------------------------- reading a CSV file */

/* A CSV file in memory, without quoted fields (the sample has none), read line by line. Fields are cut in place. */
typedef struct reader {
    char path[1024];
    char *next; /* The next line. */
    int64_t line;
    int64_t lines; /* Lines after the heading. */
    char *fields[SAMPLE_FEATURES + 3];
} reader;

static int complain(const reader *reader, const char *what) {
    fprintf(stderr, "%s, line %lld: %s\n", reader->path, (long long)reader->line, what);
    return 0;
}

static char *read_text(const char *path) {
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t size = 0, capacity = 1 << 16;
    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return NULL;
    }
    for (;;) {
        char *larger = realloc(text, capacity + 1);
        if (larger == NULL) break;
        text = larger;
        size += fread(text + size, 1, capacity - size, file);
        if (size < capacity) {
            if (ferror(file)) break;
            fclose(file);
            text[size] = '\0';
            return text;
        }
        capacity *= 2;
    }
    fprintf(stderr, "%s: cannot be read\n", path);
    fclose(file);
    free(text);
    return NULL;
}

/* Opens a file whose first line must be `heading`. *text keeps the file's bytes and is the caller's. */
static int reader_open(reader *reader, const char *folder, const char *name, const char *heading, char **text) {
    size_t length = strlen(heading);
    const char *at;
    memset(reader, 0, sizeof *reader);
    snprintf(reader->path, sizeof reader->path, "%s/%s", folder, name);
    *text = read_text(reader->path);
    if (*text == NULL) return 0;
    reader->line = 1;
    if (strncmp(*text, heading, length) != 0 || (*text)[length] != '\n') {
        return complain(reader, "the heading is not that of the sample");
    }
    reader->next = *text + length + 1;
    for (at = reader->next; (at = strchr(at, '\n')) != NULL; at++) reader->lines++;
    return 1;
}

/* Cuts the next line into exactly `count` fields. */
static int reader_row(reader *reader, int count) {
    char *at = reader->next, *end = strchr(at, '\n');
    int field = 0;
    reader->line++;
    if (end == NULL) return complain(reader, "ends without a line feed");
    *end = '\0';
    reader->next = end + 1;
    reader->fields[field++] = at;
    while ((at = strchr(at, ',')) != NULL) {
        if (field == count) return complain(reader, "too many fields");
        *at++ = '\0';
        reader->fields[field++] = at;
    }
    return field == count ? 1 : complain(reader, "too few fields");
}

/* A number; empty is NaN where `optional`. */
static int reader_number(reader *reader, int field, int optional, double *number) {
    const char *text = reader->fields[field];
    char *end;
    if (*text == '\0' && optional) {
        *number = NAN;
        return 1;
    }
    *number = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*number) ? 1 : complain(reader, "a number is expected");
}

/* The row's own number, which stands in its first field. */
static int reader_index(reader *reader, int64_t most, int64_t *index) {
    double number;
    if (!reader_number(reader, 0, 0, &number)) return 0;
    if (number < 0 || number > (double)most || number != floor(number)) return complain(reader, "a wrong transaction");
    *index = (int64_t)number;
    return 1;
}

/* The index of a name that may be new; -1 without memory. */
static int32_t names_index(sample_names *names, const char *name) {
    const char **larger;
    int64_t i;
    for (i = 0; i < names->count; i++) {
        if (strcmp(names->names[i], name) == 0) return (int32_t)i;
    }
    larger = realloc((void *)names->names, (size_t)(names->count + 1) * sizeof *larger);
    if (larger == NULL) return -1;
    names->names = larger;
    names->names[names->count] = name;
    return (int32_t)names->count++;
}

static void *array(int64_t count, size_t size) { return calloc((size_t)count + 1, size); }

/* -------------------------------------------------------------------------------------------------- the three files */

static int read_transactions(const char *folder, sample *sample) {
    char heading[512] = "transaction,time";
    reader reader;
    int64_t row, index;
    int f;
    for (f = 0; f < SAMPLE_FEATURES; f++) {
        strcat(heading, ",");
        strcat(heading, FEATURES[f].name);
    }
    strcat(heading, ",label");
    if (!reader_open(&reader, folder, "transactions.csv", heading, &sample->texts[0])) return 0;

    sample->transactions = reader.lines;
    sample->time = array(reader.lines, sizeof(double));
    sample->label = array(reader.lines, sizeof(int8_t));
    if (sample->time == NULL || sample->label == NULL) return complain(&reader, "not enough memory");
    for (f = 0; f < SAMPLE_FEATURES; f++) {
        static const size_t sizes[] = {sizeof(double), sizeof(int32_t), sizeof(int8_t)};
        sample->values[f] = array(reader.lines, sizes[FEATURES[f].kind]);
        if (sample->values[f] == NULL) return complain(&reader, "not enough memory");
    }

    for (row = 0; row < reader.lines; row++) {
        const char *label;
        if (!reader_row(&reader, SAMPLE_FEATURES + 3) || !reader_index(&reader, reader.lines, &index)) return 0;
        if (index != row) return complain(&reader, "transactions are not numbered from 0");
        if (!reader_number(&reader, 1, 0, &sample->time[row])) return 0;
        for (f = 0; f < SAMPLE_FEATURES; f++) {
            const char *text = reader.fields[f + 2];
            if (FEATURES[f].kind == COVEY_NUMERIC) {
                if (!reader_number(&reader, f + 2, 1, (double *)sample->values[f] + row)) return 0;
            } else if (FEATURES[f].kind == COVEY_CATEGORICAL) {
                int32_t code = *text == '\0' ? -1 : names_index(&sample->categories[f], text);
                if (code < 0 && *text != '\0') return complain(&reader, "not enough memory");
                ((int32_t *)sample->values[f])[row] = code;
            } else {
                if (*text != '\0' && strcmp(text, "0") != 0 && strcmp(text, "1") != 0) {
                    return complain(&reader, "0 or 1 is expected");
                }
                ((int8_t *)sample->values[f])[row] = (int8_t)(*text == '\0' ? -1 : *text - '0');
            }
        }
        label = reader.fields[SAMPLE_FEATURES + 2];
        if (*label != '\0' && strcmp(label, "0") != 0 && strcmp(label, "1") != 0) {
            return complain(&reader, "the label is 0, 1 or empty");
        }
        sample->label[row] = (int8_t)(*label == '\0' ? COVEY_LABEL_UNKNOWN : *label - '0');
    }

    for (f = 0; f < SAMPLE_FEATURES; f++) {
        covey_column *column = &sample->columns[f];
        column->name = FEATURES[f].name;
        column->values = sample->values[f];
        column->kind = FEATURES[f].kind;
        if (FEATURES[f].kind == COVEY_CATEGORICAL) {
            column->categories = sample->categories[f].names;
            column->category_count = sample->categories[f].count;
        }
    }
    sample->features = sample_features(sample, sample->transactions);
    return 1;
}

static int read_events(const char *folder, sample *sample) {
    reader reader;
    int64_t event, transaction, current = -1;
    if (!reader_open(&reader, folder, "events.csv", "transaction,seconds,event,dwell", &sample->texts[1])) return 0;
    sample->events = reader.lines;
    sample->offsets = array(sample->transactions + 1, sizeof(int64_t));
    sample->event = array(reader.lines, sizeof(int32_t));
    sample->seconds = array(reader.lines, sizeof(double));
    sample->dwell = array(reader.lines, sizeof(double));
    if (!sample->offsets || !sample->event || !sample->seconds || !sample->dwell) {
        return complain(&reader, "not enough memory");
    }
    for (event = 0; event < reader.lines; event++) {
        if (!reader_row(&reader, 4) || !reader_index(&reader, sample->transactions - 1, &transaction)) return 0;
        if (transaction < current) return complain(&reader, "events are not ordered by transaction");
        while (current < transaction) sample->offsets[++current] = event;
        if (!reader_number(&reader, 1, 0, &sample->seconds[event])) return 0;
        if (!reader_number(&reader, 3, 1, &sample->dwell[event])) return 0;
        sample->event[event] = names_index(&sample->event_names, reader.fields[2]);
        if (sample->event[event] < 0) return complain(&reader, "not enough memory");
    }
    while (current < sample->transactions) sample->offsets[++current] = event;
    return 1;
}

static int read_truth(const char *folder, sample *sample) {
    reader reader;
    int64_t row, index;
    if (!reader_open(&reader, folder, "truth.csv", "transaction,fraud,ring", &sample->texts[2])) return 0;
    if (reader.lines != sample->transactions) return complain(&reader, "as many rows as transactions.csv are expected");
    sample->fraud = array(reader.lines, sizeof(int8_t));
    sample->ring = array(reader.lines, sizeof(int32_t));
    if (!sample->fraud || !sample->ring) return complain(&reader, "not enough memory");
    for (row = 0; row < reader.lines; row++) {
        if (!reader_row(&reader, 3) || !reader_index(&reader, reader.lines, &index)) return 0;
        if (index != row) return complain(&reader, "transactions are not numbered from 0");
        sample->fraud[row] = strcmp(reader.fields[1], "1") == 0;
        sample->ring[row] = *reader.fields[2] == '\0' ? -1 : names_index(&sample->ring_names, reader.fields[2]);
    }
    return 1;
}

int sample_read(const char *folder, sample *sample) {
    memset(sample, 0, sizeof *sample);
    return read_transactions(folder, sample) && read_events(folder, sample) && read_truth(folder, sample);
}

void sample_free(sample *sample) {
    int f;
    for (f = 0; f < SAMPLE_FEATURES; f++) {
        free(sample->values[f]);
        free((void *)sample->categories[f].names);
    }
    for (f = 0; f < 3; f++) free(sample->texts[f]);
    free((void *)sample->event_names.names);
    free((void *)sample->ring_names.names);
    free(sample->offsets);
    free(sample->event);
    free(sample->seconds);
    free(sample->dwell);
    free(sample->time);
    free(sample->label);
    free(sample->fraud);
    free(sample->ring);
    memset(sample, 0, sizeof *sample);
}

/* ------------------------------------------------------------------------------------------------ in Covey's shapes */

const double *sample_numbers(const sample *sample, const char *name) {
    int f;
    for (f = 0; f < SAMPLE_FEATURES; f++) {
        if (FEATURES[f].kind == COVEY_NUMERIC && strcmp(FEATURES[f].name, name) == 0) return sample->values[f];
    }
    return NULL;
}

covey_status sample_sequences(const sample *sample, const covey_vocabulary *vocabulary, int64_t count, int32_t *types,
                              covey_sequences *sequences, covey_error **error) {
    const covey_sequences empty = COVEY_SEQUENCES_INIT;
    int32_t index[256];
    int64_t event, names = sample->event_names.count;
    covey_status status;
    if (names > 256) names = 256; /* The sample has 28; any other event would count as unknown. */
    status = covey_vocabulary_lookup(vocabulary, NULL, sample->event_names.names, names, index, error);
    if (status != COVEY_OK) return status;
    for (event = 0; event < sample->offsets[count]; event++) {
        types[event] = sample->event[event] < names ? index[sample->event[event]] : 0;
    }
    *sequences = empty;
    sequences->count = count;
    sequences->offsets = sample->offsets;
    sequences->types = types;
    sequences->times = sample->seconds;
    sequences->dwell = sample->dwell;
    return COVEY_OK;
}

covey_table sample_features(const sample *sample, int64_t count) {
    covey_table table = COVEY_TABLE_INIT;
    table.rows = count;
    table.column_count = SAMPLE_FEATURES;
    table.columns = sample->columns;
    return table;
}

covey_table sample_feature_row(const sample *sample, int64_t row, covey_column *columns) {
    covey_table table = COVEY_TABLE_INIT;
    int f;
    for (f = 0; f < SAMPLE_FEATURES; f++) {
        static const size_t sizes[] = {sizeof(double), sizeof(int32_t), sizeof(int8_t)};
        columns[f] = sample->columns[f];
        columns[f].values = (const char *)columns[f].values + (size_t)row * sizes[columns[f].kind];
    }
    table.rows = 1;
    table.column_count = SAMPLE_FEATURES;
    table.columns = columns;
    return table;
}
