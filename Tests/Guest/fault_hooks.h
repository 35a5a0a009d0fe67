/* Makes memory, files or threads of the host fail on purpose, without any change to the library. This program defines
 * malloc, write and others. They replace those of the C library for everything that the process has loaded. */
#ifndef FAULT_HOOKS_H
#define FAULT_HOOKS_H

#ifdef __cplusplus
extern "C" {
#endif

enum fault {
    FAULT_NONE,
    /* malloc, calloc, realloc, posix_memalign, aligned_alloc, operator new and mmap, as called by the C and C++ parts,
     * by FAISS and OpenBLAS, and by Covey's Swift sources by name. Swift's own objects and arrays are left out: if
     * their allocation fails, Swift ends the process. */
    FAULT_MEMORY,
    FAULT_OPEN,   /* open and openat */
    FAULT_READ,   /* read */
    FAULT_WRITE,  /* write */
    FAULT_SHORT,  /* write takes one byte */
    FAULT_SYNC,   /* fsync */
    FAULT_CLOSE,  /* close, only for files that the call has opened; the file is closed */
    FAULT_RENAME, /* rename */
    FAULT_THREAD, /* pthread_create */
};

/* Reads the symbols of the library before strip, as printed by `nm --defined-only -n`. Returns 0 if it succeeds. */
int faults_read_symbols(const char *path);

/* From now on the n-th call of this kind fails with `number` in errno; if `all` is set, all later ones fail too. With n
 * = 0 none fails. */
void faults_begin(enum fault kind, long n, int all, int number);

/* After a run with faults_begin(FAULT_MEMORY, 0, 0, 0): the numbers of calls that stand for all. Calls with the same
 * stack are made by the same code for the same purpose: of them the first, the second, the middle one and the last are
 * taken, or with `few` the first alone. Writes at most `most` numbers, ascending, and returns how many. */
long faults_choose(long *chosen, long most, int few);

/* Ends the faults. Returns the number of calls of this kind. */
long faults_end(void);

/* Returns the number of memory blocks that anyone allocated and did not free between faults_begin and faults_end. */
long faults_kept(void);

/* Returns the number of bytes that anyone allocated and did not free since faults_begin: the most at any time, and now.
 * After faults_end both stay. The thread stacks and the buffer that BLAS never frees are left out. */
long faults_most_bytes(void);
long faults_kept_bytes(void);

#ifdef __cplusplus
}
#endif

#endif
