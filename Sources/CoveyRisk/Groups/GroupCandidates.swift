import CoveyClustering

/// The sets of rows that may be a risky group: every merge of a single-linkage tree, with all rows below it, that has
/// few rows enough to be a group and not the crowd; of merges of one length right above each other the highest
/// (`WholeMerges`).
struct GroupCandidates: Sendable {
    /// A merge is looked at from so many rows on.
    static let smallest = 4

    let tree: SingleLinkageTree
    let largest: Int
    let minFraud: Int
    /// Whether the merge above each is longer.
    private let isWhole: [Bool]

    init(_ tree: SingleLinkageTree, minFraud: Int) {
        self.tree = tree
        self.minFraud = minFraud
        largest = tree.pointCount / 2
        var isWhole = [Bool](repeating: true, count: tree.mergeCount)
        for merge in 0..<tree.mergeCount {
            for child in [Int(tree.left[merge]), Int(tree.right[merge])] where child >= tree.pointCount {
                isWhole[child - tree.pointCount] = tree.distances[child - tree.pointCount] < tree.distances[merge]
            }
        }
        self.isWhole = isWhole
    }

    /// Counts the known frauds below each merge, gives each candidate's statistic where it is not 0, and returns the
    /// highest.
    /// - Parameter counts: for each row 1 if it counts as known fraud, 0 elsewhere; behind them room for the merges.
    func scan(
        _ counts: UnsafeMutablePointer<Int32>, _ statistic: ScanStatistic,
        _ body: (_ merge: Int, _ value: Double) -> Void
    ) -> Double {
        let points = tree.pointCount
        var best = 0.0
        tree.left.withUnsafeBufferPointer { left in
            tree.right.withUnsafeBufferPointer { right in
                tree.sizes.withUnsafeBufferPointer { sizes in
                    for merge in 0..<left.count {
                        let fraud = counts[Int(left[merge])] &+ counts[Int(right[merge])]
                        counts[points &+ merge] = fraud
                        guard fraud >= minFraud else { continue }
                        let size = Int(sizes[merge])
                        guard size >= GroupCandidates.smallest, size <= largest, isWhole[merge] else { continue }
                        let value = statistic.value(fraud: Int(fraud), of: size)
                        guard value > 0 else { continue }
                        if value > best { best = value }
                        body(merge, value)
                    }
                }
            }
        }
        return best
    }
}
