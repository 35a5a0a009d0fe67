/* Section 6: load a model, look at it, embed, save. */
#include "encoder_model.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static covey_encoder *encoder;
static float expected[3 * MODEL_DIMENSION];

/* From several threads at once, each with a context of its own. */
static void *embed_often(void *failures) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.threads = 2;
    covey_context *context = NULL;
    if (covey_context_create(&options, &context, NULL) != COVEY_OK) return NULL;
    for (int i = 0; i < 50; i++) {
        float embeddings[3 * MODEL_DIMENSION];
        covey_sequences sequences = model_sequences();
        if (covey_embed_sequences(encoder, context, &sequences, embeddings, 0, NULL, NULL) != COVEY_OK ||
            memcmp(embeddings, expected, sizeof embeddings) != 0)
            *(int *)failures = 1;
    }
    covey_context_destroy(context);
    return NULL;
}

static void look(void) {
    CHECK(covey_encoder_dimension(encoder) == MODEL_DIMENSION);
    CHECK(covey_encoder_uses_dwell(encoder) == 1);
    CHECK(covey_encoder_numeric_count(encoder) == 2);
    CHECK(covey_encoder_categorical_count(encoder) == 2);
    CHECK(strcmp(covey_encoder_numeric_name(encoder, 1), "number 1") == 0);
    CHECK(strcmp(covey_encoder_categorical_name(encoder, 0), "category 0") == 0);
    CHECK(covey_encoder_numeric_name(encoder, -1) == NULL && covey_encoder_numeric_name(encoder, 2) == NULL);
    CHECK(covey_encoder_categorical_name(encoder, INT64_MIN) == NULL);
    CHECK(covey_encoder_categorical_name(encoder, INT64_MAX) == NULL);
    const covey_vocabulary *vocabulary = covey_encoder_vocabulary(encoder);
    CHECK(covey_vocabulary_size(vocabulary) == 31);
    CHECK(strcmp(covey_vocabulary_name(vocabulary, 5), "Ereignis \xC3\xA4"
                                                       "5") == 0);
    CHECK(covey_vocabulary_size(covey_encoder_categorical_vocabulary(encoder, 1)) == 10);
    CHECK(covey_encoder_categorical_vocabulary(encoder, 2) == NULL);
    CHECK(covey_encoder_categorical_vocabulary(encoder, -1) == NULL);
}

static void embed(void) {
    covey_error *error = NULL;
    covey_sequences sequences = model_sequences();
    float attention[5];
    CHECK_OK(covey_embed_sequences(encoder, NULL, &sequences, expected, 0, attention, &error));
    CHECK(fabsf(attention[0] + attention[1] - 1) < 1e-6f);
    CHECK(fabsf(attention[2] + attention[3] + attention[4] - 1) < 1e-6f);
    for (int i = 0; i < MODEL_DIMENSION; i++) CHECK(expected[MODEL_DIMENSION + i] == 0);

    /* The last sequence alone, its events in the order of time (1, 5, 5), from one table of rows, into a wider
       matrix. */
    struct event {
        double time, dwell, numbers;
        int32_t type, code;
    } events[3];
    const int order[3] = {5, 3, 4};
    for (int i = 0; i < 3; i++)
        events[i] = (struct event){model_times[order[i]] + 1e6, model_dwell[order[i]], model_numbers[order[i]],
                                   model_types[order[i]], model_codes[order[i]]};
    const int64_t offsets[2] = {0, 3};
    const covey_channel numeric[2] = {{&events->numbers, sizeof *events}, {&events->numbers, sizeof *events}};
    const covey_channel categorical[2] = {{&events->code, sizeof *events}, {&events->code, sizeof *events}};
    covey_sequences one = COVEY_SEQUENCES_INIT;
    one.count = 1;
    one.offsets = offsets;
    one.types = &events->type;
    one.times = &events->time;
    one.dwell = &events->dwell;
    one.types_stride = one.times_stride = one.dwell_stride = sizeof *events;
    one.numeric = numeric;
    one.categorical = categorical;
    one.numeric_count = one.categorical_count = 2;
    float wide[MODEL_DIMENSION + 8], weights[3];
    wide[MODEL_DIMENSION] = 77;
    CHECK_OK(covey_embed_sequences(encoder, NULL, &one, wide, sizeof wide, weights, &error));
    CHECK(memcmp(wide, expected + 2 * MODEL_DIMENSION, MODEL_DIMENSION * sizeof(float)) == 0);
    CHECK(wide[MODEL_DIMENSION] == 77);
    for (int i = 0; i < 3; i++) CHECK(weights[i] == attention[order[i] - 1]);
}

