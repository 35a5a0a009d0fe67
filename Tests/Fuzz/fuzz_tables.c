/* Tables and matrices with any kinds, strides, names and values, and any options: hybrid features and the search for
 * rules. */
#include "fuzz_matrix.h"

enum { MOST_ROWS = 48, MOST_TABLE_COLUMNS = 6 };

static const void *take_values(fuzz_input *input, int32_t kind, int64_t rows, int64_t *stride) {
    int64_t width = kind == COVEY_CATEGORICAL ? 4 : kind == COVEY_BOOLEAN ? 1 : 8;
    *stride = take_byte(input) < 200 ? 0 : take_count(input, 40);
    if (*stride > 4096 && rows > 1 && *stride < INT64_MAX / rows) *stride = 0;
    int64_t step = *stride >= width && *stride <= 4096 ? *stride : width;
    uint8_t style = take_byte(input);
    char *values = fuzz_alloc(rows ? (size_t)((rows - 1) * step + width) : 0);
    memset(values, 0, rows ? (size_t)((rows - 1) * step + width) : 0);
    for (int64_t row = 0; row < rows; row++) {
        double number = style & 1 ? (double)((row * (style >> 1) + row / 7) % 11) : take_double(input);
        if (kind == COVEY_DATE && style & 64) number = number * 5000 + 1.6e9;
        int32_t code = number > -3 && number < 100 ? (int32_t)number % (style & 128 ? 4 : 100) : -1;
        int8_t flag = (int8_t)(style & 128 ? code & 1 : code);
        if (width == 8) memcpy(values + row * step, &number, 8);
        else if (width == 4) memcpy(values + row * step, &code, 4);
        else values[row * step] = (char)flag;
    }
    return take_byte(input) == 255 ? NULL : values;
}

static covey_table take_table(fuzz_input *input) {
    static const char *const distinct[] = {"amount", "country", "a", "b", "d", "e", "f"};
    covey_table table = COVEY_TABLE_INIT;
    uint8_t flags = take_byte(input);
    table.rows = take_count(input, MOST_ROWS);
    if (table.rows > MOST_ROWS && table.rows <= 1ll << 48) table.rows = MOST_ROWS;
    int64_t rows = table.rows < 0 || table.rows > MOST_ROWS ? 0 : table.rows;
    table.column_count = take_count(input, MOST_TABLE_COLUMNS);
    if (table.column_count > MOST_TABLE_COLUMNS && table.column_count <= 65536) table.column_count = 2;
    int64_t count = table.column_count < 0 || table.column_count > MOST_TABLE_COLUMNS ? 0 : table.column_count;
    if (flags & 1) table.column_size = (size_t)take_count(input, 80);
    size_t size = table.column_size >= sizeof(covey_column) && table.column_size <= 4096 ? table.column_size
                                                                                         : sizeof(covey_column);
    char *columns = fuzz_alloc((size_t)count * size);
    memset(columns, 0, (size_t)count * size);
    for (int64_t i = 0; i < count; i++) {
        covey_column column = {distinct[i], NULL, 0, NULL, 0, take_byte(input) % 4, 0};
        uint8_t odd = take_byte(input);
        if (odd & 1) column.name = take_name(input);
        if (odd == 254) column.kind = (int32_t)take_count(input, 5);
        if (odd == 253) column.reserved = 1;
        if (odd == 252) column.name = NULL;
        column.values = take_values(input, column.kind, rows, &column.stride);
        if (column.kind == COVEY_CATEGORICAL) {
            /* Above 256 categories, and above the number of rows, Covey reads only the names of codes that occur. */
            column.category_count = odd & 2 ? take_count(input, 6) : 4;
            if (column.category_count > 6 && column.category_count <= INT32_MAX)
                column.category_count = odd & 4 ? 300 : 6;
            int64_t categories = column.category_count < 0 || column.category_count > 300 ? 0 : column.category_count;
            const char **names = fuzz_alloc((size_t)categories * sizeof *names);
            for (int64_t j = 0; j < categories; j++) {
                char name[16];
                snprintf(name, sizeof name, "%d", (int)j);
                names[j] = odd & 8 ? take_name(input) : fuzz_copy(name, strlen(name) + 1);
                if (odd == 251) names[j] = NULL;
            }
            column.categories = names;
        } else if (odd == 250) {
            column.category_count = take_count(input, 2);
        }
        memcpy(columns + (size_t)i * size, &column, sizeof column);
    }
    table.columns = (const covey_column *)columns;
    if (flags & 2) table.struct_size = (size_t)take_count(input, sizeof table);
    return table;
}

