/* Section 6: train an encoder, stop a training, take it up again. */
#include "training_sample.h"

#include <unistd.h>

static training_sample *sample;

/* Counts its calls and stops at the `stop`th epoch's end. */
typedef struct observer {
    int calls, ends, stop;
} observer;

static int32_t observe(void *user_data, const covey_training_progress *progress) {
    observer *seen = user_data;
    seen->calls++;
    CHECK(progress->struct_size == sizeof *progress);
    CHECK(progress->epoch >= 1 && progress->step >= 1 && progress->step <= progress->steps);
    CHECK(isfinite(progress->loss) && progress->learning_rate > 0 && progress->sequences_per_second > 0);
    if (!isnan(progress->held_out_loss)) seen->ends++;
    return seen->stop > 0 && seen->ends == seen->stop;
}

static covey_status train(const covey_training_options *options, int32_t threads, covey_encoder **encoder,
                          covey_training **training, covey_error **error) {
    covey_context_options context_options = COVEY_CONTEXT_OPTIONS_INIT;
    context_options.threads = threads;
    covey_context *context = NULL;
    covey_status status = covey_context_create(&context_options, &context, error);
    if (status == COVEY_OK)
        status =
            covey_encoder_train(context, &sample->sequences, sample->vocabulary, options, encoder, training, error);
    covey_context_destroy(context);
    return status;
}

static void embed(const covey_encoder *encoder, float *embeddings) {
    covey_error *error = NULL;
    CHECK(covey_encoder_dimension(encoder) == 6);
    CHECK_OK(covey_embed_sequences(encoder, NULL, &sample->sequences, embeddings, 0, NULL, &error));
}

static void whole(void) {
    covey_error *error = NULL;
    static const char *const numeric[] = {"amount"}, *const categorical[] = {"country"};
    covey_training_options options = sample_options(sample);
    observer seen = {0, 0, 0};
    options.numeric_names = numeric;
    options.categorical_names = categorical;
    options.progress = observe;
    options.progress_user_data = &seen;
    covey_encoder *encoder = NULL, *other = NULL;
    covey_training *training = NULL;
    CHECK_OK(train(&options, 2, &encoder, &training, &error));
    CHECK(seen.ends == 3 && seen.calls >= 3);
    CHECK(strcmp(covey_encoder_numeric_name(encoder, 0), "amount") == 0);
    CHECK(strcmp(covey_encoder_categorical_name(encoder, 0), "country") == 0);
    CHECK(covey_vocabulary_size(covey_encoder_vocabulary(encoder)) == 5 && !covey_encoder_uses_dwell(encoder));
    CHECK(covey_training_epochs(training) == 3);
    CHECK(covey_training_steps(training) == 3 * 5 && covey_training_best_step(training) % 5 == 0);
    covey_training_epoch epoch = COVEY_TRAINING_EPOCH_INIT;
    CHECK_OK(covey_training_get(training, 2, &epoch, &error));
    CHECK(isfinite(epoch.loss) && isfinite(epoch.held_out_loss) && epoch.seconds > 0 && epoch.sequences_per_second > 0);
    CHECK(covey_training_get(training, 3, &epoch, NULL) == COVEY_INVALID_ARGUMENT);
    float first[SAMPLE_SEQUENCES * 6], second[SAMPLE_SEQUENCES * 6];
    embed(encoder, first);
    embed(covey_training_encoder(training), second);
    CHECK(memcmp(first, second, sizeof first) == 0);
    /* Any order of destruction; the same bytes with one thread, and without a report. */
    covey_training_destroy(training);
    embed(encoder, second);
    CHECK(memcmp(first, second, sizeof first) == 0);
    covey_encoder_destroy(encoder);
    CHECK_OK(train(&options, 1, &other, NULL, &error));
    embed(other, second);
    CHECK(memcmp(first, second, sizeof first) == 0);
    covey_encoder_destroy(other);
}

static void stopped(void) {
    covey_error *error = NULL;
    covey_training_options options = sample_options(sample);
    char path[64];
    snprintf(path, sizeof path, "/tmp/covey-abi-training-%d", (int)getpid());
    covey_encoder *encoder = (covey_encoder *)1;
    covey_training *training = NULL;
    CHECK_OK(train(&options, 2, &encoder, NULL, &error));
    float expected[SAMPLE_SEQUENCES * 6], found[SAMPLE_SEQUENCES * 6];
    embed(encoder, expected);
    covey_encoder_destroy(encoder);

    observer seen = {0, 0, 2};
    options.progress = observe;
    options.progress_user_data = &seen;
    options.checkpoint_path = path;
    CHECK(train(&options, 2, &encoder, &training, &error) == COVEY_CANCELLED);
    CHECK(encoder == NULL && training != NULL && seen.ends == 2);
    covey_error_destroy(error);
    CHECK(covey_training_epochs(training) == 2 && covey_training_best_step(training) > 0);
    embed(covey_training_encoder(training), found);
    covey_training_destroy(training);

    options.progress = NULL;
    CHECK_OK(train(&options, 2, &encoder, &training, &error));
    CHECK(covey_training_epochs(training) == 3);
    embed(encoder, found);
    CHECK(memcmp(found, expected, sizeof expected) == 0);
    covey_encoder_destroy(encoder);
    covey_training_destroy(training);
    CHECK(unlink(path) == 0);

    /* A loss that is no longer finite. */
    options.checkpoint_path = NULL;
    options.learning_rate = 1e30;
    options.warm_up = 0;
    CHECK(train(&options, 2, &encoder, &training, &error) == COVEY_INVALID_DATA);
    CHECK(strstr(covey_error_message(error), " step ") != NULL && encoder == NULL);
    covey_error_destroy(error);
    covey_training_destroy(training);
}

int main(void) {
    sample = sample_create();
    whole();
    stopped();
    sample_destroy(sample);
    covey_training_destroy(NULL);
    CHECK(covey_training_encoder(NULL) == NULL && covey_training_epochs(NULL) == 0);
    CHECK(covey_training_steps(NULL) == 0 && covey_training_best_step(NULL) == 0);
    return finish();
}
