import CoveyClustering
import CoveyRuntime

/// A merge of a tree that is a candidate, with what is known of it.
struct Candidate: Sendable, Equatable {
    let tree: Int
    let merge: Int
    let value: Double
    let fraud: Int
    let size: Int
    var pValue = 1.0
}

/// Disjoint groups out of candidates that lie inside each other.
enum GroupChoice {
    /// The disjoint candidates of one tree with the largest sum of statistics, each less what chance alone may give: a
    /// merge or the best of what lies below it. O(n).
    /// - Parameter allowed: the candidates that may be chosen, by merge.
    static func disjoint(
        _ allowed: [Int: Candidate], of tree: SingleLinkageTree, critical: Double, execution: Execution
    ) throws -> [Candidate] {
        guard !allowed.isEmpty else { return [] }
        let points = tree.pointCount
        var worth = [Double](repeating: 0, count: tree.mergeCount)
        var isTaken = [Bool](repeating: false, count: tree.mergeCount)
        try execution.forEach(0..<tree.mergeCount) { merge in
            var below = 0.0
            for child in [Int(tree.left[merge]), Int(tree.right[merge])] where child >= points {
                below += worth[child - points]
            }
            worth[merge] = below
            if let candidate = allowed[merge], candidate.value - critical >= below {
                worth[merge] = candidate.value - critical
                isTaken[merge] = true
            }
        }
        // From the root down: the first that is taken covers all below it.
        var chosen: [Candidate] = []
        var isCovered = [Bool](repeating: false, count: tree.mergeCount)
        for merge in stride(from: tree.mergeCount - 1, through: 0, by: -1) {
            if merge & 0xFFFF == 0 { try execution.report() }
            if !isCovered[merge], isTaken[merge], let candidate = allowed[merge] {
                chosen.append(candidate)
                isCovered[merge] = true
            }
            for child in [Int(tree.left[merge]), Int(tree.right[merge])] where child >= points {
                isCovered[child - points] = isCovered[merge]
            }
        }
        return chosen
    }

    /// The rows below a merge.
    static func rows(of merge: Int, in tree: SingleLinkageTree) -> [Int32] {
        var rows: [Int32] = []
        var open = [merge]
        while let merge = open.popLast() {
            for child in [tree.left[merge], tree.right[merge]] {
                if Int(child) < tree.pointCount {
                    rows.append(child)
                } else {
                    open.append(Int(child) - tree.pointCount)
                }
            }
        }
        return rows
    }

    /// For each merge the group that it lies in; -1 = none.
    static func mergeGroups(_ groups: [(merge: Int, group: Int)], of tree: SingleLinkageTree) -> [Int32] {
        var result = [Int32](repeating: -1, count: tree.mergeCount)
        for (merge, group) in groups { result[merge] = Int32(group) }
        guard !groups.isEmpty else { return result }
        for merge in stride(from: tree.mergeCount - 1, through: 0, by: -1) where result[merge] >= 0 {
            for child in [Int(tree.left[merge]), Int(tree.right[merge])] where child >= tree.pointCount {
                result[child - tree.pointCount] = result[merge]
            }
        }
        return result
    }
}
