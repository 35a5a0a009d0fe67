/* Files and texts that are made to take all the memory and time there is: each ends with a status, within the memory
 * budget of the context, and stops where the host says so.
 *
 *     hostile SHARE     of the sizes that were used against Covey once, 1 to 100 percent */
#include "operations.h"
#include "process.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

static char path[96];

typedef struct text {
    char *bytes;
    size_t size, room;
} text;

static void put(text *text, const char *format, ...) {
    va_list rest;
    if (text->room < text->size + 4096) text->bytes = realloc(text->bytes, text->room = 2 * text->room + 65536);
    va_start(rest, format);
    text->size += (size_t)vsnprintf(text->bytes + text->size, 4096, format, rest);
    va_end(rest);
}

static void forget_peak(void) {
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file == NULL) return;
    fputs("5", file);
    fclose(file);
}

typedef struct host_view {
    long calls, stop_at;
} host_view;

static int32_t progress(void *user_data, const char *stage, double fraction) {
    host_view *view = user_data;
    (void)stage, (void)fraction;
    return ++view->calls >= view->stop_at;
}

typedef covey_status (*attack_fn)(covey_context *context, const text *text, covey_error **error);

static covey_status load(covey_context *context, const text *text, covey_error **error) {
    (void)text;
    covey_encoder *encoder = NULL;
    covey_status status = covey_load_model(context, path, &encoder, error);
    covey_encoder_destroy(encoder);
    return status;
}

static covey_status parse(covey_context *context, const text *text, covey_error **error) {
    covey_rules *rules = NULL;
    covey_status status = covey_rules_parse(context, text->bytes, (int64_t)text->size, &rules, error);
    if (status == COVEY_OK) {
        covey_buffer *json = NULL;
        status = covey_rules_export(rules, context, COVEY_RULES_JSON, NULL, &json, error);
        covey_buffer_destroy(json);
        covey_rules_destroy(rules);
    }
    return status;
}

/* With budgets of several sizes, and stopped where it reports for the second time. `good` is what it ends with where
 * there is room; COVEY_OK means that it must then tell of itself. */
static void attack(const char *name, attack_fn run, const text *text, covey_status good) {
    size_t given = run == load ? 0 : text->size;
    if (run == load) {
        FILE *file = fopen(path, "wb");
        uint64_t length = text->size;
        fwrite(&length, 1, 8, file);
        fwrite(text->bytes, 1, text->size, file);
        fclose(file);
    }
    const uint64_t budgets[] = {1 << 20, 16 << 20, 64 << 20, 256 << 20, (uint64_t)4 << 30};
    for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++) {
        host_view view = {0, 1L << 40};
        covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
        options.memory_budget = budgets[i];
        options.progress = progress;
        options.progress_user_data = &view;
        covey_context *context = NULL;
        covey_error *error = NULL;
        CHECK_OK(covey_context_create(&options, &context, &error));
        forget_peak();
        long before = kilobytes_of("VmRSS");
        covey_status status = run(context, text, &error);
        long peak = kilobytes_of("VmHWM") - before;
        int failed = checks_failed;
        CHECK(status == good || status == COVEY_OUT_OF_MEMORY);
        CHECK(i + 1 < sizeof budgets / sizeof *budgets || status == good);
        /* What the C library keeps of freed memory may be there already; a margin for what has no budget. */
        CHECK(peak <= (long)(budgets[i] >> 10) + 8192);
        if (status == COVEY_OK && view.calls > 2) {
            covey_error_destroy(error);
            error = NULL;
            view.calls = 0;
            view.stop_at = 2;
            CHECK(run(context, text, &error) == COVEY_CANCELLED);
        }
        if (checks_failed > failed)
            printf("  %s, %zu bytes, budget %llu MB: status %d, peak %ld MB: %s\n", name, text->size,
                   (unsigned long long)budgets[i] >> 20, status, peak >> 10, covey_error_message(error));
        covey_error_destroy(error);
        covey_context_destroy(context);
    }
    printf("%s: %zu bytes of text, %zu given\n", name, text->size, given);
}

int main(int count, char **arguments) {
    long share = count > 1 ? atol(arguments[1]) : 10;
    snprintf(path, sizeof path, "%s/covey-hostile-%d", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
             (int)getpid());

    text header = {0};
    put(&header, "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,0],\"shape\":[0");
    for (long i = 0; i < 400000 * share; i++) put(&header, ",0");
    put(&header, "]}}");
    attack("axes", load, &header, COVEY_CORRUPT_FILE);

    header.size = 0;
    put(&header, "{\"0\":{\"dtype\":\"F32\",\"data_offsets\":[0,0],\"shape\":[0]}");
    for (long i = 1; i < 10000 * share; i++)
        put(&header, ",\"%ld\":{\"dtype\":\"F32\",\"data_offsets\":[0,0],\"shape\":[0]}", i);
    put(&header, "}");
    attack("empty tensors", load, &header, COVEY_CORRUPT_FILE);

    header.size = 0;
    put(&header, "{\"__metadata__\":{\"covey.encoder\":\"{\\\"vocabulary\\\":[\\\"0\\\"");
    for (long i = 1; i < 20000 * share; i++) put(&header, ",\\\"name %ld\\\"", i);
    put(&header,
        "],\\\"format_version\\\":1,\\\"dwell\\\":false,\\\"time_mean\\\":[0,0],\\\"time_deviation\\\":[1,1]}\"}}");
    attack("names", load, &header, COVEY_CORRUPT_FILE);

    header.size = 0;
    put(&header, "{\"__metadata__\":{\"0\":\"\"");
    for (long i = 1; i < 20000 * share; i++) put(&header, ",\"entry %ld\":\"\"", i);
    put(&header, "}}");
    attack("entries", load, &header, COVEY_CORRUPT_FILE);

    header.size = 0;
    put(&header, "{\"a\":");
    for (long i = 0; i < 800000 * share; i++) put(&header, "[");
    attack("brackets", load, &header, COVEY_CORRUPT_FILE);

    text rules = {0};
    put(&rules, "{\"format_version\":1,\"features\":[{\"name\":\"x\",\"kind\":\"numeric\"}],\"rules\":[");
    for (long rule = 0; rule < 650 * share; rule++) {
        put(&rules, "%s{\"conditions\":[", rule ? "," : "");
        for (int condition = 0; condition < 17; condition++)
            put(&rules, "%s{\"feature\":\"x\",\"kind\":\"interval\",\"low\":%ld.%d}", condition ? "," : "", rule,
                condition);
        put(&rules, "]}");
    }
    put(&rules, "]}");
    attack("rules", parse, &rules, COVEY_OK);

    rules.size = 0;
    put(&rules, "{\"format_version\":1,\"features\":[{\"name\":\"x\",\"kind\":\"categorical\"}],\"rules\":[{"
                "\"conditions\":[{\"feature\":\"x\","
                "\"kind\":\"in\",\"categories\":[\"0\"");
    for (long i = 1; i < 50000 * share; i++) put(&rules, ",\"%ld\"", i);
    put(&rules, "]}]}]}");
    attack("categories", parse, &rules, COVEY_OK);

    rules.size = 0;
    put(&rules, "{\"format_version\":1,\"features\":[{\"name\":\"0\",\"kind\":\"numeric\"}");
    for (long i = 1; i < 15000 * share; i++) put(&rules, ",{\"name\":\"%ld\",\"kind\":\"numeric\"}", i);
    put(&rules, "],\"rules\":[]}");
    attack("features", parse, &rules, COVEY_OK);

    free(header.bytes);
    free(rules.bytes);
    unlink(path);
    return finish();
}
