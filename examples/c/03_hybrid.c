/* 3. Hybrid features: embeddings and expert features side by side, each scaled to carry its weight.
 *
 * The transform is fitted once, on history; the same medians, quartiles and categories are then used for every new row.
 * */
#include "check.h"

#include <math.h>
#include <stdio.h>

#define ROWS 6
#define EMBEDDING 2

/* What an encoder has made of six click streams. */
static const float EMBEDDINGS[ROWS][EMBEDDING] = {{0.1F, 0.9F}, {0.2F, 0.8F},  {0.1F, 0.7F},
                                                  {-0.9F, 0},   {-0.8F, 0.1F}, {0, 0.9F}};

static const double AMOUNT[ROWS] = {20, 35, 28, 400, 380, NAN}; /* NaN is missing. */
static const char *const COUNTRIES[] = {"NL", "DE"};
static const int32_t COUNTRY[ROWS] = {0, 1, 0, 1, 1, -1}; /* So is -1. */
static const int8_t GUEST[ROWS] = {0, 0, 1, 1, 1, 0};

static void print_rows(const covey_hybrid *hybrid, const float *rows, int count) {
    int64_t c, columns = covey_hybrid_dimension(hybrid);
    int r;
    for (c = 0; c < columns; c++) {
        printf("  %-16s", covey_hybrid_column_name(hybrid, c));
        for (r = 0; r < count; r++) printf("%8.3f", rows[r * columns + c]);
        printf("\n");
    }
}

int main(void) {
    covey_error *error = NULL;
    covey_hybrid *hybrid = NULL;
    covey_hybrid_options options = COVEY_HYBRID_OPTIONS_INIT;
    covey_matrix embeddings = COVEY_MATRIX_INIT;
    covey_table features = COVEY_TABLE_INIT;
    covey_column columns[3] = {{"amount", AMOUNT, 0, NULL, 0, COVEY_NUMERIC, 0},
                               {"country", COUNTRY, 0, COUNTRIES, 2, COVEY_CATEGORICAL, 0},
                               {"guest", GUEST, 0, NULL, 0, COVEY_BOOLEAN, 0}};
    float rows[ROWS * 16];

    embeddings.data = EMBEDDINGS;
    embeddings.rows = ROWS;
    embeddings.columns = EMBEDDING;
    features.rows = ROWS;
    features.columns = columns;
    features.column_count = 3;

    options.missing = COVEY_MISSING_INDICATOR;
    options.clip = 3;             /* One absurd amount must not outweigh everything else. */
    options.embedding_weight = 2; /* Behaviour counts for more here. */
    CHECK(covey_hybrid_fit(NULL, &embeddings, &features, &options, &hybrid, &error));
    if (covey_hybrid_dimension(hybrid) > 16) goto failed;

    CHECK(covey_hybrid_transform(hybrid, NULL, &embeddings, &features, rows, 0, &error));
    printf("Six transactions, one a column, as they will be clustered:\n");
    print_rows(hybrid, rows, ROWS);

    { /* A new transaction from a country that was not there in fitting. Columns are found by name, in any order. */
        static const float embedding[EMBEDDING] = {-0.7F, 0.1F};
        static const double amount = 365;
        static const char *const countries[] = {"FR"};
        static const int32_t country = 0;
        static const int8_t guest = 1;
        covey_column fresh[3] = {{"guest", &guest, 0, NULL, 0, COVEY_BOOLEAN, 0},
                                 {"country", &country, 0, countries, 1, COVEY_CATEGORICAL, 0},
                                 {"amount", &amount, 0, NULL, 0, COVEY_NUMERIC, 0}};
        embeddings.data = embedding;
        embeddings.rows = features.rows = 1;
        features.columns = fresh;
        CHECK(covey_hybrid_transform(hybrid, NULL, &embeddings, &features, rows, 0, &error));
        printf("\nA new one, from a country not seen before:\n");
        print_rows(hybrid, rows, 1);

        /* A mistake, and what Covey says about it. */
        features.column_count = 2;
        if (covey_hybrid_transform(hybrid, NULL, &embeddings, &features, rows, 0, &error) == COVEY_MISMATCH) {
            printf("\nWithout the amount: %s\n", covey_error_message(error));
            covey_error_destroy(error);
            error = NULL;
        }
    }

    covey_hybrid_destroy(hybrid);
    return 0;

failed:
    fprintf(stderr, "%s\n", covey_error_message(error));
    covey_error_destroy(error);
    covey_hybrid_destroy(hybrid);
    return 1;
}
