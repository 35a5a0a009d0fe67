#include "bad_clustering.h"

/* ---------------------------------------------------------------------------------------------------------- results */
static covey_clustering *three_groups(int32_t prediction) {
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    covey_matrix matrix = matrix_of(points, 18, COVEY_FLOAT64);
    covey_clustering *clustering = NULL;
    options.prediction = prediction;
    covey_cluster_matrix(NULL, &matrix, &options, &clustering, NULL);
    return clustering;
}

static int32_t labels[18];
static double numbers[18];
static int64_t integers[18];
static covey_edge edges[18];
static covey_merge merges[18];
static covey_condensed_edge condensed[64];

/* A call on a good clustering, which must be as good afterwards. */
#define RESULT_CASE(name, prediction, call) \
    static covey_status name(covey_error **error) { \
        covey_clustering *clustering = three_groups(prediction); \
        covey_status status = call; \
        if (covey_clustering_labels(clustering, labels, 18, NULL) != COVEY_OK) status = COVEY_INTERNAL; \
        covey_clustering_destroy(clustering); \
        return status; \
    }

static covey_status no_clustering_labels(covey_error **error) {
    return covey_clustering_labels(NULL, labels, 18, error);
}
static covey_status no_clustering_tree(covey_error **error) {
    return covey_clustering_condensed_tree(NULL, condensed, 64, error);
}
static covey_status no_clustering_exemplars(covey_error **error) {
    return covey_clustering_exemplars(NULL, 0, integers, 18, error);
}
RESULT_CASE(labels_null, 0, covey_clustering_labels(clustering, NULL, 18, error))
RESULT_CASE(labels_small, 0, covey_clustering_labels(clustering, labels, 17, error))
RESULT_CASE(labels_negative, 0, covey_clustering_labels(clustering, labels, -1, error))
RESULT_CASE(probabilities_small, 0, covey_clustering_probabilities(clustering, numbers, 0, error))
RESULT_CASE(scores_null, 0, covey_clustering_outlier_scores(clustering, NULL, 18, error))
RESULT_CASE(persistence_small, 0, covey_clustering_persistence(clustering, numbers, 2, error))
RESULT_CASE(spanning_small, 0, covey_clustering_spanning_tree(clustering, edges, 16, error))
RESULT_CASE(linkage_null, 0, covey_clustering_single_linkage_tree(clustering, NULL, 17, error))
RESULT_CASE(linkage_small, 0, covey_clustering_single_linkage_tree(clustering, merges, 16, error))
RESULT_CASE(condensed_small, 0, covey_clustering_condensed_tree(clustering, condensed, 17, error))
RESULT_CASE(nodes_small, 0, covey_clustering_selected_nodes(clustering, integers, 1, error))
RESULT_CASE(exemplars_negative, 0, covey_clustering_exemplars(clustering, -1, integers, 18, error))
RESULT_CASE(exemplars_outside, 0, covey_clustering_exemplars(clustering, 3, integers, 18, error))
RESULT_CASE(exemplars_small, 0, covey_clustering_exemplars(clustering, 0, integers, 0, error))

/* ------------------------------------------------------------------------------------------------------- prediction */
static covey_status predict(const covey_clustering *clustering, const void *data, int64_t rows, int64_t columns,
                            int32_t *output, covey_error **error) {
    covey_matrix matrix = matrix_of(data, rows, COVEY_FLOAT64);
    matrix.columns = columns;
    return covey_clustering_predict(clustering, NULL, &matrix, output, numbers, error);
}

/* ------------------------------------------------------------------------------------------ other calls on a result */
#define OTHER_CASE(name, prediction_, call) \
    static covey_status name(covey_error **error) { \
        covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT; \
        covey_matrix matrix = matrix_of(points, 18, COVEY_FLOAT64); \
        covey_clustering *result = NULL, *other = (covey_clustering *)1; \
        covey_bytes *bytes = (covey_bytes *)1; \
        double numbers[64]; \
        int32_t labels[64]; \
        int64_t nodes[2] = {18, 18}; \
        options.prediction = prediction_; \
        if (covey_cluster_matrix(NULL, &matrix, &options, &result, NULL) != COVEY_OK) return COVEY_INTERNAL; \
        covey_status status = call; \
        if (other != (covey_clustering *)1) covey_clustering_destroy(other); \
        if (bytes != (covey_bytes *)1) covey_bytes_destroy(bytes); \
        covey_clustering_destroy(result); \
        (void)numbers, (void)labels, (void)nodes; \
        return status; \
    }

