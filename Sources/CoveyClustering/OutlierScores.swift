import CoveyRuntime

/// GLOSH outlier scores (Campello, Moulavi, Zimek, Sander 2015): 1 - lambda(row) / lambda_max, where lambda_max is the largest
/// in the subtree of the cluster that the row falls out of. 0 (as dense as its surroundings get) to 1.
public enum OutlierScores {
    /// One score a row. Beside infinitely dense duplicates any other row scores 1, where hdbscan gives NaN. O(n).
    public static func compute(_ tree: CondensedTree, execution: Execution) throws -> [Double] {
        var deaths = tree.clusters.map(\.death)
        for node in tree.clusters.indices.dropFirst().reversed() {
            let parent = Int(tree.clusters[node].parent)
            deaths[parent] = max(deaths[parent], deaths[node])
        }
        var scores = try execution.array(tree.pointCount) { _ in 0.0 }
        try scores.withUnsafeMutableBufferPointer { scores in
            nonisolated(unsafe) let scores = scores
            try execution.parallel(tree.pointCount, grain: 65_536) { [deaths] chunk, _ in
                for row in chunk {
                    let most = deaths[Int(tree.rowClusters[row])]
                    let lambda = tree.rowLambdas[row]
                    if most == 0 || lambda == .infinity { continue }
                    scores[row] = most == .infinity ? 1 : (most - lambda) / most
                }
            }
        }
        return scores
    }
}
