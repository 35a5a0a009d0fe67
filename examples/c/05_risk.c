/* 5. Cluster risk: which clusters are risky, when only part of the fraud is known.
 *
 * Four clusters and the noise, with labels that come late. The share of fraud is taken among the labelled rows alone,
 * and its interval says how much so few labels can tell: two of two is no proof, twelve of fifteen is. */
#include "check.h"

#include <stdio.h>

static const struct {
    int32_t cluster;
    int fraud, legitimate, unknown;
    double amount;      /* Of each row. */
    double first, last; /* Days. */
} GROUPS[] = {
    {0, 12, 3, 30, 240, 11, 29},  /* A ring: most rows have no label yet. */
    {1, 2, 0, 18, 90, 25, 30},    /* Perhaps a ring; too early to say. */
    {2, 4, 900, 600, 45, 0, 30},  /* Customers, with the usual few chargebacks. */
    {3, 0, 0, 25, 60, 28, 30},    /* New: nothing is known. */
    {-1, 9, 700, 500, 80, 0, 30}, /* The noise. */
};

#define MOST 4000

int main(void) {
    static int32_t labels[MOST];
    static int8_t fraud[MOST];
    static double amounts[MOST], times[MOST];
    covey_error *error = NULL;
    covey_risk *risk = NULL;
    covey_risk_options options = COVEY_RISK_OPTIONS_INIT;
    int64_t rows = 0, rank;
    int group, i;

    for (group = 0; group < (int)COUNT_OF(GROUPS); group++) {
        int count = GROUPS[group].fraud + GROUPS[group].legitimate + GROUPS[group].unknown;
        for (i = 0; i < count; i++, rows++) {
            labels[rows] = GROUPS[group].cluster;
            fraud[rows] = i < GROUPS[group].fraud                              ? COVEY_LABEL_FRAUD
                          : i < GROUPS[group].fraud + GROUPS[group].legitimate ? COVEY_LABEL_LEGITIMATE
                                                                               : COVEY_LABEL_UNKNOWN;
            amounts[rows] = GROUPS[group].amount;
            times[rows] = 86400 * (GROUPS[group].first + (GROUPS[group].last - GROUPS[group].first) * i / count);
        }
    }

    options.min_fraud = 3; /* Risky: at least three known frauds ... */
    options.min_lift = 3;  /* ... and a share that is, with 97.5 % confidence, at least three times the base rate. */
    CHECK(covey_cluster_risk(NULL, labels, fraud, amounts, times, rows, &options, &risk, &error));

    printf("%lld rows, base rate %.1f %%\n\n", (long long)rows, 100 * covey_risk_base_rate(risk));
    printf("  rank  cluster   size  labelled  fraud   share (95 %% interval)     lift     loss  seen on days\n");
    for (rank = 0; rank < covey_risk_count(risk); rank++) {
        covey_cluster_report report = COVEY_CLUSTER_REPORT_INIT;
        char name[32], share[64] = "unknown";
        CHECK(covey_risk_get(risk, rank, &report, &error));
        if (report.cluster < 0) snprintf(name, sizeof name, "noise");
        else snprintf(name, sizeof name, "%lld", (long long)report.cluster);
        if (report.labelled > 0) {
            snprintf(share, sizeof share, "%5.1f %% (%.1f to %.1f)", 100 * report.share, 100 * report.share_low,
                     100 * report.share_high);
        }
        printf("  %4lld  %7s  %5lld  %8lld  %5lld   %-23s ", (long long)report.rank, name, (long long)report.size,
               (long long)report.labelled, (long long)report.fraud, share);
        if (report.labelled > 0) printf("%5.1f", report.lift);
        else printf("    -");
        printf("  %7.0f  %2.0f to %2.0f%s\n", report.loss, report.first_seen / 86400, report.last_seen / 86400,
               report.risky ? "  RISKY" : "");
    }

    covey_risk_destroy(risk);
    return 0;

failed:
    fprintf(stderr, "%s\n", covey_error_message(error));
    covey_error_destroy(error);
    covey_risk_destroy(risk);
    return 1;
}
