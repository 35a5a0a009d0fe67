import CoveyNeighbors
import CoveyRuntime
import CoveyTables

/// Places new rows in a clustering without changing it (hdbscan's approximate_predict): the cluster in which the row
/// would fall out of the condensed tree beside its nearest row, by mutual reachability. Immutable, for any number of
/// threads.
///
/// As in hdbscan, distances are not divided by alpha, and the core distance of a new row is that to its neighbour
/// `minSamples` + 1 of the clustered rows. Three differences, of which the first two give a fitted row its own label
/// again: nodes belong to the cluster that was selected above them, which hdbscan guesses from the labels; a row
/// belongs to a root that is the only cluster, and to a tree without clusters below the root, by the rule of fitting;
/// and a row in the midst of infinitely dense duplicates has strength 1, as those duplicates have, not 0.
public final class Predictor: Sendable {
    private let nearest: NearestRows
    private let tree: CondensedTree
    private let rule: MembershipRule
    /// The largest lambda in the subtree of each node.
    private let subtreeDeaths: [Double]
    /// Made by `prepareLabels`.
    private let placing = PublishedReference<PlacingSearch>()

    public var reference: ReferenceRows { nearest.reference }

    init(_ nearest: NearestRows, tree: CondensedTree, rule: MembershipRule, options: ClusterOptions) {
        self.nearest = nearest
        self.tree = tree
        self.rule = rule
        subtreeDeaths = OutlierScores.deaths(tree, options.strengths)
    }

    /// Where a new row falls out of the tree.
    struct Place: BitwiseCopyable {
        var label: Int32 = -1
        var strength = 0.0
        var outlierScore = 1.0
        /// 1 / mutual reachability distance to the neighbour.
        var lambda = 0.0
        /// The fitted row, by its place among those used, at which it would be joined to the tree; -1 = none.
        var neighbour: Int32 = -1
    }

    func nearest(
        _ count: Int, of view: MatrixView, _ execution: Execution,
        _ body: (_ row: Int, _ found: [(row: Int32, distance: Double)]) throws -> Void
    ) throws {
        try nearest.nearest(count, of: view, execution, body)
    }

    /// Makes the index by which `labels` ends early. O(n log n + n columns), and 4 bytes for each number of the rows.
    func prepareLabels(_ clusters: Int, _ execution: Execution) throws {
        guard placing.load() == nil, reference.metric == .euclidean, tree.pointCount > 0 else { return }
        let rows = try execution.array(tree.pointCount) { self.rule.nodeClusters[Int(self.tree.rowClusters[$0])] }
        let reach = (0..<clusters).map { 1 / self.rule.leastLambda(Int32($0)) }
        let made = try reference.withView { try PlacingSearch($0, clusters: rows, reach: reach, execution: execution) }
        if let made { _ = placing.storeIfNil(made) }
    }

    /// As `place`, for labels and strengths alone: outlier scores and neighbours of rows without a cluster are not
    /// found.
    ///
    /// A row is in a cluster only if its mutual reachability to a row of the cluster is at most 1 / lambda, with the
    /// lambda at which the cluster is born. So no row farther away has to be found: if fewer than `minSamples` + 1 rows
    /// are so near, the core distance alone is above that.
    func labels(
        _ view: MatrixView, _ strengths: ClusterOptions.Strengths, execution: Execution
    ) throws -> [Place] {
        guard let placing = placing.load() else { return try place(view, strengths, execution: execution) }
        var places = [Place](repeating: Place(), count: view.rows)
        let count = min(2 * reference.minSamples, tree.pointCount)
        try places.withUnsafeMutableBufferPointer { places in
            nonisolated(unsafe) let places = places
            try reference.withView { rows in
                try placing.nearest(count, of: view, among: rows, execution: execution) { row, found in
                    if self.isEnough(found, of: count) { places[row] = self.place(found, strengths) }
                }
            }
        }
        return places
    }

