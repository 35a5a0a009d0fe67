#include "lists.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "clones.h"

typedef float wide __attribute__((vector_size(64), aligned(4)));

/* Hits are rare, so 32 columns are tested at once. */
#define STEP 32

/* A sorted list at the end of one or two registers. An insertion moves the larger entries by one lane. */
typedef bool wide_bits __attribute__((ext_vector_type(16)));
typedef int32_t wide_words __attribute__((vector_size(64), aligned(4)));

/* Returns one bit for each of 16 columns: 1 if it is below the limit. */
static inline __attribute__((always_inline)) uint32_t below(const float *tile, const float *norms, float limit) {
    const wide_words mask = *(const wide *)tile + *(const wide *)norms < limit;
    const wide_bits found = __builtin_convertvector(mask, wide_bits);
    uint16_t bits;
    memcpy(&bits, &found, sizeof bits);
    return bits;
}

#define UP(v, before) __builtin_shufflevector(before, v, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30)
#define CHOOSE(mask, yes, no) ((wide_words)(yes) & (mask)) | ((wide_words)(no) & ~(mask))

struct list {
    wide distances[2];
    wide_words indices[2];
};

/* `registers` is a constant, 1 or 2. */
static inline __attribute__((always_inline)) void push(struct list *list, const int registers, float value,
                                                       int32_t index) {
    wide_words after = {0};
    wide first = {0};
    wide_words first_index = {0};
    for (int r = 0; r < registers; r++) {
        const wide distances = list->distances[r];
        const wide_words indices = list->indices[r];
        const wide_words farther = distances > value, shifted = UP(farther, after);
        const wide moved = UP(distances, first);
        const wide_words moved_index = UP(indices, first_index);
        list->distances[r] = (wide)(CHOOSE(farther, CHOOSE(shifted, moved, (wide){0} + value), distances));
        list->indices[r] = CHOOSE(farther, CHOOSE(shifted, moved_index, (wide_words){0} + index), indices);
        after = farther;
        first = distances;
        first_index = indices;
    }
}

static inline __attribute__((always_inline)) void
scan_registers(const float *restrict tile, const float *restrict norms, int64_t n, int32_t first, int32_t own,
               float own_norm, int64_t k, const int registers, float *restrict distances, int32_t *restrict indices) {
    float best[32];
    int32_t which[32];
    const int64_t room = 16 * registers - k;
    for (int64_t lane = 0; lane < 16 * registers; lane++) {
        best[lane] = lane < room ? -INFINITY : distances[lane - room];
        which[lane] = lane < room ? -1 : indices[lane - room];
    }
    struct list list;
    memcpy(list.distances, best, sizeof best);
    memcpy(list.indices, which, sizeof which);
    float worst = distances[k - 1];
    int32_t changed = 0;
    for (int64_t j = 0; j < n; j += STEP) {
        const int64_t end = n - j < STEP ? n - j : STEP;
        uint32_t near = 0;
        const float limit = worst - own_norm;
        if (end == STEP) near = below(tile + j, norms + j, limit) | below(tile + j + 16, norms + j + 16, limit) << 16;
        else
            for (int64_t t = 0; t < end; t++) near |= (uint32_t)(tile[j + t] + norms[j + t] < limit) << t;
        for (; near; near &= near - 1) {
            const int64_t t = j + __builtin_ctz(near);
            const float value = tile[t] + norms[t] + own_norm;
            if (!(value < worst) || first + (int32_t)t == own) continue;
            push(&list, registers, value, first + (int32_t)t);
            worst = list.distances[registers - 1][15];
            changed = 1;
        }
    }
    if (!changed) return;
    memcpy(best, list.distances, sizeof best);
    memcpy(which, list.indices, sizeof which);
    for (int64_t lane = 0; lane < k; lane++) {
        distances[lane] = best[room + lane];
        indices[lane] = which[room + lane];
    }
}

CLONES void ck_list_scan(const float *restrict tile, const float *restrict norms, int64_t n, int32_t first, int32_t own,
                         float own_norm, int64_t k, float *restrict distances, int32_t *restrict indices) {
    if (k <= 16) return scan_registers(tile, norms, n, first, own, own_norm, k, 1, distances, indices);
    if (k <= 32) return scan_registers(tile, norms, n, first, own, own_norm, k, 2, distances, indices);
    for (int64_t j = 0; j < n; j += STEP) {
        const int64_t end = n - j < STEP ? n - j : STEP;
        const float limit = distances[k - 1] - own_norm;
        int32_t any = 0;
        if (end == STEP)
            for (int64_t t = j; t < j + STEP; t++) any |= tile[t] + norms[t] < limit;
        else any = 1;
        if (!any) continue;
        for (int64_t t = j; t < j + end; t++) {
            const float value = tile[t] + norms[t] + own_norm;
            if (!(value < distances[k - 1]) || first + (int32_t)t == own) continue;
            int64_t place = k - 1;
            for (; place > 0 && distances[place - 1] > value; place--) {
                distances[place] = distances[place - 1];
                indices[place] = indices[place - 1];
            }
            distances[place] = value;
            indices[place] = first + (int32_t)t;
        }
    }
}

