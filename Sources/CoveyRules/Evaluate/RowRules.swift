import CCoveyKernels
import CoveyRuntime
import CoveyTables

/// Rules laid out for single rows, in the manner of QuickScorer (Lucchese et al. 2015): each feature's value falls
/// between two of its thresholds, a table says which rules are still possible there, and the rules that fire are
/// possible for all features.
public final class RowRules: Sendable {
    /// Rows up to which this is faster than blocks of tests.
    public static let most = 16
    /// Words of tables; more would not stay in the processor's cache.
    private static let largest = 1 << 17

    private struct Step {
        let kind: Int32
        /// Of `DerivedFeature.Operation`; 0 = a column.
        let operation: Int32
        let first: Int32
        let second: Int32
        /// Where its thresholds begin, and how many there are.
        let threshold: Int32
        let thresholds: Int32
        /// Where its tables begin, in words: of missing values, then by rank, by category or by value.
        let table: Int32
    }

    /// What a row must have, in this order.
    public let columns: [RuleFeature]
    public let ruleCount: Int
    private let words: Int
    private let steps: [Step]
    private let thresholds: [Double]
    private let possible: [UInt64]
    /// Of each column, the numbers of categories that rules name.
    private let categories: [[ExactName: Int32]]
    private let set = ck_rules_instruction_set()

    /// nil where the tables would be too large.
    init?(
        _ evaluator: RuleEvaluator, _ rules: [[(feature: Int, test: Condition.Test)]], report: () throws -> Void = {}
    ) rethrows {
        let words = (rules.count + 63) / 64
        func states(_ feature: RuleEvaluator.Feature) -> Int {
            switch feature.kind {
            case .numeric, .date: feature.thresholds.count + 2
            case .boolean: 3
            case .categorical: feature.categories.count + 2
            }
        }
        let total = evaluator.features.reduce(0) { $0 + states($1) }
        guard !rules.isEmpty, total <= RowRules.largest / words, evaluator.columns.count <= RowRules.largestRow else {
            return nil
        }
        var steps: [Step] = []
        var thresholds: [Double] = []
        var (table, tables) = (0, [Int]())
        for feature in evaluator.features {
            steps.append(
                Step(
                    kind: feature.kind.rawValue, operation: feature.operation?.rawValue ?? 0,
                    first: Int32(feature.first),
                    second: Int32(feature.second), threshold: Int32(thresholds.count),
                    thresholds: Int32(feature.thresholds.count), table: Int32(table)))
            thresholds += feature.thresholds
            tables.append(table)
            table += states(feature) * words
        }
        var possible = [UInt64](repeating: ~0, count: table)
        if rules.count % 64 != 0 {
            for word in stride(from: words - 1, to: table, by: words) {
                possible[word] = (1 << UInt64(rules.count % 64)) - 1
            }
        }
        for (rule, conditions) in rules.enumerated() {
            try report()
            for (feature, test) in conditions {
                let allowed = RowRules.states(test, evaluator.features[feature])
                for state in 0..<states(evaluator.features[feature]) where !allowed(state) {
                    possible[tables[feature] + state * words + rule / 64] &= ~(1 << UInt64(rule % 64))
                }
            }
        }
        columns = evaluator.columns
        ruleCount = rules.count
        self.words = words
        self.steps = steps
        self.thresholds = thresholds
        self.possible = possible
        var categories = [[ExactName: Int32]](repeating: [:], count: evaluator.columns.count)
        for feature in evaluator.features where feature.kind == .categorical {
            categories[feature.first] = feature.categories
        }
        self.categories = categories
    }

    /// Columns up to which a row's values stay on the stack.
    public static let largestRow = 1024

    /// The states in which a test holds: 0 = missing, then one more than the rank, the category's number or the value.
    private static func states(_ test: Condition.Test, _ feature: RuleEvaluator.Feature) -> (Int) -> Bool {
        func rank(_ value: Double) -> Int {
            feature.thresholds.withUnsafeBufferPointer { RuleEvaluator.rank(value, $0.baseAddress!, $0.count) }
        }
        switch test {
        case .interval(let low, let high):
            let first = low > -.infinity ? 1 + rank(low) : 1
            let last = high < .infinity ? rank(high) : Int.max
            return { $0 >= first && $0 <= last }
        case .isIn(let names):
            let codes = Set(names.map { Int(feature.code($0)) + 1 })
            return { codes.contains($0) }
        case .isNotIn(let names):
            let codes = Set(names.map { Int(feature.code($0)) + 1 })
            return { $0 > 0 && !codes.contains($0) }
        case .isFalse: return { $0 == 1 }
        case .isTrue: return { $0 == 2 }
        case .isMissing: return { $0 == 0 }
        case .isPresent: return { $0 > 0 }
        }
    }

