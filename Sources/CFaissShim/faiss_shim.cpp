#include "faiss_shim.h"

#include <new>

#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>
#include <omp.h>

namespace {

/* OpenMP's thread count belongs to the calling thread: one thread while FAISS runs, so that libgomp starts no pool. */
class SingleThread {
    int previous = omp_get_max_threads();

public:
    SingleThread() { omp_set_num_threads(1); }
    ~SingleThread() { omp_set_num_threads(previous); }
};

template <class Body>
int guarded(Body body) noexcept {
    try {
        SingleThread single;
        body();
        return FS_OK;
    } catch (const std::bad_alloc &) {
        return FS_OUT_OF_MEMORY;
    } catch (...) {
        return FS_FAILED;
    }
}

} // namespace

int fs_kmeans(int64_t n, int64_t d, const float *rows, int64_t k, int iterations, int64_t seed, float *centroids) {
    return guarded([&] {
        faiss::ClusteringParameters parameters;
        parameters.niter = iterations;
        parameters.seed = (int)(seed & 0x7fffffff);
        parameters.min_points_per_centroid = 1;
        faiss::Clustering clustering((int)d, (int)k, parameters);
        faiss::IndexFlatL2 index(d);
        clustering.train(n, rows, index);
        for (size_t i = 0; i < clustering.centroids.size(); i++) centroids[i] = clustering.centroids[i];
    });
}
