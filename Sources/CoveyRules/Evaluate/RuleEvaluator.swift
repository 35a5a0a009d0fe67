import CCoveyKernels
import CoveyRuntime
import CoveyTables

/// A rule set compiled for evaluation. Immutable; shared by threads.
///
/// Every distinct threshold, value and set of categories of a feature is one test. A block of rows becomes one bit for
/// each row and test, column by column, and a condition is the rows of one test that are not those of another: low <= x
/// < high is what is at least low and not at least high. A few rows are looked up instead, see `RowRules`.
public struct RuleEvaluator: Sendable {
    /// What conditions look at: a column, or a number worked out of one or two.
    struct Feature: Sendable {
        let kind: FeatureColumn.Kind
        let operation: DerivedFeature.Operation?
        /// Among `columns`; `second` is `first` where there is only one.
        let first: Int
        let second: Int
        /// Of numbers, ascending.
        fileprivate(set) var thresholds: [Double] = []
        /// That rules name, as the evaluator numbers them.
        fileprivate(set) var categories: [ExactName: Int32] = [:]
        fileprivate(set) var members: [Members] = []
        /// The place of the first test: that a value is not missing. Thresholds follow, or false and true, or sets of
        /// categories.
        fileprivate(set) var test = 0

        var tests: Int {
            switch kind {
            case .numeric, .date: 1 + thresholds.count
            case .boolean: 3
            case .categorical: 1 + members.count
            }
        }
    }

    /// A set of categories.
    enum Members: Sendable {
        /// By number, with one more place for categories that no rule names.
        case all([Bool])
        /// The same for few of many categories: their numbers, ascending, and whether these match or all others.
        case few([Int32], inside: Bool)

        @inline(__always)
        func contains(_ code: Int32) -> Bool {
            switch self {
            case .all(let members): members[Int(code)]
            case .few(let codes, let inside): Members.search(code, codes) == inside
            }
        }

        private static func search(_ code: Int32, _ codes: [Int32]) -> Bool {
            var (low, high) = (0, codes.count)
            while low < high {
                let middle = (low &+ high) &>> 1
                if codes[middle] < code { low = middle &+ 1 } else { high = middle }
            }
            return low < codes.count && codes[low] == code
        }
    }

    /// The columns that a table must have.
    public let columns: [RuleFeature]
    let features: [Feature]
    let tests: Int
    /// Rule r's conditions are starts[r]..<starts[r + 1]: the tests that must hold and those that must not.
    let starts: [Int]
    let with: [Int32]
    let without: [Int32]
    /// nil for sets that are too large for it.
    public private(set) var rows: RowRules?

    /// Tests 0 and 1 hold for all rows and for none.
    static let always: Int32 = 0
    static let never: Int32 = 1
    /// Rows that are evaluated together, at the least.
    static let block = 64 * Int(CK_RULES_WORDS)
    /// Bits of a block's tests and rules stay in a processor's own cache.
    private static let cached = 1 << 19

    public var ruleCount: Int { starts.count - 1 }

    /// - Parameter report: called for each rule, several times; what it throws stops the work.
    public init(_ set: RuleSet, report: () throws -> Void = {}) rethrows {
        try self.init(features: set.features, rules: set.rules.map(\.conditions), report: report)
    }

    /// The conditions must name these features and suit their kinds, as in a `RuleSet`.
    init(features named: [RuleFeature], rules: [[Condition]], report: () throws -> Void = {}) rethrows {
        var columns: [RuleFeature] = []
        var places: [ExactName: Int] = [:]
        var features = named.map { feature in
            let own = feature.columns.map { column in
                let place = places[ExactName(column.name)] ?? columns.count
                if place == columns.count {
                    columns.append(column)
                    places[ExactName(column.name)] = place
                }
                return place
            }
            return Feature(
                kind: feature.kind, operation: feature.derived?.operation, first: own[0], second: own.last ?? own[0])
        }
        let known = Dictionary(
            zip(named.map { ExactName($0.name) }, named.indices), uniquingKeysWith: { first, _ in first })
        let conditions = try rules.map { rule in
            try report()
            return rule.map { (feature: known[ExactName($0.feature)] ?? 0, test: $0.test) }
        }
        var sets = [[Condition.Test: Int]](repeating: [:], count: features.count)
        for (feature, test) in conditions.joined() {
            try report()
            switch test {
            case .interval(let low, let high):
                if low > -.infinity { features[feature].thresholds.append(low) }
                if high < .infinity { features[feature].thresholds.append(high) }
            case .isIn(let names), .isNotIn(let names):
                for name in names where features[feature].categories[ExactName(name)] == nil {
                    features[feature].categories[ExactName(name)] = Int32(features[feature].categories.count)
                }
            default: break
            }
        }
        // Sets of categories are laid out once all names have their numbers.
        for (feature, test) in conditions.joined() {
            try report()
            guard let members = RuleEvaluator.members(test, features[feature].categories), sets[feature][test] == nil
            else { continue }
            sets[feature][test] = features[feature].members.count
            features[feature].members.append(members)
        }
        var tests = 2
        for index in features.indices {
            try report()
            features[index].thresholds = RuleEvaluator.distinct(features[index].thresholds)
            features[index].test = tests
            tests += features[index].tests
        }
        var (starts, with, without) = ([0], [Int32](), [Int32]())
        for rule in conditions {
            try report()
            for (feature, test) in rule {
                let (first, second) = RuleEvaluator.places(test, features[feature], sets[feature][test] ?? 0)
                with.append(first)
                without.append(second)
            }
            starts.append(with.count)
        }
        (self.columns, self.features, self.tests) = (columns, features, tests)
        (self.starts, self.with, self.without) = (starts, with, without)
        rows = try RowRules(self, conditions, report: report)
    }

