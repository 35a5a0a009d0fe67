/* Section 11 of covey.h: one transaction after another, without garbage. */
#include "support.h"

JNIEXPORT jlong JNICALL Java_covey_Native_scorerCreate(JNIEnv *env, jclass class, jlong engine, jlong context) {
    (void)class;
    covey_scorer *scorer = NULL;
    covey_error *error = NULL;
    covey_status status = covey_scorer_create(POINTER(covey_engine, engine), context_of(context), &scorer, &error);
    if (!succeeded(env, status, error)) {
        covey_scorer_destroy(scorer);
        scorer = NULL;
    }
    return HANDLE(scorer);
}

JNIEXPORT void JNICALL Java_covey_Native_scorerClear(JNIEnv *env, jclass class, jlong scorer) {
    (void)class;
    covey_error *error = NULL;
    covey_status status = covey_scorer_clear(POINTER(covey_scorer, scorer), &error);
    succeeded(env, status, error);
}

JNIEXPORT void JNICALL Java_covey_Native_scorerSetNumber(JNIEnv *env, jclass class, jlong scorer, jlong feature,
                                                         jdouble value) {
    (void)class;
    covey_error *error = NULL;
    covey_status status = covey_scorer_set_number(POINTER(covey_scorer, scorer), feature, value, &error);
    succeeded(env, status, error);
}

/* UTF-16 as UTF-8, with a NUL at its end. `target` has room for 3 bytes a unit and the NUL. Returns 0 for a NUL or half
 * of a surrogate pair. */
static int to_utf8(const jchar *units, jsize count, char *target) {
    for (jsize place = 0; place < count; ++place) {
        uint32_t unit = units[place];
        if (unit == 0) return 0;
        if (unit >= 0xD800 && unit <= 0xDFFF) {
            uint32_t low = place + 1 < count ? units[place + 1] : 0;
            if (unit > 0xDBFF || low < 0xDC00 || low > 0xDFFF) return 0;
            unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            ++place;
        }
        if (unit < 0x80) {
            *target++ = (char)unit;
            continue;
        }
        if (unit < 0x800) {
            *target++ = (char)(0xC0 | unit >> 6);
        } else {
            if (unit < 0x10000) {
                *target++ = (char)(0xE0 | unit >> 12);
            } else {
                *target++ = (char)(0xF0 | unit >> 18);
                *target++ = (char)(0x80 | (unit >> 12 & 0x3F));
            }
            *target++ = (char)(0x80 | (unit >> 6 & 0x3F));
        }
        *target++ = (char)(0x80 | (unit & 0x3F));
    }
    *target = 0;
    return 1;
}

/* A byte[] of the text would be garbage. */
static const char *category_of(arena *memory, jstring text) {
    JNIEnv *env = memory->env;
    jsize count = (*env)->GetStringLength(env, text);
    jchar *units = arena_allocate(memory, count, sizeof *units);
    char *utf8 = units ? arena_allocate(memory, 3 * (int64_t)count + 1, 1) : NULL;
    if (!utf8) return NULL;
    (*env)->GetStringRegion(env, text, 0, count, units);
    if (to_utf8(units, count, utf8)) return utf8;
    fail(env, COVEY_INVALID_ARGUMENT, "category must be valid Unicode without NUL");
    return NULL;
}

JNIEXPORT void JNICALL Java_covey_Native_scorerSetCategory(JNIEnv *env, jclass class, jlong scorer, jlong feature,
                                                           jstring category) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    const char *utf8 = category ? category_of(&memory, category) : NULL;
    if (utf8 || !category) {
        covey_error *error = NULL;
        covey_status status = covey_scorer_set_category(POINTER(covey_scorer, scorer), feature, utf8, &error);
        succeeded(env, status, error);
    }
    arena_end(&memory);
}

JNIEXPORT void JNICALL Java_covey_Native_scorerScore(JNIEnv *env, jclass class, jlong scorer, jobject sequences,
                                                     jlong max_events, jdouble seconds, jlongArray integers,
                                                     jdoubleArray reals) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    arena_deadline(&memory, seconds);
    covey_score_options options = COVEY_SCORE_OPTIONS_INIT;
    options.max_events = max_events;
    covey_score score = COVEY_SCORE_INIT;
    covey_sequences view;
    const covey_sequences *batch;
    if (read_sequences(&memory, sequences, &view, &batch) &&
        (options.seconds = memory.deadline ? arena_seconds_left(&memory) : seconds, !(*env)->ExceptionCheck(env))) {
        covey_error *error = NULL;
        covey_status status = covey_scorer_score(POINTER(covey_scorer, scorer), batch, &options, &score, &error);
        if (succeeded(env, status, error)) store_score(env, &score, integers, reals);
    }
    arena_end(&memory);
}

JNIEXPORT jlong JNICALL Java_covey_Native_scorerScores(JNIEnv *env, jclass class, jlong scorer) {
    (void)class;
    covey_scores *scores = NULL;
    covey_error *error = NULL;
    covey_status status = covey_scorer_scores(POINTER(covey_scorer, scorer), &scores, &error);
    return succeeded(env, status, error) ? HANDLE(scores) : 0;
}

JNIEXPORT void JNICALL Java_covey_Native_scorerDestroy(JNIEnv *env, jclass class, jlong scorer) {
    (void)env, (void)class;
    covey_scorer_destroy(POINTER(covey_scorer, scorer));
}
