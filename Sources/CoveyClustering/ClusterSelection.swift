import CoveyRuntime

/// Which nodes of the condensed tree are the clusters of the result.
public struct ClusterSelection: Sendable {
    /// How clusters are chosen. Raw values are those of `COVEY_SELECTION_...`.
    public enum Method: Int32, Sendable, CaseIterable {
        /// The set of disjoint nodes with the largest total stability (Campello, Moulavi, Sander 2013, section 5).
        case excessOfMass = 0
        /// The leaves of the tree: many small, homogeneous clusters.
        case leaf = 1
    }

    /// Indices in `CondensedTree.clusters`, ascending: cluster i of the result is node `nodes[i]`.
    public let nodes: [Int32]
    /// One a cluster: the lambda that a row of it must reach.
    let entries: [Double]
    /// For every node of the tree: its stability, or, where excess of mass prefers the nodes below it, the sum of
    /// theirs.
    let stabilities: Stabilities
    /// The epsilon that gave the number of clusters asked for; `ClusterOptions.clusterSelectionEpsilon` otherwise.
    public let epsilon: Double

    /// O(clusters of the tree) after one pass over the tree's edges; a given number of clusters takes as long some
    /// dozen times. Throws `invalidArgument` for a number of clusters that no epsilon gives, and for nodes that the
    /// tree does not have or that lie in each other.
    public init(_ tree: CondensedTree, _ options: ClusterOptions, execution: Execution) throws {
        var stabilities = try Stabilities(tree, options.strengths, execution: execution)
        var epsilon = options.clusterSelectionEpsilon
        var chosen = [Bool](repeating: false, count: tree.clusters.count)
        if let given = options.chosenNodes {
            chosen = try ClusterSelection.checked(given, tree)
        } else if tree.totalSize >= options.minClusterSize {
            switch options.selection {
            case .excessOfMass: chosen = stabilities.excessOfMass(tree, options)
            case .leaf: chosen = ClusterSelection.leaves(tree, options)
            }
            let merging = MergedClusters(tree, allowSingleCluster: options.allowSingleCluster)
            if options.clusterCount > 0 {
                (chosen, epsilon) = try merging.choose(options.clusterCount, among: chosen, tree, options, execution)
            } else if epsilon > 0 {
                chosen = merging.merge(chosen, epsilon)
            }
        }
        try require(
            options.clusterCount == 0 || tree.totalSize >= options.minClusterSize,
            "options.clusters must be a number that the tree can be cut into, 0 with fewer rows than "
                + "min_cluster_size, got \(options.clusterCount)")
        var nodes = chosen.indices.filter { chosen[$0] }.map { Int32($0) }
        if nodes.first == 0, options.chosenNodes == nil {
            // A root beside other clusters has no rows, as in hdbscan, nor has one whose rows all are beyond epsilon.
            let least = epsilon > 0 ? 1 / epsilon : tree.clusters[0].death
            if nodes.count > 1 || !tree.rowLambdas.contains(where: { $0 >= least }) {
                nodes.removeFirst()
                entries = nodes.map { ClusterSelection.entry(tree, $0, options) }
            } else {
                entries = [least]
            }
        } else {
            entries = nodes.map { ClusterSelection.entry(tree, $0, options) }
        }
        self.nodes = nodes
        self.stabilities = stabilities
        self.epsilon = epsilon
    }

    /// The lambda that a row of a node must reach: any, or, as in the reference implementation, one above the node's
    /// birth.
    private static func entry(_ tree: CondensedTree, _ node: Int32, _ options: ClusterOptions) -> Double {
        options.matchReference && options.chosenNodes == nil ? tree.clusters[Int(node)].birth.nextUp : 0
    }

    /// A root without clusters below it is no leaf, even where it may be the only cluster: as in hdbscan.
    private static func leaves(_ tree: CondensedTree, _ options: ClusterOptions) -> [Bool] {
        tree.clusters.map {
            $0.isLeaf && $0.parent >= 0 && (options.maxClusterSize == 0 || Int($0.size) <= options.maxClusterSize)
        }
    }

    /// The marks of nodes that the caller chose.
    private static func checked(_ nodes: [Int32], _ tree: CondensedTree) throws -> [Bool] {
        var chosen = [Bool](repeating: false, count: tree.clusters.count)
        for node in nodes {
            try require(
                tree.clusters.indices.contains(Int(node)),
                "nodes must be those of the condensed tree, which has \(tree.clusters.count), got the one after "
                    + "\(node) others"
            )
            try require(!chosen[Int(node)], "nodes must differ, got the one after \(node) others twice")
            chosen[Int(node)] = true
        }
        var covered = chosen
        for node in tree.clusters.indices.dropFirst() where covered[Int(tree.clusters[node].parent)] {
            try require(
                !chosen[node], "nodes must not lie in each other, got the one after \(node) others, and one above it")
            covered[node] = true
        }
        return chosen
    }
}
