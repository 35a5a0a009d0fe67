/* The calling thread's floating-point environment: a host may round upwards, flush small numbers to zero, or have a division by
 * zero end it. Covey's calls compute in the standard environment, and give the host's back bit for bit. Threads that a call
 * starts inherit the caller's. */
#ifndef CK_ARITHMETIC_H
#define CK_ARITHMETIC_H

#include <fenv.h>
#include <stdint.h>

typedef struct ck_arithmetic {
    uint32_t control;   /* MXCSR */
    int32_t other;      /* Whether x87 has another control word than the standard one, or flags raised. */
    fenv_t environment; /* All of it where so. */
} ck_arithmetic;

/* Takes the host's environment into `host` and sets the standard one. */
void ck_arithmetic_enter(ck_arithmetic *host);
void ck_arithmetic_leave(const ck_arithmetic *host);

#endif
