/* 8. Sessions: events arrive one at a time, and every event may be the last one before the payment.
 *
 * A session is a piece of the caller's memory: Covey keeps nothing of it, so that it can lie in a cache or a database,
 * and move between machines. It holds the last 64 events here. After each event the transaction is scored, with the
 * very bytes that covey_engine_score gives for the whole sequence.
 *
 *   08_session [FOLDER]      the folder of the sample; default examples/data */
#include "check.h"
#include "road.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST 64 /* Events that a session keeps. */

/* The riskiest of the transactions that the road has scored, but for those that rules find by their features alone. */
static int64_t riskiest(const road *road) {
    int64_t found = 0;
    double most = -1;
    for (int64_t i = 0; i < covey_scores_count(road->scores); i++) {
        covey_score score = COVEY_SCORE_INIT;
        if (covey_scores_get(road->scores, i, &score, NULL) == COVEY_OK && !score.rule_count && score.risk > most) {
            most = score.risk;
            found = i;
        }
    }
    return found;
}

int main(int argc, char **argv) {
    covey_error *error = NULL;
    covey_scores *scores = NULL;
    covey_session_state state = COVEY_SESSION_STATE_INIT;
    covey_score now = COVEY_SCORE_INIT, whole = COVEY_SCORE_INIT;
    covey_column row[SAMPLE_FEATURES];
    covey_sequences one = COVEY_SEQUENCES_INIT;
    covey_table features;
    int64_t offsets[2] = {0, 0}, size, transaction, event, first;
    road road;
    void *session = NULL;
    int failed = 1;

    if (!road_walk(argc > 1 ? argv[1] : "examples/data", &road)) goto done;
    transaction = riskiest(&road);
    features = sample_feature_row(&road.sample, transaction, row);
    first = road.sample.offsets[transaction];

    size = covey_session_size(road.engine, LARGEST);
    session = malloc((size_t)size);
    if (session == NULL) goto done;
    printf("A session of at most %d events takes %lld bytes, a million of them %.1f GB.\n\nTransaction %lld:\n",
           LARGEST, (long long)size, (double)size / 1e3, (long long)transaction);
    CHECK(covey_session_start(road.engine, session, size, &error));
    for (event = first; event < road.sample.offsets[transaction + 1]; event++) {
        covey_event arrived = COVEY_EVENT_INIT;
        arrived.type = road.types[event];
        arrived.time = road.sample.seconds[event];
        arrived.dwell = &road.sample.dwell[event];
        CHECK(covey_session_add(road.engine, session, size, &arrived, &error));
        CHECK(covey_session_score(road.engine, NULL, session, size, &features, &scores, &error));
        CHECK(covey_scores_get(scores, 0, &now, &error));
        printf("  %-12s risk %.3f, %s\n", road.sample.event_names.names[road.sample.event[event]], now.risk,
               now.risky ? "risky" : "not risky");
        covey_scores_destroy(scores);
        scores = NULL;
    }
    CHECK(covey_session_get(road.engine, session, size, &state, &error));
    printf("The session keeps %lld of %lld events, %lld of them unknown to the encoder.\n", (long long)state.events,
           (long long)state.total, (long long)state.unknown);

    /* The same from the whole sequence: its offsets begin at 0, its columns at its first event. */
    offsets[1] = event - first;
    one.count = 1;
    one.offsets = offsets;
    one.types = road.types + first;
    one.times = road.sample.seconds + first;
    one.dwell = road.sample.dwell + first;
    CHECK(covey_engine_score(road.engine, NULL, &one, &features, &scores, &error));
    CHECK(covey_scores_get(scores, 0, &whole, &error));
    if (offsets[1] <= LARGEST && memcmp(&now, &whole, sizeof now) != 0) goto done;
    printf("The whole sequence has the same score, to the last bit.\n");
    failed = 0;
    goto done;

failed:
    fprintf(stderr, "%s\n", covey_error_message(error));
done:
    covey_error_destroy(error);
    covey_scores_destroy(scores);
    free(session);
    road_free(&road);
    return failed;
}
