/* What saving must keep: mode, owner, links and long names. And what it must leave if a process is killed while it
 * saves.
 *
 *     saving KILLS */
#include "operations.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static guest host;
/* If set, the file system seems not to support unnamed files (O_TMPFILE). */
static int names_only;

/* The library calls this function instead of that of the C library. */
int openat(int folder, const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (names_only && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return (int)syscall(SYS_openat, folder, path, flags, mode);
}

static int entries(const char *path) {
    DIR *folder = opendir(path);
    int count = -2;
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count;
}

static covey_status save(const char *path) {
    covey_error *error = NULL;
    covey_status status = covey_engine_save(host.engine, NULL, path, &error);
    covey_error_destroy(error);
    return status;
}

static int loads(const char *path) {
    covey_engine *engine = NULL;
    covey_status status = covey_engine_load(NULL, path, &engine, NULL);
    covey_engine_destroy(engine);
    return status == COVEY_OK;
}

static struct stat looked(const char *path) {
    struct stat status;
    memset(&status, 0, sizeof status);
    CHECK(lstat(path, &status) == 0);
    return status;
}

static void modes(const char *folder) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/modes", folder);
    umask(027);
    CHECK(save(path) == COVEY_OK && (looked(path).st_mode & 07777) == 0640);
    umask(022);
    const mode_t kept[] = {0600, 0640, 0444, 0604, 0755, 0660};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        CHECK(chmod(path, kept[i]) == 0);
        ino_t before = looked(path).st_ino;
        CHECK(save(path) == COVEY_OK && (looked(path).st_mode & 07777) == kept[i]);
        CHECK(looked(path).st_ino != before && loads(path));
    }
    if (geteuid() == 0) {
        CHECK(chown(path, 12345, 54321) == 0 && chmod(path, 0640) == 0 && save(path) == COVEY_OK);
        struct stat after = looked(path);
        CHECK(after.st_uid == 12345 && after.st_gid == 54321 && (after.st_mode & 07777) == 0640);
        /* The process may not give the file to another owner. So the new group must not be able to read what only the
         * old one could. */
        CHECK(chmod(folder, 0777) == 0);
        pid_t child = fork();
        if (child == 0) {
            if (setgid(1000) != 0 || setuid(1000) != 0 || save(path) != COVEY_OK) _exit(1);
            after = looked(path);
            _exit(after.st_uid == 1000 && after.st_gid == 1000 && (after.st_mode & 07777) == 0600 ? 0 : 2);
        }
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
        CHECK(chmod(folder, 0700) == 0);
    }
    CHECK(unlink(path) == 0 && entries(folder) == 0);
}

static void links(const char *folder) {
    char path[PATH_MAX], target[PATH_MAX], inner[PATH_MAX];
    snprintf(inner, sizeof inner, "%s/inner", folder);
    snprintf(target, sizeof target, "%s/inner/target", folder);
    snprintf(path, sizeof path, "%s/link", folder);
    CHECK(mkdir(inner, 0700) == 0);
    const char *const leads[] = {"inner/target", target};
    for (int i = 0; i < 2; i++) {
        CHECK(symlink(leads[i], path) == 0);
        /* In the first round the target of the link does not exist. */
        for (int round = 0; round < 2; round++)
            CHECK(save(path) == COVEY_OK && S_ISLNK(looked(path).st_mode) && S_ISREG(looked(target).st_mode) &&
                  loads(path));
        CHECK(entries(folder) == 2 && entries(inner) == 1);
        CHECK(unlink(path) == 0 && unlink(target) == 0);
    }
    CHECK(symlink("link", path) == 0 && save(path) == COVEY_IO && unlink(path) == 0);
    CHECK(symlink("/dev/full", path) == 0 && save(path) == COVEY_IO && unlink(path) == 0);
    CHECK(rmdir(inner) == 0 && entries(folder) == 0);
}

static void names(const char *folder) {
    char path[PATH_MAX];
    for (int length = 238; length <= 255; length++) {
        int start = snprintf(path, sizeof path, "%s/", folder);
        memset(path + start, 'n', (size_t)length);
        path[start + length] = 0;
        CHECK(save(path) == COVEY_OK && loads(path) && save(path) == COVEY_OK);
        CHECK(entries(folder) == 1 && unlink(path) == 0);
    }
    memset(path + strlen(folder) + 1, 'n', 256);
    path[strlen(folder) + 257] = 0;
    CHECK(save(path) == COVEY_IO && entries(folder) == 0);
}

/* The process may write to the folder but not read it. */
static void unreadable(const char *folder) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/file", folder);
    if (geteuid() != 0) return;
    CHECK(chmod(folder, 0733) == 0);
    pid_t child = fork();
    if (child == 0) _exit(setuid(1000) == 0 && save(path) == COVEY_OK && save(path) == COVEY_OK ? 0 : 1);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(chmod(folder, 0700) == 0 && unlink(path) == 0 && entries(folder) == 0);
}

static void killed(const char *folder, int kills) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/killed", folder);
    CHECK(save(path) == COVEY_OK);
    uint64_t state = 9;
    int left = 0;
    for (int i = 0; i < kills; i++) {
        pid_t child = fork();
        if (child == 0)
            for (;;) save(path);
        struct timespec pause = {0, (long)(sample_number(&state) * 4e6)};
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        CHECK(waitpid(child, NULL, 0) == child);
        CHECK(loads(path));
        left += entries(folder) > 1;
        CHECK(entries(folder) <= 2);
        CHECK(save(path) == COVEY_OK && entries(folder) == 1);
    }
    printf("%d kills, %s: %d left a file, and the next save removed it\n", kills, names_only ? "named" : "unnamed",
           left);
    /* Several processes that save to the same path must not disturb each other. */
    pid_t children[3];
    for (int i = 0; i < 3; i++)
        if ((children[i] = fork()) == 0) {
            for (int round = 0; round < 60; round++)
                if (save(path) != COVEY_OK) _exit(1);
            _exit(0);
        }
    for (int i = 0; i < 3; i++) {
        int status = -1;
        CHECK(waitpid(children[i], &status, 0) == children[i] && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    CHECK(loads(path) && entries(folder) == 1 && unlink(path) == 0);
}

int main(int count, char **arguments) {
    int kills = count > 1 ? atoi(arguments[1]) : 20;
    guest_create(&host);
    char folder[96];
    snprintf(folder, sizeof folder, "%s/saving", host.folder);
    /* Other users must be able to enter the folder. */
    CHECK(chmod(host.folder, 0711) == 0);
    for (names_only = 0; names_only < 2; names_only++) {
        CHECK(mkdir(folder, 0700) == 0);
        modes(folder);
        links(folder);
        names(folder);
        unreadable(folder);
        killed(folder, kills);
        CHECK(rmdir(folder) == 0);
    }
    guest_destroy(&host);
    return finish();
}
