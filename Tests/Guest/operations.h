/* Every handle type of covey.h, created, used and destroyed: what the checks of a good guest repeat, fail on purpose, run on many
 * threads at once and run in processes of all kinds. The programs run in the repository's root. */
#ifndef GUEST_OPERATIONS_H
#define GUEST_OPERATIONS_H

#include "arrow_batch.h"
#include "engine_sample.h"

#include <unistd.h>

/* What all operations read, and the handles that they share. */
typedef struct guest {
    engine_sample sample;
    sample_parts made;
    covey_engine *engine;
    covey_matrix embeddings;
    covey_matrix hybrid_rows;
    float *rows;
    float *wide;             /* WIDE_ROWS rows of full rank, for which search takes tiles and k-means. */
    char *rules_json;
    char folder[64];
} guest;

enum { WIDE_ROWS = 4600, WIDE_COLUMNS = 26, APPROXIMATE_ROWS = 8400 };

/* The bytes that an operation's results are, as one number (FNV-1a). */
typedef uint64_t digest;

static inline digest add(digest sum, const void *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) sum = (sum ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
    return sum;
}

static inline digest add_text(digest sum, const char *text) { return add(sum, text, text ? strlen(text) : 0); }

/* Creates what it is named after, uses it, destroys it. `number` tells apart what runs at once. */
typedef covey_status (*operation_fn)(const guest *guest, covey_context *context, int number, digest *sum, covey_error **error);

typedef struct operation {
    const char *name;
    operation_fn run;
    int slow; /* 1 takes more than a few milliseconds, 2 more than some tens. */
} operation;

/* All, ending with one without a name. */
extern const operation operations[];

/* Their handles are made and destroyed by these. */
void guest_create(guest *guest);
void guest_destroy(guest *guest);

#endif
