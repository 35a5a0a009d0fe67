import CoveyRuntime
import CoveyTables

/// What of a feature is riskier. Raw values are those of COVEY_DIRECTION_.
public enum Direction: Int32, Sendable {
    case any = 0
    case more = 1
    case less = -1
}

/// What an expert says of a feature. See covey_rule_feature in the header.
public struct FeaturePolicy: Sendable {
    /// Raw values are those of COVEY_FEATURE_.
    public enum Use: Int32, Sendable {
        case free = 0
        case allowed = 1
        case forbidden = 2
        case sensitive = 3
    }

    public let feature: String
    public let use: Use
    public let direction: Direction

    public init(feature: String, use: Use = .free, direction: Direction = .any) {
        self.feature = feature
        self.use = use
        self.direction = direction
    }
}

/// The policies of a table's columns, checked against it and against the conditions that are pinned.
struct FeaturePolicies: Sendable {
    /// The columns that the search may use.
    let searched: [Int]
    /// One for each of these.
    let directions: [Direction]
    private let sensitive: Set<ExactName>

    init(_ table: FeatureTable, _ options: RuleSearchOptions, _ execution: Execution) throws {
        let places = Dictionary(
            zip(table.columns.map { ExactName($0.name) }, table.columns.indices),
            uniquingKeysWith: { first, _ in first })
        var uses = [FeaturePolicy.Use?](repeating: nil, count: table.columns.count)
        var directions = [Direction](repeating: .any, count: table.columns.count)
        for (index, policy) in options.features.enumerated() {
            let field = "options.features[\(index)]"
            guard let place = places[ExactName(policy.feature)] else {
                throw CoveyError.mismatch("\(field) names \(quoted: policy.feature), which is no column of the table")
            }
            try require(uses[place] == nil, "\(field) names \(quoted: policy.feature) again")
            try require(
                policy.direction == .any || table.columns[place].values.kind != .categorical,
                "\(field): the categorical column \(quoted: policy.feature) cannot have a direction")
            uses[place] = policy.use
            directions[place] = policy.direction
        }
        sensitive = Set(
            zip(table.columns, uses).filter { $1 == .sensitive }.map { column, _ in ExactName(column.name) })
        let listed = uses.contains(.allowed)
        let usable = uses.map { $0 == .allowed || !listed && ($0 ?? .free) == .free }
        var pinned = Set<Int>()
        for (index, condition) in options.pinned.enumerated() {
            let field = "options.pinned[\(index)]"
            guard let place = places[ExactName(condition.feature)] else {
                throw CoveyError.mismatch(
                    "\(field) names \(quoted: condition.feature), which is no column of the table")
            }
            try require(usable[place], "\(field) is on \(quoted: condition.feature), which rules may not use")
            try require(pinned.insert(place).inserted, "\(field) is on \(quoted: condition.feature) again")
            do {
                try condition.validate(kind: table.columns[place].values.kind, execution)
            } catch let error as CoveyError where error.code == .invalidData {
                throw CoveyError.invalidArgument("\(field): \(error.message)")
            }
            try require(
                directions[place].admits(condition.test),
                "\(field) is against the direction of \(quoted: condition.feature)")
        }
        searched = table.columns.indices.filter { usable[$0] && !pinned.contains($0) }
        self.directions = searched.map { directions[$0] }
    }

    /// Throws where a rule that was given names a sensitive feature.
    func check(_ given: RuleSet) throws {
        for (index, rule) in given.rules.enumerated() {
            for condition in rule.conditions where sensitive.contains(ExactName(condition.feature)) {
                throw CoveyError.invalidArgument(
                    "options.given: rule \(index) names \(quoted: condition.feature), which is sensitive")
            }
        }
    }
}

extension Direction {
    fileprivate func admits(_ test: Condition.Test) -> Bool {
        switch (self, test) {
        case (.any, _): true
        case (.more, .interval(_, let high)): high == .infinity
        case (.less, .interval(let low, _)): low == -.infinity
        case (.more, .isFalse), (.less, .isTrue): false
        default: true
        }
    }
}
