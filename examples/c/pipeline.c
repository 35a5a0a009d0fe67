/* The whole road on the sample: from click streams to a scored transaction, printed as an investigator would want it.
 *
 *   pipeline [FOLDER] [--write OUTPUT]
 *
 * FOLDER is that of the sample, default examples/data. covey_find finds the fraud with its defaults. Then the same road
 * is gone stage by stage, with options that were picked for the sample. With --write, what Covey computed also goes
 * into files in the folder OUTPUT, which must exist: the test that compares C, Python and Java does so. road.c makes
 * the calls; this file prints. */
#include "road.h"
#include "terminal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed(covey_error *error) {
    fprintf(stderr, "%s\n", covey_error_message(error));
    covey_error_destroy(error);
    return 0;
}

/* --------------------------------------------------------------------------------------------------- data and times */

static int by_length(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int print_data(const sample *sample) {
    int64_t n = sample->transactions, fraud = 0, legitimate = 0, i;
    int64_t *lengths = malloc((size_t)(n + 1) * sizeof *lengths);
    if (lengths == NULL || n == 0) {
        free(lengths);
        return 0;
    }
    for (i = 0; i < n; i++) {
        lengths[i] = sample->offsets[i + 1] - sample->offsets[i];
        fraud += sample->label[i] == COVEY_LABEL_FRAUD;
        legitimate += sample->label[i] == COVEY_LABEL_LEGITIMATE;
    }
    qsort(lengths, (size_t)n, sizeof *lengths, by_length);
    print_heading("The data: a simulated shop");
    printf("  %s transactions from %s to %s, each with the clicks that led to it:\n", with_commas(n),
           as_date(SAMPLE_EPOCH + sample->time[0]), as_date(SAMPLE_EPOCH + sample->time[n - 1]));
    printf("  %s events, %lld a transaction in the median, %lld at most. %d expert features.\n",
           with_commas(sample->events), (long long)lengths[n / 2], (long long)lengths[n - 1], SAMPLE_FEATURES);
    printf("  Chargebacks come weeks late: %s known frauds, %s known legitimate, %s not known yet.\n",
           with_commas(fraud), with_commas(legitimate), with_commas(n - fraud - legitimate));
    free(lengths);
    return 1;
}

static void print_stage(const char *name, const char *result, double seconds) {
    printf("  %-20s%-66s", name, result);
    if (seconds < 0.9995) printf("%8.1f ms\n", 1e3 * seconds);
    else printf("%8.2f s\n", seconds);
}

static void print_stages(const road *road) {
    const road_times *times = &road->times;
    char text[100];
    int64_t n = road->sample.transactions, noise = 0, rules = 0, picked[2] = {0, 0}, found[2] = {0, 0}, i, r;
    for (i = 0; i < n; i++) {
        int is_risky = 0;
        for (r = 0; r < road->risky; r++) is_risky |= road->labels[i] == road->rule_clusters[r];
        noise += road->labels[i] < 0;
        picked[0] += is_risky;
        picked[1] += is_risky && road->sample.fraud[i];
        found[0] += road->groups[i] >= 0;
        found[1] += road->groups[i] >= 0 && road->sample.fraud[i];
    }
    for (i = 0; i < road->risky; i++) rules += covey_rules_count(road->rules[i]);
    print_heading("The same road, stage by stage, with options that were picked for this sample");
    snprintf(text, sizeof text, "%lld event types, embeddings of %lld numbers",
             (long long)covey_vocabulary_size(covey_encoder_vocabulary(road->encoder)) - 1, (long long)road->dimension);
    print_stage("Load model", text, times->load);
    snprintf(text, sizeof text, "%s sequences, %.1f million events a second", with_commas(n),
             1e-6 * (double)road->sample.events / times->embed);
    print_stage("Embed sequences", text, times->embed);
    snprintf(text, sizeof text, "%lld columns: behaviour and expert features side by side", (long long)road->columns);
    print_stage("Hybrid features", text, times->hybrid);
    snprintf(text, sizeof text, "%lld clusters of %s transactions; %s belong to none",
             (long long)covey_clustering_clusters(road->clustering), with_commas(n - noise), with_commas(noise));
    print_stage("Cluster matrix", text, times->cluster);
    snprintf(text, sizeof text, "%lld risky clusters; base rate %.1f %%", (long long)road->risky,
             100 * covey_risk_base_rate(road->risk));
    print_stage("Cluster risk", text, times->risk);
    snprintf(text, sizeof text, "%lld rules that hold on rows the search never saw", (long long)rules);
    print_stage("Extract rules", text, times->rules);
    print_stage("Build engine", "encoder, scaling, clusters, risk and rules in one file", times->engine);
    snprintf(text, sizeof text, "%s transactions in one batch", with_commas(covey_scores_count(road->scores)));
    print_stage("Score", text, times->score);
    printf("\n  These risky clusters hold %lld frauds in %lld transactions; with the defaults it was %lld in %lld.\n",
           (long long)picked[1], (long long)picked[0], (long long)found[1], (long long)found[0]);
}

/* ----------------------------------------------------------------------------------------------------- risky groups */

static int print_groups(const road *road) {
    int64_t index, count = covey_found_group_count(road->found), rows = 0, fraud = 0, unknown = 0;
    double amount = 0;
    char line[200];
    print_heading("Risky groups, found with the defaults");
    print_bold("  group  size  known fraud  not known  estimated fraud (95 %)    lift  worth EUR  seen");
    for (index = 0; index < count; index++) {
        covey_risky_group group = COVEY_RISKY_GROUP_INIT;
        covey_error *error = NULL;
        if (covey_found_group(road->found, index, &group, &error) != COVEY_OK) return failed(error);
        rows += group.rows;
        fraud += group.fraud;
        unknown += group.unknown;
        amount += group.amount;
        printf("  %5lld  %4lld  %11lld  %9lld      %3.0f %%  (%2.0f to %3.0f)   %3.0f x  %9s  %s to ", (long long)index,
               (long long)group.rows, (long long)group.fraud, (long long)group.unknown, 100 * group.share,
               100 * group.share_low, 100 * group.share_high, group.lift, with_commas((int64_t)(group.amount + 0.5)),
               as_day(SAMPLE_EPOCH + group.first_seen));
        printf("%s\n", as_day(SAMPLE_EPOCH + group.last_seen));
    }
    snprintf(line, sizeof line, "  %5s  %4lld  %11lld  %9lld  %31s  %9s", "all", (long long)rows, (long long)fraud,
             (long long)unknown, "", with_commas((int64_t)(amount + 0.5)));
    print_bold(line);
    printf("\n");
    for (index = 0; index < covey_found_finding_count(road->found); index++)
        print_wrapped("  Note: ", covey_found_finding_text(road->found, index));
    return 1;
}

/* -------------------------------------------------------------------------------- what the truth says of the groups */

typedef struct tally {
    int64_t size, fraud, unlabelled, open, mostly, mostly_count;
    double amount; /* Of the unlabelled fraud. */
} tally;

/* Counts a group's rows against the truth. */
static tally tally_group(const road *road, int64_t group) {
    const sample *sample = &road->sample;
    const double *amount = sample_numbers(sample, "amount");
    tally sum = {0, 0, 0, 0, -1, 0, 0};
    int64_t i, ring;
    for (i = 0; i < sample->transactions; i++) {
        if (road->groups[i] != group) continue;
        sum.size++;
        sum.fraud += sample->fraud[i];
        sum.open += sample->label[i] != COVEY_LABEL_FRAUD;
        if (sample->fraud[i] && sample->label[i] != COVEY_LABEL_FRAUD) {
            sum.unlabelled++;
            sum.amount += amount[i];
        }
    }
    for (ring = 0; ring < sample->ring_names.count; ring++) {
        int64_t members = 0;
        for (i = 0; i < sample->transactions; i++) members += road->groups[i] == group && sample->ring[i] == ring;
        if (members > sum.mostly_count) {
            sum.mostly = ring;
            sum.mostly_count = members;
        }
    }
    return sum;
}

static double percent(int64_t part, int64_t whole) { return whole > 0 ? 100.0 * (double)part / (double)whole : 0; }

static void print_truth(const road *road) {
    const sample *sample = &road->sample;
    int64_t r, i, rings = 0, fraud = 0, unlabelled = 0, caught = 0, rest = 0;
    int64_t groups = covey_found_group_count(road->found);
    tally all = {0, 0, 0, 0, -1, 0, 0};
    char line[200], text[1000];
    for (i = 0; i < sample->transactions; i++) {
        rings += sample->ring[i] >= 0;
        fraud += sample->fraud[i];
        unlabelled += sample->fraud[i] && sample->label[i] != COVEY_LABEL_FRAUD;
        rest += sample->label[i] != COVEY_LABEL_FRAUD;
        caught += road->groups[i] >= 0 && sample->ring[i] >= 0;
    }
    print_heading("The unlabelled fraud in them: what the truth says, which Covey has not seen");
    print_bold("  group    to look at  fraud in it  precision     worth EUR   mostly                 of that ring");
    for (r = 0; r < groups; r++) {
        tally sum = tally_group(road, r);
        int64_t members = 0;
        for (i = 0; i < sample->transactions; i++) members += sum.mostly >= 0 && sample->ring[i] == sum.mostly;
        printf("  %7lld  %10lld  %11lld  %7.0f %%  %12s   %-20s %6lld of %lld\n", (long long)r, (long long)sum.open,
               (long long)sum.unlabelled, percent(sum.unlabelled, sum.open), with_commas((int64_t)(sum.amount + 0.5)),
               sum.mostly < 0 ? "-" : sample->ring_names.names[sum.mostly], (long long)sum.mostly_count,
               (long long)members);
        all.size += sum.size;
        all.fraud += sum.fraud;
        all.open += sum.open;
        all.unlabelled += sum.unlabelled;
        all.amount += sum.amount;
    }
    snprintf(line, sizeof line, "  %7s  %10lld  %11lld  %7.0f %%  %12s   %-20s %6lld of %lld", "all",
             (long long)all.open, (long long)all.unlabelled, percent(all.unlabelled, all.open),
             with_commas((int64_t)(all.amount + 0.5)), "all rings", (long long)caught, (long long)rings);
    print_bold(line);
    snprintf(text, sizeof text,
             "Looking at these %s of %s transactions finds %s of the %s frauds that no chargeback has shown yet (%.0f "
             "%%); among as many taken at random there would be about %.1f. With the known ones, the groups are %.0f "
             "%% fraud; they "
             "hold %.0f %% of the rings and %.0f %% of all fraud.",
             with_commas(all.open), with_commas(rest), with_commas(all.unlabelled), with_commas(unlabelled),
             percent(all.unlabelled, unlabelled), (double)all.open * (double)unlabelled / (double)(rest > 0 ? rest : 1),
             percent(all.fraud, all.size), percent(caught, rings), percent(all.fraud, fraud));
    printf("\n");
    print_wrapped("  ", text);
}

/* ------------------------------------------------------------------------------------------------------------ rules */

static void print_rules(const road *road) {
    const covey_rules *rules = covey_found_rules(road->found);
    int64_t index, count = covey_rules_count(rules);
    print_heading("Rules for fraud, measured on transactions that the search never saw");
    if (count == 0) printf("  no rule of these features holds on unseen rows\n");
    for (index = 0; index < count; index++) print_wrapped("  - ", covey_rules_text(rules, index));
}

/* ------------------------------------------------------------------------------------------ one transaction, scored */

/* The latest fraud that nobody has noticed yet and that lies in a risky group; -1 without any. */
static int64_t unnoticed_fraud(const road *road) {
    const sample *sample = &road->sample;
    int64_t i;
    for (i = sample->transactions - 1; i >= 0; i--) {
        if (sample->fraud[i] && sample->label[i] == COVEY_LABEL_UNKNOWN && road->groups[i] >= 0) return i;
    }
    return -1;
}

static void print_features(const sample *sample, int64_t row) {
    char text[2048] = "";
    int f;
    for (f = 0; f < SAMPLE_FEATURES; f++) {
        const covey_column *column = &sample->columns[f];
        size_t used = strlen(text), rest = sizeof text - used;
        const char *comma = used > 0 ? ", " : "";
        if (column->kind == COVEY_NUMERIC) {
            double value = ((const double *)column->values)[row];
            if (isnan(value)) snprintf(text + used, rest, "%s%s ?", comma, column->name);
            else snprintf(text + used, rest, "%s%s %g", comma, column->name, value);
        } else if (column->kind == COVEY_CATEGORICAL) {
            int32_t code = ((const int32_t *)column->values)[row];
            snprintf(text + used, rest, "%s%s %s", comma, column->name, code < 0 ? "?" : column->categories[code]);
        } else if (((const int8_t *)column->values)[row] == 1) {
            snprintf(text + used, rest, "%s%s", comma, column->name);
        }
    }
    print_wrapped("  ", text);
}

static void print_clicks(const road *road, int64_t row) {
    const sample *sample = &road->sample;
    int64_t first = sample->offsets[row], end = sample->offsets[row + 1], i;
    print_bold("\n  The clicks that led to it         attention");
    for (i = first; i < end; i++) {
        printf("  %8.1f s  %-12s          %4.0f %%  ", sample->seconds[i] - sample->seconds[end - 1],
               sample->event_names.names[sample->event[i]], 100.0 * road->attention[i]);
        print_bar(road->attention[i], 40);
        printf("\n");
    }
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Scores one transaction as a payment page would: alone. *seconds receives the median of many calls. */
static covey_scores *score_alone(const road *road, int64_t row, double *seconds) {
    enum { CALLS = 201 };
    double times[CALLS];
    covey_column columns[SAMPLE_FEATURES];
    covey_table features = sample_feature_row(&road->sample, row, columns);
    covey_sequences sequences = road->sequences;
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    covey_context *context = NULL;
    covey_scores *scores = NULL;
    covey_error *error = NULL;
    int call;
    sequences.count = 1;
    sequences.offsets += row; /* The batch is a view: nothing is copied. */
    options.threads = 1;
    if (covey_context_create(&options, &context, &error) == COVEY_OK) {
        for (call = 0; call < CALLS; call++) {
            double start = seconds_now();
            covey_scores_destroy(scores);
            if (covey_engine_score(covey_found_engine(road->found), context, &sequences, &features, &scores, &error) !=
                COVEY_OK)
                break;
            times[call] = seconds_now() - start;
        }
        if (scores != NULL) {
            qsort(times, CALLS, sizeof *times, by_value);
            *seconds = times[CALLS / 2];
        }
    }
    if (scores == NULL) failed(error);
    covey_context_destroy(context);
    return scores;
}

static int print_scored(const road *road) {
    const sample *sample = &road->sample;
    int64_t row = unnoticed_fraud(road), i;
    covey_score score = COVEY_SCORE_INIT;
    covey_scores *scores;
    covey_error *error = NULL;
    double seconds = 0;
    char text[200];
    print_heading("A transaction, scored: fraud that no chargeback has shown yet");
    if (row < 0) {
        printf("  There is none in a risky group.\n");
        return 1;
    }
    scores = score_alone(road, row, &seconds);
    if (scores == NULL) return 0;
    if (covey_scores_get(scores, 0, &score, &error) != COVEY_OK) {
        covey_scores_destroy(scores);
        return failed(error);
    }
    snprintf(text, sizeof text, "  Transaction %s, %s", with_commas(row),
             as_date_and_time(SAMPLE_EPOCH + sample->time[row]));
    print_bold(text);
    print_features(sample, row);
    print_clicks(road, row);
    snprintf(text, sizeof text, "\n  Risk %.2f%s  group %lld, %lld rule%s", score.risk, score.risky ? "  RISKY" : "",
             (long long)score.group, (long long)score.rule_count, score.rule_count == 1 ? " fires" : "s fire");
    print_bold(text);
    snprintf(text, sizeof text,
             "  scored alone, from clicks to reasons, in %.0f microseconds on one thread (median of 201 calls)",
             1e6 * seconds);
    print_dim(text);
    for (i = 0; i < score.reason_count; i++) print_wrapped("    - ", covey_scores_reason(scores, 0, i));
    covey_scores_destroy(scores);
    return 1;
}

int main(int argc, char **argv) {
    const char *folder = "examples/data", *output = NULL;
    road road;
    int i, good;
    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--write") == 0 && i + 1 < argc) output = argv[++i];
        else if (argv[i][0] != '-') folder = argv[i];
        else {
            fprintf(stderr, "usage: pipeline [FOLDER] [--write OUTPUT]\n");
            return 2;
        }
    }
    good = road_walk(folder, &road);
    if (good) {
        printf("\n  Covey %s finds fraud rings by how they behave.\n", covey_version());
        good = print_data(&road.sample);
        if (covey_found_group_count(road.found) == 0) printf("\n  No group is risky by what is known so far.\n");
        else if (good) {
            printf("\n  covey_find took %.1f seconds.\n", road.times.find);
            good = print_groups(&road);
            if (good) print_truth(&road);
            if (good) print_rules(&road);
            good = good && print_scored(&road);
        }
        if (good) print_stages(&road);
        if (good && output != NULL) good = road_write(&road, output);
        printf("\n");
    }
    road_free(&road);
    return good ? 0 : 1;
}
