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

    /// Merges along the spanning tree's edges, in their order. Throws `internalError` where the edges are no tree or not
    /// ascending. O(n log n) time, O(n) memory.
    public init(_ spanningTree: SpanningTree, execution: Execution) throws {
        let points = spanningTree.pointCount
        let edges = spanningTree.edges
        guard points >= 0, points <= SingleLinkageTree.largestPointCount, edges.count == max(0, points - 1) else {
            throw CoveyError.internalError("a spanning tree of \(points) rows has \(edges.count) edges")
        }
        var forest = MergeForest(pointCount: points)
        var left = [Int32](repeating: 0, count: edges.count)
        var right = left
        var sizes = left
        var distances = [Double](repeating: 0, count: edges.count)
        var previous = 0.0
        for merge in 0..<edges.count {
            if merge & 0xFFFF == 0 { try execution.report("single linkage", Double(merge) / Double(edges.count)) }
            let edge = edges[merge]
            let ends = 0..<points
            guard ends.contains(Int(edge.from)), ends.contains(Int(edge.to)), edge.distance >= previous else {
                throw CoveyError.internalError("edge \(merge) of the spanning tree is out of range or out of order")
            }
            let first = forest.root(of: Int(edge.from))
            let second = forest.root(of: Int(edge.to))
            guard first != second else {
                throw CoveyError.internalError("edge \(merge) of the spanning tree closes a cycle")
            }
            left[merge] = Int32(first)
            right[merge] = Int32(second)
            distances[merge] = edge.distance
            sizes[merge] = forest.join(first, second, as: points + merge)
            previous = edge.distance
        }
        pointCount = points
        self.left = left
        self.right = right
        self.distances = distances
        self.sizes = sizes
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

    mutating func join(_ first: Int, _ second: Int, as node: Int) -> Int32 {
        parent[first] = Int32(node)
        parent[second] = Int32(node)
        size[node] = size[first] + size[second]
        return size[node]
    }
}
