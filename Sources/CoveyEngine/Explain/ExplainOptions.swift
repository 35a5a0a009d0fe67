import CoveyRuntime

/// What is explained and how. The fields are those of `covey_explain_options`.
public struct ExplainOptions: Sendable {
    /// The number that is explained. Raw values are those of `COVEY_EXPLAINED_...`.
    public enum Explained: Int32, Sendable, CaseIterable {
        /// The distance to the exemplar of the cluster that is nearest to the transaction.
        case exemplar = 0
        /// The distance to the mean of the cluster's rows.
        case centre = 1
        /// The membership in the cluster, 0 to 1.
        case membership = 2
        /// The engine's risk.
        case risk = 3
        /// How much the transaction is like the cluster's rows rather than the others: see `ClusterContrast`.
        case contrast = 4

        var hasGradient: Bool { self != .membership && self != .risk }
    }

    /// How events get their share. Raw values are those of `COVEY_ATTRIBUTION_...`.
    public enum Method: Int32, Sendable, CaseIterable {
        case automatic = -1
        case occlusion = 0
        case shapley = 1
        case gradients = 2
    }

    public var explained = Explained.contrast
    public var method = Method.automatic
    /// -1 = the cluster that the transaction behaves like; where it behaves like none, that of the nearest exemplar.
    public var cluster = -1
    /// A sequence with more events is divided into this number of runs of events.
    public var largestParts = 256
    /// Of Shapley values; even.
    public var permutations = 32
    /// Points on the path of gradients: they are doubled up to this number until the sum is complete.
    public var largestSteps = 256
    public var seed: UInt64 = 0
    public var explainsFeatures = true
    public var measuresFaithfulness = true
    public var measuresSensitivity = false

    public init() {}

    static let parts = 1...4096
    static let allPermutations = 4...65_536
    static let steps = 4...4096

    /// Throws `invalidArgument`, with the field and its value.
    func validate(clusters: Int) throws {
        try require(
            cluster >= -1 && cluster < max(1, clusters), "options.cluster must be -1 to \(clusters - 1), got \(cluster)"
        )
        try require(
            explained != .risk || cluster == -1,
            "options.cluster must be -1 if the risk is explained, which is not that of one cluster, got \(cluster)")
        try require(
            ExplainOptions.parts.contains(largestParts), "options.largest_parts must be 1 to 4096, got \(largestParts)")
        try require(
            ExplainOptions.allPermutations.contains(permutations) && permutations % 2 == 0,
            "options.permutations must be even, 4 to 65536, got \(permutations)")
        try require(
            ExplainOptions.steps.contains(largestSteps), "options.largest_steps must be 4 to 4096, got \(largestSteps)")
        try require(
            method != .gradients || explained.hasGradient,
            "options.method must not be GRADIENTS if a membership or a risk is explained: they have no gradient")
    }
}
