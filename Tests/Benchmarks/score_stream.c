/* How long one score takes, from C, on the streams that a payment page sees: percentiles, in microseconds.
 *
 *   again     the same transaction over and over: the best case, which no page has
 *   rolling   the sample's transactions one after another
 *   cold      the same, with the processor's caches overwritten before each
 *   noise     those alone that the engine puts in no cluster
 *
 * By covey_engine_score, and by a scorer, whose memory is used again and which has the features set by index; setting
 * them is a part of its time.
 *
 * The engines are those of the sample (examples/c/road.c): of covey_find, which has the evidence from known fraud, and
 * of the canonical road, which has clusters and rules alone. With ROWS, also one of so many made transactions of 32
 * numbers in blobs, half of them noise.
 *
 *   score_stream [FOLDER [ROWS...]]      default examples/data */
#include "../../examples/c/check.h"
#include "../../examples/c/road.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WARM_UP = 200, SCORED = 8000, CACHES = 96 << 20, COLUMNS = 32 };

static double microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int ascending(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* What gives transaction `row` to the engine. */
typedef struct stream {
    const covey_engine *engine;
    const road *road;      /* NULL = the made table below. */
    const double *numbers; /* rows x COLUMNS. */
    char (*names)[8];
    covey_context *context;
    covey_scorer *scorer; /* NULL = covey_engine_score. */
    int64_t *features;    /* The engine's index of each column; -1 = it needs none such. */
} stream;

/* Sets the columns of a row that the engine needs. */
static covey_status set_row(const stream *stream, const covey_table *table, covey_error **error) {
    covey_status status = COVEY_OK;
    for (int64_t c = 0; c < table->column_count && status == COVEY_OK; c++) {
        const covey_column *column = table->columns + c;
        const int64_t feature = stream->features[c];
        if (feature < 0) continue;
        if (column->kind == COVEY_CATEGORICAL) {
            const int32_t code = *(const int32_t *)column->values;
            const char *name = code < 0 ? NULL : column->categories[code];
            status = covey_scorer_set_category(stream->scorer, feature, name, error);
        } else {
            double value = column->kind == COVEY_BOOLEAN ? (double)*(const int8_t *)column->values
                                                         : *(const double *)column->values;
            if (column->kind == COVEY_BOOLEAN && value < 0) value = NAN;
            status = covey_scorer_set_number(stream->scorer, feature, value, error);
        }
    }
    return status;
}

static covey_status score_row(const stream *stream, int64_t row, covey_score *score, covey_error **error) {
    covey_scores *scores = NULL;
    covey_column columns[COLUMNS > SAMPLE_FEATURES ? COLUMNS : SAMPLE_FEATURES];
    covey_sequences one = COVEY_SEQUENCES_INIT;
    covey_table table = COVEY_TABLE_INIT;
    int64_t offsets[2] = {0, 0};
    if (stream->road) {
        const sample *sample = &stream->road->sample;
        int64_t first = sample->offsets[row];
        table = sample_feature_row(sample, row, columns);
        offsets[1] = sample->offsets[row + 1] - first;
        one.count = 1;
        one.offsets = offsets;
        one.types = stream->road->types + first;
        one.times = sample->seconds + first;
        one.dwell = sample->dwell + first;
    } else {
        for (int64_t c = 0; c < COLUMNS; c++) {
            covey_column column = {stream->names[c], stream->numbers + row * COLUMNS + c, 0, NULL, 0, COVEY_NUMERIC, 0};
            columns[c] = column;
        }
        table.rows = 1;
        table.column_count = COLUMNS;
        table.columns = columns;
    }
    const covey_sequences *sequences = stream->road ? &one : NULL;
    covey_status status;
    if (stream->scorer) {
        status = set_row(stream, &table, error);
        return status == COVEY_OK ? covey_scorer_score(stream->scorer, sequences, NULL, score, error) : status;
    }
    status = covey_engine_score(stream->engine, stream->context, sequences, &table, &scores, error);
    if (status == COVEY_OK) status = covey_scores_get(scores, 0, score, error);
    covey_scores_destroy(scores);
    return status;
}

static covey_status run(const stream *stream, const char *name, const int64_t *rows, int64_t count, int cold,
                        covey_error **error) {
    static double times[SCORED];
    static char *caches;
    covey_score score = COVEY_SCORE_INIT;
    int64_t scored = 0, fill = 0;
    if (count == 0) return COVEY_OK;
    if (cold && caches == NULL) caches = calloc(1, CACHES);
    int64_t wanted = cold ? SCORED / 8 : SCORED;
    for (int64_t turn = -WARM_UP; turn < wanted; turn++) {
        if (cold && caches)
            for (int64_t byte = 0; byte < CACHES; byte += 64) caches[byte] = (char)(caches[byte] + ++fill);
        int64_t row = rows[(turn + WARM_UP) % count];
        double start = microseconds();
        covey_status status = score_row(stream, row, &score, error);
        double end = microseconds();
        if (status != COVEY_OK) return status;
        if (turn >= 0) times[scored++] = end - start;
    }
    qsort(times, (size_t)scored, sizeof *times, ascending);
    printf("  %-8s %6lld different %8.0f %8.0f %8.0f %8.0f\n", name, (long long)(count < scored ? count : scored),
           times[scored / 2], times[scored * 9 / 10], times[scored * 99 / 100], times[scored * 999 / 1000]);
    fflush(stdout);
    return COVEY_OK;
}

/* All streams of an engine, one way. */
static covey_status run_streams(const stream *stream, int64_t count, covey_error **error) {
    int64_t *rows = malloc((size_t)count * 2 * sizeof *rows), *noise = rows + count, found = 0;
    if (rows == NULL) return COVEY_OUT_OF_MEMORY;
    covey_status status = COVEY_OK;
    for (int64_t row = 0; row < count && status == COVEY_OK; row++) {
        covey_score score = COVEY_SCORE_INIT;
        /* A prime step: neighbours in the file are not neighbours in the stream. */
        rows[row] = row * 7919 % count;
        status = score_row(stream, rows[row], &score, error);
        if (status == COVEY_OK && score.cluster < 0) noise[found++] = rows[row];
    }
    printf("  %-8s %16s %8s %8s %8s %8s   microseconds; %.0f %% in no cluster\n", "", "", "p50", "p90", "p99", "p99.9",
           100.0 * (double)found / (double)count);
    if (status == COVEY_OK) status = run(stream, "again", rows, 1, 0, error);
    if (status == COVEY_OK) status = run(stream, "rolling", rows, count, 0, error);
    if (status == COVEY_OK) status = run(stream, "cold", rows, count, 1, error);
    if (status == COVEY_OK) status = run(stream, "noise", noise, found, 0, error);
    free(rows);
    return status;
}

/* Both ways; the columns are those of the sample or of the made table. */
static covey_status run_all(const stream *given, int64_t count, covey_error **error) {
    int64_t features[COLUMNS > SAMPLE_FEATURES ? COLUMNS : SAMPLE_FEATURES];
    stream by_scorer = *given;
    by_scorer.features = features;
    for (int c = 0; c < (given->road ? SAMPLE_FEATURES : COLUMNS); c++)
        features[c] = covey_engine_feature_index(given->engine,
                                                 given->road ? given->road->sample.columns[c].name : given->names[c]);
    covey_status status = covey_scorer_create(given->engine, given->context, &by_scorer.scorer, error);
    puts("covey_engine_score");
    if (status == COVEY_OK) status = run_streams(given, count, error);
    puts("covey_scorer_score");
    if (status == COVEY_OK) status = run_streams(&by_scorer, count, error);
    covey_scorer_destroy(by_scorer.scorer);
    return status;
}

static uint64_t state = 1;
static double uniform(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}
static double normal(void) { return sqrt(-2 * log(1 - uniform())) * cos(6.283185307179586 * uniform()); }

/* An engine of `rows` made transactions near ten dimensions, and 8,000 others to score. */
static covey_status made(int64_t rows, covey_context *all, covey_context *one, covey_error **error) {
    enum { FEW = 10, EACH = 400 };
    int64_t total = rows + SCORED, blobs = rows / EACH + 1;
    double *numbers = malloc((size_t)(total * COLUMNS) * sizeof *numbers), basis[FEW][COLUMNS];
    double *centres = malloc((size_t)(blobs * FEW) * sizeof *centres);
    float *hybrids = malloc((size_t)(rows * COLUMNS) * sizeof *hybrids);
    int32_t *labels = malloc((size_t)rows * sizeof *labels);
    int8_t *fraud = malloc((size_t)rows);
    char names[COLUMNS][8];
    covey_column columns[COLUMNS];
    covey_table table = COVEY_TABLE_INIT;
    covey_matrix matrix = COVEY_MATRIX_INIT;
    covey_hybrid *hybrid = NULL;
    covey_clustering *clustering = NULL;
    covey_risk *risk = NULL;
    covey_engine *engine = NULL;
    covey_status status = COVEY_OUT_OF_MEMORY;
    if (!numbers || !centres || !hybrids || !labels || !fraud) goto done;
    for (int a = 0; a < FEW; a++)
        for (int c = 0; c < COLUMNS; c++) basis[a][c] = normal();
    for (int64_t i = 0; i < blobs * FEW; i++) centres[i] = 3 * normal();
    for (int64_t row = 0; row < total; row++) {
        int64_t blob = (int64_t)(uniform() * (double)blobs);
        int isNoise = uniform() < 0.5;
        double near[FEW];
        for (int a = 0; a < FEW; a++) near[a] = isNoise ? 3.2 * normal() : centres[blob * FEW + a] + 0.3 * normal();
        for (int c = 0; c < COLUMNS; c++) {
            double sum = 0.05 * normal();
            for (int a = 0; a < FEW; a++) sum += near[a] * basis[a][c];
            numbers[row * COLUMNS + c] = sum;
        }
        if (row < rows) fraud[row] = uniform() < 0.02;
    }
    for (int c = 0; c < COLUMNS; c++) {
        snprintf(names[c], sizeof names[c], "f%d", c);
        covey_column column = {names[c], numbers + c, COLUMNS * (int64_t)sizeof(double), NULL, 0, COVEY_NUMERIC, 0};
        columns[c] = column;
    }
    table.rows = rows;
    table.column_count = COLUMNS;
    table.columns = columns;
    if ((status = covey_hybrid_fit(all, NULL, &table, NULL, &hybrid, error)) != COVEY_OK) goto done;
    if ((status = covey_hybrid_transform(hybrid, all, NULL, &table, hybrids, 0, error)) != COVEY_OK) goto done;
    matrix.data = hybrids;
    matrix.rows = rows;
    matrix.columns = covey_hybrid_dimension(hybrid);
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    options.min_cluster_size = 20;
    options.min_samples = 5;
    options.prediction = 1;
    options.search = rows > 100000 ? COVEY_SEARCH_APPROXIMATE : COVEY_SEARCH_EXACT;
    if ((status = covey_cluster_matrix(all, &matrix, &options, &clustering, error)) != COVEY_OK) goto done;
    if ((status = covey_clustering_labels(clustering, labels, rows, error)) != COVEY_OK) goto done;
    if ((status = covey_cluster_risk(all, labels, fraud, NULL, NULL, rows, NULL, &risk, error)) != COVEY_OK) goto done;
    covey_engine_parts parts = COVEY_ENGINE_PARTS_INIT;
    parts.hybrid = hybrid;
    parts.clustering = clustering;
    parts.risk = risk;
    if ((status = covey_engine_build(all, &parts, &engine, error)) != COVEY_OK) goto done;
    if ((status = covey_engine_save(engine, all, ".build-out/stream.engine", error)) != COVEY_OK) goto done;
    covey_engine_destroy(engine);
    double start = microseconds();
    if ((status = covey_engine_load(all, ".build-out/stream.engine", &engine, error)) != COVEY_OK) goto done;
    printf("\n%lld rows of %lld numbers; loaded in %.3f s\n", (long long)rows, (long long)matrix.columns,
           (microseconds() - start) / 1e6);
    remove(".build-out/stream.engine");
    stream stream = {engine, NULL, numbers + rows * COLUMNS, names, one, NULL, NULL};
    status = run_all(&stream, SCORED, error);
done:
    covey_engine_destroy(engine);
    covey_risk_destroy(risk);
    covey_clustering_destroy(clustering);
    covey_hybrid_destroy(hybrid);
    free(numbers);
    free(centres);
    free(hybrids);
    free(labels);
    free(fraud);
    return status;
}

int main(int argc, char **argv) {
    covey_error *error = NULL;
    covey_context *one = NULL, *all = NULL;
    covey_context_options options = COVEY_CONTEXT_OPTIONS_INIT;
    road road;
    int failed = 1;
    if (!road_walk(argc > 1 ? argv[1] : "examples/data", &road)) goto done;
    CHECK(covey_context_create(NULL, &all, &error));
    options.threads = 1;
    CHECK(covey_context_create(&options, &one, &error));
    const covey_engine *engines[] = {covey_found_engine(road.found), road.engine};
    const char *names[] = {"covey_find on the sample", "the canonical road on the sample"};
    for (int index = 0; index < 2; index++) {
        printf("The engine of %s, %lld rows, one thread\n", names[index], (long long)covey_engine_rows(engines[index]));
        stream stream = {engines[index], &road, NULL, NULL, one, NULL, NULL};
        CHECK(run_all(&stream, road.sample.transactions, &error));
    }
    for (int index = 2; index < argc; index++) CHECK(made(strtoll(argv[index], NULL, 10), all, one, &error));
    failed = 0;
    goto done;
failed:
    fprintf(stderr, "%s\n", covey_error_message(error));
done:
    covey_error_destroy(error);
    covey_context_destroy(one);
    covey_context_destroy(all);
    road_free(&road);
    return failed;
}
