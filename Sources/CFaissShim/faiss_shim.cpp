#include "faiss_shim.h"

#include <algorithm>
#include <new>
#include <stdexcept>

#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>

namespace {

template <class Body>
int guarded(Body body) noexcept {
    try {
        body();
        return FS_OK;
    } catch (const std::bad_alloc &) {
        return FS_OUT_OF_MEMORY;
    } catch (...) {
        return FS_FAILED;
    }
}

/* A flat index whose searches, the long part of k-means, can be stopped. */
class StoppableIndex : public faiss::IndexFlatL2 {
    int (*stop)(const void *);
    const void *state;

public:
    StoppableIndex(int64_t d, int (*stop)(const void *), const void *state)
        : IndexFlatL2(d), stop(stop), state(state) {}

    void search(idx_t n, const float *x, idx_t k, float *distances, idx_t *labels,
                const faiss::SearchParameters *parameters) const override {
        const idx_t step = std::max<idx_t>(32, (idx_t(1) << 28) / std::max<idx_t>(1, ntotal * d));
        for (idx_t i = 0; i < n; i += step) {
            if (stop(state)) throw std::runtime_error("stopped");
            IndexFlatL2::search(std::min(step, n - i), x + i * d, k, distances + i * k, labels + i * k, parameters);
        }
    }
};

} // namespace

int fs_kmeans(int64_t n, int64_t d, const float *rows, int64_t k, int iterations, int64_t seed, float *centroids,
              int (*stop)(const void *state), const void *state) {
    return guarded([&] {
        faiss::ClusteringParameters parameters;
        parameters.niter = iterations;
        parameters.seed = (int)(seed & 0x7fffffff);
        /* Fewer rows a centroid than FAISS likes would be answered by a line on stderr; more would be sampled again. */
        parameters.min_points_per_centroid = 1;
        parameters.max_points_per_centroid = 1 << 20;
        faiss::Clustering clustering((int)d, (int)k, parameters);
        StoppableIndex index(d, stop, state);
        clustering.train(n, rows, index);
        std::copy(clustering.centroids.begin(), clustering.centroids.end(), centroids);
    });
}
