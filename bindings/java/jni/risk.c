/* Section 9 of covey.h: cluster risk. */
#include "files.h"

JNIEXPORT jlong JNICALL Java_covey_Native_riskRate(JNIEnv *env, jclass class, jlong context, jintArray labels,
                                                   jbyteArray fraud, jdoubleArray amounts, jdoubleArray times,
                                                   jdouble confidence, jdouble min_lift, jlong min_fraud,
                                                   jdouble known_share, jint shares_over) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_risk *risk = NULL;
    int64_t rows = (*env)->GetArrayLength(env, labels);
    const int32_t *places = numbers(&memory, labels, NUMBER_I32, 0, rows);
    const int8_t *truth = places ? numbers(&memory, fraud, NUMBER_I8, 0, rows) : NULL;
    const double *money = truth && amounts ? numbers(&memory, amounts, NUMBER_F64, 0, rows) : NULL;
    const double *clock = truth && times && (money || !amounts) ? numbers(&memory, times, NUMBER_F64, 0, rows) : NULL;
    if (truth && (money || !amounts) && (clock || !times)) {
        covey_risk_options options = COVEY_RISK_OPTIONS_INIT;
        options.confidence = confidence;
        options.min_lift = min_lift;
        options.min_fraud = min_fraud;
        options.known_share = known_share;
        options.shares_over = shares_over;
        covey_error *error = NULL;
        covey_status status =
            covey_cluster_risk(context_of(context), places, truth, money, clock, rows, &options, &risk, &error);
        if (!succeeded(env, status, error)) {
            covey_risk_destroy(risk);
            risk = NULL;
        }
    }
    arena_end(&memory);
    return HANDLE(risk);
}

SAVES(risk, covey_risk_save)
LOADS(risk, covey_risk_load, covey_risk_destroy)
WRITES(risk, covey_risk_write)
READS(risk, covey_risk_read, covey_risk_destroy)

JNIEXPORT jlong JNICALL Java_covey_Native_riskCount(JNIEnv *env, jclass class, jlong risk) {
    (void)env, (void)class;
    return covey_risk_count(POINTER(covey_risk, risk));
}

JNIEXPORT jdouble JNICALL Java_covey_Native_riskBaseRate(JNIEnv *env, jclass class, jlong risk) {
    (void)env, (void)class;
    return covey_risk_base_rate(POINTER(covey_risk, risk));
}

JNIEXPORT void JNICALL Java_covey_Native_riskGet(JNIEnv *env, jclass class, jlong risk, jlong rank, jlongArray integers,
                                                 jdoubleArray reals) {
    (void)class;
    covey_cluster_report report = COVEY_CLUSTER_REPORT_INIT;
    covey_error *error = NULL;
    covey_status status = covey_risk_get(POINTER(covey_risk, risk), rank, &report, &error);
    if (!succeeded(env, status, error)) return;
    const jlong whole[] = {report.cluster, report.rank, report.size, report.labelled, report.fraud, report.risky};
    const jdouble real[] = {report.labelled_share, report.share,  report.share_low,  report.share_high, report.lift,
                            report.loss,           report.amount, report.first_seen, report.last_seen};
    store(env, integers, whole, 6, reals, real, 9);
}

JNIEXPORT void JNICALL Java_covey_Native_riskDestroy(JNIEnv *env, jclass class, jlong risk) {
    (void)env, (void)class;
    covey_risk_destroy(POINTER(covey_risk, risk));
}
