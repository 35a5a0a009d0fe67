#include "guarded.h"
#include "spare_memory.h"

#include <algorithm>
#include <climits>
#include <stdexcept>
#include <vector>

#include <faiss/IndexFlat.h>
#include <faiss/utils/distances.h>
#include <faiss/utils/random.h>

namespace {

/* A flat index whose searches, the long part of k-means, can be cancelled. */
/* FAISS compares this number of rows with 1,024 others at a time, and allocates a matrix of that size for however few:
 * 2 MB instead of 16. It is set once, when the library is loaded, because sums depend on it. */
const int rows_at_a_time = faiss::distance_compute_blas_query_bs = 512;

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

/* faiss::Clustering is not used. It allocates memory in its threads, and a failure there ends the process instead of
 * throwing. */
int fs_kmeans(int64_t n, int64_t d, const float *rows, int64_t k, int iterations, int64_t seed, float *centroids,
              int (*stop)(const void *state), const void *state) {
    return guarded([&] {
        if (d < 1 || k < 1 || n < k || n > INT_MAX) throw std::invalid_argument("n, d or k");
        std::vector<int> order(n);
        faiss::rand_perm(order.data(), n, seed);
        for (int64_t cell = 0; cell < k; cell++) std::copy_n(rows + order[cell] * d, d, centroids + cell * d);

        SpareMemory spare(0);
        StoppableIndex index(d, stop, state);
        std::vector<float> distances(n);
        std::vector<faiss::Index::idx_t> cells(n);
        std::vector<double> sums(k * d);
        std::vector<int64_t> sizes(k);
        for (int iteration = 0; iteration < iterations; iteration++) {
            index.reset();
            index.add(k, centroids);
            index.search(n, rows, 1, distances.data(), cells.data(), nullptr);
            if (spare.is_used()) throw std::bad_alloc();
            std::fill(sums.begin(), sums.end(), 0);
            std::fill(sizes.begin(), sizes.end(), 0);
            for (int64_t i = 0; i < n; i++) {
                if (cells[i] < 0) continue; /* The distance is too large for float32. */
                double *sum = &sums[cells[i] * d];
                for (int64_t column = 0; column < d; column++) sum[column] += rows[i * d + column];
                sizes[cells[i]]++;
                if (i % 1024 == 0 && stop(state)) throw std::runtime_error("stopped");
            }
            /* A centroid without rows does not move. */
            for (int64_t cell = 0; cell < k; cell++) {
                if (sizes[cell] == 0) continue;
                for (int64_t column = 0; column < d; column++)
                    centroids[cell * d + column] = (float)(sums[cell * d + column] / (double)sizes[cell]);
            }
        }
    });
}
