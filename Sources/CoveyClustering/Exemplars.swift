import CoveyRuntime

/// The rows at the heart of each cluster: those that stay longest in each leaf of the condensed tree below it.
public struct Exemplars: Sendable {
    /// The exemplars of cluster i are `rows[offsets[i]..<offsets[i + 1]]`, ascending.
    public let offsets: [Int]
    public let rows: [Int32]

    public subscript(cluster: Int) -> ArraySlice<Int32> {
        rows[offsets[cluster]..<offsets[cluster + 1]]
    }

    /// O(n + clusters).
    public init(_ tree: CondensedTree, _ membership: Membership, clusters: Int, execution: Execution) throws {
        func cluster(of row: Int) -> Int? {
            let node = Int(tree.rowClusters[row])
            let leaf = tree.clusters[node]
            guard leaf.isLeaf, tree.rowLambdas[row] == leaf.death else { return nil }
            let cluster = Int(membership.rule.nodeClusters[node])
            return cluster < 0 ? nil : cluster
        }
        var offsets = [Int](repeating: 0, count: clusters + 1)
        for row in 0..<tree.pointCount {
            if row & 0xFFFFF == 0 { try execution.report() }
            if let cluster = cluster(of: row) { offsets[cluster + 1] += 1 }
        }
        for cluster in 0..<clusters { offsets[cluster + 1] += offsets[cluster] }
        var next = offsets
        var rows = [Int32](repeating: 0, count: offsets[clusters])
        for row in 0..<tree.pointCount {
            if row & 0xFFFFF == 0 { try execution.report() }
            guard let cluster = cluster(of: row) else { continue }
            rows[next[cluster]] = Int32(row)
            next[cluster] += 1
        }
        self.offsets = offsets
        self.rows = rows
    }
}

extension Exemplars {
    private init(offsets: [Int], rows: [Int32]) {
        self.offsets = offsets
        self.rows = rows
    }

    /// The same exemplars by the caller's row numbers.
    func renumbered(_ usedRows: [Int32]?) -> Exemplars {
        guard let usedRows else { return self }
        return Exemplars(offsets: offsets, rows: rows.map { usedRows[Int($0)] })
    }
}
