#include "encoder_model.h"

#include <sys/stat.h>
#include <unistd.h>

static covey_status load(const char *path, const covey_context *context, covey_error **error) {
    covey_encoder *encoder = (covey_encoder *)1;
    covey_status status = covey_load_model(context, path, &encoder, error);
    if (status != COVEY_OK && encoder != NULL) return COVEY_INTERNAL;
    covey_encoder_destroy(encoder);
    return status;
}

/* Loads a file of the given bytes. */
static covey_status load_bytes(const void *bytes, size_t size, covey_error **error) {
    char path[] = "/tmp/covey-bad-model-XXXXXX";
    int file = mkstemp(path);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size || close(file) != 0) return COVEY_INTERNAL;
    covey_status status = load(path, NULL, error);
    unlink(path);
    return status;
}

/* Loads a file with the given header and length field (-1 = the header's) and 8 bytes of data. */
static covey_status load_header(const char *header, int64_t length, covey_error **error) {
    char bytes[1024] = {0};
    uint64_t field = length < 0 ? strlen(header) : (uint64_t)length;
    memcpy(bytes, &field, 8);
    memcpy(bytes + 8, header, strlen(header));
    return load_bytes(bytes, 16 + strlen(header), error);
}

/* The good model's bytes; the caller frees them. */
static char *model_bytes(size_t *size) {
    FILE *file = fopen(MODEL_PATH, "rb");
    if (file == NULL) return NULL;
    char *bytes = calloc(1, 1 << 20);
    *size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

/* Loads the good model with `from` replaced by `to`, of the same length. */
static covey_status load_changed(const char *from, const char *to, covey_error **error) {
    size_t size;
    char *bytes = model_bytes(&size);
    if (bytes == NULL) return COVEY_INTERNAL;
    covey_status status = COVEY_INTERNAL;
    for (size_t i = 0; i + strlen(from) <= size; i++)
        if (memcmp(bytes + i, from, strlen(from)) == 0) {
            memcpy(bytes + i, to, strlen(to));
            status = load_bytes(bytes, size, error);
            break;
        }
    free(bytes);
    return status;
}

static covey_status null_output(covey_error **error) { return covey_load_model(NULL, MODEL_PATH, NULL, error); }
static covey_status null_path(covey_error **error) { return load(NULL, NULL, error); }
static covey_status empty_path(covey_error **error) { return load("", NULL, error); }
static covey_status utf8_path(covey_error **error) { return load("\xFF", NULL, error); }
static covey_status no_file(covey_error **error) { return load("/nonexistent/model.safetensors", NULL, error); }
static covey_status folder(covey_error **error) { return load("/tmp", NULL, error); }
static covey_status device(covey_error **error) { return load("/dev/zero", NULL, error); }
static covey_status pipe_file(covey_error **error) {
    char path[64];
    snprintf(path, sizeof path, "/tmp/covey-bad-pipe-%d", (int)getpid());
    if (mkfifo(path, 0600) != 0) return COVEY_INTERNAL;
    covey_status status = load(path, NULL, error);
    unlink(path);
    return status;
}
static covey_status empty_file(covey_error **error) { return load_bytes("", 0, error); }
static covey_status short_file(covey_error **error) { return load_bytes("1234567", 7, error); }
static covey_status text_file(covey_error **error) { return load_bytes("this is no model, but text", 26, error); }
static covey_status truncated(covey_error **error) {
    size_t size;
    char *bytes = model_bytes(&size);
    if (bytes == NULL) return COVEY_INTERNAL;
    covey_status status = load_bytes(bytes, size - 1, error);
    free(bytes);
    return status;
}
static covey_status longer(covey_error **error) {
    size_t size;
    char *bytes = model_bytes(&size);
    if (bytes == NULL) return COVEY_INTERNAL;
    covey_status status = load_bytes(bytes, size + 1, error);
    free(bytes);
    return status;
}
static covey_status huge_header(covey_error **error) { return load_header("{}", INT64_MAX, error); }
static covey_status no_json(covey_error **error) { return load_header("{nonsense", -1, error); }
static covey_status no_tensors(covey_error **error) {
    return load_header("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", -1, error);
}
static covey_status outside(covey_error **error) {
    return load_header("{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", -1, error);
}
static covey_status overflowing_shape(covey_error **error) {
    return load_header("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,8]}}", -1,
                       error);
}
static covey_status wrong_entry(covey_error **error) { return load_changed("covey.encoder", "covey.encodex", error); }
static covey_status newer(covey_error **error) {
    return load_changed("format_version\\\": 1", "format_version\\\": 2", error);
}
static covey_status repeated_name(covey_error **error) { return load_changed("event 12", "event 11", error); }
static covey_status missing_tensor(covey_error **error) {
    return load_changed("attention.score.weight", "attention.sc0re.weight", error);
}
static covey_status wrong_type(covey_error **error) {
    return load_changed("\"attention.hidden.bias\":{\"dtype\":\"F32\"", "\"attention.hidden.bias\":{\"dtype\":\"I32\"",
                        error);
}

static covey_status small_budget(covey_error **error) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.memory_budget = 1000;
    covey_context *context = NULL;
    if (covey_context_create(&options, &context, NULL) != COVEY_OK) return COVEY_INTERNAL;
    covey_status status = load(MODEL_PATH, context, error);
    covey_context_destroy(context);
    return status;
}

