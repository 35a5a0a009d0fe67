import CoveyNeighbors
import CoveyRuntime

/// A minimum spanning tree of mutual reachability: the distance of rows a and b is max(core(a), core(b), d(a, b) /
/// alpha).
public struct SpanningTree: Sendable, Equatable {
    /// Indices are those of the rows used, 0..<pointCount.
    public struct Edge: Sendable, Equatable, BitwiseCopyable {
        public let from: Int32
        public let to: Int32
        public let distance: Double

        public init(from: Int32, to: Int32, distance: Double) {
            self.from = from
            self.to = to
            self.distance = distance
        }
    }

    /// What decides how edges of one length are merged, and which of two merged components comes first.
    enum Ties: Sendable {
        /// The components that they join: the same for every minimum spanning tree of the same rows.
        case components
        /// The edges in their order, as hdbscan has it: so that its own trees give its own numbers.
        case edges
    }

    public let pointCount: Int
    /// pointCount - 1 edges (0 at the least), ascending by distance, ties by the lower end and then by the upper.
    public let edges: [Edge]
    let ties: Ties
    /// How many rows each point stands for; nil = one.
    public let copies: RowCopies?

    /// The rows that the points stand for.
    public var rowCount: Int { copies?.total ?? pointCount }

    /// Edges that are in order.
    init(pointCount: Int, ordered edges: [Edge], ties: Ties = .components, copies: RowCopies? = nil) {
        self.pointCount = pointCount
        self.edges = edges
        self.ties = ties
        self.copies = copies
    }

    /// The same tree of points that stand for several rows each.
    func with(_ copies: RowCopies?) -> SpanningTree {
        SpanningTree(pointCount: pointCount, ordered: edges, ties: ties, copies: copies)
    }

    /// The same tree, in the same order, of points with other numbers: point i is order[i].
    func renumbered(_ order: AlignedBuffer<Int32>, execution: Execution) throws -> SpanningTree {
        let edges = edges
        return SpanningTree(
            pointCount: pointCount,
            ordered: try execution.array(edges.count) {
                Edge(from: order[Int(edges[$0].from)], to: order[Int(edges[$0].to)], distance: edges[$0].distance)
            })
    }

    /// Sorts the edges, each of which must join two of the points: ties by the lower end, which comes first, then by
    /// the upper. O(n).
    public init(pointCount: Int, edges: consuming [Edge], execution: Execution = Execution()) throws {
        try self.init(pointCount: pointCount, edges: edges, ties: .components, execution: execution)
    }

    init(pointCount: Int, edges: consuming [Edge], ties: Ties, execution: Execution = Execution()) throws {
        self.pointCount = pointCount
        self.ties = ties
        copies = nil
        try edges.withUnsafeMutableBufferPointer { edges in
            guard let base = edges.baseAddress else { return }
            nonisolated(unsafe) let first = base
            try execution.parallel(edges.count, grain: 65_536) { chunk, _ in
                for index in chunk where first[index].from > first[index].to {
                    let edge = first[index]
                    first[index] = Edge(from: edge.to, to: edge.from, distance: edge.distance)
                }
            }
            // Distances are not negative, so that their bits are in their order; + 0 takes the sign from a zero.
            try RadixSort.sort(base, count: edges.count, execution: execution) { ($0.distance + 0).bitPattern }
            var start = 0
            while start < edges.count {
                if start & 0xFFFF == 0 { try execution.report() }
                var end = start + 1
                while end < edges.count, base[end].distance == base[start].distance { end += 1 }
                if end - start > 1 { try SpanningTree.sortTies(base + start, end - start, execution) }
                start = end
            }
        }
        self.edges = edges
    }

    private static func sortTies(_ edges: UnsafeMutablePointer<Edge>, _ count: Int, _ execution: Execution) throws {
        func before(_ a: Edge, _ b: Edge) -> Bool { a.from != b.from ? a.from < b.from : a.to < b.to }
        guard count <= 16 else {
            return try RadixSort.sort(edges, count: count, execution: execution) {
                UInt64(UInt32(bitPattern: $0.from)) << 32 | UInt64(UInt32(bitPattern: $0.to))
            }
        }
        for slot in 1..<count {
            let edge = edges[slot]
            var place = slot
            while place > 0, before(edge, edges[place - 1]) {
                edges[place] = edges[place - 1]
                place -= 1
            }
            edges[place] = edge
        }
    }
}
