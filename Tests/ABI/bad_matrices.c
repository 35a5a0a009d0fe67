/* Section 4 through covey_hybrid_fit: every matrix and table that a stage must refuse. */
#include "abi_test.h"

static const float numbers[6] = {1, 2, 3, 4, 5, 6};

static covey_matrix good_matrix(void) {
    covey_matrix matrix = COVEY_MATRIX_INIT;
    matrix.data = numbers;
    matrix.rows = 3;
    matrix.columns = 2;
    return matrix;
}

static covey_status fit_matrix(const covey_matrix *matrix, covey_error **error) {
    covey_hybrid *hybrid = (covey_hybrid *)1;
    covey_status status = covey_hybrid_fit(NULL, matrix, NULL, NULL, &hybrid, error);
    if (status != COVEY_OK && hybrid != NULL) return COVEY_INTERNAL;
    covey_hybrid_destroy(hybrid);
    return status;
}

#define MATRIX_CASE(name, change) \
    static covey_status name(covey_error **error) { \
        covey_matrix matrix = good_matrix(); \
        change; \
        return fit_matrix(&matrix, error); \
    }

static const float with_nan[6] = {1, 2, 3, (float)NAN, 5, 6};
static const double with_infinity[6] = {1, 2, 3, 4, -INFINITY, 6};

MATRIX_CASE(matrix_good, (void)0)
MATRIX_CASE(matrix_size_0, matrix.struct_size = 0)
MATRIX_CASE(matrix_size_huge, matrix.struct_size = (size_t)-1)
MATRIX_CASE(matrix_no_data, matrix.data = NULL)
MATRIX_CASE(matrix_rows_negative, matrix.rows = -1)
MATRIX_CASE(matrix_rows_huge, matrix.rows = INT64_MAX)
MATRIX_CASE(matrix_no_rows, (matrix.rows = 0, matrix.data = NULL))
MATRIX_CASE(matrix_no_columns, matrix.columns = 0)
MATRIX_CASE(matrix_columns_negative, matrix.columns = INT64_MIN)
MATRIX_CASE(matrix_columns_many, matrix.columns = 65537)
MATRIX_CASE(matrix_stride_small, matrix.row_stride = 4)
MATRIX_CASE(matrix_stride_odd, matrix.row_stride = 9)
MATRIX_CASE(matrix_stride_negative, matrix.row_stride = -8)
MATRIX_CASE(matrix_stride_overflows, (matrix.rows = (int64_t)1 << 48, matrix.row_stride = (int64_t)1 << 60))
MATRIX_CASE(matrix_type, matrix.type = 2)
MATRIX_CASE(matrix_reserved, matrix.reserved = 1)
MATRIX_CASE(matrix_nan, matrix.data = with_nan)
MATRIX_CASE(matrix_infinity, (matrix.data = with_infinity, matrix.type = COVEY_FLOAT64))

static const double amounts[3] = {1, 2, 3};
static const int32_t codes[3] = {0, 1, -1};
static const int8_t flags[3] = {0, 1, -1};
static const char *const names[2] = {"NL", "BE"};
static const char *const repeated_names[2] = {"NL", "NL"};
static const char *const null_names[2] = {"NL", NULL};
static const char *const broken_names[2] = {"NL", "\xff"};

typedef struct lent_table {
    covey_column columns[3];
    covey_table table;
} lent_table;

static void good_table(lent_table *lent) {
    covey_column columns[3] = {
        {"amount", amounts, 0, NULL, 0, COVEY_NUMERIC, 0},
        {"country", codes, 0, names, 2, COVEY_CATEGORICAL, 0},
        {"weekend", flags, 0, NULL, 0, COVEY_BOOLEAN, 0},
    };
    covey_table table = COVEY_TABLE_INIT;
    memcpy(lent->columns, columns, sizeof columns);
    table.rows = 3;
    table.column_count = 3;
    table.columns = lent->columns;
    lent->table = table;
}

static covey_status fit_table(const covey_table *table, covey_error **error) {
    covey_hybrid *hybrid = (covey_hybrid *)1;
    covey_status status = covey_hybrid_fit(NULL, NULL, table, NULL, &hybrid, error);
    if (status != COVEY_OK && hybrid != NULL) return COVEY_INTERNAL;
    covey_hybrid_destroy(hybrid);
    return status;
}

#define TABLE_CASE(name, change) \
    static covey_status name(covey_error **error) { \
        lent_table lent; \
        good_table(&lent); \
        change; \
        return fit_table(&lent.table, error); \
    }

