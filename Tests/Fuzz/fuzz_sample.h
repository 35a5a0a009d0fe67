/* A few sequences and a small encoder, for the targets and seeds that need them. */
#ifndef FUZZ_SAMPLE_H
#define FUZZ_SAMPLE_H

#include "fuzz.h"

enum { SAMPLE_SEQUENCES = 12, SAMPLE_EVENTS = 48 };

typedef struct fuzz_sample {
    int64_t offsets[SAMPLE_SEQUENCES + 1];
    int32_t types[SAMPLE_EVENTS], codes[SAMPLE_EVENTS];
    double times[SAMPLE_EVENTS], numbers[SAMPLE_EVENTS], dwell[SAMPLE_EVENTS];
    covey_channel numeric, categorical;
    covey_vocabulary *vocabulary, *categories;
    const covey_vocabulary *vocabularies[1];
    covey_sequences sequences;
} fuzz_sample;

/* Types 0 to 4, one number and one code for each event. The sequences have 0 to 7 events. */
static inline const fuzz_sample *sample_get(void) {
    static const char *const names[] = {"view", "cart", "pay", "login"};
    static fuzz_sample sample;
    if (sample.vocabulary) return &sample;
    for (int i = 0; i < SAMPLE_EVENTS; i++) {
        sample.types[i] = (i * 7 + i / 5) % 5;
        sample.codes[i] = i % 3;
        sample.times[i] = i * 3 + i % 4;
        sample.numbers[i] = i % 11 == 0 ? NAN : i % 6;
        sample.dwell[i] = i % 7 == 0 ? NAN : i % 5;
    }
    for (int i = 0; i <= SAMPLE_SEQUENCES; i++)
        sample.offsets[i] = i * i * SAMPLE_EVENTS / (SAMPLE_SEQUENCES * SAMPLE_SEQUENCES);
    FUZZ_REQUIRE(covey_vocabulary_create(NULL, names, 4, &sample.vocabulary, NULL) == COVEY_OK);
    FUZZ_REQUIRE(covey_vocabulary_create(NULL, names, 2, &sample.categories, NULL) == COVEY_OK);
    sample.vocabularies[0] = sample.categories;
    sample.numeric.values = sample.numbers;
    sample.categorical.values = sample.codes;
    covey_sequences sequences = COVEY_SEQUENCES_INIT;
    sequences.count = SAMPLE_SEQUENCES;
    sequences.offsets = sample.offsets;
    sequences.types = sample.types;
    sequences.times = sample.times;
    sequences.numeric = &sample.numeric;
    sequences.categorical = &sample.categorical;
    sequences.numeric_count = sequences.categorical_count = 1;
    sample.sequences = sequences;
    return &sample;
}

static inline covey_training_options sample_options(void) {
    covey_training_options options = COVEY_TRAINING_OPTIONS_INIT;
    options.embedding_size = 2;
    options.category_embedding_size = 2;
    options.hidden_size = 3;
    options.attention_size = 2;
    options.dimension = 4;
    options.epochs = 2;
    options.batch_size = 4;
    options.held_out = 0.2;
    options.next_event = options.autoencoder = 1; /* fixed, because the seeds depend on them */
    options.masked_event = options.contrastive = 0.5;
    options.categorical_vocabularies = sample_get()->vocabularies;
    options.checkpoint_steps = 1;
    return options;
}

/* An encoder with dwell, a numeric channel and a categorical channel. */
static inline const covey_encoder *sample_encoder(void) {
    static covey_encoder *encoder;
    if (encoder) return encoder;
    covey_sequences sequences = sample_get()->sequences;
    sequences.dwell = sample_get()->dwell;
    covey_training_options options = sample_options();
    covey_error *error = NULL;
    covey_status status =
        covey_encoder_train(fuzz_context(1), &sequences, sample_get()->vocabulary, &options, &encoder, NULL, &error);
    if (error) fprintf(stderr, "%s\n", covey_error_message(error));
    FUZZ_REQUIRE(status == COVEY_OK);
    return encoder;
}

/* Sequences for any encoder: `count` of them (at most 3), with as many channels as the encoder has, all with the same
 * numbers. */
static inline covey_sequences sample_sequences_for(const covey_encoder *encoder, int64_t count) {
    static const int64_t offsets[] = {0, 4, 4, 9};
    covey_sequences sequences = sample_get()->sequences;
    int64_t numeric = covey_encoder_numeric_count(encoder), categorical = covey_encoder_categorical_count(encoder);
    covey_channel *channels = fuzz_alloc((size_t)(numeric + categorical) * sizeof *channels);
    for (int64_t i = 0; i < numeric; i++) channels[i] = sample_get()->numeric;
    for (int64_t i = 0; i < categorical; i++) channels[numeric + i] = sample_get()->categorical;
    sequences.count = count;
    sequences.offsets = offsets;
    sequences.dwell = covey_encoder_uses_dwell(encoder) ? sample_get()->dwell : NULL;
    sequences.numeric = channels;
    sequences.categorical = channels + numeric;
    sequences.numeric_count = numeric;
    sequences.categorical_count = categorical;
    return sequences;
}

#endif
