/* Creates, uses and destroys every handle type of covey.h. The checks repeat these operations, make them fail on
 * purpose, and run them on many threads and in several kinds of processes. The programs run in the root of the
 * repository. */
#ifndef GUEST_OPERATIONS_H
#define GUEST_OPERATIONS_H

#include "arrow_batch.h"
#include "engine_sample.h"
#include "find_sample.h"

#include <unistd.h>

/* The input of all operations, and the handles that they share. */
typedef struct guest {
    engine_sample sample;
    find_sample find;
    sample_parts made;
    covey_engine *engine;
    covey_matrix embeddings;
    covey_matrix hybrid_rows;
    float *rows;
    float *wide; /* WIDE_ROWS rows of full rank. Their neighbour search uses tiles and k-means. */
    char *rules_json;
    char folder[64];
} guest;

enum { WIDE_ROWS = 4600, WIDE_COLUMNS = 26, APPROXIMATE_ROWS = 8400 };

/* A hash of the bytes of an operation's results (FNV-1a). */
typedef uint64_t digest;

static inline digest add(digest sum, const void *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) sum = (sum ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
    return sum;
}

static inline digest add_text(digest sum, const char *text) { return add(sum, text, text ? strlen(text) : 0); }

/* Creates a handle, uses it and destroys it. `number` differs between calls that run at the same time. */
typedef covey_status (*operation_fn)(const guest *guest, covey_context *context, int number, digest *sum,
                                     covey_error **error);

typedef struct operation {
    const char *name;
    operation_fn run;
    int slow; /* 1: more than a few milliseconds. 2: more than tens of milliseconds. */
} operation;

/* All operations. The last entry has no name. */
extern const operation operations[];

/* In operation_find.c, operation_index.c and operation_explain.c; the others are in operations.c. */
covey_status use_index(const guest *guest, covey_context *context, int number, digest *sum, covey_error **error);
covey_status use_find(const guest *guest, covey_context *context, int number, digest *sum, covey_error **error);
covey_status use_profiles(const guest *guest, covey_context *context, int number, digest *sum, covey_error **error);
covey_status use_explanations(const guest *guest, covey_context *context, int number, digest *sum, covey_error **error);
covey_status use_counterfactuals(const guest *guest, covey_context *context, int number, digest *sum,
                                 covey_error **error);

/* A call of an operation: if it fails, the operation destroys what it has, from `done:` on, and returns `status`. */
#define RUN(call) \
    do { \
        covey_status status_ = (call); \
        if (status_ != COVEY_OK) { \
            status = status_; \
            goto done; \
        } \
    } while (0)

/* These create and destroy the handles that the operations share. */
void guest_create(guest *guest);
void guest_destroy(guest *guest);

#endif