static covey_encoder *good_encoder(void) {
    covey_encoder *encoder = NULL;
    return covey_load_model(NULL, MODEL_PATH, &encoder, NULL) == COVEY_OK ? encoder : NULL;
}

static covey_status save(const char *path, covey_error **error) {
    covey_encoder *encoder = good_encoder();
    covey_status status = covey_encoder_save(encoder, NULL, path, error);
    covey_encoder_destroy(encoder);
    return status;
}
static covey_status save_null_encoder(covey_error **error) { return covey_encoder_save(NULL, NULL, "/tmp/x", error); }
static covey_status save_null_path(covey_error **error) { return save(NULL, error); }
static covey_status save_nowhere(covey_error **error) { return save("/nonexistent/model.safetensors", error); }
static covey_status save_on_folder(covey_error **error) { return save("/tmp", error); }
/* No device on which the temporary file could be made. */
static covey_status save_on_device(covey_error **error) { return save("/proc/covey", error); }

static covey_status embed(int64_t row_stride, int with_output, const covey_context *context, covey_error **error) {
    covey_encoder *encoder = good_encoder();
    covey_sequences sequences = model_sequences();
    float embeddings[3 * MODEL_DIMENSION];
    covey_status status =
        covey_embed_sequences(encoder, context, &sequences, with_output ? embeddings : NULL, row_stride, NULL, error);
    covey_encoder_destroy(encoder);
    return status;
}
static covey_status embed_null_encoder(covey_error **error) {
    covey_sequences sequences = model_sequences();
    float embeddings[3 * MODEL_DIMENSION];
    return covey_embed_sequences(NULL, NULL, &sequences, embeddings, 0, NULL, error);
}
static covey_status embed_null_output(covey_error **error) { return embed(0, 0, NULL, error); }
static covey_status embed_small_stride(covey_error **error) { return embed(MODEL_DIMENSION * 4 - 4, 1, NULL, error); }
static covey_status embed_odd_stride(covey_error **error) { return embed(MODEL_DIMENSION * 4 + 2, 1, NULL, error); }
static covey_status embed_huge_stride(covey_error **error) { return embed(INT64_MAX - 3, 1, NULL, error); }
static covey_status embed_small_budget(covey_error **error) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.memory_budget = 1000;
    covey_context *context = NULL;
    if (covey_context_create(&options, &context, NULL) != COVEY_OK) return COVEY_INTERNAL;
    covey_status status = embed(0, 1, context, error);
    covey_context_destroy(context);
    return status;
}
static covey_status embed_options(size_t size, int32_t precision, int32_t reserved, covey_error **error) {
    covey_encoder *encoder = good_encoder();
    covey_sequences sequences = model_sequences();
    float embeddings[3 * MODEL_DIMENSION];
    covey_embed_options options = {size, precision, reserved};
    covey_status status = covey_embed_sequences_with(encoder, NULL, &sequences, &options, embeddings, 0, NULL, error);
    covey_encoder_destroy(encoder);
    return status;
}
static covey_status embed_precision(covey_error **error) {
    return embed_options(sizeof(covey_embed_options), 2, 0, error);
}
static covey_status embed_negative_precision(covey_error **error) {
    return embed_options(sizeof(covey_embed_options), -1, 0, error);
}
static covey_status embed_reserved(covey_error **error) {
    return embed_options(sizeof(covey_embed_options), 1, 7, error);
}
static covey_status embed_options_size(covey_error **error) { return embed_options(0, 0, 0, error); }
static covey_status embed_with_null_encoder(covey_error **error) {
    covey_sequences sequences = model_sequences();
    covey_embed_options options = COVEY_EMBED_OPTIONS_INIT;
    float embeddings[3 * MODEL_DIMENSION];
    return covey_embed_sequences_with(NULL, NULL, &sequences, &options, embeddings, 0, NULL, error);
}
static int32_t stop(void *user_data, const char *stage, double fraction) {
    (void)user_data, (void)stage, (void)fraction;
    return 1;
}
static covey_status embed_cancelled(covey_error **error) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.progress = stop;
    covey_context *context = NULL;
    if (covey_context_create(&options, &context, NULL) != COVEY_OK) return COVEY_INTERNAL;
    covey_status status = embed(0, 1, context, error);
    covey_context_destroy(context);
    return status;
}

