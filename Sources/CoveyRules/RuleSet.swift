import CoveyNumerics
import CoveyRuntime
import CoveyTables

/// A conjunction of conditions, with what it matched. Figures are worked out from these counts, see `RuleSet.figures`.
public struct Rule: Sendable, Equatable {
    public let conditions: [Condition]
    /// On the rows that the search used.
    public let search: Counts
    /// On the rows that it never saw.
    public let unseen: Counts
    /// Written by hand, not found.
    public let isGiven: Bool
    /// Of chance on the unseen rows, corrected for the rules chosen; nil where not tested.
    public let pValue: Double?
    /// Of chance on the search's rows, corrected for everything tried; nil without permutations.
    public let searchPValue: Double?
    /// The share of resamples in which the rule came back; nil without resamples.
    public let stability: Double?
    /// What its author says the precision is; of a rule that was measured on no rows.
    public let statedPrecision: Double?
    /// What the rule means for fraud; of rules for known fraud.
    public internal(set) var meaning: FraudMeaning?

    public init(
        conditions: [Condition], search: Counts, unseen: Counts, isGiven: Bool = false, pValue: Double? = nil,
        searchPValue: Double? = nil, stability: Double? = nil, statedPrecision: Double? = nil
    ) {
        self.conditions = conditions
        self.search = search
        self.unseen = unseen
        self.isGiven = isGiven
        self.pValue = pValue
        self.searchPValue = searchPValue
        self.stability = stability
        self.statedPrecision = statedPrecision
    }
}

/// How good a rule is on some rows. Shares are of weights where rows have them.
public struct RuleFigures: Sendable, Equatable {
    public let matched: Int
    public let support: Int
    /// support / matched; 0 where nothing matches.
    public let precision: Double
    /// The Wilson interval of the precision. With weights its number of trials is the effective one of Kish (1965): the
    /// square of the sum of weights over the sum of their squares.
    public let interval: WilsonInterval
    /// support / rows of the target; 0 where there are none.
    public let recall: Double
    /// The Wilson interval of the recall, likewise.
    public let recallInterval: WilsonInterval
    /// precision / share of the target; 0 where that share is 0.
    public let lift: Double

    init(_ counts: Rule.Counts, of population: RuleSet.Population, z: Double) {
        matched = counts.matched
        support = counts.support
        func share(_ part: Double, _ whole: Double) -> Double { whole > 0 ? min(1, part / whole) : 0 }
        precision = share(counts.supportWeight, counts.matchedWeight)
        interval = WilsonInterval(share: precision, trials: effective(counts.matchedWeight, counts.squares), z: z)
        recall = share(counts.supportWeight, population.targetWeight)
        recallInterval = WilsonInterval(
            share: recall, trials: effective(population.targetWeight, population.targetSquares), z: z)
        // Weights may make the share of the target too small for a double.
        lift =
            precision > 0 ? min(.greatestFiniteMagnitude, precision / (population.targetWeight / population.weight)) : 0
    }
}

private func effective(_ weight: Double, _ squares: Double) -> Double { squares > 0 ? weight * weight / squares : 0 }

/// A small set of conjunctions that describes a target, best rule first. A value that knows its features by name and
/// kind, and evaluates on any table that has them (`RuleEvaluator`).
public struct RuleSet: Sendable, Equatable {
    /// What the sentences call the target.
    public let targetName: String
    /// Of the Wilson intervals, 0.5 to 0.9999.
    public let confidence: Double
    /// The features that the rules speak about.
    public private(set) var features: [RuleFeature]
    /// The columns that these features are made of.
    public private(set) var columns: [RuleFeature]
    public internal(set) var rules: [Rule]
    /// The rows that the search used, and those it never saw.
    public let search: Population
    public let unseen: Population
    /// Candidates that were tried, and chosen rules that failed on the unseen rows.
    public let tried: Int
    public let fallen: Int
    /// Why the search returned no rule; nil where it did, and for sets written by hand.
    public internal(set) var note: String?
    private let z: Double

    static let largestCount = 1 << 48
    static let largestRules = 65_536
    static let largestConditions = 64

