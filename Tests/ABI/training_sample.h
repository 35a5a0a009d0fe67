/* A few sequences to train a small encoder on, in the repository's root. */
#ifndef TRAINING_SAMPLE_H
#define TRAINING_SAMPLE_H

#include "abi_test.h"

enum { SAMPLE_SEQUENCES = 40, SAMPLE_EVENTS = 300 };

typedef struct training_sample {
    int64_t offsets[SAMPLE_SEQUENCES + 1];
    int32_t types[SAMPLE_EVENTS], codes[SAMPLE_EVENTS];
    double times[SAMPLE_EVENTS], numbers[SAMPLE_EVENTS];
    covey_channel numeric, categorical;
    covey_vocabulary *vocabulary, *categories;
    const covey_vocabulary *vocabularies[1];
    covey_sequences sequences;
} training_sample;

/* Types 0 to 4 and one number and one code an event; sequences of 0 to 15 events. */
static inline training_sample *sample_create(void) {
    static const char *const names[] = {"a", "b", "c", "d"};
    training_sample *sample = calloc(1, sizeof *sample);
    for (int i = 0; i < SAMPLE_EVENTS; i++) {
        sample->types[i] = (i * 7 + i / 5) % 5;
        sample->codes[i] = i % 3;
        sample->times[i] = i * 3 + i % 4;
        sample->numbers[i] = i % 11 == 0 ? NAN : i % 6;
    }
    for (int i = 0; i <= SAMPLE_SEQUENCES; i++)
        sample->offsets[i] = i * i * SAMPLE_EVENTS / (SAMPLE_SEQUENCES * SAMPLE_SEQUENCES);
    covey_vocabulary_create(NULL, names, 4, &sample->vocabulary, NULL);
    covey_vocabulary_create(NULL, names, 2, &sample->categories, NULL);
    sample->vocabularies[0] = sample->categories;
    sample->numeric.values = sample->numbers;
    sample->categorical.values = sample->codes;
    covey_sequences sequences = COVEY_SEQUENCES_INIT;
    sequences.count = SAMPLE_SEQUENCES;
    sequences.offsets = sample->offsets;
    sequences.types = sample->types;
    sequences.times = sample->times;
    sequences.numeric = &sample->numeric;
    sequences.categorical = &sample->categorical;
    sequences.numeric_count = sequences.categorical_count = 1;
    sample->sequences = sequences;
    return sample;
}

static inline covey_training_options sample_options(const training_sample *sample) {
    covey_training_options options = COVEY_TRAINING_OPTIONS_INIT;
    options.embedding_size = 3;
    options.category_embedding_size = 2;
    options.hidden_size = 5;
    options.attention_size = 4;
    options.dimension = 6;
    options.epochs = 3;
    options.batch_size = 8;
    options.contrastive = options.masked_event = 0.5;
    options.categorical_vocabularies = sample->vocabularies;
    return options;
}

static inline void sample_destroy(training_sample *sample) {
    covey_vocabulary_destroy(sample->vocabulary);
    covey_vocabulary_destroy(sample->categories);
    free(sample);
}

#endif
