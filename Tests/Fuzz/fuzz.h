/* What the fuzz targets share: taking numbers from the input, memory blocks of the exact size, contexts with a small
 * budget, and the checks of every call. A target is one file with LLVMFuzzerTestOneInput. libFuzzer runs it; replay.c
 * runs it without libFuzzer. */
#ifndef FUZZ_H
#define FUZZ_H

#include <covey.h>

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The number of bytes that a call may allocate. The limit of libFuzzer, -malloc_limit_mb, is higher. */
#define FUZZ_BUDGET (128u << 20)
/* The limit of processor time for one input; all inputs are small. Above it the input is a finding, and at ten times
 * the limit it is stopped. Processor time is used because on a busy machine a process may wait for minutes. The
 * sanitizer takes the larger part of it. */
#define FUZZ_SECONDS 3

#define FUZZ_REQUIRE(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: FUZZ_REQUIRE(%s)\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

/* ------------------------------------------------------------------------------------------------- the input --- */

/* The input. Bytes are taken from its front; after its end come zeros. */
typedef struct fuzz_input {
    const uint8_t *next;
    size_t left;
} fuzz_input;

static inline void take(fuzz_input *input, void *target, size_t size) {
    size_t have = input->left < size ? input->left : size;
    memset(target, 0, size);
    if (have) memcpy(target, input->next, have);
    input->next += have;
    input->left -= have;
}

static inline uint8_t take_byte(fuzz_input *input) {
    uint8_t value;
    take(input, &value, 1);
    return value;
}

static inline int64_t take_int64(fuzz_input *input) {
    int64_t value;
    take(input, &value, 8);
    return value;
}

/* Returns 0 to limit - 1. */
static inline int64_t take_below(fuzz_input *input, int64_t limit) {
    uint16_t value;
    take(input, &value, limit > 256 ? 2 : 1);
    return value % limit;
}

/* Returns a count, a stride or an option: mostly 0 to limit, but sometimes any number. */
static inline int64_t take_count(fuzz_input *input, int64_t limit) {
    static const int64_t odd[] = {-1,        INT64_MIN, INT64_MAX,       INT32_MAX,  (int64_t)INT32_MAX + 1,
                                  INT32_MIN, 1ll << 48, (1ll << 48) + 1, 65536,      65537,
                                  1ll << 60, 1ll << 61, 1ll << 62,       UINT32_MAX, 1024,
                                  1025};
    uint8_t kind = take_byte(input);
    if (kind < 240) return kind % (limit + 1);
    if (kind == 255) return take_int64(input);
    return odd[kind - 240 + (kind == 254)];
}

static inline double take_double(fuzz_input *input) {
    static const double odd[] = {NAN,   INFINITY, -INFINITY, -0.0,   1e308,        -1e308, 5e-324,  1e-300,
                                 1e154, 1e100,    -1e100,    3.5e38, 1e-135,       1e9,    8.64e12, 0.1,
                                 0.5,   -0.25,    1e16,      1e-9,   4294967296.0, 1e12};
    uint8_t kind = take_byte(input);
    double value;
    if (kind < 200) return (double)kind - 60;
    if (kind < 200 + sizeof odd / sizeof *odd) return odd[kind - 200];
    if (kind < 240) {
        float narrow;
        take(input, &narrow, 4);
        return narrow;
    }
    take(input, &value, 8);
    return value;
}

/* ---------------------------------------------------------------------------------------------------- memory --- */

/* Each block is a separate allocation, so that the sanitizer detects a read one byte after it. fuzz_end frees all
 * blocks. */
static void **fuzz_blocks;
static size_t fuzz_block_count;

static inline void *fuzz_alloc(size_t size) {
    if ((fuzz_block_count & (fuzz_block_count + 1)) == 0)
        fuzz_blocks = realloc(fuzz_blocks, (fuzz_block_count + 1) * 2 * sizeof *fuzz_blocks);
    void *block = malloc(size);
    FUZZ_REQUIRE(fuzz_blocks && (block || !size));
    return fuzz_blocks[fuzz_block_count++] = block;
}

static inline void *fuzz_copy(const void *source, size_t size) {
    void *block = fuzz_alloc(size);
    if (size) memcpy(block, source, size);
    return block;
}

/* Copies a struct that begins with its size into a block of this size, if the size is possible. Unknown bytes at its
 * end are `tail`. */
static inline void *fuzz_struct(const void *source, size_t known, uint8_t tail) {
    size_t size;
    memcpy(&size, source, sizeof size);
    if (size > 4096) size = known;
    if (size < sizeof size) size = sizeof size;
    void *block = fuzz_alloc(size);
    memset(block, tail, size);
    memcpy(block, source, size < known ? size : known);
    return block;
}

