/* OpenMP for FAISS, on the calling thread only.
 *
 * The objects of FAISS call libgomp. Covey must not load it into a host's process: it keeps threads, reads the
 * environment, changes the number of threads of the host's own OpenMP code, and ends the process if memory is short.
 * These are the calls that Debian's libfaiss.a makes, for a team of one thread. They are hidden, so that no other
 * OpenMP code sees them. The critical sections and locks do nothing, because they guard the data of one call, and only
 * one thread runs it. */
#include <stdbool.h>

/* Memory that is refused in a region: see spare_memory.h. */
void fs_region_begins(void);
void fs_region_ends(void);

void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags) {
    (void)threads, (void)flags;
    fs_region_begins();
    body(data);
    fs_region_ends();
}

/* The first call gets the whole loop. */
bool GOMP_loop_nonmonotonic_dynamic_start(long start, long end, long step, long chunk, long *from, long *to) {
    (void)chunk;
    *from = start;
    *to = end;
    return step > 0 ? start < end : start > end;
}

bool GOMP_loop_nonmonotonic_dynamic_next(long *from, long *to) {
    (void)from, (void)to;
    return false;
}

void GOMP_loop_end(void) {}
void GOMP_loop_end_nowait(void) {}
bool GOMP_single_start(void) { return true; }
void GOMP_barrier(void) {}
void GOMP_critical_start(void) {}
void GOMP_critical_end(void) {}
void GOMP_atomic_start(void) {}
void GOMP_atomic_end(void) {}

int omp_get_max_threads(void) { return 1; }
int omp_get_num_threads(void) { return 1; }
int omp_get_thread_num(void) { return 0; }
int omp_in_parallel(void) { return 0; }
int omp_get_nested(void) { return 0; }
void omp_set_nested(int nested) { (void)nested; }
void omp_set_num_threads(int threads) { (void)threads; }

void omp_init_lock(void *lock) { (void)lock; }
void omp_destroy_lock(void *lock) { (void)lock; }
void omp_set_lock(void *lock) { (void)lock; }
void omp_unset_lock(void *lock) { (void)lock; }
