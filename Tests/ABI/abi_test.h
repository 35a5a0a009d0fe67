/* What the C programs that test the built library share. */
#ifndef ABI_TEST_H
#define ABI_TEST_H

#include <covey.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int checks_passed, checks_failed;

/* Counts a check and says where it failed. */
#define CHECK(condition) \
    do { \
        if (condition) { \
            checks_passed++; \
        } else { \
            checks_failed++; \
            printf("%s:%d: CHECK(%s) failed\n", __FILE__, __LINE__, #condition); \
        } \
    } while (0)

/* A call that must succeed; `error` is a covey_error * in scope. */
#define CHECK_OK(call) \
    do { \
        covey_status status_ = (call); \
        if (status_ == COVEY_OK) { \
            checks_passed++; \
        } else { \
            checks_failed++; \
            printf("%s:%d: %s: %s: %s\n", __FILE__, __LINE__, #call, covey_status_name(status_), \
                   covey_error_message(error)); \
            covey_error_destroy(error); \
            error = NULL; \
        } \
    } while (0)

/* The closing line, and the exit status. */
static inline int finish(void) {
    printf("%d passed, %d failed\n", checks_passed, checks_failed);
    return checks_failed != 0;
}

/* A row of the table of bad inputs: what must come back, and a part of the message (the field and the value). The call
 * must leave everything usable and free what it made. */
typedef struct abi_case {
    const char *name;
    covey_status expected;
    const char *message;
    covey_status (*call)(covey_error **error);
} abi_case;

#endif
