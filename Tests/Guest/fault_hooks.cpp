#include "fault_hooks.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <map>
#include <new>
#include <pthread.h>
#include <set>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

#include <covey.h>

extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);
}

namespace {

/* The owner of the code that allocates. `swift`: Swift's run-time library and standard library. `covey`: Swift sources
 * of Covey, whose compiled code calls an allocator only if the source does. `shim`: entry points of the C or C++ parts.
 * `native`: all other code; it counts as that of a shim if a shim called it. */
enum class Owner { swift, covey, shim, native, elsewhere };

struct Symbol {
    uintptr_t address;
    Owner owner;
};

std::vector<Symbol> symbols;
uintptr_t base, end;

std::atomic<int> kind{FAULT_NONE};
std::atomic<long> calls, kept, bytes, most;
std::atomic<bool> counting;
long wanted;
bool all_after;
int error_number;
thread_local bool inside;
/* Files that the call of Covey opened. */
std::atomic<bool> opened[1024];

bool starts(const std::string &name, const char *with) { return name.rfind(with, 0) == 0; }

Owner owner_of(const std::string &name) {
    if (starts(name, "$s")) return name.find("Covey") != std::string::npos ? Owner::covey : Owner::swift;
    if (starts(name, "swift_") || starts(name, "_swift") || name.find("5swift") != std::string::npos)
        return Owner::swift;
    if (starts(name, "ck_") || starts(name, "fs_") || starts(name, "__wrap_blas_memory")) return Owner::shim;
    return Owner::native;
}

Owner owner_of(const void *address) {
    uintptr_t place = (uintptr_t)address;
    if (place < base || place >= end) return Owner::elsewhere;
    /* A return address is after its call, and the call may be the last instruction of its function. */
    auto next = std::upper_bound(symbols.begin(), symbols.end(), place - base - 1,
                                 [](uintptr_t value, const Symbol &symbol) { return value < symbol.address; });
    return next == symbols.begin() ? Owner::elsewhere : (next - 1)->owner;
}

/* Returns true if Covey must survive a failure of the allocation that returns to `caller`. */
bool must_survive(const void *caller) {
    Owner owner = owner_of(caller);
    if (owner == Owner::covey || owner == Owner::shim) return true;
    if (owner == Owner::swift) return false;
    void *frames[48];
    int count = backtrace(frames, 48);
    bool reached = false;
    for (int i = 0; i < count; i++) {
        reached = reached || frames[i] == caller;
        if (!reached) continue;
        owner = owner_of(frames[i]);
        if (owner == Owner::shim) return true;
        if (owner == Owner::swift || owner == Owner::covey) return false;
    }
    return false;
}

/* Counts a call. Returns true if it must fail. */
bool fails(int of) {
    if (kind.load(std::memory_order_relaxed) != of) return false;
    long call = ++calls;
    if (wanted == 0 || (all_after ? call < wanted : call != wanted)) return false;
    errno = error_number;
    return true;
}

/* What the last run without a fault noted of each call that could have failed: a hash of the return addresses, and
 * which of all allocations it was. */
enum { MOST_NOTED = 1 << 20 };
uint64_t stacks[MOST_NOTED];
long order[MOST_NOTED];
long noted;
std::atomic<long> allocations;
/* The allocation from which on stacks are looked at. An operation makes nearly the same allocations each time: those of
 * the standard library differ a little. */
long begin;
enum { SLACK = 400 };

void note(void) {
    if (wanted != 0 || noted >= MOST_NOTED) return;
    void *frames[32];
    int count = backtrace(frames, 32);
    uint64_t sum = 14695981039346656037u;
    for (int i = 0; i < count; i++) sum = (sum ^ (uint64_t)(uintptr_t)frames[i]) * 1099511628211u;
    stacks[noted] = sum;
    order[noted++] = allocations;
}

bool memory_fails(const void *caller) {
    if (kind.load(std::memory_order_relaxed) != FAULT_MEMORY || inside) return false;
    /* Long before the one that is to fail no stack is looked at: that takes far longer than the allocations. */
    if (++allocations < begin) return false;
    inside = true;
    bool survive = must_survive(caller);
    if (survive) note();
    inside = false;
    return survive && fails(FAULT_MEMORY);
}

bool is_counting() { return counting.load(std::memory_order_relaxed); }

void take(long size) {
    long now = bytes += size;
    for (long before = most; before < now && !most.compare_exchange_weak(before, now);) {}
}

void *counted(void *memory) {
    if (memory == nullptr || !is_counting()) return memory;
    kept++;
    take((long)malloc_usable_size(memory));
    return memory;
}

bool is_memory(int flags) { return (flags & MAP_ANONYMOUS) != 0 && (flags & MAP_NORESERVE) == 0; }

int opening(const char *path, int folder, int flags, mode_t mode) {
    if (fails(FAULT_OPEN)) return -1;
    long file = syscall(SYS_openat, folder, path, flags, mode);
    if (file >= 0 && file < 1024) opened[file] = counting.load();
    return (int)file;
}

} // namespace

#define CALLER __builtin_return_address(0)

