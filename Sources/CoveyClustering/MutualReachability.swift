import CoveyNeighbors
import CoveyRuntime
import CoveyTables

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
                tree: try SpanningTree(pointCount: points, edges: []), recall: 1)
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
        if mode == .approximate && k <= ApproximateSearch.mostNeighbours
            && ApproximateSearch.pays(rows: rows.count, columns: rows.dimension)
        {
            // Near a subspace of few dimensions a tree is exact and faster too.
            guard
                let tree = try KDTreeSearch.suited(
                    to: rows, k, mostLooks: min(KDTreeSearch.mostLooks, SearchSizes.current.fewLooks / Double(rows.count)), execution: execution)
            else {
                return try ApproximateTree.build(rows, minSamples: k, alpha: alpha, seed: seed, execution: execution)
            }
            return try build(tree, k, alpha, execution)
        }
        return try build(exactSearch(rows, k, seed, execution), k, alpha, execution)
    }

    private static func build(
        _ search: any NeighborSearch, _ k: Int, _ alpha: Double, _ execution: Execution
    ) throws -> MutualReachability {
        let lists = try search.lists(k, distances: alpha < 1, execution: execution)
        let n = lists.count
        var edges = try Boruvka(
            lists, cores: execution.array(n) { lists.cores[$0] }, alpha: alpha, search: search, execution: execution
        ).run()
        var cores = try execution.array(n) { _ in 0.0 }
        var before = try execution.array(n) { _ in 0.0 }
        // Back from the search's order to the caller's.
        let order = search.order
        try cores.withUnsafeMutableBufferPointer { cores in
            try before.withUnsafeMutableBufferPointer { before in
                nonisolated(unsafe) let (cores, before) = (cores.baseAddress!, before.baseAddress!)
                try execution.parallel(n, grain: 16_384) { chunk, _ in
                    for place in chunk {
                        let row = order.map { Int($0[place]) } ?? place
                        cores[row] = lists.cores[place]
                        before[row] = lists.before[place]
                    }
                }
            }
        }
        if let order {
            try edges.withUnsafeMutableBufferPointer { edges in
                nonisolated(unsafe) let edges = edges
                try execution.parallel(edges.count, grain: 16_384) { chunk, _ in
                    for index in chunk {
                        let edge = edges[index]
                        edges[index] = SpanningTree.Edge(
                            from: order[Int(edge.from)], to: order[Int(edge.to)], distance: edge.distance)
                    }
                }
            }
        }
        return MutualReachability(
            coreDistances: CoreDistances(k: lists.k, values: cores, before: before),
            tree: try SpanningTree(pointCount: n, edges: consume edges, execution: execution), recall: 1)
    }

    private static func exactSearch(
        _ rows: Rows, _ k: Int, _ seed: UInt64, _ execution: Execution
    ) throws -> any NeighborSearch {
        try KDTreeSearch.suited(to: rows, k, execution: execution)
            ?? TileSearch(rows, seed: seed, execution: execution)
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
            if i & 1023 == 0 { try execution.report() }
            if Rows.isNull(view, used.map { Int($0[i]) } ?? i) { null.append(i) } else { directed.append(i) }
        }
        if null.isEmpty {
            return try build(Rows(view, used: used, metric: .cosine, execution: execution), k, alpha, .exact, 0, execution)
        }
        var cores = try execution.array(n) { _ in 1.0 }
        var before = try execution.array(n) { _ in k == 1 ? 0.0 : 1 }
        var edges: [SpanningTree.Edge] = []
        if directed.count >= 2 {
            let places = try execution.array(directed.count) { [directed] i in used.map { $0[directed[i]] } ?? Int32(directed[i]) }
            let rows = try Rows(view, used: places, metric: .cosine, execution: execution)
            let listed = min(k, directed.count - 1)
            let search = try exactSearch(rows, listed, 0, execution)
            let graph = try search.nearest(listed, execution: execution)
            // Places in the search's order and in the list of rows.
            let number = { [directed] (place: Int) in directed[search.order.map { Int($0[place]) } ?? place] }
            for place in directed.indices {
                if place & 0x3FFF == 0 { try execution.report() }
                let own = graph.distances[place * listed..<(place + 1) * listed]
                cores[number(place)] = neighborDistance(k, among: own, null.count)
                before[number(place)] = k == 1 ? 0 : neighborDistance(k - 1, among: own, null.count)
            }
            let found = try Boruvka(
                NeighborLists(graph, distances: true, execution: execution),
                cores: execution.array(directed.count) { [cores] in cores[number($0)] }, alpha: alpha, search: search,
                execution: execution
            ).run()
            edges = try execution.array(found.count) {
                SpanningTree.Edge(
                    from: Int32(number(Int(found[$0].from))), to: Int32(number(Int(found[$0].to))),
                    distance: found[$0].distance)
            }
        }
        let hub = null[0]
        for i in 0..<n where i != hub {
            if i & 0xFFFF == 0 { try execution.report() }
            let distance: Double = max(1, cores[i], 1 / alpha)
            edges.append(SpanningTree.Edge(from: Int32(hub), to: Int32(i), distance: distance))
        }
        return MutualReachability(
            coreDistances: CoreDistances(k: k, values: cores, before: before),
            tree: try SpanningTree(pointCount: n, edges: kruskal(n, edges, execution), execution: execution), recall: 1)
    }

    /// The distance to neighbour k of a row with the given ascending distances and a number of rows at distance 1.
    private static func neighborDistance(_ k: Int, among own: ArraySlice<Double>, _ null: Int) -> Double {
        let below = own.prefix { $0 < 1 }.count
        if below >= k { return own[own.startIndex + k - 1] }
        return below + null < k ? own[own.startIndex + k - 1 - null] : 1
    }

    private static func kruskal(
        _ n: Int, _ edges: [SpanningTree.Edge], _ execution: Execution
    ) throws -> [SpanningTree.Edge] {
        var parents = try execution.array(n) { $0 }
        func root(_ point: Int32) -> Int {
            var point = Int(point)
            while parents[point] != point {
                parents[point] = parents[parents[point]]
                point = parents[point]
            }
            return point
        }
        let sorted = try SpanningTree(pointCount: n, edges: edges, execution: execution).edges
        var kept: [SpanningTree.Edge] = []
        kept.reserveCapacity(n - 1)
        for (place, edge) in sorted.enumerated() {
            if place & 0xFFFF == 0 { try execution.report() }
            let a = root(edge.from)
            let b = root(edge.to)
            if a == b { continue }
            parents[max(a, b)] = min(a, b)
            kept.append(edge)
        }
        return kept
    }
}