/* A string of a few bytes, mostly letters. So names are often equal. */
static inline const char *take_name(fuzz_input *input) {
    static const char *const names[] = {"a",    "b",        "c",         "amount",    "country", "",
                                        "\xff", "\xc3\xa9", "e\xcc\x81", "hour of d", "d"};
    uint8_t kind = take_byte(input);
    if (kind < 240) return fuzz_copy(names[kind % 11], strlen(names[kind % 11]) + 1);
    size_t length = (size_t)take_below(input, 24);
    char *name = fuzz_alloc(length + 1);
    take(input, name, length);
    name[length] = 0;
    return name;
}

static double fuzz_started;

static inline double fuzz_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void fuzz_hangs(int signal) {
    (void)signal;
    static const char text[] = "fuzz: the input takes too long\n";
    if (write(2, text, sizeof text - 1)) abort();
}

static inline void fuzz_begin(void) {
    struct itimerval limit = {{0, 0}, {10 * FUZZ_SECONDS, 0}};
    signal(SIGPROF, fuzz_hangs);
    setitimer(ITIMER_PROF, &limit, NULL);
    fuzz_started = fuzz_clock();
}

static inline int fuzz_end(void) {
    while (fuzz_block_count) free(fuzz_blocks[--fuzz_block_count]);
    free(fuzz_blocks);
    fuzz_blocks = NULL;
    struct itimerval none = {{0, 0}, {0, 0}};
    setitimer(ITIMER_PROF, &none, NULL);
#ifndef FUZZ_REPLAY /* a regression test runs on machines of any speed */
    FUZZ_REQUIRE(fuzz_clock() - fuzz_started < FUZZ_SECONDS);
#endif
    return 0;
}

/* ----------------------------------------------------------------------------------------------------- calls --- */

/* A context with the small budget. */
static inline covey_context *fuzz_context(int threads) {
    static covey_context *contexts[3];
    if (!contexts[threads]) {
        covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
        options.threads = threads;
        options.memory_budget = FUZZ_BUDGET;
        FUZZ_REQUIRE(covey_context_create(&options, &contexts[threads], NULL) == COVEY_OK);
    }
    return contexts[threads];
}

/* Only some inputs use two threads: on a busy machine each thread would wait for the other. */
static inline int fuzz_threads(size_t size) { return size % 16 == 0 ? 2 : 1; }

/* The checks of every call: the status is known and not an internal error, and there is an error object with a message
 * if and only if the call failed. */
static inline int fuzz_ok(covey_status status, covey_error **error) {
    FUZZ_REQUIRE(status >= COVEY_OK && status <= COVEY_BUFFER_TOO_SMALL);
    FUZZ_REQUIRE((*error != NULL) == (status != COVEY_OK));
    if (*error) {
        FUZZ_REQUIRE(covey_error_code(*error) == status && strlen(covey_error_message(*error)) > 0);
        covey_error_destroy(*error);
        *error = NULL;
    }
    return status == COVEY_OK;
}

/* For calls whose input is always valid. */
#define FUZZ_OK(call) FUZZ_REQUIRE(fuzz_ok((call), &error))

/* ----------------------------------------------------------------------------------------------------- files --- */

/* Returns a path from which the bytes can be read. The file has no name in any folder. */
static inline const char *fuzz_file(const uint8_t *data, size_t size) {
    static int file = -1;
    static char path[64];
    if (file < 0) {
        file = memfd_create("covey-fuzz", MFD_CLOEXEC);
        FUZZ_REQUIRE(file >= 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    FUZZ_REQUIRE(ftruncate(file, 0) == 0);
    for (size_t done = 0; done < size;) {
        ssize_t count = pwrite(file, data + done, size - done, (off_t)done);
        FUZZ_REQUIRE(count > 0);
        done += (size_t)count;
    }
    return path;
}

/* Returns a path that Covey can write to. Each process has its own, in memory if the system supports that. */
static inline const char *fuzz_written(void) {
    static char path[64];
    if (!path[0]) {
        const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        snprintf(path, sizeof path, "%s/covey-fuzz.%d", folder, (int)getpid());
    }
    return path;
}

/* Returns what a call wrote to that path, as a block. Removes the file. */
static inline uint8_t *fuzz_read_written(size_t *size) {
    int file = open(fuzz_written(), O_RDONLY);
    FUZZ_REQUIRE(file >= 0);
    struct stat status;
    FUZZ_REQUIRE(fstat(file, &status) == 0);
    *size = (size_t)status.st_size;
    uint8_t *bytes = fuzz_alloc(*size);
    for (size_t done = 0; done < *size;) {
        ssize_t count = read(file, bytes + done, *size - done);
        FUZZ_REQUIRE(count > 0);
        done += (size_t)count;
    }
    close(file);
    unlink(fuzz_written());
    return bytes;
}

#endif
