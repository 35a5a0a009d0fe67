/* Bad input of clustering from edges and lists, and of the kernels that cluster in parts. */
#include "abi_test.h"

static const covey_row_pair pair_03[1] = {{0, 3}}, pair_02[1] = {{0, 2}}, pair_outside[1] = {{1, 4}};
static const covey_row_pair pair_same[1] = {{2, 2}};
static const covey_edge good_edges[2] = {{0, 1, 1}, {2, 1, 3}}, outside_edges[2] = {{0, 1, 1}, {1, 3, 3}};
static const covey_edge two_ways[2] = {{0, 1, 1}, {1, 0, 3}}, nan_edges[2] = {{0, 1, 1}, {1, 2, NAN}};
static const covey_edge loop_edges[1] = {{1, 1, 1}}, twice_edges[2] = {{0, 1, 1}, {0, 1, 1}},
                        low_edges[1] = {{0, 1, -1}};
static const int64_t near_rows[6] = {1, 2, 0, 2, 1, 0}, near_twice[6] = {1, 1, 0, 2, 1, 0};
static const int64_t near_outside[6] = {1, 3, 0, 2, 1, 0}, falling[3] = {5, 4, 6};
static const double near_far[6] = {1, 2, 1, 1.5, 1.5, 2}, near_nan[6] = {1, NAN, 1, 1.5, 1.5, 2},
                    cores_low[3] = {1, -1, 1};
static const double points[6] = {0, 0, 1, 0, 0, 3};
static const int64_t weights_one[3] = {1, 1, 1};

/* One call, with a matrix of three points and room for what it writes. */
#define PART_CASE(name, call) \
    static covey_status name(covey_error **error) { \
        covey_clustering *other = (covey_clustering *)1; \
        covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT; \
        covey_matrix matrix = COVEY_MATRIX_INIT; \
        covey_edge kept[4] = {{0, 1, 1}, {1, 3, 1}}; \
        double distances[6] = {0}; \
        int64_t indices[6] = {0}, count = 0; \
        matrix.data = points; \
        matrix.rows = 3; \
        matrix.columns = 2; \
        matrix.type = COVEY_FLOAT64; \
        options.prediction = 1; \
        covey_status status = call; \
        if (other != (covey_clustering *)1) covey_clustering_destroy(other); \
        (void)kept, (void)distances, (void)indices, (void)count, (void)matrix, (void)options; \
        return status; \
    }

PART_CASE(edges_good, covey_cluster_edges(NULL, 3, good_edges, 2, NULL, NULL, &other, error))
PART_CASE(edges_none, covey_cluster_edges(NULL, 3, NULL, 0, NULL, NULL, &other, error))
PART_CASE(edges_null, covey_cluster_edges(NULL, 3, NULL, 2, NULL, NULL, &other, error))
PART_CASE(edges_negative, covey_cluster_edges(NULL, 3, good_edges, -1, NULL, NULL, &other, error))
PART_CASE(edges_no_output, covey_cluster_edges(NULL, 3, good_edges, 2, NULL, NULL, NULL, error))
PART_CASE(edges_outside, covey_cluster_edges(NULL, 3, outside_edges, 2, NULL, NULL, &other, error))
PART_CASE(edges_two_ways, covey_cluster_edges(NULL, 3, two_ways, 2, NULL, NULL, &other, error))
PART_CASE(edges_nan, covey_cluster_edges(NULL, 3, nan_edges, 2, NULL, NULL, &other, error))
PART_CASE(edges_loop, covey_cluster_edges(NULL, 3, loop_edges, 1, NULL, NULL, &other, error))
PART_CASE(edges_twice, covey_cluster_edges(NULL, 3, twice_edges, 2, NULL, NULL, &other, error))
PART_CASE(edges_low, covey_cluster_edges(NULL, 3, low_edges, 1, NULL, NULL, &other, error))
PART_CASE(edges_cores, covey_cluster_edges(NULL, 3, good_edges, 2, cores_low, NULL, &other, error))
PART_CASE(edges_prediction, covey_cluster_edges(NULL, 3, good_edges, 2, NULL, &options, &other, error))
PART_CASE(edges_weights,
          (options.weights = weights_one, covey_cluster_edges(NULL, 3, good_edges, 2, NULL, &options, &other, error)))
PART_CASE(lists_weights, (options.weights = weights_one,
                          covey_cluster_neighbours(NULL, 3, 2, near_rows, near_far, &options, &other, NULL, error)))
