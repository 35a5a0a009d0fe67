/* Section 11: the engine, from a C host. */
#include "engine_sample.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static engine_sample sample;

/* Everything that a score says, as text. */
static void describe(const covey_scores *scores, int64_t transaction, char *text, size_t size) {
    covey_score score = COVEY_SCORE_INIT;
    covey_error *error = NULL;
    CHECK_OK(covey_scores_get(scores, transaction, &score, &error));
    int used = snprintf(text, size, "%lld %.17g %.17g %d %lld %lld", (long long)score.cluster, score.strength,
                        score.risk, score.risky, (long long)score.rule_count, (long long)score.reason_count);
    for (int64_t rule = 0; rule < score.rule_count; rule++)
        used += snprintf(text + used, size - (size_t)used, "\n%lld: %s",
                         (long long)covey_scores_rule_cluster(scores, transaction, rule),
                         covey_scores_rule(scores, transaction, rule));
    for (int64_t reason = 0; reason < score.reason_count; reason++)
        used += snprintf(text + used, size - (size_t)used, "\n%s", covey_scores_reason(scores, transaction, reason));
}

/* Scores one transaction of a sample alone. */
static covey_scores *score_one(const covey_engine *engine, const engine_sample *from, int row, covey_error **error) {
    covey_sequences sequences = from->sequences;
    covey_column columns[2] = {from->columns[0], from->columns[1]};
    covey_table table = from->table;
    covey_scores *scores = NULL;
    sequences.count = 1;
    sequences.offsets = from->offsets + row;
    columns[0].values = from->amounts + row;
    columns[1].values = from->countries + row;
    table.rows = 1;
    table.columns = columns;
    covey_engine_score(engine, NULL, &sequences, &table, &scores, error);
    return scores;
}

static void test_scores(const covey_engine *engine) {
    covey_error *error = NULL;
    covey_scores *scores = NULL;
    CHECK(covey_engine_feature_count(engine) == 2);
    CHECK(strcmp(covey_engine_feature_name(engine, 0), "amount") == 0);
    CHECK(covey_engine_feature_kind(engine, 1) == COVEY_CATEGORICAL);
    CHECK(covey_engine_feature_name(engine, 2) == NULL && covey_engine_feature_name(engine, -1) == NULL);
    CHECK(covey_engine_feature_kind(engine, 2) == -1);
    CHECK(covey_encoder_dimension(covey_engine_encoder(engine)) == MODEL_DIMENSION);

    CHECK_OK(covey_engine_score(engine, NULL, &sample.sequences, &sample.table, &scores, &error));
    CHECK(covey_scores_count(scores) == SAMPLE_ROWS);
    int risky = 0;
    for (int row = 0; row < SAMPLE_ROWS; row++) {
        covey_score score = COVEY_SCORE_INIT;
        CHECK_OK(covey_scores_get(scores, row, &score, &error));
        CHECK(score.risk >= 0 && score.risk <= 1 && score.strength >= 0 && score.strength <= 1);
        /* The third group is the fraud, and its rule knows it. */
        CHECK((score.rule_count > 0) == (row % 3 == 2));
        CHECK(score.risky == (row % 3 == 2));
        risky += score.risky;
        CHECK(score.reason_count == 2 + score.rule_count);
        CHECK(strstr(covey_scores_reason(scores, row, 0), "It behaves like") != NULL);
        CHECK(strstr(covey_scores_reason(scores, row, score.reason_count - 1), "counted most") != NULL);
        CHECK(covey_scores_reason(scores, row, score.reason_count) == NULL);
        CHECK(covey_scores_reason(scores, row, -1) == NULL);
        CHECK(covey_scores_rule(scores, row, score.rule_count) == NULL);
        CHECK(covey_scores_rule_cluster(scores, row, score.rule_count) == -1);
        /* Alone as in the batch. */
        static char batch[8192], alone[8192];
        covey_scores *one = score_one(engine, &sample, row, &error);
        CHECK(covey_scores_count(one) == 1);
        describe(scores, row, batch, sizeof batch);
        describe(one, 0, alone, sizeof alone);
        CHECK(strcmp(batch, alone) == 0);
        covey_scores_destroy(one);
    }
    CHECK(risky == SAMPLE_ROWS / 3);
    CHECK(covey_scores_reason(scores, SAMPLE_ROWS, 0) == NULL);
    CHECK(covey_scores_rule(scores, -1, 0) == NULL);
    covey_scores_destroy(scores);

    engine_sample none = sample;
    none.sequences.count = none.table.rows = 0;
    CHECK_OK(covey_engine_score(engine, NULL, &none.sequences, &none.table, &scores, &error));
    CHECK(covey_scores_count(scores) == 0);
    covey_scores_destroy(scores);
}

typedef struct scorer {
    const covey_engine *engine;
    covey_scores *shared;
    int differ;
} scorer;

/* Scores all, one by one, and asks the shared scores for the same reasons at the same time as the other threads. */
static void *score_all(void *argument) {
    scorer *own = argument;
    char *alone = malloc(8192), *batch = malloc(8192);
    for (int row = 0; row < SAMPLE_ROWS; row++) {
        covey_scores *one = score_one(own->engine, &sample, row, NULL);
        describe(one, 0, alone, 8192);
        describe(own->shared, row, batch, 8192);
        own->differ += strcmp(alone, batch) != 0;
        covey_scores_destroy(one);
    }
    free(alone);
    free(batch);
    return NULL;
}

