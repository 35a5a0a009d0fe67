/* Forty rows, half of them in the target: a number, a category and a flag, for the tables of bad inputs to rules. */
#ifndef RULE_SAMPLE_H
#define RULE_SAMPLE_H

#include "abi_test.h"

enum { rows = 40 };
static double number[rows];
static int32_t code[rows];
static int8_t yes[rows];
static uint8_t target[rows];
static const char *const names[] = {"a", "b"};
static covey_column columns[3];
static covey_table table;
static covey_rules_options options;

static inline void reset_sample(void) {
    for (int i = 0; i < rows; i++) {
        number[i] = i;
        code[i] = i % 2;
        yes[i] = i % 3 == 0;
        target[i] = i >= 20;
    }
    const covey_column good[3] = {
        {"number", number, 0, NULL, 0, COVEY_NUMERIC, 0},
        {"code", code, 0, names, 2, COVEY_CATEGORICAL, 0},
        {"yes", yes, 0, NULL, 0, COVEY_BOOLEAN, 0},
    };
    memcpy(columns, good, sizeof columns);
    const covey_table whole = COVEY_TABLE_INIT;
    table = whole;
    table.rows = rows;
    table.column_count = 3;
    table.columns = columns;
    const covey_rules_options defaults = COVEY_RULES_OPTIONS_INIT;
    options = defaults;
    options.min_support = 5;
    options.min_lift = 1.5;
}

#define BAD_ARGUMENT COVEY_INVALID_ARGUMENT
#define BAD_DATA COVEY_INVALID_DATA

#endif
