/* The loops of rule evaluation: a block of rows as bits, `words` words for each test, a multiple of CK_RULES_WORDS. Bits of
 * rows behind the block's last are 0. `set` is one of CK_AVX512, CK_AVX2 and CK_BASELINE. */
#ifndef CK_RULES_H
#define CK_RULES_H

#include <stdint.h>

#define CK_RULES_WORDS 16

int ck_rules_instruction_set(void);

/* present = which values are no NaN; at_least[t] = which are at least thresholds[t]. Returns 1 where a value is infinite. */
int ck_rules_compare(int set, const double *values, int64_t rows, int64_t words, const double *thresholds, int64_t count,
                     uint64_t *present, uint64_t *at_least);

/* A conjunction of `count` conditions: all rows of tests[with[i]] that are not rows of tests[without[i]], for every i. */
void ck_rules_conjunction(int set, const uint64_t *tests, int64_t words, const int32_t *with, const int32_t *without,
                          int64_t count, uint64_t *matches);

/* One byte for each row and rule, row after row, from matches (`words` words a rule). */
void ck_rules_bytes(int set, const uint64_t *matches, int64_t words, int64_t rules, int64_t rows, uint8_t *bytes);

/* The same of one row: bit i of `bits` to byte i. */
void ck_rules_spread(int set, const uint64_t *bits, int64_t rules, uint8_t *bytes);

#endif
