#include "instructions.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "encoder.h"

/* OpenBLAS chooses its loops by the processor when it is loaded, and by this variable. It can choose again. */
#define CHOICE "OPENBLAS_CORETYPE"
void gotoblas_dynamic_init(void);
void gotoblas_dynamic_quit(void);
char *gotoblas_corename(void);

enum { OPEN, CHANGING, DECIDED };
static _Atomic int state = OPEN;
static _Atomic int most = CK_AMX;
static const char *_Atomic chosen;

/* The linker redirects the library's calls of getenv to this function (--wrap in Package.swift). The environment itself
 * must not be changed, because other threads may read it. */
char *__real_getenv(const char *name);
char *__wrap_getenv(const char *name);

char *__wrap_getenv(const char *name) {
    const char *value = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (value != NULL && strcmp(name, CHOICE) == 0) return (char *)value;
    return __real_getenv(name);
}

static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

static int has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

static void choose(const char *name) {
    atomic_store(&chosen, name);
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    atomic_store(&chosen, NULL);
}

/* OpenBLAS knows processors by their model numbers, and chooses loops of SSE for one that is newer than itself. */
static void correct_choice(void) {
    static const char *const good[] = {"SkylakeX", "Cooperlake", "Haswell", "Zen"};
    if (__real_getenv(CHOICE) != NULL) return;
    const char *name = gotoblas_corename();
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (strcmp(name, good[i]) == 0) return;
    if (has_avx512()) choose("SkylakeX");
    else if (has_avx2()) choose("Haswell");
}

/* Decides, unless it is decided. Returns whether this call decided. */
static int decide(int set) {
    for (;;) {
        int found = OPEN;
        if (atomic_compare_exchange_strong(&state, &found, CHANGING)) break;
        if (found == DECIDED) return 0;
        sched_yield();
    }
    if (set < CK_AVX512) {
        /* The same loops on every processor, whatever its own are. */
        choose("Haswell");
    } else {
        correct_choice();
    }
    atomic_store(&most, set);
    atomic_store(&state, DECIDED);
    return 1;
}

void ck_instructions_begin(void) {
    if (atomic_load_explicit(&state, memory_order_acquire) != DECIDED) decide(CK_AMX);
}

int ck_instructions_most(void) { return atomic_load_explicit(&most, memory_order_relaxed); }

int ck_instructions_limit(int set) {
    if (set == CK_AVX2 && !has_avx2()) return CK_INSTRUCTIONS_MISSING;
    if (decide(set) || ck_instructions_most() == set) return 0;
    return CK_INSTRUCTIONS_LATE;
}
