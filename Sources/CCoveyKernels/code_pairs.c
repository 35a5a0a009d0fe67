#include "codes.h"

#include <immintrin.h>
#include <string.h>

#include "clones.h"
#include "code_limits.h"

#define MOST_ROWS CK_PANEL_COLUMNS
#define SIDE (2 * GROUP)

/* What the products of a pair are compared with. A product of the panel is that of the codes plus 128 times the sum of
 * the row's codes. The pair is near if the product is at least own + bases[column] or other + limits[column]. */
typedef struct limits {
    _Alignas(64) int32_t own[MOST_ROWS + SIDE];
    _Alignas(64) int32_t other[MOST_ROWS + SIDE];
    _Alignas(64) int32_t bases[CK_PANEL_COLUMNS];
    _Alignas(64) int32_t limits[CK_PANEL_COLUMNS];
} limits;

static void fill(const ck_coded_pairs *pairs, limits *limits) {
    for (int64_t i = 0; i < pairs->rows; i++) {
        limits->own[i] = pairs->row_limits[i] + 128 * pairs->sums[i];
        limits->other[i] = pairs->row_bases[i] + 128 * pairs->sums[i];
    }
    for (int64_t i = pairs->rows; i < pairs->rows + SIDE; i++) limits->own[i] = limits->other[i] = ABSENT;
    const size_t columns = (size_t)pairs->columns * sizeof(int32_t);
    memcpy(limits->bases, pairs->column_bases, columns);
    memcpy(limits->limits, pairs->column_limits, columns);
    for (int64_t j = pairs->columns; j % (4 * GROUP); j++) limits->bases[j] = limits->limits[j] = NEVER;
}

/* Which of the 16 columns from `first` on are there. */
static inline uint32_t present(const ck_coded_pairs *pairs, int64_t first) {
    int64_t count = pairs->columns - first;
    return count >= GROUP ? 0xffff : count <= 0 ? 0 : (1u << count) - 1;
}

static inline int64_t report(int64_t row, int64_t first, uint32_t near, uint32_t *hits, int64_t found) {
    for (; near; near &= near - 1) hits[found++] = (uint32_t)(row << 16 | (first + __builtin_ctz(near)));
    return found;
}

static int64_t near_plain(const ck_coded_pairs *pairs, const limits *limits, uint32_t *hits) {
    int64_t found = 0;
    for (int64_t first = 0; first < pairs->columns; first += GROUP) {
        const uint8_t *panel = pairs->panel + first * pairs->depth;
        for (int64_t i = 0; i < pairs->rows; i++) {
            const int8_t *row = pairs->codes + i * pairs->depth;
            int32_t sums[GROUP] = {0};
            for (int64_t k = 0; k < pairs->depth; k++)
                for (int64_t j = 0; j < GROUP; j++) sums[j] += row[k] * panel[k / 4 * 4 * GROUP + j * 4 + k % 4];
            uint32_t near = 0;
            for (int64_t j = 0; j < GROUP; j++) {
                int own = sums[j] >= limits->own[i] + limits->bases[first + j];
                int other = sums[j] >= limits->other[i] + limits->limits[first + j];
                near |= (uint32_t)(own | other) << j;
            }
            found = report(i, first, near & present(pairs, first), hits, found);
        }
    }
    return found;
}

#define VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
/* Rows and groups of columns of a register tile of VNNI. */
#define HEIGHT 6
#define WIDTH 4

/* Which of a row's 16 products are those of near pairs. */
VNNI static inline __mmask16 near_products(__m512i products, const limits *limits, int64_t row, __m512i bases,
                                           __m512i columns) {
    __m512i own = _mm512_add_epi32(bases, _mm512_set1_epi32(limits->own[row]));
    __m512i other = _mm512_add_epi32(columns, _mm512_set1_epi32(limits->other[row]));
    return _mm512_cmpge_epi32_mask(products, _mm512_min_epi32(own, other));
}