OTHER_CASE(select_no_output, 0, covey_clustering_select(result, NULL, NULL, NULL, 0, NULL, error))
OTHER_CASE(select_none, 0, covey_clustering_select(NULL, NULL, NULL, NULL, 0, &other, error))
OTHER_CASE(select_count, 0, covey_clustering_select(result, NULL, NULL, nodes, -1, &other, error))
OTHER_CASE(select_no_nodes, 0, covey_clustering_select(result, NULL, NULL, NULL, 1, &other, error))
OTHER_CASE(select_twice, 0, covey_clustering_select(result, NULL, NULL, nodes, 2, &other, error))
OTHER_CASE(select_row, 0, (nodes[0] = 17, covey_clustering_select(result, NULL, NULL, nodes, 1, &other, error)))
OTHER_CASE(select_outside, 0, (nodes[0] = 9999, covey_clustering_select(result, NULL, NULL, nodes, 1, &other, error)))
OTHER_CASE(select_largest, 0,
           (nodes[0] = INT64_MAX, covey_clustering_select(result, NULL, NULL, nodes, 1, &other, error)))
OTHER_CASE(select_within, 0, (nodes[1] = 19, covey_clustering_select(result, NULL, NULL, nodes, 2, &other, error)))
OTHER_CASE(select_no_clusters, 0, covey_clustering_select(result, NULL, NULL, nodes, 0, &other, error))
OTHER_CASE(save_nowhere, 0, covey_clustering_save(result, NULL, NULL, error))
OTHER_CASE(save_folder, 0, covey_clustering_save(result, NULL, "/no/such/folder/file", error))
OTHER_CASE(save_none, 0, covey_clustering_save(NULL, NULL, "/tmp/none", error))
OTHER_CASE(write_no_output, 0, covey_clustering_write(result, NULL, NULL, error))
OTHER_CASE(write_none, 0, covey_clustering_write(NULL, NULL, &bytes, error))
OTHER_CASE(load_none, 0, covey_clustering_load(NULL, "/no/such/file", &other, error))
OTHER_CASE(read_null, 0, covey_clustering_read(NULL, NULL, 5, &other, error))
OTHER_CASE(read_nothing, 0, covey_clustering_read(NULL, points, 0, &other, error))
OTHER_CASE(read_negative, 0, covey_clustering_read(NULL, points, -1, &other, error))
OTHER_CASE(read_other, 0, covey_clustering_read(NULL, points, sizeof points, &other, error))
OTHER_CASE(cut_negative, 0, covey_clustering_cut(result, NULL, -1, 1, labels, 18, error))
OTHER_CASE(cut_nan, 0, covey_clustering_cut(result, NULL, NAN, 1, labels, 18, error))
OTHER_CASE(cut_size, 0, covey_clustering_cut(result, NULL, 1, 0, labels, 18, error))
OTHER_CASE(cut_small, 0, covey_clustering_cut(result, NULL, 1, 1, labels, 17, error))
OTHER_CASE(cut_infinite, 0, covey_clustering_cut(result, NULL, INFINITY, INT64_MAX, labels, 18, error))
OTHER_CASE(membership_no_data, 0, covey_clustering_membership(result, NULL, NULL, 0, NULL, numbers, 64, error))
OTHER_CASE(membership_good, 1, covey_clustering_membership(result, NULL, NULL, 0, NULL, numbers, 64, error))
OTHER_CASE(membership_best, 1, covey_clustering_membership(result, NULL, NULL, 2, labels, numbers, 64, error))
OTHER_CASE(membership_no_clusters, 1, covey_clustering_membership(result, NULL, NULL, 2, NULL, numbers, 64, error))
OTHER_CASE(membership_small, 1, covey_clustering_membership(result, NULL, NULL, 0, NULL, numbers, 53, error))
OTHER_CASE(membership_negative, 1, covey_clustering_membership(result, NULL, NULL, -1, NULL, numbers, 64, error))
OTHER_CASE(membership_huge, 1, covey_clustering_membership(result, NULL, NULL, INT64_MAX, labels, numbers, 64, error))
OTHER_CASE(sizes_small, 0, covey_clustering_sizes(result, nodes, NULL, 0, error))
OTHER_CASE(sizes_none, 0, covey_clustering_sizes(NULL, nodes, NULL, 2, error))
OTHER_CASE(rows_no_data, 0, covey_clustering_fitted_rows(result, numbers, 64, error))
OTHER_CASE(rows_small, 1, covey_clustering_fitted_rows(result, numbers, 35, error))
OTHER_CASE(options_null, 1, covey_clustering_options(result, NULL, error))
OTHER_CASE(options_size, 1, (options.struct_size = 4, covey_clustering_options(result, &options, error)))
OTHER_CASE(validity_no_index, 0, covey_validity(NULL, &matrix, labels, 0, 0, NULL, NULL, 0, error))
OTHER_CASE(validity_no_labels, 0, covey_validity(NULL, &matrix, NULL, 0, 0, numbers, NULL, 0, error))
OTHER_CASE(validity_low, 0,
           (memset(labels, 0, sizeof labels), labels[3] = -2,
            covey_validity(NULL, &matrix, labels, 0, 0, numbers, NULL, 0, error)))
