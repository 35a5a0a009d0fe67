#include "leaves.h"
#include "clones.h"

#include <math.h>
#include <stdbool.h>

#define INLINE static inline __attribute__((always_inline))

typedef double doubles __attribute__((vector_size(64), aligned(1)));
typedef int64_t words __attribute__((vector_size(64)));
typedef bool flags __attribute__((ext_vector_type(8)));

#define LOAD(p) (*(const doubles *)(p))
#define POSITIVE(v) ((doubles)((words)(v) & ((v) > 0)))
#define ABSOLUTE(v) ((doubles)((words)(v) & 0x7fffffffffffffffLL))
#define TERM(v) (manhattan ? ABSOLUTE(v) : (v) * (v))

INLINE unsigned bits(const words *low, const words *high) {
    flags first = __builtin_convertvector(*low, flags), second = __builtin_convertvector(*high, flags);
    unsigned char a, b;
    __builtin_memcpy(&a, &first, 1);
    __builtin_memcpy(&b, &second, 1);
    return a | (unsigned)b << 8;
}

INLINE int64_t leaf_pairs(const double *queries, const double *points, int64_t d, const double *box, int64_t m,
                          const double *bounds, uint8_t *pairs, double *sums, bool manhattan) {
    doubles low = {0}, high = {0};
    for (int64_t c = 0; c < m; c++) {
        doubles a = LOAD(queries + c * CK_LEAF), b = LOAD(queries + c * CK_LEAF + 8);
        a = POSITIVE(box[c] - a) + POSITIVE(a - box[m + c]);
        b = POSITIVE(box[c] - b) + POSITIVE(b - box[m + c]);
        low += TERM(a);
        high += TERM(b);
    }
    words near_low = low <= LOAD(bounds), near_high = high <= LOAD(bounds + 8);
    unsigned wanted = bits(&near_low, &near_high);
    int64_t found = 0;
    for (; wanted; wanted &= wanted - 1) {
        int query = __builtin_ctz(wanted);
        double bound = bounds[query];
        low = (doubles){0};
        high = (doubles){0};
        unsigned near = 0;
        for (int64_t c = 0; c < d;) {
            /* Leave the loop if the first coordinates alone show that all points are too far away. */
            for (int64_t end = c + 4 < d ? c + 4 : d; c < end; c++) {
                double q = queries[c * CK_LEAF + query];
                doubles a = LOAD(points + c * CK_LEAF) - q, b = LOAD(points + c * CK_LEAF + 8) - q;
                low += TERM(a);
                high += TERM(b);
            }
            near_low = low <= bound;
            near_high = high <= bound;
            near = bits(&near_low, &near_high);
            if (!near) break;
        }
        double all[CK_LEAF];
        *(doubles *)all = low;
        *(doubles *)(all + 8) = high;
        for (; near; near &= near - 1) {
            int point = __builtin_ctz(near);
            pairs[found] = (uint8_t)(query * CK_LEAF + point);
            sums[found++] = all[point];
        }
    }
    return found;
}

#define LEAF_PAIRS(MANHATTAN) \
    if (d == 2 && m == 2) return leaf_pairs(queries, points, 2, box, 2, bounds, pairs, sums, MANHATTAN); \
    if (d == 3 && m == 3) return leaf_pairs(queries, points, 3, box, 3, bounds, pairs, sums, MANHATTAN); \
    return leaf_pairs(queries, points, d, box, m, bounds, pairs, sums, MANHATTAN);

CLONES int64_t ck_leaf_pairs_squared(const double *queries, const double *points, int64_t d, const double *box,
                                     int64_t m, const double *bounds, uint8_t *pairs, double *sums){LEAF_PAIRS(false)}

CLONES int64_t ck_leaf_pairs_manhattan(const double *queries, const double *points, int64_t d, const double *box,
                                       int64_t m, const double *bounds, uint8_t *pairs, double *sums){LEAF_PAIRS(true)}

INLINE uint32_t box_gaps(const double *box, const double *boxes, int64_t m, double most, double *gaps, bool manhattan) {
    doubles sums = {0};
    for (int64_t c = 0; c < m; c++) {
        doubles below = LOAD(boxes + c * CK_BOXES) - box[m + c], above = box[c] - LOAD(boxes + (m + c) * CK_BOXES);
        below = POSITIVE(below) + POSITIVE(above);
        sums += TERM(below);
    }
    *(doubles *)gaps = sums;
    words near = sums <= most, none = {0};
    return bits(&near, &none);
}

