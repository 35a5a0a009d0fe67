import CoveyRuntime

/// The single-linkage tree without the branches that are smaller than a cluster may be (Campello, Moulavi, Sander
/// 2013).
///
/// Going down from the root, distances shrink and lambda = 1 / distance grows. Where both sides of a merge have at
/// least `minClusterSize` rows, two clusters are born; otherwise the rows of a smaller side fall out of the cluster,
/// which lives on in the other side. Rows keep their numbers; clusters are numbered by their place, the root
/// `pointCount`, breadth first, as hdbscan does. Edges come in that order too, so that a cluster is born before its own
/// edges.
///
/// Merges at distance zero are never split: rows that are equal stay one cluster, whose rows leave at infinite lambda.
/// (hdbscan splits them by the order of the ties, and then subtracts infinities.)
public struct CondensedTree: Sendable {
    /// The number of rows, and so the number of the root.
    public let pointCount: Int

    // One entry an edge: `child` leaves `parent` at `lambda`; a child below `pointCount` is a row, and its size 1, or
    // the rows that it stands for.
    public let parents: [Int32]
    public let children: [Int32]
    public let lambdas: [Double]
    public let sizes: [Int32]

    /// The clusters, root first: cluster `pointCount + i` is `clusters[i]`.
    public let clusters: [Cluster]
    /// The index in `clusters` that each row falls out of, and where.
    public let rowClusters: [Int32]
    public let rowLambdas: [Double]
    /// How many rows each stands for; nil = one.
    public let weights: [Int32]?

    /// All rows, copies counted.
    public var totalSize: Int { Int(clusters[0].size) }

    /// A node of the condensed tree, by its index in `clusters`.
    public struct Cluster: Sendable {
        /// The cluster that it is born from; -1 for the root.
        public let parent: Int32
        public let size: Int32
        /// Lambda where it is born; 0 for the root.
        public let birth: Double
        /// The first of its two child clusters, which follow each other; -1 for a leaf.
        public internal(set) var firstChild: Int32 = -1
        /// The largest lambda of its own edges.
        public internal(set) var death: Double = 0
        /// The largest finite one; 0 if all are infinite.
        public internal(set) var finiteDeath: Double = 0

        public var isLeaf: Bool { firstChild < 0 }

        /// The two child clusters; empty for a leaf.
        public var children: Range<Int> { isLeaf ? 0..<0 : Int(firstChild)..<Int(firstChild) + 2 }
    }

    init(
        pointCount: Int, parents: [Int32], children: [Int32], lambdas: [Double], sizes: [Int32], clusters: [Cluster],
        rowClusters: [Int32], rowLambdas: [Double], weights: [Int32]? = nil
    ) {
        self.weights = weights
        self.pointCount = pointCount
        self.parents = parents
        self.children = children
        self.lambdas = lambdas
        self.sizes = sizes
        self.clusters = clusters
        self.rowClusters = rowClusters
        self.rowLambdas = rowLambdas
    }

