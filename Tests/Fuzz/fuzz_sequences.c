/* Sequences with any counts, offsets, strides and values. The target embeds them and trains on a few of them. If the
 * header allows a view, its pointers are valid for it. Covey must refuse all other views. */
#include "fuzz_sample.h"

enum { MOST_EVENTS = 512 };

/* `count` numbers at a stride that the fuzzer chose. The block ends after the last number. */
static const void *take_column(fuzz_input *input, int64_t count, size_t width, int64_t *stride) {
    *stride = take_byte(input) < 160 ? 0 : take_count(input, 40);
    if (take_byte(input) == 255) return NULL;
    int64_t step = *stride == 0 ? (int64_t)width : *stride;
    int64_t size = count > 0 ? (count - 1) * (step & 0xFFFF) + (int64_t)width : 0;
    if (step > 0xFFFF && count > 1 && step % (int64_t)width == 0 && step < INT64_MAX / count) {
        *stride = 0;
        step = (int64_t)width;
        size = count * step;
    }
    char *block = fuzz_alloc((size_t)size);
    memset(block, 0x7f, (size_t)size);
    if (step < (int64_t)width || step > 0xFFFF || step % (int64_t)width) return block;
    for (int64_t i = 0; i < count; i++) {
        double number = take_double(input);
        int32_t code = number > -1e6 && number < 1e6 ? (int32_t)number : INT32_MIN;
        if (width == 8) memcpy(block + i * step, &number, 8);
        else memcpy(block + i * step, &code, 4);
    }
    return block;
}

/* Offsets. If they are valid, the last one is small, because it decides the size of the buffers. */
static int64_t *take_offsets(fuzz_input *input, int64_t count, int64_t *events) {
    int64_t *offsets = fuzz_alloc((size_t)(count + 1) * sizeof *offsets), sum = take_count(input, 3);
    int valid = 1;
    for (int64_t i = 0; i <= count; i++) {
        offsets[i] = sum;
        valid &= offsets[i] >= 0 && (i == 0 || offsets[i] >= offsets[i - 1]);
        sum =
            take_byte(input) < 250 ? (int64_t)((uint64_t)sum + (uint64_t)take_below(input, 9)) : take_count(input, 40);
    }
    if (valid && offsets[count] > MOST_EVENTS)
        for (int64_t i = 0; i <= count; i++) offsets[i] = offsets[i] > MOST_EVENTS ? MOST_EVENTS : offsets[i];
    *events = valid ? offsets[count] : MOST_EVENTS;
    return offsets;
}

static covey_channel *take_channels(fuzz_input *input, int64_t count, int64_t events, size_t width, size_t size) {
    char *channels = fuzz_alloc((size_t)count * size);
    memset(channels, 0, (size_t)count * size);
    for (int64_t i = 0; i < count; i++) {
        covey_channel channel;
        channel.values = take_column(input, events, width, &channel.stride);
        memcpy(channels + (size_t)i * size, &channel, sizeof channel);
    }
    return (covey_channel *)channels;
}

