import CoveyRuntime
import CoveyTables

/// Places new rows in a clustering without changing it (hdbscan's approximate_predict): the cluster in which the row would
/// fall out of the condensed tree beside its nearest row, by mutual reachability. Immutable, for any number of threads.
///
/// As in hdbscan, distances are not divided by alpha, and the core distance of a new row is that to its neighbour
/// `minSamples` + 1 of the clustered rows. Two differences: nodes belong to the cluster that was selected above them, which
/// hdbscan guesses from the labels; and a row in the midst of infinitely dense duplicates has strength 1, as those
/// duplicates have, not 0.
public final class Predictor: Sendable {
    public let reference: ReferenceRows
    private let nearest: NearestRows
    private let tree: CondensedTree
    private let nodeClusters: [Int32]
    /// The largest lambda in the cluster of each node.
    private let nodeDeaths: [Double]

    init(
        _ reference: ReferenceRows, tree: CondensedTree, selection: ClusterSelection, nodeClusters: [Int32],
        execution: Execution
    ) throws {
        self.reference = reference
        self.tree = tree
        self.nodeClusters = nodeClusters
        nodeDeaths = nodeClusters.map { $0 < 0 ? 0 : tree.clusters[Int(selection.nodes[Int($0)])].death }
        nearest = try NearestRows(reference, execution: execution)
    }

    /// A label (-1 = noise) and a strength, 0 to 1, for each row of `view`, whose numbers are finite.
    func place(_ view: MatrixView, execution: Execution) throws -> (labels: [Int32], probabilities: [Double]) {
        var labels = [Int32](repeating: -1, count: view.rows)
        var probabilities = [Double](repeating: 0, count: view.rows)
        // Without clusters below the root there is nothing to place in: as in hdbscan.
        guard tree.clusters.count > 1 else { return (labels, probabilities) }
        // As many as hdbscan looks at.
        let count = min(2 * reference.minSamples, tree.pointCount)
        try labels.withUnsafeMutableBufferPointer { labels in
            try probabilities.withUnsafeMutableBufferPointer { probabilities in
                nonisolated(unsafe) let (labels, probabilities) = (labels, probabilities)
                try nearest.nearest(count, of: view, execution) { row, found in
                    (labels[row], probabilities[row]) = self.place(found)
                }
            }
        }
        return (labels, probabilities)
    }

    /// - Parameter found: the nearest rows, nearest first; more than `minSamples`.
    private func place(_ found: [(row: Int32, distance: Double)]) -> (label: Int32, probability: Double) {
        let core = found[reference.minSamples].distance
        var neighbour = 0
        var reach = Double.infinity
        for candidate in found {
            let distance = max(core, candidate.distance, reference.coreDistances[Int(candidate.row)])
            if distance < reach {
                reach = distance
                neighbour = Int(candidate.row)
            }
        }
        let lambda = 1 / reach
        var node = Int(tree.rowClusters[neighbour])
        if tree.rowLambdas[neighbour] > lambda {
            // The row is too far away to stay as long as its neighbour: up to the cluster that is alive at its lambda.
            while node > 0, tree.clusters[node].birth >= lambda { node = Int(tree.clusters[node].parent) }
        }
        let label = nodeClusters[node]
        guard label >= 0 else { return (-1, 0) }
        let most = nodeDeaths[node]
        if most == 0 || lambda == .infinity { return (label, 1) }
        return (label, min(lambda, most) / most)
    }
}

extension Clustering {
    /// Places new rows in the clusters: a label (-1 = noise) and a strength, 0 to 1, for each.
    ///
    /// Rows with a NaN or an infinity are noise where the clustering treats them so. Throws `invalidArgument` without
    /// prediction data, `mismatch` for another number of columns, `invalidData`, `outOfMemory`, `cancelled`. Cost: one exact
    /// search among the clustered rows for each new row.
    public func predict(
        _ view: MatrixView, execution: Execution = Execution()
    ) throws -> (labels: [Int32], probabilities: [Double]) {
        guard let predictor else {
            throw CoveyError.invalidArgument(
                "the clustering has no prediction data: it was made with prediction = 0")
        }
        guard view.columns == columnCount else {
            throw CoveyError.mismatch("matrix.columns must be \(columnCount), as clustered, got \(view.columns)")
        }
        try execution.hold(view.rows, of: 16, for: "placing \(view.rows) rows")
        let usable = try FiniteRows.find(in: view, missing: options.missing, execution: execution)
        guard let usable else { return try predictor.place(view, execution: execution) }
        var labels = [Int32](repeating: -1, count: view.rows)
        var probabilities = [Double](repeating: 0, count: view.rows)
        let placed = try ReferenceRows.Storage(view, rows: usable, execution).withView {
            try predictor.place($0, execution: execution)
        }
        for (place, row) in usable.enumerated() {
            labels[Int(row)] = placed.labels[place]
            probabilities[Int(row)] = placed.probabilities[place]
        }
        return (labels, probabilities)
    }
}
