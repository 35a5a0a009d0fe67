import CoveyRuntime

/// The single-linkage tree of mutual reachability, as scipy's linkage matrix: nodes 0..<pointCount are rows, node
/// pointCount + i is merge i, and the last merge is the root.
public struct SingleLinkageTree: Sendable {
    public let pointCount: Int
    /// The two nodes that each merge joins; both are below the merge's own node.
    public let left: [Int32]
    public let right: [Int32]
    /// The distance of each merge, ascending.
    public let distances: [Double]
    /// The rows below each merge.
    public let sizes: [Int32]

    public var mergeCount: Int { left.count }

    /// The most rows that a tree may have: every node of the trees fits in an Int32.
    public static let largestPointCount = 1 << 30

    /// Merges along the spanning tree's edges, by ascending distance. `minClusterSize` decides between edges of one length
    /// alone (`TieOrder`). Throws `internalError` where the edges are no tree or not ascending. O(n log n) time, O(n) memory.
    public init(_ spanningTree: SpanningTree, minClusterSize: Int, execution: Execution) throws {
        let points = spanningTree.pointCount
        let edges = spanningTree.edges
        guard points >= 0, points <= SingleLinkageTree.largestPointCount, edges.count == max(0, points - 1) else {
            throw CoveyError.internalError("a spanning tree of \(points) rows has \(edges.count) edges")
        }
        var builder = Builder(pointCount: points, minClusterSize: minClusterSize)
        var start = 0
        var reported = -1
        while start < edges.count {
            if start >> 14 != reported {
                reported = start >> 14
                try execution.report("single linkage", Double(start) / Double(edges.count))
            }
            var end = start + 1
            while end < edges.count, edges[end].distance == edges[start].distance { end += 1 }
            guard edges[start].distance >= (start > 0 ? edges[start - 1].distance : 0) else {
                throw CoveyError.internalError("edge \(start) of the spanning tree is out of order")
            }
            try builder.merge(edges[start..<end], execution)
            start = end
        }
        pointCount = points
        left = builder.left
        right = builder.right
        distances = edges.map(\.distance)
        sizes = builder.sizes
    }

    private struct Builder {
        let points: Int
        var left: [Int32] = []
        var right: [Int32] = []
        var sizes: [Int32] = []
        private var forest: MergeForest
        private var ties: TieOrder

        init(pointCount: Int, minClusterSize: Int) {
            points = pointCount
            left.reserveCapacity(pointCount)
            right.reserveCapacity(pointCount)
            sizes.reserveCapacity(pointCount)
            forest = MergeForest(pointCount: pointCount)
            ties = TieOrder(nodeCount: max(0, 2 * pointCount - 1), minClusterSize: minClusterSize)
        }

        /// Merges along edges of one length.
        mutating func merge(_ edges: ArraySlice<SpanningTree.Edge>, _ execution: Execution) throws {
            if edges.count == 1 { return try merge(edges[edges.startIndex]) }
            var components: [(first: Int32, second: Int32)] = []
            components.reserveCapacity(edges.count)
            for edge in edges {
                try check(edge)
                components.append((Int32(forest.root(of: Int(edge.from))), Int32(forest.root(of: Int(edge.to)))))
            }
            let order = ties.order(components) { [forest] in forest.size(of: $0) }
            for (place, edge) in order.enumerated() {
                if place & 0x3FFF == 0x3FFF { try execution.check() }
                try merge(edges[edges.startIndex + edge])
            }
        }

        private func check(_ edge: SpanningTree.Edge) throws {
            let ends = 0..<Int32(points)
            guard ends.contains(edge.from), ends.contains(edge.to) else {
                throw CoveyError.internalError(
                    "an edge of the spanning tree from \(edge.from) to \(edge.to) is out of range")
            }
        }

        private mutating func merge(_ edge: SpanningTree.Edge) throws {
            try check(edge)
            let first = forest.root(of: Int(edge.from))
            let second = forest.root(of: Int(edge.to))
            guard first != second else {
                throw CoveyError.internalError(
                    "the edge of the spanning tree from \(edge.from) to \(edge.to) closes a cycle")
            }
            left.append(Int32(first))
            right.append(Int32(second))
            sizes.append(forest.join(first, second, as: points + sizes.count))
        }
    }

    /// The rows below a node.
    func size(of node: Int) -> Int {
        node < pointCount ? 1 : Int(sizes[node - pointCount])
    }
}

/// Union-find over rows and merges: every join gets a node of its own (path halving; Tarjan & van Leeuwen 1984).
private struct MergeForest {
    private var parent: [Int32]
    private var size: [Int32]

    init(pointCount: Int) {
        let nodes = max(0, 2 * pointCount - 1)
        parent = (0..<Int32(nodes)).map { $0 }
        size = [Int32](repeating: 1, count: nodes)
    }

    mutating func root(of start: Int) -> Int {
        var node = start
        while parent[node] != Int32(node) {
            parent[node] = parent[Int(parent[node])]
            node = Int(parent[node])
        }
        return node
    }

    func size(of node: Int32) -> Int { Int(size[Int(node)]) }

    mutating func join(_ first: Int, _ second: Int, as node: Int) -> Int32 {
        parent[first] = Int32(node)
        parent[second] = Int32(node)
        size[node] = size[first] + size[second]
        return size[node]
    }
}
