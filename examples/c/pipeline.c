/* The whole road on the sample: from click streams to a scored transaction, printed as an investigator would want it.
 *
 *   pipeline [FOLDER] [--write OUTPUT]
 *
 * FOLDER is that of the sample, default examples/data. With --write, what Covey computed also goes into files in the
 * folder OUTPUT, which must exist: the test that compares C, Python and Java does so. road.c makes the calls; this file
 * prints. */
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
    int64_t n = road->sample.transactions, noise = 0, rules = 0, i;
    for (i = 0; i < n; i++) noise += road->labels[i] < 0;
    for (i = 0; i < road->risky; i++) rules += covey_rules_count(road->rules[i]);
    print_heading("The road");
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
}

/* ---------------------------------------------------------------------------------------------------- risky clusters */

static int print_risky(const road *road) {
    int64_t rank, size = 0, fraud = 0;
    double loss = 0;
    char line[200];
    print_heading("Risky clusters, by what is known so far");
    print_bold("  cluster  size  labelled  known fraud  share of fraud (95 %)   lift   loss EUR  seen");
    for (rank = 0; rank < covey_risk_count(road->risk); rank++) {
        covey_cluster_report report = COVEY_CLUSTER_REPORT_INIT;
        covey_error *error = NULL;
        if (covey_risk_get(road->risk, rank, &report, &error) != COVEY_OK) return failed(error);
        if (!report.risky) continue;
        size += report.size;
        fraud += report.fraud;
        loss += report.loss;
        printf("  %7lld  %4lld  %8lld  %11lld     %3.0f %%  (%2.0f to %3.0f)   %3.0f x  %9s  %s to ",
               (long long)report.cluster, (long long)report.size, (long long)report.labelled, (long long)report.fraud,
               100 * report.share, 100 * report.share_low, 100 * report.share_high, report.lift,
               with_commas((int64_t)(report.loss + 0.5)), as_day(SAMPLE_EPOCH + report.first_seen));
        printf("%s\n", as_day(SAMPLE_EPOCH + report.last_seen));
    }
    snprintf(line, sizeof line, "  %7s  %4lld            %11lld  %31s  %9s", "all", (long long)size, (long long)fraud,
             "", with_commas((int64_t)(loss + 0.5)));
    print_bold(line);
    return 1;
}

/* -------------------------------------------------------------------------------- what the truth says of the clusters */

typedef struct tally {
    int64_t size, fraud, unlabelled, open, mostly, mostly_count;
    double amount; /* Of the unlabelled fraud. */
} tally;

