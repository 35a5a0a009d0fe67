import CoveyNeighbors
import CoveyRuntime
import CoveyTables

/// What the hierarchy is made of: core distances and the spanning tree of mutual reachability.
public struct MutualReachability: Sendable {
    public let coreDistances: CoreDistances
    public let tree: SpanningTree
    /// The share of true neighbours that the search found, measured on a sample; 1 for exact search.
    public let recall: Double

    /// Equal rows are searched for once, in an order that follows from the numbers in the rows (`DistinctRows`): the
    /// results of permuted rows are those of the rows, permuted, up to the choice among equal rows.
    ///
    /// - Parameters:
    ///   - view: finite numbers in the rows used.
    ///   - rows: the rows used, as indices of `view`; nil = all. Points of the result are places in this list.
    ///   - weights: how many rows each row used stands for, at least one, and 2^30 in all; nil = one.
    ///   - minSamples: the neighbour that gives the core distance, the row itself not counted: 1 to the rows that all
    ///     stand for, less one (ignored for fewer than two, whose core distances are 0).
    ///   - alpha: distances are divided by it in mutual reachability, core distances are not (as in hdbscan); finite, >
    ///     0.
    ///   - search: `approximate` with the euclidean metric only.
    ///   - index: the index of FAISS that finds neighbours, with `approximate` alone; nil = the own search.
    ///   - isQuick: the approximate search compares fewer pairs to join large parts.
    ///   - seed: of the approximate search; exact results do not depend on it.
    public static func build(
        view: MatrixView, rows: [Int32]? = nil, weights: [Int32]? = nil, metric: Metric, minSamples: Int,
        alpha: Double = 1, search: SearchMode = .exact, index: NamedSearch? = nil, isQuick: Bool = false,
        seed: UInt64 = 0, execution: Execution
    ) throws -> MutualReachability {
        let points = rows?.count ?? view.rows
        try require(alpha.isFinite && alpha > 0, "alpha must be finite and above 0, got \(alpha)")
        try require(
            search == .exact || metric == .euclidean, "search must be exact unless the metric is euclidean")
        let total = weights.map { $0.reduce(0) { $0 + Int($1) } } ?? points
        guard total >= 2 else {
            return MutualReachability(
                coreDistances: CoreDistances(
                    k: minSamples, values: Array(repeating: 0, count: points),
                    before: Array(repeating: 0, count: points)),
                tree: try SpanningTree(pointCount: points, edges: []), recall: 1)
        }
        try require(
            (1..<total).contains(minSamples), "min_samples must be 1 to \(total - 1), got \(minSamples)")
        let request = Request(
            k: minSamples, alpha: alpha, mode: search, index: index, isQuick: isQuick, seed: seed)
        let parted = metric == .cosine ? try NullRows(view, rows, execution) : nil
        let used = parted.map { $0.directed } ?? rows
        let null = parted?.null ?? []
        let apart = weights.map { weights in null.reduce(0) { $0 + Int(weights[Int($1)]) } } ?? null.count
        var found = RowTree(edges: [], cores: [], before: [], recall: 1)
        let distinct = try DistinctRows(
            view, used: used, weights: weights.map { weights in parted?.numbers.map { weights[Int($0)] } ?? weights },
            metric: metric, execution: execution)
        if distinct.count > 0 {
            let chosen = try Rows(view, used: used, metric: metric, execution: execution)
                .reordered(distinct.representatives(execution: execution), execution: execution)
            let sums = distinct.isPlain ? nil : try execution.array(distinct.count) { distinct.weight($0) }
            found = try build(chosen, sums, apart: apart, request, execution)
        }
        return try spread(consume found, distinct, parted, request, execution).with(weights, null, alpha)
    }

