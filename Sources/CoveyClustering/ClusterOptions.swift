import CoveyNeighbors
import CoveyRuntime

/// How rows are clustered; the fields are those of `covey_cluster_options`.
public struct ClusterOptions: Sendable, Equatable, Codable {
    /// What becomes of rows with a NaN or an infinity. Raw values are those of `COVEY_MISSING_ROWS_...`.
    public enum MissingRows: Int32, Sendable, CaseIterable, Codable {
        /// They are an error.
        case reject = 0
        /// They are noise, and the others are clustered without them.
        case noise = 1
    }

    /// The fewest rows of a cluster, at least 2.
    public var minClusterSize = 5
    /// The neighbour that gives the core distance, the row itself not counted; 0 = the smaller of `minClusterSize` and
    /// rows - 1.
    public var minSamples = 0
    /// Excess of mass passes over larger clusters; 0 = no limit. The root, where it may be a cluster, counts only the rows of
    /// the clusters born from it, as in hdbscan.
    public var maxClusterSize = 0
    /// Clusters born below this distance are merged (Malzer & Baum 2020).
    public var clusterSelectionEpsilon = 0.0
    /// Distances are divided by it in mutual reachability.
    public var alpha = 1.0
    public var metric = Metric.euclidean
    public var selection = ClusterSelection.Method.excessOfMass
    /// The root may be the only cluster.
    public var allowSingleCluster = false
    public var search = SearchMode.exact
    public var missing = MissingRows.reject
    /// Keeps a copy of the rows, to place new ones.
    public var prediction = false
    /// Of the approximate search.
    public var seed: UInt64 = 0

    public init() {}

    /// Throws `invalidArgument`, with the field and its value.
    public func validate() throws {
        try require(minClusterSize >= 2, "min_cluster_size must be at least 2, got \(minClusterSize)")
        try require(minSamples >= 0, "min_samples must be at least 0, got \(minSamples)")
        try require(maxClusterSize >= 0, "max_cluster_size must be at least 0, got \(maxClusterSize)")
        try require(
            clusterSelectionEpsilon.isFinite && clusterSelectionEpsilon >= 0,
            "cluster_selection_epsilon must be finite and at least 0, got \(clusterSelectionEpsilon)")
        try require(alpha.isFinite && alpha > 0, "alpha must be finite and above 0, got \(alpha)")
        try require(
            search == .exact || metric == .euclidean,
            "search must be COVEY_SEARCH_EXACT unless the metric is euclidean")
    }

    /// The neighbour of the core distance for this many rows; at least 1.
    func resolvedMinSamples(rows: Int) throws -> Int {
        guard rows >= 2 else { return max(1, minSamples) }
        if minSamples == 0 { return min(minClusterSize, rows - 1) }
        try require(
            minSamples < rows, "min_samples must be below the number of rows, got \(minSamples) with \(rows) rows")
        return minSamples
    }
}
