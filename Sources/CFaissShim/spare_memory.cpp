#include "spare_memory.h"
#include "faiss_shim.h"

#include <cstdlib>
#include <new>

namespace {
/* Of the call that this thread runs, and how many regions it is in. */
thread_local SpareMemory *current = nullptr;
thread_local int regions = 0;
constexpr size_t alignment = 64;
} // namespace

constexpr SpareMemory::Kind SpareMemory::kinds[];

SpareMemory::SpareMemory(size_t largest) : before(current) {
    static_assert(kinds[0].size * kinds[0].count + kinds[1].size * kinds[1].count + kinds[2].size * kinds[2].count ==
                  FS_SPARE);
    try {
        for (const Kind &kind : kinds)
            for (int i = 0; i < kind.count; i++) add(kind.size);
        for (int i = 0; i < 2 && largest > 0; i++) add(largest);
    } catch (...) {
        for (int i = 0; i < count; i++) std::free(blocks[i].memory);
        throw;
    }
    current = this;
}

/* If FAISS has not deleted a block yet, it still uses it, and deletes it later. */
SpareMemory::~SpareMemory() {
    current = before;
    for (int i = 0; i < count; i++)
        if (!blocks[i].is_taken) std::free(blocks[i].memory);
}

void SpareMemory::add(size_t size) {
    void *memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (!memory) throw std::bad_alloc();
    blocks[count++] = {memory, size, false};
}

void *SpareMemory::take(size_t size, bool is_kept) {
    used = true;
    int best = -1;
    for (int i = 0; i < count; i++)
        if (!blocks[i].is_taken && blocks[i].size >= size && (best < 0 || blocks[i].size < blocks[best].size)) best = i;
    if (best < 0) return nullptr;
    void *memory = blocks[best].memory;
    if (is_kept) blocks[best] = blocks[--count];
    else blocks[best].is_taken = true;
    return memory;
}

bool SpareMemory::put_back(void *memory) {
    if (!used || !memory) return false;
    for (int i = 0; i < count; i++)
        if (blocks[i].is_taken && blocks[i].memory == memory) {
            blocks[i].is_taken = false;
            return true;
        }
    return false;
}

SpareMemory *SpareMemory::of_this_thread() { return current; }

SpareMemory *SpareMemory::in_region() { return regions > 0 ? current : nullptr; }

bool SpareMemory::is_refused() { return current && current->is_used(); }

extern "C" {
void fs_region_begins(void) { regions++; }
void fs_region_ends(void) { regions--; }

void *__real__Znwm(size_t size);
void *__real__Znam(size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
void *__wrap__Znwm(size_t size);
void *__wrap__Znam(size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);
void __real__ZdlPv(void *memory);
void __real__ZdaPv(void *memory);
void __wrap__ZdlPv(void *memory);
void __wrap__ZdaPv(void *memory);
void __wrap__ZdlPvm(void *memory, size_t size);
void __wrap__ZdaPvm(void *memory, size_t size);
}

namespace {
template <class Allocate> void *or_spare(SpareMemory *spare, size_t size, Allocate allocate) {
    try {
        return allocate(size);
    } catch (const std::bad_alloc &) {
        if (void *memory = spare->take(size, false)) return memory;
        throw;
    }
}
} // namespace

void *__wrap__Znwm(size_t size) {
    SpareMemory *spare = SpareMemory::in_region();
    return spare ? or_spare(spare, size, __real__Znwm) : __real__Znwm(size);
}

void *__wrap__Znam(size_t size) {
    SpareMemory *spare = SpareMemory::in_region();
    return spare ? or_spare(spare, size, __real__Znam) : __real__Znam(size);
}

int __wrap_posix_memalign(void **memory, size_t wanted, size_t size) {
    SpareMemory *spare = SpareMemory::in_region();
    if (!spare) return __real_posix_memalign(memory, wanted, size);
    int failure = __real_posix_memalign(memory, wanted, size);
    if (failure == 0 || wanted > alignment) return failure;
    void *found = spare->take(size, true);
    if (!found) return failure;
    *memory = found;
    return 0;
}

namespace {
bool is_put_back(void *memory) {
    SpareMemory *spare = SpareMemory::of_this_thread();
    return spare && spare->put_back(memory);
}
} // namespace

void __wrap__ZdlPv(void *memory) {
    if (!is_put_back(memory)) __real__ZdlPv(memory);
}

void __wrap__ZdaPv(void *memory) {
    if (!is_put_back(memory)) __real__ZdaPv(memory);
}

void __wrap__ZdlPvm(void *memory, size_t) { __wrap__ZdlPv(memory); }

void __wrap__ZdaPvm(void *memory, size_t) { __wrap__ZdaPv(memory); }
