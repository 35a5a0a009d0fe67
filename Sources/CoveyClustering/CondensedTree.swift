import CoveyRuntime

/// The single-linkage tree without the branches that are smaller than a cluster may be (Campello, Moulavi, Sander 2013).
///
/// Going down from the root, distances shrink and lambda = 1 / distance grows. Where both sides of a merge have at least
/// `minClusterSize` rows, two clusters are born; otherwise the rows of a smaller side fall out of the cluster, which lives
/// on in the other side. Rows keep their numbers; clusters are numbered by their place, the root `pointCount`, breadth
/// first, as hdbscan does. Edges come in that order too, so that a cluster is born before its own edges.
///
/// Merges at distance zero are never split: rows that are equal stay one cluster, whose rows leave at infinite lambda.
/// (hdbscan splits them by the order of the ties, and then subtracts infinities.)
public struct CondensedTree: Sendable {
    /// The number of rows, and so the number of the root.
    public let pointCount: Int

    // One entry an edge: `child` leaves `parent` at `lambda`; size 1 is a row.
    public let parents: [Int32]
    public let children: [Int32]
    public let lambdas: [Double]
    public let sizes: [Int32]

    /// The clusters, root first: cluster `pointCount + i` is `clusters[i]`.
    public let clusters: [Cluster]
    /// The index in `clusters` that each row falls out of, and where.
    public let rowClusters: [Int32]
    public let rowLambdas: [Double]

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

        public var isLeaf: Bool { firstChild < 0 }

        /// The two child clusters; empty for a leaf.
        public var children: Range<Int> { isLeaf ? 0..<0 : Int(firstChild)..<Int(firstChild) + 2 }
    }

    /// O(n) time and memory; no recursion, so that a tree of any depth will do.
    public init(_ tree: SingleLinkageTree, minClusterSize: Int, execution: Execution) throws {
        var builder = Builder(tree, minClusterSize: minClusterSize, execution)
        try builder.run()
        pointCount = tree.pointCount
        parents = builder.parents
        children = builder.children
        lambdas = builder.lambdas
        sizes = builder.sizes
        clusters = builder.clusters
        rowClusters = builder.rowClusters
        rowLambdas = builder.rowLambdas
    }

    private struct Builder {
        let tree: SingleLinkageTree
        let points: Int
        let minClusterSize: Int
        let execution: Execution
        var parents: [Int32] = []
        var children: [Int32] = []
        var lambdas: [Double] = []
        var sizes: [Int32] = []
        var clusters: [Cluster] = []
        var rowClusters: [Int32]
        var rowLambdas: [Double]
        /// Merges whose rows are still in a cluster, breadth first, and the cluster that each belongs to.
        private var queue: [(node: Int32, cluster: Int32)] = []
        private var falling: [Int32] = []

        init(_ tree: SingleLinkageTree, minClusterSize: Int, _ execution: Execution) {
            self.tree = tree
            self.execution = execution
            self.minClusterSize = minClusterSize
            points = tree.pointCount
            rowClusters = [Int32](repeating: 0, count: points)
            rowLambdas = [Double](repeating: 0, count: points)
            parents.reserveCapacity(points + points / 8)
            children.reserveCapacity(points + points / 8)
            lambdas.reserveCapacity(points + points / 8)
            sizes.reserveCapacity(points + points / 8)
        }

        mutating func run() throws {
            clusters.append(Cluster(parent: -1, size: Int32(points), birth: 0))
            guard tree.mergeCount > 0 else { return }
            queue.append((Int32(points + tree.mergeCount - 1), 0))
            var next = 0
            while next < queue.count {
                if next & 0xFFF == 0 {
                    try execution.report("condensed tree", Double(children.count) / Double(points))
                }
                let (node, cluster) = queue[next]
                next += 1
                try visit(Int(node) - points, cluster)
            }
        }

        private mutating func visit(_ merge: Int, _ cluster: Int32) throws {
            let left = tree.left[merge]
            let right = tree.right[merge]
            // A distance that is not zero, but has no finite reciprocal, counts as zero.
            let lambda = 1 / tree.distances[merge]
            let leftLarge = tree.size(of: Int(left)) >= minClusterSize
            let rightLarge = tree.size(of: Int(right)) >= minClusterSize
            if lambda == .infinity {
                try fall(left, from: cluster, at: lambda)
                try fall(right, from: cluster, at: lambda)
            } else if leftLarge && rightLarge {
                clusters[Int(cluster)].firstChild = Int32(clusters.count)
                bear(left, from: cluster, at: lambda)
                bear(right, from: cluster, at: lambda)
            } else {
                if leftLarge { queue.append((left, cluster)) } else { try fall(left, from: cluster, at: lambda) }
                if rightLarge { queue.append((right, cluster)) } else { try fall(right, from: cluster, at: lambda) }
            }
        }

        /// A node of at least two rows becomes a cluster.
        private mutating func bear(_ node: Int32, from cluster: Int32, at lambda: Double) {
            let size = Int32(tree.size(of: Int(node)))
            let child = Int32(clusters.count)
            clusters.append(Cluster(parent: cluster, size: size, birth: lambda))
            append(child: Int32(points) + child, size: size, from: cluster, at: lambda)
            queue.append((node, child))
        }

        /// All rows below a node leave the cluster, breadth first.
        private mutating func fall(_ node: Int32, from cluster: Int32, at lambda: Double) throws {
            falling.removeAll(keepingCapacity: true)
            falling.append(node)
            var next = 0
            while next < falling.count {
                if next & 0xFFFF == 0xFFFF { try execution.check() }
                let node = Int(falling[next])
                next += 1
                if node < points {
                    rowClusters[node] = cluster
                    rowLambdas[node] = lambda
                    append(child: Int32(node), size: 1, from: cluster, at: lambda)
                } else {
                    falling.append(tree.left[node - points])
                    falling.append(tree.right[node - points])
                }
            }
        }

        private mutating func append(child: Int32, size: Int32, from cluster: Int32, at lambda: Double) {
            parents.append(Int32(points) + cluster)
            children.append(child)
            lambdas.append(lambda)
            sizes.append(size)
            clusters[Int(cluster)].death = max(clusters[Int(cluster)].death, lambda)
        }
    }
}
