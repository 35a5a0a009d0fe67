import CoveyRuntime

/// Clusters that are not split below a distance, epsilon (Malzer & Baum 2020).
struct MergedClusters {
    private let clusters: [CondensedTree.Cluster]
    private let allowSingleCluster: Bool

    init(_ tree: CondensedTree, allowSingleCluster: Bool) {
        clusters = tree.clusters
        self.allowSingleCluster = allowSingleCluster
    }

    /// Replaces each chosen cluster that is born below the epsilon by its nearest ancestor born above it, or, where
    /// there is none, by the ancestor next to the root: the root itself only where it may be a cluster. O(clusters).
    func merge(_ chosen: [Bool], _ epsilon: Double) -> [Bool] {
        guard clusters.count > 1, !chosen[0] else { return chosen }
        var target = [Int](repeating: 0, count: clusters.count)
        var result = [Bool](repeating: false, count: clusters.count)
        for node in clusters.indices.dropFirst() {
            let parent = Int(clusters[node].parent)
            if parent == 0 {
                target[node] = allowSingleCluster ? 0 : node
            } else {
                target[node] = 1 / clusters[parent].birth > epsilon ? parent : target[parent]
            }
            if chosen[node] {
                result[1 / clusters[node].birth < epsilon ? target[node] : node] = true
            }
        }
        return result
    }

    /// The clusters, and the largest epsilon, with which there are `count`; those of the leaves where excess of mass
    /// has too few. Smaller epsilons give more clusters, so that half of the distances at which clusters are born are
    /// left out at each look.
    func choose(
        _ count: Int, among chosen: [Bool], _ tree: CondensedTree, _ options: ClusterOptions, _ execution: Execution
    ) throws -> (chosen: [Bool], epsilon: Double) {
        var chosen = chosen
        if options.selection == .excessOfMass, count > size(chosen) {
            chosen = clusters.map { $0.isLeaf && $0.parent >= 0 }
        }
        // Just below each birth, so that what is born there is not merged; and one above all.
        var births = clusters.dropFirst().map { 1 / $0.birth }.sorted(by: >)
        births =
            births.isEmpty
            ? []
            : [births[0].nextUp]
                + births.indices.filter {
                    $0 == 0 || births[$0] < births[$0 - 1]
                }.map { births[$0].nextDown }
        var (low, high) = (0, births.count)
        while low < high {
            try execution.check()
            let middle = (low + high) / 2
            if size(merge(chosen, births[middle])) >= count { high = middle } else { low = middle + 1 }
        }
        if low < births.count {
            let merged = merge(chosen, births[low])
            if size(merged) == count { return (merged, births[low]) }
        } else if size(chosen) == count {
            return (chosen, 0)
        }
        let most = size(chosen)
        let least = births.first.map { size(merge(chosen, $0)) } ?? most
        throw CoveyError.invalidArgument(
            "options.clusters must be a number that the tree can be cut into, \(least) to \(most) and not all of "
                + "them, got \(count)"
        )
    }

    private func size(_ chosen: [Bool]) -> Int { chosen.reduce(0) { $0 + ($1 ? 1 : 0) } }
}
