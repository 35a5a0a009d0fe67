/* Finds the near pairs of two blocks of rows, from products that stay in registers. */
#ifndef CK_PAIRS_H
#define CK_PAIRS_H

#include <stdint.h>

/* The largest number of columns of a panel, and the number of columns in a group. */
#define CK_PANEL_COLUMNS 256
#define CK_PANEL_GROUP 16

/* Packs `count` rows of `stride` floats as the columns of a panel, multiplied by -2. The rows are those in the list
 * `places`; NULL means the first ones. Columns are stored in groups of 16, each [depth][16]; the last group is padded
 * with zeros. The first `depth` floats of a row are used. */
void ck_pack_panel(int64_t count, const int32_t *places, int64_t depth, const float *rows, int64_t stride,
                   float *panel);

/* A block of rows and the columns of a panel. With g(i, j) = -2 x_i . y_j, a pair is near if g(i, j) <=
 * max(row_thresholds[i] - column_biases[j], column_thresholds[j] - row_biases[i]). */
typedef struct ck_pairs {
    int64_t rows;          /* m, at most 65536 */
    int64_t columns;       /* n, at most CK_PANEL_COLUMNS */
    int64_t depth;         /* The number of terms of a product. */
    int64_t prefix;        /* The number of terms after which the tails bound the rest; 0 = none. */
    int64_t stride;        /* Floats from one row to the next. */
    const float *numbers;  /* The rows. */
    const int32_t *places; /* The indices of the m rows in the block; NULL = the first ones. */
    const float *panel;
    const float *row_thresholds; /* By index in the block. */
    const float *row_biases;     /* By index in the block. */
    const float *row_tails;      /* By index in the block: an upper bound of the norm of the terms after the prefix. */
    const float *column_thresholds;
    const float *column_biases;
    const float *column_tails;
} ck_pairs;

/* The result of a search. */
typedef struct ck_pairs_found {
    int64_t count;
    int64_t tiles;     /* Register tiles that were begun. */
    int64_t abandoned; /* Register tiles that ended at the prefix. */
} ck_pairs_found;

/* Writes the near pairs as place << 16 | column, in no defined order. `hits` needs space for m x n pairs. `set` is
 * described in encoder.h; sums may differ between instruction sets. */
ck_pairs_found ck_near_pairs(int set, const ck_pairs *pairs, uint32_t *hits);

#endif