static void test_threads(const covey_engine *engine) {
    covey_error *error = NULL;
    covey_scores *shared = NULL;
    CHECK_OK(covey_engine_score(engine, NULL, &sample.sequences, &sample.table, &shared, &error));
    pthread_t threads[4];
    scorer scorers[4];
    for (int i = 0; i < 4; i++) {
        scorer own = {engine, shared, 0};
        scorers[i] = own;
        CHECK(pthread_create(&threads[i], NULL, score_all, &scorers[i]) == 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        CHECK(scorers[i].differ == 0);
    }
    covey_scores_destroy(shared);
}

static char *contents(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    *size = 0;
    if (file == NULL) return NULL;
    char *bytes = malloc(1 << 22);
    *size = fread(bytes, 1, 1 << 22, file);
    fclose(file);
    return bytes;
}

static int entries(const char *folder) {
    DIR *open = opendir(folder);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(open)) != NULL;) count += entry->d_name[0] != '.';
    closedir(open);
    return count;
}

static void test_file(const covey_engine *engine) {
    covey_error *error = NULL;
    char folder[] = "/tmp/covey-engine-XXXXXX", path[64], bad[64];
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/engine", folder);
    snprintf(bad, sizeof bad, "%s/none/engine", folder);
    CHECK_OK(covey_engine_save(engine, NULL, path, &error));
    size_t size, again_size;
    char *bytes = contents(path, &size);
    covey_engine *loaded = NULL;
    CHECK_OK(covey_engine_load(NULL, path, &loaded, &error));
    covey_scores *first = NULL, *second = NULL;
    CHECK_OK(covey_engine_score(engine, NULL, &sample.sequences, &sample.table, &first, &error));
    CHECK_OK(covey_engine_score(loaded, NULL, &sample.sequences, &sample.table, &second, &error));
    for (int row = 0; row < SAMPLE_ROWS; row++) {
        static char before[8192], after[8192];
        describe(first, row, before, sizeof before);
        describe(second, row, after, sizeof after);
        CHECK(strcmp(before, after) == 0);
    }
    /* The scores keep what they need of the engine. */
    covey_engine_destroy(loaded);
    CHECK(covey_scores_reason(second, 0, 0) != NULL);
    covey_scores_destroy(first);
    covey_scores_destroy(second);

    /* A full disk, as the file size limit makes one: an error, the old file whole, no other file. */
    struct rlimit limit, small;
    getrlimit(RLIMIT_FSIZE, &limit);
    small = limit;
    small.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &small);
    CHECK(covey_engine_save(engine, NULL, path, &error) == COVEY_IO);
    setrlimit(RLIMIT_FSIZE, &limit);
    covey_error_destroy(error);
    char *again = contents(path, &again_size);
    CHECK(again_size == size && memcmp(again, bytes, size) == 0);
    free(again);
    CHECK(entries(folder) == 1);
    CHECK(covey_engine_save(engine, NULL, bad, &error) == COVEY_IO);
    covey_error_destroy(error);
    CHECK(covey_engine_save(engine, NULL, "/dev/full", &error) == COVEY_IO);
    covey_error_destroy(error);
    CHECK(covey_engine_save(engine, NULL, folder, &error) == COVEY_IO);
    covey_error_destroy(error);
    if (geteuid() != 0) { /* root may write anywhere */
        chmod(folder, 0500);
        CHECK(covey_engine_save(engine, NULL, path, &error) == COVEY_IO);
        covey_error_destroy(error);
        chmod(folder, 0700);
    }
    CHECK(entries(folder) == 1);
    CHECK_OK(covey_engine_save(engine, NULL, path, &error));

    /* Damage anywhere is found. */
    for (size_t position = 0; position < size; position += 1 + position / 64) {
        FILE *file = fopen(path, "wb");
        bytes[position] ^= 0x04;
        fwrite(bytes, 1, size, file);
        fclose(file);
        bytes[position] ^= 0x04;
        covey_status status = covey_engine_load(NULL, path, &loaded, &error);
        CHECK(status == COVEY_CORRUPT_FILE || status == COVEY_UNSUPPORTED);
        CHECK(loaded == NULL && covey_error_code(error) == status);
        covey_error_destroy(error);
        CHECK(truncate(path, (off_t)position) == 0);
        CHECK(covey_engine_load(NULL, path, &loaded, &error) == COVEY_CORRUPT_FILE);
        covey_error_destroy(error);
    }
    free(bytes);
    unlink(path);
    rmdir(folder);
}

/* Works in a child after fork(), also on several threads. */
static void test_fork(const covey_engine *engine) {
    pid_t child = fork();
    if (child == 0) {
        covey_scores *scores = NULL;
        covey_status status = covey_engine_score(engine, NULL, &sample.sequences, &sample.table, &scores, NULL);
        _exit(status == COVEY_OK && covey_scores_count(scores) == SAMPLE_ROWS ? 0 : 1);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
    make_sample(&sample, 1);
    covey_engine *engine = make_engine(&sample);
    if (engine == NULL) return finish();
    test_scores(engine);
    test_threads(engine);
    test_file(engine);
    test_fork(engine);
    covey_engine_destroy(engine);

    CHECK(covey_engine_encoder(NULL) == NULL && covey_engine_feature_count(NULL) == 0);
    CHECK(covey_engine_feature_name(NULL, 0) == NULL && covey_engine_feature_kind(NULL, 0) == -1);
    CHECK(covey_scores_count(NULL) == 0 && covey_scores_reason(NULL, 0, 0) == NULL);
    CHECK(covey_scores_rule(NULL, 0, 0) == NULL && covey_scores_rule_cluster(NULL, 0, 0) == -1);
    covey_engine_destroy(NULL);
    covey_scores_destroy(NULL);
    return finish();
}
