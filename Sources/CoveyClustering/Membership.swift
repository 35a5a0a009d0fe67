import CoveyRuntime

/// To which cluster each row belongs, how strongly, and how persistent the clusters are.
public struct Membership: Sendable {
    /// 0..<clusters, in the order of `ClusterSelection.nodes`; -1 = noise.
    public let labels: [Int32]
    /// The strength of membership: lambda where the row leaves relative to the largest in its cluster, 0 (noise) to 1.
    /// Rows at infinite lambda (duplicates) have 1, and any other row of such a cluster 0, as in hdbscan, or, with
    /// bounded strengths, its share of the largest finite lambda.
    public let probabilities: [Double]
    /// Each cluster's stability relative to the most that its rows could have; 1 if lambda is infinite.
    public let persistence: [Double]
    public let rule: MembershipRule

    /// O(n).
    public init(
        _ tree: CondensedTree, _ selection: ClusterSelection, _ options: ClusterOptions, execution: Execution
    ) throws {
        let rule = MembershipRule(tree, selection)
        var labels = try execution.array(tree.pointCount) { _ in Int32(-1) }
        var probabilities = try execution.array(tree.pointCount) { _ in 0.0 }
        var counts = [Int](repeating: 0, count: selection.nodes.count)
        let strengths = options.strengths
        try labels.withUnsafeMutableBufferPointer { labels in
            try probabilities.withUnsafeMutableBufferPointer { probabilities in
                nonisolated(unsafe) let (labels, probabilities) = (labels, probabilities)
                try execution.parallel(tree.pointCount, grain: 65_536) { chunk, _ in
                    for row in chunk {
                        let lambda = tree.rowLambdas[row]
                        let cluster = rule.cluster(of: Int(tree.rowClusters[row]), leavingAt: lambda)
                        guard cluster >= 0 else { continue }
                        labels[row] = cluster
                        probabilities[row] = rule.strength(in: cluster, at: lambda, strengths)
                    }
                }
            }
        }
        for row in 0..<tree.pointCount {
            if row & 0xFFFFF == 0 { try execution.report() }
            if labels[row] >= 0 { counts[Int(labels[row])] += tree.weights.map { Int($0[row]) } ?? 1 }
        }
        persistence = selection.nodes.indices.map {
            selection.stabilities.persistence(of: Int(selection.nodes[$0]), rows: counts[$0])
        }
        self.labels = labels
        self.probabilities = probabilities
        self.rule = rule
    }
}

/// The rule by which fitted rows, and new ones, belong to a cluster.
public struct MembershipRule: Sendable {
    /// The cluster that each node of the condensed tree lies in, -1 = none: the nearest selected node above or at it.
    public let nodeClusters: [Int32]
    /// For each cluster, the lambda that a row must reach, the largest lambda, and the largest finite one.
    private let entries: [Double]
    /// For each cluster, the lambda at which it is born.
    private let births: [Double]
    private let deaths: [Double]
    private let finiteDeaths: [Double]

    init(_ tree: CondensedTree, _ selection: ClusterSelection) {
        var nodeClusters = [Int32](repeating: -1, count: tree.clusters.count)
        for (cluster, node) in selection.nodes.enumerated() { nodeClusters[Int(node)] = Int32(cluster) }
        for node in tree.clusters.indices.dropFirst() where nodeClusters[node] < 0 {
            nodeClusters[node] = nodeClusters[Int(tree.clusters[node].parent)]
        }
        self.nodeClusters = nodeClusters
        entries = selection.entries
        births = selection.nodes.map { tree.clusters[Int($0)].birth }
        deaths = selection.nodes.map { tree.clusters[Int($0)].death }
        finiteDeaths = selection.nodes.map { tree.clusters[Int($0)].finiteDeath }
    }

    /// The cluster of a row that leaves a node of the condensed tree at this lambda; -1 = noise.
    @inline(__always)
    func cluster(of node: Int, leavingAt lambda: Double) -> Int32 {
        let cluster = nodeClusters[node]
        return cluster >= 0 && lambda >= entries[Int(cluster)] ? cluster : -1
    }

    /// No row with a smaller lambda is in the cluster.
    func leastLambda(_ cluster: Int32) -> Double {
        max(births[Int(cluster)], entries[Int(cluster)])
    }

    /// 0 to 1.
    @inline(__always)
    func strength(in cluster: Int32, at lambda: Double, _ strengths: ClusterOptions.Strengths) -> Double {
        let most = strengths == .bounded ? finiteDeaths[Int(cluster)] : deaths[Int(cluster)]
        return most == 0 || lambda == .infinity ? 1 : min(lambda, most) / most
    }
}
