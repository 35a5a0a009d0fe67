/* 1. Sequences and vocabulary: click streams in the shape that Covey takes.
 *
 * Event types are numbers. A vocabulary gives each name its number and keeps number 0 for names that it does not know.
 * The events of all sequences lie one after the other; `offsets` says where each sequence begins. Nothing is copied: a
 * covey_sequences points at arrays that are yours. */
#include "check.h"

#include <math.h>
#include <stdio.h>

/* Three visits to a shop: an ordinary one, one without any event, and one with an event that nobody has seen before. */
static const char *const EVENTS[] = {"home", "search",  "product",  "product", "cart",
                                     "pay",  "product", "teleport", "pay"};
static const int64_t OFFSETS[] = {0, 6, 6, 9};
static const double SECONDS[] = {0, 4.5, 11, 40, 61, 75, 0, 0.2, 0.3};
static const double DWELL[] = {4, 6, 25, 20, 12, NAN, 0.1, 0.1, NAN}; /* NaN: not measured. */

int main(void) {
    covey_error *error = NULL;
    covey_vocabulary *vocabulary = NULL;
    covey_sequences sequences = COVEY_SEQUENCES_INIT;
    int32_t types[COUNT_OF(EVENTS)];
    int64_t i, s;

    /* From history: names that occur often enough, the most frequent first. Here: every name of the first visit. */
    CHECK(covey_vocabulary_build(NULL, EVENTS, OFFSETS[1], 1, 0, &vocabulary, &error));
    printf("The vocabulary of the first visit, by frequency:\n");
    for (i = 0; i < covey_vocabulary_size(vocabulary); i++) {
        printf("  %lld  %s\n", (long long)i, i == 0 ? "(unknown)" : covey_vocabulary_name(vocabulary, i));
    }

    CHECK(covey_vocabulary_lookup(vocabulary, NULL, EVENTS, COUNT_OF(EVENTS), types, &error));

    sequences.count = COUNT_OF(OFFSETS) - 1;
    sequences.offsets = OFFSETS;
    sequences.types = types;
    sequences.times = SECONDS;
    sequences.dwell = DWELL;

    printf("\n%lld sequences:\n", (long long)sequences.count);
    for (s = 0; s < sequences.count; s++) {
        printf("  %lld:", (long long)s);
        for (i = sequences.offsets[s]; i < sequences.offsets[s + 1]; i++) {
            printf(" %s=%d@%gs", EVENTS[i], (int)sequences.types[i], sequences.times[i]);
        }
        printf("%s\n", sequences.offsets[s] == sequences.offsets[s + 1] ? " (empty: its embedding will be zero)" : "");
    }
    printf("\n\"teleport\" is unknown and counts as type 0. Next: 02_encoder turns sequences into vectors.\n");

    covey_vocabulary_destroy(vocabulary);
    return 0;

failed:
    fprintf(stderr, "%s\n", covey_error_message(error));
    covey_error_destroy(error);
    covey_vocabulary_destroy(vocabulary);
    return 1;
}
