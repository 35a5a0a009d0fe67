import CoveyRuntime

/// To which cluster each row belongs, how strongly, and how persistent the clusters are.
public struct Membership: Sendable {
    /// 0..<clusters, in the order of `ClusterSelection.nodes`; -1 = noise.
    public let labels: [Int32]
    /// The strength of membership: lambda where the row leaves relative to the largest in its cluster, 0 (noise) to 1. Rows at
    /// infinite lambda (duplicates) have 1, and any other row of such a cluster 0, as in hdbscan.
    public let probabilities: [Double]
    /// Each cluster's stability relative to the most that its rows could have; 1 where lambda is infinite.
    public let persistence: [Double]
    /// The cluster that each node of the condensed tree lies in, -1 = none: the nearest selected node above or at it.
    public let nodeClusters: [Int32]

    /// O(n).
    public init(
        _ tree: CondensedTree, _ selection: ClusterSelection, _ options: ClusterOptions, execution: Execution
    ) throws {
        nodeClusters = Membership.nodeClusters(tree, selection)
        var labels = try execution.array(tree.pointCount) { _ in Int32(-1) }
        var probabilities = try execution.array(tree.pointCount) { _ in 0.0 }
        var counts = [Int](repeating: 0, count: selection.nodes.count)
        // Where the root is the only cluster, it keeps its densest rows alone, or those within epsilon.
        let rootThreshold =
            options.clusterSelectionEpsilon > 0 ? 1 / options.clusterSelectionEpsilon : tree.clusters[0].death
        let rootAlone = selection.nodes == [0]
        let (nodes, nodeClusters) = (selection.nodes, nodeClusters)
        try labels.withUnsafeMutableBufferPointer { labels in
            try probabilities.withUnsafeMutableBufferPointer { probabilities in
                nonisolated(unsafe) let (labels, probabilities) = (labels, probabilities)
                try execution.parallel(tree.pointCount, grain: 65_536) { chunk, _ in
                    for row in chunk {
                        let cluster = nodeClusters[Int(tree.rowClusters[row])]
                        let lambda = tree.rowLambdas[row]
                        guard cluster >= 0 else { continue }
                        let node = nodes[Int(cluster)]
                        if node == 0 && !(rootAlone && lambda >= rootThreshold) { continue }
                        labels[row] = cluster
                        let most = tree.clusters[Int(node)].death
                        probabilities[row] = most == 0 || lambda == .infinity ? 1 : min(lambda, most) / most
                    }
                }
            }
        }
        for row in 0..<tree.pointCount {
            if row & 0xFFFFF == 0 { try execution.report() }
            if labels[row] >= 0 { counts[Int(labels[row])] += 1 }
        }
        let most = tree.clusters.reduce(0) { max($0, $1.death) }
        persistence = selection.nodes.indices.map { cluster in
            guard most.isFinite, most > 0, counts[cluster] > 0 else { return 1 }
            return selection.stabilities[Int(selection.nodes[cluster])] / (Double(counts[cluster]) * most)
        }
        self.labels = labels
        self.probabilities = probabilities
    }

    private static func nodeClusters(_ tree: CondensedTree, _ selection: ClusterSelection) -> [Int32] {
        var result = [Int32](repeating: -1, count: tree.clusters.count)
        for (cluster, node) in selection.nodes.enumerated() { result[Int(node)] = Int32(cluster) }
        for node in tree.clusters.indices.dropFirst() where result[node] < 0 {
            result[node] = result[Int(tree.clusters[node].parent)]
        }
        return result
    }
}
