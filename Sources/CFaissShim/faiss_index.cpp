#include "guarded.h"
#include "spare_memory.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <faiss/IndexFlatCodes.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFPQ.h>
#include <faiss/IndexIVFPQFastScan.h>
#include <faiss/IndexPQ.h>
#include <faiss/IndexPQFastScan.h>
#include <faiss/IndexPreTransform.h>
#include <faiss/IndexRefine.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/index_factory.h>

struct fs_index {
    std::unique_ptr<faiss::Index> own;
};

namespace {

/* The call that this thread runs. FAISS asks one object of the process whether to stop. */
thread_local fs_call *current = nullptr;

struct Interrupt : faiss::InterruptCallback {
    bool want_interrupt() override {
        return SpareMemory::is_refused() || (current && current->stop && current->stop(current->state));
    }
};

class Running {
    fs_call *const before = current;

  public:
    explicit Running(fs_call *call) {
        static const bool installed = (faiss::InterruptCallback::instance.reset(new Interrupt), true);
        (void)installed;
        current = call;
        call->message[0] = 0;
    }
    ~Running() { current = before; }
};

/* What FAISS says, without the place in its sources. */
void tell(fs_call *call, const char *text) noexcept {
    for (const char *mark : {".cpp:", ".h:"})
        if (const char *found = std::strstr(text, mark))
            if (const char *end = std::strstr(found, ": ")) text = end + 2;
    if (const char *found = std::strstr(text, "failed: ")) text = found + std::strlen("failed: ");
    std::strncpy(call->message, text, sizeof call->message - 1);
    call->message[sizeof call->message - 1] = 0;
    for (char *byte = call->message; *byte; byte++)
        if (*byte < 0x20 || *byte > 0x7e) *byte = ' ';
}

template <class Body> int run(fs_call *call, Body body) noexcept {
    return guarded([&] {
        Running running(call);
        try {
            body();
        } catch (const std::bad_alloc &) { throw; } catch (const std::exception &error) {
            tell(call, error.what());
            throw;
        }
    });
}

/* The same for a body with parallel regions. */
template <class Body> int run_regions(fs_call *call, Body body) noexcept {
    return run(call, [&] {
        SpareMemory spare((size_t)call->largest);
        try {
            body();
        } catch (...) {
            /* FAISS makes messages of exceptions. */
            if (spare.is_used()) throw std::bad_alloc();
            throw;
        }
        if (spare.is_used()) throw std::bad_alloc();
    });
}

template <class Part, class Body> void visit(faiss::Index *index, Body body) {
    if (auto *part = dynamic_cast<Part *>(index)) body(*part);
}

/* k-means prints a warning if there are few points for a centroid. */
void silence(faiss::ClusteringParameters &parameters) { parameters.min_points_per_centroid = 1; }

/* Nothing is printed, and no time goes into what Covey does not use: an order of the codes that makes their Hamming
 * distances mean something. */
void prepare(faiss::Index *index) {
    if (!index) return;
    visit<faiss::IndexPreTransform>(index, [](auto &part) { prepare(part.index); });
    visit<faiss::IndexRefine>(index, [](auto &part) { prepare(part.base_index), prepare(part.refine_index); });
    visit<faiss::IndexHNSW>(index, [](auto &part) { prepare(part.storage); });
    visit<faiss::IndexIVF>(index, [](auto &part) { silence(part.cp), prepare(part.quantizer); });
    visit<faiss::MultiIndexQuantizer>(index, [](auto &part) { silence(part.pq.cp); });
    visit<faiss::IndexPQFastScan>(index, [](auto &part) { silence(part.pq.cp); });
    visit<faiss::IndexIVFPQFastScan>(index, [](auto &part) { silence(part.pq.cp); });
    visit<faiss::IndexPQ>(index, [](auto &part) {
        silence(part.pq.cp);
        part.do_polysemous_training = false;
    });
    visit<faiss::IndexIVFPQ>(index, [](auto &part) {
        silence(part.pq.cp);
        part.do_polysemous_training = false;
    });
}

void reserve(faiss::Index *index, size_t n) {
    if (!index) return;
    visit<faiss::IndexPreTransform>(index, [n](auto &part) { reserve(part.index, n); });
    visit<faiss::IndexRefine>(index, [n](auto &part) { reserve(part.base_index, n), reserve(part.refine_index, n); });
    visit<faiss::IndexFlatCodes>(index, [n](auto &part) { part.codes.reserve(n * part.code_size); });
    visit<faiss::IndexHNSW>(index, [n](auto &part) {
        /* A row in M is in the next level too. */
        const size_t links = part.hnsw.nb_neighbors(0), above = part.hnsw.nb_neighbors(1);
        part.hnsw.neighbors.reserve(n * links + n / std::max<size_t>(1, above - 1) * above * 5 / 4 + 4096);
        part.hnsw.levels.reserve(n);
        part.hnsw.offsets.reserve(n + 1);
        reserve(part.storage, n);
    });
}

/* Adds rows. The lists of IVF grow before its region begins, by half at least. */
void add(faiss::Index *index, int64_t n, const float *rows) {
    if (auto *part = dynamic_cast<faiss::IndexPreTransform *>(index)) {
        std::unique_ptr<const float[]> transformed;
        const float *own = part->apply_chain(n, rows);
        if (own != rows) transformed.reset(own);
        add(part->index, n, own);
        part->ntotal = part->index->ntotal;
        return;
    }
    if (auto *part = dynamic_cast<faiss::IndexRefine *>(index)) {
        add(part->base_index, n, rows);
        add(part->refine_index, n, rows);
        part->ntotal = part->refine_index->ntotal;
        return;
    }
    auto *part = dynamic_cast<faiss::IndexIVF *>(index);
    auto *lists = part ? dynamic_cast<faiss::ArrayInvertedLists *>(part->invlists) : nullptr;
    if (!lists) {
        index->add(n, rows);
        return;
    }
    std::vector<faiss::Index::idx_t> cells(n);
    part->quantizer->assign(n, rows, cells.data());
    if (SpareMemory::is_refused()) throw std::bad_alloc();
    std::vector<size_t> sizes(part->nlist);
    for (auto cell : cells)
        if (cell >= 0 && (size_t)cell < sizes.size()) sizes[cell]++;
    for (size_t list = 0; list < sizes.size(); list++) {
        const size_t wanted = lists->ids[list].size() + sizes[list];
        if (sizes[list] == 0 || wanted <= lists->ids[list].capacity()) continue;
        const size_t capacity = std::max(wanted, lists->ids[list].size() * 3 / 2);
        lists->ids[list].reserve(capacity);
        lists->codes[list].reserve(capacity * lists->code_size);
    }
    part->add_core(n, rows, nullptr, cells.data());
}

/* What ParameterSpace of FAISS does, which would link threads of FAISS too. Whether the index has the parameter. */
bool set(faiss::Index *index, const std::string &name, double value) {
    bool done = false;
    visit<faiss::IndexPreTransform>(index, [&](auto &part) { done = set(part.index, name, value); });
    visit<faiss::IndexRefine>(index, [&](auto &part) {
        if (name == "k_factor_rf") part.k_factor = (float)value, done = true;
        else done = set(part.base_index, name, value);
    });
    visit<faiss::IndexHNSW>(index, [&](auto &part) {
        if (name == "efSearch") part.hnsw.efSearch = (int)value, done = true;
        if (name == "efConstruction") part.hnsw.efConstruction = (int)value, done = true;
    });
    visit<faiss::IndexIVF>(index, [&](auto &part) {
        const std::string prefix = "quantizer_";
        if (name == "nprobe") part.nprobe = (size_t)value, done = true;
        if (name == "max_codes") part.max_codes = (size_t)value, done = true;
        if (name.rfind(prefix, 0) == 0) done = set(part.quantizer, name.substr(prefix.size()), value);
    });
    return done;
}

} // namespace

