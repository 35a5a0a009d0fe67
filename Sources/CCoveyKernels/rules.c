#include "rules.h"

#include <string.h>

#include "encoder.h"

#include <immintrin.h>

#define WORDS CK_RULES_WORDS
#define INLINE static inline __attribute__((always_inline))
#define AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2")))
#define AVX2 __attribute__((target("avx2")))

int ck_rules_instruction_set(void) { return ck_encoder_instruction_set(); }

/* The bits of a word that belong to rows of the block. */
INLINE uint64_t valid(int64_t rows, int64_t word) {
    return rows - 64 * word >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << (rows - 64 * word)) - 1;
}

/* ------------------------------------------------------------------------------------------------- thresholds --- */

/* 64 values at a time stay in registers while all thresholds are compared. The last, incomplete group is read from a
 * copy. */
#define COMPARE(attribute, name, VECTOR, LANES, LOAD, SPLAT, GREATER_EQUAL, ORDERED, INFINITE) \
    attribute static int compare_##name(const double *values, int64_t rows, int64_t words, const double *thresholds, \
                                        int64_t count, uint64_t *present, uint64_t *at_least) { \
        uint64_t infinite = 0; \
        for (int64_t word = 0; 64 * word < rows; word++) { \
            double copy[64] = {0}; \
            const double *from = values + 64 * word; \
            uint64_t bits = valid(rows, word), mask = 0; \
            if (~bits) { \
                memcpy(copy, from, (size_t)(rows - 64 * word) * sizeof *from); \
                from = copy; \
            } \
            VECTOR v[64 / LANES]; \
            for (int i = 0; i < 64 / LANES; i++) { \
                v[i] = LOAD(from + LANES * i); \
                mask |= (uint64_t)ORDERED(v[i]) << (LANES * i); \
                infinite |= INFINITE(v[i]); \
            } \
            present[word] = mask & bits; \
            for (int64_t t = 0; t < count; t++) { \
                const VECTOR bound = SPLAT(thresholds[t]); \
                uint8_t eighths[8] = {0}; \
                for (int i = 0; i < 64 / LANES; i++) \
                    eighths[LANES * i / 8] |= (uint8_t)(GREATER_EQUAL(v[i], bound) << (LANES * i % 8)); \
                memcpy(&mask, eighths, sizeof mask); \
                at_least[t * words + word] = mask & bits; \
            } \
        } \
        return infinite != 0; \
    }

#define ORDERED_512(v) _mm512_cmp_pd_mask(v, v, _CMP_ORD_Q)
#define AT_LEAST_512(v, bound) _mm512_cmp_pd_mask(v, bound, _CMP_GE_OQ)
#define INFINITE_512(v) _mm512_fpclass_pd_mask(v, 0x18)
COMPARE(AVX512, avx512, __m512d, 8, _mm512_loadu_pd, _mm512_set1_pd, AT_LEAST_512, ORDERED_512, INFINITE_512)

#define ORDERED_256(v) _mm256_movemask_pd(_mm256_cmp_pd(v, v, _CMP_ORD_Q))
#define AT_LEAST_256(v, bound) _mm256_movemask_pd(_mm256_cmp_pd(v, bound, _CMP_GE_OQ))
#define INFINITE_256(v) \
    (uint64_t)_mm256_movemask_pd( \
        _mm256_cmp_pd(_mm256_andnot_pd(_mm256_set1_pd(-0.0), v), _mm256_set1_pd(__builtin_inf()), _CMP_EQ_OQ))
COMPARE(AVX2, avx2, __m256d, 4, _mm256_loadu_pd, _mm256_set1_pd, AT_LEAST_256, ORDERED_256, INFINITE_256)

#define ORDERED_128(v) _mm_movemask_pd(_mm_cmpord_pd(v, v))
#define AT_LEAST_128(v, bound) _mm_movemask_pd(_mm_cmpge_pd(v, bound))
#define INFINITE_128(v) \
    (uint64_t)_mm_movemask_pd(_mm_cmpeq_pd(_mm_andnot_pd(_mm_set1_pd(-0.0), v), _mm_set1_pd(__builtin_inf())))
COMPARE(, baseline, __m128d, 2, _mm_loadu_pd, _mm_set1_pd, AT_LEAST_128, ORDERED_128, INFINITE_128)

/* ----------------------------------------------------------------------------------------------- conjunctions --- */

#define CONJUNCTION(attribute, name) \
    attribute static void conjunction_##name(const uint64_t *tests, int64_t words, const int32_t *with, \
                                             const int32_t *without, int64_t count, uint64_t *matches) { \
        for (int64_t start = 0; start < words; start += WORDS) { \
            uint64_t all[WORDS]; \
            for (int w = 0; w < WORDS; w++) all[w] = ~UINT64_C(0); \
            for (int64_t i = 0; i < count; i++) { \
                const uint64_t *a = tests + with[i] * words + start, *b = tests + without[i] * words + start; \
                for (int w = 0; w < WORDS; w++) all[w] &= a[w] & ~b[w]; \
            } \
            memcpy(matches + start, all, sizeof all); \
        } \
    }

CONJUNCTION(AVX512, avx512)
CONJUNCTION(AVX2, avx2)
CONJUNCTION(, baseline)

