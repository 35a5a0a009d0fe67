/* Finds the near pairs of two blocks of rows from products of 8-bit integers, which are 4 to 20 times as fast as those
 * of floats. A row's codes are about the centroid of its own cell: x - a = s X + e, with integers X from -127 to 127,
 * a scale s for all rows of a block, and a rest e. With y - b = t Y + f and D = a - b,
 *
 *     |x - y|^2 = |x - b|^2 + |y - a|^2 - |D|^2 - 2 (x - a).(y - b)
 *
 * and (x - a).(y - b) differs from s t X.Y by at most |e| |y - b| + |s X| |f| (Cauchy-Schwarz). So a pair is near only
 * if X.Y reaches a sum of one limit of the row and one of the column. */
#ifndef CK_CODES_H
#define CK_CODES_H

#include <stdint.h>

/* How products of codes are computed. All give the same pairs. */
#define CK_CODES_NONE (-1) /* No products of codes. */
#define CK_CODES_PLAIN 0   /* Plain C. It is slower than products of floats. */
#define CK_CODES_VNNI 1    /* AVX-512 VNNI. */
#define CK_CODES_AMX 2     /* AMX. */

/* The best way that the processor has and the process may use (instructions.h). The first call asks the kernel for
 * permission to use AMX, which is for the whole process. The kernel refuses if a thread's signal stack is too small for
 * the state of AMX. */
int ck_codes_best(void);

/* Rows of codes have a multiple of this length, filled with zeros: for AMX, and otherwise. A function that reads n
 * rows may read up to the next multiple of CK_CODES_ROWS. */
#define CK_CODES_AMX_DEPTH 64
#define CK_CODES_DEPTH 4
#define CK_CODES_ROWS 32
/* The largest number of columns for which limits cannot overflow. */
#define CK_CODES_MOST_DEPTH 2048

/* Codes of a block of rows. */
typedef struct ck_coded_rows {
    int8_t *codes;  /* count x depth */
    int32_t *sums;  /* The sum of a row's codes. */
    float *rests;   /* An upper bound of |e|. */
    float *lengths; /* An upper bound of |s X|. */
} ck_coded_rows;

/* Encodes `count` rows of `dimension` floats about a centroid: those in the list of places, each to the same place;
 * NULL = the first ones. Returns s, which is never 0. */
float ck_encode_rows(int64_t count, const int32_t *places, int64_t dimension, int64_t depth, const float *rows,
                     int64_t stride, const float *centroid, ck_coded_rows target);

/* Copies listed rows of codes one after the other. */
void ck_gather_codes(int64_t count, const int32_t *places, int64_t depth, const int8_t *codes, int8_t *target);

/* Packs rows of codes (those in the list; NULL = the first ones) as the columns of a panel, each plus 128: in groups of
 * 16 columns, each [depth / 4][16][4]. */
void ck_pack_codes(int64_t count, const int32_t *places, int64_t depth, const int8_t *codes, uint8_t *panel);

/* What the limits of a block's rows are computed from. Distances are in the tiles' scale, with margins. */
typedef struct ck_code_bounds {
    int64_t count;
    const float *low;      /* By row: a lower bound of the distance to the centroid of the other block's cell. */
    const float *rests;    /* By row, as in ck_coded_rows. */
    const double *norms;   /* By row: the squared length, for the error of rounding. */
    const double *reaches; /* By row: the distance within which it searches; -infinity = it does not search. */
    double other_length;   /* An upper bound of the other block's |y - b|, or of its |s X|. */
    double error;          /* The relative error of rounding. */
    double constant;       /* Subtracted from each row's bound: |D|^2 for one of the blocks, and 0. */
    double scale;          /* 2 s t */
} ck_code_bounds;

/* The limit of a row that does not search. */
#define CK_CODES_NEVER (1 << 29)

/* Computes for each row the smallest integer product that the other block must bring for a pair to be near: for the
 * search of the other block's rows (`bases`) and for its own (`limits`). The sum of a base and of a limit is the limit
 * of a pair. */
void ck_code_limits(const ck_code_bounds *bounds, int32_t *bases, int32_t *limits);

/* The bases alone, of rows that do not search. `reaches` is not used. */
void ck_code_bases(const ck_code_bounds *bounds, int32_t *bases);

/* A block of rows and the columns of a panel. A pair is near if the product of its codes is at least limit + base or
 * base + limit of the row and the column. */
typedef struct ck_coded_pairs {
    int64_t rows;    /* At most CK_PANEL_COLUMNS. */
    int64_t columns; /* At most CK_PANEL_COLUMNS. */
    int64_t depth;   /* A multiple of that of the way, at most CK_CODES_MOST_DEPTH. */
    const int8_t *codes;
    const int32_t *sums;
    const int32_t *row_bases;
    const int32_t *row_limits;
    const uint8_t *panel;
    const int32_t *column_bases;
    const int32_t *column_limits;
} ck_coded_pairs;

/* Writes the near pairs as row << 16 | column, in no defined order, and returns their number. `hits` needs space for
 * rows x columns pairs. */
int64_t ck_near_codes(int way, const ck_coded_pairs *pairs, uint32_t *hits);

/* Keeps the pairs (in place) whose rows are near by their float products, as ck_near_pairs has it with the thresholds
 * and biases of the rows and columns; returns their number. The lists of places are for the rows and columns of the
 * pairs; NULL = the first ones. The rows' thresholds and biases are by place, the columns' by column. A kept pair is
 * place << 16 | column. */
typedef struct ck_float_check {
    int64_t dimension;
    int64_t stride;
    const float *rows;
    const float *columns;
    const int32_t *row_places;
    const int32_t *column_places;
    const float *row_thresholds;
    const float *row_biases;
    const float *column_thresholds;
    const float *column_biases;
} ck_float_check;

int64_t ck_check_pairs(const ck_float_check *check, int64_t count, uint32_t *hits);

#endif
