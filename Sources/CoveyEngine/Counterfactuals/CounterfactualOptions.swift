import CoveyRuntime
import CoveyTables

/// What may be changed, at what cost, and what for. The names are those of `covey_counterfactual_options`.
public struct CounterfactualOptions: Sendable {
    /// What holds of one feature.
    public struct Limit: Sendable {
        public var name: String
        /// Of one unit of a number, or of any other change.
        public var cost = 1.0
        /// The least and the largest new number; nil = those of the rows that the engine keeps.
        public var low: Double?
        public var high: Double?
        /// The only new categories; nil = those that the engine knows.
        public var categories: [String]?
        public var isImmutable = false

        public init(name: String) {
            self.name = name
        }
    }

    /// What an answer must reach, all of it. Raw values are those of `COVEY_GOAL_...`.
    public struct Goal: OptionSet, Sendable {
        public let rawValue: Int32

        public init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        /// The score's verdict is not risky.
        public static let notRisky = Goal(rawValue: 1)
        /// Another cluster or none, and not one that is risky.
        public static let leaveCluster = Goal(rawValue: 2)
        /// The risk is below `riskBelow`.
        public static let riskBelow = Goal(rawValue: 4)
        static let all: Goal = [.notRisky, .leaveCluster, .riskBelow]
    }

    public var limits: [Limit] = []
    /// Features without a limit are immutable.
    public var isElseImmutable = false
    /// Empty = `notRisky` for a transaction that is risky, otherwise `riskBelow` the base rate.
    public var goal: Goal = []
    public var riskBelow = 0.0
    public var answers = 3
    /// Features and events that an answer changes at most; 0 = any number.
    public var largestChanges = 0
    /// Events that an answer removes at most.
    public var largestRemoved = 0
    /// Of one removed event.
    public var eventCost = 1.0
    /// Alternatives that are scored at most.
    public var largestEvaluations = 10_000

    public init() {}

    static let answersRange = 1...100
    static let evaluationsRange = 100...1_000_000

    /// Throws `invalidArgument`, with the field and the value, for numbers out of range.
    func validate() throws {
        try require(
            goal.isSubset(of: .all), "options.goal must be a sum of COVEY_GOAL_ values, got \(goal.rawValue)")
        if goal.contains(.riskBelow) {
            try require(
                riskBelow > 0 && riskBelow <= 1, "options.risk_below must be above 0 and at most 1, got \(riskBelow)")
        } else {
            try require(
                riskBelow == 0, "options.risk_below must be 0 without COVEY_GOAL_RISK_BELOW, got \(riskBelow)")
        }
        try require(
            Self.answersRange.contains(answers), "options.answers must be 1 to 100, got \(answers)")
        try require(largestChanges >= 0, "options.max_changes must be at least 0, got \(largestChanges)")
        try require(largestRemoved >= 0, "options.max_removed must be at least 0, got \(largestRemoved)")
        try require(
            eventCost > 0 && eventCost.isFinite, "options.event_cost must be finite and above 0, got \(eventCost)")
        try require(
            Self.evaluationsRange.contains(largestEvaluations),
            "options.max_evaluations must be 100 to 1000000, got \(largestEvaluations)")
        var names = Set<ExactName>()
        for (index, limit) in limits.enumerated() {
            try limit.validate("options.limits[\(index)]")
            try require(
                names.insert(ExactName(limit.name)).inserted,
                "options.limits[\(index)]: the feature \(PlainText.name(limit.name)) occurs twice")
        }
    }
}

extension CounterfactualOptions.Limit {
    fileprivate func validate(_ field: String) throws {
        let field = "\(field) (\(PlainText.name(name)))"
        try require(cost > 0 && cost.isFinite, "\(field): cost must be finite and above 0, got \(cost)")
        if let low { try require(low.isFinite, "\(field): low must be finite, got \(low)") }
        if let high { try require(high.isFinite, "\(field): high must be finite, got \(high)") }
        if let low, let high {
            try require(low <= high, "\(field): low must be at most high, got \(low) and \(high)")
        }
        if let categories {
            var seen = Set<ExactName>()
            for category in categories {
                try require(
                    seen.insert(ExactName(category)).inserted,
                    "\(field): the category \(PlainText.name(category)) occurs twice")
            }
        }
    }

    /// Throws `invalidArgument` if the limit does not suit a feature of this kind.
    func check(_ kind: FeatureColumn.Kind) throws {
        let feature = PlainText.name(name)
        try require(
            kind != .date || isImmutable, "the limit of \(feature): a date is never changed, it can only be immutable")
        try require(
            !isImmutable || low == nil && high == nil && categories == nil,
            "the limit of \(feature): it is immutable, so it takes no low, high or categories")
        try require(
            kind == .numeric || low == nil && high == nil,
            "the limit of \(feature): low and high are for numbers, the feature is \(kind)")
        try require(
            kind == .categorical || categories == nil,
            "the limit of \(feature): categories are for a categorical feature, the feature is \(kind)")
    }
}