OTHER_CASE(validity_high, 0,
           (memset(labels, 0, sizeof labels), labels[3] = INT32_MAX,
            covey_validity(NULL, &matrix, labels, 0, 0, numbers, NULL, 0, error)))
OTHER_CASE(validity_metric, 0,
           (memset(labels, 0, sizeof labels), covey_validity(NULL, &matrix, labels, 7, 0, numbers, NULL, 0, error)))
OTHER_CASE(validity_small, 0,
           (memset(labels, 0, sizeof labels),
            covey_validity(NULL, &matrix, labels, 0, 0, numbers, numbers + 1, 0, error)))
OTHER_CASE(distances_shape, 0, covey_cluster_distances(NULL, &matrix, NULL, &other, error))
OTHER_CASE(distances_negative, 0,
           (numbers[0] = numbers[3] = 0, numbers[1] = numbers[2] = -1, matrix.data = numbers, matrix.rows = 2,
            covey_cluster_distances(NULL, &matrix, NULL, &other, error)))
OTHER_CASE(distances_asymmetric, 0,
           (numbers[0] = numbers[3] = 0, numbers[1] = 1, numbers[2] = 2, matrix.data = numbers, matrix.rows = 2,
            covey_cluster_distances(NULL, &matrix, NULL, &other, error)))
OTHER_CASE(distances_prediction, 1,
           (numbers[0] = numbers[1] = numbers[2] = numbers[3] = 0, matrix.data = numbers, matrix.rows = 2,
            covey_cluster_distances(NULL, &matrix, &options, &other, error)))
OTHER_CASE(distances_search, 0,
           (options.search = COVEY_SEARCH_APPROXIMATE, memset(numbers, 0, 4 * sizeof *numbers), matrix.data = numbers,
            matrix.rows = 2, covey_cluster_distances(NULL, &matrix, &options, &other, error)))
OTHER_CASE(distances_weights, 0,
           (options.weights = negative_weights + 3, memset(numbers, 0, 4 * sizeof *numbers), matrix.data = numbers,
            matrix.rows = 2, covey_cluster_distances(NULL, &matrix, &options, &other, error)))
OTHER_CASE(tree_weights, 0,
           (options.weights = no_weights, covey_cluster_spanning_tree(NULL, 1, NULL, &options, &other, error)))
static const covey_edge good_edges[2] = {{0, 1, 1}, {2, 1, 3}}, outside_edges[2] = {{0, 1, 1}, {1, 3, 3}};
static const covey_edge cyclic_edges[2] = {{0, 1, 1}, {1, 0, 3}}, nan_edges[2] = {{0, 1, 1}, {1, 2, NAN}};
OTHER_CASE(tree_good, 0, covey_cluster_spanning_tree(NULL, 3, good_edges, NULL, &other, error))
OTHER_CASE(tree_null, 0, covey_cluster_spanning_tree(NULL, 3, NULL, NULL, &other, error))
OTHER_CASE(tree_empty, 0, covey_cluster_spanning_tree(NULL, 0, NULL, NULL, &other, error))
OTHER_CASE(tree_negative, 0, covey_cluster_spanning_tree(NULL, -1, NULL, NULL, &other, error))
OTHER_CASE(tree_outside, 0, covey_cluster_spanning_tree(NULL, 3, outside_edges, NULL, &other, error))
OTHER_CASE(tree_cyclic, 0, covey_cluster_spanning_tree(NULL, 3, cyclic_edges, NULL, &other, error))
OTHER_CASE(tree_nan, 0, covey_cluster_spanning_tree(NULL, 3, nan_edges, NULL, &other, error))

