#include "encoder_model.h"

/* --------------------------------------------------------------------------------------------------- vocabulary --- */
static covey_status create(const char *const *names, int64_t count, covey_error **error) {
    covey_vocabulary *vocabulary = (covey_vocabulary *)1;
    covey_status status = covey_vocabulary_create(NULL, names, count, &vocabulary, error);
    if (status != COVEY_OK && vocabulary != NULL) return COVEY_INTERNAL;
    covey_vocabulary_destroy(vocabulary);
    return status;
}

static covey_status vocabulary_null_output(covey_error **error) {
    return covey_vocabulary_create(NULL, NULL, 0, NULL, error);
}
static covey_status vocabulary_null_names(covey_error **error) { return create(NULL, 1, error); }
static covey_status vocabulary_negative(covey_error **error) { return create(NULL, -1, error); }
static covey_status vocabulary_overflow(covey_error **error) { return create(NULL, INT64_MAX, error); }
static covey_status vocabulary_null_name(covey_error **error) {
    const char *names[2] = {"a", NULL};
    return create(names, 2, error);
}
static covey_status vocabulary_empty_name(covey_error **error) {
    const char *names[2] = {"a", ""};
    return create(names, 2, error);
}
static covey_status vocabulary_repeated(covey_error **error) {
    const char *names[3] = {"a", "b", "a"};
    return create(names, 3, error);
}
static covey_status vocabulary_utf8(covey_error **error) {
    const char *names[1] = {"\xC3\x28"};
    return create(names, 1, error);
}
static covey_status vocabulary_none(covey_error **error) { return create(NULL, 0, error); }

static covey_status build(const char *const *events, int64_t count, int64_t min_count, int64_t max_size,
                          covey_error **error) {
    covey_vocabulary *vocabulary = (covey_vocabulary *)1;
    covey_status status = covey_vocabulary_build(NULL, events, count, min_count, max_size, &vocabulary, error);
    if (status != COVEY_OK && vocabulary != NULL) return COVEY_INTERNAL;
    covey_vocabulary_destroy(vocabulary);
    return status;
}

static const char *const good_events[3] = {"a", "b", "a"};
static covey_status build_null_output(covey_error **error) {
    return covey_vocabulary_build(NULL, good_events, 3, 1, 0, NULL, error);
}
static covey_status build_null(covey_error **error) { return build(NULL, 3, 1, 0, error); }
static covey_status build_negative(covey_error **error) { return build(good_events, -3, 1, 0, error); }
static covey_status build_overflow(covey_error **error) { return build(good_events, INT64_MAX, 1, 0, error); }
static covey_status build_min_count(covey_error **error) { return build(good_events, 3, 0, 0, error); }
static covey_status build_max_size(covey_error **error) { return build(good_events, 3, 1, -1, error); }
static covey_status build_null_event(covey_error **error) {
    const char *events[2] = {"a", NULL};
    return build(events, 2, 1, 0, error);
}
static covey_status build_utf8(covey_error **error) {
    const char *events[2] = {"a", "\xFF"};
    return build(events, 2, 1, 0, error);
}

static covey_status lookup(const char *const *names, int64_t count, int32_t *indices, covey_error **error) {
    covey_vocabulary *vocabulary = NULL;
    if (covey_vocabulary_create(NULL, good_events, 2, &vocabulary, NULL) != COVEY_OK) return COVEY_INTERNAL;
    covey_status status = covey_vocabulary_lookup(vocabulary, NULL, names, count, indices, error);
    covey_vocabulary_destroy(vocabulary);
    return status;
}

static covey_status lookup_null_vocabulary(covey_error **error) {
    int32_t index;
    return covey_vocabulary_lookup(NULL, NULL, good_events, 1, &index, error);
}
static covey_status lookup_null_names(covey_error **error) {
    int32_t index;
    return lookup(NULL, 1, &index, error);
}
static covey_status lookup_null_indices(covey_error **error) { return lookup(good_events, 1, NULL, error); }
static covey_status lookup_negative(covey_error **error) { return lookup(good_events, -1, NULL, error); }
static covey_status lookup_null_name(covey_error **error) {
    const char *names[1] = {NULL};
    int32_t index;
    return lookup(names, 1, &index, error);
}
static covey_status lookup_nothing(covey_error **error) { return lookup(NULL, 0, NULL, error); }

