import CoveyRuntime
import CoveyTables

/// The outcome of HDBSCAN (Campello, Moulavi, Sander 2013; McInnes & Healy 2017): labels, strengths, outlier scores,
/// and the trees they come from. Immutable, for any number of threads.
///
/// The trees number the rows that were used, 0..<usedCount; `rowNumber` and the `...Edge`, `merge` functions speak of
/// the caller's rows.
public final class Clustering: Sendable {
    public let options: ClusterOptions
    public let rows: FittedRows
    public let singleLinkageTree: SingleLinkageTree
    public let condensedTree: CondensedTree
    /// Of the condensed tree, for sizes from the min_cluster_size that it was made with.
    public let persistentSizes: PersistentSizes
    public let selection: ClusterSelection

    /// One a row of the caller: 0..<clusterCount, -1 = noise.
    public let labels: [Int32]
    /// One a row of the caller: 0 (noise) to 1.
    public let probabilities: [Double]
    /// One a row of the caller: 0 to 1; 1 if the row was not used.
    public let outlierScores: [Double]
    /// One a cluster.
    public let persistence: [Double]
    /// For each cluster, rows of the caller.
    public let exemplars: Exemplars
    /// Places new rows; nil unless `options.prediction`.
    public let predictor: Predictor?

    public var clusterCount: Int { selection.nodes.count }
    public var rowCount: Int { rows.rowCount }
    public var columnCount: Int { rows.columnCount }
    public var usedRows: [Int32]? { rows.usedRows }
    public var minSamples: Int { rows.minSamples }
    public var recall: Double { rows.recall }
    public var spanningTree: SpanningTree { rows.spanningTree }
    /// The rows that were clustered.
    public var usedCount: Int { rows.usedCount }

    /// Clusters the rows of `view`.
    ///
    /// Throws `invalidArgument` for options out of range, `invalidData` for numbers that are not finite (with the row
    /// and column), `outOfMemory`, `cancelled`. Cost: that of `MutualReachability.build`; all that follows is O(n log
    /// n).
    /// - Parameter weights: how many rows each row stands for, as `RowCopies.checked` gives them; nil = one. Rows of
    ///   weight 0 are left out.
    public convenience init(
        _ view: MatrixView, _ options: ClusterOptions, weights: [Int32]? = nil, execution: Execution = Execution()
    ) throws {
        try options.validate()
        try require(
            view.rows <= SingleLinkageTree.largestPointCount,
            "matrix.rows must be at most \(SingleLinkageTree.largestPointCount) to be clustered, got \(view.rows)")
        try execution.hold(view.rows, of: Clustering.bytesPerRow, for: "clustering \(view.rows) rows")
        let used = try FiniteRows.find(in: view, weights: weights, missing: options.missing, execution: execution)
        try Magnitude.check(view, rows: used, metric: options.metric, alpha: options.alpha, execution: execution)
        let counts = weights.map { weights in used?.map { weights[Int($0)] } ?? weights }
        let minSamples = options.resolvedMinSamples(
            rows: counts.map { $0.reduce(0) { $0 + Int($1) } } ?? used?.count ?? view.rows)
        let reachability = try MutualReachability.build(
            view: view, rows: used, weights: counts, metric: options.metric, minSamples: minSamples,
            alpha: options.alpha,
            search: options.search, index: options.index, isQuick: options.isQuick, seed: options.seed,
            execution: execution)
        let reference =
            options.prediction
            ? try ReferenceRows(
                view, rows: used, coreDistances: reachability.coreDistances, metric: options.metric,
                execution: execution) : nil
        let rows = try FittedRows(
            rowCount: view.rows, columnCount: view.columns, usedRows: used, weights: weights, minSamples: minSamples,
            recall: reachability.recall, spanningTree: reachability.tree, reference: reference, execution: execution)
        try self.init(rows, options, execution: execution)
    }

