/* Ordinary transactions in one cloud, and a ring of which half is known to be fraud, for covey_find. */
#ifndef FIND_SAMPLE_H
#define FIND_SAMPLE_H

#include "abi_test.h"

#define FIND_ROWS 400
#define FIND_RING 30

typedef struct find_sample {
    double amounts[FIND_ROWS], ages[FIND_ROWS], times[FIND_ROWS];
    int32_t countries[FIND_ROWS];
    int8_t fraud[FIND_ROWS];
    int64_t offsets[FIND_ROWS + 1];
    int32_t types[4 * FIND_ROWS];
    double seconds[4 * FIND_ROWS];
    covey_column columns[3];
    covey_table table;
    covey_sequences sequences;
} find_sample;

static const char *const find_countries[3] = {"NL", "BE", "FR"};

static inline double find_number(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0;
}

/* Rows below FIND_RING are the ring: alike in their features and in the order of their events. */
static inline void make_find_sample(find_sample *sample, uint64_t seed) {
    sample->offsets[0] = 0;
    for (int row = 0; row < FIND_ROWS; row++) {
        int ring = row < FIND_RING;
        sample->amounts[row] = ring ? 900 + find_number(&seed) : 1000 * find_number(&seed);
        sample->ages[row] = ring ? 3 + find_number(&seed) : 400 * find_number(&seed);
        sample->countries[row] = ring ? 2 : (int32_t)(3 * find_number(&seed));
        sample->times[row] = 1e6 * find_number(&seed);
        sample->fraud[row] = ring && row % 2 == 0 ? COVEY_LABEL_FRAUD : COVEY_LABEL_UNKNOWN;
        for (int event = 0; event < 4; event++) {
            int64_t place = 4 * (int64_t)row + event;
            sample->types[place] = ring ? 1 + event % 2 : 1 + (int32_t)(4 * find_number(&seed));
            sample->seconds[place] = 10 * event + 5 * find_number(&seed);
        }
        sample->offsets[row + 1] = 4 * (int64_t)(row + 1);
    }
    covey_column amount = {"amount", sample->amounts, 0, NULL, 0, COVEY_NUMERIC, 0};
    covey_column age = {"age", sample->ages, 0, NULL, 0, COVEY_NUMERIC, 0};
    covey_column country = {"country", sample->countries, 0, find_countries, 3, COVEY_CATEGORICAL, 0};
    sample->columns[0] = amount;
    sample->columns[1] = age;
    sample->columns[2] = country;
    covey_table table = COVEY_TABLE_INIT;
    table.rows = FIND_ROWS;
    table.column_count = 3;
    table.columns = sample->columns;
    sample->table = table;
    covey_sequences sequences = COVEY_SEQUENCES_INIT;
    sequences.count = FIND_ROWS;
    sequences.offsets = sample->offsets;
    sequences.types = sample->types;
    sequences.times = sample->seconds;
    sample->sequences = sequences;
}

/* Few trees and permutations, and a small encoder: enough for the sample. */
static inline covey_find_options small_find_options(void) {
    static covey_training_options training = COVEY_TRAINING_OPTIONS_INIT;
    training.epochs = 2;
    training.hidden_size = 8;
    training.embedding_size = 4;
    covey_find_options options = COVEY_FIND_OPTIONS_INIT;
    options.trees = 40;
    options.permutations = 199;
    options.training = &training;
    return options;
}

/* Whether a finding of this code is among those. */
static inline int has_finding(const covey_found *found, int32_t code) {
    for (int64_t index = 0; index < covey_found_finding_count(found); index++)
        if (covey_found_finding_code(found, index) == code) return 1;
    return 0;
}

#endif
