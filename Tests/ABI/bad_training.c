#include "training_sample.h"

/* Trains with options that a function changed. */
static covey_status train(void (*change)(training_sample *, covey_training_options *), const covey_context *context,
                          covey_error **error) {
    training_sample *sample = sample_create();
    covey_training_options options = sample_options(sample);
    options.epochs = 1;
    if (change) change(sample, &options);
    covey_encoder *encoder = (covey_encoder *)1;
    covey_training *training = (covey_training *)1;
    covey_status status =
        covey_encoder_train(context, &sample->sequences, sample->vocabulary, &options, &encoder, &training, error);
    if (status != COVEY_OK && encoder != NULL) status = COVEY_INTERNAL;
    covey_encoder_destroy(encoder);
    covey_training_destroy(training);
    sample_destroy(sample);
    return status;
}

#define CHANGED(name, code) \
    static void name##_change(training_sample *sample, covey_training_options *options) { \
        (void)sample; \
        (void)options; \
        code; \
    } \
    static covey_status name(covey_error **error) { return train(name##_change, NULL, error); }

CHANGED(small_struct, options->struct_size = 8)
CHANGED(no_embedding, options->embedding_size = 0)
CHANGED(huge_hidden, options->hidden_size = INT64_MAX)
CHANGED(no_attention, options->attention_size = -1)
CHANGED(huge_dimension, options->dimension = 65537)
CHANGED(no_objective, options->next_event = options->autoencoder = options->contrastive = options->masked_event = 0)
CHANGED(negative_objective, options->contrastive = -1)
CHANGED(nan_objective, options->masked_event = NAN)
CHANGED(no_epochs, options->epochs = 0)
CHANGED(no_batch, options->batch_size = 0)
CHANGED(nan_rate, options->learning_rate = NAN)
CHANGED(zero_clip, options->clip = 0)
CHANGED(whole_dropout, options->dropout = 1)
CHANGED(one_slice, options->slices = 1)
CHANGED(all_held_out, options->held_out = 1)
CHANGED(tiny_window, options->window = 1)
CHANGED(no_steps, options->checkpoint_steps = 0)
CHANGED(negative_epoch, options->epoch_sequences = -1)
CHANGED(empty_checkpoint, options->checkpoint_path = "")
CHANGED(folder_checkpoint, options->checkpoint_path = "/tmp")
CHANGED(nowhere_checkpoint, options->checkpoint_path = "/nonexistent/state")
CHANGED(model_checkpoint, options->checkpoint_path = "Tests/Fixtures/encoder/small.model.safetensors")
CHANGED(no_vocabularies, options->categorical_vocabularies = NULL)
CHANGED(null_vocabulary, sample->vocabularies[0] = NULL)
CHANGED(no_sequences, sample->sequences.count = 0)
CHANGED(bad_time, sample->times[7] = INFINITY)
CHANGED(bad_number, sample->numbers[7] = -INFINITY)

static const char *const null_text[] = {NULL}, *const empty_text[] = {""};
CHANGED(null_name, options->numeric_names = null_text)
CHANGED(empty_name, options->categorical_names = empty_text)

static covey_status null_encoder(covey_error **error) {
    training_sample *sample = sample_create();
    covey_status status = covey_encoder_train(NULL, &sample->sequences, sample->vocabulary, NULL, NULL, NULL, error);
    sample_destroy(sample);
    return status;
}
static covey_status null_events(covey_error **error) {
    training_sample *sample = sample_create();
    covey_encoder *encoder = NULL;
    covey_status status = covey_encoder_train(NULL, &sample->sequences, NULL, NULL, &encoder, NULL, error);
    sample_destroy(sample);
    return status;
}
static covey_status null_sequences(covey_error **error) {
    training_sample *sample = sample_create();
    covey_encoder *encoder = NULL;
    covey_status status = covey_encoder_train(NULL, NULL, sample->vocabulary, NULL, &encoder, NULL, error);
    sample_destroy(sample);
    return status;
}
static covey_status budget(covey_error **error) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.memory_budget = 20000;
    covey_context *context = NULL;
    if (covey_context_create(&options, &context, NULL) != COVEY_OK) return COVEY_INTERNAL;
    covey_status status = train(NULL, context, error);
    covey_context_destroy(context);
    return status;
}
static covey_status null_report(covey_error **error) {
    covey_training_epoch epoch = COVEY_TRAINING_EPOCH_INIT;
    return covey_training_get(NULL, 0, &epoch, error);
}

const abi_case training_cases[] = {
    {"train: small struct", COVEY_INVALID_ARGUMENT, "options.struct_size must be", small_struct},
    {"train: no embedding", COVEY_INVALID_ARGUMENT, "embedding_size must be 1 to 4096, got 0", no_embedding},
    {"train: huge hidden", COVEY_INVALID_ARGUMENT, "hidden_size must be 1 to 4096, got 9223372036854775807",
     huge_hidden},
    {"train: no attention", COVEY_INVALID_ARGUMENT, "attention_size must be 1 to 4096, got -1", no_attention},
    {"train: huge dimension", COVEY_INVALID_ARGUMENT, "dimension must be 0 to 65536, got 65537", huge_dimension},
    {"train: no objective", COVEY_INVALID_ARGUMENT, "must not all be 0", no_objective},
    {"train: negative objective", COVEY_INVALID_ARGUMENT, "contrastive must be 0.0 to 1000000.0, got -1.0",
     negative_objective},
    {"train: NaN objective", COVEY_INVALID_ARGUMENT, "masked_event must be 0.0 to 1000000.0, got nan", nan_objective},
    {"train: no epochs", COVEY_INVALID_ARGUMENT, "epochs must be 1 to 1000000, got 0", no_epochs},
    {"train: no batch", COVEY_INVALID_ARGUMENT, "batch_size must be 1 to 65536, got 0", no_batch},
    {"train: NaN rate", COVEY_INVALID_ARGUMENT, "learning_rate must be above 0 and finite, got nan", nan_rate},
    {"train: zero clip", COVEY_INVALID_ARGUMENT, "clip must be above 0, got 0.0", zero_clip},
    {"train: whole dropout", COVEY_INVALID_ARGUMENT, "dropout must be at least 0 and below 1, got 1.0", whole_dropout},
    {"train: one slice", COVEY_INVALID_ARGUMENT, "slices must be 2 to 64, got 1", one_slice},
    {"train: all held out", COVEY_INVALID_ARGUMENT, "held_out must be at least 0 and below 1, got 1.0", all_held_out},
    {"train: tiny window", COVEY_INVALID_ARGUMENT, "window must be 2 to 1000000, got 1", tiny_window},
    {"train: negative epoch", COVEY_INVALID_ARGUMENT, "epoch_sequences must be 0 to 2147483647, got -1",
     negative_epoch},
    {"train: no steps", COVEY_INVALID_ARGUMENT, "checkpoint_steps must be 1 to 2147483647, got 0", no_steps},
    {"train: empty checkpoint", COVEY_INVALID_ARGUMENT, "checkpoint_path must not be empty", empty_checkpoint},
    {"train: folder as checkpoint", COVEY_IO, "/tmp: not a regular file", folder_checkpoint},
    {"train: checkpoint nowhere", COVEY_IO, "/nonexistent/state", nowhere_checkpoint},
    {"train: model as checkpoint", COVEY_CORRUPT_FILE, "metadata entry covey.training is missing", model_checkpoint},
    {"train: no vocabularies", COVEY_INVALID_ARGUMENT, "categorical_vocabularies must not be NULL", no_vocabularies},
    {"train: null vocabulary", COVEY_INVALID_ARGUMENT, "categorical_vocabularies[0] must not be NULL", null_vocabulary},
    {"train: no sequences", COVEY_INVALID_DATA, "sequences have no events to train on", no_sequences},
    {"train: bad time", COVEY_INVALID_DATA, "times[7] must be finite, got inf", bad_time},
    {"train: bad number", COVEY_INVALID_DATA, "numeric[0][7] must be finite or NaN, got -inf", bad_number},
    {"train: null name", COVEY_INVALID_ARGUMENT, "numeric_names[0] must not be NULL", null_name},
    {"train: empty name", COVEY_INVALID_ARGUMENT, "names[0] must not be empty", empty_name},
    {"train: null encoder", COVEY_INVALID_ARGUMENT, "encoder must not be NULL", null_encoder},
    {"train: null vocabulary", COVEY_INVALID_ARGUMENT, "vocabulary must not be NULL", null_events},
    {"train: null sequences", COVEY_INVALID_ARGUMENT, "sequences must not be NULL", null_sequences},
    {"train: memory budget", COVEY_OUT_OF_MEMORY, "above the memory budget of 20000", budget},
    {"training: null report", COVEY_INVALID_ARGUMENT, "training must not be NULL", null_report},
    {NULL, 0, NULL, NULL},
};
