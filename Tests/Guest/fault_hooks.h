/* Makes the host's memory, files or threads fail on purpose, with no change to the library: this program's own malloc, write and
 * others stand before those of the C library for everything that the process has loaded. */
#ifndef FAULT_HOOKS_H
#define FAULT_HOOKS_H

#ifdef __cplusplus
extern "C" {
#endif

enum fault {
    FAULT_NONE,
    /* malloc, calloc, realloc, posix_memalign, aligned_alloc, operator new and mmap of the C and C++ shims, of FAISS and of
     * OpenBLAS, and those that Swift sources of Covey call by name. Swift's own objects and arrays are left out: their
     * allocation ends the process where it fails. */
    FAULT_MEMORY,
    FAULT_OPEN,   /* open and openat */
    FAULT_READ,   /* read */
    FAULT_WRITE,  /* write */
    FAULT_SHORT,  /* write takes one byte */
    FAULT_SYNC,   /* fsync */
    FAULT_CLOSE,  /* close, of files that the call has opened; the file is closed */
    FAULT_RENAME, /* rename */
    FAULT_THREAD, /* pthread_create */
};

/* The symbols of the library that is not stripped, as `nm --defined-only -n -C` prints them without -C. 0 = read. */
int faults_read_symbols(const char *path);

/* From now on the n-th such call and, where `all` is set, those after it fail with `number` in errno; 0 = none does. */
void faults_begin(enum fault kind, long n, int all, int number);

/* Ends it. How many such calls there were. */
long faults_end(void);

/* Blocks of memory that were allocated and not freed between faults_begin and faults_end, by anyone. */
long faults_kept(void);

#ifdef __cplusplus
}
#endif

#endif
