/* A small model that PyTorch made, with dwell, two numeric and two categorical channels; and a good batch for it. The
 * programs run in the repository's root. */
#ifndef ENCODER_MODEL_H
#define ENCODER_MODEL_H

#include "abi_test.h"

#define MODEL_PATH "Tests/Fixtures/encoder/channels.model.safetensors"
#define MODEL_DIMENSION 40

static const int64_t model_offsets[4] = {1, 3, 3, 6};
static const int32_t model_types[6] = {0, 1, 2, 3, -1, 1000};
static const double model_times[6] = {0, 10, 20, 5, 5, 1};
static const double model_dwell[6] = {0, 1, NAN, 2, 3, 0};
static const double model_numbers[6] = {0, 9, NAN, 11, 12, 13};
static const int32_t model_codes[6] = {0, 1, 2, -1, 77, 3};
static const covey_channel model_numeric[2] = {{model_numbers, 0}, {model_numbers, 0}};
static const covey_channel model_categorical[2] = {{model_codes, 0}, {model_codes, 0}};

static inline covey_sequences model_sequences(void) {
    covey_sequences sequences = COVEY_SEQUENCES_INIT;
    sequences.count = 3;
    sequences.offsets = model_offsets;
    sequences.types = model_types;
    sequences.times = model_times;
    sequences.dwell = model_dwell;
    sequences.numeric = model_numeric;
    sequences.numeric_count = 2;
    sequences.categorical = model_categorical;
    sequences.categorical_count = 2;
    return sequences;
}

#endif
