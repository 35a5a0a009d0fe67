/* Creates, uses and destroys each handle ROUNDS times, also with failures. The process must then not use more memory,
 * files or threads than after the first rounds.
 *
 *     rounds ROUNDS     slow operations whose handles also occur in quick ones run a hundredth of the rounds */
#include "fault_hooks.h"
#include "operations.h"
#include "running_threads.h"

#include <malloc.h>

static guest host;

static long open_files(void) {
    DIR *folder = opendir("/proc/self/fd");
    long count = 0;
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count;
}

typedef struct usage {
    long blocks;   /* Of malloc. */
    long resident; /* Kilobytes. */
    long mappings;
    long files;
    long threads;
} usage;

static usage now(void) {
    malloc_trim(0); /* What malloc keeps for later is no leak. */
    usage result = {faults_kept(), 0, 0, open_files(), running_threads()};
    static char line[512];
    FILE *file = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, file) != NULL) sscanf(line, "VmRSS: %ld", &result.resident);
    fclose(file);
    file = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, file) != NULL) result.mappings++;
    fclose(file);
    return result;
}

static void repeat(const operation *operation, covey_context *context, long rounds) {
    rounds = rounds / 2 < 2 ? 2 : rounds / 2;
    covey_error *error = NULL;
    digest reference = 1;
    CHECK_OK(operation->run(&host, context, 0, &reference, &error));
    usage before = now();
    faults_begin(FAULT_NONE, 0, 0, 0);
    /* The first half of the rounds may still allocate memory that is kept for good. */
    for (long round = -rounds; round < rounds; round++) {
        if (round == 0) before = now();
        digest sum = 1;
        covey_status status = operation->run(&host, context, 0, &sum, &error);
        if (status != COVEY_OK || sum != reference || error != NULL) {
            CHECK(status == COVEY_OK && sum == reference);
            return;
        }
    }
    usage after = now();
    faults_end();
    int failed = checks_failed;
    CHECK(after.blocks == before.blocks);
    CHECK(after.resident - before.resident < 4096 + rounds / 64);
    CHECK(after.mappings - before.mappings < 8);
    CHECK(after.files == before.files);
    CHECK(after.threads == before.threads);
    if (checks_failed > failed || getenv("COVEY_VERBOSE") != NULL)
        printf("%s: %ld rounds, %+ld blocks, %+ld KB resident, %+ld mappings\n", operation->name, rounds,
               after.blocks - before.blocks, after.resident - before.resident, after.mappings - before.mappings);
}

int main(int count, char **arguments) {
    long rounds = count > 1 ? atol(arguments[1]) : 1000;
    guest_create(&host);
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    covey_error *error = NULL;
    for (options.threads = 1; options.threads <= 2; options.threads++) {
        covey_context *context = NULL;
        CHECK_OK(covey_context_create(&options, &context, &error));
        for (const operation *operation = operations; operation->name != NULL; operation++) {
            /* With two threads each call starts and ends a thread, so fewer rounds are enough to show a leak. */
            long times = options.threads == 1 ? rounds : rounds / 10;
            if (operation->slow == 2) times = times / 100 + 1;
            repeat(operation, context, times);
        }
        covey_context_destroy(context);
    }
    printf("%ld rounds of each\n", rounds);
    guest_destroy(&host);
    return finish();
}
