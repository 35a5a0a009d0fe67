/* The loops of rule evaluation. A block of rows is stored as bits, `words` words for each test, a multiple of
 * CK_RULES_WORDS. The bits after the last row of the block are 0. `set` is CK_AVX512, CK_AVX2 or CK_BASELINE. */
#ifndef CK_RULES_H
#define CK_RULES_H

#include <stdint.h>

#define CK_RULES_WORDS 16

int ck_rules_instruction_set(void);

/* Sets the bits of values that are not NaN in `present`, and of those that are at least thresholds[t] in at_least[t].
 * Returns 1 if a value is infinite. */
int ck_rules_compare(int set, const double *values, int64_t rows, int64_t words, const double *thresholds,
                     int64_t count, uint64_t *present, uint64_t *at_least);

/* A conjunction of `count` conditions: the rows that, for every i, are in tests[with[i]] and not in tests[without[i]].
 */
void ck_rules_conjunction(int set, const uint64_t *tests, int64_t words, const int32_t *with, const int32_t *without,
                          int64_t count, uint64_t *matches);

/* Writes one byte for each row and rule, row after row, from `matches` (`words` words for each rule). */
void ck_rules_bytes(int set, const uint64_t *matches, int64_t words, int64_t rules, int64_t rows, uint8_t *bytes);

/* The same for one row: bit i of `bits` goes to byte i. */
void ck_rules_spread(int set, const uint64_t *bits, int64_t rules, uint8_t *bytes);

#endif
