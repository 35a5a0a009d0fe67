#include "abi_test.h"

static covey_status null_output(covey_error **error) { return covey_context_create(NULL, NULL, error); }

static covey_status with_options(const covey_context_options *options, covey_error **error) {
    covey_context *context = (covey_context *)1;
    covey_status status = covey_context_create(options, &context, error);
    if (status != COVEY_OK && context != NULL) return COVEY_INTERNAL;
    covey_context_destroy(context);
    return status;
}

static covey_status negative_threads(covey_error **error) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.threads = -1;
    return with_options(&options, error);
}

static covey_status too_many_threads(covey_error **error) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.threads = 1025;
    return with_options(&options, error);
}

static covey_status zero_struct_size(covey_error **error) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.struct_size = 0;
    return with_options(&options, error);
}

static covey_status huge_struct_size(covey_error **error) {
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.struct_size = (size_t)-1;
    return with_options(&options, error);
}

/* A later version's struct, whose new field this version does not know. */
typedef struct later_options {
    covey_context_options options;
    int64_t added;
} later_options;

static covey_status unknown_field(covey_error **error) {
    later_options later = {COVEY_CONTEXT_OPTIONS_INIT, 1};
    later.options.struct_size = sizeof later;
    return with_options(&later.options, error);
}

static covey_status unknown_zero_field(covey_error **error) {
    later_options later = {COVEY_CONTEXT_OPTIONS_INIT, 0};
    later.options.struct_size = sizeof later;
    return with_options(&later.options, error);
}

const abi_case context_cases[] = {
    {"context: null output", COVEY_INVALID_ARGUMENT, "context must not be NULL", null_output},
    {"context: negative threads", COVEY_INVALID_ARGUMENT, "threads must be 0 to 1024, got -1", negative_threads},
    {"context: too many threads", COVEY_INVALID_ARGUMENT, "threads must be 0 to 1024, got 1025", too_many_threads},
    {"context: struct_size 0", COVEY_INVALID_ARGUMENT, "options.struct_size must be", zero_struct_size},
    {"context: struct_size huge", COVEY_INVALID_ARGUMENT, "options.struct_size must be", huge_struct_size},
    {"context: unknown field", COVEY_INVALID_ARGUMENT, "options.struct_size is", unknown_field},
    {"context: unknown field that is zero", COVEY_OK, "", unknown_zero_field},
    {NULL, 0, NULL, NULL},
};