PART_CASE(lists_good, covey_cluster_neighbours(NULL, 3, 2, near_rows, near_far, NULL, &other, NULL, error))
PART_CASE(lists_null, covey_cluster_neighbours(NULL, 3, 2, NULL, near_far, NULL, &other, NULL, error))
PART_CASE(lists_k, covey_cluster_neighbours(NULL, 3, 0, near_rows, near_far, NULL, &other, NULL, error))
PART_CASE(lists_short, covey_cluster_neighbours(NULL, 3, 1, near_rows, near_far, NULL, &other, NULL, error))
PART_CASE(lists_huge,
          covey_cluster_neighbours(NULL, 1 << 30, INT64_MAX, near_rows, near_far, NULL, &other, NULL, error))
PART_CASE(lists_twice, covey_cluster_neighbours(NULL, 3, 2, near_twice, near_far, NULL, &other, NULL, error))
PART_CASE(lists_outside, covey_cluster_neighbours(NULL, 3, 2, near_outside, near_far, NULL, &other, NULL, error))
PART_CASE(lists_nan, covey_cluster_neighbours(NULL, 3, 2, near_rows, near_nan, NULL, &other, NULL, error))
PART_CASE(nearest_good,
          covey_nearest(NULL, &matrix, near_rows + 1, &matrix, NULL, 2, 0, 0, indices, distances, 6, error))
PART_CASE(nearest_small, covey_nearest(NULL, &matrix, NULL, &matrix, NULL, 3, 0, 0, indices, distances, 6, error))
PART_CASE(nearest_k, covey_nearest(NULL, &matrix, NULL, &matrix, NULL, 0, 0, 0, indices, distances, 6, error))
PART_CASE(nearest_metric, covey_nearest(NULL, &matrix, NULL, &matrix, NULL, 1, 9, 0, indices, distances, 6, error))
PART_CASE(nearest_merge, covey_nearest(NULL, &matrix, NULL, &matrix, NULL, 2, 0, 1, indices, distances, 6, error))
PART_CASE(nearest_null, covey_nearest(NULL, NULL, NULL, &matrix, NULL, 1, 0, 0, indices, distances, 6, error))
PART_CASE(nearest_falling, covey_nearest(NULL, &matrix, NULL, &matrix, falling, 1, 0, 0, indices, distances, 6, error))
PART_CASE(spanning_good, covey_spanning_edges(NULL, &matrix, NULL, near_far, 0, 1, kept, 4, error))
PART_CASE(spanning_cores, covey_spanning_edges(NULL, &matrix, NULL, cores_low, 0, 1, kept, 4, error))
PART_CASE(spanning_null, covey_spanning_edges(NULL, &matrix, NULL, NULL, 0, 1, kept, 4, error))
PART_CASE(spanning_small, covey_spanning_edges(NULL, &matrix, NULL, near_far, 0, 1, kept, 1, error))
PART_CASE(spanning_alpha, covey_spanning_edges(NULL, &matrix, NULL, near_far, 0, NAN, kept, 4, error))
PART_CASE(spanning_zeros, covey_spanning_edges(NULL, &matrix, NULL, near_far, 2, 1, kept, 4, error))
PART_CASE(merge_good, covey_merge_edges(NULL, 4, kept, 2, &count, error))
PART_CASE(merge_outside, covey_merge_edges(NULL, 3, kept, 2, &count, error))
PART_CASE(merge_null, covey_merge_edges(NULL, 3, NULL, 2, &count, error))
PART_CASE(merge_no_count, covey_merge_edges(NULL, 3, kept, 0, NULL, error))
#define CONSTRAIN(must, musts, cannot, cannots, capacity) \
    covey_constrain_edges(NULL, 4, good_edges, 2, must, musts, cannot, cannots, kept, capacity, &count, error)
PART_CASE(constrain_good, CONSTRAIN(pair_03, 1, pair_02, 1, 4))
PART_CASE(constrain_none, CONSTRAIN(NULL, 0, NULL, 0, 4))
PART_CASE(constrain_null, CONSTRAIN(NULL, 1, NULL, 0, 4))
PART_CASE(constrain_negative, CONSTRAIN(NULL, 0, pair_02, -1, 4))
PART_CASE(constrain_small, CONSTRAIN(pair_03, 1, NULL, 0, 2))
PART_CASE(constrain_outside, CONSTRAIN(NULL, 0, pair_outside, 1, 4))
PART_CASE(constrain_same, CONSTRAIN(pair_same, 1, NULL, 0, 4))
PART_CASE(constrain_both, CONSTRAIN(pair_02, 1, pair_02, 1, 4))
PART_CASE(constrain_edge, covey_constrain_edges(NULL, 3, outside_edges, 2, NULL, 0, NULL, 0, kept, 4, &count, error))
PART_CASE(constrain_no_count, covey_constrain_edges(NULL, 3, good_edges, 2, NULL, 0, NULL, 0, kept, 4, NULL, error))

