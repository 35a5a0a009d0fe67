/// A minimum spanning tree of mutual reachability: the distance of rows a and b is max(core(a), core(b), d(a, b) / alpha).
public struct SpanningTree: Sendable, Equatable {
    /// Indices are those of the rows used, 0..<pointCount, `from` below `to`.
    public struct Edge: Sendable, Equatable {
        public let from: Int32
        public let to: Int32
        public let distance: Double

        public init(from: Int32, to: Int32, distance: Double) {
            self.from = from
            self.to = to
            self.distance = distance
        }
    }

    public let pointCount: Int
    /// pointCount - 1 edges (0 at the least), ascending by distance, ties by `from`, then `to`.
    public let edges: [Edge]

    /// Sorts the edges; each must join two of the points.
    public init(pointCount: Int, edges: [Edge]) {
        self.pointCount = pointCount
        self.edges = edges.map {
            $0.from < $0.to ? $0 : Edge(from: $0.to, to: $0.from, distance: $0.distance)
        }.sorted {
            ($0.distance, $0.from, $0.to) < ($1.distance, $1.from, $1.to)
        }
    }
}
