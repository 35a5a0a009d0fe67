import CoveyClustering
import CoveyRuntime

/// The share of known fraud of every node of a single-linkage tree, shrunk towards that of its parent, and read at the
/// lowest ancestor of a row: what the neighbourhood of a row says, at every scale at once.
///
///     p(node) = (k + m p(parent)) / (n + m),  p(root) = the base rate
///
/// where n counts the rows below the node (see `KnownLabels.population`) and k those known to be fraud; of nodes of one
/// length right above each other, the highest counts (`WholeMerges`). It is a beta
/// prior of strength m at each node that stands on its parent (empirical Bayes; Efron and Morris 1975). A row's own
/// label never takes part in what is read for it. Immutable, for any number of threads.
public struct TreeShares: Sendable {
    /// The prior's strength m, in rows.
    public static let strength = 5.0

    private let pointCount: Int
    private let labels: KnownLabels
    private let strength: Double
    /// The whole merge right above each row, and above each merge; -1 for the root.
    private let rowParents: [Int32]
    private let parents: [Int32]
    /// A merge farther up, so that any ancestor is reached in O(log n) steps (Myers 1983, skew-binary jump pointers).
    private let jumps: [Int32]
    private let distances: [Double]
    /// Below each merge: rows counted, and those known to be fraud.
    private let counted: [Int32]
    private let fraud: [Int32]
    private let shares: [Double]
    /// Counts them as long as they are kept.
    private let memory: HeldMemory

    public var baseRate: Double { labels.baseRate }

    /// O(n) time; about 44 bytes a row.
    /// - Parameter labels: one for each row of the tree, in its order.
    public init(
        _ tree: SingleLinkageTree, labels: KnownLabels, strength: Double = TreeShares.strength, execution: Execution
    ) throws {
        guard labels.count == tree.pointCount else {
            throw CoveyError.mismatch("fraud has \(labels.count) values, the tree \(tree.pointCount) rows")
        }
        // What is kept, then the depths and the tops of merges.
        memory = try HeldMemory(
            checkedProduct(tree.pointCount, 36, "shares along the tree"), for: "shares along the tree", execution)
        try execution.reserve(tree.pointCount, of: 8, for: "shares along the tree")
        let points = tree.pointCount
        let merges = tree.mergeCount
        var rowParents = [Int32](repeating: -1, count: points)
        var parents = [Int32](repeating: -1, count: merges)
        var counted = [Int32](repeating: 0, count: merges)
        var fraud = [Int32](repeating: 0, count: merges)
        try execution.forEach(0..<merges) { merge in
            for child in [Int(tree.left[merge]), Int(tree.right[merge])] {
                if child < points {
                    rowParents[child] = Int32(merge)
                    counted[merge] += labels.isCounted(child) ? 1 : 0
                    fraud[merge] += labels.isFraud(child) ? 1 : 0
                } else {
                    parents[child - points] = Int32(merge)
                    counted[merge] += counted[child - points]
                    fraud[merge] += fraud[child - points]
                }
            }
        }
        let tops = WholeMerges.tops(parents, tree.distances)
        for row in 0..<points where rowParents[row] >= 0 { rowParents[row] = tops[Int(rowParents[row])] }
        // A parent's number is above its children's: from the root down.
        var shares = [Double](repeating: labels.baseRate, count: merges)
        var jumps = [Int32](repeating: -1, count: merges)
        var depths = [Int32](repeating: 0, count: merges)
        for merge in stride(from: merges - 1, through: 0, by: -1) {
            if merge & 0xFFFF == 0 { try execution.report() }
            let isWhole = Int(tops[merge]) == merge
            if isWhole, parents[merge] >= 0 { parents[merge] = tops[Int(parents[merge])] }
            let parent = isWhole ? Int(parents[merge]) : Int(tops[merge])
            guard parent >= 0 else {
                jumps[merge] = Int32(merge)
                continue
            }
            depths[merge] = depths[parent] + 1
            guard isWhole else {
                // No row is right below it.
                parents[merge] = Int32(parent)
                jumps[merge] = Int32(parent)
                shares[merge] = shares[parent]
                continue
            }
            shares[merge] =
                (Double(fraud[merge]) + strength * shares[parent]) / (Double(counted[merge]) + strength)
            let jump = Int(jumps[parent])
            let isRegular = depths[parent] - depths[jump] == depths[jump] - depths[Int(jumps[jump])]
            jumps[merge] = isRegular ? jumps[jump] : Int32(parent)
        }
        pointCount = points
        self.labels = labels
        self.strength = strength
        self.rowParents = rowParents
        self.parents = parents
        self.jumps = jumps
        self.counted = counted
        self.fraud = fraud
        self.shares = shares
        distances = tree.distances
    }

    /// What the tree says of each of its rows, their own labels left out. O(n): above a dozen levels a row's own label
    /// changes no digit, for each level shrinks its effect by m / (n + m).
    public func ownShares(execution: Execution) throws -> [Double] {
        var result = try execution.array(pointCount) { _ in 0.0 }
        try result.withUnsafeMutableBufferPointer { result in
            nonisolated(unsafe) let result = result
            try execution.parallel(pointCount, grain: 16_384, stage: "shares along the tree") { chunk, _ in
                var path: [Int] = []
                for row in chunk { result[row] = ownShare(row, &path) }
            }
        }
        return result
    }

    private func ownShare(_ row: Int, _ path: inout [Int]) -> Double {
        let own = labels.isFraud(row) ? 1.0 : 0.0
        let weight = labels.isCounted(row) ? 1.0 : 0.0
        let others = Double(labels.counted) - weight
        let base = others > 0 ? (Double(labels.fraud) - own) / others : 0
        guard rowParents[row] >= 0 else { return base }
        if weight == 0 { return shares[Int(rowParents[row])] }
        path.removeAll(keepingCapacity: true)
        var node = Int(rowParents[row])
        var effect = 1.0
        while effect > 1e-14, parents[node] >= 0 {
            path.append(node)
            effect *= strength / (Double(counted[node]) - weight + strength)
            node = Int(parents[node])
        }
        var share = parents[node] < 0 ? base : shares[node]
        for node in path.reversed() {
            share = (Double(fraud[node]) - own + strength * share) / (Double(counted[node]) - weight + strength)
        }
        return share
    }

    /// The share of the lowest merge that a row is in, with what is known of the row itself.
    func shareAbove(_ row: Int) -> Double { share(of: Int(rowParents[row])) }

    /// The distance at which a row joins others; 0 for the only row.
    public func joinDistance(_ row: Int) -> Double { rowParents[row] < 0 ? 0 : distances[Int(rowParents[row])] }

    /// What a new row that would join the tree beside `row` at this distance, which is at least that of the row's own
    /// join, is joined to: the highest merge above `row` up to that distance; -1 in a tree of one row. O(log n).
    public func join(beside row: Int, at distance: Double) -> Int {
        var node = Int(rowParents[row])
        guard node >= 0 else { return -1 }
        while parents[node] >= 0 {
            let jump = Int(jumps[node])
            if jump != node, distances[jump] <= distance {
                node = jump
            } else if distances[Int(parents[node])] <= distance {
                node = Int(parents[node])
            } else {
                break
            }
        }
        return node
    }

    /// The share of a merge; the base rate for -1.
    public func share(of merge: Int) -> Double { merge < 0 ? baseRate : shares[merge] }
}
