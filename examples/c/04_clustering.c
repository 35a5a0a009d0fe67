/* 4. Clustering: HDBSCAN finds groups of any shape and leaves alone what belongs to none.
 *
 * Two moons, a dense blob and scattered points, drawn on the terminal; then new points are placed in the clusters. */
#include "check.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MOON 150
#define BLOB 60
#define SCATTER 24
#define ROWS (2 * MOON + BLOB + SCATTER)

/* Numbers from 0 to 1, the same on every machine. */
static double uniform(void) {
    static uint64_t state = 42;
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (double)(state >> 11) / 9007199254740992.0;
}

static void make_points(double (*points)[2]) {
    int i;
    for (i = 0; i < ROWS; i++) {
        double angle = 3.14159265 * uniform(), wide = 0.2 * (uniform() - 0.5), high = 0.2 * (uniform() - 0.5);
        if (i < MOON) {
            points[i][0] = cos(angle) + wide, points[i][1] = sin(angle) + high;
        } else if (i < 2 * MOON) {
            points[i][0] = 1 - cos(angle) + wide, points[i][1] = 0.4 - sin(angle) + high;
        } else if (i < 2 * MOON + BLOB) {
            points[i][0] = 2.6 + 1.5 * wide, points[i][1] = 0.9 + 1.5 * high;
        } else {
            points[i][0] = -1.4 + 4.6 * uniform(), points[i][1] = -1 + 2.4 * uniform();
        }
    }
}

static void draw(double (*points)[2], const int32_t *labels) {
    char picture[18][81];
    int i;
    for (i = 0; i < 18; i++) {
        memset(picture[i], ' ', 80);
        picture[i][80] = '\0';
    }
    for (i = 0; i < ROWS; i++) {
        int x = (int)((points[i][0] + 1.5) / 4.8 * 79), y = (int)((1.5 - points[i][1]) / 2.6 * 17);
        picture[y][x] = labels[i] < 0 ? '.' : (char)('A' + labels[i] % 26);
    }
    for (i = 0; i < 18; i++) printf("  %s\n", picture[i]);
}

/* Called while Covey works. Any result but 0 would stop it, as covey_cancel does from another thread. */
static int32_t progress(void *user_data, const char *stage, double fraction) {
    (void)stage;
    (void)fraction;
    ++*(int *)user_data;
    return 0;
}

int main(void) {
    static double points[ROWS][2];
    static int32_t labels[ROWS];
    static double probabilities[ROWS], scores[ROWS];
    covey_error *error = NULL;
    covey_context *context = NULL;
    covey_clustering *clustering = NULL;
    covey_context_options context_options = COVEY_CONTEXT_OPTIONS_INIT;
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    covey_matrix matrix = COVEY_MATRIX_INIT;
    int reports = 0, i, strangest = 0;
    int64_t cluster, noise = 0;

    make_points(points);
    matrix.data = points;
    matrix.rows = ROWS;
    matrix.columns = 2;
    matrix.type = COVEY_FLOAT64;

    context_options.threads = 2; /* The result does not depend on it. */
    context_options.progress = progress;
    context_options.progress_user_data = &reports;
    CHECK(covey_context_create(&context_options, &context, &error));

    options.min_cluster_size = 20;
    options.min_samples = 6;
    options.prediction = 1; /* Keep what placing new rows needs. */
    CHECK(covey_cluster_matrix(context, &matrix, &options, &clustering, &error));
    CHECK(covey_clustering_labels(clustering, labels, ROWS, &error));
    CHECK(covey_clustering_probabilities(clustering, probabilities, ROWS, &error));
    CHECK(covey_clustering_outlier_scores(clustering, scores, ROWS, &error));

    draw(points, labels);
    for (i = 0; i < ROWS; i++) {
        noise += labels[i] < 0;
        if (scores[i] > scores[strangest]) strangest = i;
    }
    printf("\n%d points, %lld clusters, %lld noise; the strangest point lies at (%.2f, %.2f), outlier score %.2f\n",
           ROWS, (long long)covey_clustering_clusters(clustering), (long long)noise, points[strangest][0],
           points[strangest][1], scores[strangest]);

    for (cluster = 0; cluster < covey_clustering_clusters(clustering); cluster++) {
        int64_t size = 0, exemplars[ROWS], count = covey_clustering_exemplar_count(clustering, cluster);
        double strength = 0, persistence[ROWS];
        CHECK(covey_clustering_persistence(clustering, persistence, ROWS, &error));
        CHECK(covey_clustering_exemplars(clustering, cluster, exemplars, ROWS, &error));
        for (i = 0; i < ROWS; i++) {
            if (labels[i] == cluster) size++, strength += probabilities[i];
        }
        printf("  %c  %3lld points, mean strength %.2f, persistence %.2f, %lld exemplars, one at (%.2f, %.2f)\n",
               (char)('A' + cluster % 26), (long long)size, strength / (double)size, persistence[cluster],
               (long long)count, points[exemplars[0]][0], points[exemplars[0]][1]);
    }

    { /* New points fall into the clusters, or into none, without moving them. */
        static const double fresh[3][2] = {{2.6, 0.85}, {0.05, 0.98}, {-1.2, -0.8}};
        int32_t label[3];
        double strength[3];
        matrix.data = fresh;
        matrix.rows = 3;
        CHECK(covey_clustering_predict(clustering, context, &matrix, label, strength, &error));
        printf("\n");
        for (i = 0; i < 3; i++) {
            printf("  new point (%5.2f, %5.2f): ", fresh[i][0], fresh[i][1]);
            if (label[i] < 0) printf("noise\n");
            else printf("%c, strength %.2f\n", (char)('A' + label[i] % 26), strength[i]);
        }
    }

    { /* A mistake, and what Covey says about it. */
        covey_clustering *none = NULL;
        options.min_cluster_size = 1;
        if (covey_cluster_matrix(context, &matrix, &options, &none, &error) == COVEY_INVALID_ARGUMENT) {
            printf("\n  refused: %s\n", covey_error_message(error));
            covey_error_destroy(error);
            error = NULL;
        }
    }

    covey_clustering_destroy(clustering);
    covey_context_destroy(context);
    return 0;

failed:
    fprintf(stderr, "%s\n", covey_error_message(error));
    covey_error_destroy(error);
    covey_clustering_destroy(clustering);
    covey_context_destroy(context);
    return 1;
}
