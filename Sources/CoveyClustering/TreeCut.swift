import CoveyRuntime

extension Clustering {
    /// The clusters of the single-linkage tree at a distance, as DBSCAN* has them (Campello, Moulavi, Sander 2013):
    /// rows joined by edges shorter than `distance`; those of fewer than `minClusterSize` rows are noise (-1). Clusters
    /// are numbered by their last merge, as in hdbscan's dbscan_clustering. O(n).
    public func labels(
        cutAt distance: Double, minClusterSize: Int, execution: Execution = Execution()
    ) throws -> [Int32] {
        try require(distance >= 0, "distance must be at least 0, got \(distance)")
        try require(minClusterSize >= 1, "min_cluster_size must be at least 1, got \(minClusterSize)")
        let tree = singleLinkageTree
        let points = tree.pointCount
        // Distances ascend: the merges that count are the first ones.
        var (merges, high) = (0, tree.mergeCount)
        while merges < high {
            let middle = (merges + high) / 2
            if tree.distances[middle] < distance { merges = middle + 1 } else { high = middle }
        }
        var upper = [Bool](repeating: true, count: points + merges)
        for merge in 0..<merges {
            if merge & 0xFFFFF == 0 { try execution.report() }
            upper[Int(tree.left[merge])] = false
            upper[Int(tree.right[merge])] = false
        }
        var labels = [Int32](repeating: -1, count: points + merges)
        var next: Int32 = 0
        for node in labels.indices where upper[node] && size(of: node, below: distance) >= minClusterSize {
            labels[node] = next
            next += 1
        }
        for merge in (0..<merges).reversed() {
            if merge & 0xFFFFF == 0 { try execution.report() }
            labels[Int(tree.left[merge])] = labels[points + merge]
            labels[Int(tree.right[merge])] = labels[points + merge]
        }
        return try rows.spread(Array(labels[..<points]), missing: -1, execution)
    }

    /// The rows of a node that are joined; copies of one row that are not count as one.
    private func size(of node: Int, below distance: Double) -> Int {
        let tree = singleLinkageTree
        if node < tree.pointCount, let copies = tree.copies, copies.distances[node] >= distance { return 1 }
        return tree.size(of: node)
    }
}
