import CoveyNeighbors
import CoveyNumerics
import CoveyRuntime

/// What the hierarchy is made of: core distances and the spanning tree of mutual reachability.
public struct MutualReachability: Sendable {
    public let coreDistances: CoreDistances
    public let tree: SpanningTree
    /// The share of true neighbours that the search found, measured on a sample; 1 for exact search.
    public let recall: Double

    /// - Parameters:
    ///   - view: finite numbers in the rows used.
    ///   - rows: the rows used, as indices of `view`; nil = all. Points of the result are places in this list.
    ///   - minSamples: the neighbour that gives the core distance, the row itself not counted: 1 to points - 1 (ignored for
    ///     fewer than two points, whose core distances are 0).
    ///   - alpha: distances are divided by it in mutual reachability, core distances are not (as in hdbscan); finite, > 0.
    ///   - search: `approximate` with the euclidean metric only.
    ///   - seed: of the approximate search; exact results do not depend on it.
    public static func build(
        view: MatrixView, rows: [Int32]? = nil, metric: Metric, minSamples: Int, alpha: Double = 1,
        search: SearchMode = .exact, seed: UInt64 = 0, execution: Execution
    ) throws -> MutualReachability {
        let points = rows?.count ?? view.rows
        try require(alpha.isFinite && alpha > 0, "alpha must be finite and above 0, got \(alpha)")
        try require(
            search == .exact || metric == .euclidean, "search must be exact unless the metric is euclidean")
        guard points >= 2 else {
            return MutualReachability(
                coreDistances: CoreDistances(
                    k: minSamples, values: Array(repeating: 0, count: points), before: Array(repeating: 0, count: points)),
                tree: SpanningTree(pointCount: points, edges: []), recall: 1)
        }
        try require(
            (1..<points).contains(minSamples), "min_samples must be 1 to \(points - 1), got \(minSamples)")
        return metric == .cosine
            ? try cosine(view, rows, minSamples, alpha, execution)
            : try build(Rows(view, used: rows, metric: metric, execution: execution), minSamples, alpha, search, seed, execution)
    }

    private static func build(
        _ rows: Rows, _ k: Int, _ alpha: Double, _ mode: SearchMode, _ seed: UInt64, _ execution: Execution
    ) throws -> MutualReachability {
        let exact: Bool
        let search: any NeighborSearch
        if mode == .approximate && rows.dimension > fewDimensions && rows.count >= ApproximateSearch.leastRows {
            exact = false
            search = try ApproximateSearch(rows, seed: seed, execution: execution)
        } else {
            exact = true
            search = try exactSearch(rows, seed, execution)
        }
        let graph = try search.nearest(k, execution: execution)
        let recall = try (search as? ApproximateSearch)?.recall(of: graph, seed: seed, execution: execution) ?? 1
        let cores = CoreDistances(
            k: k, values: (0..<rows.count).map { graph.distances[$0 * k + k - 1] },
            before: (0..<rows.count).map { k == 1 ? 0 : graph.distances[$0 * k + k - 2] })
        var boruvka = try Boruvka(
            graph: consume graph, cores: cores.values, alpha: alpha, search: search, execution: execution)
        return MutualReachability(
            coreDistances: cores, tree: SpanningTree(pointCount: rows.count, edges: try boruvka.run(exact: exact)),
            recall: recall)
    }

    /// A k-d tree loses to tiles from about a dozen dimensions on.
    private static let fewDimensions = 12

    private static func exactSearch(_ rows: Rows, _ seed: UInt64, _ execution: Execution) throws -> any NeighborSearch {
        rows.dimension <= fewDimensions
            ? try KDTreeSearch(rows, execution: execution) : try TileSearch(rows, seed: seed, execution: execution)
    }

    /// Rows of zeros are at distance 1 from every other row, so that one of them can stand for all: an edge of one is as long
    /// as that of any other, and all pass through it without getting longer.
    private static func cosine(
        _ view: MatrixView, _ used: [Int32]?, _ k: Int, _ alpha: Double, _ execution: Execution
    ) throws -> MutualReachability {
        let n = used?.count ?? view.rows
        var null: [Int] = []
        var directed: [Int] = []
        for i in 0..<n {
            if i & 1023 == 0 { try execution.check() }
            if Rows.isNull(view, used.map { Int($0[i]) } ?? i) { null.append(i) } else { directed.append(i) }
        }
        if null.isEmpty {
            return try build(Rows(view, used: used, metric: .cosine, execution: execution), k, alpha, .exact, 0, execution)
        }
        var cores = [Double](repeating: 1, count: n)
        var before = [Double](repeating: k == 1 ? 0 : 1, count: n)
        var edges: [SpanningTree.Edge] = []
        if directed.count >= 2 {
            let places = directed.map { i in used.map { $0[i] } ?? Int32(i) }
            let rows = try Rows(view, used: places, metric: .cosine, execution: execution)
            let listed = min(k, directed.count - 1)
            let search = try exactSearch(rows, 0, execution)
            let graph = try search.nearest(listed, execution: execution)
            for (place, i) in directed.enumerated() {
                let own = graph.distances[place * listed..<(place + 1) * listed]
                cores[i] = neighborDistance(k, among: own, null.count)
                before[i] = k == 1 ? 0 : neighborDistance(k - 1, among: own, null.count)
            }
            var boruvka = try Boruvka(
                graph: graph, cores: directed.map { cores[$0] }, alpha: alpha, search: search, execution: execution)
            edges = try boruvka.run().map {
                SpanningTree.Edge(
                    from: Int32(directed[Int($0.from)]), to: Int32(directed[Int($0.to)]), distance: $0.distance)
            }
        }
        let hub = null[0]
        for i in 0..<n where i != hub {
            let distance: Double = max(1, cores[i], 1 / alpha)
            edges.append(SpanningTree.Edge(from: Int32(hub), to: Int32(i), distance: distance))
        }
        return MutualReachability(
            coreDistances: CoreDistances(k: k, values: cores, before: before),
            tree: SpanningTree(pointCount: n, edges: kruskal(n, edges)), recall: 1)
    }

    /// The distance to neighbour k of a row with the given ascending distances and a number of rows at distance 1.
    private static func neighborDistance(_ k: Int, among own: ArraySlice<Double>, _ null: Int) -> Double {
        let below = own.prefix { $0 < 1 }.count
        if below >= k { return own[own.startIndex + k - 1] }
        return below + null < k ? own[own.startIndex + k - 1 - null] : 1
    }

    private static func kruskal(_ n: Int, _ edges: [SpanningTree.Edge]) -> [SpanningTree.Edge] {
        var parents = Array(0..<n)
        func root(_ point: Int32) -> Int {
            var point = Int(point)
            while parents[point] != point {
                parents[point] = parents[parents[point]]
                point = parents[point]
            }
            return point
        }
        return SpanningTree(pointCount: n, edges: edges).edges.filter {
            let a = root($0.from)
            let b = root($0.to)
            if a == b { return false }
            parents[max(a, b)] = min(a, b)
            return true
        }
    }
}
