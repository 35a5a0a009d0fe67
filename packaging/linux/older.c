/* What lets libcovey.so load on Linux systems older than the one it is built on, back to glibc 2.27 and the libstdc++
 * of gcc 7.
 *
 * The linker takes the newest version of a symbol, and glibc 2.29 to 2.35 gave new versions to functions that have not
 * changed. A function here stands in the library for the one of that name and jumps to the older version, which every
 * later glibc has too. The jump keeps arguments and the return address, which dlopen and dlsym look at. */
#define _GNU_SOURCE
#include <sys/stat.h>

#ifndef __x86_64__
#error "the versions are those of x86-64"
#endif

#define OLDER(name, version) \
    __asm__(".pushsection .text.older." #name ",\"ax\",@progbits\n" \
            ".symver older_" #name ", " #name "@" version "\n" \
            ".globl " #name "\n.hidden " #name "\n.type " #name ", @function\n" #name \
            ":\n\tendbr64\n\tjmp *older_" #name "@GOTPCREL(%rip)\n" \
            ".size " #name ", . - " #name "\n.popsection\n")

/* New in 2.29 and 2.35: errors no longer go to matherr, which nobody defines. */
OLDER(exp, "GLIBC_2.2.5");
OLDER(exp2, "GLIBC_2.2.5");
OLDER(log, "GLIBC_2.2.5");
OLDER(log2, "GLIBC_2.2.5");
OLDER(pow, "GLIBC_2.2.5");
OLDER(hypotf, "GLIBC_2.2.5");

/* Moved from libpthread and libdl to libc in 2.32 and 2.34. The library names both: an older system loads them. */
OLDER(dladdr, "GLIBC_2.2.5");
OLDER(dlerror, "GLIBC_2.2.5");
OLDER(dlopen, "GLIBC_2.2.5");
OLDER(dlsym, "GLIBC_2.2.5");
OLDER(pthread_attr_setstacksize, "GLIBC_2.2.5");
OLDER(pthread_condattr_setclock, "GLIBC_2.3.3");
OLDER(pthread_create, "GLIBC_2.2.5");
OLDER(pthread_getaffinity_np, "GLIBC_2.3.4");
OLDER(pthread_join, "GLIBC_2.2.5");
OLDER(pthread_key_create, "GLIBC_2.2.5");
OLDER(pthread_kill, "GLIBC_2.2.5");
OLDER(pthread_mutexattr_destroy, "GLIBC_2.2.5");
OLDER(pthread_mutexattr_init, "GLIBC_2.2.5");
OLDER(pthread_mutexattr_settype, "GLIBC_2.2.5");
OLDER(pthread_setname_np, "GLIBC_2.12");
OLDER(pthread_setspecific, "GLIBC_2.2.5");
OLDER(pthread_sigmask, "GLIBC_2.2.5");
OLDER(sem_destroy, "GLIBC_2.2.5");
OLDER(sem_init, "GLIBC_2.2.5");
OLDER(sem_open, "GLIBC_2.2.5");
OLDER(sem_post, "GLIBC_2.2.5");
OLDER(sem_timedwait, "GLIBC_2.2.5");
OLDER(sem_wait, "GLIBC_2.2.5");

/* Before 2.33 these were inline calls of functions that say which struct the caller knows. */
#define HIDDEN __attribute__((visibility("hidden")))
enum { STAT_VERSION = 1 };
int __xstat(int version, const char *path, struct stat *result);
int __lxstat(int version, const char *path, struct stat *result);
int __fxstat(int version, int file, struct stat *result);
int __fxstatat(int version, int folder, const char *path, struct stat *result, int flags);

HIDDEN int stat(const char *path, struct stat *result) { return __xstat(STAT_VERSION, path, result); }
HIDDEN int lstat(const char *path, struct stat *result) { return __lxstat(STAT_VERSION, path, result); }
HIDDEN int fstat(int file, struct stat *result) { return __fxstat(STAT_VERSION, file, result); }
HIDDEN int fstatat(int folder, const char *path, struct stat *result, int flags) {
    return __fxstatat(STAT_VERSION, folder, path, result, flags);
}

/* New in 2.32: whether there is one thread alone, so that reference counts need no atomic instructions. */
HIDDEN char __libc_single_threaded = 0;

/* libstdc++ of gcc 9 to 11: what was inline before, by the functions that it was made of. */
typedef struct exception_ptr {
    void *object;
} exception_ptr;
void copy_exception(exception_ptr *copy,
                    const exception_ptr *source) __asm__("_ZNSt15__exception_ptr13exception_ptrC1ERKS0_");
void destroy_exception(exception_ptr *pointer) __asm__("_ZNSt15__exception_ptr13exception_ptrD1Ev");
HIDDEN void add_reference(exception_ptr *pointer) __asm__("_ZNSt15__exception_ptr13exception_ptr9_M_addrefEv");
HIDDEN void release(exception_ptr *pointer) __asm__("_ZNSt15__exception_ptr13exception_ptr10_M_releaseEv");

void add_reference(exception_ptr *pointer) {
    exception_ptr copy; /* is not destroyed, so that its reference stays */
    copy_exception(&copy, pointer);
}
void release(exception_ptr *pointer) {
    destroy_exception(pointer);
    pointer->object = 0;
}

void throw_bad_array_new_length(void) __asm__("__cxa_throw_bad_array_new_length") __attribute__((noreturn));
HIDDEN void bad_array_new_length(void) __asm__("_ZSt28__throw_bad_array_new_lengthv") __attribute__((noreturn));
void bad_array_new_length(void) { throw_bad_array_new_length(); }

void open_stream(void *stream,
                 int mode) __asm__("_ZNSt7__cxx1118basic_stringstreamIcSt11char_traitsIcESaIcEEC1ESt13_Ios_Openmode");
HIDDEN void make_stream(void *stream) __asm__("_ZNSt7__cxx1118basic_stringstreamIcSt11char_traitsIcESaIcEEC1Ev");
void make_stream(void *stream) { open_stream(stream, 8 | 16 /* std::ios_base::in | out */); }