/* Counts a cluster's rows against the truth. */
static tally tally_cluster(const road *road, int64_t cluster) {
    const sample *sample = &road->sample;
    const double *amount = sample_numbers(sample, "amount");
    tally sum = {0, 0, 0, 0, -1, 0, 0};
    int64_t i, ring;
    for (i = 0; i < sample->transactions; i++) {
        if (road->labels[i] != cluster) continue;
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
        for (i = 0; i < sample->transactions; i++) members += road->labels[i] == cluster && sample->ring[i] == ring;
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
    tally all = {0, 0, 0, 0, -1, 0, 0};
    char line[200], text[1000];
    for (i = 0; i < sample->transactions; i++) {
        int64_t in = 0;
        for (r = 0; r < road->risky; r++) in += road->labels[i] == road->rule_clusters[r];
        rings += sample->ring[i] >= 0;
        fraud += sample->fraud[i];
        unlabelled += sample->fraud[i] && sample->label[i] != COVEY_LABEL_FRAUD;
        rest += sample->label[i] != COVEY_LABEL_FRAUD;
        caught += in && sample->ring[i] >= 0;
    }
    print_heading("The unlabelled fraud in them: what the truth says, which Covey has not seen");
    print_bold("  cluster  to look at  fraud in it  precision     worth EUR   mostly                 of that ring");
    for (r = 0; r < road->risky; r++) {
        tally sum = tally_cluster(road, road->rule_clusters[r]);
        int64_t members = 0;
        for (i = 0; i < sample->transactions; i++) members += sum.mostly >= 0 && sample->ring[i] == sum.mostly;
        printf("  %7lld  %10lld  %11lld  %7.0f %%  %12s   %-20s %6lld of %lld\n", (long long)road->rule_clusters[r],
               (long long)sum.open, (long long)sum.unlabelled, percent(sum.unlabelled, sum.open),
               with_commas((int64_t)(sum.amount + 0.5)), sum.mostly < 0 ? "-" : sample->ring_names.names[sum.mostly],
               (long long)sum.mostly_count, (long long)members);
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
             "%%); among as many "
             "taken at random there would be about %.1f. With the known ones, the clusters are %.0f %% fraud; they "
             "hold %.0f %% of the "
             "rings and %.0f %% of all fraud.",
             with_commas(all.open), with_commas(rest), with_commas(all.unlabelled), with_commas(unlabelled),
             percent(all.unlabelled, unlabelled), (double)all.open * (double)unlabelled / (double)(rest > 0 ? rest : 1),
             percent(all.fraud, all.size), percent(caught, rings), percent(all.fraud, fraud));
    printf("\n");
    print_wrapped("  ", text);
}

/* ------------------------------------------------------------------------------------------------------------- rules */

#define RULES_SHOWN 2 /* Of each cluster, the best. */

static int print_rules(const road *road) {
    int64_t r, i, c;
    print_heading("Rules: the clusters in words, measured on later transactions that the search never saw");
    for (r = 0; r < road->risky; r++) {
        int64_t count = covey_rules_count(road->rules[r]);
        char title[100];
        snprintf(title, sizeof title, "  Cluster %lld", (long long)road->rule_clusters[r]);
        print_bold(title);
        if (count == 0) printf("    no rule of these features holds on unseen rows\n");
        for (i = 0; i < count && i < RULES_SHOWN; i++) {
            covey_rule_report report = COVEY_RULE_REPORT_INIT;
            covey_error *error = NULL;
            char text[4096] = "";
            if (covey_rules_get(road->rules[r], i, &report, &error) != COVEY_OK) return failed(error);
            for (c = 0; c < report.condition_count; c++) {
                size_t used = strlen(text);
                snprintf(text + used, sizeof text - used, "%s%s", c == 0 ? "" : " and ",
                         covey_rules_condition_text(road->rules[r], i, c));
            }
            print_wrapped("    - ", text);
            printf(
                "      %lld of %lld rows in the cluster: precision %.0f %% (%.0f to %.0f), recall %.0f %%, lift %.0f\n",
                (long long)report.support, (long long)report.matched, 100 * report.precision,
                100 * report.precision_low, 100 * report.precision_high, 100 * report.recall, report.lift);
        }
        if (count > RULES_SHOWN) printf("    and %lld more\n", (long long)(count - RULES_SHOWN));
        if (r + 1 < road->risky) printf("\n");
    }
    return 1;
}

/* --------------------------------------------------------------------------------------------- one transaction, scored */

/* The latest fraud that nobody has noticed yet and that lies in a risky cluster; -1 without any. */
static int64_t unnoticed_fraud(const road *road) {
    const sample *sample = &road->sample;
    int64_t i, r;
    for (i = sample->transactions - 1; i >= 0; i--) {
        if (!sample->fraud[i] || sample->label[i] != COVEY_LABEL_UNKNOWN) continue;
        for (r = 0; r < road->risky; r++) {
            if (road->labels[i] == road->rule_clusters[r]) return i;
        }
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
            if (covey_engine_score(road->engine, context, &sequences, &features, &scores, &error) != COVEY_OK) break;
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
        printf("  There is none in a risky cluster.\n");
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
    snprintf(text, sizeof text, "\n  Risk %.2f%s  cluster %lld, strength %.2f, %lld rule%s", score.risk,
             score.risky ? "  RISKY" : "", (long long)score.cluster, score.strength, (long long)score.rule_count,
             score.rule_count == 1 ? " fires" : "s fire");
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
        if (good) print_stages(&road);
        if (road.risky == 0) printf("\n  No cluster is risky by what is known so far.\n");
        else if (good) {
            good = print_risky(&road);
            if (good) print_truth(&road);
            good = good && print_rules(&road) && print_scored(&road);
        }
        if (good && output != NULL) good = road_write(&road, output);
        printf("\n");
    }
    road_free(&road);
    return good ? 0 : 1;
}