    /// O(n) time and memory; no recursion, so that a tree of any depth will do.
    public init(_ tree: SingleLinkageTree, minClusterSize: Int, execution: Execution) throws {
        let points = tree.pointCount
        pointCount = points
        weights = tree.copies?.counts
        var outline = try CondensedOutline(
            points, hasCopies: tree.copies != nil, minClusterSize: minClusterSize, execution)
        try tree.withPointers { try outline.run($0, execution) }
        clusters = outline.clusters
        let count = outline.edgeCount
        var parents = try execution.array(count) { _ in Int32(0) }
        var children = try execution.array(count) { _ in Int32(0) }
        var sizes = try execution.array(count) { _ in Int32(0) }
        var lambdas = try execution.array(count) { _ in 0.0 }
        var rowClusters = try execution.array(points) { _ in Int32(0) }
        var rowLambdas = try execution.array(points) { _ in 0.0 }
        try parents.withUnsafeMutableBufferPointer { parents in
            try children.withUnsafeMutableBufferPointer { children in
                try sizes.withUnsafeMutableBufferPointer { sizes in
                    try lambdas.withUnsafeMutableBufferPointer { lambdas in
                        try rowClusters.withUnsafeMutableBufferPointer { rowClusters in
                            try rowLambdas.withUnsafeMutableBufferPointer { rowLambdas in
                                guard count > 0 else { return }
                                let columns = Columns(
                                    points: points, parents: parents.baseAddress!, children: children.baseAddress!,
                                    lambdas: lambdas.baseAddress!, sizes: sizes.baseAddress!,
                                    rowClusters: rowClusters.baseAddress!, rowLambdas: rowLambdas.baseAddress!)
                                try tree.withPointers { try columns.fill(outline, $0, execution) }
                            }
                        }
                    }
                }
            }
        }
        self.parents = parents
        self.children = children
        self.lambdas = lambdas
        self.sizes = sizes
        self.rowClusters = rowClusters
        self.rowLambdas = rowLambdas
    }

    /// The edges and rows that are being written.
    private struct Columns: @unchecked Sendable {
        let points: Int
        let parents: UnsafeMutablePointer<Int32>
        let children: UnsafeMutablePointer<Int32>
        let lambdas: UnsafeMutablePointer<Double>
        let sizes: UnsafeMutablePointer<Int32>
        let rowClusters: UnsafeMutablePointer<Int32>
        let rowLambdas: UnsafeMutablePointer<Double>

        func fill(_ outline: CondensedOutline, _ tree: SingleLinkageTree.Pointers, _ execution: Execution) throws {
            for (place, edge) in outline.births.enumerated() {
                if place & 0xFFFFF == 0 { try execution.report() }
                let child = outline.clusters[place + 1]
                put(
                    Int(edge), parent: child.parent, child: Int32(points + place + 1), size: child.size, at: child.birth
                )
            }
            let falls = outline.falls
            try execution.parallel(outline.fallCount, grain: 4096) { chunk, _ in
                var queue: [Int32] = []
                for number in chunk { try fall(falls[number], tree, &queue, execution) }
            }
        }

        @inline(__always)
        private func put(_ edge: Int, parent: Int32, child: Int32, size: Int32, at lambda: Double) {
            parents[edge] = Int32(truncatingIfNeeded: points) &+ parent
            children[edge] = child
            lambdas[edge] = lambda
            sizes[edge] = size
        }

        @inline(__always)
        private func put(
            _ edge: Int, row: Int32, from cluster: Int32, at lambda: Double, _ tree: SingleLinkageTree.Pointers
        ) {
            put(edge, parent: cluster, child: row, size: tree.counts?[Int(row)] ?? 1, at: lambda)
            rowClusters[Int(row)] = cluster
            rowLambdas[Int(row)] = lambda
        }

        /// All rows below a node leave the cluster, breadth first.
        private func fall(
            _ fall: CondensedOutline.Fall, _ tree: SingleLinkageTree.Pointers, _ queue: inout [Int32],
            _ execution: Execution
        ) throws {
            let distance =
                fall.merge >= 0 ? tree.distances[Int(fall.merge)] : tree.joins?[Int(~fall.merge)] ?? 0
            let lambda = 1 / distance
            var edge = Int(fall.edge)
            if fall.node < points { return put(edge, row: fall.node, from: fall.cluster, at: lambda, tree) }
            queue.removeAll(keepingCapacity: true)
            queue.append(fall.node)
            var next = 0
            while next < queue.count {
                if next & 0xFFFF == 0xFFFF { try execution.report() }
                let merge = Int(queue[next]) - points
                next += 1
                queue.append(tree.left[merge])
                queue.append(tree.right[merge])
                while next < queue.count, queue[next] < points {
                    put(edge, row: queue[next], from: fall.cluster, at: lambda, tree)
                    edge += 1
                    next += 1
                }
            }
        }
    }
}
