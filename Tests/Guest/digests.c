/* All operations as a library that any process can load. The results of each operation are one number.
 *
 *     digests [THREADS [avx2]]     the program prints these numbers, in a process that loads nothing but Covey; with
 *                                  avx2 it sets COVEY_INSTRUCTIONS_AVX2 */
#include "operations.h"

static guest host;
static int ready;

/* Returns the results of operation `i` with this number of threads; 0 if it failed. *name is its name, or NULL after
 * the last operation. */
uint64_t guest_digest(int i, int threads, const char **name);

uint64_t guest_digest(int i, int threads, const char **name) {
    *name = operations[i].name;
    if (*name == NULL) return 0;
    if (!ready) guest_create(&host);
    ready = 1;
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    covey_context *context = NULL;
    covey_error *error = NULL;
    digest sum = 1;
    options.threads = threads;
    covey_status status = covey_context_create(&options, &context, &error);
    if (status == COVEY_OK) status = operations[i].run(&host, context, (int)getpid() % 64, &sum, &error);
    if (status != COVEY_OK) fprintf(stderr, "%s: %s\n", *name, covey_error_message(error));
    covey_error_destroy(error);
    covey_context_destroy(context);
    return status == COVEY_OK && checks_failed == 0 ? sum : 0;
}

/* Frees everything. */
void guest_end(void);

void guest_end(void) {
    if (ready) guest_destroy(&host);
    ready = 0;
}

int main(int count, char **arguments) {
    const char *name = "";
    covey_error *error = NULL;
    if (count > 2 && covey_set_instructions(COVEY_INSTRUCTIONS_AVX2, &error) != COVEY_OK) {
        fprintf(stderr, "%s\n", covey_error_message(error));
        covey_error_destroy(error);
        return 3;
    }
    for (int i = 0; operations[i].name != NULL; i++) {
        uint64_t sum = guest_digest(i, count > 1 ? atoi(arguments[1]) : 2, &name);
        printf("%s\t%llu\n", name, (unsigned long long)sum);
    }
    guest_end();
    return 0;
}