static covey_status no_clustering_predict(covey_error **error) { return predict(NULL, points, 2, 2, labels, error); }
RESULT_CASE(predict_good, 1, predict(clustering, points, 2, 2, labels, error))
RESULT_CASE(predict_no_rows, 1, predict(clustering, NULL, 0, 2, NULL, error))
RESULT_CASE(predict_no_data, 0, predict(clustering, points, 2, 2, labels, error))
RESULT_CASE(predict_null, 1, predict(clustering, points, 2, 2, NULL, error))
RESULT_CASE(predict_columns, 1, predict(clustering, points, 2, 3, labels, error))
RESULT_CASE(predict_nan, 1, predict(clustering, with_nan, 3, 2, labels, error))
RESULT_CASE(predict_matrix, 1, covey_clustering_predict(clustering, NULL, NULL, labels, numbers, error))

const abi_case clustering_result_cases[] = {
    {"clustering: select without output", BAD, "selected must not be NULL", select_no_output},
    {"clustering: select of none", BAD, "clustering must not be NULL", select_none},
    {"clustering: select -1 nodes", BAD, "node_count must be 0 to", select_count},
    {"clustering: select a node of NULL", BAD, "node_count must be 0 to 0, got 1", select_no_nodes},
    {"clustering: select a node twice", BAD, "nodes must differ", select_twice},
    {"clustering: select a row", BAD, "nodes[0] must be a node of the condensed tree, 18 and above, got 17",
     select_row},
    {"clustering: select outside", BAD, "nodes must be those of the condensed tree", select_outside},
    {"clustering: select largest", BAD, "nodes[0] must be a node of the condensed tree", select_largest},
    {"clustering: select one in another", BAD, "nodes must not lie in each other", select_within},
    {"clustering: select no clusters", COVEY_OK, "", select_no_clusters},
    {"clustering: save nowhere", BAD, "path must not be NULL", save_nowhere},
    {"clustering: save in no folder", COVEY_IO, "/no/such/folder", save_folder},
    {"clustering: save none", BAD, "clustering must not be NULL", save_none},
    {"clustering: write without output", BAD, "bytes must not be NULL", write_no_output},
    {"clustering: write none", BAD, "clustering must not be NULL", write_none},
    {"clustering: load no file", COVEY_IO, "/no/such/file", load_none},
    {"clustering: read NULL", BAD, "bytes must not be NULL", read_null},
    {"clustering: read nothing", COVEY_CORRUPT_FILE, "", read_nothing},
    {"clustering: read -1 bytes", BAD, "length must be 0 to", read_negative},
    {"clustering: read other bytes", COVEY_CORRUPT_FILE, "", read_other},
    {"clustering: cut at -1", BAD, "distance must be at least 0, got -1", cut_negative},
    {"clustering: cut at NaN", BAD, "distance must be at least 0, got nan", cut_nan},
    {"clustering: cut of size 0", BAD, "min_cluster_size must be at least 1, got 0", cut_size},
    {"clustering: cut small", SMALL, "labels needs a capacity of 18, got 17", cut_small},
    {"clustering: cut at infinity", COVEY_OK, "", cut_infinite},
    {"clustering: membership without data", BAD, "prediction", membership_no_data},
    {"clustering: membership", COVEY_OK, "", membership_good},
    {"clustering: best memberships", COVEY_OK, "", membership_best},
    {"clustering: best memberships of NULL", BAD, "clusters must not be NULL", membership_no_clusters},
    {"clustering: memberships small", SMALL, "memberships needs a capacity of 54, got 53", membership_small},
    {"clustering: -1 memberships", BAD, "count must be 0 to", membership_negative},
    {"clustering: all memberships", BAD, "count must be 0 to", membership_huge},
    {"clustering: sizes small", SMALL, "sizes needs a capacity of", sizes_small},
    {"clustering: sizes of none", BAD, "clustering must not be NULL", sizes_none},
    {"clustering: rows without data", BAD, "keeps no rows", rows_no_data},
    {"clustering: rows small", SMALL, "rows needs a capacity of 36, got 35", rows_small},
    {"clustering: options NULL", BAD, "options must not be NULL", options_null},
    {"clustering: options of size 4", BAD, "options.struct_size must be", options_size},
    {"validity: no index", BAD, "index must not be NULL", validity_no_index},
    {"validity: no labels", BAD, "labels must not be NULL", validity_no_labels},
    {"validity: label -2", BAD, "labels[3] must be -1 to 17, got -2", validity_low},
    {"validity: label largest", BAD, "labels[3] must be -1 to 17, got 2147483647", validity_high},
    {"validity: metric", BAD, "metric must be a COVEY_METRIC_ value, got 7", validity_metric},
    {"validity: clusters small", SMALL, "clusters needs a capacity of 1, got 0", validity_small},
    {"distances: shape", COVEY_MISMATCH, "distances must be square, got 18 x 2", distances_shape},
    {"distances: negative", COVEY_INVALID_DATA, "distances row 0, column 1 must be finite and at least 0, got -1",
     distances_negative},
    {"distances: asymmetric", COVEY_INVALID_DATA, "distances must be symmetric, got 2", distances_asymmetric},
    {"distances: weights", BAD, "weights[0] must be at least 0, got -1", distances_weights},
    {"tree: weights", BAD, "options.weights must be NULL if edges or lists", tree_weights},
    {"distances: search", BAD, "options.search must be COVEY_SEARCH_EXACT if distances are given", distances_search},
    {"distances: prediction", BAD, "options.prediction must be 0 if distances are given", distances_prediction},
    {"spanning tree: good", COVEY_OK, "", tree_good},
    {"spanning tree: NULL", BAD, "edges must not be NULL", tree_null},
    {"spanning tree: empty", COVEY_OK, "", tree_empty},
    {"spanning tree: -1 rows", BAD, "rows must be 0 to", tree_negative},
    {"spanning tree: outside", COVEY_INVALID_DATA, "edges[1] must join two of the 3 rows", tree_outside},
    {"spanning tree: cycle", COVEY_INVALID_DATA, "edges must be a tree", tree_cyclic},
    {"spanning tree: NaN", COVEY_INVALID_DATA, "edges[1] must join two of the 3 rows at a finite distance", tree_nan},
    {"clustering: labels of none", BAD, "clustering must not be NULL", no_clustering_labels},
    {"clustering: tree of none", BAD, "clustering must not be NULL", no_clustering_tree},
    {"clustering: exemplars of none", BAD, "clustering must not be NULL", no_clustering_exemplars},
    {"clustering: labels NULL", BAD, "labels must not be NULL", labels_null},
    {"clustering: labels small", SMALL, "labels needs a capacity of 18, got 17", labels_small},
    {"clustering: labels negative", BAD, "capacity must be at least 0, got -1", labels_negative},
    {"clustering: probabilities small", SMALL, "probabilities needs a capacity of 18, got 0", probabilities_small},
    {"clustering: scores NULL", BAD, "scores must not be NULL", scores_null},
    {"clustering: persistence small", SMALL, "persistence needs a capacity of 3, got 2", persistence_small},
    {"clustering: spanning tree small", SMALL, "edges needs a capacity of 17, got 16", spanning_small},
    {"clustering: linkage NULL", BAD, "merges must not be NULL", linkage_null},
    {"clustering: linkage small", SMALL, "merges needs a capacity of 17, got 16", linkage_small},
    {"clustering: condensed tree small", SMALL, "edges needs a capacity of", condensed_small},
    {"clustering: nodes small", SMALL, "nodes needs a capacity of 3, got 1", nodes_small},
    {"clustering: exemplars of -1", BAD, "cluster must be 0 to 2, got -1", exemplars_negative},
    {"clustering: exemplars of 3", BAD, "cluster must be 0 to 2, got 3", exemplars_outside},
    {"clustering: exemplars small", SMALL, "rows needs a capacity of", exemplars_small},
    {"clustering: predict without clustering", BAD, "clustering must not be NULL", no_clustering_predict},
    {"clustering: predict", COVEY_OK, "", predict_good},
    {"clustering: predict no rows", COVEY_OK, "", predict_no_rows},
    {"clustering: predict without prediction data", BAD, "prediction", predict_no_data},
    {"clustering: predict no labels", BAD, "labels must not be NULL", predict_null},
    {"clustering: predict columns", COVEY_MISMATCH, "matrix.columns must be 2, as clustered, got 3", predict_columns},
    {"clustering: predict NaN", COVEY_INVALID_DATA, "matrix row 1, column 1 must be finite, got nan", predict_nan},
    {"clustering: predict no matrix", BAD, "matrix must not be NULL", predict_matrix},
    {NULL, 0, NULL, NULL},
};
