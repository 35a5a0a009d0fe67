/* Section 9 of covey.h: cluster risk. */
#include "abi_test.h"

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
    covey_risk_destroy(risk);

    /* Without amounts and times, with a stricter criterion. */
    covey_risk_options options = COVEY_RISK_OPTIONS_INIT;
    options.min_fraud = 9;
    CHECK_OK(covey_cluster_risk(NULL, labels, fraud, NULL, NULL, rows, &options, &risk, &error));
    CHECK_OK(covey_risk_get(risk, 0, &report, &error));
    CHECK(report.risky == 0 && report.loss == 0 && report.amount == 0);
    CHECK(isnan(report.first_seen) && isnan(report.last_seen));
    covey_risk_destroy(risk);

    /* No rows. */
    CHECK_OK(covey_cluster_risk(NULL, NULL, NULL, NULL, NULL, 0, NULL, &risk, &error));
    CHECK(covey_risk_count(risk) == 0 && isnan(covey_risk_base_rate(risk)));
    covey_risk_destroy(risk);
    covey_risk_destroy(NULL);
    CHECK(covey_risk_count(NULL) == 0 && isnan(covey_risk_base_rate(NULL)));
    return finish();
}
