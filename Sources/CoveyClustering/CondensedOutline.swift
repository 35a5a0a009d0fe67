import CCoveyKernels
import CoveyNeighbors
import CoveyRuntime

/// The condensed tree without its rows: the clusters, and which branches fall out of which.
struct CondensedOutline {
    /// A branch whose rows leave a cluster, and the first of their edges.
    struct Fall: BitwiseCopyable {
        let node: Int32
        let cluster: Int32
        /// The merge at whose distance they leave; ~row where the copies of a row were a cluster.
        let merge: Int32
        let edge: UInt32
    }

    /// Root first, breadth first.
    private(set) var clusters: [CondensedTree.Cluster] = []
    /// The edge at which each cluster but the root is born.
    private(set) var births: [UInt32] = []
    let falls: AlignedBuffer<Fall>
    private(set) var fallCount = 0
    private(set) var edgeCount = 0

    private let points: Int
    private let minClusterSize: Int
    /// Merges whose rows are still in a cluster, breadth first, and the cluster that each belongs to. ~row is a row
    /// whose copies alone are that cluster.
    private let queue: AlignedBuffer<(merge: Int32, cluster: Int32)>
    private var queued = 0
    /// The points below each merge, where points stand for several rows; nil = as many as its size.
    private let pointCounts: AlignedBuffer<Int32>?

    init(_ points: Int, hasCopies: Bool, minClusterSize: Int, _ execution: Execution) throws {
        self.points = points
        self.minClusterSize = minClusterSize
        // A branch falls at most once a merge, and twice at the last ones.
        falls = try AlignedBuffer(points, for: "the condensed tree", execution)
        queue = try AlignedBuffer(hasCopies ? 2 * points : points, for: "the condensed tree", execution)
        pointCounts = hasCopies ? try AlignedBuffer(points, for: "the condensed tree", execution) : nil
    }

    mutating func run(_ tree: SingleLinkageTree.Pointers, _ execution: Execution) throws {
        let root = Int32(truncatingIfNeeded: 2 * points - 2)
        let total = points > 0 ? tree.size(of: root) : 0
        clusters.append(CondensedTree.Cluster(parent: -1, size: Int32(truncatingIfNeeded: total), birth: 0))
        guard total > 1 else { return }
        if let pointCounts {
            func count(_ node: Int32) -> Int32 { Int(node) < points ? 1 : pointCounts[Int(node) - points] }
            for merge in 0..<points - 1 {
                if merge & 0xFFFFF == 0 { try execution.report() }
                pointCounts[merge] = count(tree.left[merge]) + count(tree.right[merge])
            }
        }
        push(root, 0)
        var next = 0
        while next < queued {
            if next & 0xFFF == 0 { try execution.report("condensed tree", Double(edgeCount) / Double(points)) }
            if next + 4 < queued {
                let later = max(0, Int(queue[next + 4].merge))
                ck_prefetch(tree.left + later)
                ck_prefetch(tree.right + later)
                ck_prefetch(tree.distances + later)
            }
            let (merge, cluster) = queue[next]
            next += 1
            if merge >= 0 { visit(Int(merge), cluster, tree) } else { visit(copiesOf: ~merge, cluster, tree) }
        }
    }

    /// All copies of a row leave the cluster that they are.
    private mutating func visit(copiesOf row: Int32, _ cluster: Int32, _ tree: SingleLinkageTree.Pointers) {
        die(cluster, 1 / (tree.joins?[Int(row)] ?? 0))
        fall(row, from: cluster, at: ~Int(row), tree)
    }

    @inline(__always)
    private mutating func die(_ cluster: Int32, _ lambda: Double) {
        if clusters[Int(cluster)].death < lambda {
            clusters[Int(cluster)].death = lambda
            if lambda < .infinity { clusters[Int(cluster)].finiteDeath = lambda }
        }
    }