/* `table` has the same values as `view`, as a complete struct. */
static void check_hybrid(fuzz_input *input, const covey_table *table, const covey_table *view,
                         const covey_matrix *matrix, int threads) {
    covey_error *error = NULL;
    covey_hybrid *hybrid = NULL;
    covey_hybrid_options options = COVEY_HYBRID_OPTIONS_INIT;
    double *numbers[] = {&options.embedding_weight, &options.feature_weight, &options.clip};
    uint8_t flags = take_byte(input);
    options.scaling = flags & 3;
    options.missing = flags >> 2 & 3;
    options.embedding_components = flags >> 4 & 7;
    for (int changes = take_byte(input) % 4; changes; changes--) {
        uint8_t which = take_byte(input) % 5;
        if (which < 3) *numbers[which] = take_double(input);
        else if (which == 3) options.embedding_components = take_count(input, 40);
        else if (table && table->column_count >= 0 && table->column_count <= MOST_TABLE_COLUMNS) {
            double *weights = fuzz_alloc((size_t)table->column_count * sizeof *weights);
            for (int64_t i = 0; i < table->column_count; i++) weights[i] = take_double(input);
            options.column_weights = weights;
        }
    }
    if (!fuzz_ok(covey_hybrid_fit(fuzz_context(threads), matrix, view, &options, &hybrid, &error), &error)) {
        FUZZ_REQUIRE(!hybrid);
        return;
    }
    int64_t width = covey_hybrid_dimension(hybrid), rows = table ? table->rows : matrix->rows;
    FUZZ_REQUIRE(width >= 1 && width <= 65536);
    for (int64_t i = 0; i < width; i++) FUZZ_REQUIRE(covey_hybrid_column_name(hybrid, i));
    float *output = fuzz_alloc((size_t)(rows * width) * 4);
    FUZZ_OK(covey_hybrid_transform(hybrid, fuzz_context(1), matrix, view, output, 0, &error));
    for (int64_t i = 0; i < rows * width; i++) FUZZ_REQUIRE(isfinite(output[i]));
    /* Also transform other rows, which may not fit. */
    covey_table other = take_table(input);
    covey_matrix others = take_matrix(input, 12, 40);
    rows = table ? other.rows : others.rows;
    rows = rows < 0 || rows > 512 ? 0 : rows;
    float *more = fuzz_alloc((size_t)(rows * width) * 4);
    if (fuzz_ok(covey_hybrid_transform(hybrid, fuzz_context(threads),
                                       matrix ? fuzz_struct(&others, sizeof others, 0) : NULL,
                                       table ? fuzz_struct(&other, sizeof other, 0) : NULL, more, 0, &error),
                &error))
        for (int64_t i = 0; i < rows * width; i++) FUZZ_REQUIRE(isfinite(more[i]));
    covey_hybrid_destroy(hybrid);
}

static const double *take_numbers(fuzz_input *input, int64_t rows) {
    double *numbers = fuzz_alloc((size_t)rows * sizeof *numbers);
    for (int64_t row = 0; row < rows; row++) numbers[row] = take_double(input);
    return numbers;
}

static void check_rules(const covey_rules *rules, const covey_table *table) {
    covey_error *error = NULL;
    covey_rules *again = NULL;
    covey_buffer *text = NULL;
    int64_t count = covey_rules_count(rules);
    for (int64_t rule = 0; rule < count; rule++) {
        covey_rule_report report = COVEY_RULE_REPORT_INIT;
        FUZZ_OK(covey_rules_get(rules, rule, &report, &error));
        FUZZ_REQUIRE(covey_rules_text(rules, rule) && report.condition_count >= 1 && report.support <= report.matched);
        FUZZ_REQUIRE(report.precision >= 0 && report.precision <= 1 && report.recall >= 0 && report.recall <= 1);
    }
    FUZZ_OK(covey_rules_export(rules, NULL, COVEY_RULES_JSON, NULL, &text, &error));
    FUZZ_OK(covey_rules_parse(NULL, covey_buffer_data(text), covey_buffer_size(text), &again, &error));
    covey_buffer_destroy(text);
    FUZZ_OK(covey_rules_export(rules, NULL, COVEY_RULES_SQL, NULL, &text, &error));
    covey_buffer_destroy(text);
    uint8_t *any = fuzz_alloc((size_t)table->rows), *same = fuzz_alloc((size_t)table->rows);
    FUZZ_OK(covey_rules_evaluate(rules, fuzz_context(1), table, NULL, any, &error));
    FUZZ_OK(covey_rules_evaluate(again, fuzz_context(2), table, NULL, same, &error));
    FUZZ_REQUIRE(memcmp(any, same, (size_t)table->rows) == 0);
    covey_rules_destroy(again);
}