    /// A category as `evaluate` takes it.
    public func category(_ name: String, column: Int) -> Double {
        Double(categories[column][ExactName(name)] ?? Int32(categories[column].count))
    }

    /// Evaluates all rules on a row.
    /// - Parameters:
    ///   - values: one for each of `columns`, NaN = missing: numbers and dates, 0 or 1, and what `category` says. Not
    ///     infinite.
    ///   - fired: nil, or one a rule: 1 where it matches.
    ///   - any: nil, or one: 1 where a rule matches.
    public func evaluate(
        _ values: UnsafePointer<Double>, fired: UnsafeMutablePointer<UInt8>?, any: UnsafeMutablePointer<UInt8>?
    ) {
        if words <= 4 {
            withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 4) {
                evaluate(values, $0.baseAddress!, fired, any)
            }
        } else {
            withUnsafeTemporaryAllocation(of: UInt64.self, capacity: words) {
                evaluate(values, $0.baseAddress!, fired, any)
            }
        }
    }

    @inline(__always)
    private func evaluate(
        _ values: UnsafePointer<Double>, _ left: UnsafeMutablePointer<UInt64>, _ fired: UnsafeMutablePointer<UInt8>?,
        _ any: UnsafeMutablePointer<UInt8>?
    ) {
        let words = words
        for word in 0..<words { left[word] = ~0 }
        steps.withUnsafeBufferPointer { steps in
            thresholds.withUnsafeBufferPointer { thresholds in
                possible.withUnsafeBufferPointer { possible in
                    for step in steps {
                        var value = values[Int(step.first)]
                        if step.operation != 0 {
                            value = RowRules.derive(step.operation, value, values[Int(step.second)])
                        }
                        var state = 0
                        if value == value {
                            if step.kind == 0 {
                                state = 1
                                if step.thresholds > 0 {
                                    state += RuleEvaluator.rank(
                                        value, thresholds.baseAddress! + Int(step.threshold), Int(step.thresholds))
                                }
                            } else {
                                state = 1 &+ Int(value)
                            }
                        }
                        let table = possible.baseAddress! + (Int(step.table) &+ state &* words)
                        for word in 0..<words { left[word] &= table[word] }
                    }
                }
            }
        }
        if let fired { ck_rules_spread(set, left, Int64(ruleCount), fired) }
        if let any {
            var all: UInt64 = 0
            for word in 0..<words { all |= left[word] }
            any.pointee = all == 0 ? 0 : 1
        }
    }

    @inline(never)
    private static func derive(_ operation: Int32, _ first: Double, _ second: Double) -> Double {
        DerivedFeature.Operation(rawValue: operation)?.value(first, second) ?? .nan
    }
}

extension RowRules {
    /// The first rows of a table. Throws `invalidData` for values that cannot be.
    func evaluate(
        _ bound: RuleEvaluator.Bound, _ count: Int, fired: UnsafeMutablePointer<UInt8>?,
        any: UnsafeMutablePointer<UInt8>?
    ) throws {
        var values = [Double](repeating: .nan, count: columns.count)
        try evaluate(bound, count, fired: fired, any: any, &values)
    }

    /// - Parameter values: room for a row's columns.
    func evaluate(
        _ bound: RuleEvaluator.Bound, _ count: Int, fired: UnsafeMutablePointer<UInt8>?,
        any: UnsafeMutablePointer<UInt8>?, _ values: inout [Double]
    ) throws {
        for row in 0..<count {
            for (place, column) in bound.columns.enumerated() {
                switch column.values {
                case .numeric(let numbers), .date(let numbers):
                    values[place] = numbers[row]
                    // A NaN is missing; what else differs from itself after subtraction is infinite.
                    if values[place] - values[place] != 0 || columns[place].kind == .date {
                        try column.validate(row..<row + 1)
                    }
                case .boolean(let flags):
                    let value = flags[row]
                    if value < -1 || value > 1 { try column.validate(row..<row + 1) }
                    values[place] = value < 0 ? .nan : Double(value & 1)
                case .categorical(let codes, let names):
                    let code = codes[row]
                    if code < -1 || Int(code) >= names.count { try column.validate(row..<row + 1) }
                    values[place] =
                        code < 0 || Int(code) >= names.count ? .nan : category(names[Int(code)], column: place)
                }
            }
            evaluate(values, fired: fired.map { $0 + row * ruleCount }, any: any.map { $0 + row })
        }
    }
}
