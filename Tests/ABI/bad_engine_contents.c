/* What an engine says of itself and counts, with a context that stops the call and with one that has no memory. */
#include "engine_sample.h"

static int32_t stop(void *data, const char *stage, double fraction) {
    (void)data, (void)stage, (void)fraction;
    return 1;
}

typedef covey_status (*engine_fn)(const covey_engine *engine, covey_drift *drift, const covey_context *context,
                                  covey_error **error);

static covey_status schema(const covey_engine *engine, covey_drift *drift, const covey_context *context,
                           covey_error **error) {
    (void)drift;
    covey_buffer *text = NULL;
    covey_status status = covey_engine_schema(engine, context, &text, error);
    covey_buffer_destroy(text);
    return status;
}

static covey_status hash(const covey_engine *engine, covey_drift *drift, const covey_context *context,
                         covey_error **error) {
    (void)drift;
    covey_buffer *text = NULL;
    covey_status status = covey_engine_hash(engine, context, &text, error);
    covey_buffer_destroy(text);
    return status;
}

static covey_status write_engine(const covey_engine *engine, covey_drift *drift, const covey_context *context,
                                 covey_error **error) {
    (void)drift;
    covey_buffer *bytes = NULL;
    covey_status status = covey_engine_write(engine, context, &bytes, error);
    covey_buffer_destroy(bytes);
    return status;
}

static covey_status report(const covey_engine *engine, covey_drift *drift, const covey_context *context,
                           covey_error **error) {
    (void)engine;
    covey_buffer *text = NULL;
    covey_status status = covey_drift_report(drift, context, NULL, &text, error);
    covey_buffer_destroy(text);
    return status;
}

static covey_status write_drift(const covey_engine *engine, covey_drift *drift, const covey_context *context,
                                covey_error **error) {
    (void)engine;
    covey_buffer *bytes = NULL;
    covey_status status = covey_drift_write(drift, context, &bytes, error);
    covey_buffer_destroy(bytes);
    return status;
}

static covey_status merge(const covey_engine *engine, covey_drift *drift, const covey_context *context,
                          covey_error **error) {
    (void)engine;
    return covey_drift_merge(drift, context, drift, error);
}

static covey_status look_up(const covey_engine *engine, covey_drift *drift, const covey_context *context,
                            covey_error **error) {
    (void)drift;
    const char *name = "a";
    int32_t index;
    return covey_vocabulary_lookup(covey_encoder_vocabulary(covey_engine_encoder(engine)), context, &name, 1, &index,
                                   error);
}

static covey_status with(engine_fn call, covey_progress_fn progress, uint64_t budget, covey_error **error) {
    engine_sample sample;
    sample_parts made;
    covey_engine *engine = NULL;
    covey_drift *drift = NULL;
    covey_context *context = NULL;
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.progress = progress;
    options.memory_budget = budget;
    make_sample(&sample, 1);
    make_parts(&made, &sample, NULL);
    covey_engine_build(NULL, &made.parts, &engine, NULL);
    covey_drift_create(engine, NULL, &drift, NULL);
    covey_context_create(&options, &context, NULL);
    covey_status status = call(engine, drift, context, error);
    covey_context_destroy(context);
    covey_drift_destroy(drift);
    covey_engine_destroy(engine);
    drop_parts(&made);
    return status;
}

#define CALLS(name) \
    static covey_status name##_good(covey_error **error) { return with(name, NULL, 0, error); } \
    static covey_status name##_stopped(covey_error **error) { return with(name, stop, 0, error); } \
    static covey_status name##_short(covey_error **error) { return with(name, NULL, 64, error); }

CALLS(schema)
CALLS(hash)
CALLS(write_engine)
CALLS(report)
CALLS(write_drift)
CALLS(merge)
CALLS(look_up)

#define ROWS(text, name, short_status, short_message) \
    {text ": good", COVEY_OK, "", name##_good}, {text ": stopped", COVEY_CANCELLED, "cancelled", name##_stopped}, { \
        text ": over budget", short_status, short_message, name##_short \
    }

const abi_case engine_contents_cases[] = {
    ROWS("schema", schema, COVEY_OUT_OF_MEMORY, "the categories of"),
    ROWS("hash", hash, COVEY_OUT_OF_MEMORY, "memory budget of 64"),
    ROWS("engine's bytes", write_engine, COVEY_OUT_OF_MEMORY, "memory budget of 64"),
    ROWS("drift report", report, COVEY_OUT_OF_MEMORY, "memory budget of 64"),
    ROWS("drift's bytes", write_drift, COVEY_OUT_OF_MEMORY, "the counts of a drift needs"),
    ROWS("drift merge", merge, COVEY_OUT_OF_MEMORY, "the counts of a drift needs"),
    ROWS("lookup", look_up, COVEY_OK, ""),
    {NULL, 0, NULL, NULL},
};