CLONES void ck_list_distances(const float *restrict rows, int64_t stride, int64_t own, const int32_t *restrict others,
                              int64_t count, float *restrict distances) {
    const float *a = rows + own * stride;
    for (int64_t i = 0; i < count; i++) {
        if (i + 4 < count) {
            const float *next = rows + others[i + 4] * stride;
            for (int64_t c = 0; c < stride; c += 16) __builtin_prefetch(next + c);
        }
        const float *b = rows + others[i] * stride;
        wide sums = {0};
        for (int64_t c = 0; c < stride; c += 16) {
            const wide x = *(const wide *)(a + c) - *(const wide *)(b + c);
            sums += x * x;
        }
        float sum = 0;
        for (int lane = 0; lane < 16; lane++) sum += sums[lane];
        distances[i] = sum;
    }
}

CLONES int64_t ck_near_columns(const float *restrict tile, const float *restrict norms, int64_t n, float limit,
                               uint16_t *restrict hits) {
    int64_t count = 0;
    for (int64_t j = 0; j < n; j += STEP) {
        const int64_t end = n - j < STEP ? n - j : STEP;
        int32_t any = 0;
        if (end == STEP)
            for (int64_t t = j; t < j + STEP; t++) any |= tile[t] + norms[t] <= limit;
        else any = 1;
        if (!any) continue;
        for (int64_t t = j; t < j + end; t++) {
            hits[count] = (uint16_t)t;
            count += tile[t] + norms[t] <= limit;
        }
    }
    return count;
}

CLONES int64_t ck_nearest_column(const float *restrict tile, const float *restrict norms, int64_t n) {
    float least = tile[0] + norms[0];
    for (int64_t j = 1; j < n; j++) {
        const float value = tile[j] + norms[j];
        least = value < least ? value : least;
    }
    for (int64_t j = 0; j < n; j++)
        if (tile[j] + norms[j] <= least) return j;
    return 0;
}

struct search {
    int32_t *table, *used, *candidates;
    int64_t used_count, count;
};

/* Returns 1 if the value is new. */
static inline int insert(struct search *search, int32_t value) {
    uint32_t place = ((uint32_t)value * 2654435761u) >> 20;
    while (search->table[place] != -1) {
        if (search->table[place] == value) return 0;
        place = (place + 1) & (CK_TABLE - 1);
    }
    search->table[place] = value;
    search->used[search->used_count++] = (int32_t)place;
    return 1;
}

/* Tests 16 entries at once. Few of them pass. */
static inline __attribute__((always_inline)) void offer(struct search *search, const int32_t *entries, int64_t depth,
                                                        int32_t all, const int32_t *firsts, const uint32_t *sizes,
                                                        int64_t ranges) {
    int32_t passes[CK_ENTRIES];
    for (int lane = 0; lane < CK_ENTRIES; lane++)
        passes[lane] = (entries[lane] >= 0) & (all | (entries[lane] & 1)) & (lane < depth);
    for (int64_t range = 0; range < ranges; range++) {
        const int32_t first = firsts[range];
        const uint32_t size = sizes[range];
        for (int lane = 0; lane < CK_ENTRIES; lane++) passes[lane] &= (uint32_t)((entries[lane] >> 1) - first) >= size;
    }
    for (int lane = 0; lane < CK_ENTRIES; lane++) {
        if (!passes[lane] || search->used_count >= CK_TABLE / 2) continue;
        const int32_t other = entries[lane] >> 1;
        if (insert(search, other)) search->candidates[search->count++] = other;
    }
}

CLONES int64_t ck_list_candidates(int64_t row, int64_t depth, const int32_t *forward, const int32_t *backward,
                                  const int32_t *seen, int64_t seen_count, const int32_t *firsts, const uint32_t *sizes,
                                  int64_t ranges, int32_t *table, int32_t *used, int32_t *candidates) {
    struct search search = {table, used, candidates, 0, 0};
    insert(&search, (int32_t)row);
    for (int64_t i = 0; i < seen_count; i++) insert(&search, seen[i]);
    const int32_t *lists[2] = {forward + row * CK_ENTRIES, backward + row * CK_ENTRIES};
    for (int list = 0; list < 2; list++)
        for (int64_t slot = 0; slot < depth; slot++)
            if (lists[list][slot] >= 0) {
                const int64_t other = lists[list][slot] >> 1;
                __builtin_prefetch(forward + other * CK_ENTRIES);
                __builtin_prefetch(backward + other * CK_ENTRIES);
            }
    offer(&search, lists[1], depth, 0, firsts, sizes, ranges);
    for (int list = 0; list < 2; list++)
        for (int64_t slot = 0; slot < depth; slot++) {
            const int32_t entry = lists[list][slot];
            if (entry < 0) continue;
            const int64_t other = entry >> 1;
            offer(&search, forward + other * CK_ENTRIES, depth, entry & 1, firsts, sizes, ranges);
            offer(&search, backward + other * CK_ENTRIES, depth, entry & 1, firsts, sizes, ranges);
        }
    for (int64_t i = 0; i < search.used_count; i++) table[used[i]] = -1;
    return search.count;
}