CLONES uint32_t ck_box_gaps_squared(const double *box, const double *boxes, int64_t m, double most, double *gaps) {
    if (m == 2) return box_gaps(box, boxes, 2, most, gaps, false);
    if (m == 3) return box_gaps(box, boxes, 3, most, gaps, false);
    return box_gaps(box, boxes, m, most, gaps, false);
}

CLONES uint32_t ck_box_gaps_manhattan(const double *box, const double *boxes, int64_t m, double most, double *gaps) {
    return box_gaps(box, boxes, m, most, gaps, true);
}

/* Inserts without branches: smaller entries stay, larger ones move by one slot. */
#define INSERT(VALUE, NUMBER) \
    do { \
        doubles value = (VALUE) - (doubles){0}; \
        words number = (NUMBER) - (words){0}; \
        for (int v = vectors - 1; v >= 0; v--) { \
            doubles moved = \
                v > 0 ? __builtin_shufflevector(list[v > 0 ? v - 1 : 0], list[v], 7, 8, 9, 10, 11, 12, 13, 14) \
                      : __builtin_shufflevector(least, list[0], 7, 8, 9, 10, 11, 12, 13, 14); \
            words moved_number = \
                __builtin_shufflevector(names[v > 0 ? v - 1 : 0], names[v], 7, 8, 9, 10, 11, 12, 13, 14); \
            words stays = (list[v] < value) | ((list[v] == value) & (names[v] < number)); \
            words follows = (moved < value) | ((moved == value) & (moved_number < number)); \
            list[v] = SELECT(stays, list[v], SELECT(follows, value, moved)); \
            names[v] = (stays & names[v]) | (~stays & ((follows & number) | (~follows & moved_number))); \
        } \
    } while (0)

#define SELECT(MASK, A, B) ((doubles)(((MASK) & (words)(A)) | (~(MASK) & (words)(B))))

INLINE void lists_offer(double *values, int64_t *numbers, const int vectors, const uint8_t *pairs, const double *sums,
                        int64_t found, int64_t first, int64_t own) {
    const doubles least = (doubles){0} - (double)INFINITY;
    doubles list[CK_LIST / 8];
    words names[CK_LIST / 8];
    for (int64_t hit = 0; hit < found;) {
        int64_t query = pairs[hit] / CK_LEAF;
        double *own_values = values + query * vectors * 8;
        int64_t *own_numbers = numbers + query * vectors * 8;
        for (int v = 0; v < vectors; v++) {
            list[v] = LOAD(own_values + v * 8);
            __builtin_memcpy(&names[v], own_numbers + v * 8, sizeof names[v]);
        }
        for (; hit < found && pairs[hit] / CK_LEAF == query; hit++) {
            int64_t point = first + pairs[hit] % CK_LEAF;
            if (point == own + query) continue;
            INSERT(sums[hit], point);
        }
        for (int v = 0; v < vectors; v++) {
            *(doubles *)(own_values + v * 8) = list[v];
            __builtin_memcpy(own_numbers + v * 8, &names[v], sizeof names[v]);
        }
    }
}

CLONES void ck_lists_offer(double *values, int64_t *numbers, int64_t slots, const uint8_t *pairs, const double *sums,
                           int64_t found, int64_t first, int64_t own) {
    if (slots == 8) return lists_offer(values, numbers, 1, pairs, sums, found, first, own);
    if (slots == 16) return lists_offer(values, numbers, 2, pairs, sums, found, first, own);
    lists_offer(values, numbers, slots == 24 ? 3 : 4, pairs, sums, found, first, own);
}

INLINE void list_sort(double *values, int32_t *numbers, int64_t count, const int vectors) {
    const doubles least = (doubles){0} - (double)INFINITY;
    doubles list[CK_LIST / 8];
    words names[CK_LIST / 8];
    for (int v = 0; v < vectors; v++) {
        list[v] = (doubles){0} + (double)INFINITY;
        names[v] = (words){0} + INT64_MAX;
    }
    for (int64_t i = 0; i < count; i++) INSERT(values[i], (int64_t)numbers[i]);
    double sorted[CK_LIST];
    int64_t places[CK_LIST];
    for (int v = 0; v < vectors; v++) {
        *(doubles *)(sorted + v * 8) = list[v];
        __builtin_memcpy(places + v * 8, &names[v], sizeof names[v]);
    }
    for (int64_t i = 0; i < count; i++) {
        values[i] = sorted[i];
        numbers[i] = (int32_t)places[i];
    }
}

CLONES void ck_list_sort(double *values, int32_t *numbers, int64_t count) {
    if (count <= 8) return list_sort(values, numbers, count, 1);
    if (count <= 16) return list_sort(values, numbers, count, 2);
    list_sort(values, numbers, count, 4);
}
