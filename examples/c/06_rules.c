/* 6. Rules: what sets a target apart from the rest, in conditions that a person can read and a database can run.
 *
 * The target may be a cluster, or as here the fraud that is already known. Every figure is measured on rows that the
 * search never saw: a random share of them here. For a cluster, `times` would hold the latest rows back, since rules
 * have to hold tomorrow; but the latest fraud is not labelled yet, so that every rule for known fraud would seem to
 * fail there.
 *
 *   06_rules [FOLDER]      the folder of the sample; default examples/data */
#include "check.h"
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    covey_error *error = NULL;
    covey_rules *rules = NULL, *copy = NULL;
    covey_rules_options options = COVEY_RULES_OPTIONS_INIT;
    sample sample;
    uint8_t *target = NULL, *any = NULL;
    covey_buffer *json = NULL, *sql = NULL;
    int64_t i, c, fired = 0, fraud = 0;
    int failed = 1;

    if (!sample_read(argc > 1 ? argv[1] : "examples/data", &sample)) goto done;
    target = malloc((size_t)sample.transactions);
    any = malloc((size_t)sample.transactions);
    if (target == NULL || any == NULL) goto done;
    for (i = 0; i < sample.transactions; i++) target[i] = sample.label[i] == COVEY_LABEL_FRAUD;

    options.target_name = "known fraud";
    options.min_support = 5;
    options.min_precision = 0.2; /* Fraud without a label counts as the rest, so that precision looks low. */
    CHECK(covey_extract_rules(NULL, &sample.features, target, &options, &rules, &error));
    printf("%lld rules, of %lld candidates; %lld fell on the unseen rows\n", (long long)covey_rules_count(rules),
           (long long)covey_rules_tried(rules), (long long)covey_rules_fallen(rules));

    for (i = 0; i < covey_rules_count(rules); i++) {
        covey_rule_report report = COVEY_RULE_REPORT_INIT;
        CHECK(covey_rules_get(rules, i, &report, &error));
        printf("\nRule %lld\n", (long long)i + 1);
        for (c = 0; c < report.condition_count; c++) {
            printf("  %s %s\n", c == 0 ? "where" : "  and", covey_rules_condition_text(rules, i, c));
        }
        printf("  on unseen rows: %lld of %lld are known fraud (%.0f %%, 95 %% interval %.0f to %.0f), lift %.0f, "
               "recall %.0f %%\n",
               (long long)report.support, (long long)report.matched, 100 * report.precision, 100 * report.precision_low,
               100 * report.precision_high, report.lift, 100 * report.recall);
    }

    /* The rules look at every transaction. The truth says what there was to find. */
    CHECK(covey_rules_evaluate(rules, NULL, &sample.features, NULL, any, &error));
    for (i = 0; i < sample.transactions; i++) {
        fired += any[i];
        fraud += any[i] && sample.fraud[i];
    }
    printf("\nOn all %lld transactions a rule fires %lld times; %lld of them are fraud, known or not.\n",
           (long long)sample.transactions, (long long)fired, (long long)fraud);

    /* Out, and back in. */
    CHECK(covey_rules_export(rules, NULL, COVEY_RULES_SQL, NULL, &sql, &error));
    printf("\nAs SQL:\n%s\n", covey_buffer_data(sql));
    CHECK(covey_rules_export(rules, NULL, COVEY_RULES_JSON, NULL, &json, &error));
    CHECK(covey_rules_parse(NULL, covey_buffer_data(json), covey_buffer_size(json), &copy, &error));
    printf("\nAs JSON: %lld bytes, read back as %lld rules.\n", (long long)covey_buffer_size(json),
           (long long)covey_rules_count(copy));
    failed = 0;
    goto done;

failed:
    fprintf(stderr, "%s\n", covey_error_message(error));
done:
    covey_error_destroy(error);
    covey_rules_destroy(rules);
    covey_rules_destroy(copy);
    covey_buffer_destroy(sql);
    covey_buffer_destroy(json);
    free(target);
    free(any);
    sample_free(&sample);
    return failed;
}
