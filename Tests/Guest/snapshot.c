/* The state of the host must be the same before and after every entry point of covey.h. This also holds in a child
 * after fork(), and with settings that few hosts have: directed rounding, subnormal numbers flushed to zero, traps. */
#include "operations.h"
#include "running_threads.h"

#include <dirent.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xmmintrin.h>

extern char **environ;

static guest host;

/* Returns the results of all operations as one number; 0 if one failed. Operations slower than `most` are left out. */
static digest whole_road(int threads, int number, int most) {
    covey_error *error = NULL;
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    options.threads = threads;
    covey_context *context = NULL;
    digest sum = 1;
    covey_status status = covey_context_create(&options, &context, &error);
    for (const operation *operation = operations; status == COVEY_OK && operation->name != NULL; operation++) {
        if (operation->slow > most) continue;
        status = operation->run(&host, context, number, &sum, &error);
        if (status != COVEY_OK) fprintf(stderr, "%s: %s\n", operation->name, covey_error_message(error));
    }
    covey_error_destroy(error);
    covey_context_destroy(context);
    return status == COVEY_OK ? sum : 0;
}

/* Returns a number for the open files and what they refer to. */
static digest files(void) {
    digest sum = 1;
    DIR *folder = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[300], target[4096];
        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        ssize_t length = readlink(path, target, sizeof target);
        if (atoi(entry->d_name) == dirfd(folder) || length < 0) continue;
        sum += add_text(add(1, target, (size_t)length), entry->d_name);
    }
    closedir(folder);
    return sum;
}

typedef struct snapshot {
    struct sigaction actions[NSIG];
    sigset_t mask, pending;
    stack_t signal_stack;
    fenv_t environment;
    unsigned control;
    char locale[512];
    char folder[4096];
    char **variables;
    digest variable_text;
    mode_t umask;
    struct rlimit limits[RLIM_NLIMITS];
    struct itimerval timers[3];
    cpu_set_t processors;
    int policy, priority, dumpable, cancel_state;
    char name[16];
    digest open_files;
    int threads;
    off_t printed, read;
} snapshot;

static int standard_output, standard_input;

/* Without the address of the last x87 instruction, which the kernel may lose when it switches threads. */
static void take_arithmetic(fenv_t *environment) {
    fegetenv(environment);
    environment->__eip = environment->__data_offset = 0;
    environment->__cs_selector = environment->__data_selector = 0;
    environment->__opcode = 0;
}

/* The memory is cleared first, because structs are compared as a whole. */
static void take(snapshot *now) {
    memset(now, 0, sizeof *now);
    take_arithmetic(&now->environment);
    now->control = _mm_getcsr();
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        memset(&action, 0, sizeof action);
        sigaction(number, NULL, &action);
        now->actions[number].sa_handler = action.sa_handler;
        now->actions[number].sa_flags = action.sa_flags;
        memcpy(&now->actions[number].sa_mask, &action.sa_mask, NSIG / 8);
    }
    pthread_sigmask(SIG_SETMASK, NULL, &now->mask);
    sigpending(&now->pending);
    sigaltstack(NULL, &now->signal_stack);
    snprintf(now->locale, sizeof now->locale, "%s", setlocale(LC_ALL, NULL));
    if (getcwd(now->folder, sizeof now->folder) == NULL) now->folder[0] = 0;
    now->variables = environ;
    now->variable_text = 1;
    for (char **variable = environ; *variable != NULL; variable++)
        now->variable_text = add(add_text(now->variable_text, *variable), variable, sizeof *variable);
    now->umask = umask(0);
    umask(now->umask);
    for (int which = 0; which < RLIM_NLIMITS; which++) getrlimit((__rlimit_resource_t)which, &now->limits[which]);
    for (int which = 0; which < 3; which++) getitimer((__itimer_which_t)which, &now->timers[which]);
    sched_getaffinity(0, sizeof now->processors, &now->processors);
    now->policy = sched_getscheduler(0);
    now->priority = getpriority(PRIO_PROCESS, 0);
    now->dumpable = prctl(PR_GET_DUMPABLE);
    prctl(PR_GET_NAME, now->name);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &now->cancel_state);
    pthread_setcancelstate(now->cancel_state, NULL);
    now->open_files = files();
    now->threads = running_threads();
    now->printed = lseek(standard_output, 0, SEEK_CUR);
    now->read = lseek(standard_input, 0, SEEK_CUR);
}

static void compare(const snapshot *before, const snapshot *after) {
#define SAME(field) CHECK(memcmp(&before->field, &after->field, sizeof before->field) == 0)
    SAME(environment);
    SAME(control);
    SAME(actions);
    SAME(mask);
    SAME(pending);
    SAME(signal_stack);
    SAME(locale);
    SAME(folder);
    SAME(variables);
    SAME(variable_text);
    SAME(umask);
    SAME(limits);
    SAME(timers);
    SAME(processors);
    SAME(policy);
    SAME(priority);
    SAME(dumpable);
    SAME(cancel_state);
    SAME(name);
    SAME(open_files);
    SAME(threads);
    SAME(printed);
    SAME(read);
#undef SAME
}

static void ignore(int number) { (void)number; }

static digest reference;

