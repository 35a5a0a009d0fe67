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
#include <new>
#include <pthread.h>
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
std::atomic<long> calls, kept;
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

bool memory_fails(const void *caller) {
    if (kind.load(std::memory_order_relaxed) != FAULT_MEMORY || inside) return false;
    inside = true;
    bool survive = must_survive(caller);
    inside = false;
    return survive && fails(FAULT_MEMORY);
}

void *counted(void *memory) {
    if (memory != nullptr && counting.load(std::memory_order_relaxed)) kept++;
    return memory;
}

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
    calls = 0;
    kept = 0;
    for (auto &file : opened) file = false;
    counting = true;
    kind = of;
}

long faults_end(void) {
    kind = FAULT_NONE;
    counting = false;
    return calls;
}

long faults_kept(void) { return kept; }

void *malloc(size_t size) { return memory_fails(CALLER) ? nullptr : counted(__libc_malloc(size)); }

void *calloc(size_t count, size_t size) { return memory_fails(CALLER) ? nullptr : counted(__libc_calloc(count, size)); }

void *realloc(void *old, size_t size) {
    if (memory_fails(CALLER)) return nullptr;
    void *memory = __libc_realloc(old, size);
    return old == nullptr ? counted(memory) : memory;
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
    if (memory != nullptr && counting.load(std::memory_order_relaxed)) kept--;
    __libc_free(memory);
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
    if (memory_fails(CALLER)) return MAP_FAILED;
    return (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
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
