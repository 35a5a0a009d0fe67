/* The register tiles of pairs.c. This file is included once for each instruction set; see instruction_sets.h. */

/* The largest number of rows of a register tile, and of its groups of 16 columns. */
#if CK_LANES == 4
#define CK_ROWS 2
#else
#define CK_ROWS 6
#endif
#if CK_LANES == 16
#define CK_GROUPS 4
#else
#define CK_GROUPS 1
#endif

typedef float CK_NAME(vector) __attribute__((ext_vector_type(CK_LANES)));
typedef bool CK_NAME(lanes) __attribute__((ext_vector_type(CK_LANES)));
#define V CK_NAME(vector)
#define INLINE static inline __attribute__((always_inline))
#define PARTS (CK_PANEL_GROUP / CK_LANES)
/* Accumulators stay in registers if every index into them is a constant. */
#define EACH _Pragma("clang loop unroll(full)") for

INLINE V CK_NAME(load)(const float *p) {
    V v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE V CK_NAME(fma)(V a, V b, V c) {
#if CK_FMA
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

/* The largest g of a near pair. */
INLINE V CK_NAME(limit)(float threshold, float bias, const float *thresholds, const float *biases) {
    V row = (V)threshold - CK_NAME(load)(biases);
    V column = CK_NAME(load)(thresholds) - (V)bias;
    return __builtin_elementwise_max(row, column);
}

INLINE uint32_t CK_NAME(mask)(V a, V b) {
    CK_NAME(lanes) near = __builtin_convertvector(a <= b, CK_NAME(lanes));
#if CK_LANES == 16
    uint16_t bits;
#else
    uint8_t bits;
#endif
    memcpy(&bits, &near, sizeof bits);
    return bits;
}

/* One register tile: CK_ROWS rows and `groups` groups of columns from `first` on. Only the first `rows` rows are
 * reported. */
INLINE void CK_NAME(tile)(const ck_pairs *pairs, const columns *columns, const int64_t *places, int rows, int64_t first,
                          const int groups, uint32_t *hits, ck_pairs_found *found) {
    const float *row[CK_ROWS];
    for (int r = 0; r < CK_ROWS; r++) row[r] = pairs->numbers + places[r] * pairs->stride;
    const float *panel = pairs->panel + first * pairs->depth;
    const int64_t step = pairs->depth * CK_PANEL_GROUP;
    V sums[CK_ROWS][CK_GROUPS * PARTS];
    EACH(int r = 0; r < CK_ROWS; r++)
    EACH(int v = 0; v < groups * PARTS; v++) sums[r][v] = (V)0.0f;

#define TERMS(FROM, TO) \
    _Pragma("clang loop unroll_count(4)") for (int64_t k = FROM; k < TO; k++) { \
        V b[CK_GROUPS * PARTS]; \
        EACH(int v = 0; v < groups * PARTS; v++) \
        b[v] = CK_NAME(load)(panel + v / PARTS * step + k * CK_PANEL_GROUP + v % PARTS * CK_LANES); \
        EACH(int r = 0; r < CK_ROWS; r++) \
        EACH(int v = 0; v < groups * PARTS; v++) sums[r][v] = CK_NAME(fma)((V)row[r][k], b[v], sums[r][v]); \
    }

    found->tiles++;
    int64_t start = 0;
    if (pairs->prefix > 0) {
        start = pairs->prefix;
        TERMS(0, start)
        uint32_t any = 0;
        EACH(int r = 0; r < CK_ROWS; r++) {
            V tail = (V)(-2.0f * pairs->row_tails[places[r]]);
            float threshold = pairs->row_thresholds[places[r]], bias = pairs->row_biases[places[r]];
            EACH(int v = 0; v < groups * PARTS; v++) {
                int64_t c = first + v * CK_LANES;
                V least = CK_NAME(fma)(tail, CK_NAME(load)(columns->tails + c), sums[r][v]);
                any |=
                    CK_NAME(mask)(least, CK_NAME(limit)(threshold, bias, columns->thresholds + c, columns->biases + c));
            }
        }
        if (!any) {
            found->abandoned++;
            return;
        }
    }
    TERMS(start, pairs->depth)
#undef TERMS

    uint64_t near[CK_ROWS];
    EACH(int r = 0; r < CK_ROWS; r++) {
        float threshold = pairs->row_thresholds[places[r]], bias = pairs->row_biases[places[r]];
        near[r] = 0;
        EACH(int v = 0; v < groups * PARTS; v++) {
            int64_t c = first + v * CK_LANES;
            V limit = CK_NAME(limit)(threshold, bias, columns->thresholds + c, columns->biases + c);
            near[r] |= (uint64_t)CK_NAME(mask)(sums[r][v], limit) << (v * CK_LANES);
        }
    }
    for (int r = 0; r < rows; r++) {
        for (uint64_t bits = near[r]; bits; bits &= bits - 1)
            hits[found->count++] = (uint32_t)(places[r] << 16 | (first + __builtin_ctzll(bits)));
    }
}

static ck_pairs_found CK_NAME(near_pairs)(const ck_pairs *pairs, const columns *columns, uint32_t *hits) {
    ck_pairs_found found = {0, 0, 0};
    int64_t groups = (pairs->columns + CK_PANEL_GROUP - 1) / CK_PANEL_GROUP;
    for (int64_t group = 0; group < groups; group += CK_GROUPS) {
        int64_t first = group * CK_PANEL_GROUP;
        for (int64_t i = 0; i < pairs->rows; i += CK_ROWS) {
            int rows = pairs->rows - i < CK_ROWS ? (int)(pairs->rows - i) : CK_ROWS;
            int64_t places[CK_ROWS];
            /* If there are fewer rows, the last one is repeated. */
            for (int r = 0; r < CK_ROWS; r++) {
                int64_t line = i + (r < rows ? r : rows - 1);
                places[r] = pairs->places ? pairs->places[line] : line;
            }
#define CASE(COUNT) \
    case COUNT: CK_NAME(tile)(pairs, columns, places, rows, first, COUNT, hits, &found); break;
            switch (groups - group < CK_GROUPS ? groups - group : CK_GROUPS) {
#if CK_GROUPS == 4
                CASE(4)
                CASE(3)
                CASE(2)
#endif
                CASE(1)
            }
#undef CASE
        }
    }
    return found;
}

#undef V
#undef INLINE
#undef PARTS
#undef EACH
#undef CK_ROWS
#undef CK_GROUPS
