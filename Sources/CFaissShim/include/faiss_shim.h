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

/* k-means of n x d finite rows. Writes k x d centroids. It is Lloyd's algorithm, starting from a seeded sample of the
 * rows; n >= k >= 1. `stop(state)` is called between steps of a few milliseconds. If it returns nonzero, the call ends
 * with FS_FAILED. */
int fs_kmeans(int64_t n, int64_t d, const float *rows, int64_t k, int iterations, int64_t seed, float *centroids,
              int (*stop)(const void *state), const void *state);

#ifdef __cplusplus
}
#endif

#endif
