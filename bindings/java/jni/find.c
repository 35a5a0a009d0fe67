/* Section 12 of covey.h: find. */
#include "support.h"

/* The integers and reals in the order of FindOptions. */
static int read_options(arena *memory, jlongArray integers, jdoubleArray reals, covey_find_options *options) {
    const int64_t *n = numbers(memory, integers, NUMBER_I64, 0, 10);
    const double *x = n ? numbers(memory, reals, NUMBER_F64, 0, 6) : NULL;
    if (!x) return 0;
    options->seed = (uint64_t)n[0];
    options->shares_over = (int32_t)n[1];
    options->error_rate = (int32_t)n[2];
    options->min_fraud = n[3];
    options->permutations = n[4];
    options->trees = n[5];
    options->max_rules = n[6];
    options->min_cluster_size = n[7];
    options->scaling = (int32_t)n[8];
    options->search = (int32_t)n[9];
    options->known_share = x[0];
    options->significance = x[1];
    options->confidence = x[2];
    options->min_share = x[3];
    options->embedding_weight = x[4];
    options->feature_weight = x[5];
    return 1;
}

JNIEXPORT jlong JNICALL Java_covey_Native_findRun(JNIEnv *env, jclass class, jlong context, jobject sequences,
                                                  jlong vocabulary, jobject features, jbyteArray fraud,
                                                  jdoubleArray amounts, jdoubleArray times, jlong rows, jlong encoder,
                                                  jlongArray integers, jdoubleArray reals, jlongArray training_integers,
                                                  jdoubleArray training_reals) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_found *found = NULL;
    covey_sequences sequences_view;
    covey_table table_view;
    const covey_sequences *batch = NULL;
    const covey_table *table = NULL;
    covey_find_options options = COVEY_FIND_OPTIONS_INIT;
    covey_training_options training = COVEY_TRAINING_OPTIONS_INIT;
    int good = read_options(&memory, integers, reals, &options);
    if (good && training_integers) {
        good = read_training_numbers(&memory, training_integers, training_reals, &training);
        options.training = &training;
    }
    good = good && read_sequences(&memory, sequences, &sequences_view, &batch);
    good = good && (!features || read_table(&memory, features, &table_view, &table));
    const int8_t *truth = good && fraud ? numbers(&memory, fraud, NUMBER_I8, 0, rows) : NULL;
    good = good && (truth || !fraud);
    const double *money = good && amounts ? numbers(&memory, amounts, NUMBER_F64, 0, rows) : NULL;
    good = good && (money || !amounts);
    const double *clock = good && times ? numbers(&memory, times, NUMBER_F64, 0, rows) : NULL;
    good = good && (clock || !times);
    if (good) {
        covey_error *error = NULL;
        covey_status status =
            covey_find(context_of(context), batch, POINTER(covey_vocabulary, vocabulary), table, truth, money, clock,
                       rows, POINTER(covey_encoder, encoder), &options, &found, &error);
        if (!succeeded(env, status, error)) {
            covey_found_destroy(found);
            found = NULL;
        }
    }
    arena_end(&memory);
    return HANDLE(found);
}

JNIEXPORT jlong JNICALL Java_covey_Native_foundRows(JNIEnv *env, jclass class, jlong found) {
    (void)env, (void)class;
    return covey_found_rows(POINTER(covey_found, found));
}

JNIEXPORT jlong JNICALL Java_covey_Native_foundClusters(JNIEnv *env, jclass class, jlong found) {
    (void)env, (void)class;
    return covey_found_clusters(POINTER(covey_found, found));
}

/* Returns one integer for each row: 0 label, 1 group, 2 risky. */
JNIEXPORT void JNICALL Java_covey_Native_foundIntegers(JNIEnv *env, jclass class, jlong found, jint which,
                                                       jintArray result) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    int64_t count = (*env)->GetArrayLength(env, result);
    int32_t *values = arena_allocate(&memory, count, sizeof *values);
    uint8_t *flags = values && which == 2 ? arena_allocate(&memory, count, 1) : NULL;
    if (values && (flags || which != 2)) {
        const covey_found *from = POINTER(covey_found, found);
        covey_error *error = NULL;
        covey_status status = which == 0   ? covey_found_labels(from, values, count, &error)
                              : which == 1 ? covey_found_row_groups(from, values, count, &error)
                                           : covey_found_risky(from, flags, count, &error);
        if (succeeded(env, status, error)) {
            for (int64_t row = 0; which == 2 && row < count; ++row) values[row] = flags[row];
            write_back(&memory, result, NUMBER_I32, values, count);
        }
    }
    arena_end(&memory);
}

