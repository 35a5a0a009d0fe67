/* Find: the whole road in one call, with its defaults, on the sample. What is known of fraud goes in; who else is
 * likely to be fraud comes out, and the truth, which Covey has not seen, says how good that is.
 *
 *   08_find [FOLDER]    FOLDER is that of the sample, default examples/data */
#include "check.h"
#include "sample.h"
#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static covey_status print_groups(const covey_found *found, covey_error **error) {
    printf("\n  group  size  known fraud  not known  estimated share (95 %%)   lift  worth EUR  seen\n");
    for (int64_t index = 0; index < covey_found_group_count(found); index++) {
        covey_risky_group group = COVEY_RISKY_GROUP_INIT;
        covey_status status = covey_found_group(found, index, &group, error);
        if (status != COVEY_OK) return status;
        printf("  %5lld  %4lld  %11lld  %9lld       %3.0f %%  (%2.0f to %3.0f)    %4.0f  %9s  %s to ", (long long)index,
               (long long)group.rows, (long long)group.fraud, (long long)group.unknown, 100 * group.share,
               100 * group.share_low, 100 * group.share_high, group.lift, with_commas((int64_t)group.amount),
               as_day(SAMPLE_EPOCH + group.first_seen));
        printf("%s%s\n", as_day(SAMPLE_EPOCH + group.last_seen), group.of_evidence ? "  by all evidence together" : "");
    }
    return COVEY_OK;
}

static void print_truth(const sample *sample, const uint8_t *risky) {
    int64_t flagged = 0, hits = 0, fraud = 0, open = 0, new_hits = 0, unknown_fraud = 0;
    for (int64_t row = 0; row < sample->transactions; row++) {
        int is_open = sample->label[row] != COVEY_LABEL_FRAUD;
        flagged += risky[row];
        hits += risky[row] && sample->fraud[row];
        fraud += sample->fraud[row];
        open += risky[row] && is_open;
        new_hits += risky[row] && is_open && sample->fraud[row];
        unknown_fraud += is_open && sample->fraud[row];
    }
    printf("\n  %lld transactions are in risky groups; the truth says that %lld of them are fraud, of %lld in all.\n",
           (long long)flagged, (long long)hits, (long long)fraud);
    printf("  Of the %lld that nobody has noticed yet %lld are fraud, of %lld.\n", (long long)open, (long long)new_hits,
           (long long)unknown_fraud);
}

int main(int argc, char **argv) {
    const char *folder = argc > 1 ? argv[1] : "examples/data";
    char path[1024];
    covey_error *error = NULL;
    covey_encoder *encoder = NULL;
    covey_found *found = NULL;
    covey_sequences sequences;
    sample sample;
    int32_t *types = NULL;
    uint8_t *risky = NULL;
    double start;
    int64_t index, rules;
    int failed = 1;

    if (!sample_read(folder, &sample)) goto done;
    snprintf(path, sizeof path, "%s/shop.safetensors", folder);
    CHECK(covey_load_model(NULL, path, &encoder, &error));
    types = malloc((size_t)sample.events * sizeof *types);
    risky = malloc((size_t)sample.transactions);
    if (types == NULL || risky == NULL) goto done;
    CHECK(sample_sequences(&sample, covey_encoder_vocabulary(encoder), sample.transactions, types, &sequences, &error));

    start = seconds_now();
    CHECK(covey_find(NULL, &sequences, NULL, &sample.features, sample.label, sample_numbers(&sample, "amount"),
                     sample.time, sample.transactions, encoder, NULL, &found, &error));
    printf("%lld risky groups in %.1f seconds, with the defaults.\n", (long long)covey_found_group_count(found),
           seconds_now() - start);
    CHECK(print_groups(found, &error));
    CHECK(covey_found_risky(found, risky, sample.transactions, &error));
    print_truth(&sample, risky);
    printf("\n");
    rules = covey_rules_count(covey_found_rules(found));
    for (index = 0; index < rules; index++)
        print_wrapped("  Rule: ", covey_rules_text(covey_found_rules(found), index));
    for (index = 0; index < covey_found_finding_count(found); index++)
        print_wrapped("  Note: ", covey_found_finding_text(found, index));
    failed = 0;

failed:
    if (failed) fprintf(stderr, "%s\n", covey_error_message(error));
done:
    covey_error_destroy(error);
    covey_found_destroy(found);
    covey_encoder_destroy(encoder);
    free(types);
    free(risky);
    sample_free(&sample);
    return failed;
}