    private mutating func visit(_ merge: Int, _ cluster: Int32, _ tree: SingleLinkageTree.Pointers) {
        let (left, right) = (tree.left[merge], tree.right[merge])
        // A distance that is not zero, but has no finite reciprocal, counts as zero.
        let lambda = 1 / tree.distances[merge]
        die(cluster, lambda)
        let (leftStays, rightStays) = (isLarge(left, at: merge, tree), isLarge(right, at: merge, tree))
        if lambda == .infinity {
            fall(left, from: cluster, at: merge, tree)
            fall(right, from: cluster, at: merge, tree)
        } else if leftStays && rightStays {
            clusters[Int(cluster)].firstChild = Int32(clusters.count)
            bear(left, from: cluster, at: lambda, tree)
            bear(right, from: cluster, at: lambda, tree)
        } else {
            // The cluster lives on in a branch that is large enough.
            if leftStays { push(left, cluster) } else { fall(left, from: cluster, at: merge, tree) }
            if rightStays { push(right, cluster) } else { fall(right, from: cluster, at: merge, tree) }
        }
    }

    /// A branch that may be a cluster below a merge. Copies of a row that join no sooner are not joined there.
    @inline(__always)
    private func isLarge(_ node: Int32, at merge: Int, _ tree: SingleLinkageTree.Pointers) -> Bool {
        guard tree.size(of: node) >= minClusterSize else { return false }
        guard let joins = tree.joins, Int(node) < points else { return true }
        return joins[Int(node)] < tree.distances[merge]
    }

    @inline(__always)
    private mutating func push(_ node: Int32, _ cluster: Int32) {
        let merge = node &- Int32(truncatingIfNeeded: points)
        queue[queued] = (merge >= 0 ? merge : ~node, cluster)
        queued &+= 1
    }

    /// A node of at least two rows becomes a cluster.
    private mutating func bear(
        _ node: Int32, from cluster: Int32, at lambda: Double, _ tree: SingleLinkageTree.Pointers
    ) {
        births.append(UInt32(edgeCount))
        edgeCount += 1
        push(node, Int32(clusters.count))
        let size = Int32(truncatingIfNeeded: tree.size(of: node))
        clusters.append(CondensedTree.Cluster(parent: cluster, size: size, birth: lambda))
    }

    @inline(__always)
    private mutating func fall(
        _ node: Int32, from cluster: Int32, at merge: Int, _ tree: SingleLinkageTree.Pointers
    ) {
        falls[fallCount] = Fall(
            node: node, cluster: cluster, merge: Int32(truncatingIfNeeded: merge),
            edge: UInt32(truncatingIfNeeded: edgeCount))
        fallCount &+= 1
        edgeCount &+= Int(node) < points ? 1 : pointCounts.map { Int($0[Int(node) &- points]) } ?? tree.size(of: node)
    }
}

extension SingleLinkageTree {
    /// The tree's columns, borrowed.
    struct Pointers: @unchecked Sendable {
        let points: Int
        let left: UnsafePointer<Int32>
        let right: UnsafePointer<Int32>
        let sizes: UnsafePointer<Int32>
        let distances: UnsafePointer<Double>
        /// For each point, the rows that it stands for, and where they join; nil = one.
        let counts: UnsafePointer<Int32>?
        let joins: UnsafePointer<Double>?

        /// The rows below a node.
        @inline(__always)
        func size(of node: Int32) -> Int {
            Int(node) < points ? counts.map { Int($0[Int(node)]) } ?? 1 : Int(sizes[Int(node) &- points])
        }
    }

    /// Runs `body` with the columns of a tree; with none if there are no merges.
    func withPointers(_ body: (Pointers) throws -> Void) rethrows {
        try left.withUnsafeBufferPointer { left in
            try right.withUnsafeBufferPointer { right in
                try sizes.withUnsafeBufferPointer { sizes in
                    try distances.withUnsafeBufferPointer { distances in
                        try (copies?.counts ?? []).withUnsafeBufferPointer { counts in
                            try (copies?.distances ?? []).withUnsafeBufferPointer { joins in
                                let none = UnsafePointer<Int32>(bitPattern: 64)!
                                try body(
                                    Pointers(
                                        points: pointCount, left: left.baseAddress ?? none,
                                        right: right.baseAddress ?? none, sizes: sizes.baseAddress ?? none,
                                        distances: distances.baseAddress ?? UnsafePointer(bitPattern: 64)!,
                                        counts: copies == nil ? nil : counts.baseAddress,
                                        joins: copies == nil ? nil : joins.baseAddress))
                            }
                        }
                    }
                }
            }
        }
    }
}
