import CCoveyKernels
import CoveyNeighbors
import CoveyRuntime

/// The condensed tree without its rows: the clusters, and which branches fall out of which.
struct CondensedOutline {
    /// A branch whose rows leave a cluster, and the first of their edges.
    struct Fall: BitwiseCopyable {
        let node: Int32
        let cluster: Int32
        /// The merge at whose distance they leave.
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
    /// Merges whose rows are still in a cluster, breadth first, and the cluster that each belongs to.
    private let queue: AlignedBuffer<(merge: Int32, cluster: Int32)>
    private var queued = 0

    init(_ points: Int, minClusterSize: Int, _ execution: Execution) throws {
        self.points = points
        self.minClusterSize = minClusterSize
        // A branch falls at most once a merge, and twice at the last ones.
        falls = try AlignedBuffer(points, for: "the condensed tree", execution)
        queue = try AlignedBuffer(points, for: "the condensed tree", execution)
    }

    mutating func run(_ tree: SingleLinkageTree.Pointers, _ execution: Execution) throws {
        clusters.append(CondensedTree.Cluster(parent: -1, size: Int32(points), birth: 0))
        guard points > 1 else { return }
        push(points - 2, 0)
        var next = 0
        while next < queued {
            if next & 0xFFF == 0 { try execution.report("condensed tree", Double(edgeCount) / Double(points)) }
            if next + 4 < queued {
                let later = Int(queue[next + 4].merge)
                ck_prefetch(tree.left + later)
                ck_prefetch(tree.right + later)
                ck_prefetch(tree.distances + later)
            }
            let (merge, cluster) = queue[next]
            next += 1
            visit(Int(merge), cluster, tree)
        }
    }

    private mutating func visit(_ merge: Int, _ cluster: Int32, _ tree: SingleLinkageTree.Pointers) {
        let (left, right) = (tree.left[merge], tree.right[merge])
        let (leftSize, rightSize) = (tree.size(of: left), tree.size(of: right))
        // A distance that is not zero, but has no finite reciprocal, counts as zero.
        let lambda = 1 / tree.distances[merge]
        if clusters[Int(cluster)].death < lambda {
            clusters[Int(cluster)].death = lambda
            if lambda < .infinity { clusters[Int(cluster)].finiteDeath = lambda }
        }
        if lambda == .infinity {
            fall(left, leftSize, from: cluster, at: merge)
            fall(right, rightSize, from: cluster, at: merge)
        } else if leftSize >= minClusterSize && rightSize >= minClusterSize {
            clusters[Int(cluster)].firstChild = Int32(clusters.count)
            bear(left, leftSize, from: cluster, at: lambda)
            bear(right, rightSize, from: cluster, at: lambda)
        } else {
            stay(left, leftSize, in: cluster, at: merge)
            stay(right, rightSize, in: cluster, at: merge)
        }
    }

    /// The cluster lives on in a branch that is large enough.
    @inline(__always)
    private mutating func stay(_ node: Int32, _ size: Int, in cluster: Int32, at merge: Int) {
        if size >= minClusterSize {
            push(Int(node) - points, cluster)
        } else {
            fall(node, size, from: cluster, at: merge)
        }
    }

    @inline(__always)
    private mutating func push(_ merge: Int, _ cluster: Int32) {
        queue[queued] = (Int32(truncatingIfNeeded: merge), cluster)
        queued &+= 1
    }

    /// A node of at least two rows becomes a cluster.
    private mutating func bear(_ node: Int32, _ size: Int, from cluster: Int32, at lambda: Double) {
        births.append(UInt32(edgeCount))
        edgeCount += 1
        push(Int(node) - points, Int32(clusters.count))
        clusters.append(CondensedTree.Cluster(parent: cluster, size: Int32(size), birth: lambda))
    }

    @inline(__always)
    private mutating func fall(_ node: Int32, _ size: Int, from cluster: Int32, at merge: Int) {
        falls[fallCount] = Fall(
            node: node, cluster: cluster, merge: Int32(truncatingIfNeeded: merge),
            edge: UInt32(truncatingIfNeeded: edgeCount))
        fallCount &+= 1
        edgeCount &+= size
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

        /// The rows below a node.
        @inline(__always)
        func size(of node: Int32) -> Int { Int(node) < points ? 1 : Int(sizes[Int(node) &- points]) }
    }

    /// Runs `body` with the columns of a tree; with none where there are no merges.
    func withPointers(_ body: (Pointers) throws -> Void) rethrows {
        try left.withUnsafeBufferPointer { left in
            try right.withUnsafeBufferPointer { right in
                try sizes.withUnsafeBufferPointer { sizes in
                    try distances.withUnsafeBufferPointer { distances in
                        let none = UnsafePointer<Int32>(bitPattern: 64)!
                        try body(
                            Pointers(
                                points: pointCount, left: left.baseAddress ?? none, right: right.baseAddress ?? none,
                                sizes: sizes.baseAddress ?? none,
                                distances: distances.baseAddress ?? UnsafePointer(bitPattern: 64)!))
                    }
                }
            }
        }
    }
}
