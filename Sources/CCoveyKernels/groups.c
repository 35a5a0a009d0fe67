#include "groups.h"
#include "clones.h"

#include <stdbool.h>

typedef float wide __attribute__((vector_size(64), aligned(4)));
typedef float lanes __attribute__((ext_vector_type(16)));
typedef bool flags __attribute__((ext_vector_type(16)));

enum { PARTS = CK_GROUP / 16 };

static inline __attribute__((always_inline)) void sums_of(const float *group, int64_t d, const float *query,
                                                          const float *bias, wide *sums) {
    for (int part = 0; part < PARTS; part++) sums[part] = (wide){0};
    for (int64_t c = 0; c < d; c++) {
        const float *column = group + c * CK_GROUP;
        for (int part = 0; part < PARTS; part++) sums[part] += *(const wide *)(column + 16 * part) * query[c];
    }
    for (int part = 0; part < PARTS; part++) sums[part] += *(const wide *)(bias + 16 * part);
}

CLONES uint64_t ck_group_near(const float *group, int64_t d, const float *query, const float *bias, float threshold) {
    wide sums[PARTS];
    sums_of(group, d, query, bias, sums);
    uint64_t near = 0;
    for (int part = 0; part < PARTS; part++) {
        flags isNear = __builtin_convertvector((lanes)sums[part] <= (lanes)threshold, flags);
        uint16_t bits;
        __builtin_memcpy(&bits, &isNear, sizeof bits);
        near |= (uint64_t)bits << (16 * part);
    }
    return near;
}

CLONES void ck_group_gaps(const float *group, int64_t d, const float *query, const float *bias, float query_bias,
                          float shrink, const float *radius, float *gaps) {
    wide sums[PARTS];
    sums_of(group, d, query, bias, sums);
    for (int part = 0; part < PARTS; part++) {
        lanes square = __builtin_elementwise_max((lanes)sums[part] + query_bias, (lanes)0.0f);
        lanes distance = __builtin_elementwise_sqrt(square);
        *(wide *)(gaps + 16 * part) = (wide)distance * shrink - *(const wide *)(radius + 16 * part);
    }
}
