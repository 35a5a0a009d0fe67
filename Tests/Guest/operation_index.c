/* Clusterings by indexes of FAISS. Its parallel regions hand no exception on: memory that is refused there must end in
 * a status all the same. */
#include "operations.h"

enum { INDEX_ROWS = 300 };

covey_status use_index(const guest *guest, covey_context *context, int number, digest *sum, covey_error **error) {
    (void)number;
    static const char *const names[] = {"IVF8,Flat", "HNSW4", "IVF4_HNSW4,SQ8,RFlat"};
    covey_matrix matrix = COVEY_MATRIX_INIT;
    matrix.data = guest->wide;
    matrix.rows = INDEX_ROWS;
    matrix.columns = WIDE_COLUMNS;
    covey_cluster_options options = COVEY_CLUSTER_OPTIONS_INIT;
    options.search = COVEY_SEARCH_APPROXIMATE;
    covey_clustering *clustering = NULL;
    covey_status status = COVEY_OK;
    int32_t labels[INDEX_ROWS];
    for (int name = 0; name < 3; name++) {
        options.index = names[name];
        RUN(covey_cluster_matrix(context, &matrix, &options, &clustering, error));
        RUN(covey_clustering_labels(clustering, labels, INDEX_ROWS, error));
        *sum = add(*sum, labels, sizeof labels);
        covey_clustering_destroy(clustering);
        clustering = NULL;
    }
done:
    covey_clustering_destroy(clustering);
    return status;
}
