/* Section 11 of covey.h: what an engine says of a cluster and of a case. */
#include "support.h"

/* `reals` and `integers` have three and four numbers of each limit, in the order of CounterfactualOptions. */
static covey_change_limit *read_limits(arena *memory, int64_t count, jbyteArray names, jdoubleArray reals,
                                       jlongArray integers, jbyteArray categories) {
    const char **given = texts(memory, names, count);
    const double *numbers_of = given ? numbers(memory, reals, NUMBER_F64, 0, 3 * count) : NULL;
    const int64_t *flags = numbers_of ? numbers(memory, integers, NUMBER_I64, 0, 4 * count) : NULL;
    int64_t total = 0;
    for (int64_t index = 0; flags && index < count; ++index) total += flags[4 * index];
    const char **all = flags ? texts(memory, categories, total) : NULL;
    covey_change_limit *limits = all ? arena_allocate(memory, count + 1, sizeof *limits) : NULL;
    for (int64_t index = 0; limits && index < count; ++index) {
        const double *real = numbers_of + 3 * index;
        const int64_t *flag = flags + 4 * index;
        covey_change_limit limit = {given[index], real[0],          real[1],          real[2],          NULL,
                                    flag[0],      (int32_t)flag[1], (int32_t)flag[2], (int32_t)flag[3], 0};
        if (flag[0] > 0) limit.categories = all;
        all += flag[0];
        limits[index] = limit;
    }
    return limits;
}

JNIEXPORT jlong JNICALL Java_covey_Native_counterfactualsFind(JNIEnv *env, jclass class, jlong engine, jlong context,
                                                              jobject sequences, jobject features, jbyteArray names,
                                                              jdoubleArray limit_reals, jlongArray limit_integers,
                                                              jbyteArray categories, jlongArray integers,
                                                              jdoubleArray reals) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_counterfactuals *result = NULL;
    covey_sequences sequences_view;
    covey_table table_view;
    const covey_sequences *batch;
    const covey_table *table;
    const int64_t count = (*env)->GetArrayLength(env, limit_integers) / 4;
    covey_counterfactual_options options = COVEY_COUNTERFACTUAL_OPTIONS_INIT;
    options.limits = read_limits(&memory, count, names, limit_reals, limit_integers, categories);
    const int64_t *whole = options.limits ? numbers(&memory, integers, NUMBER_I64, 0, 6) : NULL;
    const double *real = whole ? numbers(&memory, reals, NUMBER_F64, 0, 2) : NULL;
    if (real && read_sequences(&memory, sequences, &sequences_view, &batch) &&
        read_table(&memory, features, &table_view, &table)) {
        options.limit_count = count;
        options.answers = whole[0];
        options.max_changes = whole[1];
        options.max_removed = whole[2];
        options.max_evaluations = whole[3];
        options.goal = (int32_t)whole[4];
        options.others_immutable = (int32_t)whole[5];
        options.risk_below = real[0];
        options.event_cost = real[1];
        covey_error *error = NULL;
        covey_status status = covey_counterfactuals_find(POINTER(covey_engine, engine), context_of(context), batch,
                                                         table, &options, &result, &error);
        if (!succeeded(env, status, error)) {
            covey_counterfactuals_destroy(result);
            result = NULL;
        }
    }
    arena_end(&memory);
    return HANDLE(result);
}

/* 0 = the outcome, 1 = the answers, 2 = the alternatives that were scored. */
JNIEXPORT jlong JNICALL Java_covey_Native_counterfactualsFigure(JNIEnv *env, jclass class, jlong result, jint which) {
    (void)env, (void)class;
    const covey_counterfactuals *from = POINTER(covey_counterfactuals, result);
    return which == 0   ? covey_counterfactuals_outcome(from)
           : which == 1 ? covey_counterfactuals_count(from)
                        : covey_counterfactuals_evaluations(from);
}

JNIEXPORT jlong JNICALL Java_covey_Native_counterfactualsScores(JNIEnv *env, jclass class, jlong result) {
    (void)env, (void)class;
    return HANDLE(covey_counterfactuals_scores(POINTER(covey_counterfactuals, result)));
}

JNIEXPORT void JNICALL Java_covey_Native_counterfactualsGet(JNIEnv *env, jclass class, jlong result, jlong answer,
                                                            jlongArray integers, jdoubleArray reals) {
    (void)class;
    covey_counterfactual found = COVEY_COUNTERFACTUAL_INIT;
    covey_error *error = NULL;
    covey_status status = covey_counterfactuals_get(POINTER(covey_counterfactuals, result), answer, &found, &error);
    if (!succeeded(env, status, error)) return;
    const jlong whole[] = {found.changes, found.removed};
    store(env, integers, whole, 2, reals, &found.cost, 1);
}

JNIEXPORT jlongArray JNICALL Java_covey_Native_counterfactualsRemoved(JNIEnv *env, jclass class, jlong result,
                                                                      jlong answer, jlong count) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    jlongArray array = NULL;
    int64_t *events = arena_allocate(&memory, count, sizeof *events);
    if (events) {
        covey_error *error = NULL;
        covey_status status =
            covey_counterfactuals_removed(POINTER(covey_counterfactuals, result), answer, events, count, &error);
        if (succeeded(env, status, error)) array = new_longs(env, events, count);
    }
    arena_end(&memory);
    return array;
}

JNIEXPORT void JNICALL Java_covey_Native_counterfactualsChange(JNIEnv *env, jclass class, jlong result, jlong answer,
                                                               jlong index, jlongArray integers, jdoubleArray reals) {
    (void)class;
    covey_change change = COVEY_CHANGE_INIT;
    covey_error *error = NULL;
    covey_status status =
        covey_counterfactuals_change(POINTER(covey_counterfactuals, result), answer, index, &change, &error);
    if (!succeeded(env, status, error)) return;
    const jlong kind = change.kind;
    const jdouble real[] = {change.old_value, change.new_value, change.cost, change.unit};
    store(env, integers, &kind, 1, reals, real, 4);
}

/* 0 = the sentence of an answer (-1: of all), 1 = the name of a change, 2 and 3 = its old and its new category. */
JNIEXPORT jbyteArray JNICALL Java_covey_Native_counterfactualsText(JNIEnv *env, jclass class, jlong result,
                                                                   jlong answer, jlong index, jint which) {
    (void)class;
    const covey_counterfactuals *from = POINTER(covey_counterfactuals, result);
    if (which == 0) return utf8(env, covey_counterfactuals_text(from, answer));
    covey_change change = COVEY_CHANGE_INIT;
    covey_error *error = NULL;
    covey_status status = covey_counterfactuals_change(from, answer, index, &change, &error);
    if (!succeeded(env, status, error)) return NULL;
    return utf8(env, which == 1 ? change.name : which == 2 ? change.old_category : change.new_category);
}

JNIEXPORT void JNICALL Java_covey_Native_counterfactualsDestroy(JNIEnv *env, jclass class, jlong result) {
    (void)env, (void)class;
    covey_counterfactuals_destroy(POINTER(covey_counterfactuals, result));
}

JNIEXPORT jbyteArray JNICALL Java_covey_Native_engineProfile(JNIEnv *env, jclass class, jlong engine, jlong context,
                                                             jlong cluster) {
    (void)class;
    covey_buffer *buffer = NULL;
    covey_error *error = NULL;
    covey_status status =
        covey_engine_profile(POINTER(covey_engine, engine), context_of(context), cluster, &buffer, &error);
    jbyteArray result = succeeded(env, status, error) ? utf8(env, covey_buffer_data(buffer)) : NULL;
    covey_buffer_destroy(buffer);
    return result;
}
