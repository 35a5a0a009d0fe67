import CCoveyKernels
import CoveyRuntime
import CoveyTables
import Foundation
import Testing

@testable import CoveyRules

/// Rules by their definition, a value at a time, against blocks and tables of single rows.
@Suite struct RuleEvaluatorTests {
    /// Values at which comparisons go wrong first.
    static let numbers: [Double] = [
        0, -0.0, 1, -1, 0.1, 0.1.nextUp, 0.1.nextDown, 5e-324, -5e-324, 1e-310, .leastNormalMagnitude, 1e300,
        .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 100, 99.99999999999999, 1.0 / 3,
    ]
    static let names = ["NL", "BE", "", "naïve", "nai\u{308}ve", "DE", "FR", "日本"]

    enum Value {
        case number(Double)
        case flag(Int8)
        case name(String?)
    }

    struct Random {
        var state: SeededRandom
        mutating func below(_ count: Int) -> Int { Int(state.uniform() * Double(count)) }
        mutating func pick<T>(_ values: [T]) -> T { values[below(values.count)] }
    }

    static func number(_ random: inout Random) -> Double {
        switch random.below(10) {
        case 0: .nan
        case 1...6: random.pick(numbers)
        default: random.state.uniform() * 200 - 100
        }
    }

    /// A table with `columns` columns of each kind, a third of them with gaps between the values.
    static func table(rows: Int, columns: Int, _ random: inout Random) throws -> FeatureTable {
        var made: [FeatureColumn] = []
        for index in 0..<columns {
            let values = (0..<rows).map { _ in number(&random) }
            made.append(FeatureColumn(name: "n\(index)", values: .numeric(spread(values, 1 + index % 3))))
            let dates = (0..<rows).map { _ in
                random.below(10) == 0
                    ? .nan
                    : random.pick([0, -0.5, 86_399.999, 1.7e9, -8.64e12, 8.64e12, -86_400, 3600])
                        + (random.below(2) == 0 ? 0 : random.state.uniform() * 1000)
            }.map { min(max($0, -8.64e12), 8.64e12) }
            made.append(FeatureColumn(name: "d\(index)", values: .date(spread(dates, 1 + index % 2))))
            let flags = (0..<rows).map { _ in Int8(random.below(3) - 1) }
            made.append(FeatureColumn(name: "b\(index)", values: .boolean(spread(flags, 1 + index % 2))))
            // Some names that no rule knows, in another order than the rules'.
            let known = (names + ["x\(index)", "y"]).sorted { _, _ in random.below(2) == 0 }
            let codes = (0..<rows).map { _ in Int32(random.below(known.count + 1) - 1) }
            made.append(
                FeatureColumn(name: "c\(index)", values: .categorical(spread(codes, 1 + index % 2), categories: known)))
        }
        return try FeatureTable(rows: rows, columns: made)
    }

    /// `step` elements from one value to the next.
    static func spread<T: BitwiseCopyable>(_ values: [T], _ step: Int) -> Strided<T> {
        if step == 1 { return Strided(values) }
        let bytes = UnsafeMutablePointer<T>.allocate(capacity: max(1, values.count * step))
        for (index, value) in values.enumerated() {
            for other in 0..<step { bytes[index * step + other] = value }
        }
        return Strided(borrowing: bytes, count: values.count, stride: step * MemoryLayout<T>.stride)
    }

    static func features(columns: Int) -> [RuleFeature] {
        (0..<columns).flatMap { index -> [RuleFeature] in
            let next = (index + 1) % columns
            return [
                RuleFeature(name: "n\(index)", kind: .numeric), RuleFeature(name: "b\(index)", kind: .boolean),
                RuleFeature(name: "c\(index)", kind: .categorical), RuleFeature(DerivedFeature(hourOf: "d\(index)")),
                RuleFeature(DerivedFeature(daysFrom: "d\(index)", to: "d\(next)")),
                RuleFeature(DerivedFeature(ratioOf: "n\(index)", to: "n\(next)")),
                RuleFeature(DerivedFeature(differenceOf: "n\(index)", and: "n\(next)")),
            ]
        }
    }