static const double infinite_amounts[3] = {1, 2, INFINITY};
static const int32_t high_codes[3] = {0, 2, -1};
static const int32_t low_codes[3] = {0, -2, -1};
static const int8_t odd_flags[3] = {0, 2, -1};

TABLE_CASE(table_good, (void)0)
TABLE_CASE(table_size_0, lent.table.struct_size = 0)
TABLE_CASE(table_column_size_0, lent.table.column_size = 0)
TABLE_CASE(table_column_size_odd, lent.table.column_size += 4)
TABLE_CASE(table_rows_negative, lent.table.rows = -1)
TABLE_CASE(table_rows_huge, lent.table.rows = INT64_MAX)
TABLE_CASE(table_no_rows, lent.table.rows = 0)
TABLE_CASE(table_count_negative, lent.table.column_count = -1)
TABLE_CASE(table_count_huge, lent.table.column_count = INT64_MAX)
TABLE_CASE(table_no_columns, lent.table.columns = NULL)
TABLE_CASE(table_empty, lent.table.column_count = 0)
TABLE_CASE(column_no_name, lent.columns[1].name = NULL)
TABLE_CASE(column_empty_name, lent.columns[1].name = "")
TABLE_CASE(column_broken_name, lent.columns[1].name = "\xc3")
TABLE_CASE(column_repeated_name, lent.columns[1].name = "amount")
/* A name must not end its quotes in a message. */
TABLE_CASE(column_quotes, lent.columns[0].name = lent.columns[1].name = "a\" occurs\n\\")
TABLE_CASE(column_no_values, lent.columns[0].values = NULL)
TABLE_CASE(column_kind, lent.columns[0].kind = 4)
TABLE_CASE(column_stride_small, lent.columns[0].stride = 4)
TABLE_CASE(column_stride_negative, lent.columns[0].stride = -8)
TABLE_CASE(column_stride_overflows, (lent.table.rows = (int64_t)1 << 48, lent.columns[0].stride = (int64_t)1 << 60))
TABLE_CASE(column_reserved, lent.columns[2].reserved = 7)
TABLE_CASE(column_infinite, lent.columns[0].values = infinite_amounts)
TABLE_CASE(column_code_high, lent.columns[1].values = high_codes)
TABLE_CASE(column_code_low, lent.columns[1].values = low_codes)
TABLE_CASE(column_flag, lent.columns[2].values = odd_flags)
TABLE_CASE(categories_null, lent.columns[1].categories = NULL)
TABLE_CASE(categories_negative, lent.columns[1].category_count = -1)
TABLE_CASE(categories_many, lent.columns[1].category_count = (int64_t)1 << 40)
TABLE_CASE(categories_repeated, lent.columns[1].categories = repeated_names)
TABLE_CASE(category_null, lent.columns[1].categories = null_names)
TABLE_CASE(category_broken, lent.columns[1].categories = broken_names)

