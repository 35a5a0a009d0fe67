#include "abi_test.h"

static const int32_t good_labels[4] = {0, 0, 1, -1};
static const int8_t good_fraud[4] = {1, 0, -1, 0};

static covey_status rate(const int32_t *labels, const int8_t *fraud, const double *amounts, const double *times,
                         int64_t rows, const covey_risk_options *options, covey_error **error) {
    covey_risk *risk = (covey_risk *)1;
    covey_status status = covey_cluster_risk(NULL, labels, fraud, amounts, times, rows, options, &risk, error);
    if (status != COVEY_OK && risk != NULL) return COVEY_INTERNAL;
    covey_risk_destroy(risk);
    return status;
}

static covey_status null_output(covey_error **error) {
    return covey_cluster_risk(NULL, good_labels, good_fraud, NULL, NULL, 4, NULL, NULL, error);
}
static covey_status null_labels(covey_error **error) { return rate(NULL, good_fraud, NULL, NULL, 4, NULL, error); }
static covey_status null_fraud(covey_error **error) { return rate(good_labels, NULL, NULL, NULL, 4, NULL, error); }
static covey_status negative_rows(covey_error **error) {
    return rate(good_labels, good_fraud, NULL, NULL, -1, NULL, error);
}
static covey_status overflowing_rows(covey_error **error) {
    return rate(good_labels, good_fraud, NULL, NULL, INT64_MAX, NULL, error);
}
static covey_status low_label(covey_error **error) {
    const int32_t labels[4] = {0, 0, INT32_MIN, 0};
    return rate(labels, good_fraud, NULL, NULL, 4, NULL, error);
}
static covey_status largest_label(covey_error **error) {
    const int32_t labels[4] = {0, INT32_MAX, 0, INT32_MAX - 1};
    return rate(labels, good_fraud, NULL, NULL, 4, NULL, error);
}
static covey_status bad_fraud_value(covey_error **error) {
    const int8_t fraud[4] = {0, 1, -1, -2};
    return rate(good_labels, fraud, NULL, NULL, 4, NULL, error);
}
static covey_status with_amount(double amount, covey_error **error) {
    const double amounts[4] = {1, amount, 1, 1};
    return rate(good_labels, good_fraud, amounts, NULL, 4, NULL, error);
}
static covey_status nan_amount(covey_error **error) { return with_amount(NAN, error); }
static covey_status negative_amount(covey_error **error) { return with_amount(-0.5, error); }
static covey_status infinite_amount(covey_error **error) { return with_amount(INFINITY, error); }
static covey_status overflowing_amounts(covey_error **error) {
    const double amounts[4] = {1.7e308, 1.7e308, 1, 1};
    return rate(good_labels, good_fraud, amounts, NULL, 4, NULL, error);
}
static covey_status with_time(double time, covey_error **error) {
    const double times[4] = {1, 1, time, 1};
    return rate(good_labels, good_fraud, NULL, times, 4, NULL, error);
}
static covey_status nan_time(covey_error **error) { return with_time(NAN, error); }
static covey_status infinite_time(covey_error **error) { return with_time(-INFINITY, error); }
static covey_status with_options(size_t size, double confidence, double lift, int64_t fraud, covey_error **error) {
    covey_risk_options options = COVEY_RISK_OPTIONS_INIT;
    options.struct_size = size;
    options.confidence = confidence;
    options.min_lift = lift;
    options.min_fraud = fraud;
    return rate(good_labels, good_fraud, NULL, NULL, 4, &options, error);
}
#define SIZE sizeof(covey_risk_options)
static covey_status small_options(covey_error **error) { return with_options(8, 0.95, 3, 3, error); }
static covey_status low_confidence(covey_error **error) { return with_options(SIZE, 0.1, 3, 3, error); }
static covey_status nan_confidence(covey_error **error) { return with_options(SIZE, NAN, 3, 3, error); }
static covey_status zero_lift(covey_error **error) { return with_options(SIZE, 0.95, 0, 3, error); }
static covey_status infinite_lift(covey_error **error) { return with_options(SIZE, 0.95, INFINITY, 3, error); }
static covey_status zero_fraud(covey_error **error) { return with_options(SIZE, 0.95, 3, 0, error); }
static covey_status null_risk(covey_error **error) {
    covey_cluster_report report = COVEY_CLUSTER_REPORT_INIT;
    return covey_risk_get(NULL, 0, &report, error);
}
static covey_status get(int64_t rank, covey_cluster_report *report, covey_error **error) {
    covey_risk *risk = NULL;
    covey_status status = covey_cluster_risk(NULL, good_labels, good_fraud, NULL, NULL, 4, NULL, &risk, NULL);
    if (status == COVEY_OK) status = covey_risk_get(risk, rank, report, error);
    covey_risk_destroy(risk);
    return status;
}
static covey_status negative_rank(covey_error **error) {
    covey_cluster_report report = COVEY_CLUSTER_REPORT_INIT;
    return get(-1, &report, error);
}
static covey_status null_report(covey_error **error) { return get(0, NULL, error); }
static covey_status zero_report_size(covey_error **error) {
    covey_cluster_report report = COVEY_CLUSTER_REPORT_INIT;
    report.struct_size = 0;
    return get(0, &report, error);
}