/* Returns one real number for each row: -1 the score, otherwise a part of the evidence. */
JNIEXPORT void JNICALL Java_covey_Native_foundReals(JNIEnv *env, jclass class, jlong found, jint part,
                                                    jdoubleArray result) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    int64_t count = (*env)->GetArrayLength(env, result);
    double *values = arena_allocate(&memory, count, sizeof *values);
    if (values) {
        const covey_found *from = POINTER(covey_found, found);
        covey_error *error = NULL;
        covey_status status = part < 0 ? covey_found_scores(from, values, count, &error)
                                       : covey_found_evidence(from, part, values, count, &error);
        if (succeeded(env, status, error)) write_back(&memory, result, NUMBER_F64, values, count);
    }
    arena_end(&memory);
}

JNIEXPORT jlong JNICALL Java_covey_Native_foundGroupCount(JNIEnv *env, jclass class, jlong found) {
    (void)env, (void)class;
    return covey_found_group_count(POINTER(covey_found, found));
}

JNIEXPORT void JNICALL Java_covey_Native_foundGroup(JNIEnv *env, jclass class, jlong found, jlong index,
                                                    jlongArray integers, jdoubleArray reals) {
    (void)class;
    covey_risky_group group = COVEY_RISKY_GROUP_INIT;
    covey_error *error = NULL;
    covey_status status = covey_found_group(POINTER(covey_found, found), index, &group, &error);
    if (!succeeded(env, status, error)) return;
    const jlong whole[] = {group.rows, group.fraud, group.legitimate, group.unknown, group.of_evidence};
    const jdouble real[] = {group.share, group.share_low, group.share_high, group.lift,     group.p_value,
                            group.loss,  group.amount,    group.first_seen, group.last_seen};
    store(env, integers, whole, 5, reals, real, 9);
}

JNIEXPORT jbyteArray JNICALL Java_covey_Native_foundGroupText(JNIEnv *env, jclass class, jlong found, jlong index) {
    (void)class;
    return utf8(env, covey_found_group_text(POINTER(covey_found, found), index));
}

JNIEXPORT jlong JNICALL Java_covey_Native_foundFindingCount(JNIEnv *env, jclass class, jlong found) {
    (void)env, (void)class;
    return covey_found_finding_count(POINTER(covey_found, found));
}

JNIEXPORT jint JNICALL Java_covey_Native_foundFindingCode(JNIEnv *env, jclass class, jlong found, jlong index) {
    (void)env, (void)class;
    return covey_found_finding_code(POINTER(covey_found, found), index);
}

JNIEXPORT jbyteArray JNICALL Java_covey_Native_foundFindingText(JNIEnv *env, jclass class, jlong found, jlong index) {
    (void)class;
    return utf8(env, covey_found_finding_text(POINTER(covey_found, found), index));
}

JNIEXPORT jbyteArray JNICALL Java_covey_Native_foundSettings(JNIEnv *env, jclass class, jlong found) {
    (void)class;
    return utf8(env, covey_found_settings(POINTER(covey_found, found)));
}

/* Both are borrowed: Java keeps the result alive as long as they exist. */
JNIEXPORT jlong JNICALL Java_covey_Native_foundRules(JNIEnv *env, jclass class, jlong found) {
    (void)env, (void)class;
    return HANDLE(covey_found_rules(POINTER(covey_found, found)));
}

JNIEXPORT jlong JNICALL Java_covey_Native_foundEngine(JNIEnv *env, jclass class, jlong found) {
    (void)env, (void)class;
    return HANDLE(covey_found_engine(POINTER(covey_found, found)));
}

JNIEXPORT void JNICALL Java_covey_Native_foundDestroy(JNIEnv *env, jclass class, jlong found) {
    (void)env, (void)class;
    covey_found_destroy(POINTER(covey_found, found));
}