    /// As `labels` for one row, without an allocation after `prepareLabels`.
    func label(
        _ view: MatrixView, _ strengths: ClusterOptions.Strengths, execution: Execution
    ) throws -> Place {
        guard let placing = placing.load() else { return try place(view, strengths, execution: execution)[0] }
        var place = Place()
        let count = min(2 * reference.minSamples, tree.pointCount)
        try reference.withView { rows in
            try placing.nearest(count, of: view, among: rows, execution: execution) { _, found in
                if self.isEnough(found, of: count) { place = self.place(found, strengths) }
            }
        }
        return place
    }

    /// Whether enough rows were found for the core distance to be among them.
    private func isEnough(_ found: UnsafeBufferPointer<(row: Int32, distance: Double)>, of count: Int) -> Bool {
        let seen = tree.weights.map { weights in found.reduce(0) { $0 + Int(weights[Int($1.row)]) } } ?? found.count
        return found.count == count || seen > reference.minSamples
    }

    /// A place for each row of `view`, whose numbers are finite.
    func place(
        _ view: MatrixView, _ strengths: ClusterOptions.Strengths, execution: Execution
    ) throws -> [Place] {
        var places = [Place](repeating: Place(), count: view.rows)
        guard tree.pointCount > 0, view.rows > 0 else { return places }
        // As many as hdbscan looks at.
        let count = min(2 * reference.minSamples, tree.pointCount)
        try places.withUnsafeMutableBufferPointer { places in
            nonisolated(unsafe) let places = places
            try nearest.nearest(count, of: view, execution) { row, found in
                places[row] = found.withUnsafeBufferPointer { self.place($0, strengths) }
            }
        }
        return places
    }

    /// The core distance of a new row with these neighbours, and how many of them it may be joined to: as many rows as
    /// hdbscan looks at, copies counted.
    private func core(
        _ found: UnsafeBufferPointer<(row: Int32, distance: Double)>
    ) -> (distance: Double, neighbours: Int) {
        let k = reference.minSamples
        guard let weights = tree.weights else { return (found[min(k, found.count - 1)].distance, found.count) }
        var core: Double?
        var seen = 0
        for (place, candidate) in found.enumerated() {
            if seen >= 2 * k { return (core ?? candidate.distance, place) }
            seen += Int(weights[Int(candidate.row)])
            if core == nil, seen > k { core = candidate.distance }
        }
        return (core ?? found[found.count - 1].distance, found.count)
    }

    /// - Parameter found: the nearest rows, nearest first; more than `minSamples` of them if the data has more rows.
    private func place(
        _ found: UnsafeBufferPointer<(row: Int32, distance: Double)>, _ strengths: ClusterOptions.Strengths
    ) -> Place {
        let (core, most) = core(found)
        var neighbour = 0
        var reach = Double.infinity
        for candidate in found.prefix(most) {
            let distance = max(core, candidate.distance, reference.coreDistances[Int(candidate.row)])
            if distance < reach {
                reach = distance
                neighbour = Int(candidate.row)
            }
        }
        let lambda = 1 / reach
        var node = Int(tree.rowClusters[neighbour])
        var place = Place()
        // A row that was fitted, or equals one, has the score of that.
        place.outlierScore = OutlierScores.score(
            found[0].distance == 0 ? tree.rowLambdas[neighbour] : lambda, most: subtreeDeaths[node])
        if tree.rowLambdas[neighbour] > lambda {
            // The row is too far away to stay as long as its neighbour: up to the cluster that is alive at its lambda.
            while node > 0, tree.clusters[node].birth >= lambda { node = Int(tree.clusters[node].parent) }
        }
        place.neighbour = Int32(neighbour)
        place.lambda = lambda
        // Beside its neighbour it leaves when that leaves, at the latest.
        place.label = rule.cluster(of: node, leavingAt: min(lambda, tree.rowLambdas[neighbour]))
        if place.label >= 0 { place.strength = rule.strength(in: place.label, at: lambda, strengths) }
        return place
    }
}

/// What `Clustering.predict` says of new rows, one of each.
public struct Prediction: Sendable {
    /// -1 = noise.
    public var labels: [Int32]
    /// 0 to 1.
    public var probabilities: [Double]
    /// 0 to 1: the outlier score, relative to the densest rows of the cluster that the neighbour falls out of.
    public var outlierScores: [Double]
    /// The fitted row, by the caller's number, beside which each one stands in the tree; -1 = none.
    public var neighbours: [Int64]
}

