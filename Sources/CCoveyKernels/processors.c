#define _GNU_SOURCE
#include "kernels.h"

#include <sched.h>
#include <unistd.h>

int ck_available_processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}
