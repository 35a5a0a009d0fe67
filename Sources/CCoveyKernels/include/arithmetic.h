/* The floating-point environment of the calling thread. A host may round upwards, flush subnormal numbers to zero, or
 * trap divisions by zero. Covey's calls compute in the standard environment and then restore the host's, bit for bit.
 * Threads that a call starts inherit the environment of the caller. */
#ifndef CK_ARITHMETIC_H
#define CK_ARITHMETIC_H

#include <fenv.h>
#include <stdint.h>

typedef struct ck_arithmetic {
    uint32_t control;   /* MXCSR */
    int32_t other;      /* Not 0 if the x87 control word is not the standard one, or an x87 exception flag is set. */
    fenv_t environment; /* The whole environment, saved only if `other` is not 0. */
} ck_arithmetic;

/* Saves the host's environment in `host` and sets the standard one. */
void ck_arithmetic_enter(ck_arithmetic *host);
void ck_arithmetic_leave(const ck_arithmetic *host);

#endif