extern "C" {

int faults_read_symbols(const char *path) {
    void *warm[4];
    backtrace(warm, 4); /* The first call loads a library. */
    Dl_info info;
    if (dladdr((void *)covey_version, &info) == 0) return -1;
    base = (uintptr_t)info.dli_fbase;
    FILE *file = fopen(path, "r");
    if (file == nullptr) return -1;
    char *line = nullptr;
    size_t size = 0;
    while (getline(&line, &size, file) > 0) {
        unsigned long address;
        char type;
        int name;
        if (sscanf(line, "%lx %c %n", &address, &type, &name) < 2 || strchr("tTwW", type) == nullptr) continue;
        std::string text(line + name);
        symbols.push_back({address, owner_of(text)});
        end = std::max(end, base + address + 65536);
    }
    free(line);
    fclose(file);
    /* If an address has several names, any of them will do. */
    std::stable_sort(symbols.begin(), symbols.end(),
                     [](const Symbol &a, const Symbol &b) { return a.address < b.address; });
    return symbols.size() > 1000 ? 0 : -1;
}

void faults_begin(enum fault of, long n, int all, int number) {
    wanted = n;
    all_after = all;
    error_number = number;
    calls = kept = bytes = most = allocations = 0;
    begin = 0;
    if (of == FAULT_MEMORY && n == 0) noted = 0;
    if (of == FAULT_MEMORY && n > 0 && n <= noted) {
        begin = order[n - 1] - SLACK;
        while (calls < noted && order[calls] < begin) calls++;
    }
    for (auto &file : opened) file = false;
    counting = true;
    kind = of;
}

long faults_choose(long *chosen, long most, int few) {
    std::map<uint64_t, std::vector<long>> places;
    for (long i = 0; i < noted; i++) places[stacks[i]].push_back(i + 1);
    std::set<long> result;
    for (auto &[stack, found] : places) {
        size_t count = found.size();
        result.insert(found[0]);
        if (!few)
            for (size_t index : {std::min<size_t>(1, count - 1), count / 2, count - 1}) result.insert(found[index]);
    }
    long written = 0;
    for (long call : result)
        if (written < most) chosen[written++] = call;
    return written;
}

long faults_end(void) {
    kind = FAULT_NONE;
    counting = false;
    return calls;
}

long faults_kept(void) { return kept; }

long faults_most_bytes(void) { return most; }

long faults_kept_bytes(void) { return bytes; }

void *malloc(size_t size) { return memory_fails(CALLER) ? nullptr : counted(__libc_malloc(size)); }

void *calloc(size_t count, size_t size) { return memory_fails(CALLER) ? nullptr : counted(__libc_calloc(count, size)); }

void *realloc(void *old, size_t size) {
    if (memory_fails(CALLER)) return nullptr;
    if (old == nullptr) return counted(__libc_realloc(old, size));
    long before = is_counting() ? (long)malloc_usable_size(old) : 0;
    void *memory = __libc_realloc(old, size);
    /* A block that moves is there twice for a moment, which is not counted: large ones are remapped. */
    if (memory != nullptr && is_counting()) take((long)malloc_usable_size(memory) - before);
    return memory;
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (memory_fails(CALLER)) return ENOMEM;
    void *found = counted(__libc_memalign(alignment, size));
    if (found == nullptr) return ENOMEM;
    *memory = found;
    return 0;
}

void *aligned_alloc(size_t alignment, size_t size) {
    return memory_fails(CALLER) ? nullptr : counted(__libc_memalign(alignment, size));
}

void free(void *memory) {
    if (memory != nullptr && is_counting()) {
        kept--;
        bytes -= (long)malloc_usable_size(memory);
    }
    __libc_free(memory);
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
    if (memory_fails(CALLER)) return MAP_FAILED;
    void *memory = (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
    if (memory != MAP_FAILED && is_memory(flags) && is_counting()) take((long)size);
    return memory;
}

int munmap(void *address, size_t size) {
    if (is_counting()) bytes -= (long)size;
    return (int)syscall(SYS_munmap, address, size);
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return opening(path, AT_FDCWD, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return opening(path, folder, flags, mode);
}

ssize_t read(int file, void *bytes, size_t size) {
    return fails(FAULT_READ) ? -1 : syscall(SYS_read, file, bytes, size);
}

ssize_t write(int file, const void *bytes, size_t size) {
    if (fails(FAULT_WRITE)) return -1;
    if (fails(FAULT_SHORT)) size = std::min<size_t>(size, 1);
    return syscall(SYS_write, file, bytes, size);
}

int fsync(int file) { return fails(FAULT_SYNC) ? -1 : (int)syscall(SYS_fsync, file); }

int close(int file) {
    bool ours = file >= 0 && file < 1024 && opened[file].exchange(false);
    int result = (int)syscall(SYS_close, file);
    return ours && fails(FAULT_CLOSE) ? -1 : result;
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    return fails(FAULT_RENAME) ? -1 : (int)syscall(SYS_renameat, from_folder, from, to_folder, to);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    return fails(FAULT_RENAME) ? -1 : (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
    typedef int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    static create next = (create)dlsym(RTLD_NEXT, "pthread_create");
    return fails(FAULT_THREAD) ? EAGAIN : next(thread, attributes, start, argument);
}

} // extern "C"

/* FAISS uses these. They look at their own caller, and throw an exception on failure. */
void *operator new(size_t size) {
    void *memory = memory_fails(CALLER) ? nullptr : counted(__libc_malloc(size == 0 ? 1 : size));
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

void *operator new(size_t size, std::align_val_t alignment) {
    void *memory = memory_fails(CALLER) ? nullptr : counted(__libc_memalign((size_t)alignment, size));
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}
