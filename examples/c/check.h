/* How the examples handle errors: a call that fails jumps to `failed:`, which prints Covey's message and frees what
 * there is (every covey_..._destroy accepts NULL). Expects `covey_error *error = NULL;` in scope. */
#ifndef CHECK_H
#define CHECK_H

#include <covey.h>

#define CHECK(call) \
    do { \
        if ((call) != COVEY_OK) goto failed; \
    } while (0)

#define COUNT_OF(array) ((int64_t)(sizeof(array) / sizeof(array)[0]))

#endif
