/* The whole road on the sample: by covey_find with its defaults, and stage by stage with the options of "The canonical
 * road" in examples/data/README.md. */
#ifndef ROAD_H
#define ROAD_H

#include "sample.h"

#define ROAD_SCORED 1000 /* The transactions that step 9 scores. */

typedef struct road_times {
    double load, embed, find, hybrid, cluster, risk, rules, engine, score;
} road_times;

typedef struct road {
    sample sample;
    covey_encoder *encoder;
    covey_found *found;
    covey_hybrid *hybrid;
    covey_clustering *clustering;
    covey_risk *risk;
    covey_rules **rules; /* One set for each risky cluster, in rank order. */
    int64_t *rule_clusters;
    int64_t risky;
    covey_engine *engine;
    covey_scores *scores;

    int32_t *types;
    covey_sequences sequences;
    int64_t dimension, columns;
    float *embeddings, *attention, *hybrids;
    int32_t *groups; /* By found: the risky group of each transaction; -1 = none. */
    double *risks;   /* By found: of each transaction. */
    int32_t *labels;
    double *probabilities;
    road_times times; /* Seconds. */
} road;

/* Walks the road. Returns 1, or 0 after a message on stderr. Free with road_free in both cases. */
int road_walk(const char *folder, road *road);

/* Writes what the hosts' outputs are compared by into a folder that exists; see examples/data/README.md. */
int road_write(const road *road, const char *folder);

void road_free(road *road);

#endif