VNNI static int64_t near_vnni(const ck_coded_pairs *pairs, const limits *limits, uint32_t *hits) {
    int64_t found = 0;
    const int64_t depth = pairs->depth, groups = (pairs->columns + GROUP - 1) / GROUP;
    for (int64_t group = 0; group < groups; group += WIDTH) {
        const uint8_t *panel[WIDTH];
        uint64_t there = 0;
        for (int64_t w = 0; w < WIDTH; w++) there |= (uint64_t)present(pairs, (group + w) * GROUP) << (GROUP * w);
        /* If there are fewer groups, the last one is repeated. */
        for (int64_t w = 0; w < WIDTH; w++)
            panel[w] = pairs->panel + (group + w < groups ? group + w : groups - 1) * GROUP * depth;
        for (int64_t i = 0; i < pairs->rows; i += HEIGHT) {
            const int8_t *row[HEIGHT];
            __m512i sum[HEIGHT][WIDTH];
            for (int r = 0; r < HEIGHT; r++)
                row[r] = pairs->codes + (i + r < pairs->rows ? i + r : pairs->rows - 1) * depth;
            _Pragma("clang loop unroll(full)") for (int r = 0; r < HEIGHT; r++)
                _Pragma("clang loop unroll(full)") for (int w = 0; w < WIDTH; w++) sum[r][w] = _mm512_setzero_si512();
            for (int64_t k = 0; k < depth; k += 4) {
                __m512i columns[WIDTH];
                _Pragma("clang loop unroll(full)") for (int w = 0; w < WIDTH; w++) columns[w] =
                    _mm512_loadu_si512(panel[w] + k * GROUP);
                _Pragma("clang loop unroll(full)") for (int r = 0; r < HEIGHT; r++) {
                    int32_t four;
                    memcpy(&four, row[r] + k, 4);
                    __m512i codes = _mm512_set1_epi32(four);
                    _Pragma("clang loop unroll(full)") for (int w = 0; w < WIDTH; w++) sum[r][w] =
                        _mm512_dpbusd_epi32(sum[r][w], columns[w], codes);
                }
            }
            uint64_t near[HEIGHT];
            _Pragma("clang loop unroll(full)") for (int r = 0; r < HEIGHT; r++) {
                near[r] = 0;
                _Pragma("clang loop unroll(full)") for (int w = 0; w < WIDTH; w++) {
                    const int64_t first = (group + w) * GROUP;
                    near[r] |=
                        (uint64_t)near_products(sum[r][w], limits, i + r, _mm512_load_si512(limits->bases + first),
                                                _mm512_load_si512(limits->limits + first))
                        << (GROUP * w);
                }
            }
            for (int r = 0; r < HEIGHT; r++)
                for (uint64_t bits = near[r] & there; bits; bits &= bits - 1)
                    hits[found++] = (uint32_t)((i + r) << 16 | (group * GROUP + __builtin_ctzll(bits)));
        }
    }
    return found;
}

#define AMX __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,amx-tile,amx-int8")))

/* For 16 columns and for each row a number that a product less the column's base reaches if the pair is near. It is
 * close if the columns search within similar distances. */
CLONES static void group_limits(const ck_coded_pairs *pairs, const limits *limits, int64_t first, int32_t *least) {
    int32_t smallest = INT32_MAX;
    for (int64_t j = first; j < first + GROUP && j < pairs->columns; j++) {
        int32_t difference = limits->limits[j] - limits->bases[j];
        smallest = difference < smallest ? difference : smallest;
    }
    if (smallest < ALWAYS / 2) {
        for (int64_t i = 0; i < pairs->rows; i++) least[i] = ALWAYS;
    } else {
        const int32_t within = smallest > NEVER ? NEVER : smallest;
        for (int64_t i = 0; i < pairs->rows; i++) {
            int32_t own = limits->own[i], other = limits->other[i] + within;
            least[i] = own < other ? own : other;
        }
    }
    for (int64_t i = pairs->rows; i < pairs->rows + SIDE; i++) least[i] = ABSENT;
}