    /// The copies of a row join at their core distance, which no other edge of the row is below. Rows of zeros (cosine)
    /// are at distance 1 from each other.
    private func with(_ weights: [Int32]?, _ null: [Int32], _ alpha: Double) -> MutualReachability {
        guard let weights else { return self }
        var distances = coreDistances.values
        for place in null { distances[Int(place)] = max(1, 1 / alpha) }
        return MutualReachability(
            coreDistances: coreDistances, tree: tree.with(RowCopies(counts: weights, distances: distances)),
            recall: recall)
    }

    private struct Request {
        let k: Int
        let alpha: Double
        let mode: SearchMode
        let index: NamedSearch?
        let isQuick: Bool
        let seed: UInt64
    }

    // MARK: - Distinct rows

    private static func build(
        _ rows: Rows, _ weights: [Int32]?, apart: Int, _ request: Request, _ execution: Execution
    ) throws -> RowTree {
        let k = min(request.k, rows.count - 1)
        guard k > 0 else {
            let lists = try NeighborLists(count: 1, k: 0, distances: true, execution: execution)
            try lists.setCores(request.k, weights: weights, apart: apart, execution: execution)
            return RowTree(edges: [], cores: [lists.cores[0]], before: [lists.before[0]], recall: 1)
        }
        if request.mode == .approximate, let index = request.index {
            try require(
                k <= ApproximateSearch.mostNeighbours,
                "min_samples must be at most \(ApproximateSearch.mostNeighbours) with an index, got \(k)")
            return try ApproximateTree.build(
                rows, weights, minSamples: request.k, alpha: request.alpha, index: index, isQuick: request.isQuick,
                seed: request.seed, execution: execution)
        }
        if request.mode == .approximate && k <= ApproximateSearch.mostNeighbours
            && ApproximateSearch.pays(rows: rows.count, columns: rows.dimension)
        {
            // Near a subspace of few dimensions a tree is exact and faster too.
            let most = min(KDTreeSearch.mostLooks, SearchSizes.current.fewLooks / Double(rows.count))
            guard let tree = try KDTreeSearch.suited(to: rows, k, mostLooks: most, execution: execution) else {
                return try ApproximateTree.build(
                    rows, weights, minSamples: request.k, alpha: request.alpha, isQuick: request.isQuick,
                    seed: request.seed, execution: execution)
            }
            return try build(tree, k, weights, apart: apart, request, execution)
        }
        let search: any NeighborSearch =
            try KDTreeSearch.suited(to: rows, k, execution: execution)
            ?? TileSearch(rows, seed: request.seed, execution: execution)
        return try build(search, k, weights, apart: apart, request, execution)
    }

    private static func build(
        _ search: any NeighborSearch, _ k: Int, _ weights: [Int32]?, apart: Int, _ request: Request,
        _ execution: Execution
    ) throws -> RowTree {
        let plain = weights == nil && apart == 0
        let lists = try search.lists(k, distances: request.alpha < 1 || !plain, execution: execution)
        let n = lists.count
        // Back from the search's order to that of the rows.
        let order = search.order
        if !plain {
            let own = try weights.map { weights in
                try execution.array(n) { place in weights[order.map { Int($0[place]) } ?? place] }
            }
            try lists.setCores(request.k, weights: own, apart: apart, execution: execution)
        }
        var edges = try Boruvka(
            lists, cores: execution.array(n) { lists.cores[$0] }, alpha: request.alpha, search: search,
            execution: execution
        ).run()
        var cores = try execution.array(n) { _ in 0.0 }
        var before = try execution.array(n) { _ in 0.0 }
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
        return RowTree(edges: edges, cores: cores, before: before, recall: 1)
    }

    // MARK: - All rows