static void train(fuzz_input *input, const covey_sequences *sequences, int threads) {
    covey_error *error = NULL;
    covey_encoder *encoder = NULL;
    covey_training *training = NULL;
    covey_training_options options = sample_options();
    int64_t *counts[] = {&options.embedding_size, &options.category_embedding_size,
                         &options.hidden_size,    &options.attention_size,
                         &options.dimension,      &options.batch_size,
                         &options.slices,         &options.patience,
                         &options.window};
    double *numbers[] = {&options.next_event,    &options.masked_event, &options.autoencoder, &options.contrastive,
                         &options.learning_rate, &options.weight_decay, &options.clip,        &options.warm_up,
                         &options.dropout,       &options.unknown,      &options.mask_share,  &options.margin,
                         &options.held_out};
    options.epochs = 1;
    options.checkpoint_steps = 1000;
    for (int changes = take_byte(input) % 4; changes; changes--) {
        uint8_t which = take_byte(input) % 22;
        if (which < 9) *counts[which] = take_count(input, 6);
        else *numbers[which - 9] = take_double(input) / (take_byte(input) % 2 ? 1 : 100);
    }
    /* These sizes fit in the memory budget but would take too long. */
    for (int which = 0; which < 5; which++)
        if (*counts[which] > 64 && *counts[which] <= 65536) *counts[which] = 64;
    int trained = fuzz_ok(covey_encoder_train(fuzz_context(threads), sequences, sample_get()->vocabulary, &options,
                                              &encoder, &training, &error),
                          &error);
    FUZZ_REQUIRE(trained == (encoder != NULL));
    covey_encoder_destroy(encoder);
    covey_training_destroy(training);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = {data, size};
    covey_error *error = NULL;
    const covey_encoder *encoder = sample_encoder();
    fuzz_begin();
    uint8_t flags = take_byte(&input);
    int threads = fuzz_threads(size);
    covey_sequences sequences = COVEY_SEQUENCES_INIT;
    int64_t events, rows;
    sequences.count = take_count(&input, 20);
    /* A count that is too large is refused before Covey reads a buffer. The other counts decide the size of the
     * buffers. */
    rows = sequences.count >= 0 && sequences.count < 1 << 16 ? sequences.count : 4;
    if (sequences.count >= 1 << 16 && sequences.count <= 1ll << 48) sequences.count = 4;
    if (rows > 256) sequences.count = rows = 256;
    sequences.offsets = take_offsets(&input, rows, &events);
    sequences.types = take_column(&input, events, 4, &sequences.types_stride);
    sequences.times = take_column(&input, events, 8, &sequences.times_stride);
    sequences.dwell = flags & 2 ? NULL : take_column(&input, events, 8, &sequences.dwell_stride);
    if (flags & 4) { /* a struct of another version */
        sequences.channel_size = (size_t)take_count(&input, 64);
        sequences.struct_size = flags & 8 ? sizeof sequences : (size_t)take_count(&input, sizeof sequences);
    }
    size_t step = sequences.channel_size >= sizeof(covey_channel) && sequences.channel_size <= 4096
                      ? sequences.channel_size
                      : 4096;
    sequences.numeric_count = flags & 16 ? take_count(&input, 3) : 1;
    sequences.categorical_count = flags & 16 ? take_count(&input, 3) : 1;
    int64_t numeric = sequences.numeric_count >= 0 && sequences.numeric_count <= 1024 ? sequences.numeric_count : 0;
    int64_t categorical =
        sequences.categorical_count >= 0 && sequences.categorical_count <= 1024 ? sequences.categorical_count : 0;
    if (numeric > 4) sequences.numeric_count = numeric = 4;
    if (categorical > 4) sequences.categorical_count = categorical = 4;
    sequences.numeric = numeric || flags & 32 ? take_channels(&input, numeric, events, 8, step) : NULL;
    sequences.categorical = categorical || flags & 32 ? take_channels(&input, categorical, events, 4, step) : NULL;
    const covey_sequences *view = fuzz_struct(&sequences, sizeof sequences, flags & 64 ? take_byte(&input) : 0);
    int64_t row_stride = flags & 128 ? take_count(&input, 64) : 0;
    int64_t width = covey_encoder_dimension(encoder) * 4;
    if (row_stride > 4096 && rows > 1 && row_stride < INT64_MAX / rows) row_stride = 0;
    int64_t row_step = row_stride >= width && row_stride <= 4096 ? row_stride : width;
    float *embeddings = fuzz_alloc(rows ? (size_t)((rows - 1) * row_step + width) : 0);
    int64_t first = sequences.offsets[0];
    float *attention = fuzz_alloc((size_t)(first >= 0 && first <= events ? events - first : 0) * sizeof *attention);
    covey_embed_options options = COVEY_EMBED_OPTIONS_INIT;
    options.precision = (int32_t)take_count(&input, 1);
    fuzz_ok(covey_embed_sequences_with(encoder, fuzz_context(threads), view, &options, embeddings, row_stride,
                                       take_byte(&input) & 1 ? attention : NULL, &error),
            &error);
    if (take_byte(&input) % 4 == 1 && categorical == 1) train(&input, view, threads);
    return fuzz_end();
}
