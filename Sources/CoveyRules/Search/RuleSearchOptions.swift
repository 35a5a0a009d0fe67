import CoveyNumerics
import CoveyRuntime
import CoveyTables

/// What a rule search looks for. See covey_rules_options in the header for ranges and defaults.
public struct RuleSearchOptions: Sendable {
    /// In one rule, 1 to 8.
    public var maxConditions = 3
    /// In the set, 1 to 1000.
    public var maxRules = 8
    /// Rows of the target that a rule must match among the rows of the search, at least 1.
    public var minSupport = 10
    /// The smallest precision, on the rows of the search and on those never seen.
    public var minPrecision = 0.5
    /// The smallest lift, likewise.
    public var minLift = 2.0
    /// Bins of a numeric feature, 2 to 254.
    public var maxBins = 64
    /// Conjunctions kept at each length, 1 to 10,000.
    public var beamWidth = 64
    /// Share of rows that the search never sees, 0.05 to 0.95.
    public var heldOut = 0.3
    /// Of the Wilson intervals, 0.5 to 0.9999.
    public var confidence = 0.95
    /// One a row, finite: the latest rows are held out. nil = a seeded random share of the target and of the rest.
    public var times: Strided<Double>?
    public var seed: UInt64 = 0
    /// What the sentences call the target.
    public var targetName = "target"
    /// One a row, 0 to 1e12: how many rows it stands for. nil = 1 each.
    public var weights: Strided<Double>?
    /// One a row, 0 to 1e15.
    public var amounts: Strided<Double>?
    public var quality = RuleQuality.likelihood
    /// Whether a longer rule must have a higher quality, if the quality is not the likelihood. The tests of
    /// significance and of permutations switch it off: with it, almost no rule is found in noise.
    var chargesLength = true
    /// Of `fBeta`, 0.01 to 100.
    public var beta = 1.0
    public var features: [FeaturePolicy] = []
    /// Conditions that every rule contains, at most `maxConditions`.
    public var pinned: [Condition] = []
    /// Rules written by hand, to be measured beside those found.
    public var given: RuleSet?
    /// What precision and recall may lose for shorter thresholds, as shares of themselves, 0 to 0.5.
    public var rounding = 0.0
    /// The largest p value of a rule that stands, 0 to 1; 0 = any.
    public var significance = 0.05
    /// Searches on permuted targets, 0 to 10,000.
    public var permutations = 0
    /// Searches on halves of the rows, 0 to 1,000.
    public var resamples = 0
    /// The smallest stability of a rule that stands, 0 to 1.
    public var minStability = 0.0

    public init() {}

    func validate() throws {
        func range(_ name: String, _ value: Int, _ limits: ClosedRange<Int>) throws {
            try require(
                limits.contains(value),
                "options.\(name) must be \(limits.lowerBound) to \(limits.upperBound), got \(value)")
        }
        func range(_ name: String, _ value: Double, _ limits: ClosedRange<Double>) throws {
            try require(
                limits.contains(value),
                "options.\(name) must be \(limits.lowerBound) to \(limits.upperBound), got \(value)")
        }
        try range("max_conditions", maxConditions, 1...8)
        try range("max_rules", maxRules, 1...1000)
        try require(minSupport >= 1, "options.min_support must be at least 1, got \(minSupport)")
        try range("min_precision", minPrecision, 0...1)
        try require(minLift.isFinite && minLift >= 0, "options.min_lift must be finite and at least 0, got \(minLift)")
        try range("max_bins", maxBins, 2...254)
        try range("beam_width", beamWidth, 1...10_000)
        try range("held_out", heldOut, 0.05...0.95)
        try range("confidence", confidence, WilsonInterval.confidences)
        try range("beta", beta, 0.01...100)
        try require(
            quality != .amount || amounts != nil, "options.quality COVEY_QUALITY_AMOUNT needs options.amounts")
        try require(
            pinned.count <= maxConditions,
            "options.pinned_count must be 0 to max_conditions (\(maxConditions)), got \(pinned.count)")
        try range("rounding", rounding, 0...0.5)
        try range("significance", significance, 0...1)
        try range("permutations", permutations, 0...10_000)
        try range("resamples", resamples, 0...1000)
        try range("min_stability", minStability, 0...1)
        try require(minStability == 0 || resamples > 0, "options.min_stability above 0 needs options.resamples")
        try require(!targetName.utf8.contains(0), "options.target_name must not contain a NUL")
    }
}