    static func condition(_ features: [RuleFeature], _ random: inout Random) -> Condition {
        let feature = random.pick(features)
        switch random.below(8) {
        case 0: return Condition(feature: feature.name, test: .isMissing)
        case 1: return Condition(feature: feature.name, test: .isPresent)
        default: break
        }
        switch feature.kind {
        case .boolean: return Condition(feature: feature.name, test: random.below(2) == 0 ? .isTrue : .isFalse)
        case .categorical:
            let chosen = names.filter { _ in random.below(3) == 0 }
            let some = chosen.isEmpty ? ["NL"] : chosen
            return Condition(feature: feature.name, test: random.below(2) == 0 ? .isIn(some) : .isNotIn(some))
        default:
            let all = numbers + [6, 12.5, 23.99, -1e5]
            let bounds = [random.pick(all), random.pick(all)].sorted()
            let test: Condition.Test =
                switch random.below(3) {
                case 0: .interval(low: bounds[0], high: .infinity)
                case 1: .interval(low: -.infinity, high: bounds[0])
                default:
                    bounds[0] < bounds[1]
                        ? .interval(low: bounds[0], high: bounds[1]) : .interval(low: bounds[0], high: .infinity)
                }
            return Condition(feature: feature.name, test: test)
        }
    }

    /// What a feature is in a row, by the words of the header.
    static func value(_ feature: RuleFeature, _ table: FeatureTable, _ row: Int) -> Value {
        func number(_ name: String) -> Double {
            switch table.column(named: name)!.values {
            case .numeric(let values), .date(let values): values[row]
            default: .nan
            }
        }
        guard let derived = feature.derived else {
            switch table.column(named: feature.name)!.values {
            case .numeric(let values), .date(let values): return .number(values[row])
            case .boolean(let values): return .flag(values[row])
            case .categorical(let codes, let names): return .name(codes[row] < 0 ? nil : names[Int(codes[row])])
            }
        }
        let (a, b) = (number(derived.first), derived.second.map(number) ?? 0)
        if a.isNaN || b.isNaN { return .number(.nan) }
        switch derived.operation {
        case .hour:
            // Whole days back or on until within one; exact, as doubles of this size are multiples of a fraction of a
            // second.
            let rest = a.truncatingRemainder(dividingBy: 86_400)
            return .number((rest < 0 ? rest + 86_400 : rest) / 3600)
        case .days: return .number((b - a) / 86_400)
        case .ratio: return .number(b == 0 ? .nan : a / b)
        case .difference: return .number(a - b)
        }
    }

    static func holds(_ test: Condition.Test, _ value: Value) -> Bool {
        switch (test, value) {
        // An end that is infinite is none: a ratio may overflow.
        case (.interval(let low, let high), .number(let x)):
            !x.isNaN && (low == -.infinity || x >= low) && (high == .infinity || x < high)
        case (.isIn(let names), .name(let name?)): names.contains { Array($0.utf8) == Array(name.utf8) }
        case (.isNotIn(let names), .name(let name?)): !names.contains { Array($0.utf8) == Array(name.utf8) }
        case (.isTrue, .flag(let flag)): flag == 1
        case (.isFalse, .flag(let flag)): flag == 0
        case (.isMissing, .number(let x)): x.isNaN
        case (.isMissing, .flag(let flag)): flag < 0
        case (.isMissing, .name(let name)): name == nil
        case (.isPresent, .number(let x)): !x.isNaN
        case (.isPresent, .flag(let flag)): flag >= 0
        case (.isPresent, .name(let name)): name != nil
        default: false
        }
    }

    static func expected(_ rules: [[Condition]], _ features: [RuleFeature], _ table: FeatureTable) -> [UInt8] {
        let known = Dictionary(uniqueKeysWithValues: features.map { ($0.name, $0) })
        var result: [UInt8] = []
        for row in 0..<table.rows {
            let values = known.mapValues { value($0, table, row) }
            for rule in rules { result.append(rule.allSatisfy { holds($0.test, values[$0.feature]!) } ? 1 : 0) }
        }
        return result
    }