    /// The tree of all rows from that of the distinct ones: a row joins its like at their core distance, which no other
    /// edge of either is below.
    ///
    /// Rows of zeros (cosine) are at distance 1 from every other row, so that one of them can stand for all: an edge of
    /// one is as long as that of any other, and all pass through it without getting longer.
    private static func spread(
        _ found: consuming RowTree, _ distinct: DistinctRows, _ parted: NullRows?, _ request: Request,
        _ execution: Execution
    ) throws -> MutualReachability {
        let (starts, placed) = (distinct.starts, distinct.order)
        let directed = placed.count
        let null = parted?.null ?? []
        let n = directed + null.count
        // Place to row: the distinct rows with their like, then rows of zeros.
        var order = placed
        if let parted {
            let all = try AlignedBuffer<Int32>(n, for: "the order of rows", execution)
            try execution.parallel(n, grain: 65_536) { chunk, _ in
                for place in chunk {
                    all[place] =
                        place >= directed
                        ? parted.null[place - directed] : parted.numbers[Int(placed[place])]
                }
            }
            order = all
        }
        var cores = try execution.array(n) { _ in 1.0 }
        var before = try execution.array(n) { _ in request.k == 1 ? 0.0 : 1 }
        var edges = found.edges
        if distinct.count < directed {
            edges.reserveCapacity(n - 1)
            for edge in edges.indices {
                if edge & 0xFFFF == 0 { try execution.report() }
                edges[edge] = SpanningTree.Edge(
                    from: starts[Int(edges[edge].from)], to: starts[Int(edges[edge].to)], distance: edges[edge].distance
                )
            }
        }
        for i in 0..<distinct.count {
            if i & 0xFFFF == 0 { try execution.report() }
            let first = starts.pointer[i]
            for place in first..<starts.pointer[i + 1] {
                let row = Int(order.pointer[Int(place)])
                cores[row] = found.cores[i]
                before[row] = found.before[i]
                if place > first { edges.append(SpanningTree.Edge(from: first, to: place, distance: found.cores[i])) }
            }
        }
        if !null.isEmpty {
            let hub = Int32(directed)
            for place in 0..<Int32(n) where place != hub {
                if place & 0xFFFF == 0 { try execution.report() }
                let distance: Double = max(1, cores[Int(order[Int(place)])], 1 / request.alpha)
                edges.append(SpanningTree.Edge(from: min(hub, place), to: max(hub, place), distance: distance))
            }
            edges = try kruskal(n, edges, execution)
        }
        return MutualReachability(
            coreDistances: CoreDistances(k: request.k, values: cores, before: before),
            tree: try SpanningTree(pointCount: n, edges: consume edges, execution: execution)
                .renumbered(order, execution: execution),
            recall: found.recall)
    }

    private static func kruskal(
        _ n: Int, _ edges: [SpanningTree.Edge], _ execution: Execution
    ) throws -> [SpanningTree.Edge] {
        let sets = try DisjointSets(n, execution)
        let sorted = try SpanningTree(pointCount: n, edges: edges, execution: execution).edges
        var kept: [SpanningTree.Edge] = []
        kept.reserveCapacity(n - 1)
        for (place, edge) in sorted.enumerated() {
            if place & 0xFFFF == 0 { try execution.report() }
            if sets.join(edge.from, edge.to) { kept.append(edge) }
        }
        return kept
    }
}

/// A spanning tree of rows, each with its core distance and the one before.
struct RowTree {
    let edges: [SpanningTree.Edge]
    let cores: [Double]
    let before: [Double]
    let recall: Double
}

/// Rows of zeros, which have no direction, apart from the others.
private struct NullRows {
    /// The places of the others in the list of rows used.
    let numbers: [Int32]
    /// The others as rows of the matrix.
    let directed: [Int32]
    /// Places in the list of rows used.
    let null: [Int32]

    /// nil if there are none.
    init?(_ view: MatrixView, _ used: [Int32]?, _ execution: Execution) throws {
        var (null, numbers): ([Int32], [Int32]) = ([], [])
        for i in 0..<(used?.count ?? view.rows) {
            if i & 1023 == 0 { try execution.report() }
            if Rows.isNull(view, used.map { Int($0[i]) } ?? i) {
                null.append(Int32(i))
            } else {
                numbers.append(Int32(i))
            }
        }
        guard !null.isEmpty else { return nil }
        self.null = null
        self.numbers = numbers
        directed = numbers.map { place in used.map { $0[Int(place)] } ?? place }
    }
}