/* bfloat16 is another number near by, or where the processor lacks it the same; NULL and the defaults are the plain
   call. */
static void embed_with_options(void) {
    covey_error *error = NULL;
    covey_sequences sequences = model_sequences();
    covey_embed_options options = COVEY_EMBED_OPTIONS_INIT;
    float embeddings[3 * MODEL_DIMENSION], again[3 * MODEL_DIMENSION], attention[5];
    CHECK_OK(covey_embed_sequences_with(encoder, NULL, &sequences, NULL, embeddings, 0, NULL, &error));
    CHECK(memcmp(embeddings, expected, sizeof expected) == 0);
    CHECK_OK(covey_embed_sequences_with(encoder, NULL, &sequences, &options, embeddings, 0, NULL, &error));
    CHECK(memcmp(embeddings, expected, sizeof expected) == 0);
    options.precision = COVEY_PRECISION_BFLOAT16;
    CHECK_OK(covey_embed_sequences_with(encoder, NULL, &sequences, &options, embeddings, 0, attention, &error));
    for (int i = 0; i < 3 * MODEL_DIMENSION; i++) CHECK(fabsf(embeddings[i] - expected[i]) < 2e-3f);
    CHECK(fabsf(attention[2] + attention[3] + attention[4] - 1) < 1e-6f);
    CHECK_OK(covey_embed_sequences_with(encoder, NULL, &sequences, &options, again, 0, NULL, &error));
    CHECK(memcmp(embeddings, again, sizeof again) == 0);
}

static void embed_from_threads(void) {
    pthread_t threads[4];
    int failures[4] = {0};
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, embed_often, &failures[i]);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        CHECK(failures[i] == 0);
    }
}

static long size_of(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return -1;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fclose(file);
    return size;
}

static void save(void) {
    covey_error *error = NULL;
    char folder[] = "/tmp/covey-encoder-XXXXXX", path[64];
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/model", folder);
    CHECK_OK(covey_encoder_save(encoder, NULL, path, &error));
    covey_encoder *loaded = NULL;
    CHECK_OK(covey_load_model(NULL, path, &loaded, &error));
    covey_sequences sequences = model_sequences();
    float embeddings[3 * MODEL_DIMENSION];
    CHECK_OK(covey_embed_sequences(loaded, NULL, &sequences, embeddings, 0, NULL, &error));
    CHECK(memcmp(embeddings, expected, sizeof embeddings) == 0);
    covey_encoder_destroy(loaded);

    /* A disk that takes no more: the file there stays whole, and nothing is left beside it. */
    long size = size_of(path);
    struct rlimit limit, small;
    getrlimit(RLIMIT_FSIZE, &limit);
    small = limit;
    small.rlim_cur = 1000;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    covey_status status = covey_encoder_save(encoder, NULL, path, &error);
    setrlimit(RLIMIT_FSIZE, &limit);
    CHECK(status == COVEY_IO);
    CHECK(strstr(covey_error_message(error), "cannot write") != NULL);
    covey_error_destroy(error);
    error = NULL;
    CHECK(size_of(path) == size);
    CHECK(unlink(path) == 0);
    CHECK(rmdir(folder) == 0);
}

int main(void) {
    covey_error *error = NULL;
    CHECK_OK(covey_load_model(NULL, MODEL_PATH, &encoder, &error));
    if (encoder == NULL) return finish();
    look();
    embed();
    embed_with_options();
    embed_from_threads();
    save();
    covey_encoder_destroy(encoder);

    covey_encoder_destroy(NULL);
    CHECK(covey_encoder_dimension(NULL) == 0 && covey_encoder_uses_dwell(NULL) == 0);
    CHECK(covey_encoder_numeric_count(NULL) == 0 && covey_encoder_categorical_count(NULL) == 0);
    CHECK(covey_encoder_vocabulary(NULL) == NULL && covey_encoder_categorical_vocabulary(NULL, 0) == NULL);
    CHECK(covey_encoder_numeric_name(NULL, 0) == NULL && covey_encoder_categorical_name(NULL, 0) == NULL);
    return finish();
}