#define BAD COVEY_INVALID_ARGUMENT
#define DATA COVEY_INVALID_DATA
#define SMALL COVEY_BUFFER_TOO_SMALL

const abi_case parts_cases[] = {
    {"edges: good", COVEY_OK, "", edges_good},
    {"edges: none", COVEY_OK, "", edges_none},
    {"edges: NULL", BAD, "edges must not be NULL", edges_null},
    {"edges: -1", BAD, "edge_count must be 0 to", edges_negative},
    {"edges: no output", BAD, "clustering must not be NULL", edges_no_output},
    {"edges: outside", DATA, "edges[1] must join two of the rows 0 to 2, got 1 and 3", edges_outside},
    {"edges: asymmetric", DATA, "edges must be symmetric, got 1", edges_two_ways},
    {"edges: NaN", DATA, "edges[1].distance must be finite and at least 0, got nan", edges_nan},
    {"edges: loop", DATA, "edges[0] joins row 1 to itself", edges_loop},
    {"edges: twice", DATA, "edges[1] repeats edges[0]", edges_twice},
    {"edges: negative", DATA, "edges[0].distance must be finite and at least 0, got -1", edges_low},
    {"edges: core distance", DATA, "core_distances[1] must be finite and at least 0, got -1", edges_cores},
    {"edges: prediction", BAD, "prediction must be 0", edges_prediction},
    {"lists: good", COVEY_OK, "", lists_good},
    {"lists: NULL", BAD, "indices must not be NULL", lists_null},
    {"edges: weights", BAD, "weights must be NULL if edges", edges_weights},
    {"lists: weights", BAD, "weights must be NULL if edges", lists_weights},
    {"lists: k 0", BAD, "k must be 1 to", lists_k},
    {"lists: k below min_samples", BAD, "k must be at least min_samples, 2", lists_short},
    {"lists: overflow", BAD, "k must be 1 to", lists_huge},
    {"lists: twice", DATA, "indices[0] must not repeat a row, got 1 twice", lists_twice},
    {"lists: outside", DATA, "indices[0][1] must be -1 or a row, 0 to 2, got 3", lists_outside},
    {"lists: NaN", DATA, "distances[0][1] must be finite and at least 0, got nan", lists_nan},
    {"nearest: good", COVEY_OK, "", nearest_good},
    {"nearest: small", SMALL, "indices needs a capacity of 9, got 6", nearest_small},
    {"nearest: k 0", BAD, "k must be 1 to", nearest_k},
    {"nearest: metric", BAD, "metric must be a COVEY_METRIC_ value, got 9", nearest_metric},
    {"nearest: lists that do not ascend", DATA, "must ascend to be merged into", nearest_merge},
    {"nearest: NULL", BAD, "queries must not be NULL", nearest_null},
    {"nearest: numbers that do not ascend", DATA, "row_numbers must ascend, got 4 after 5", nearest_falling},
    {"block: good", COVEY_OK, "", spanning_good},
    {"block: core distance", DATA, "core_distances[1] must be finite and at least 0, got -1", spanning_cores},
    {"block: NULL", BAD, "core_distances must not be NULL", spanning_null},
    {"block: small", SMALL, "edges needs a capacity of 2, got 1", spanning_small},
    {"block: alpha", BAD, "alpha must be finite and above 0, got nan", spanning_alpha},
    {"block: cosine of zeros", DATA, "rows[0] has zeros alone", spanning_zeros},
    {"merge: good", COVEY_OK, "", merge_good},
    {"merge: outside", DATA, "edges[1] must join two of the rows 0 to 2, got 1 and 3", merge_outside},
    {"merge: NULL", BAD, "edges must not be NULL", merge_null},
    {"merge: no count", BAD, "kept must not be NULL", merge_no_count},
    {"constrain: good", COVEY_OK, "", constrain_good},
    {"constrain: no pairs", COVEY_OK, "", constrain_none},
    {"constrain: NULL", BAD, "must_link must not be NULL", constrain_null},
    {"constrain: -1", BAD, "cannot_link_count must be 0 to", constrain_negative},
    {"constrain: small", SMALL, "forest needs a capacity of 3, got 2", constrain_small},
    {"constrain: outside", DATA, "cannot_link[0] must be two of the rows 0 to 3, got 1 and 4", constrain_outside},
    {"constrain: a row with itself", DATA, "must_link[0] must be two of the rows 0 to 3, got 2 and 2", constrain_same},
    {"constrain: contradiction", DATA, "cannot_link[0] forbids rows 0 and 2, which must_link joins", constrain_both},
    {"constrain: edge", DATA, "edges[1] must join two of the rows 0 to 2, got 1 and 3", constrain_edge},
    {"constrain: no output", BAD, "kept must not be NULL", constrain_no_count},
    {NULL, 0, NULL, NULL},
};