    @Test(arguments: [(1, 1, 1), (5, 3, 2), (64, 64, 3), (130, 200, 2), (1023, 7, 1), (1500, 65, 2), (2048, 1, 2)])
    func decidesAsDefined(rows: Int, rules count: Int, columns: Int) throws {
        var random = Random(state: SeededRandom(seed: UInt64(rows * 1000 + count)))
        let table = try Self.table(rows: rows, columns: columns, &random)
        let features = Self.features(columns: columns)
        let rules = (0..<count).map { _ in (0...random.below(3)).map { _ in Self.condition(features, &random) } }
        let wanted = Self.expected(rules, features, table)
        let evaluator = try RuleEvaluator(features: features, rules: rules)

        for threads in [1, 2] {
            var fired = [UInt8](repeating: 7, count: wanted.count)
            var any = [UInt8](repeating: 7, count: rows)
            let execution = Execution(try Context(threads: threads))
            try fired.withUnsafeMutableBufferPointer { fired in
                try any.withUnsafeMutableBufferPointer { any in
                    try evaluator.evaluate(table, fired: fired, any: any, execution: execution)
                }
            }
            #expect(same(fired, wanted))
            #expect(same(any, (0..<rows).map { row in wanted[row * count..<(row + 1) * count].max()! }))
        }
        // Every instruction set that this machine has.
        let bound = try evaluator.bind(table)
        for set in 0...ck_rules_instruction_set() {
            var scratch = RuleEvaluator.Scratch(evaluator, set: set)
            var fired = [UInt8](repeating: 7, count: wanted.count)
            for start in stride(from: 0, to: rows, by: RuleEvaluator.block) {
                let block = start..<min(rows, start + RuleEvaluator.block)
                try evaluator.evaluate(block, of: bound, &scratch)
                fired.withUnsafeMutableBufferPointer { scratch.write(block, count, $0, nil) }
            }
            #expect(same(fired, wanted), "instruction set \(set)")
        }
        // Row by row.
        let single = try #require(evaluator.rows)
        var one = [UInt8](repeating: 7, count: count)
        var any: UInt8 = 7
        for row in 0..<rows {
            let part = try FeatureTable(rows: 1, columns: table.columns.map { Self.row(row, of: $0) })
            try one.withUnsafeMutableBufferPointer {
                try single.evaluate(evaluator.bind(part), 1, fired: $0.baseAddress, any: &any)
            }
            #expect(same(one, Array(wanted[row * count..<(row + 1) * count])), "row \(row)")
            #expect(any == one.max()!)
        }
    }

    /// Compared out of sight: a failure would print them whole.
    func same(_ left: [UInt8], _ right: [UInt8]) -> Bool { left == right }

    static func row(_ row: Int, of column: FeatureColumn) -> FeatureColumn {
        let values: FeatureColumn.Values =
            switch column.values {
            case .numeric(let values): .numeric(Strided([values[row]]))
            case .date(let values): .date(Strided([values[row]]))
            case .boolean(let values): .boolean(Strided([values[row]]))
            case .categorical(let codes, let names): .categorical(Strided([codes[row]]), categories: names)
            }
        return FeatureColumn(name: column.name, values: values)
    }

    @Test(arguments: [1, 20, 1500])
    func refusesValuesThatCannotBe(rows: Int) throws {
        let features = Self.features(columns: 2)
        let rules = features.map { [Condition(feature: $0.name, test: .isPresent)] }
        let evaluator = try RuleEvaluator(features: features, rules: rules)
        var random = Random(state: SeededRandom(seed: 3))
        let good = try Self.table(rows: rows, columns: 2, &random)
        let bad: [FeatureColumn.Values] = [
            .numeric(Strided([Double](repeating: 1, count: rows - 1) + [.infinity])),
            .numeric(Strided([Double](repeating: 1, count: rows - 1) + [-.infinity])),
            .date(Strided([Double](repeating: 1, count: rows - 1) + [8.65e12])),
            .date(Strided([Double](repeating: 1, count: rows - 1) + [-.infinity])),
            .boolean(Strided([Int8](repeating: 1, count: rows - 1) + [2])),
            .categorical(Strided([Int32](repeating: 0, count: rows - 1) + [1]), categories: ["NL"]),
            .categorical(Strided([Int32](repeating: 0, count: rows - 1) + [-2]), categories: ["NL"]),
        ]
        for values in bad {
            for name in ["n1", "d1", "b1", "c1"] where good.column(named: name)?.values.kind == values.kind {
                let columns = good.columns.map { $0.name == name ? FeatureColumn(name: name, values: values) : $0 }
                let table = try FeatureTable(rows: rows, columns: columns)
                let error = #expect(throws: CoveyError.self) {
                    try evaluator.evaluate(table, execution: Execution())
                }
                #expect(error?.code == .invalidData)
                #expect(error?.message.contains("\"\(name)\", row \(rows - 1)") == true)
            }
        }
    }

    @Test func largeSetsDoWithoutTables() throws {
        // A threshold of its own in each of many rules: tables would grow with the square.
        let feature = [RuleFeature(name: "n", kind: .numeric)]
        let rules = (0..<20_000).map {
            [Condition(feature: "n", test: .interval(low: Double($0), high: Double($0) + 0.5))]
        }
        let evaluator = try RuleEvaluator(features: feature, rules: rules)
        #expect(evaluator.rows == nil)
        let values = [0, 0.5, 19_999.25, 20_000, .nan, -1]
        let table = try FeatureTable(rows: 6, columns: [FeatureColumn(name: "n", values: .numeric(Strided(values)))])
        var any = [UInt8](repeating: 7, count: 6)
        try any.withUnsafeMutableBufferPointer { try evaluator.evaluate(table, any: $0, execution: Execution()) }
        #expect(any == [1, 0, 1, 0, 0, 0])
    }
}
