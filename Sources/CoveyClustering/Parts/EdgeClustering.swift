import CoveyNeighbors
import CoveyRuntime

extension SpanningTree {
    /// The spanning tree of a forest: parts that no edge joins are joined at an infinite distance.
    /// - Parameter forest: its edges in order.
    init(_ forest: UnsafeBufferPointer<WeightedEdge>, rows: Int, _ sets: RowSets, execution: Execution) throws {
        var edges: [Edge] = []
        edges.reserveCapacity(max(0, rows - 1))
        for edge in forest {
            if edges.count & 0xFFFFF == 0 { try execution.report() }
            edges.append(Edge(from: Int32(edge.from), to: Int32(edge.to), distance: edge.distance))
        }
        // Row 0 is a root, as the lowest row of each part is.
        for row in 0..<rows where row > 0 && sets.root(row) == row {
            edges.append(Edge(from: 0, to: Int32(row), distance: .infinity))
        }
        self.init(pointCount: rows, ordered: edges)
    }
}

extension Clustering {
    /// The parts of the graph that was clustered: those that only edges of infinite length join. 1 for clustered rows,
    /// 0 without any.
    public var partCount: Int {
        let edges = spanningTree.edges
        let first = edges.partitioningIndex { $0.distance == .infinity }
        return usedCount == 0 ? 0 : edges.count - first + 1
    }

    /// Clusters the rows of a graph, which need not be connected, by its minimum spanning forest.
    ///
    /// - Parameters:
    ///   - edges: in any order; a pair of rows once, or once in each direction.
    ///   - coreDistances: one a row; nil = the distances are mutual reachability already, or wanted as they are.
    ///
    /// Throws `invalidArgument`, `invalidData` (names the edge), `outOfMemory`, `cancelled`. Cost: O(m log m).
    public convenience init(
        edges: UnsafeBufferPointer<WeightedEdge>, rows: Int, coreDistances: UnsafeBufferPointer<Double>?,
        _ options: ClusterOptions, execution: Execution = Execution()
    ) throws {
        try options.validate()
        try execution.hold(rows, of: Clustering.bytesPerRow + 40, for: "clustering \(rows) rows")
        let list = try EdgeList(edges, rows: rows, execution: execution)
        if let coreDistances { try list.reach(coreDistances, alpha: options.alpha, execution: execution) }
        let sets = try RowSets(rows, execution)
        let all = UnsafeMutableBufferPointer(start: list.edges.pointer, count: list.count)
        let kept = try EdgeForest.reduce(all, sets, execution) { _, _, _ in true }
        let tree = try SpanningTree(
            UnsafeBufferPointer(rebasing: UnsafeBufferPointer(all)[..<kept]), rows: rows, sets, execution: execution)
        try self.init(tree, options, execution: execution)
    }
}

extension Array {
    /// The first index at which a condition holds that holds for all that follow.
    fileprivate func partitioningIndex(_ holds: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
