/* The threads of this process that run. A join can return before the kernel has removed the thread's entry, so a thread
 * that has begun to exit does not count. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <string.h>

static inline int running_threads(void) {
    enum { EXITING = 0x4 }; /* Linux's PF_EXITING. */
    DIR *folder = opendir("/proc/self/task");
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[320], line[512] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/stat", entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (file == NULL) continue;
        const char *end = fgets(line, sizeof line, file) == NULL ? NULL : strrchr(line, ')');
        fclose(file);
        unsigned flags;
        /* After the name: state, parent, group, session, terminal, its group, flags. */
        if (end != NULL && sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) == 1) count += (flags & EXITING) == 0;
    }
    closedir(folder);
    return count;
}
