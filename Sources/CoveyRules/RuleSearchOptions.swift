import CoveyRuntime

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
    public var holdout = 0.3
    /// Of the Wilson intervals, 0.5 to 0.9999.
    public var confidence = 0.95
    /// One a row, finite: the latest rows are held out. nil = a seeded random share of the target and of the rest.
    public var times: Strided<Double>?
    public var seed: UInt64 = 0
    /// What the sentences call the target.
    public var targetName = "target"

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
        try range("holdout", holdout, 0.05...0.95)
        try range("confidence", confidence, WilsonInterval.confidences)
        try require(!targetName.utf8.contains(0), "options.target_name must not contain a NUL")
    }
}