int fs_index_make(int64_t d, const char *name, fs_call *call, fs_index **index) {
    *index = nullptr;
    return run(call, [&] {
        std::unique_ptr<fs_index> made(new fs_index);
        made->own.reset(faiss::index_factory((int)d, name, faiss::METRIC_L2));
        prepare(made->own.get());
        *index = made.release();
    });
}

int fs_index_set(fs_index *index, const char *name, double value, fs_call *call) {
    return run(call, [&] {
        if (!set(index->own.get(), name, value))
            throw std::invalid_argument(std::string("it has no parameter ") + name);
    });
}

int fs_index_train(fs_index *index, int64_t n, const float *rows, fs_call *call) {
    return run_regions(call, [&] {
        if (!index->own->is_trained) index->own->train(n, rows);
    });
}

int fs_index_reserve(fs_index *index, int64_t n, fs_call *call) {
    return run(call, [&] { reserve(index->own.get(), n); });
}

int fs_index_add(fs_index *index, int64_t n, const float *rows, fs_call *call) {
    return run_regions(call, [&] { add(index->own.get(), n, rows); });
}

int fs_index_search(const fs_index *index, int64_t n, const float *queries, int64_t k, float *distances,
                    int64_t *numbers, fs_call *call) {
    return run_regions(call, [&] { index->own->search(n, queries, k, distances, numbers); });
}

void fs_index_free(fs_index *index) { delete index; }
