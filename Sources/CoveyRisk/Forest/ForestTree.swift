/// A tree of the forest: binary splits at a value of one column, leaves with the share of known fraud, by weight, among
/// the rows they were grown on.
struct ForestTree: Sendable, Equatable {
    struct Node: Sendable, Equatable, BitwiseCopyable {
        /// The column; -1 = a leaf.
        var column: Int32
        /// Rows with at most this value go to `left`, the others to `left` + 1.
        var threshold: Float
        var left: Int32
        /// The share of known fraud, 0 to 1.
        var share: Float
    }

    var nodes: [Node]

    /// The share in the leaf of a row.
    @inline(__always)
    func share(_ row: UnsafePointer<Float>) -> Float {
        nodes.withUnsafeBufferPointer { nodes in
            var place = 0
            while nodes[place].column >= 0 {
                let node = nodes[place]
                place = Int(node.left) + (row[Int(node.column)] <= node.threshold ? 0 : 1)
            }
            return nodes[place].share
        }
    }

    /// Adds to each column how much its splits changed the share on the row's way to its leaf.
    func addContributions(_ row: UnsafePointer<Float>, to sums: inout [Double]) {
        var place = 0
        while nodes[place].column >= 0 {
            let node = nodes[place]
            let next = Int(node.left) + (row[Int(node.column)] <= node.threshold ? 0 : 1)
            sums[Int(node.column)] += Double(nodes[next].share) - Double(node.share)
            place = next
        }
    }

    /// Whether the nodes, which may come from a file, are a tree on rows of so many columns: children come after their
    /// parent, each node has one.
    func isValid(columns: Int) -> Bool {
        guard !nodes.isEmpty else { return false }
        var next = 1
        for (place, node) in nodes.enumerated() {
            guard node.share >= 0, node.share <= 1 else { return false }
            if node.column < 0 {
                guard node.column == -1, node.left == 0, node.threshold == 0 else { return false }
                continue
            }
            guard Int(node.column) < columns, node.threshold.isFinite, Int(node.left) == next, Int(node.left) > place
            else { return false }
            next += 2
        }
        return next == nodes.count
    }
}