const abi_case encoder_cases[] = {
    {"load: null output", COVEY_INVALID_ARGUMENT, "encoder must not be NULL", null_output},
    {"load: null path", COVEY_INVALID_ARGUMENT, "path must not be NULL", null_path},
    {"load: empty path", COVEY_INVALID_ARGUMENT, "path must not be empty", empty_path},
    {"load: invalid UTF-8", COVEY_INVALID_ARGUMENT, "path must be valid UTF-8", utf8_path},
    {"load: no file", COVEY_IO, "cannot open /nonexistent/model.safetensors: No such file", no_file},
    {"load: a folder", COVEY_IO, "/tmp: not a regular file", folder},
    {"load: a device", COVEY_IO, "/dev/zero: not a regular file", device},
    {"load: a pipe", COVEY_IO, "not a regular file", pipe_file},
    {"load: empty file", COVEY_CORRUPT_FILE, "it has 0 bytes", empty_file},
    {"load: short file", COVEY_CORRUPT_FILE, "it has 7 bytes", short_file},
    {"load: text file", COVEY_CORRUPT_FILE, "the header's length is", text_file},
    {"load: truncated", COVEY_CORRUPT_FILE, "are outside of the", truncated},
    {"load: longer", COVEY_CORRUPT_FILE, "1 bytes of data belong to no tensor", longer},
    {"load: huge header", COVEY_CORRUPT_FILE, "the header's length is 9223372036854775807", huge_header},
    {"load: no JSON", COVEY_CORRUPT_FILE, "the header: not valid JSON", no_json},
    {"load: another's tensors", COVEY_CORRUPT_FILE, "metadata entry covey.encoder is missing", no_tensors},
    {"load: tensor outside", COVEY_CORRUPT_FILE, "tensor a: data_offsets [0, 16] are outside", outside},
    {"load: overflowing shape", COVEY_CORRUPT_FILE, "tensor a: the shape", overflowing_shape},
    {"load: no entry", COVEY_CORRUPT_FILE, "metadata entry covey.encoder is missing", wrong_entry},
    {"load: newer version", COVEY_UNSUPPORTED, "format_version is 2", newer},
    {"load: repeated name", COVEY_CORRUPT_FILE, "\"event 11\" occurs twice", repeated_name},
    {"load: missing tensor", COVEY_CORRUPT_FILE, "tensor attention.score.weight is missing", missing_tensor},
    {"load: wrong type", COVEY_CORRUPT_FILE, "tensor attention.hidden.bias must be F32, got I32", wrong_type},
    {"load: memory budget", COVEY_OUT_OF_MEMORY, "above the memory budget of 1000", small_budget},
    {"save: null encoder", COVEY_INVALID_ARGUMENT, "encoder must not be NULL", save_null_encoder},
    {"save: null path", COVEY_INVALID_ARGUMENT, "path must not be NULL", save_null_path},
    {"save: no folder", COVEY_IO, "/nonexistent/model.safetensors: No such file", save_nowhere},
    {"save: on a folder", COVEY_IO, "cannot write /tmp", save_on_folder},
    {"save: not writable", COVEY_IO, "/proc/covey", save_on_device},
    {"embed: null encoder", COVEY_INVALID_ARGUMENT, "encoder must not be NULL", embed_null_encoder},
    {"embed: null output", COVEY_INVALID_ARGUMENT, "embeddings must not be NULL", embed_null_output},
    {"embed: small stride", COVEY_INVALID_ARGUMENT, "row_stride must be 0 or a multiple of 4 of at least 160",
     embed_small_stride},
    {"embed: odd stride", COVEY_INVALID_ARGUMENT, "row_stride must be", embed_odd_stride},
    {"embed: huge stride", COVEY_OUT_OF_MEMORY, "overflows", embed_huge_stride},
    {"embed: null encoder, options", COVEY_INVALID_ARGUMENT, "encoder must not be NULL", embed_with_null_encoder},
    {"embed: unknown precision", COVEY_INVALID_ARGUMENT, "options.precision must be a COVEY_PRECISION_ value, got 2",
     embed_precision},
    {"embed: negative precision", COVEY_INVALID_ARGUMENT, "options.precision must be", embed_negative_precision},
    {"embed: reserved", COVEY_INVALID_ARGUMENT, "options.reserved must be 0, got 7", embed_reserved},
    {"embed: options of no size", COVEY_INVALID_ARGUMENT, "options.struct_size must be", embed_options_size},
    {"embed: memory budget", COVEY_OUT_OF_MEMORY, "above the memory budget of 1000", embed_small_budget},
    {"embed: cancelled", COVEY_CANCELLED, "cancelled", embed_cancelled},
    {NULL, 0, NULL, NULL},
};
