import CoveyNeighbors
import CoveyRuntime

/// The order in which edges of one length are merged.
///
/// Such edges are removed at once in Campello, Moulavi, Sander 2013, which a tree of pairs cannot express. Any order is
/// correct, but most of them bring forth clusters that die at the distance at which they are born: equal rows, say,
/// whose core distances tie, joined with each other before the rest. So the components that are large enough to be
/// clusters grow first, by one small component at a time, and only then are they joined with each other.
struct TieOrder {
    /// An edge between two components, by the nodes of the tree that they are.
    typealias Ends = (first: Int32, second: Int32)

    private let minClusterSize: Int
    private let nodeCount: Int
    private let execution: Execution
    /// For each node of the single-linkage tree, its place among the nodes of the group; -1 = none. Made for the first
    /// group that is not small.
    private var places: [Int32] = []
    private var small = SmallTieOrder()

    init(nodeCount: Int, minClusterSize: Int, execution: Execution) {
        self.minClusterSize = minClusterSize
        self.nodeCount = nodeCount
        self.execution = execution
    }

    /// Calls `body` with the numbers of the edges in the order of merging. `edges` join components (nodes of the tree)
    /// and have no cycles. O(m) for m edges; deterministic.
    @inline(__always)
    mutating func order(
        _ edges: UnsafeBufferPointer<Ends>, sizes: (Int32) -> Int, _ body: (Int) throws -> Void
    ) throws {
        if edges.count <= SmallTieOrder.most {
            small.order(edges, sizes: sizes, minClusterSize)
            for place in 0..<edges.count { try body(Int(small.result[place])) }
            return
        }
        for (place, edge) in try large(edges, sizes: sizes).enumerated() {
            if place & 0x3FFF == 0x3FFF { try execution.check() }
            try body(Int(edge))
        }
    }

    private mutating func large(_ edges: UnsafeBufferPointer<Ends>, sizes: (Int32) -> Int) throws -> [Int32] {
        if places.isEmpty { places = [Int32](repeating: -1, count: nodeCount) }
        var nodes: [Int32] = []
        try execution.forEach(0..<edges.count) { number in
            let edge = edges[number]
            for node in [edge.first, edge.second] where places[Int(node)] < 0 {
                places[Int(node)] = Int32(nodes.count)
                nodes.append(node)
            }
        }
        // Small groups come in large numbers, so that all that is written here is put back.
        defer { for node in nodes { places[Int(node)] = -1 } }
        let graph = try Adjacency(edges, nodes: nodes.count, places: places, execution)
        // The largest first, of equal ones that which the edges name first.
        var bySize: [UInt64] = []
        bySize.reserveCapacity(nodes.count)
        try execution.forEach(0..<nodes.count) { place in
            let node = nodes[place]
            bySize.append(UInt64(UInt32.max - UInt32(sizes(node))) << 32 | UInt64(place))
        }
        try bySize.withUnsafeMutableBufferPointer {
            try RadixSort.sort($0.baseAddress!, count: $0.count, execution: execution) { $0 }
        }
        var walk = Walk(nodes: nodes.count, edges: edges.count)
        try execution.forEach(0..<bySize.count) { step in
            let entry = bySize[step]
            let place = Int32(truncatingIfNeeded: entry)
            if sizes(nodes[Int(place)]) >= minClusterSize { walk.visit(place) }
        }
        try walk.grow(graph, execution)
        // Where no component is large enough, they gather around the largest.
        try execution.forEach(0..<bySize.count) { step in
            let entry = bySize[step]
            let place = Int32(truncatingIfNeeded: entry)
            if walk.visited[Int(place)] { return }
            walk.visit(place)
            try walk.grow(graph, execution)
        }
        for edge in edges.indices where !walk.used[edge] { walk.result.append(Int32(edge)) }
        return walk.result
    }

    /// For each place, its edges (in ascending order) and the places at their other ends.
    private struct Adjacency {
        var offsets: [Int]
        var edges: [Int32]
        var ends: [Int32]

        init(_ list: UnsafeBufferPointer<Ends>, nodes: Int, places: [Int32], _ execution: Execution) throws {
            offsets = [Int](repeating: 0, count: nodes + 1)
            edges = [Int32](repeating: 0, count: 2 * list.count)
            ends = [Int32](repeating: 0, count: 2 * list.count)
            try execution.forEach(0..<list.count) { number in
                let edge = list[number]
                offsets[Int(places[Int(edge.first)]) + 1] += 1
                offsets[Int(places[Int(edge.second)]) + 1] += 1
            }
            for place in 0..<nodes { offsets[place + 1] += offsets[place] }
            var next = offsets
            try execution.forEach(0..<list.count) { number in
                let edge = list[number]
                let ends = (places[Int(edge.first)], places[Int(edge.second)])
                for (own, other) in [ends, (ends.1, ends.0)] {
                    self.edges[next[Int(own)]] = Int32(number)
                    self.ends[next[Int(own)]] = other
                    next[Int(own)] += 1
                }
            }
        }
    }

    /// Breadth first from what is queued, by the edges that reach a component not yet visited.
    private struct Walk {
        var visited: [Bool]
        var used: [Bool]
        var result: [Int32] = []
        private var queue: [Int32] = []

        init(nodes: Int, edges: Int) {
            visited = [Bool](repeating: false, count: nodes)
            used = [Bool](repeating: false, count: edges)
            result.reserveCapacity(edges)
        }

        mutating func visit(_ place: Int32) {
            visited[Int(place)] = true
            queue.append(place)
        }

        mutating func grow(_ graph: Adjacency, _ execution: Execution) throws {
            var next = 0
            while next < queue.count {
                if next & 0xFFFF == 0xFFFF { try execution.check() }
                let place = Int(queue[next])
                next += 1
                for index in graph.offsets[place]..<graph.offsets[place + 1] {
                    let end = graph.ends[index]
                    guard !visited[Int(end)] else { continue }
                    visit(end)
                    used[Int(graph.edges[index])] = true
                    result.append(graph.edges[index])
                }
            }
            queue.removeAll(keepingCapacity: true)
        }
    }
}
