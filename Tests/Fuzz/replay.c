/* Runs a target on files, without libFuzzer: on the seeds and on earlier findings, as a regression test. */
#include "fuzz.h"

static const char *running;

static void say_which(int signal) {
    (void)signal;
    if (write(2, running, strlen(running)) + write(2, ": ends the program\n", 19) < 0) _exit(3);
    _exit(1);
}

int main(int count, char **paths) {
    int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE};
    for (size_t index = 0; index < sizeof signals / sizeof *signals; index++) signal(signals[index], say_which);
    for (int index = 1; index < count; index++) {
        FILE *file = fopen(paths[index], "rb");
        if (!file || fseek(file, 0, SEEK_END) != 0) {
            fprintf(stderr, "cannot read %s\n", paths[index]);
            return 2;
        }
        size_t size = (size_t)ftell(file);
        uint8_t *data = malloc(size ? size : 1);
        rewind(file);
        if (!data || fread(data, 1, size, file) != size) {
            fprintf(stderr, "cannot read %s\n", paths[index]);
            return 2;
        }
        fclose(file);
        running = paths[index];
        LLVMFuzzerTestOneInput(data, size);
        free(data);
    }
    printf("%s: %d inputs\n", paths[0], count - 1);
    return 0;
}
