#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

/* The work space of OpenBLAS, for calls from several threads at once.
 *
 * A serial OpenBLAS hands out its buffers without a lock, unless it was built with USE_LOCKING; Debian's was not. So
 * two threads in sgemm may pack into the same buffer and get wrong products, without any error. The linker redirects
 * OpenBLAS's own calls to this file (--wrap in Package.swift). One atomic exchange claims a buffer, so a fork cannot
 * leave a lock behind.
 *
 * OpenBLAS does not check whether it got a buffer: without one it writes to address 0. So one buffer is part of the
 * library. If the system gives no more memory (a limit on the address space), a thread waits until a buffer is free.
 * This cannot deadlock, because no thread holds two buffers. */

/* BUFFER_SIZE of OpenBLAS on x86-64 (32 << 22), and the page that OpenBLAS adds. */
#define BYTES (((size_t)32 << 22) + 4096)
#define SLOTS 256

static struct {
    _Atomic int claimed;
    void *_Atomic buffer;
} slots[SLOTS];

/* The system gives memory only for the pages that are used. */
static _Alignas(4096) char first[BYTES];

static void *map(void) {
    void *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* Returns a free buffer; NULL if all are in use and the system gives no more memory. */
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