extension Clustering {
    /// Calls `body` with the `count` clustered rows nearest to each row of finite numbers, nearest first: from several
    /// threads. Errors and cost: as `predict`.
    public func nearest(
        _ count: Int, of view: MatrixView, execution: Execution,
        _ body: (_ row: Int, _ found: [(row: Int32, distance: Double)]) throws -> Void
    ) throws {
        guard let predictor else {
            throw CoveyError.invalidArgument(
                "the clustering has no prediction data: it was made with prediction = 0")
        }
        guard view.columns == columnCount else {
            throw CoveyError.mismatch("matrix.columns must be \(columnCount), as clustered, got \(view.columns)")
        }
        try predictor.nearest(count, of: view, execution, body)
    }

    /// Makes labels of new rows fast, see `predict`. O(n log n + n columns), once.
    public func prepareLabels(execution: Execution) throws {
        try predictor?.prepareLabels(clusterCount, execution)
    }

    /// Makes `nearest` and `predict` fast from their first call on.
    public func prepareNearest(execution: Execution) throws {
        try rows.nearest?.prepare(execution)
    }

    /// The label and the strength of one row of finite numbers, as `predict` gives them with `onlyLabels`; after
    /// `prepareLabels` without an allocation.
    public func label(
        _ view: MatrixView, _ strengths: ClusterOptions.Strengths, execution: Execution
    ) throws -> (label: Int32, strength: Double) {
        guard let predictor, view.columns == columnCount, view.rows == 1 else {
            throw CoveyError.internalError("\(view.rows) rows of \(view.columns) columns to be placed")
        }
        let place = try predictor.label(view, strengths, execution: execution)
        return (place.label, place.strength)
    }

    /// Places new rows in the clusters: a label (-1 = noise) and a strength, 0 to 1, for each.
    ///
    /// Rows with a NaN or an infinity are noise if the clustering treats them so. Throws `invalidArgument` without
    /// prediction data, `mismatch` for another number of columns, `invalidData`, `outOfMemory`, `cancelled`. Cost: one
    /// exact search among the clustered rows for each new row.
    /// - Parameters:
    ///   - strengths: nil = those of the options.
    ///   - onlyLabels: outlier scores and neighbours are left as they are for a row far from all others, which is
    ///     faster after `prepareLabels`.
    public func predict(
        _ view: MatrixView, _ strengths: ClusterOptions.Strengths? = nil, onlyLabels: Bool = false,
        execution: Execution = Execution()
    ) throws -> Prediction {
        guard let predictor else {
            throw CoveyError.invalidArgument(
                "the clustering has no prediction data: it was made with prediction = 0")
        }
        guard view.columns == columnCount else {
            throw CoveyError.mismatch("matrix.columns must be \(columnCount), as clustered, got \(view.columns)")
        }
        try execution.hold(view.rows, of: 72, for: "placing \(view.rows) rows")
        let strengths = strengths ?? options.strengths
        let usable = try FiniteRows.find(in: view, missing: options.missing, execution: execution)
        var result = Prediction(
            labels: [Int32](repeating: -1, count: view.rows), probabilities: [Double](repeating: 0, count: view.rows),
            outlierScores: [Double](repeating: 1, count: view.rows),
            neighbours: [Int64](repeating: -1, count: view.rows))
        func places(_ view: MatrixView) throws -> [Predictor.Place] {
            onlyLabels
                ? try predictor.labels(view, strengths, execution: execution)
                : try predictor.place(view, strengths, execution: execution)
        }
        let places =
            try usable.map { try ReferenceRows.Storage(view, rows: $0, execution).withView(places) } ?? places(view)
        for (index, place) in places.enumerated() {
            let row = usable.map { Int($0[index]) } ?? index
            result.labels[row] = place.label
            result.probabilities[row] = place.strength
            if onlyLabels { continue }
            result.outlierScores[row] = place.outlierScore
            result.neighbours[row] = place.neighbour < 0 ? -1 : Int64(rowNumber(Int(place.neighbour)))
        }
        return result
    }
}
