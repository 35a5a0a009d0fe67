import CoveyRuntime

/// Which nodes of the condensed tree are the clusters of the result.
public struct ClusterSelection: Sendable {
    /// How clusters are chosen. Raw values are those of `COVEY_SELECTION_...`.
    public enum Method: Int32, Sendable, CaseIterable, Codable {
        /// The set of disjoint nodes with the largest total stability (Campello, Moulavi, Sander 2013, section 5).
        case excessOfMass = 0
        /// The leaves of the tree: many small, homogeneous clusters.
        case leaf = 1
    }

    /// Indices in `CondensedTree.clusters`, ascending: cluster i of the result is node `nodes[i]`.
    public let nodes: [Int32]
    /// For every node of the tree: its stability, or, where excess of mass prefers the nodes below it, the sum of theirs.
    public let stabilities: [Double]

    /// O(clusters of the tree) after one pass over the tree's edges.
    public init(_ tree: CondensedTree, _ options: ClusterOptions, execution: Execution) throws {
        var stabilities = try ClusterSelection.stabilities(of: tree, execution: execution)
        guard tree.pointCount >= options.minClusterSize else {
            nodes = []
            self.stabilities = stabilities
            return
        }
        var chosen: [Bool]
        switch options.selection {
        case .excessOfMass:
            chosen = ClusterSelection.excessOfMass(tree, options, &stabilities)
        case .leaf:
            // A root without clusters below it is no leaf, even where it may be the only cluster: as in hdbscan.
            chosen = tree.clusters.map { $0.isLeaf && $0.parent >= 0 }
        }
        if options.clusterSelectionEpsilon > 0, tree.clusters.count > 1, !chosen[0] {
            chosen = ClusterSelection.merged(chosen, tree, options)
        }
        nodes = chosen.indices.filter { chosen[$0] }.map { Int32($0) }
        self.stabilities = stabilities
    }

    /// The stability of each node: the sum over its edges of (lambda - birth) * size.
    static func stabilities(of tree: CondensedTree, execution: Execution) throws -> [Double] {
        var result = [Double](repeating: 0, count: tree.clusters.count)
        for edge in tree.parents.indices {
            if edge & 0xFFFFF == 0 { try execution.report() }
            let node = Int(tree.parents[edge]) - tree.pointCount
            // A birth is finite, so that infinite lambdas give infinity and never NaN.
            result[node] += (tree.lambdas[edge] - tree.clusters[node].birth) * Double(tree.sizes[edge])
        }
        return result
    }

    /// From the leaves up, a node is chosen unless those chosen below it are more stable together or it is too large.
    private static func excessOfMass(
        _ tree: CondensedTree, _ options: ClusterOptions, _ stabilities: inout [Double]
    ) -> [Bool] {
        let clusters = tree.clusters
        var chosen = [Bool](repeating: false, count: clusters.count)
        let last = options.allowSingleCluster ? 0 : 1
        for node in stride(from: clusters.count - 1, through: last, by: -1) {
            let below = clusters[node].children
            // In single precision, as hdbscan does: near ties then fall to the same side.
            let sum = below.reduce(Float(0)) { Float(Double($0) + stabilities[$1]) }
            // hdbscan takes the root to be as large as the clusters born from it.
            let size = node > 0 ? Int(clusters[node].size) : below.reduce(0) { $0 + Int(clusters[$1].size) }
            let tooLarge = options.maxClusterSize > 0 && size > options.maxClusterSize
            if Double(sum) > stabilities[node] || tooLarge {
                stabilities[node] = Double(sum)
            } else {
                chosen[node] = true
            }
        }
        // Only the uppermost of those chosen stay; parents come before their children.
        var covered = [Bool](repeating: false, count: clusters.count)
        for node in clusters.indices.dropFirst() {
            let parent = Int(clusters[node].parent)
            covered[node] = covered[parent] || chosen[parent]
            if covered[node] { chosen[node] = false }
        }
        return chosen
    }

    /// Replaces each chosen cluster that is born below the epsilon by its nearest ancestor born above it, or, where there is
    /// none, by the ancestor next to the root: the root itself only where it may be a cluster (Malzer & Baum 2020).
    private static func merged(_ chosen: [Bool], _ tree: CondensedTree, _ options: ClusterOptions) -> [Bool] {
        let clusters = tree.clusters
        let epsilon = options.clusterSelectionEpsilon
        var target = [Int](repeating: 0, count: clusters.count)
        var result = [Bool](repeating: false, count: clusters.count)
        for node in clusters.indices.dropFirst() {
            let parent = Int(clusters[node].parent)
            if parent == 0 {
                target[node] = options.allowSingleCluster ? 0 : node
            } else {
                target[node] = 1 / clusters[parent].birth > epsilon ? parent : target[parent]
            }
            if chosen[node] {
                result[1 / clusters[node].birth < epsilon ? target[node] : node] = true
            }
        }
        return result
    }
}
