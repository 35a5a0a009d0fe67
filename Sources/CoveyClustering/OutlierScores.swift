import CoveyRuntime

/// GLOSH outlier scores (Campello, Moulavi, Zimek, Sander 2015): 1 - lambda(row) / lambda_max, where lambda_max is the
/// largest in the subtree of the cluster that the row falls out of. 0 (as dense as its surroundings get) to 1.
public enum OutlierScores {
    /// One score a row. Beside infinitely dense duplicates any other row scores 1, where hdbscan gives NaN; bounded,
    /// the largest finite lambda counts instead. O(n).
    public static func compute(
        _ tree: CondensedTree, _ strengths: ClusterOptions.Strengths, execution: Execution
    ) throws -> [Double] {
        let deaths = deaths(tree, strengths)
        var scores = try execution.array(tree.pointCount) { _ in 0.0 }
        try scores.withUnsafeMutableBufferPointer { scores in
            nonisolated(unsafe) let scores = scores
            try execution.parallel(tree.pointCount, grain: 65_536) { chunk, _ in
                for row in chunk {
                    scores[row] = score(tree.rowLambdas[row], most: deaths[Int(tree.rowClusters[row])])
                }
            }
        }
        return scores
    }

    /// The largest lambda in the subtree of each node.
    static func deaths(_ tree: CondensedTree, _ strengths: ClusterOptions.Strengths) -> [Double] {
        var deaths = tree.clusters.map { strengths == .bounded ? $0.finiteDeath : $0.death }
        for node in tree.clusters.indices.dropFirst().reversed() {
            let parent = Int(tree.clusters[node].parent)
            deaths[parent] = max(deaths[parent], deaths[node])
        }
        return deaths
    }

    @inline(__always)
    static func score(_ lambda: Double, most: Double) -> Double {
        if lambda >= most { return 0 }
        return most == .infinity ? 1 : (most - lambda) / most
    }
}
