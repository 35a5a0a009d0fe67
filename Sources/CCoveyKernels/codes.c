#include "codes.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clones.h"
#include "code_limits.h"
#include "encoder.h"
#include "instructions.h"
#include "pairs.h"

/* ------------------------------------------------------------------------------------------------ what there is */

static int permitted(void) {
#if defined(__x86_64__) && defined(SYS_arch_prctl)
    enum { ASK = 0x1023, TILE_DATA = 18 };
    return syscall(SYS_arch_prctl, ASK, TILE_DATA) == 0;
#else
    return 0;
#endif
}

int ck_codes_best(void) {
    static _Atomic int found = -1;
    int way = atomic_load_explicit(&found, memory_order_relaxed);
    if (way >= 0) return way;
    way = CK_CODES_PLAIN;
    if (ck_encoder_instruction_set() == CK_AVX512 && __builtin_cpu_supports("avx512vnni")) {
        way = CK_CODES_VNNI;
        if (ck_instructions_most() == CK_AMX && __builtin_cpu_supports("amx-tile") &&
            __builtin_cpu_supports("amx-int8") && permitted())
            way = CK_CODES_AMX;
    }
    atomic_store_explicit(&found, way, memory_order_relaxed);
    return way;
}

/* -------------------------------------------------------------------------------------------------------- codes */

/* Numbers that are not negative are in the order of their bits, whose maximum has vector instructions. */
CLONES static float largest(int64_t count, const float *restrict row, const float *restrict centroid) {
    int32_t most = 0;
    for (int64_t c = 0; c < count; c++) {
        float value = fabsf(row[c] - centroid[c]);
        int32_t bits;
        memcpy(&bits, &value, sizeof bits);
        most = bits > most ? bits : most;
    }
    float found;
    memcpy(&found, &most, sizeof found);
    return found;
}

/* The sums of the squares of the rest and of the codes. */
typedef struct squares {
    float rest;
    int32_t codes, sum;
} squares;

CLONES static squares encode(int64_t dimension, const float *restrict row, const float *restrict centroid, float scale,
                             int8_t *restrict codes) {
#pragma clang fp reassociate(on)
    const float inverse = 1 / scale;
    squares found = {0, 0, 0};
    for (int64_t c = 0; c < dimension; c++) {
        float value = row[c] - centroid[c], q = rintf(value * inverse);
        q = q > 127 ? 127 : q;
        q = q < -127 ? -127 : q;
        int32_t code = (int32_t)q;
        codes[c] = (int8_t)code;
        found.sum += code;
        found.codes += code * code;
        float left = value - scale * q;
        found.rest += left * left;
    }
    return found;
}

float ck_encode_rows(int64_t count, const int32_t *places, int64_t dimension, int64_t depth, const float *rows,
                     int64_t stride, const float *centroid, ck_coded_rows target) {
    float most = 0x1p-30f;
    for (int64_t i = 0; i < count; i++) {
        float own = largest(dimension, rows + (places ? places[i] : i) * stride, centroid);
        most = own > most ? own : most;
    }
    const float scale = most / 127;
    /* Rounding changes the difference of a number and the centroid's, its code times the scale, and their difference
     * by at most 2^-24 of the number each, and a sum of d squares by d 2^-24 of itself. */
    const double unit = 0x1p-24, above = 1 + (double)(dimension + 16) * unit;
    for (int64_t line = 0; line < count; line++) {
        const int64_t i = places ? places[line] : line;
        const float *row = rows + i * stride;
        int8_t *codes = target.codes + i * depth;
        squares found = encode(dimension, row, centroid, scale, codes);
        memset(codes + dimension, 0, (size_t)(depth - dimension));
        double rest = sqrt((double)found.rest) * above, length = (double)scale * sqrt((double)found.codes);
        target.sums[i] = found.sum;
        target.rests[i] = (float)((rest + 4 * unit * (length + rest)) * (1 + 0x1p-22) + 0x1p-120);
        target.lengths[i] = (float)(length * (1 + 0x1p-22));
    }
    return scale;
}

void ck_gather_codes(int64_t count, const int32_t *places, int64_t depth, const int8_t *codes, int8_t *target) {
    for (int64_t i = 0; i < count; i++) memcpy(target + i * depth, codes + places[i] * depth, (size_t)depth);
}

void ck_pack_codes(int64_t count, const int32_t *places, int64_t depth, const int8_t *codes, uint8_t *panel) {
    for (int64_t first = 0; first < count; first += GROUP) {
        uint8_t *group = panel + first * depth;
        for (int64_t j = 0; j < GROUP; j++) {
            const int8_t *row = NULL;
            if (first + j < count) row = codes + (places ? places[first + j] : first + j) * depth;
            for (int64_t k = 0; k < depth; k += 4) {
                uint32_t four = 0;
                if (row) memcpy(&four, row + k, 4);
                four ^= 0x80808080u;
                memcpy(group + k * GROUP + j * 4, &four, 4);
            }
        }
    }
}

/* ------------------------------------------------------------------------------------------------------- limits */

static inline int32_t rounded(double limit) {
    double down = floor(limit) - 1;
    int32_t whole = (int32_t)(down < LEAST ? LEAST : down > MOST ? MOST : down);
    return down < LEAST ? ALWAYS : down > MOST ? NEVER : whole;
}

static inline double base_of(const ck_code_bounds *bounds, int64_t i, double other, double error) {
    double distance = bounds->low[i];
    return distance * distance * (1 - 0x1p-40) - other * bounds->rests[i] - error * bounds->norms[i] - bounds->constant;
}

CLONES void ck_code_limits(const ck_code_bounds *bounds, int32_t *bases, int32_t *limits) {
    const double inverse = 1 / bounds->scale, error = bounds->error, other = 2 * bounds->other_length;
    for (int64_t i = 0; i < bounds->count; i++) {
        double base = base_of(bounds, i, other, error), reach = bounds->reaches[i];
        bases[i] = rounded(base * inverse);
        int32_t limit = rounded((base - reach * reach * (1 + 0x1p-40)) * inverse);
        limits[i] = reach >= 0 ? limit : NEVER;
    }
}

CLONES void ck_code_bases(const ck_code_bounds *bounds, int32_t *bases) {
    const double inverse = 1 / bounds->scale, error = bounds->error, other = 2 * bounds->other_length;
    for (int64_t i = 0; i < bounds->count; i++) bases[i] = rounded(base_of(bounds, i, other, error) * inverse);
}

/* ------------------------------------------------------------------------------------------------------- check */

CLONES static float product(int64_t count, const float *a, const float *b) {
#pragma clang fp reassociate(on)
    float sum = 0;
    for (int64_t c = 0; c < count; c++) sum += a[c] * b[c];
    return sum;
}

int64_t ck_check_pairs(const ck_float_check *check, int64_t count, uint32_t *hits) {
    int64_t kept = 0;
    for (int64_t hit = 0; hit < count; hit++) {
        int64_t row = hits[hit] >> 16, column = hits[hit] & 0xffff;
        if (check->row_places) row = check->row_places[row];
        int64_t place = check->column_places ? check->column_places[column] : column;
        float g =
            -2 * product(check->dimension, check->rows + row * check->stride, check->columns + place * check->stride);
        float own = check->row_thresholds[row] - check->column_biases[column];
        float other = check->column_thresholds[column] - check->row_biases[row];
        if (g <= (own > other ? own : other)) hits[kept++] = (uint32_t)(row << 16 | column);
    }
    return kept;
}
