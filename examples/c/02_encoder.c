/* 2. The encoder: load a model, embed sequences, and ask which events it looked at.
 *
 *   02_encoder [FOLDER]      the folder of the sample; default examples/data */
#include "check.h"
#include "sample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SHOWN 42 /* The transaction whose attention is shown and whose like is sought. */

static double distance(const float *a, const float *b, int64_t d) {
    double sum = 0;
    int64_t i;
    for (i = 0; i < d; i++) sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    return sqrt(sum);
}

static void print_stream(const sample *sample, int64_t transaction, const float *attention) {
    int64_t i;
    for (i = sample->offsets[transaction]; i < sample->offsets[transaction + 1]; i++) {
        int bar = (int)(attention[i] * 60 + 0.5F);
        printf("  %7.1f s  %-9s %5.1f %%  ", sample->seconds[i] - sample->seconds[sample->offsets[transaction]],
               sample->event_names.names[sample->event[i]], 100.0 * attention[i]);
        while (bar-- > 0) putchar('#');
        putchar('\n');
    }
}

int main(int argc, char **argv) {
    const char *folder = argc > 1 ? argv[1] : "examples/data";
    char path[1024];
    covey_error *error = NULL;
    covey_encoder *encoder = NULL;
    covey_sequences sequences;
    sample sample;
    int32_t *types = NULL;
    float *embeddings = NULL, *attention = NULL;
    int64_t i, d, nearest = -1;
    int failed = 1;

    if (!sample_read(folder, &sample)) goto done;

    snprintf(path, sizeof path, "%s/shop.safetensors", folder);
    CHECK(covey_load_model(NULL, path, &encoder, &error));
    d = covey_encoder_dimension(encoder);
    printf("%s\n  event types  %lld, the first of them \"%s\"\n  dwell        %s\n  embedding    %lld numbers\n\n",
           path, (long long)covey_vocabulary_size(covey_encoder_vocabulary(encoder)) - 1,
           covey_vocabulary_name(covey_encoder_vocabulary(encoder), 1),
           covey_encoder_uses_dwell(encoder) ? "used" : "not used", (long long)d);

    types = malloc((size_t)sample.events * sizeof *types);
    attention = malloc((size_t)sample.events * sizeof *attention);
    embeddings = malloc((size_t)(sample.transactions * d) * sizeof *embeddings);
    if (types == NULL || attention == NULL || embeddings == NULL) goto done;

    CHECK(sample_sequences(&sample, covey_encoder_vocabulary(encoder), sample.transactions, types, &sequences, &error));
    CHECK(covey_embed_sequences(encoder, NULL, &sequences, embeddings, 0, attention, &error));

    printf("Transaction %d, and the attention of each event:\n", SHOWN);
    print_stream(&sample, SHOWN, attention);

    for (i = 0; i < sample.transactions; i++) {
        if (i != SHOWN && (nearest < 0 || distance(embeddings + i * d, embeddings + SHOWN * d, d) <
                                              distance(embeddings + nearest * d, embeddings + SHOWN * d, d))) {
            nearest = i;
        }
    }
    printf("\nThe one of %lld whose behaviour is most like it is %lld:\n", (long long)sample.transactions,
           (long long)nearest);
    print_stream(&sample, nearest, attention);
    failed = 0;
    goto done;

failed:
    fprintf(stderr, "%s\n", covey_error_message(error));
done:
    covey_error_destroy(error);
    covey_encoder_destroy(encoder);
    free(types);
    free(attention);
    free(embeddings);
    sample_free(&sample);
    return failed;
}
