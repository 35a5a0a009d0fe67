import CoveyNeighbors
import CoveyRuntime

/// How rows are clustered; the fields are those of `covey_cluster_options`.
public struct ClusterOptions: Sendable, Equatable {
    /// What becomes of rows with a NaN or an infinity. Raw values are those of `COVEY_MISSING_ROWS_...`.
    public enum MissingRows: Int32, Sendable, CaseIterable {
        /// They are an error.
        case reject = 0
        /// They are noise, and the others are clustered without them.
        case noise = 1
    }

    /// What strengths, persistence and outlier scores are measured against. Raw values are those of
    /// `COVEY_STRENGTHS_...`.
    public enum Strengths: Int32, Sendable, CaseIterable {
        /// The largest lambda, as in hdbscan: beside `minClusterSize` equal rows it is infinite, and every strength is
        /// 0 or 1.
        case hdbscan = 0
        /// The largest finite lambda. The same numbers if no lambda is infinite.
        case bounded = 1
    }

    /// The fewest rows of a cluster, at least 2.
    public var minClusterSize = 5
    /// The neighbour that gives the core distance, the row itself not counted; 0 = `minClusterSize`. Where there are
    /// too few rows, the last neighbour.
    public var minSamples = 0
    /// Larger clusters are not chosen; 0 = no limit. Excess of mass then takes those below, leaves become noise. The
    /// root, where it may be a cluster, counts only the rows of the clusters born from it, as in hdbscan.
    public var maxClusterSize = 0
    /// Clusters born below this distance are merged (Malzer & Baum 2020).
    public var clusterSelectionEpsilon = 0.0
    /// Excess of mass passes over clusters born above this distance; 0 = no limit.
    public var clusterSelectionEpsilonMax = 0.0
    /// Leaves of the condensed tree that live for less than this (in lambda) are dissolved before clusters are chosen.
    public var clusterSelectionPersistence = 0.0
    /// The wanted number of clusters: the largest epsilon that gives this number is used; 0 = no number is wanted.
    public var clusterCount = 0
    /// The nodes of the condensed tree that are the clusters, the root 0; nil = as `selection` chooses.
    public var chosenNodes: [Int32]?
    /// A row that leaves its cluster where that is born is noise, as hdbscan's match_reference_implementation has it.
    public var matchReference = false
    public var strengths = Strengths.hdbscan
    /// Distances are divided by it in mutual reachability.
    public var alpha = 1.0
    public var metric = Metric.euclidean
    public var selection = ClusterSelection.Method.excessOfMass
    /// The root may be the only cluster.
    public var allowSingleCluster = false
    public var search = SearchMode.exact
    /// The index of FAISS that finds the neighbours of the approximate search; nil = the own search.
    public var index: NamedSearch?
    /// The approximate search compares fewer pairs to join large parts of the tree, which then join a little later.
    /// Files do not keep it: it only matters while the tree is made.
    public var isQuick = false
    public var missing = MissingRows.reject
    /// Keeps a copy of the rows, to place new ones.
    public var prediction = false
    /// Of the approximate search.
    public var seed: UInt64 = 0

    public init() {}

    /// Throws `invalidArgument`, with the field and its value.
    public func validate() throws {
        try require(minClusterSize >= 2, "options.min_cluster_size must be at least 2, got \(minClusterSize)")
        try require(minSamples >= 0, "options.min_samples must be at least 0, got \(minSamples)")
        try require(maxClusterSize >= 0, "options.max_cluster_size must be at least 0, got \(maxClusterSize)")
        try require(
            clusterSelectionEpsilon.isFinite && clusterSelectionEpsilon >= 0,
            "options.cluster_selection_epsilon must be finite and at least 0, got \(clusterSelectionEpsilon)")
        try require(
            clusterSelectionEpsilonMax >= 0,
            "options.cluster_selection_epsilon_max must be at least 0, got \(clusterSelectionEpsilonMax)")
        try require(
            clusterSelectionPersistence.isFinite && clusterSelectionPersistence >= 0,
            "options.cluster_selection_persistence must be finite and at least 0, got \(clusterSelectionPersistence)")
        try require(clusterCount >= 0, "options.clusters must be at least 0, got \(clusterCount)")
        try require(
            clusterCount == 0 || chosenNodes == nil,
            "options.clusters must be 0 if the nodes are given, got \(clusterCount)"
        )
        try require(alpha.isFinite && alpha > 0, "options.alpha must be finite and above 0, got \(alpha)")
        try require(
            search == .exact || metric == .euclidean,
            "options.search must be COVEY_SEARCH_EXACT unless the metric is euclidean")
        if let index {
            try require(search == .approximate, "options.search must be COVEY_SEARCH_APPROXIMATE if an index is named")
            try NamedIndex.validate(index.index, index.parameters)
        }
    }

    /// The neighbour of the core distance for this many rows.
    func resolvedMinSamples(rows: Int) -> Int {
        max(1, min(minSamples == 0 ? minClusterSize : minSamples, rows - 1))
    }
}