/* ---------------------------------------------------------------------------------------------------- sequences --- */
/* Embeds the batch; the encoder must then still embed a good one. */
static covey_status embed(const covey_sequences *sequences, covey_error **error) {
    covey_encoder *encoder = NULL;
    if (covey_load_model(NULL, MODEL_PATH, &encoder, NULL) != COVEY_OK) return COVEY_INTERNAL;
    float embeddings[3 * MODEL_DIMENSION];
    covey_status status = covey_embed_sequences(encoder, NULL, sequences, embeddings, 0, NULL, error);
    covey_sequences good = model_sequences();
    if (covey_embed_sequences(encoder, NULL, &good, embeddings, 0, NULL, NULL) != COVEY_OK) status = COVEY_INTERNAL;
    covey_encoder_destroy(encoder);
    return status;
}

/* One case: a good batch with one thing changed. */
#define CHANGED(name, ...) \
    static covey_status name(covey_error **error) { \
        covey_sequences sequences = model_sequences(); \
        __VA_ARGS__; \
        return embed(&sequences, error); \
    }

CHANGED(good_batch, (void)0)
CHANGED(size_zero, sequences.struct_size = 0)
CHANGED(size_huge, sequences.struct_size = 5000)
CHANGED(channel_size_zero, sequences.channel_size = 0)
CHANGED(channel_size_odd, sequences.channel_size = sizeof(covey_channel) + 4)
CHANGED(negative_count, sequences.count = -1)
CHANGED(overflowing_count, sequences.count = INT64_MAX)
CHANGED(null_offsets, sequences.offsets = NULL)
CHANGED(null_types, sequences.types = NULL)
CHANGED(null_times, sequences.times = NULL)
CHANGED(null_dwell, sequences.dwell = NULL)
CHANGED(null_numeric, sequences.numeric = NULL)
CHANGED(null_categorical, sequences.categorical = NULL)
CHANGED(negative_numeric, sequences.numeric_count = -1)
CHANGED(many_categorical, sequences.categorical_count = 1025)
CHANGED(fewer_numeric, sequences.numeric_count = 1)
CHANGED(fewer_categorical, sequences.categorical_count = 0)
CHANGED(odd_types_stride, sequences.types_stride = 6)
CHANGED(small_times_stride, sequences.times_stride = 4)
CHANGED(negative_dwell_stride, sequences.dwell_stride = -8)
CHANGED(overflowing_stride, sequences.times_stride = INT64_MAX - 7)
CHANGED(no_sequences, sequences.count = 0; sequences.offsets = NULL; sequences.types = NULL; sequences.times = NULL;
        sequences.dwell = NULL)
CHANGED(no_events, static const int64_t offsets[3] = {0}; sequences.count = 2; sequences.offsets = offsets;
        sequences.types = NULL; sequences.times = NULL; sequences.dwell = NULL)

#define OFFSETS(name, ...) CHANGED(name, static const int64_t offsets[4] = __VA_ARGS__; sequences.offsets = offsets)
OFFSETS(negative_offset, {-1, 3, 3, 6})
OFFSETS(decreasing_offsets, {0, 3, 2, 6})
OFFSETS(lowest_offset, {0, 3, 3, INT64_MIN})
OFFSETS(long_sequence, {0, 3, 3, INT64_C(3) << 30})
OFFSETS(far_offsets, {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX})

#define VALUES(name, field, ...) CHANGED(name, static const double values[6] = __VA_ARGS__; sequences.field = values)
VALUES(nan_time, times, {0, 1, 2, NAN, 4, 5})
VALUES(infinite_time, times, {0, 1, 2, 3, 4, -INFINITY})
VALUES(negative_dwell, dwell, {0, 1, -0.5, 3, 4, 5})
VALUES(infinite_dwell, dwell, {0, INFINITY, 2, 3, 4, 5})

