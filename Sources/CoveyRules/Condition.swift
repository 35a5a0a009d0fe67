import CoveyRuntime
import CoveyTables

/// A feature that rules speak about: a column's name and kind, or a number that is worked out of columns.
public struct RuleFeature: Sendable, Equatable {
    public let name: String
    public let kind: FeatureColumn.Kind
    /// nil for a column.
    public let derived: DerivedFeature?

    public init(name: String, kind: FeatureColumn.Kind) {
        self.name = name
        self.kind = kind
        derived = nil
    }

    public init(_ derived: DerivedFeature) {
        name = derived.name
        kind = .numeric
        self.derived = derived
    }

    /// The columns that it needs.
    public var columns: [RuleFeature] { derived?.columns ?? [self] }

    public static func == (left: RuleFeature, right: RuleFeature) -> Bool {
        ExactName(left.name) == ExactName(right.name) && left.kind == right.kind && left.derived == right.derived
    }
}

/// One condition of a rule. Names of features and categories are told apart by their bytes.
public struct Condition: Sendable, Equatable {
    public enum Test: Sendable {
        /// low <= x < high; either end may be infinite, not both. Missing does not match.
        case interval(low: Double, high: Double)
        /// One of these categories.
        case isIn([String])
        /// Known, and none of these categories.
        case isNotIn([String])
        case isTrue
        case isFalse
        case isMissing
        case isPresent
    }

    public let feature: String
    public let test: Test

    public init(feature: String, test: Test) {
        self.feature = feature
        self.test = test
    }

    public static func == (left: Condition, right: Condition) -> Bool {
        ExactName(left.feature) == ExactName(right.feature) && left.test == right.test
    }

    /// Throws where the test does not suit a feature of this kind or makes no sense.
    func validate(kind: FeatureColumn.Kind, _ execution: Execution) throws {
        func suits(_ wanted: FeatureColumn.Kind) throws {
            guard kind == wanted else {
                throw CoveyError.invalidData(
                    "the feature \(quoted: feature) is \(kind), the condition is for \(wanted)")
            }
        }
        switch test {
        case .interval(let low, let high):
            try suits(.numeric)
            guard low < high, low < .infinity, high > -.infinity else {
                throw CoveyError.invalidData("low must be below high, got \(low) and \(high)")
            }
            guard low > -.infinity || high < .infinity else {
                throw CoveyError.invalidData("an interval needs low or high")
            }
        case .isIn(let names), .isNotIn(let names):
            try suits(.categorical)
            guard !names.isEmpty else { throw CoveyError.invalidData("categories must not be empty") }
            try execution.reserve(
                HashTableSize.bytes(names.count, of: MemoryLayout<ExactName>.stride), for: "categories of a rule")
            var seen = Set<ExactName>(minimumCapacity: names.count)
            for name in names {
                guard !name.utf8.contains(0) else {
                    throw CoveyError.invalidData("categories must not contain a NUL")
                }
                guard seen.insert(ExactName(name)).inserted else {
                    throw CoveyError.invalidData("the category \(quoted: name) occurs twice")
                }
            }
        case .isTrue, .isFalse: try suits(.boolean)
        case .isMissing, .isPresent: break
        }
    }
}

extension Condition.Test: Hashable {
    public static func == (left: Condition.Test, right: Condition.Test) -> Bool {
        func same(_ a: [String], _ b: [String]) -> Bool {
            a.count == b.count && zip(a, b).allSatisfy { ExactName($0) == ExactName($1) }
        }
        switch (left, right) {
        case (.interval(let low, let high), .interval(let otherLow, let otherHigh)):
            return low == otherLow && high == otherHigh
        case (.isIn(let a), .isIn(let b)), (.isNotIn(let a), .isNotIn(let b)): return same(a, b)
        case (.isTrue, .isTrue), (.isFalse, .isFalse), (.isMissing, .isMissing), (.isPresent, .isPresent): return true
        default: return false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .interval(let low, let high):
            hasher.combine(low)
            hasher.combine(high)
        case .isIn(let names):
            hasher.combine(names.map { ExactName($0) })
        case .isNotIn(let names):
            hasher.combine(names.map { ExactName($0) })
        case .isTrue: hasher.combine(0)
        case .isFalse: hasher.combine(1)
        case .isMissing: hasher.combine(2)
        case .isPresent: hasher.combine(3)
        }
    }
}
