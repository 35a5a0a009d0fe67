import CoveyNeighbors
import CoveyRuntime

/// A short spanning tree of mutual reachability from an approximate graph of neighbours.
///
/// The graph's own minimum spanning forest comes first. It misses edges, since a row near the border of two clusters
/// may list rows of one of them alone, and so joins clusters too late, which counts noise to them. Those joins are few
/// and decide the labels; so the forest is cut wherever two large parts were joined, and the parts are joined again by
/// Boruvka's algorithm with edges that are searched for.
struct ApproximateTree {
    private let search: ApproximateSearch
    private let execution: Execution
    private let alpha: Double
    /// The entries of a row's list, some beyond the neighbour of the core distance.
    private let k: Int
    private let n: Int
    /// How many rows each stands for; nil = one.
    private let weights: [Int32]?
    private let cores: [Double]
    private let indices: [Int32]
    private var reaches: [Double]
    private var components: [Int32]
    private var componentCount: Int
    private let sets: DisjointSets
    private var edges: [SpanningTree.Edge] = []

    /// - Parameters:
    ///   - weights: how many rows each stands for; nil = one.
    ///   - index: the index of FAISS that finds neighbours; nil = the own search.
    ///   - isQuick: fewer pairs are compared to join large parts.
    static func build(
        _ rows: Rows, _ weights: [Int32]? = nil, minSamples: Int, alpha: Double, index: NamedSearch? = nil,
        isQuick: Bool = false, seed: UInt64, execution: Execution
    ) throws -> RowTree {
        let n = rows.count
        let k = min(minSamples, n - 1)
        let width = ApproximateSearch.width(k, rows: n)
        // The index is freed before the cells are made.
        let listed = try index.map {
            try NamedIndex($0.index, $0.parameters, rows, seed: seed, execution: execution)
                .lists(width, execution: execution)
        }
        let search = try ApproximateSearch(rows, seed: seed, execution: execution)
        let graph =
            try listed.map { try search.nearest(width, from: $0, execution: execution) }
            ?? search.nearest(k, execution: execution)
        let recall = try search.recall(of: graph, k, seed: seed, execution: execution)
        let own = try weights.map { weights in try execution.array(n) { weights[Int(search.row($0))] } }
        var cores = try execution.array(n) { _ in 0.0 }
        var values = try execution.array(n) { _ in 0.0 }
        var before = try execution.array(n) { _ in 0.0 }
        try graph.distances.withUnsafeBufferPointer { distances in
            for place in 0..<n {
                if place & 0x3FFFF == 0 { try execution.report() }
                let row = Int(search.row(place))
                let list = distances.baseAddress! + place * width
                if let own {
                    (cores[place], before[row]) = NeighborLists.core(
                        minSamples, equal: Int(own[place]) - 1, apart: 0, width, list
                    ) { Int(own[Int(graph.indices[place * width + $0])]) }
                } else {
                    cores[place] = list[k - 1]
                    before[row] = k == 1 ? 0 : list[k - 2]
                }
                values[row] = cores[place]
            }
        }
        var tree = try ApproximateTree(
            search: search, graph: consume graph, weights: own, cores: cores, alpha: alpha, execution: execution)
        try tree.spanForest()
        try tree.cutLargeParts()
        try tree.joinParts(isQuick)
        let found = tree.edges
        let edges = try execution.array(found.count) {
            SpanningTree.Edge(
                from: search.row(Int(found[$0].from)), to: search.row(Int(found[$0].to)), distance: found[$0].distance)
        }
        return RowTree(edges: edges, cores: values, before: before, recall: recall)
    }

    private init(
        search: ApproximateSearch, graph: consuming NeighborGraph, weights: [Int32]?, cores: [Double], alpha: Double,
        execution: Execution
    ) throws {
        n = graph.count
        k = graph.k
        self.search = search
        self.execution = execution
        self.alpha = alpha
        self.weights = weights
        self.cores = cores
        try execution.hold(n, of: 96, for: "the spanning tree")
        indices = graph.indices
        reaches = graph.distances
        graph = NeighborGraph(count: 0, k: 0, indices: [], distances: [])
        sets = try DisjointSets(n, execution)
        components = try execution.array(n) { Int32(truncatingIfNeeded: $0) }
        componentCount = n
        edges.reserveCapacity(n - 1)
        let (indices, k) = (indices, k)
        try indices.withUnsafeBufferPointer { indices in
            try cores.withUnsafeBufferPointer { cores in
                try reaches.withUnsafeMutableBufferPointer { reaches in
                    nonisolated(unsafe) let (indices, cores, reaches) = (indices, cores, reaches)
                    try execution.parallel(cores.count, grain: max(1, 65_536 / k)) { chunk, _ in
                        for slot in chunk.lowerBound * k..<chunk.upperBound * k {
                            reaches[slot] = max(cores[slot / k], cores[Int(indices[slot])], reaches[slot] / alpha)
                        }
                    }
                }
            }
        }
    }

