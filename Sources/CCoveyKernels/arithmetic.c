#include "arithmetic.h"

#include <xmmintrin.h>

/* Rounding to nearest, no flushing to zero, every exception masked and none pending. */
#define STANDARD_SSE 0x1f80u
#define STANDARD_X87 0x037fu

static uint16_t x87_control(void) {
    uint16_t word;
    __asm__ volatile("fnstcw %0" : "=m"(word));
    return word;
}

static uint16_t x87_flags(void) {
    uint16_t word;
    __asm__ volatile("fnstsw %0" : "=m"(word));
    return word & FE_ALL_EXCEPT;
}

/* Only a few functions of libm use x87. Its environment takes long to save and is almost never changed. */
void ck_arithmetic_enter(ck_arithmetic *host) {
    host->control = _mm_getcsr();
    host->other = x87_control() != STANDARD_X87 || x87_flags() != 0;
    if (host->other) {
        fegetenv(&host->environment);
        fesetenv(FE_DFL_ENV);
    }
    if (host->control != STANDARD_SSE) _mm_setcsr(STANDARD_SSE);
}

void ck_arithmetic_leave(const ck_arithmetic *host) {
    if (host->other) fesetenv(&host->environment);
    else if (x87_flags() != 0) __asm__ volatile("fnclex");
    if (_mm_getcsr() != host->control) _mm_setcsr(host->control);
}