static covey_status infinite_number(covey_error **error) {
    static const double values[6] = {0, 1, 2, 3, 4, INFINITY};
    const covey_channel numeric[2] = {{model_numbers, 0}, {values, 0}};
    covey_sequences sequences = model_sequences();
    sequences.numeric = numeric;
    return embed(&sequences, error);
}
static covey_status null_channel(covey_error **error) {
    const covey_channel categorical[2] = {{model_codes, 0}, {NULL, 0}};
    covey_sequences sequences = model_sequences();
    sequences.categorical = categorical;
    return embed(&sequences, error);
}
static covey_status channel_stride(covey_error **error) {
    const covey_channel numeric[2] = {{model_numbers, 12}, {model_numbers, 0}};
    covey_sequences sequences = model_sequences();
    sequences.numeric = numeric;
    return embed(&sequences, error);
}
static covey_status null_sequences(covey_error **error) { return embed(NULL, error); }

/* A later version's struct, whose new field this version does not know. */
static covey_status unknown_field(covey_error **error) {
    struct {
        covey_sequences sequences;
        int64_t added;
    } later = {model_sequences(), 1};
    later.sequences.struct_size = sizeof later;
    return embed(&later.sequences, error);
}

const abi_case sequence_cases[] = {
    {"vocabulary: null output", COVEY_INVALID_ARGUMENT, "vocabulary must not be NULL", vocabulary_null_output},
    {"vocabulary: null names", COVEY_INVALID_ARGUMENT, "names must not be NULL", vocabulary_null_names},
    {"vocabulary: negative count", COVEY_INVALID_ARGUMENT, "count must be 0 to 2147483646, got -1",
     vocabulary_negative},
    {"vocabulary: huge count", COVEY_INVALID_ARGUMENT, "count must be 0 to 2147483646", vocabulary_overflow},
    {"vocabulary: null name", COVEY_INVALID_ARGUMENT, "names[1] must not be NULL", vocabulary_null_name},
    {"vocabulary: empty name", COVEY_INVALID_ARGUMENT, "names[1] must not be empty", vocabulary_empty_name},
    {"vocabulary: repeated name", COVEY_INVALID_ARGUMENT, "names[2]: \"a\" occurs twice", vocabulary_repeated},
    {"vocabulary: invalid UTF-8", COVEY_INVALID_ARGUMENT, "names[0] must be valid UTF-8", vocabulary_utf8},
    {"vocabulary: no names", COVEY_OK, "", vocabulary_none},
    {"vocabulary build: null output", COVEY_INVALID_ARGUMENT, "vocabulary must not be NULL", build_null_output},
    {"vocabulary build: null events", COVEY_INVALID_ARGUMENT, "events must not be NULL", build_null},
    {"vocabulary build: negative count", COVEY_INVALID_ARGUMENT, "got -3", build_negative},
    {"vocabulary build: huge count", COVEY_INVALID_ARGUMENT, "count must be 0 to", build_overflow},
    {"vocabulary build: min_count", COVEY_INVALID_ARGUMENT, "min_count must be at least 1, got 0", build_min_count},
    {"vocabulary build: max_size", COVEY_INVALID_ARGUMENT, "max_size must be at least 0, got -1", build_max_size},
    {"vocabulary build: null event", COVEY_INVALID_ARGUMENT, "events[1] must not be NULL", build_null_event},
    {"vocabulary build: invalid UTF-8", COVEY_INVALID_ARGUMENT, "events[1] must be valid UTF-8", build_utf8},
    {"vocabulary lookup: null vocabulary", COVEY_INVALID_ARGUMENT, "vocabulary must not be NULL",
     lookup_null_vocabulary},
    {"vocabulary lookup: null names", COVEY_INVALID_ARGUMENT, "names must not be NULL", lookup_null_names},
    {"vocabulary lookup: null indices", COVEY_INVALID_ARGUMENT, "indices must not be NULL", lookup_null_indices},
    {"vocabulary lookup: negative count", COVEY_INVALID_ARGUMENT, "got -1", lookup_negative},
    {"vocabulary lookup: null name", COVEY_INVALID_ARGUMENT, "names[0] must not be NULL", lookup_null_name},
    {"vocabulary lookup: nothing", COVEY_OK, "", lookup_nothing},
    {"sequences: good", COVEY_OK, "", good_batch},
    {"sequences: NULL", COVEY_INVALID_ARGUMENT, "sequences must not be NULL", null_sequences},
    {"sequences: struct_size 0", COVEY_INVALID_ARGUMENT, "sequences.struct_size must be", size_zero},
    {"sequences: struct_size 5000", COVEY_INVALID_ARGUMENT, "sequences.struct_size must be", size_huge},
    {"sequences: unknown field", COVEY_INVALID_ARGUMENT, "sequences.struct_size is", unknown_field},
    {"sequences: channel_size 0", COVEY_INVALID_ARGUMENT, "sequences.channel_size must be", channel_size_zero},
    {"sequences: channel_size odd", COVEY_INVALID_ARGUMENT, "sequences.channel_size must be", channel_size_odd},
    {"sequences: negative count", COVEY_INVALID_ARGUMENT, "sequences.count must be 0 to", negative_count},
    {"sequences: huge count", COVEY_INVALID_ARGUMENT, "sequences.count must be 0 to", overflowing_count},
    {"sequences: null offsets", COVEY_INVALID_ARGUMENT, "sequences.offsets must not be NULL", null_offsets},
    {"sequences: null types", COVEY_INVALID_ARGUMENT, "sequences.types must not be NULL", null_types},
    {"sequences: null times", COVEY_INVALID_ARGUMENT, "sequences.times must not be NULL", null_times},
    {"sequences: null dwell", COVEY_MISMATCH, "the model uses dwell", null_dwell},
    {"sequences: null numeric", COVEY_INVALID_ARGUMENT, "sequences.numeric must not be NULL", null_numeric},
    {"sequences: null categorical", COVEY_INVALID_ARGUMENT, "sequences.categorical must not be NULL", null_categorical},
    {"sequences: null channel", COVEY_INVALID_ARGUMENT, "sequences.categorical[1].values must not be NULL",
     null_channel},
    {"sequences: negative numeric_count", COVEY_INVALID_ARGUMENT, "numeric_count must be 0 to 1024, got -1",
     negative_numeric},
    {"sequences: many categorical", COVEY_INVALID_ARGUMENT, "categorical_count must be 0 to 1024, got 1025",
     many_categorical},
    {"sequences: fewer numeric", COVEY_MISMATCH, "uses 2 numeric channels, the sequences have 1", fewer_numeric},
    {"sequences: fewer categorical", COVEY_MISMATCH, "uses 2 categorical channels, the sequences have 0",
     fewer_categorical},
    {"sequences: types_stride", COVEY_INVALID_ARGUMENT, "sequences.types stride must be 0 or a multiple of 4",
     odd_types_stride},
    {"sequences: times_stride", COVEY_INVALID_ARGUMENT, "sequences.times stride must be", small_times_stride},
    {"sequences: dwell_stride", COVEY_INVALID_ARGUMENT, "got -8", negative_dwell_stride},
    {"sequences: overflowing stride", COVEY_OUT_OF_MEMORY, "overflows", overflowing_stride},
    {"sequences: channel stride", COVEY_INVALID_ARGUMENT, "sequences.numeric[0].values stride must be", channel_stride},
    {"sequences: none", COVEY_OK, "", no_sequences},
    {"sequences: no events", COVEY_OK, "", no_events},
    {"offsets: negative", COVEY_INVALID_DATA, "offsets[0] must be at least 0, got -1", negative_offset},
    {"offsets: decreasing", COVEY_INVALID_DATA, "offsets[2] must not be below offsets[1] = 3, got 2",
     decreasing_offsets},
    {"offsets: lowest", COVEY_INVALID_DATA, "offsets[3] must not be below offsets[2] = 3", lowest_offset},
    {"offsets: too long", COVEY_INVALID_DATA, "sequence 2 must have at most 2147483647 events", long_sequence},
    {"offsets: too far", COVEY_INVALID_DATA, "offsets[3] must be at most", far_offsets},
    {"times: NaN", COVEY_INVALID_DATA, "times[3] must be finite, got nan", nan_time},
    {"times: infinite", COVEY_INVALID_DATA, "times[5] must be finite, got -inf", infinite_time},
    {"dwell: negative", COVEY_INVALID_DATA, "dwell[2] must be at least 0 and finite, or NaN, got -0.5", negative_dwell},
    {"dwell: infinite", COVEY_INVALID_DATA, "dwell[1] must be at least 0 and finite, or NaN, got inf", infinite_dwell},
    {"numeric: infinite", COVEY_INVALID_DATA, "numeric[1][5] must be finite or NaN, got inf", infinite_number},
    {NULL, 0, NULL, NULL},
};
