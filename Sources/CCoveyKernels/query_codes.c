#include "query_codes.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "code_limits.h"
#include "encoder.h"

int ck_query_codes_best(void) {
    int has = ck_encoder_instruction_set() == CK_AVX512 && __builtin_cpu_supports("avx512vnni");
    return has ? CK_CODES_VNNI : CK_CODES_PLAIN;
}

static int64_t near_plain(int64_t rows, int64_t depth, const uint8_t *panel, const float *bases,
                          const ck_coded_queries *queries, uint32_t *hits) {
    int64_t found = 0;
    for (int64_t place = 0; place < queries->count; place++) {
        const int8_t *query = queries->codes + queries->listed[place] * depth;
        const int32_t offset = 128 * queries->sums[queries->listed[place]];
        for (int64_t row = 0; row < rows; row++) {
            const uint8_t *codes = panel + row / GROUP * GROUP * depth + row % GROUP * 4;
            int32_t sum = -offset;
            for (int64_t k = 0; k < depth; k++) sum += query[k] * codes[k / 4 * 4 * GROUP + k % 4];
            if (fmaf(-queries->scales[place], (float)sum, bases[row]) <= queries->limits[place])
                hits[found++] = (uint32_t)(place << 16 | row);
        }
    }
    return found;
}

#define VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define UNROLL _Pragma("clang loop unroll(full)")
/* The most queries, and the groups of rows, of a register tile. */
#define HEIGHT 6
#define WIDTH 4

/* The pairs of `height` queries from `first` on with all rows. */
VNNI static inline __attribute__((always_inline)) int64_t near_tile(const int height, int64_t first, int64_t rows,
                                                                    int64_t depth, const uint8_t *panel,
                                                                    const float *bases, const ck_coded_queries *queries,
                                                                    uint32_t *hits, int64_t found) {
    const int64_t groups = (rows + GROUP - 1) / GROUP;
    const int8_t *query[HEIGHT];
    __m512i start[HEIGHT];
    UNROLL for (int q = 0; q < height; q++) {
        const int64_t number = queries->listed[first + q];
        query[q] = queries->codes + number * depth;
        start[q] = _mm512_set1_epi32(-128 * queries->sums[number]);
    }
    for (int64_t group = 0; group < groups; group += WIDTH) {
        const uint8_t *columns[WIDTH];
        const float *base[WIDTH];
        uint64_t there = ~0ull;
        if (rows - group * GROUP < WIDTH * GROUP) there = (1ull << (rows - group * GROUP)) - 1;
        /* If there are fewer groups, the last one is repeated. */
        UNROLL for (int w = 0; w < WIDTH; w++) {
            const int64_t own = group + w < groups ? group + w : groups - 1;
            columns[w] = panel + own * GROUP * depth;
            base[w] = bases + own * GROUP;
        }
        __m512i sum[HEIGHT][WIDTH];
        UNROLL for (int q = 0; q < height; q++) UNROLL for (int w = 0; w < WIDTH; w++) sum[q][w] = start[q];
        for (int64_t k = 0; k < depth; k += 4) {
            __m512i codes[WIDTH];
            UNROLL for (int w = 0; w < WIDTH; w++) codes[w] = _mm512_loadu_si512(columns[w] + k * GROUP);
            UNROLL for (int q = 0; q < height; q++) {
                int32_t four;
                memcpy(&four, query[q] + k, 4);
                const __m512i own = _mm512_set1_epi32(four);
                UNROLL for (int w = 0; w < WIDTH; w++) sum[q][w] = _mm512_dpbusd_epi32(sum[q][w], codes[w], own);
            }
        }
        UNROLL for (int q = 0; q < height; q++) {
            const __m512 scale = _mm512_set1_ps(queries->scales[first + q]);
            const __m512 limit = _mm512_set1_ps(queries->limits[first + q]);
            uint64_t near = 0;
            UNROLL for (int w = 0; w < WIDTH; w++) {
                __m512 bound = _mm512_fnmadd_ps(scale, _mm512_cvtepi32_ps(sum[q][w]), _mm512_loadu_ps(base[w]));
                near |= (uint64_t)_mm512_cmp_ps_mask(bound, limit, _CMP_LE_OQ) << (GROUP * w);
            }
            for (near &= there; near; near &= near - 1)
                hits[found++] = (uint32_t)((first + q) << 16 | (group * GROUP + __builtin_ctzll(near)));
        }
    }
    return found;
}

VNNI static int64_t near_vnni(int64_t rows, int64_t depth, const uint8_t *panel, const float *bases,
                              const ck_coded_queries *queries, uint32_t *hits) {
    int64_t found = 0, first = 0;
#define TILE(HEIGHT) near_tile(HEIGHT, first, rows, depth, panel, bases, queries, hits, found)
    for (; first + HEIGHT <= queries->count; first += HEIGHT) found = TILE(HEIGHT);
    switch (queries->count - first) {
    case 5: return TILE(5);
    case 4: return TILE(4);
    case 3: return TILE(3);
    case 2: return TILE(2);
    case 1: return TILE(1);
    default: return found;
    }
#undef TILE
}

int64_t ck_near_queries(int way, int64_t rows, int64_t depth, const uint8_t *panel, const float *bases,
                        const ck_coded_queries *queries, uint32_t *hits) {
    if (rows == 0) return 0;
    return (way == CK_CODES_VNNI ? near_vnni : near_plain)(rows, depth, panel, bases, queries, hits);
}