    /// Everything that follows from the spanning tree.
    ///
    /// - Parameter earlier: another choice of clusters on the same rows, whose trees are taken where they would be the
    ///   same.
    init(_ rows: FittedRows, _ options: ClusterOptions, earlier: Clustering? = nil, execution: Execution) throws {
        self.options = options
        self.rows = rows
        let sameSize = earlier?.options.minClusterSize == options.minClusterSize
        let sameTree =
            sameSize && earlier?.options.clusterSelectionPersistence == options.clusterSelectionPersistence
        if let earlier, sameSize {
            singleLinkageTree = earlier.singleLinkageTree
        } else {
            singleLinkageTree = try SingleLinkageTree(
                rows.spanningTree, minClusterSize: options.minClusterSize, execution: execution)
        }
        if let earlier, sameTree {
            condensedTree = earlier.condensedTree
            persistentSizes = earlier.persistentSizes
        } else {
            let tree = try CondensedTree(
                singleLinkageTree, minClusterSize: options.minClusterSize, execution: execution)
            condensedTree = try tree.simplified(options.clusterSelectionPersistence, execution: execution)
            persistentSizes = try PersistentSizes(
                condensedTree, minClusterSize: options.minClusterSize, execution: execution)
        }
        selection = try ClusterSelection(condensedTree, options, execution: execution)
        let membership = try Membership(condensedTree, selection, options, execution: execution)
        let scores = try OutlierScores.compute(condensedTree, options.strengths, execution: execution)
        exemplars = try Exemplars(
            condensedTree, membership, clusters: selection.nodes.count, execution: execution
        ).renumbered(rows.usedRows)
        persistence = membership.persistence
        labels = try rows.spread(membership.labels, missing: -1, execution)
        probabilities = try rows.spread(membership.probabilities, missing: 0, execution)
        outlierScores = try rows.spread(scores, missing: 1, execution)
        predictor = rows.nearest.map { [condensedTree] in
            Predictor($0, tree: condensedTree, rule: membership.rule, options: options)
        }
        try execution.report("clustering", 1)
    }

    /// Other clusters from the same rows and spanning tree: a choice by options, or of nodes of the condensed tree (0 =
    /// the root) that these options give. How the rows were read, searched and kept stays as it was. O(n). Throws
    /// `invalidArgument`, `outOfMemory`, `cancelled`.
    public func selecting(
        _ options: ClusterOptions, nodes: [Int32]? = nil, execution: Execution = Execution()
    ) throws -> Clustering {
        var options = options
        // What the clustering came to, which a min_cluster_size of another number does not change.
        options.minSamples = rows.minSamples
        options.alpha = self.options.alpha
        options.metric = self.options.metric
        options.search = self.options.search
        options.index = self.options.index
        options.missing = self.options.missing
        options.prediction = self.options.prediction
        options.seed = self.options.seed
        options.chosenNodes = nodes
        if nodes != nil { options.clusterCount = 0 }
        try options.validate()
        try execution.hold(rowCount, of: Clustering.bytesPerRow, for: "selecting clusters of \(rowCount) rows")
        return try Clustering(rows, options, earlier: self, execution: execution)
    }

    /// What all trees and results take, with their scratch space.
    static let bytesPerRow = 160

    // MARK: - The trees in the caller's numbers

    /// The caller's number of a used row.
    public func rowNumber(_ place: Int) -> Int { rows.rowNumber(place) }

    /// A node of the single-linkage tree: rows 0..<rowCount, merges from rowCount up.
    private func nodeNumber(_ node: Int32) -> Int {
        let node = Int(node)
        return node < usedCount ? rowNumber(node) : node - usedCount + rowCount
    }

    /// An edge of the spanning tree, `from` below `to`; by ascending distance.
    public func spanningEdge(_ index: Int) -> (from: Int, to: Int, distance: Double) {
        let edge = spanningTree.edges[index]
        return (rowNumber(Int(min(edge.from, edge.to))), rowNumber(Int(max(edge.from, edge.to))), edge.distance)
    }

    /// A merge of the single-linkage tree, node rowCount + index.
    public func merge(_ index: Int) -> (left: Int, right: Int, distance: Double, size: Int) {
        let tree = singleLinkageTree
        return (
            nodeNumber(tree.left[index]), nodeNumber(tree.right[index]), tree.distances[index], Int(tree.sizes[index])
        )
    }

    /// The edges of the condensed tree, with one for each row that was not used.
    public var condensedCount: Int { rowCount - usedCount + condensedTree.parents.count }

    /// Visits the edges of the condensed tree. Rows that were not used come first and leave the root at lambda 0, as in
    /// hdbscan. The size of a row is what it stands for.
    public func forEachCondensedEdge(
        _ body: (_ index: Int, _ parent: Int, _ child: Int, _ lambda: Double, _ size: Int) -> Void
    ) {
        var index = 0
        if let usedRows {
            var next = 0
            for row in 0..<rowCount {
                if next < usedRows.count, Int(usedRows[next]) == row {
                    next += 1
                } else {
                    body(index, rowCount, row, 0, rows.weights.map { Int($0[row]) } ?? 1)
                    index += 1
                }
            }
        }
        let tree = condensedTree
        for edge in tree.parents.indices {
            body(
                index, nodeNumber(tree.parents[edge]), nodeNumber(tree.children[edge]), tree.lambdas[edge],
                Int(tree.sizes[edge]))
            index += 1
        }
    }

    /// The node of the condensed tree that a cluster is.
    public func selectedNode(_ cluster: Int) -> Int {
        rowCount + Int(selection.nodes[cluster])
    }
}
