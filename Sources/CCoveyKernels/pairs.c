#include "pairs.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "encoder.h"

/* The bounds of the columns of a panel. Columns after the last one are near to no row. */
typedef struct columns {
    float thresholds[CK_PANEL_COLUMNS];
    float biases[CK_PANEL_COLUMNS];
    float tails[CK_PANEL_COLUMNS];
} columns;

#define CK_KERNELS "pairs_kernels.h"
#include "instruction_sets.h"

void ck_pack_panel(int64_t count, const int32_t *places, int64_t depth, const float *rows, int64_t stride,
                   float *panel) {
    for (int64_t first = 0; first < count; first += CK_PANEL_GROUP) {
        float *group = panel + first * depth;
        for (int64_t j = 0; j < CK_PANEL_GROUP; j++) {
            if (first + j >= count) {
                for (int64_t k = 0; k < depth; k++) group[k * CK_PANEL_GROUP + j] = 0;
                continue;
            }
            const float *row = rows + (places ? places[first + j] : first + j) * stride;
            for (int64_t k = 0; k < depth; k++) group[k * CK_PANEL_GROUP + j] = -2 * row[k];
        }
    }
}

ck_pairs_found ck_near_pairs(int set, const ck_pairs *pairs, uint32_t *hits) {
    columns columns;
    int64_t n = pairs->columns, filled = (n + CK_PANEL_GROUP - 1) / CK_PANEL_GROUP * CK_PANEL_GROUP;
    memcpy(columns.thresholds, pairs->column_thresholds, (size_t)n * sizeof(float));
    memcpy(columns.biases, pairs->column_biases, (size_t)n * sizeof(float));
    if (pairs->prefix > 0) memcpy(columns.tails, pairs->column_tails, (size_t)n * sizeof(float));
    for (int64_t j = n; j < filled; j++) {
        columns.thresholds[j] = -INFINITY;
        columns.biases[j] = INFINITY;
        columns.tails[j] = 0;
    }
    ck_pairs_found found;
#define CK_CALL(name) found = near_pairs_##name(pairs, &columns, hits)
    CK_DISPATCH(set)
#undef CK_CALL
    return found;
}
