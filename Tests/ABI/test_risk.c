/* Section 9 of covey.h: cluster risk. */
#include "abi_test.h"

#include <unistd.h>

/* What is read of bytes; each byte of a file that is changed is found, by the checksum at the latest. */
static void check_files(const covey_risk *risk) {
    covey_error *error = NULL;
    covey_bytes *bytes = NULL, *again = NULL;
    covey_risk *read = NULL;
    CHECK_OK(covey_risk_write(risk, NULL, &bytes, &error));
    int64_t size = covey_bytes_size(bytes);
    unsigned char *copy = malloc((size_t)size);
    memcpy(copy, covey_bytes_data(bytes), (size_t)size);
    CHECK_OK(covey_risk_read(NULL, copy, size, &read, &error));
    CHECK_OK(covey_risk_write(read, NULL, &again, &error));
    CHECK(covey_bytes_size(again) == size && memcmp(covey_bytes_data(again), copy, (size_t)size) == 0);
    CHECK(covey_risk_count(read) == covey_risk_count(risk) && covey_risk_base_rate(read) == covey_risk_base_rate(risk));
    for (int64_t rank = 0; rank < covey_risk_count(risk); rank++) {
        covey_cluster_report one = COVEY_CLUSTER_REPORT_INIT, other = COVEY_CLUSTER_REPORT_INIT;
        CHECK_OK(covey_risk_get(risk, rank, &one, &error));
        CHECK_OK(covey_risk_get(read, rank, &other, &error));
        CHECK(one.cluster == other.cluster && one.share_low == other.share_low && one.risky == other.risky);
    }
    covey_risk_destroy(read);
    for (int64_t at = 0; at <= size; at++) {
        if (at < size) copy[at] ^= 1;
        covey_status status = covey_risk_read(NULL, copy, at < size ? size : size - 1, &read, &error);
        CHECK((status == COVEY_CORRUPT_FILE || status == COVEY_UNSUPPORTED) && read == NULL);
        covey_error_destroy(error);
        error = NULL;
        if (at < size) copy[at] ^= 1;
    }
    free(copy);
    covey_bytes_destroy(bytes);
    covey_bytes_destroy(again);

    char path[] = "/tmp/covey-risk-XXXXXX";
    CHECK(close(mkstemp(path)) == 0);
    CHECK_OK(covey_risk_save(risk, NULL, path, &error));
    CHECK_OK(covey_risk_load(NULL, path, &read, &error));
    CHECK(covey_risk_count(read) == covey_risk_count(risk));
    covey_risk_destroy(read);
    unlink(path);
    CHECK(covey_risk_load(NULL, path, &read, &error) == COVEY_IO && read == NULL);
    covey_error_destroy(error);
}

int main(void) {
    /* Cluster 4: 8 of 10 labelled rows are fraud. Cluster 0: 1 of 90. Noise: nothing labelled. */
    enum { rows = 115 };
    int32_t labels[rows];
    int8_t fraud[rows];
    double amounts[rows], times[rows];
    for (int i = 0; i < rows; i++) {
        labels[i] = i < 10 ? 4 : i < 100 ? 0 : -1;
        fraud[i] = i < 10 ? i < 8 : i < 100 ? i == 50 : COVEY_LABEL_UNKNOWN;
        amounts[i] = i;
        times[i] = 1000.0 - i;
    }
    covey_error *error = NULL;
    covey_risk *risk = NULL;
    CHECK_OK(covey_cluster_risk(NULL, labels, fraud, amounts, times, rows, NULL, &risk, &error));
    CHECK(covey_risk_count(risk) == 3);
    CHECK(fabs(covey_risk_base_rate(risk) - 0.09) < 1e-15);

    covey_cluster_report report = COVEY_CLUSTER_REPORT_INIT;
    CHECK_OK(covey_risk_get(risk, 0, &report, &error));
    CHECK(report.struct_size == sizeof report);
    CHECK(report.cluster == 4 && report.rank == 0 && report.size == 10);
    CHECK(report.labelled == 10 && report.fraud == 8 && report.labelled_share == 1);
    CHECK(report.share == 0.8);
    /* Wilson's interval of 8 in 10: 0.4902 to 0.9433. */
    CHECK(fabs(report.share_low - 0.4902) < 5e-5 && fabs(report.share_high - 0.9433) < 5e-5);
    CHECK(fabs(report.lift - 0.8 / 0.09) < 1e-12);
    CHECK(report.loss == 28 && report.amount == 45);
    CHECK(report.first_seen == 991 && report.last_seen == 1000);
    CHECK(report.risky == 1);
    CHECK_OK(covey_risk_get(risk, 1, &report, &error));
    CHECK(report.cluster == 0 && report.rank == 1 && report.fraud == 1 && report.risky == 0 && report.loss == 50);
    CHECK_OK(covey_risk_get(risk, 2, &report, &error));
    CHECK(report.cluster == -1 && report.labelled == 0 && isnan(report.share) && isnan(report.lift));
    CHECK(report.share_low == 0 && report.share_high == 1 && report.size == 15);
    CHECK(covey_risk_get(risk, 3, &report, &error) == COVEY_INVALID_ARGUMENT);
    CHECK(strstr(covey_error_message(error), "rank must be at least 0 and below 3, got 3") != NULL);
    covey_error_destroy(error);
    error = NULL;
    check_files(risk);
    covey_risk_destroy(risk);

    /* Without amounts and times, with a stricter criterion. */
    covey_risk_options options = COVEY_RISK_OPTIONS_INIT;
    options.min_fraud = 9;
    CHECK_OK(covey_cluster_risk(NULL, labels, fraud, NULL, NULL, rows, &options, &risk, &error));
    CHECK_OK(covey_risk_get(risk, 0, &report, &error));
    CHECK(report.risky == 0 && report.loss == 0 && report.amount == 0);
    CHECK(isnan(report.first_seen) && isnan(report.last_seen));
    check_files(risk);
    covey_risk_destroy(risk);

    /* No rows. */
    CHECK_OK(covey_cluster_risk(NULL, NULL, NULL, NULL, NULL, 0, NULL, &risk, &error));
    CHECK(covey_risk_count(risk) == 0 && isnan(covey_risk_base_rate(risk)));
    covey_bytes *bytes = NULL;
    CHECK_OK(covey_risk_write(risk, NULL, &bytes, &error));
    covey_risk *empty = NULL;
    CHECK_OK(covey_risk_read(NULL, covey_bytes_data(bytes), covey_bytes_size(bytes), &empty, &error));
    CHECK(covey_risk_count(empty) == 0);
    covey_bytes_destroy(bytes);
    covey_risk_destroy(empty);
    covey_risk_destroy(risk);
    covey_risk_destroy(NULL);
    CHECK(covey_risk_count(NULL) == 0 && isnan(covey_risk_base_rate(NULL)));
    return finish();
}
