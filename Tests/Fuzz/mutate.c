/* Runs a target on changed seeds, without libFuzzer. The target's own mutator makes files and texts that stay valid on
 * the surface, with the right checksum; the others get bytes and extreme numbers.
 *
 *     mutate ROUNDS FINDING SEEDS...     an input that ends the program is kept in the file FINDING */
#include "fuzz.h"

/* Only some targets have one. */
__attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t capacity);

enum { CAPACITY = 1 << 20, SECONDS = 120 };

static uint8_t input[CAPACITY];
static size_t input_size;
static const char *finding;
static uint64_t state = 1;

static uint64_t number(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state >> 33;
}

static size_t below(size_t limit) { return limit == 0 ? 0 : (size_t)(number() % limit); }

static void keep_input(int signal) {
    int file = open(finding, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0 || write(file, input, input_size) != (ssize_t)input_size) _exit(3);
    static const char late[] = ": an input takes too long\n", ends[] = ": an input ends the program\n";
    const char *words = signal == SIGALRM ? late : ends;
    if (write(2, finding, strlen(finding)) + write(2, words, strlen(words)) < 0) _exit(3);
    _exit(1);
}

/* Numbers at which arithmetic turns: as float32, float64 and integers of 32 and 64 bits. */
static size_t extreme(uint8_t *target) {
    static const double reals[] = {NAN,
                                   INFINITY,
                                   -INFINITY,
                                   -0.0,
                                   1.7976931348623157e308,
                                   -1.7976931348623157e308,
                                   5e-324,
                                   2.2250738585072014e-308,
                                   1e154,
                                   1e-162,
                                   1e38,
                                   3.4028234663852886e38,
                                   1e-45,
                                   1e200,
                                   1,
                                   -1};
    static const int64_t whole[] = {INT64_MAX, INT64_MIN, INT32_MAX, INT32_MIN, -1, 0,
                                    1,         1ll << 32, 1ll << 53, 65536,     -2};
    double real = reals[below(sizeof reals / sizeof *reals)];
    float narrow = (float)real;
    int64_t integer = whole[below(sizeof whole / sizeof *whole)];
    switch (below(4)) {
    case 0: memcpy(target, &real, 8); return 8;
    case 1: memcpy(target, &narrow, 4); return 4;
    case 2: memcpy(target, &integer, 8); return 8;
    default: memcpy(target, &integer, 4); return 4;
    }
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t capacity) {
    uint8_t bytes[16];
    size_t count = 1 + below(12), place = below(size + 1);
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)number();
    switch (below(6)) {
    case 0: /* A bit. */
        if (size > 0) data[below(size)] ^= (uint8_t)(1u << below(8));
        return size;
    case 1: /* Bytes that are inserted. */
        if (size + count > capacity) return size;
        memmove(data + place + count, data + place, size - place);
        memcpy(data + place, bytes, count);
        return size + count;
    case 2: /* Bytes that are left out. */
        if (place + count > size) return size;
        memmove(data + place, data + place + count, size - place - count);
        return size - count;
    case 3: { /* Bytes that are copied from another place. */
        size_t from = below(size);
        if (from + count <= size && place + count <= size) memmove(data + place, data + from, count);
        return size;
    }
    default:
        count = extreme(bytes);
        place = place / count * count;
        if (place + count <= size) memcpy(data + place, bytes, count);
        return size;
    }
}

static void read_seed(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(2);
    }
    input_size = fread(input, 1, CAPACITY, file);
    fclose(file);
}

int main(int count, char **arguments) {
    if (count < 4) return fprintf(stderr, "usage: mutate ROUNDS FINDING SEEDS...\n"), 2;
    long rounds = atol(arguments[1]);
    finding = arguments[2];
    static uint8_t other_stack[1 << 16];
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_handler = keep_input, .sa_flags = SA_ONSTACK};
    int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGALRM};
    for (size_t index = 0; index < sizeof signals / sizeof *signals; index++) sigaction(signals[index], &action, NULL);
    for (long round = 0; round < rounds; round++) {
        read_seed(arguments[3 + below((size_t)count - 3)]);
        for (size_t changes = 1 + below(4); changes > 0; changes--)
            input_size = LLVMFuzzerCustomMutator != NULL
                             ? LLVMFuzzerCustomMutator(input, input_size, CAPACITY, (unsigned)number())
                             : LLVMFuzzerMutate(input, input_size, CAPACITY);
        alarm(SECONDS);
        LLVMFuzzerTestOneInput(input, input_size);
    }
    printf("%s: %ld changed inputs\n", arguments[0], rounds);
    return 0;
}
