/* 2. The encoder, trained: no labels, a few seconds; the model is saved, loaded again and embeds.
 *
 *   02_training [FOLDER [MODEL]]     the folder of the sample, default examples/data; where the model is written,
 *   default a
 *                                    temporary file that is removed */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRAINED 3000 /* Of the sample's transactions: enough to show it. */
#define EPOCHS 6

/* Called after each epoch, and about once a second in between. */
static int32_t on_progress(void *user_data, const covey_training_progress *progress) {
    (void)user_data;
    /* Within an epoch there is no held-out loss yet: NaN, which is not equal to itself. */
    if (progress->held_out_loss == progress->held_out_loss) {
        printf("  epoch %2lld  loss %7.4f  on sequences held out %7.4f\n", (long long)progress->epoch, progress->loss,
               progress->held_out_loss);
    }
    return 0; /* Anything else would stop the training, and keep the best weights so far. */
}

int main(int argc, char **argv) {
    const char *folder = argc > 1 ? argv[1] : "examples/data";
    char temporary[] = "/tmp/covey-model-XXXXXX";
    const char *path = argc > 2 ? argv[2] : temporary;
    covey_error *error = NULL;
    covey_vocabulary *vocabulary = NULL;
    covey_encoder *encoder = NULL, *loaded = NULL;
    covey_training *training = NULL;
    covey_training_options options = COVEY_TRAINING_OPTIONS_INIT;
    covey_sequences sequences;
    sample sample;
    int32_t *types = NULL;
    float *first = NULL, *second = NULL;
    size_t size;
    int64_t d;
    int file, failed = 1;

    if (!sample_read(folder, &sample)) goto done;
    types = malloc((size_t)sample.events * sizeof *types);
    if (types == NULL) goto done;

    /* The event types that the model knows; any other becomes its unknown entry. */
    CHECK(covey_vocabulary_create(NULL, sample.event_names.names, sample.event_names.count, &vocabulary, &error));
    CHECK(sample_sequences(&sample, vocabulary, TRAINED, types, &sequences, &error));

    options.hidden_size = 16;
    options.embedding_size = 16;
    options.attention_size = 16;
    options.dimension = 24;
    options.epochs = EPOCHS;
    options.progress = on_progress;
    printf("%d sequences, %lld events, %lld event types\n", TRAINED, (long long)sample.offsets[TRAINED],
           (long long)sample.event_names.count);
    CHECK(covey_encoder_train(NULL, &sequences, vocabulary, &options, &encoder, &training, &error));
    printf("%lld steps; the encoder has the weights after step %lld\n\n", (long long)covey_training_steps(training),
           (long long)covey_training_best_step(training));

    if (argc <= 2) {
        file = mkstemp(temporary);
        if (file < 0) {
            perror("mkstemp");
            goto done;
        }
        close(file);
    }
    CHECK(covey_encoder_save(encoder, NULL, path, &error));
    CHECK(covey_load_model(NULL, path, &loaded, &error));

    d = covey_encoder_dimension(loaded);
    size = (size_t)(TRAINED * d) * sizeof *first;
    first = malloc(size);
    second = malloc(size);
    if (first == NULL || second == NULL) goto done;
    CHECK(covey_embed_sequences(encoder, NULL, &sequences, first, 0, NULL, &error));
    CHECK(covey_embed_sequences(loaded, NULL, &sequences, second, 0, NULL, &error));
    printf("The saved model: %lld numbers for each sequence, %s those of the trained one.\n", (long long)d,
           memcmp(first, second, size) == 0 ? "the same as" : "NOT");
    failed = memcmp(first, second, size) != 0;
    goto done;

failed:
    fprintf(stderr, "%s\n", covey_error_message(error));
done:
    if (path == temporary && strstr(temporary, "XXXXXX") == NULL) remove(temporary);
    covey_error_destroy(error);
    covey_training_destroy(training);
    covey_encoder_destroy(encoder);
    covey_encoder_destroy(loaded);
    covey_vocabulary_destroy(vocabulary);
    free(types);
    free(first);
    free(second);
    sample_free(&sample);
    return failed;
}