static covey_status save_none(covey_error **error) { return covey_risk_save(NULL, NULL, "/tmp/none", error); }
static covey_status write_none(covey_error **error) {
    covey_bytes *bytes = NULL;
    return covey_risk_write(NULL, NULL, &bytes, error);
}
static covey_status load_nowhere(covey_error **error) { return covey_risk_load(NULL, "/tmp", NULL, error); }
static covey_status read_bytes(const void *bytes, int64_t length, covey_error **error) {
    covey_risk *risk = (covey_risk *)1;
    covey_status status = covey_risk_read(NULL, bytes, length, &risk, error);
    return risk == NULL ? status : COVEY_INTERNAL;
}
static covey_status read_null(covey_error **error) { return read_bytes(NULL, 5, error); }
static covey_status read_negative(covey_error **error) { return read_bytes(good_labels, -1, error); }
static covey_status read_nothing(covey_error **error) { return read_bytes(good_labels, 0, error); }
static covey_status read_other(covey_error **error) { return read_bytes(good_labels, sizeof good_labels, error); }

const abi_case risk_cases[] = {
    {"risk: save none", COVEY_INVALID_ARGUMENT, "risk must not be NULL", save_none},
    {"risk: write none", COVEY_INVALID_ARGUMENT, "risk must not be NULL", write_none},
    {"risk: load without output", COVEY_INVALID_ARGUMENT, "risk must not be NULL", load_nowhere},
    {"risk: read NULL", COVEY_INVALID_ARGUMENT, "bytes must not be NULL", read_null},
    {"risk: read negative length", COVEY_INVALID_ARGUMENT, "length must be", read_negative},
    {"risk: read nothing", COVEY_CORRUPT_FILE, "", read_nothing},
    {"risk: read other bytes", COVEY_CORRUPT_FILE, "", read_other},
    {"risk: null output", COVEY_INVALID_ARGUMENT, "risk must not be NULL", null_output},
    {"risk: null labels", COVEY_INVALID_ARGUMENT, "labels must not be NULL", null_labels},
    {"risk: null fraud", COVEY_INVALID_ARGUMENT, "fraud must not be NULL", null_fraud},
    {"risk: negative rows", COVEY_INVALID_ARGUMENT, "rows must be 0 to", negative_rows},
    {"risk: overflowing rows", COVEY_INVALID_ARGUMENT, "rows must be 0 to", overflowing_rows},
    {"risk: label below -1", COVEY_INVALID_DATA, "labels[2] must be at least -1, got -2147483648", low_label},
    {"risk: largest label", COVEY_OK, "", largest_label},
    {"risk: fraud value", COVEY_INVALID_DATA, "fraud[3] must be -1, 0 or 1, got -2", bad_fraud_value},
    {"risk: amount NaN", COVEY_INVALID_DATA, "amounts[1] must be finite and at least 0, got nan", nan_amount},
    {"risk: amount negative", COVEY_INVALID_DATA, "amounts[1] must be finite and at least 0, got -0.5",
     negative_amount},
    {"risk: amount infinite", COVEY_INVALID_DATA, "amounts[1] must be finite and at least 0, got inf", infinite_amount},
    {"risk: amounts overflow", COVEY_INVALID_DATA, "amounts: the sum over cluster 0", overflowing_amounts},
    {"risk: time NaN", COVEY_INVALID_DATA, "times[2] must be finite, got nan", nan_time},
    {"risk: time infinite", COVEY_INVALID_DATA, "times[2] must be finite, got -inf", infinite_time},
    {"risk: options.struct_size", COVEY_INVALID_ARGUMENT, "options.struct_size must be", small_options},
    {"risk: confidence low", COVEY_INVALID_ARGUMENT, "options.confidence must be 0.5 to 0.9999, got 0.1",
     low_confidence},
    {"risk: confidence NaN", COVEY_INVALID_ARGUMENT, "options.confidence must be 0.5 to 0.9999, got nan",
     nan_confidence},
    {"risk: min_lift 0", COVEY_INVALID_ARGUMENT, "options.min_lift must be finite and above 0, got 0", zero_lift},
    {"risk: min_lift infinite", COVEY_INVALID_ARGUMENT, "options.min_lift must be finite and above 0, got inf",
     infinite_lift},
    {"risk: min_fraud 0", COVEY_INVALID_ARGUMENT, "options.min_fraud must be at least 1, got 0", zero_fraud},
    {"risk: null handle", COVEY_INVALID_ARGUMENT, "risk must not be NULL", null_risk},
    {"risk: negative rank", COVEY_INVALID_ARGUMENT, "rank must be at least 0 and below 3, got -1", negative_rank},
    {"risk: null report", COVEY_INVALID_ARGUMENT, "report must not be NULL", null_report},
    {"risk: report.struct_size 0", COVEY_INVALID_ARGUMENT, "report.struct_size must be", zero_report_size},
    {NULL, 0, NULL, NULL},
};