    private static func members(_ test: Condition.Test, _ categories: [ExactName: Int32]) -> Members? {
        let (names, inside): ([String], Bool)
        switch test {
        case .isIn(let found): (names, inside) = (found, true)
        case .isNotIn(let found): (names, inside) = (found, false)
        default: return nil
        }
        let codes = names.map { categories[ExactName($0)] ?? 0 }
        // A table for each condition would grow with the square of a file that names a new category in each.
        guard categories.count <= 256 + 16 * codes.count else { return .few(codes.sorted(), inside: inside) }
        var all = [Bool](repeating: !inside, count: categories.count + 1)
        for code in codes { all[Int(code)] = inside }
        return .all(all)
    }

    private static func distinct(_ values: [Double]) -> [Double] {
        var result: [Double] = []
        for value in values.sorted() where value != result.last { result.append(value) }
        return result
    }

    /// How many thresholds are at most `value`.
    @inline(__always)
    static func rank(_ value: Double, _ thresholds: UnsafePointer<Double>, _ count: Int) -> Int {
        var (low, length) = (0, count)
        while length > 0 {
            let half = length &>> 1
            let above = thresholds[low &+ half] <= value
            low = above ? low &+ half &+ 1 : low
            length = above ? length &- half &- 1 : half
        }
        return low
    }

    private static func places(_ test: Condition.Test, _ feature: Feature, _ set: Int) -> (with: Int32, without: Int32)
    {
        func threshold(_ value: Double) -> Int32 {
            Int32(feature.test + feature.thresholds.withUnsafeBufferPointer { rank(value, $0.baseAddress!, $0.count) })
        }
        let present = Int32(feature.test)
        switch test {
        case .interval(let low, let high):
            return (low > -.infinity ? threshold(low) : present, high < .infinity ? threshold(high) : never)
        case .isIn, .isNotIn: return (present + 1 + Int32(set), never)
        case .isFalse: return (present + 1, never)
        case .isTrue: return (present + 2, never)
        case .isMissing: return (always, present)
        case .isPresent: return (present, never)
        }
    }

    /// Evaluates all rules on all rows.
    /// - Parameters:
    ///   - fired: nil, or rows x ruleCount, row-major: 1 where the rule matches.
    ///   - any: nil, or one a row: 1 where a rule matches.
    public func evaluate(
        _ table: FeatureTable, fired: UnsafeMutableBufferPointer<UInt8>? = nil,
        any: UnsafeMutableBufferPointer<UInt8>? = nil, execution: Execution
    ) throws {
        let bound = try bind(table)
        if let rows, table.rows <= RowRules.most {
            try execution.check()
            return try rows.evaluate(bound, table.rows, fired: fired?.baseAddress, any: any?.baseAddress)
        }
        let size = blockSize
        let blocks = table.rows == 0 ? 0 : (table.rows - 1) / size + 1
        let threads = min(execution.threads, blocks)
        try execution.reserve(threads, of: ((tests + ruleCount) / 8 + 20) * size, for: "evaluating rules")
        nonisolated(unsafe) let (fired, any) = (fired, any)
        let grain = max(1, 16 * RuleEvaluator.block / size)
        try execution.parallel(blocks, grain: grain, stage: "rules") { chunk, _ in
            var scratch = Scratch(self, block: size)
            for block in chunk {
                try execution.check()
                let start = block * size
                let rows = start..<min(table.rows, start + size)
                try evaluate(rows, of: bound, &scratch, execution)
                scratch.write(rows, ruleCount, fired, any)
            }
        }
    }

    /// Long stretches of each column come faster from memory than short ones.
    private var blockSize: Int {
        var size = RuleEvaluator.block
        while size < 16 * RuleEvaluator.block, (tests + ruleCount) * size / 4 <= RuleEvaluator.cached { size *= 2 }
        return size
    }
}

extension RuleSet {
    /// What an evaluator takes for the categories that rules name: a dictionary, and sets for many rows and for one.
    public var categoryBytes: Int {
        var count = 0
        for rule in rules {
            for condition in rule.conditions {
                if case .isIn(let names) = condition.test { count += names.count }
                if case .isNotIn(let names) = condition.test { count += names.count }
            }
        }
        guard count > 0 else { return 0 }
        return HashTableSize.bytes(count, of: MemoryLayout<(ExactName, Int32)>.stride)
            + HashTableSize.bytes(count, of: MemoryLayout<Int>.stride) + 24 * count
    }
}
