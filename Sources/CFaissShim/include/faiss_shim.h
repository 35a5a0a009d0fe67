/* The FAISS calls that Covey uses, as C functions. Every exception becomes a status. FAISS runs on the calling thread
 * only. */
#ifndef FAISS_SHIM_H
#define FAISS_SHIM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FS_OK 0
#define FS_OUT_OF_MEMORY 1
#define FS_FAILED 2

/* The bytes of the blocks in spare_memory.h, without the two largest. */
#define FS_SPARE 212992

/* The bytes that FAISS allocates to compare rows, however few they are. */
#define FS_BLOCK 2097152

/* k-means of n x d finite rows. Writes k x d centroids. It is Lloyd's algorithm, starting from a seeded sample of the
 * rows; n >= k >= 1. `stop(state)` is called between steps of a few milliseconds. If it returns nonzero, the call ends
 * with FS_FAILED. */
int fs_kmeans(int64_t n, int64_t d, const float *rows, int64_t k, int iterations, int64_t seed, float *centroids,
              int (*stop)(const void *state), const void *state);

/* An index of FAISS by squared Euclidean distance. Only one thread may train it or add rows to it; then any number of
 * threads may search it. */
typedef struct fs_index fs_index;

/* What a call on an index needs beside its own arguments. */
typedef struct fs_call {
    /* As for fs_kmeans. FAISS calls it between blocks of about 10^9 operations. */
    int (*stop)(const void *state);
    const void *state;
    /* The bytes of the largest block that FAISS allocates in a parallel region (spare_memory.h). The calls that train,
     * add and search allocate two of them and FS_SPARE bytes. */
    int64_t largest;
    /* What FAISS says of a failure, cut to 200 bytes; "" if it says nothing. */
    char message[201];
} fs_call;

/* Makes an empty index of rows of d numbers by its name in FAISS, such as "IVF1024,PQ16". The caller has checked the
 * name: FAISS ends the process, or takes any amount of memory, for some names. */
int fs_index_make(int64_t d, const char *name, fs_call *call, fs_index **index);

/* Sets a parameter by its name in FAISS, such as "nprobe". */
int fs_index_set(fs_index *index, const char *name, double value, fs_call *call);

/* Trains the index on n rows. */
int fs_index_train(fs_index *index, int64_t n, const float *rows, fs_call *call);

/* Makes room for n rows in all. Without it the index grows by doubling. */
int fs_index_reserve(fs_index *index, int64_t n, fs_call *call);

/* Adds n rows. Rows are numbered from 0 in the order in which they are added. */
int fs_index_add(fs_index *index, int64_t n, const float *rows, fs_call *call);

/* Writes the numbers of the k nearest rows of each of n queries; -1 if the index finds fewer. */
int fs_index_search(const fs_index *index, int64_t n, const float *queries, int64_t k, float *distances,
                    int64_t *numbers, fs_call *call);

void fs_index_free(fs_index *index);

#ifdef __cplusplus
}
#endif

#endif
