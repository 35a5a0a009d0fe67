/* Memory for the parallel regions of FAISS.
 *
 * A region hands no exception on: the compiler ends the process there. So while a call of FAISS runs, an allocation
 * that the system refuses in a region takes one of some blocks that were allocated before the call (--wrap in
 * Package.swift). FAISS deletes it as any other, and it can be taken again. The region then ends as it would have, or
 * sooner if it asks whether to stop, and the call gives std::bad_alloc. */
#ifndef FAISS_SHIM_SPARE_MEMORY_H
#define FAISS_SHIM_SPARE_MEMORY_H

#include <cstddef>

class SpareMemory {
    /* Sizes of the blocks, ascending. Beside them stand two blocks as large as the largest that a region needs. */
    struct Kind {
        size_t size;
        int count;
    };
    static constexpr Kind kinds[] = {{256, 64}, {2048, 32}, {16384, 8}};
    static constexpr int most = 64 + 32 + 8 + 2;

    struct Block {
        void *memory;
        size_t size;
        bool is_taken;
    };
    Block blocks[most];
    int count = 0;
    bool used = false;
    SpareMemory *const before;

    void add(size_t size);

  public:
    /* Allocates the blocks, FS_SPARE bytes and twice `largest`; throws std::bad_alloc. They serve this thread until the
     * object ends. */
    explicit SpareMemory(size_t largest);
    ~SpareMemory();
    SpareMemory(const SpareMemory &) = delete;

    /* Whether an allocation was refused: the call must not succeed. */
    bool is_used() const { return used; }

    /* Returns a block of at least `size` bytes, aligned for SIMD; NULL if none is left. If `is_kept`, the caller owns
     * the block and frees it. */
    void *take(size_t size, bool is_kept);

    /* Whether memory that is deleted is a block of this object, which can be taken again. */
    bool put_back(void *memory);

    /* Those of the call that runs on this thread; NULL if there is none. In a region, and anywhere. */
    static SpareMemory *in_region();
    static SpareMemory *of_this_thread();
    /* Whether the call that runs on this thread was refused memory. */
    static bool is_refused();
};

#endif
