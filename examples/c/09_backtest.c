/* 9. Backtest: what a rule would have done before it goes live.
 *
 * Rules are learnt from the first half of the sample and run on the second half, of which the search knew nothing: what
 * they catch and what it costs in false alarms, how much the last rule adds to the others, the same week by week, and
 * the transactions on which another set decides differently.
 *
 *   09_backtest [FOLDER]      the folder of the sample; default examples/data */
#include "check.h"
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>

/* The rows from `first` on: the same memory, seen from a later row. */
static covey_table later_rows(const sample *sample, int64_t first, covey_column *columns) {
    static const size_t sizes[] = {sizeof(double), sizeof(int32_t), sizeof(int8_t), sizeof(double)};
    covey_table table = sample->features;
    for (int64_t i = 0; i < table.column_count; i++) {
        columns[i] = sample->columns[i];
        columns[i].values = (const char *)columns[i].values + (size_t)first * sizes[columns[i].kind];
    }
    table.columns = columns;
    table.rows = sample->transactions - first;
    return table;
}

static void print(const char *name, const covey_backtest_report *report) {
    printf("%-8s matches %4lld: %3lld fraud, %3lld legitimate; %8.0f of %8.0f in money is fraud", name,
           (long long)report->rows, (long long)report->fraud, (long long)report->legitimate, report->fraud_amount,
           report->amount);
    /* Not a number if none of them is labelled. */
    if (report->precision == report->precision)
        printf("; precision %.0f %% (%.0f to %.0f)", 100 * report->precision, 100 * report->precision_low,
               100 * report->precision_high);
    printf("\n");
}

int main(int argc, char **argv) {
    covey_error *error = NULL;
    covey_rules *rules = NULL, *strict = NULL;
    covey_backtest *backtest = NULL;
    covey_rules_options options = COVEY_RULES_OPTIONS_INIT;
    covey_backtest_options run = COVEY_BACKTEST_OPTIONS_INIT;
    covey_backtest_report report = COVEY_BACKTEST_REPORT_INIT;
    covey_column columns[SAMPLE_FEATURES];
    covey_table before, after;
    sample sample;
    uint8_t *target = NULL, *live = NULL;
    char name[32];
    int64_t i, half, count;
    int failed = 1;

    if (!sample_read(argc > 1 ? argv[1] : "examples/data", &sample)) goto done;
    half = sample.transactions / 2;
    before = sample_features(&sample, half);
    after = later_rows(&sample, half, columns);

    /* Rules for known fraud, and a set that has to be surer. */
    target = malloc((size_t)half);
    if (target == NULL) goto done;
    for (i = 0; i < half; i++) target[i] = sample.label[i] == COVEY_LABEL_FRAUD;
    options.target_name = "known fraud";
    options.min_support = 3;
    options.max_rules = 4;
    options.min_lift = 5;
    options.min_precision = 0.05; /* Fraud without a label counts as the rest. */
    options.significance = 0;     /* Judged here by what it does later. */
    CHECK(covey_extract_rules(NULL, &before, target, &options, &rules, &error));
    options.min_precision = 0.4;
    CHECK(covey_extract_rules(NULL, &before, target, &options, &strict, &error));
    count = covey_rules_count(rules);
    if (count == 0) {
        printf("No rule: %s\n", covey_rules_note(rules));
        failed = 0;
        goto done;
    }

    /* All but the last one are in force already. */
    live = malloc((size_t)count);
    if (live == NULL) goto done;
    for (i = 0; i < count; i++) live[i] = i < count - 1;
    run.amounts = sample_numbers(&sample, "amount") + half;
    run.times = sample.time + half;
    run.live = live;
    run.shadow = strict;
    CHECK(covey_backtest_run(NULL, rules, &after, sample.label + half, &run, &backtest, &error));

    printf("%lld rules on %lld later transactions\n\n", (long long)count, (long long)after.rows);
    for (i = 0; i < count; i++) {
        CHECK(covey_backtest_get(backtest, i, &report, &error));
        snprintf(name, sizeof name, "rule %lld", (long long)i + 1);
        print(name, &report);
        printf("         %s\n", covey_rules_text(rules, i));
    }
    printf("         beside the rules in force rule %lld adds %lld transactions, %lld of them fraud\n",
           (long long)count, (long long)report.added_rows, (long long)report.added_fraud);
    CHECK(covey_backtest_get(backtest, COVEY_BACKTEST_ANY, &report, &error));
    print("any", &report);

    printf("\nWeek by week\n");
    for (i = 0; i < covey_backtest_period_count(backtest); i++) {
        CHECK(covey_backtest_period(backtest, COVEY_BACKTEST_ANY, i, &report, &error));
        snprintf(name, sizeof name, "week %lld", (long long)i + 1);
        print(name, &report);
    }

    printf("\nAgainst the surer set\n");
    CHECK(covey_backtest_shadow(backtest, COVEY_SHADOW_BOTH, &report, &error));
    print("both", &report);
    CHECK(covey_backtest_shadow(backtest, COVEY_SHADOW_FIRST, &report, &error));
    print("first", &report);
    CHECK(covey_backtest_shadow(backtest, COVEY_SHADOW_SECOND, &report, &error));
    print("second", &report);
    failed = 0;
    goto done;

failed:
    fprintf(stderr, "%s\n", covey_error_message(error));
done:
    covey_error_destroy(error);
    covey_backtest_destroy(backtest);
    covey_rules_destroy(rules);
    covey_rules_destroy(strict);
    free(target);
    free(live);
    sample_free(&sample);
    return failed;
}