    /// Boruvka's algorithm on the graph's edges alone, each of which serves the components of both its ends.
    private mutating func spanForest() throws {
        while componentCount > 1 {
            try execution.report("spanning tree", 1 - Double(componentCount) / Double(n))
            var links = try execution.array(componentCount) { _ in BestLink.none }
            let (n, k, execution) = (n, k, execution)
            try indices.withUnsafeBufferPointer { indices in
                try reaches.withUnsafeBufferPointer { reaches in
                    try components.withUnsafeBufferPointer { components in
                        try links.withUnsafeMutableBufferPointer { links in
                            for i in 0..<n {
                                if i & 0x7FF == 0 { try execution.report() }
                                let own = components[i]
                                for slot in i &* k..<(i &+ 1) &* k {
                                    let other = components[Int(indices[slot])]
                                    if other == own { continue }
                                    let reach = reaches[slot]
                                    if reach > links[Int(own)].distance && reach > links[Int(other)].distance {
                                        continue
                                    }
                                    let link = BestLink(distance: reach, from: Int32(i), to: indices[slot])
                                    if link < links[Int(own)] { links[Int(own)] = link }
                                    if link < links[Int(other)] { links[Int(other)] = link }
                                }
                            }
                        }
                    }
                }
            }
            let before = componentCount
            // Some components have no edge to another in the graph.
            try merge(links.compactMap(\.link))
            if componentCount == before { return }
        }
    }

    /// Takes away the edges that joined two parts of at least `largePart` rows.
    private mutating func cutLargeParts() throws {
        let largePart = max(SearchSizes.current.largePart, k)
        let sorted = try SpanningTree(pointCount: n, edges: edges, execution: execution).edges
        var sizes = try weights ?? execution.array(n) { _ in Int32(1) }
        try sets.reset(execution)
        var kept: [SpanningTree.Edge] = []
        kept.reserveCapacity(n - 1)
        cut.removeAll()
        for (place, edge) in sorted.enumerated() {
            if place & 0x3FFF == 0 { try execution.report() }
            let a = Int(sets.root(edge.from))
            let b = Int(sets.root(edge.to))
            if Int(sizes[a]) >= largePart && Int(sizes[b]) >= largePart { cut.append(edge) } else { kept.append(edge) }
            if sets.join(edge.from, edge.to) { sizes[min(a, b)] += sizes[max(a, b)] }
        }
        try sets.reset(execution)
        for (place, edge) in kept.enumerated() {
            if place & 0x3FFF == 0 { try execution.report() }
            _ = sets.join(edge.from, edge.to)
        }
        edges = kept
        try numberComponents()
    }

    /// The forest's edges between the parts, which searched ones must beat.
    private var cut: [SpanningTree.Edge] = []

    private mutating func joinParts(_ isQuick: Bool) throws {
        while componentCount > 1 {
            var best = try execution.array(componentCount) { _ in BestLink.none }
            for (place, edge) in cut.enumerated() {
                if place & 0x3FFF == 0 { try execution.report() }
                let a = Int(components[Int(edge.from)])
                let b = Int(components[Int(edge.to)])
                if a == b { continue }
                let link = BestLink(distance: edge.distance, from: edge.from, to: edge.to)
                if link < best[a] { best[a] = link }
                if link < best[b] { best[b] = link }
            }
            let links = try search.join(
                JoinQuery(components: components, cores: cores, alpha: alpha, neighbours: indices, k: k), &best,
                isQuick: isQuick, execution: execution)
            // What was found between parts that stay apart helps the next search.
            cut += links.map { SpanningTree.Edge(from: $0.from, to: $0.to, distance: $0.distance) }
            try merge(links)
            let parts = components
            cut.removeAll { parts[Int($0.from)] == parts[Int($0.to)] }
        }
    }

    private mutating func merge(_ links: [Link]) throws {
        for (place, link) in links.enumerated() {
            if place & 0x3FFF == 0 { try execution.report() }
            if sets.join(link.from, link.to) {
                edges.append(SpanningTree.Edge(from: link.from, to: link.to, distance: link.distance))
            }
        }
        try numberComponents()
    }

    private mutating func numberComponents() throws {
        let (sets, execution) = (sets, execution)
        componentCount = try components.withUnsafeMutableBufferPointer { try sets.number($0, execution) }
    }
}