const abi_case matrix_cases[] = {
    {"matrix: good", COVEY_OK, "", matrix_good},
    {"matrix: struct_size 0", COVEY_INVALID_ARGUMENT, "embeddings.struct_size must be", matrix_size_0},
    {"matrix: struct_size huge", COVEY_INVALID_ARGUMENT, "embeddings.struct_size must be", matrix_size_huge},
    {"matrix: null data", COVEY_INVALID_ARGUMENT, "embeddings.data must not be NULL", matrix_no_data},
    {"matrix: negative rows", COVEY_INVALID_ARGUMENT, "embeddings.rows must be", matrix_rows_negative},
    {"matrix: huge rows", COVEY_INVALID_ARGUMENT, "got 9223372036854775807", matrix_rows_huge},
    {"matrix: no rows", COVEY_INVALID_DATA, "embeddings must have at least one row, got 0", matrix_no_rows},
    {"matrix: no columns", COVEY_INVALID_ARGUMENT, "embeddings.columns must be 1 to 65536, got 0", matrix_no_columns},
    {"matrix: negative columns", COVEY_INVALID_ARGUMENT, "embeddings.columns must be", matrix_columns_negative},
    {"matrix: many columns", COVEY_INVALID_ARGUMENT, "got 65537", matrix_columns_many},
    {"matrix: small stride", COVEY_INVALID_ARGUMENT, "embeddings.row_stride must be", matrix_stride_small},
    {"matrix: odd stride", COVEY_INVALID_ARGUMENT, "got 9", matrix_stride_odd},
    {"matrix: negative stride", COVEY_INVALID_ARGUMENT, "got -8", matrix_stride_negative},
    {"matrix: stride overflows", COVEY_OUT_OF_MEMORY, "overflows", matrix_stride_overflows},
    {"matrix: type", COVEY_INVALID_ARGUMENT, "embeddings.type must be", matrix_type},
    {"matrix: reserved", COVEY_INVALID_ARGUMENT, "embeddings.reserved must be 0, got 1", matrix_reserved},
    {"matrix: NaN", COVEY_INVALID_DATA, "row 1, column 1: must be finite, got nan", matrix_nan},
    {"matrix: infinity", COVEY_INVALID_DATA, "row 2, column 0: must be finite, got -inf", matrix_infinity},
    {"table: good", COVEY_OK, "", table_good},
    {"table: struct_size 0", COVEY_INVALID_ARGUMENT, "features.struct_size must be", table_size_0},
    {"table: column_size 0", COVEY_INVALID_ARGUMENT, "features.column_size must be", table_column_size_0},
    {"table: column_size odd", COVEY_INVALID_ARGUMENT, "features.column_size must be", table_column_size_odd},
    {"table: negative rows", COVEY_INVALID_ARGUMENT, "features.rows must be", table_rows_negative},
    {"table: huge rows", COVEY_INVALID_ARGUMENT, "features.rows must be", table_rows_huge},
    {"table: no rows", COVEY_INVALID_DATA, "features must have at least one row, got 0", table_no_rows},
    {"table: negative columns", COVEY_INVALID_ARGUMENT, "features.column_count must be", table_count_negative},
    {"table: huge columns", COVEY_INVALID_ARGUMENT, "features.column_count must be", table_count_huge},
    {"table: null columns", COVEY_INVALID_ARGUMENT, "features.columns must not be NULL", table_no_columns},
    {"table: no columns", COVEY_INVALID_DATA, "features must have a column with a value", table_empty},
    {"column: null name", COVEY_INVALID_ARGUMENT, "features.columns[1].name must not be NULL", column_no_name},
    {"column: empty name", COVEY_INVALID_ARGUMENT, "columns[1].name must not be empty", column_empty_name},
    {"column: name not UTF-8", COVEY_INVALID_ARGUMENT, "name must be valid UTF-8", column_broken_name},
    {"column: name twice", COVEY_INVALID_DATA, "\"amount\" occurs twice", column_repeated_name},
    {"column: quotes in a name", COVEY_INVALID_DATA, "the column name \"a\\\" occurs\\n\\\\\" occurs twice",
     column_quotes},
    {"column: null values", COVEY_INVALID_ARGUMENT, "features.columns[0].values must not be NULL", column_no_values},
    {"column: kind", COVEY_INVALID_ARGUMENT, "features.columns[0].kind must be", column_kind},
    {"column: small stride", COVEY_INVALID_ARGUMENT, "features.columns[0].values stride must be", column_stride_small},
    {"column: negative stride", COVEY_INVALID_ARGUMENT, "got -8", column_stride_negative},
    {"column: stride overflows", COVEY_OUT_OF_MEMORY, "overflows", column_stride_overflows},
    {"column: reserved", COVEY_INVALID_ARGUMENT, "features.columns[2].reserved must be 0, got 7", column_reserved},
    {"column: infinity", COVEY_INVALID_DATA, "column \"amount\", row 2: must not be infinite", column_infinite},
    {"column: code too high", COVEY_INVALID_DATA, "row 1: code must be -1 to 1, got 2", column_code_high},
    {"column: code too low", COVEY_INVALID_DATA, "row 1: code must be -1 to 1, got -2", column_code_low},
    {"column: flag", COVEY_INVALID_DATA, "column \"weekend\", row 1: must be -1, 0 or 1, got 2", column_flag},
    {"categories: null", COVEY_INVALID_ARGUMENT, "features.columns[1].categories must not be NULL", categories_null},
    {"categories: negative", COVEY_INVALID_ARGUMENT, "category_count must be", categories_negative},
    {"categories: too many", COVEY_INVALID_ARGUMENT, "category_count must be", categories_many},
    {"categories: twice", COVEY_INVALID_DATA, "\"NL\" occurs twice", categories_repeated},
    {"category: null", COVEY_INVALID_ARGUMENT, "categories[1] must not be NULL", category_null},
    {"category: not UTF-8", COVEY_INVALID_ARGUMENT, "categories[1] must be valid UTF-8", category_broken},
    {NULL, 0, NULL, NULL},
};
