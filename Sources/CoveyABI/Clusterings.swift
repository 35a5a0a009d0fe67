import CCovey
import CoveyClustering
import CoveyFiles
import CoveyNeighbors
import CoveyRuntime
import CoveyTables

// Section 8 of covey.h: clustering.

/// COVEY_CLUSTER_OPTIONS_INIT.
private var defaultOptions: covey_cluster_options {
    var options = covey_cluster_options()
    options.min_cluster_size = 5
    options.alpha = 1
    return options
}

func clusterOptions(_ pointer: UnsafePointer<covey_cluster_options>?) throws -> ClusterOptions {
    let given = try pointer.map { try Versioned.read($0, "options", defaults: defaultOptions) } ?? defaultOptions
    var options = ClusterOptions()
    options.minClusterSize = Int(given.min_cluster_size)
    options.minSamples = Int(given.min_samples)
    options.maxClusterSize = Int(given.max_cluster_size)
    options.clusterSelectionEpsilon = given.cluster_selection_epsilon
    options.alpha = given.alpha
    options.metric = try choice(given.metric, "options.metric", "COVEY_METRIC_ value")
    options.selection = try choice(given.selection, "options.selection", "COVEY_SELECTION_ value")
    options.allowSingleCluster = try flag(given.allow_single_cluster, "options.allow_single_cluster")
    options.search = try choice(given.search, "options.search", "COVEY_SEARCH_ value")
    options.index = try namedSearch(given)
    options.missing = try choice(given.missing, "options.missing", "COVEY_MISSING_ROWS_ value")
    options.prediction = try flag(given.prediction, "options.prediction")
    options.seed = given.seed
    // Without a limit is 0, which a file can say.
    options.clusterSelectionEpsilonMax =
        given.cluster_selection_epsilon_max == .infinity ? 0 : given.cluster_selection_epsilon_max
    options.clusterSelectionPersistence = given.cluster_selection_persistence
    options.clusterCount = Int(given.clusters)
    options.matchReference = try flag(given.match_reference, "options.match_reference")
    options.strengths = try choice(given.strengths, "options.strengths", "COVEY_STRENGTHS_ value")
    try options.validate()
    return options
}

private func namedSearch(_ options: covey_cluster_options) throws -> NamedSearch? {
    guard let name = options.index else {
        try require(options.index_search == nil, "options.index_search must be NULL without an index")
        return nil
    }
    return NamedSearch(
        index: try string(name, "index"),
        parameters: try options.index_search.map { try string($0, "index_search") })
}

/// The weights of `rows` rows that the options give; nil if each stands for itself.
func rowWeights(
    _ pointer: UnsafePointer<covey_cluster_options>?, rows: Int, _ execution: Execution
) throws -> [Int32]? {
    guard let pointer else { return nil }
    guard let weights = try Versioned.read(pointer, "options", defaults: defaultOptions).weights else { return nil }
    return try RowCopies.checked(UnsafeBufferPointer(start: weights, count: rows), execution: execution)
}

/// Options for what says nothing of copies of rows: edges and lists.
func unweightedOptions(_ pointer: UnsafePointer<covey_cluster_options>?) throws -> ClusterOptions {
    let options = try clusterOptions(pointer)
    let weights = try pointer.map { try Versioned.read($0, "options", defaults: defaultOptions).weights } ?? nil
    try require(weights == nil, "options.weights must be NULL if edges or lists of neighbours are given")
    return options
}

/// An enum of the header.
func choice<Choice: RawRepresentable<Int32>>(_ value: Int32, _ name: String, _ kind: String) throws -> Choice {
    guard let choice = Choice(rawValue: value) else {
        throw CoveyError.invalidArgument("\(name) must be a \(kind), got \(value)")
    }
    return choice
}

@c @implementation
public func covey_cluster_matrix(
    _ context: OpaquePointer?, _ matrix: UnsafePointer<covey_matrix>?,
    _ options: UnsafePointer<covey_cluster_options>?, _ clustering: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    clustering?.pointee = nil
    return boundary(error) {
        let clustering = try required(clustering, "clustering")
        let chosen = try clusterOptions(options)
        let view = try matrixView(matrix, "matrix")
        let execution = execution(context)
        let weights = try rowWeights(options, rows: view.rows, execution)
        clustering.pointee = Handle.retain(
            try Clustering(view, chosen, weights: weights, execution: execution))
    }
}

@c @implementation
public func covey_clustering_rows(_ clustering: OpaquePointer?) -> Int64 {
    guard let clustering else { return 0 }
    return Int64(Handle.object(clustering, as: Clustering.self).rowCount)
}

@c @implementation
public func covey_clustering_columns(_ clustering: OpaquePointer?) -> Int64 {
    guard let clustering else { return 0 }
    return Int64(Handle.object(clustering, as: Clustering.self).columnCount)
}

