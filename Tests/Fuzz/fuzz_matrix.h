/* A matrix made from the input. If the header allows its shape, its numbers are in a block that ends after the last
 * one. Covey must refuse all other shapes. */
#ifndef FUZZ_MATRIX_H
#define FUZZ_MATRIX_H

#include "fuzz.h"

/* `style` selects the numbers: any bytes of the fuzzer, few values (ties), few rows (duplicates), or numbers of one
 * scale. */
static inline covey_matrix take_matrix(fuzz_input *input, int64_t most_rows, int64_t most_columns) {
    covey_matrix matrix = COVEY_MATRIX_INIT;
    matrix.rows = take_count(input, most_rows);
    matrix.columns = take_count(input, most_columns);
    uint8_t flags = take_byte(input);
    matrix.type = flags & 1 ? COVEY_FLOAT64 : COVEY_FLOAT32;
    if (flags & 2) matrix.type = (int32_t)take_count(input, 2);
    if ((flags & 0xC) == 0xC) matrix.reserved = (int32_t)take_count(input, 1);
    int64_t size = matrix.type == COVEY_FLOAT64 ? 8 : 4;
    /* Large sizes that are possible would need the memory, so they are made small. Covey must refuse the impossible
     * ones. */
    if (matrix.rows > 512 && matrix.rows <= 1ll << 48) matrix.rows = 512;
    if (matrix.columns > 96 && matrix.columns <= 65536) matrix.columns = 96;
    int64_t rows = matrix.rows < 0 || matrix.rows > 512 ? 0 : matrix.rows;
    int64_t columns = matrix.columns < 1 || matrix.columns > 96 ? 1 : matrix.columns;
    int64_t step = columns * size;
    if (flags & 16) {
        int64_t extra = take_count(input, 16);
        matrix.row_stride = extra >= 0 && extra <= 16 ? step + extra * (flags & 32 ? size : 1) : extra;
        if (matrix.row_stride > 4096 && rows > 1 && matrix.row_stride < INT64_MAX / rows) matrix.row_stride = 0;
    }
    if (matrix.row_stride >= step && matrix.row_stride <= 4096) step = matrix.row_stride;
    char *data = fuzz_alloc(rows ? (size_t)((rows - 1) * step + columns * size) : 0);
    memset(data, 0x7f, rows ? (size_t)((rows - 1) * step + columns * size) : 0);
    uint8_t style = take_byte(input);
    double scale = style & 8 ? take_double(input) : 1;
    uint32_t random = style & 16 ? (uint32_t)take_int64(input) : 0;
    for (int64_t row = 0; row < rows; row++) {
        if (style & 4 && row > 0 && take_byte(input) & 1) {
            memcpy(data + row * step, data + (row - 1) * step, (size_t)(columns * size));
            continue;
        }
        for (int64_t column = 0; column < columns; column++) {
            double value;
            if (style & 16) { /* many rows from few bytes: the fuzzer only seeds this generator */
                random = random * 1664525u + 1013904223u;
                value = (double)(random >> 8) / (style & 1 ? 1 << 22 : 1 << 16) + (row & 3) * (style & 2 ? 50 : 0);
                if (style & 1) value = floor(value);
            } else {
                value = style & 3 ? (double)(take_byte(input) % (style & 1 ? 3 : 32)) : take_double(input);
            }
            value *= scale;
            float narrow = (float)value;
            if (size == 8) memcpy(data + row * step + column * 8, &value, 8);
            else memcpy(data + row * step + column * 4, &narrow, 4);
        }
    }
    matrix.data = rows == 0 && flags & 64 ? NULL : data;
    if (flags & 128 && take_byte(input) > 200) matrix.data = NULL;
    if (flags & 128 && take_byte(input) > 200) matrix.struct_size = (size_t)take_count(input, 64);
    return matrix;
}

#endif