/* Runs all operations between two snapshots. The standard streams are files. */
static void visit(int threads) {
    static snapshot before, after;
    char out[] = "/tmp/covey-snapshot-XXXXXX", in[] = "/tmp/covey-snapshot-XXXXXX";
    standard_output = mkstemp(out);
    standard_input = mkstemp(in);
    CHECK(write(standard_input, "input", 5) == 5 && lseek(standard_input, 0, SEEK_SET) == 0);
    unlink(out);
    unlink(in);
    int kept[3] = {dup(0), dup(1), dup(2)};
    fflush(stdout);
    dup2(standard_input, 0);
    dup2(standard_output, 1);
    dup2(standard_output, 2);
    take(&before);
    digest found = whole_road(threads, 0, 2);
    fenv_t environment;
    take_arithmetic(&environment);
    take(&after);
    for (int stream = 0; stream < 3; stream++) {
        dup2(kept[stream], stream);
        close(kept[stream]);
    }
    close(standard_output);
    close(standard_input);
    CHECK(memcmp(&environment, &before.environment, sizeof environment) == 0);
    compare(&before, &after);
    CHECK(found == reference);
}

static void test_visits(void) {
    visit(1);
    visit(3);

    /* The host has settings of its own. */
    struct sigaction action, old_action;
    memset(&action, 0, sizeof action);
    action.sa_handler = ignore;
    action.sa_flags = SA_RESTART;
    sigaction(SIGXFSZ, &action, &old_action);
    sigset_t some, old_mask;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &some, &old_mask);
    raise(SIGUSR1); /* The signal stays pending. */
    static char stack[1 << 16];
    stack_t signal_stack, old_stack;
    memset(&signal_stack, 0, sizeof signal_stack);
    signal_stack.ss_sp = stack;
    signal_stack.ss_size = sizeof stack;
    sigaltstack(&signal_stack, &old_stack);
    mode_t mask = umask(0077);
    visit(3);
    umask(mask);
    struct timespec none = {0, 0};
    CHECK(sigtimedwait(&some, NULL, &none) == SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &old_mask, NULL);
    sigaltstack(&old_stack, NULL);
    sigaction(SIGXFSZ, &old_action, NULL);
}

/* The results do not depend on the host's floating-point environment. If it traps exceptions, no operation may raise
 * one. */
static void test_floating_point(void) {
    fenv_t standard;
    fegetenv(&standard);
    const int roundings[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    for (int i = 0; i < 3; i++) {
        CHECK(fesetround(roundings[i]) == 0);
        visit(2);
        CHECK(fegetround() == roundings[i]);
        fesetenv(&standard);
    }
    _mm_setcsr(_mm_getcsr() | 0x8040); /* FTZ and DAZ */
    visit(2);
    CHECK((_mm_getcsr() & 0x8040) == 0x8040);
    fesetenv(&standard);
    _mm_setcsr(_mm_getcsr() & ~0x8040u);
    feenableexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
    visit(2);
    CHECK(fegetexcept() == (FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW));
    fesetenv(&standard);
    /* Exception flags that are set stay set, and no other is set. */
    feclearexcept(FE_ALL_EXCEPT);
    visit(1);
    CHECK(fetestexcept(FE_ALL_EXCEPT) == 0);
    feraiseexcept(FE_UNDERFLOW | FE_INEXACT);
    visit(1);
    CHECK(fetestexcept(FE_ALL_EXCEPT) == (FE_UNDERFLOW | FE_INEXACT));
    fesetenv(&standard);
}

/* Covey must not use the random numbers of the C library. */
static void test_random_numbers(void) {
    int expected[4];
    srand(42);
    srand48(42);
    for (int i = 0; i < 4; i++) expected[i] = rand() ^ (int)mrand48();
    srand(42);
    srand48(42);
    for (int i = 0; i < 4; i++) {
        CHECK((rand() ^ (int)mrand48()) == expected[i]);
        CHECK(whole_road(2, 0, 1) != 0);
    }
}

static digest quick_reference;

static void *many_times(void *number) {
    static int other;
    for (int round = 0; round < 3; round++)
        if (whole_road(2, *(int *)number, 1) != quick_reference) return &other;
    return NULL;
}

/* The child must end by itself. An alarm ends it if it hangs. */
static void in_child(void) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(120);
        int same = whole_road(3, 40, 1) == quick_reference;
        /* The same in a child of the child. */
        pid_t grandchild = same ? fork() : -1;
        if (grandchild == 0) _exit(whole_road(2, 41, 1) == quick_reference ? 0 : 1);
        int status = -1;
        waitpid(grandchild, &status, 0);
        /* Memory of the parent's other threads has no owner in the child. A leak check at its exit would report it, so
         * exec ends it. */
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_fork(void) {
    in_child();
    pthread_t threads[3];
    int numbers[3] = {1, 2, 3};
    for (int i = 0; i < 3; i++) CHECK(pthread_create(&threads[i], NULL, many_times, &numbers[i]) == 0);
    for (int i = 0; i < 3; i++) in_child();
    for (int i = 0; i < 3; i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        CHECK(result == NULL);
    }
    CHECK(whole_road(3, 0, 1) == quick_reference);
}

int main(void) {
    setlocale(LC_ALL, "C.UTF-8");
    guest_create(&host);
    reference = whole_road(2, 0, 2);
    quick_reference = whole_road(2, 0, 1);
    CHECK(reference != 0 && quick_reference != 0);
    test_visits();
    test_floating_point();
    test_random_numbers();
    test_fork();
    guest_destroy(&host);
    return finish();
}