@c @implementation
public func covey_clustering_options(
    _ clustering: OpaquePointer?, _ options: UnsafeMutablePointer<covey_cluster_options>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let clustering: Clustering = try Handle.required(clustering, "clustering")
        let made = clustering.options
        var given = covey_cluster_options()
        given.min_cluster_size = Int64(made.minClusterSize)
        given.min_samples = Int64(clustering.minSamples)
        given.max_cluster_size = Int64(made.maxClusterSize)
        given.cluster_selection_epsilon = clustering.selection.epsilon
        given.alpha = made.alpha
        given.metric = made.metric.rawValue
        given.selection = made.selection.rawValue
        given.allow_single_cluster = made.allowSingleCluster ? 1 : 0
        given.search = made.search.rawValue
        given.missing = made.missing.rawValue
        given.prediction = made.prediction ? 1 : 0
        given.seed = made.seed
        given.cluster_selection_epsilon_max = made.clusterSelectionEpsilonMax
        given.cluster_selection_persistence = made.clusterSelectionPersistence
        given.clusters = 0
        given.match_reference = made.matchReference ? 1 : 0
        given.index = made.index?.indexText.pointer
        given.index_search = made.index?.parametersText?.pointer
        given.strengths = made.strengths.rawValue
        try Versioned.write(given, to: options, "options")
    }
}

@c @implementation
public func covey_clustering_fitted_rows(
    _ clustering: OpaquePointer?, _ rows: UnsafeMutablePointer<Double>?, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let clustering: Clustering = try Handle.required(clustering, "clustering")
        guard let reference = clustering.predictor?.reference else {
            throw CoveyError.invalidArgument("the clustering keeps no rows: it was made with prediction = 0")
        }
        let columns = clustering.columnCount
        let count = try checkedProduct(clustering.rowCount, columns, "rows")
        let target = try output(rows, "rows", capacity: capacity, count: count)
        if clustering.usedRows != nil { target.update(repeating: .nan) }
        reference.withView { view in
            for place in 0..<view.rows {
                let start = clustering.rowNumber(place) * columns
                for column in 0..<columns { target[start + column] = view[place, column] }
            }
        }
    }
}

@c @implementation
public func covey_clustering_clusters(_ clustering: OpaquePointer?) -> Int64 {
    guard let clustering else { return 0 }
    return Int64(Handle.object(clustering, as: Clustering.self).clusterCount)
}

@c @implementation
public func covey_clustering_recall(_ clustering: OpaquePointer?) -> Double {
    guard let clustering else { return 0 }
    return Handle.object(clustering, as: Clustering.self).recall
}

// MARK: - Results

/// Copies an array of the result to the caller's buffer.
private func copy<Element>(
    _ clustering: OpaquePointer?, _ buffer: UnsafeMutablePointer<Element>?, _ name: String, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?, _ values: (Clustering) -> [Element]
) -> covey_status {
    boundary(error) {
        let values = values(try Handle.required(clustering, "clustering"))
        _ = try output(buffer, name, capacity: capacity, count: values.count).update(from: values)
    }
}

/// Fills the caller's buffer, an element at a time.
private func fill<Element>(
    _ clustering: OpaquePointer?, _ buffer: UnsafeMutablePointer<Element>?, _ name: String, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?, count: (Clustering) -> Int,
    _ element: (Clustering, Int) -> Element
) -> covey_status {
    boundary(error) {
        let clustering: Clustering = try Handle.required(clustering, "clustering")
        let target = try output(buffer, name, capacity: capacity, count: count(clustering))
        for index in 0..<target.count { target[index] = element(clustering, index) }
    }
}

@c @implementation
public func covey_clustering_labels(
    _ clustering: OpaquePointer?, _ labels: UnsafeMutablePointer<Int32>?, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    copy(clustering, labels, "labels", capacity, error) { $0.labels }
}

@c @implementation
public func covey_clustering_probabilities(
    _ clustering: OpaquePointer?, _ probabilities: UnsafeMutablePointer<Double>?, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    copy(clustering, probabilities, "probabilities", capacity, error) { $0.probabilities }
}

@c @implementation
public func covey_clustering_outlier_scores(
    _ clustering: OpaquePointer?, _ scores: UnsafeMutablePointer<Double>?, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    copy(clustering, scores, "scores", capacity, error) { $0.outlierScores }
}

@c @implementation
public func covey_clustering_persistence(
    _ clustering: OpaquePointer?, _ persistence: UnsafeMutablePointer<Double>?, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    copy(clustering, persistence, "persistence", capacity, error) { $0.persistence }
}

// MARK: - Trees

@c @implementation
public func covey_clustering_edge_count(_ clustering: OpaquePointer?) -> Int64 {
    guard let clustering else { return 0 }
    return Int64(Handle.object(clustering, as: Clustering.self).spanningTree.edges.count)
}

@c @implementation
public func covey_clustering_condensed_count(_ clustering: OpaquePointer?) -> Int64 {
    guard let clustering else { return 0 }
    return Int64(Handle.object(clustering, as: Clustering.self).condensedCount)
}

@c @implementation
public func covey_clustering_spanning_tree(
    _ clustering: OpaquePointer?, _ edges: UnsafeMutablePointer<covey_edge>?, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    fill(clustering, edges, "edges", capacity, error, count: { $0.spanningTree.edges.count }) {
        let edge = $0.spanningEdge($1)
        return covey_edge(from: Int64(edge.from), to: Int64(edge.to), distance: edge.distance)
    }
}

