/* A checkpoint file with any content. The training refuses it or continues from it. */
#include "fuzz_sample.h"
#if !defined FUZZ_REPLAY || defined FUZZ_MUTATORS
#include "tensors_mutator.h"
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    covey_error *error = NULL;
    covey_encoder *encoder = NULL;
    covey_training *training = NULL;
    const fuzz_sample *sample = sample_get();
    covey_training_options options = sample_options();
    fuzz_begin();
    int file = open(fuzz_written(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    FUZZ_REQUIRE(file >= 0 && write(file, data, size) == (ssize_t)size && close(file) == 0);
    options.checkpoint_path = fuzz_written();
    int trained = fuzz_ok(covey_encoder_train(fuzz_context(1), &sample->sequences, sample->vocabulary, &options,
                                              &encoder, &training, &error),
                          &error);
    FUZZ_REQUIRE((encoder != NULL) == trained);
    for (int64_t epoch = 0; epoch < covey_training_epochs(training); epoch++) {
        covey_training_epoch figures = COVEY_TRAINING_EPOCH_INIT;
        FUZZ_OK(covey_training_get(training, epoch, &figures, &error));
    }
    FUZZ_REQUIRE(covey_training_best_step(training) <= covey_training_steps(training));
    if (trained) {
        covey_sequences sequences = sample_sequences_for(encoder, 3);
        float *embeddings = fuzz_alloc(3 * 4 * (size_t)covey_encoder_dimension(encoder));
        fuzz_ok(covey_embed_sequences(encoder, fuzz_context(1), &sequences, embeddings, 0, NULL, &error), &error);
    }
    unlink(fuzz_written());
    covey_encoder_destroy(encoder);
    covey_training_destroy(training);
    return fuzz_end();
}
