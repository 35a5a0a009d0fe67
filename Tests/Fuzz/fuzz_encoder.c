/* An encoder file with any content. Covey refuses it, or loads it, embeds with it, and saves it without a loss. */
#include "fuzz_sample.h"
#if !defined FUZZ_REPLAY || defined FUZZ_MUTATORS
#include "tensors_mutator.h"
#endif

static void read_all(const covey_encoder *encoder) {
    const covey_vocabulary *vocabulary = covey_encoder_vocabulary(encoder);
    FUZZ_REQUIRE(covey_encoder_dimension(encoder) >= 1 && covey_vocabulary_size(vocabulary) >= 1);
    for (int64_t i = 0; i < covey_vocabulary_size(vocabulary); i++) FUZZ_REQUIRE(covey_vocabulary_name(vocabulary, i));
    for (int64_t i = 0; i < covey_encoder_numeric_count(encoder); i++)
        FUZZ_REQUIRE(covey_encoder_numeric_name(encoder, i));
    for (int64_t i = 0; i < covey_encoder_categorical_count(encoder); i++) {
        FUZZ_REQUIRE(covey_encoder_categorical_name(encoder, i));
        FUZZ_REQUIRE(covey_vocabulary_size(covey_encoder_categorical_vocabulary(encoder, i)) >= 1);
    }
}

static void embed(const covey_encoder *encoder, int threads) {
    covey_error *error = NULL;
    size_t size = (size_t)covey_encoder_dimension(encoder) * 4;
    covey_sequences sequences = sample_sequences_for(encoder, 3);
    float *all = fuzz_alloc(3 * size), *one = fuzz_alloc(size), *attention = fuzz_alloc(9 * sizeof(float));
    covey_embed_options options = COVEY_EMBED_OPTIONS_INIT;
    for (int precision = 0; precision < 2; precision++) {
        options.precision = precision;
        if (!fuzz_ok(covey_embed_sequences_with(encoder, fuzz_context(threads), &sequences, &options, all, 0, attention,
                                                &error),
                     &error))
            continue;
        for (size_t i = 0; i < 3 * size / 4; i++) FUZZ_REQUIRE(isfinite(all[i]));
        sequences.count = 1;
        FUZZ_OK(covey_embed_sequences_with(encoder, fuzz_context(1), &sequences, &options, one, 0, NULL, &error));
        FUZZ_REQUIRE(memcmp(all, one, size) == 0);
        sequences.count = 3;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    covey_error *error = NULL;
    covey_encoder *encoder = NULL, *again = NULL;
    int threads = fuzz_threads(size);
    sample_get();
    fuzz_begin();
    if (fuzz_ok(covey_load_model(fuzz_context(threads), fuzz_file(data, size), &encoder, &error), &error)) {
        read_all(encoder);
        embed(encoder, threads);
        size_t first_size, second_size;
        FUZZ_OK(covey_encoder_save(encoder, NULL, fuzz_written(), &error));
        uint8_t *first = fuzz_read_written(&first_size);
        FUZZ_OK(covey_load_model(fuzz_context(1), fuzz_file(first, first_size), &again, &error));
        FUZZ_OK(covey_encoder_save(again, NULL, fuzz_written(), &error));
        uint8_t *second = fuzz_read_written(&second_size);
        FUZZ_REQUIRE(first_size == second_size && memcmp(first, second, first_size) == 0);
    } else {
        FUZZ_REQUIRE(!encoder);
    }
    covey_encoder_destroy(encoder);
    covey_encoder_destroy(again);
    return fuzz_end();
}
