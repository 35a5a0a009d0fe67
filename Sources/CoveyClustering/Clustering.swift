import CoveyRuntime
import CoveyTables

/// The outcome of HDBSCAN (Campello, Moulavi, Sander 2013; McInnes & Healy 2017): labels, strengths, outlier scores, and the
/// trees they come from. Immutable, for any number of threads.
///
/// The trees number the rows that were used, 0..<usedCount; `rowNumber` and the `...Edge`, `merge` functions speak of the
/// caller's rows.
public final class Clustering: Sendable {
    public let options: ClusterOptions
    /// The rows of the caller's matrix.
    public let rowCount: Int
    public let columnCount: Int
    /// The caller's numbers of the rows used, ascending; nil = all rows.
    public let usedRows: [Int32]?
    /// The neighbour that gave the core distances.
    public let minSamples: Int
    /// The share of true neighbours that an approximate search found, measured on a sample; 1 for exact search.
    public let recall: Double

    public let spanningTree: SpanningTree
    public let singleLinkageTree: SingleLinkageTree
    public let condensedTree: CondensedTree
    public let selection: ClusterSelection

    /// One a row of the caller: 0..<clusterCount, -1 = noise.
    public let labels: [Int32]
    /// One a row of the caller: 0 (noise) to 1.
    public let probabilities: [Double]
    /// One a row of the caller: 0 to 1; 1 where the row was not used.
    public let outlierScores: [Double]
    /// One a cluster.
    public let persistence: [Double]
    /// For each cluster, rows of the caller.
    public let exemplars: Exemplars
    /// Places new rows; nil unless `options.prediction`.
    public let predictor: Predictor?

    public var clusterCount: Int { selection.nodes.count }
    /// The rows that were clustered.
    public var usedCount: Int { spanningTree.pointCount }

    /// Clusters the rows of `view`.
    ///
    /// Throws `invalidArgument` for options out of range, `invalidData` for numbers that are not finite (with the row and
    /// column), `outOfMemory`, `cancelled`. Cost: that of `MutualReachability.build`; all that follows is O(n log n).
    public convenience init(_ view: MatrixView, _ options: ClusterOptions, execution: Execution = Execution()) throws {
        try options.validate()
        try require(
            view.rows <= SingleLinkageTree.largestPointCount,
            "matrix.rows must be at most \(SingleLinkageTree.largestPointCount) to be clustered, got \(view.rows)")
        try execution.hold(view.rows, of: Clustering.bytesPerRow, for: "clustering \(view.rows) rows")
        let used = try FiniteRows.find(in: view, missing: options.missing, execution: execution)
        try Magnitude.check(view, rows: used, metric: options.metric, alpha: options.alpha, execution: execution)
        let minSamples = try options.resolvedMinSamples(rows: used?.count ?? view.rows)
        let reachability = try MutualReachability.build(
            view: view, rows: used, metric: options.metric, minSamples: minSamples, alpha: options.alpha,
            search: options.search, seed: options.seed, execution: execution)
        let reference =
            options.prediction
            ? try ReferenceRows(
                view, rows: used, coreDistances: reachability.coreDistances, metric: options.metric,
                execution: execution) : nil
        try self.init(
            options: options, rowCount: view.rows, columnCount: view.columns, usedRows: used, minSamples: minSamples,
            recall: reachability.recall, spanningTree: reachability.tree, reference: reference, execution: execution)
    }

    /// Everything that follows from the spanning tree.
    init(
        options: ClusterOptions, rowCount: Int, columnCount: Int, usedRows: [Int32]?, minSamples: Int, recall: Double,
        spanningTree: SpanningTree, reference: ReferenceRows?, execution: Execution
    ) throws {
        self.options = options
        self.rowCount = rowCount
        self.columnCount = columnCount
        self.usedRows = usedRows
        self.minSamples = minSamples
        self.recall = recall
        self.spanningTree = spanningTree
        singleLinkageTree = try SingleLinkageTree(
            spanningTree, minClusterSize: options.minClusterSize, execution: execution)
        condensedTree = try CondensedTree(
            singleLinkageTree, minClusterSize: options.minClusterSize, execution: execution)
        selection = try ClusterSelection(condensedTree, options, execution: execution)
        let membership = try Membership(condensedTree, selection, options, execution: execution)
        let scores = try OutlierScores.compute(condensedTree, execution: execution)
        exemplars = try Exemplars(
            condensedTree, membership, clusters: selection.nodes.count, execution: execution
        ).renumbered(usedRows)
        persistence = membership.persistence
        func spread<Value: BitwiseCopyable>(_ values: [Value], missing: Value) throws -> [Value] {
            guard let usedRows else { return values }
            var result = try execution.array(rowCount) { _ in missing }
            for (place, row) in usedRows.enumerated() {
                if place & 0xFFFFF == 0 { try execution.report() }
                result[Int(row)] = values[place]
            }
            return result
        }
        labels = try spread(membership.labels, missing: -1)
        probabilities = try spread(membership.probabilities, missing: 0)
        outlierScores = try spread(scores, missing: 1)
        predictor = try reference.map { [condensedTree, selection] in
            try Predictor(
                $0, tree: condensedTree, selection: selection, nodeClusters: membership.nodeClusters, execution: execution)
        }
        try execution.report("clustering", 1)
    }

    /// What all trees and results take, with their scratch space.
    static let bytesPerRow = 160

    // MARK: - The trees in the caller's numbers

    /// The caller's number of a used row.
    public func rowNumber(_ place: Int) -> Int {
        usedRows.map { Int($0[place]) } ?? place
    }

    /// A node of the single-linkage tree: rows 0..<rowCount, merges from rowCount up.
    private func nodeNumber(_ node: Int32) -> Int {
        let node = Int(node)
        return node < usedCount ? rowNumber(node) : node - usedCount + rowCount
    }

    /// An edge of the spanning tree; by ascending distance.
    public func spanningEdge(_ index: Int) -> (from: Int, to: Int, distance: Double) {
        let edge = spanningTree.edges[index]
        return (rowNumber(Int(edge.from)), rowNumber(Int(edge.to)), edge.distance)
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
    /// hdbscan.
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
                    body(index, rowCount, row, 0, 1)
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