static void search(fuzz_input *input, const covey_table *table, const covey_table *view, int threads) {
    covey_error *error = NULL;
    covey_rules *rules = NULL;
    int64_t rows = table->rows < 0 || table->rows > MOST_ROWS ? 0 : table->rows;
    uint8_t *target = fuzz_alloc((size_t)rows), style = take_byte(input);
    for (int64_t row = 0; row < rows; row++)
        target[row] = style & 1 ? (uint8_t)(row % (2 + (style >> 4)) == 0) : take_byte(input) & 1;
    if (rows && style == 254) target[rows / 2] = 2;
    covey_rules_options options = COVEY_RULES_OPTIONS_INIT;
    int64_t *counts[] = {&options.max_conditions, &options.max_rules,    &options.min_support, &options.max_bins,
                         &options.beam_width,     &options.permutations, &options.resamples};
    double *numbers[] = {&options.min_precision, &options.min_lift, &options.held_out,     &options.confidence,
                         &options.beta,          &options.rounding, &options.significance, &options.min_stability};
    covey_rule_feature feature = COVEY_RULE_FEATURE_INIT;
    covey_feature_pair pair = {"a", "b", 0, 0};
    covey_condition pinned = COVEY_CONDITION_INIT;
    const char *categories[] = {"0", "1"};
    options.min_support = 1 + style % 4;
    options.significance = style & 2 ? 0.05 : 0;
    options.min_lift = 0;
    for (int changes = take_byte(input) % 8; changes; changes--) {
        uint8_t which = take_byte(input) % 24;
        if (which < 7) *counts[which] = take_count(input, 12);
        else if (which < 15) *numbers[which - 7] = take_double(input) / (take_byte(input) % 2 ? 1 : 64);
        else if (which == 15) options.weights = take_numbers(input, rows);
        else if (which == 16) options.amounts = take_numbers(input, rows);
        else if (which == 17) options.times = take_numbers(input, rows);
        else if (which == 18) options.quality = (int32_t)take_count(input, 4);
        else if (which == 19) options.age_to = take_name(input);
        else if (which == 20) {
            pair.first = take_name(input);
            pair.second = take_name(input);
            pair.kind = (int32_t)take_count(input, 4);
            options.pairs = fuzz_copy(&pair, sizeof pair);
            options.pair_count = 1;
        } else if (which == 21) {
            feature.feature = take_name(input);
            feature.use = (int32_t)take_count(input, 3);
            feature.direction = (int32_t)((uint32_t)take_count(input, 2) - 1);
            options.features = fuzz_copy(&feature, sizeof feature);
            options.feature_count = 1;
        } else if (which == 22) {
            pinned.feature = take_name(input);
            pinned.kind = (int32_t)take_count(input, 6);
            pinned.low = take_double(input);
            pinned.high = take_double(input);
            pinned.categories = categories;
            pinned.category_count = take_byte(input) % 3;
            options.pinned = fuzz_copy(&pinned, sizeof pinned);
            options.pinned_count = 1;
        } else options.seed = (uint64_t)take_int64(input);
    }
    /* The header allows these, but they would take too long. */
    if (options.permutations > 12 && options.permutations <= 10000) options.permutations = 3;
    if (options.resamples > 12 && options.resamples <= 1000) options.resamples = 3;
    if (fuzz_ok(covey_extract_rules(fuzz_context(threads), view, target, &options, &rules, &error), &error))
        check_rules(rules, table);
    else FUZZ_REQUIRE(!rules);
    covey_rules_destroy(rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = {data, size};
    fuzz_begin();
    uint8_t flags = take_byte(&input);
    int threads = fuzz_threads(size);
    covey_table table = take_table(&input);
    const covey_table *view = fuzz_struct(&table, sizeof table, take_byte(&input) == 255);
    if (flags & 2) {
        covey_matrix matrix = take_matrix(&input, MOST_ROWS, 24);
        if (flags & 4 && matrix.rows <= 512 && matrix.rows > table.rows && table.rows >= 0) matrix.rows = table.rows;
        check_hybrid(&input, flags & 8 ? &table : NULL, flags & 8 ? view : NULL, fuzz_struct(&matrix, sizeof matrix, 0),
                     threads);
    } else if (flags & 4) {
        check_hybrid(&input, &table, view, NULL, threads);
    } else {
        search(&input, &table, view, threads);
    }
    return fuzz_end();
}