@c @implementation
public func covey_clustering_single_linkage_tree(
    _ clustering: OpaquePointer?, _ merges: UnsafeMutablePointer<covey_merge>?, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    fill(clustering, merges, "merges", capacity, error, count: { $0.spanningTree.edges.count }) {
        let merge = $0.merge($1)
        return covey_merge(
            left: Int64(merge.left), right: Int64(merge.right), distance: merge.distance, size: Int64(merge.size))
    }
}

@c @implementation
public func covey_clustering_condensed_tree(
    _ clustering: OpaquePointer?, _ edges: UnsafeMutablePointer<covey_condensed_edge>?, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let clustering: Clustering = try Handle.required(clustering, "clustering")
        let target = try output(edges, "edges", capacity: capacity, count: clustering.condensedCount)
        clustering.forEachCondensedEdge { index, parent, child, lambda, size in
            target[index] = covey_condensed_edge(
                parent: Int64(parent), child: Int64(child), lambda: lambda, size: Int64(size))
        }
    }
}

@c @implementation
public func covey_clustering_selected_nodes(
    _ clustering: OpaquePointer?, _ nodes: UnsafeMutablePointer<Int64>?, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    fill(clustering, nodes, "nodes", capacity, error, count: { $0.clusterCount }) { Int64($0.selectedNode($1)) }
}

// MARK: - Exemplars and prediction

@c @implementation
public func covey_clustering_exemplar_count(_ clustering: OpaquePointer?, _ cluster: Int64) -> Int64 {
    guard let clustering else { return 0 }
    let object = Handle.object(clustering, as: Clustering.self)
    guard cluster >= 0, cluster < Int64(object.clusterCount) else { return 0 }
    return Int64(object.exemplars[Int(cluster)].count)
}

@c @implementation
public func covey_clustering_exemplars(
    _ clustering: OpaquePointer?, _ cluster: Int64, _ rows: UnsafeMutablePointer<Int64>?, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let clustering: Clustering = try Handle.required(clustering, "clustering")
        try require(
            cluster >= 0 && cluster < Int64(clustering.clusterCount),
            "cluster must be 0 to \(clustering.clusterCount - 1), got \(cluster)")
        let exemplars = clustering.exemplars[Int(cluster)]
        let target = try output(rows, "rows", capacity: capacity, count: exemplars.count)
        for (index, row) in exemplars.enumerated() { target[index] = Int64(row) }
    }
}

@c @implementation
public func covey_clustering_predict(
    _ clustering: OpaquePointer?, _ context: OpaquePointer?, _ matrix: UnsafePointer<covey_matrix>?,
    _ labels: UnsafeMutablePointer<Int32>?, _ probabilities: UnsafeMutablePointer<Double>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    covey_clustering_place(clustering, context, matrix, labels, probabilities, nil, nil, error)
}

@c @implementation
public func covey_clustering_place(
    _ clustering: OpaquePointer?, _ context: OpaquePointer?, _ matrix: UnsafePointer<covey_matrix>?,
    _ labels: UnsafeMutablePointer<Int32>?, _ probabilities: UnsafeMutablePointer<Double>?,
    _ outlier_scores: UnsafeMutablePointer<Double>?, _ neighbours: UnsafeMutablePointer<Int64>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let clustering: Clustering = try Handle.required(clustering, "clustering")
        let view = try matrixView(matrix, "matrix")
        let target = view.rows == 0 ? nil : try required(labels, "labels")
        let result = try clustering.predict(view, execution: execution(context))
        target?.update(from: result.labels, count: view.rows)
        probabilities?.update(from: result.probabilities, count: view.rows)
        outlier_scores?.update(from: result.outlierScores, count: view.rows)
        neighbours?.update(from: result.neighbours, count: view.rows)
    }
}

// MARK: - Other clusters on the same tree

@c @implementation
public func covey_clustering_select(
    _ clustering: OpaquePointer?, _ context: OpaquePointer?, _ options: UnsafePointer<covey_cluster_options>?,
    _ nodes: UnsafePointer<Int64>?, _ node_count: Int64, _ selected: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    selected?.pointee = nil
    return boundary(error) {
        let selected = try required(selected, "selected")
        let clustering: Clustering = try Handle.required(clustering, "clustering")
        let options = try clusterOptions(options)
        let most = Int64(SingleLinkageTree.largestPointCount)
        let count = try count(node_count, "node_count", in: 0...(nodes == nil ? 0 : most))
        let first = Int64(clustering.rowCount)
        let chosen = try nodes.map { nodes in
            try (0..<count).map { index in
                let node = nodes[index]
                try require(
                    node >= first && node - first < most,
                    "nodes[\(index)] must be a node of the condensed tree, \(first) and above, got \(node)")
                return Int32(node - first)
            }
        }
        selected.pointee = Handle.retain(
            try clustering.selecting(options, nodes: chosen, execution: execution(context)))
    }
}
