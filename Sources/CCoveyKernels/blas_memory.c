#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

/* OpenBLAS's work space, for calls from several threads at once.
 *
 * A serial OpenBLAS hands out its buffers without a lock unless it was built with USE_LOCKING, which Debian's is not: two
 * threads in sgemm may pack into the same buffer and get wrong products, without any error. The linker sends OpenBLAS's own
 * calls here (--wrap in Package.swift). A buffer is claimed by one atomic exchange, so that a fork cannot leave a lock
 * behind.
 *
 * OpenBLAS does not ask whether it got a buffer: without one it writes to address 0. So one buffer is part of the library,
 * and where the system gives no more (a limit on the address space), a thread waits for one that is in use: no thread
 * holds two. */

/* BUFFER_SIZE of OpenBLAS on x86-64 (32 << 22) and the page that it adds. */
#define BYTES (((size_t)32 << 22) + 4096)
#define SLOTS 256

static struct {
    _Atomic int claimed;
    void *_Atomic buffer;
} slots[SLOTS];

/* Only what is touched becomes memory. */
static _Alignas(4096) char first[BYTES];

static void *map(void) {
    void *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* A buffer that nobody has; NULL where all are taken and the system gives no more. */
static void *claim(void) {
    for (int slot = 0; slot < SLOTS; slot++) {
        if (atomic_load_explicit(&slots[slot].claimed, memory_order_relaxed)) continue;
        if (atomic_exchange_explicit(&slots[slot].claimed, 1, memory_order_acquire)) continue;
        void *buffer = atomic_load_explicit(&slots[slot].buffer, memory_order_relaxed);
        if (!buffer) {
            buffer = slot == 0 ? first : map();
            if (!buffer) {
                atomic_store_explicit(&slots[slot].claimed, 0, memory_order_release);
                continue;
            }
            atomic_store_explicit(&slots[slot].buffer, buffer, memory_order_relaxed);
        }
        return buffer;
    }
    return map();
}

void *__wrap_blas_memory_alloc(int position) {
    (void)position;
    void *buffer;
    while (!(buffer = claim())) sched_yield();
    return buffer;
}

void __wrap_blas_memory_free(void *buffer) {
    for (int slot = 0; slot < SLOTS; slot++) {
        if (atomic_load_explicit(&slots[slot].buffer, memory_order_relaxed) != buffer) continue;
        atomic_store_explicit(&slots[slot].claimed, 0, memory_order_release);
        return;
    }
    if (buffer) munmap(buffer, BYTES);
}
