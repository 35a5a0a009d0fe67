/* The pairs of two blocks of rows that are near enough, from a product that never leaves the registers. */
#ifndef CK_PAIRS_H
#define CK_PAIRS_H

#include <stdint.h>

/* Columns of a panel at the most, and the columns that lie together in it. */
#define CK_PANEL_COLUMNS 256
#define CK_PANEL_GROUP 16

/* Packs `count` rows (those of the list `places`, NULL = the first ones) of `stride` floats as the columns of a panel: times
 * -2, in groups of 16 columns, each [depth][16], the last group filled up with zeros. `depth` floats of a row are taken. */
void ck_pack_panel(int64_t count, const int32_t *places, int64_t depth, const float *rows, int64_t stride, float *panel);

/* A block of rows against the columns of a panel. g(i, j) = -2 x_i . y_j is below
 * max(row_thresholds[i] - column_biases[j], column_thresholds[j] - row_biases[i]) or equal to it for a near pair. */
typedef struct ck_pairs {
    int64_t rows;                /* m, at most 65536 */
    int64_t columns;             /* n, at most CK_PANEL_COLUMNS */
    int64_t depth;               /* Terms of the products. */
    int64_t prefix;              /* After so many terms (0 = none) what the rest can add is bounded by the tails. */
    int64_t stride;              /* Floats from a row to the next. */
    const float *numbers;        /* The rows. */
    const int32_t *places;       /* The m rows that are looked at, by their place in the block; NULL = the first ones. */
    const float *panel;
    const float *row_thresholds; /* By place. */
    const float *row_biases;     /* By place. */
    const float *row_tails;      /* By place: at least the length of the terms beyond the prefix. */
    const float *column_thresholds;
    const float *column_biases;
    const float *column_tails;
} ck_pairs;

/* What a search found. */
typedef struct ck_pairs_found {
    int64_t count;
    int64_t tiles;     /* Register tiles that were begun, */
    int64_t abandoned; /* and those that ended at the prefix. */
} ck_pairs_found;

/* The near pairs as place << 16 | column, in no order; room for m x n. `set`: see encoder.h; sums may differ between them. */
ck_pairs_found ck_near_pairs(int set, const ck_pairs *pairs, uint32_t *hits);

#endif