    /// Throws `invalidData` where a rule names an unknown feature, a test makes no sense or counts do not fit together.
    /// Features that no rule uses are left out.
    public init(
        targetName: String, confidence: Double, features: [RuleFeature], rules: [Rule], search: Population,
        unseen: Population, tried: Int, fallen: Int, _ execution: Execution = Execution()
    ) throws {
        func check(_ condition: Bool, _ message: @autoclosure () -> String) throws {
            if !condition { throw CoveyError.invalidData(message()) }
        }
        try check(!targetName.utf8.contains(0), "target_name must not contain a NUL")
        try check(
            WilsonInterval.confidences.contains(confidence), "confidence must be 0.5 to 0.9999, got \(confidence)")
        for (name, population) in [("search", search), ("unseen", unseen)] {
            try check(
                population.target >= 0 && population.target <= population.rows
                    && population.rows <= RuleSet.largestCount,
                "\(name): target must be 0 to rows, and rows at most 2^48")
            try check(population.weighsRight, "\(name): the weights do not fit together")
        }
        try check(tried >= 0 && fallen >= 0, "tried and fallen must be at least 0, got \(tried) and \(fallen)")
        var kinds: [ExactName: FeatureColumn.Kind] = [:]
        for (index, feature) in features.enumerated() {
            try check(!feature.name.isEmpty, "features[\(index)].name must not be empty")
            try check(!feature.name.utf8.contains(0), "features[\(index)].name must not contain a NUL")
            try check(feature.kind != .date, "features[\(index)]: a date takes part in rules by its hour or as an age")
            try feature.derived?.validate()
            try check(
                kinds.updateValue(feature.kind, forKey: ExactName(feature.name)) == nil,
                "features[\(index)]: the name \(quoted: feature.name) occurs twice")
        }
        try check(rules.count <= RuleSet.largestRules, "there must be at most 65536 rules, got \(rules.count)")
        var used = Set<ExactName>()
        for (index, rule) in rules.enumerated() {
            if index & 0xFF == 0 { try execution.report() }
            try check(
                (1...RuleSet.largestConditions).contains(rule.conditions.count),
                "rules[\(index)] must have 1 to 64 conditions, got \(rule.conditions.count)")
            for (name, share) in [
                ("p_value", rule.pValue), ("search_p_value", rule.searchPValue), ("stability", rule.stability),
                ("stated_precision", rule.statedPrecision),
            ] {
                try check(share.map { (0...1).contains($0) } ?? true, "rules[\(index)].\(name) must be 0 to 1")
            }
            for (place, condition) in rule.conditions.enumerated() {
                let field = "rules[\(index)].conditions[\(place)]"
                guard let kind = kinds[ExactName(condition.feature)] else {
                    throw CoveyError.invalidData(
                        "\(field): the feature \(quoted: condition.feature) is not among the features")
                }
                do {
                    try condition.validate(kind: kind, execution)
                } catch let error as CoveyError where error.code == .invalidData {
                    throw CoveyError.invalidData("\(field): \(error.message)")
                }
                used.insert(ExactName(condition.feature))
            }
            for (name, counts, population) in [("search", rule.search, search), ("unseen", rule.unseen, unseen)] {
                try check(counts.fit(population), "rules[\(index)].\(name): the counts do not fit together")
            }
        }
        self.targetName = targetName
        self.confidence = confidence
        self.features = features.filter { used.contains(ExactName($0.name)) }
        columns = try RuleSet.columns(of: self.features)
        self.rules = rules
        self.search = search
        self.unseen = unseen
        self.tried = tried
        self.fallen = fallen
        z = WilsonInterval.quantile(confidence: confidence)
    }

    /// Each column that features are made of once, in their order. Throws where one would have to be of two kinds.
    private static func columns(of features: [RuleFeature]) throws -> [RuleFeature] {
        var kinds: [ExactName: FeatureColumn.Kind] = [:]
        return try features.flatMap(\.columns).filter { column in
            guard let known = kinds.updateValue(column.kind, forKey: ExactName(column.name)) else { return true }
            guard known == column.kind else {
                throw CoveyError.invalidData("the column \(quoted: column.name) must be \(known) and \(column.kind)")
            }
            return false
        }
    }

    /// The same rules on columns that hold what their features are.
    var plain: RuleSet {
        var result = self
        result.features = features.map { RuleFeature(name: $0.name, kind: $0.kind) }
        result.columns = result.features
        return result
    }

    /// The same rules, of which the features with these names are worked out of columns.
    func deriving(_ derived: [DerivedFeature]) throws -> RuleSet {
        let known = Dictionary(derived.map { (ExactName($0.name), $0) }, uniquingKeysWith: { first, _ in first })
        var result = self
        result.features = features.map { known[ExactName($0.name)].map { RuleFeature($0) } ?? $0 }
        result.columns = try RuleSet.columns(of: result.features)
        return result
    }

    /// Whether its rules were measured on rows at all.
    public var isMeasured: Bool { unseen.rows > 0 }

    /// The share of matching rows that are in the target: measured on rows that the search never saw, or what the
    /// rule's author stated; nil where nobody knows.
    public func precision(_ rule: Rule) -> Double? { isMeasured ? figures(rule).precision : rule.statedPrecision }

    /// A rule's figures on the rows that the search never saw.
    public func figures(_ rule: Rule) -> RuleFigures { RuleFigures(rule.unseen, of: unseen, z: z) }

    /// A rule's figures on the rows that the search used.
    public func searchFigures(_ rule: Rule) -> RuleFigures { RuleFigures(rule.search, of: search, z: z) }
}
