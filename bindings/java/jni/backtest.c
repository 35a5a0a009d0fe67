/* Section 10 of covey.h: rules on transactions of the past. */
#include "support.h"

#include "covey_NativeRules.h"

/* Booleans of Java as the bytes that C reads; options->live stays NULL where they are null. */
JNIEXPORT jlong JNICALL Java_covey_NativeRules_backtestRun(JNIEnv *env, jclass class, jlong context, jlong rules,
                                                           jobject features, jbyteArray fraud, jdoubleArray amounts,
                                                           jdoubleArray times, jintArray outcomes, jlong outcome_count,
                                                           jdouble period, jdouble confidence, jbyteArray live,
                                                           jlong shadow) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_backtest *backtest = NULL;
    covey_table view;
    const covey_table *table;
    covey_backtest_options options = COVEY_BACKTEST_OPTIONS_INIT;
    options.outcome_count = outcome_count;
    options.period = period;
    options.confidence = confidence;
    options.shadow = POINTER(covey_rules, shadow);
    if (read_table(&memory, features, &view, &table)) {
        const int64_t rows = table->rows;
        const int8_t *known = numbers(&memory, fraud, NUMBER_I8, 0, rows);
        if (known && amounts) options.amounts = numbers(&memory, amounts, NUMBER_F64, 0, rows);
        if (!(*env)->ExceptionCheck(env) && times) options.times = numbers(&memory, times, NUMBER_F64, 0, rows);
        if (!(*env)->ExceptionCheck(env) && outcomes)
            options.outcomes = numbers(&memory, outcomes, NUMBER_I32, 0, rows);
        if (!(*env)->ExceptionCheck(env) && live)
            options.live = numbers(&memory, live, NUMBER_I8, 0, covey_rules_count(POINTER(covey_rules, rules)));
        if (!(*env)->ExceptionCheck(env)) {
            covey_error *error = NULL;
            covey_status status = covey_backtest_run(context_of(context), POINTER(covey_rules, rules), table, known,
                                                     &options, &backtest, &error);
            if (!succeeded(env, status, error)) {
                covey_backtest_destroy(backtest);
                backtest = NULL;
            }
        }
    }
    arena_end(&memory);
    return HANDLE(backtest);
}

/* A rule's figures (period -1), those of a period (0 and later) or of a part of a shadow comparison (rule -3). */
JNIEXPORT void JNICALL Java_covey_NativeRules_backtestGet(JNIEnv *env, jclass class, jlong backtest, jlong rule,
                                                          jlong period, jlongArray integers, jdoubleArray reals) {
    (void)class;
    const covey_backtest *from = POINTER(covey_backtest, backtest);
    covey_backtest_report report = COVEY_BACKTEST_REPORT_INIT;
    covey_error *error = NULL;
    covey_status status = rule == -3   ? covey_backtest_shadow(from, (int32_t)period, &report, &error)
                          : period < 0 ? covey_backtest_get(from, rule, &report, &error)
                                       : covey_backtest_period(from, rule, period, &report, &error);
    if (!succeeded(env, status, error)) return;
    const jlong whole[] = {report.rows,        report.fraud,        report.legitimate,
                           report.added_rows,  report.added_fraud,  report.added_legitimate,
                           report.recent_rows, report.recent_fraud, report.recent_legitimate,
                           report.retire};
    const jdouble real[] = {report.amount,       report.fraud_amount,       report.legitimate_amount,
                            report.precision,    report.precision_low,      report.precision_high,
                            report.recall,       report.recall_low,         report.recall_high,
                            report.added_amount, report.added_fraud_amount, report.added_legitimate_amount,
                            report.decay_p,      report.hit_rate_p};
    store(env, integers, whole, 10, reals, real, 14);
}

JNIEXPORT jlong JNICALL Java_covey_NativeRules_backtestPeriods(JNIEnv *env, jclass class, jlong backtest) {
    (void)env, (void)class;
    return covey_backtest_period_count(POINTER(covey_backtest, backtest));
}

JNIEXPORT jdouble JNICALL Java_covey_NativeRules_backtestStart(JNIEnv *env, jclass class, jlong backtest,
                                                               jlong period) {
    (void)env, (void)class;
    return covey_backtest_period_start(POINTER(covey_backtest, backtest), period);
}

JNIEXPORT void JNICALL Java_covey_NativeRules_backtestOutcome(JNIEnv *env, jclass class, jlong backtest, jlong rule,
                                                              jlong outcome, jlongArray integers, jdoubleArray reals) {
    (void)class;
    int64_t rows = 0;
    double amount = 0;
    covey_error *error = NULL;
    covey_status status =
        covey_backtest_outcome(POINTER(covey_backtest, backtest), rule, outcome, &rows, &amount, &error);
    if (!succeeded(env, status, error)) return;
    const jlong whole[] = {rows};
    store(env, integers, whole, 1, reals, &amount, 1);
}

JNIEXPORT jlong JNICALL Java_covey_NativeRules_backtestOverlap(JNIEnv *env, jclass class, jlong backtest, jlong first,
                                                               jlong second) {
    (void)env, (void)class;
    return covey_backtest_overlap(POINTER(covey_backtest, backtest), first, second);
}

JNIEXPORT void JNICALL Java_covey_NativeRules_backtestDestroy(JNIEnv *env, jclass class, jlong backtest) {
    (void)env, (void)class;
    covey_backtest_destroy(POINTER(covey_backtest, backtest));
}