/* ------------------------------------------------------------------------------------------------------ bytes --- */

/* Bit c of word r becomes bit r of word c (Warren, Hacker's Delight, 7-3). */
INLINE void transpose(uint64_t *a) {
    uint64_t mask = UINT64_C(0x00000000FFFFFFFF);
    for (int j = 32; j > 0; j >>= 1, mask ^= mask << j) {
        for (int k = 0; k < 64; k = (k + j + 1) & ~j) {
            const uint64_t t = (a[k] >> j ^ a[k + j]) & mask;
            a[k] ^= t << j;
            a[k + j] ^= t;
        }
    }
}

AVX512 static void spread_avx512(uint64_t bits, int64_t count, uint8_t *bytes) {
    const __mmask64 stored = count >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1;
    _mm512_mask_storeu_epi8(bytes, stored, _mm512_maskz_set1_epi8(bits, 1));
}

AVX2 static void spread_avx2(uint64_t bits, int64_t count, uint8_t *bytes) {
    const __m256i places = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i bit = _mm256_set1_epi64x((long long)0x8040201008040201);
    uint8_t copy[64];
    for (int half = 0; half < 2; half++) {
        const __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32((int)(bits >> (32 * half))), places);
        const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit);
        _mm256_storeu_si256((__m256i *)(copy + 32 * half), _mm256_and_si256(set, _mm256_set1_epi8(1)));
    }
    memcpy(bytes, copy, (size_t)count);
}

static void spread_baseline(uint64_t bits, int64_t count, uint8_t *bytes) {
    uint8_t copy[64];
    for (int i = 0; i < 8; i++) {
        /* Moves bit k of a byte to byte k. */
        const uint64_t eight = (bits >> (8 * i) & 0xFF) * UINT64_C(0x0101010101010101) & UINT64_C(0x8040201008040201);
        const uint64_t spread = (eight + UINT64_C(0x7F7F7F7F7F7F7F7F)) >> 7 & UINT64_C(0x0101010101010101);
        memcpy(copy + 8 * i, &spread, sizeof spread);
    }
    memcpy(bytes, copy, (size_t)count);
}

#define BYTES(attribute, name) \
    attribute static void bytes_##name(const uint64_t *matches, int64_t words, int64_t rules, int64_t rows, \
                                       uint8_t *bytes) { \
        for (int64_t word = 0; 64 * word < rows; word++) { \
            const int64_t left = rows - 64 * word < 64 ? rows - 64 * word : 64; \
            uint64_t any = 0; \
            for (int64_t rule = 0; rule < rules; rule++) any |= matches[rule * words + word]; \
            uint8_t *target = bytes + 64 * word * rules; \
            if (!any) { \
                memset(target, 0, (size_t)(left * rules)); \
                continue; \
            } \
            for (int64_t rule = 0; rule < rules; rule += 64) { \
                const int64_t some = rules - rule < 64 ? rules - rule : 64; \
                uint64_t a[64] = {0}; \
                for (int64_t i = 0; i < some; i++) a[i] = matches[(rule + i) * words + word]; \
                transpose(a); \
                for (int64_t row = 0; row < left; row++) spread_##name(a[row], some, target + row * rules + rule); \
            } \
        } \
    }

BYTES(AVX512, avx512)
BYTES(AVX2, avx2)
BYTES(, baseline)

/* --------------------------------------------------------------------------------------------------- dispatch --- */

int ck_rules_compare(int set, const double *values, int64_t rows, int64_t words, const double *thresholds,
                     int64_t count, uint64_t *present, uint64_t *at_least) {
    switch (set) {
    case CK_AVX512: return compare_avx512(values, rows, words, thresholds, count, present, at_least);
    case CK_AVX2: return compare_avx2(values, rows, words, thresholds, count, present, at_least);
    default: return compare_baseline(values, rows, words, thresholds, count, present, at_least);
    }
}

void ck_rules_conjunction(int set, const uint64_t *tests, int64_t words, const int32_t *with, const int32_t *without,
                          int64_t count, uint64_t *matches) {
    switch (set) {
    case CK_AVX512: conjunction_avx512(tests, words, with, without, count, matches); break;
    case CK_AVX2: conjunction_avx2(tests, words, with, without, count, matches); break;
    default: conjunction_baseline(tests, words, with, without, count, matches); break;
    }
}

void ck_rules_bytes(int set, const uint64_t *matches, int64_t words, int64_t rules, int64_t rows, uint8_t *bytes) {
    switch (set) {
    case CK_AVX512: bytes_avx512(matches, words, rules, rows, bytes); break;
    case CK_AVX2: bytes_avx2(matches, words, rules, rows, bytes); break;
    default: bytes_baseline(matches, words, rules, rows, bytes); break;
    }
}

void ck_rules_spread(int set, const uint64_t *bits, int64_t rules, uint8_t *bytes) {
    for (int64_t rule = 0; rule < rules; rule += 64) {
        const int64_t some = rules - rule < 64 ? rules - rule : 64;
        switch (set) {
        case CK_AVX512: spread_avx512(bits[rule / 64], some, bytes + rule); break;
        case CK_AVX2: spread_avx2(bits[rule / 64], some, bytes + rule); break;
        default: spread_baseline(bits[rule / 64], some, bytes + rule); break;
        }
    }
}