/* Looks at 16 x 16 products. */
AMX static inline int64_t scan(const limits *limits, int64_t row, int64_t first, uint32_t there, const int32_t *least,
                               const int32_t *products, uint32_t *hits, int64_t found) {
    const __m512i bases = _mm512_load_si512(limits->bases + first);
    /* For each column the largest margin. No number here is beyond 2^31: see ALWAYS and ABSENT. */
    __m512i most = _mm512_sub_epi32(_mm512_load_si512(products), _mm512_set1_epi32(least[row]));
    _Pragma("clang loop unroll(full)") for (int r = 1; r < GROUP; r++) {
        __m512i line = _mm512_load_si512(products + r * GROUP);
        most = _mm512_max_epi32(most, _mm512_sub_epi32(line, _mm512_set1_epi32(least[row + r])));
    }
    if (__builtin_expect(!(_mm512_cmpge_epi32_mask(most, bases) & there), 1)) return found;
    const __m512i columns = _mm512_load_si512(limits->limits + first);
    for (int r = 0; r < GROUP; r++) {
        uint32_t near = near_products(_mm512_load_si512(products + r * GROUP), limits, row + r, bases, columns);
        found = report(row + r, first, near & there, hits, found);
    }
    return found;
}

AMX static int64_t near_amx(const ck_coded_pairs *pairs, const limits *limits, uint32_t *hits) {
    struct __attribute__((packed)) {
        uint8_t palette, start, zeros[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } shapes = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};
    _tile_loadconfig(&shapes);
    int64_t found = 0;
    const int64_t depth = pairs->depth, groups = (pairs->columns + GROUP - 1) / GROUP;
    _Alignas(64) int32_t products[4][GROUP * GROUP];
    int32_t least[2][MOST_ROWS + SIDE];
    for (int64_t group = 0; group < groups; group += 2) {
        /* If there is no second group, the first one is repeated. */
        const int64_t first = group * GROUP, second = first + GROUP;
        const uint8_t *left = pairs->panel + first * depth, *right = group + 1 < groups ? left + GROUP * depth : left;
        const uint32_t there[2] = {present(pairs, first), present(pairs, second)};
        group_limits(pairs, limits, first, least[0]);
        group_limits(pairs, limits, there[1] ? second : first, least[1]);
#define SCAN(ROW) \
    { \
        found = scan(limits, ROW, first, there[0], least[0], products[0], hits, found); \
        found = scan(limits, ROW, second, there[1], least[1], products[1], hits, found); \
        found = scan(limits, (ROW) + GROUP, first, there[0], least[0], products[2], hits, found); \
        found = scan(limits, (ROW) + GROUP, second, there[1], least[1], products[3], hits, found); \
    }
        for (int64_t i = 0; i < pairs->rows; i += SIDE) {
            const int8_t *upper = pairs->codes + i * depth, *lower = upper + GROUP * depth;
            _tile_zero(0);
            _tile_zero(1);
            _tile_zero(2);
            _tile_zero(3);
            for (int64_t k = 0; k < depth; k += CK_CODES_AMX_DEPTH) {
                _tile_loadd(4, upper + k, depth);
                _tile_loadd(6, left + k * GROUP, 64);
                _tile_loadd(7, right + k * GROUP, 64);
                _tile_dpbsud(0, 4, 6);
                _tile_dpbsud(1, 4, 7);
                _tile_loadd(5, lower + k, depth);
                _tile_dpbsud(2, 5, 6);
                _tile_dpbsud(3, 5, 7);
            }
            /* The processor looks at the products of the square before while it computes those of this one. */
            if (i > 0) SCAN(i - SIDE)
            _tile_stored(0, products[0], 64);
            _tile_stored(1, products[1], 64);
            _tile_stored(2, products[2], 64);
            _tile_stored(3, products[3], 64);
        }
        SCAN((pairs->rows - 1) / SIDE * SIDE)
#undef SCAN
    }
    _tile_release();
    return found;
}

int64_t ck_near_codes(int way, const ck_coded_pairs *pairs, uint32_t *hits) {
    if (pairs->rows == 0 || pairs->columns == 0) return 0;
    limits limits;
    fill(pairs, &limits);
    switch (way) {
    case CK_CODES_AMX: return near_amx(pairs, &limits, hits);
    case CK_CODES_VNNI: return near_vnni(pairs, &limits, hits);
    default: return near_plain(pairs, &limits, hits);
    }
}
