import CoveyEncoder
import CoveyHybrid
import CoveyNeighbors
import CoveyRisk
import CoveyRuntime

/// How the road is gone from end to end; the fields are those of `covey_find_options`. What is nil is chosen on the
/// data.
public struct FindOptions: Sendable {
    public var seed: UInt64 = 0
    /// The share of all fraud that is known, above 0, at most 1.
    public var knownShare: Double?
    /// What shares are counted over.
    public var population = KnownLabels.Population.automatic
    public var groups = RiskyGroups.Options()
    /// Trees of each of the two forests; 0 = without them.
    public var trees = 200
    /// Of numeric features.
    public var scaling = FeatureScaling.robust
    public var embeddingWeight = 1.0
    public var featureWeight = 1.0
    /// Of the clusters that labels name.
    public var minClusterSize = 5
    public var search: SearchMode?
    /// Rules for fraud, at most; 0 = none.
    public var maxRules = 8
    /// Of the encoder, where one is trained.
    public var training = TrainingOptions()

    public init() {}

    func validate() throws {
        try groups.validate()
        try require(
            knownShare.map { $0 > 0 && $0 <= 1 } ?? true,
            "options.known_share must be above 0 and at most 1, or 0 to be estimated, got \(knownShare ?? 0)")
        try require((0...10_000).contains(trees), "options.trees must be 0 to 10000, got \(trees)")
        try require((0...1000).contains(maxRules), "options.max_rules must be 0 to 1000, got \(maxRules)")
        try require(minClusterSize >= 2, "options.min_cluster_size must be at least 2, got \(minClusterSize)")
        for (name, weight) in [("embedding_weight", embeddingWeight), ("feature_weight", featureWeight)] {
            try require(
                weight > 0 && weight.isFinite, "options.\(name) must be finite and above 0, got \(weight)")
        }
    }
}
