/* Compiles a function for several generations of processors. The version is chosen when the library is loaded. */
#ifndef CK_CLONES_H
#define CK_CLONES_H

/* With ThreadSanitizer there is one version: the dynamic linker would choose before ThreadSanitizer can be called. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CLONES
#endif
#endif
#ifndef CLONES
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif

#endif
