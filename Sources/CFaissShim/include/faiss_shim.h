/* The FAISS calls that Covey uses, as C. Every exception becomes a status; FAISS runs on the calling thread alone. */
#ifndef FAISS_SHIM_H
#define FAISS_SHIM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FS_OK 0
#define FS_OUT_OF_MEMORY 1
#define FS_FAILED 2

/* k-means of n x d finite rows: writes k x d centroids. Lloyd's algorithm from a seeded sample of rows. n >= k >= 1.
 * Between steps of a few milliseconds `stop(state)` is asked; nonzero ends the call with FS_FAILED. */
int fs_kmeans(int64_t n, int64_t d, const float *rows, int64_t k, int iterations, int64_t seed, float *centroids,
              int (*stop)(const void *state), const void *state);

#ifdef __cplusplus
}
#endif

#endif
