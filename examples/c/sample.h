/* The sample of examples/data, read into the shapes that Covey takes. See examples/data/README.md for the columns. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <covey.h>

#define SAMPLE_FEATURES 17
#define SAMPLE_EPOCH 1767571200 /* 2026-01-05 00:00 UTC in Unix time: second 0 of the sample. */

/* Distinct strings, numbered from 0 in the order of their first appearance. */
typedef struct sample_names {
    const char **names;
    int64_t count;
} sample_names;

typedef struct sample {
    int64_t transactions;
    int64_t events;

    /* Click streams: transaction i has the events offsets[i] to offsets[i + 1] - 1. */
    int64_t *offsets;
    int32_t *event; /* Index into event_names. */
    double *seconds;
    double *dwell; /* NaN = not measured. */
    sample_names event_names;

    /* Expert features, as a table ready for Covey. */
    covey_column columns[SAMPLE_FEATURES];
    covey_table features;

    double *time;
    int8_t *label; /* COVEY_LABEL_FRAUD, COVEY_LABEL_LEGITIMATE or COVEY_LABEL_UNKNOWN. */

    /* The truth, for checking alone. */
    int8_t *fraud;
    int32_t *ring; /* Index into ring_names; -1 = none. */
    sample_names ring_names;

    /* What the names and columns above live in. */
    char *texts[3];
    void *values[SAMPLE_FEATURES];
    sample_names categories[SAMPLE_FEATURES];
} sample;

/* Reads events.csv, transactions.csv and truth.csv from a folder. Returns 1; or 0 after a message on stderr that names
 * file and line. Free with sample_free in both cases. */
int sample_read(const char *folder, sample *sample);

void sample_free(sample *sample);

/* A column of numbers by its name, "amount" for example; NULL where there is none. */
const double *sample_numbers(const sample *sample, const char *name);

/* The first `count` transactions' click streams as a batch. `types` receives the event types, as `vocabulary` numbers
 * them; it holds sample->events numbers and must live as long as the batch. */
covey_status sample_sequences(const sample *sample, const covey_vocabulary *vocabulary, int64_t count, int32_t *types,
                              covey_sequences *sequences, covey_error **error);

/* The first `count` rows of the table of features. */
covey_table sample_features(const sample *sample, int64_t count);

/* One row of the features. `column` receives the columns; it holds SAMPLE_FEATURES of them and must live as long as the
   table. */
covey_table sample_feature_row(const sample *sample, int64_t row, covey_column *columns);

#endif
