import CoveyRuntime
import CoveyTables
import Glibc

@testable import CoveyRules

/// A table whose target is made of three known conjunctions of two to four conditions, with label noise and missing
/// values.
struct PlantedTable {
    let table: FeatureTable
    let target: [UInt8]
    let rules: [[Condition]]

    /// - Parameters:
    ///   - noise: share of the target's rows that are mislabelled, and as many others labelled as target.
    ///   - missing: share of values that are missing.
    init(rows: Int, features: Int = 40, noise: Double = 0.05, missing: Double = 0.05, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        func normal() -> Double {
            (-2 * log(1 - random.uniform())).squareRoot() * cos(2 * .pi * random.uniform())
        }
        var columns: [FeatureColumn] = []
        for index in 0..<features {
            switch index % 8 {
            case 0: columns.append(Self.numeric(index, (0..<rows).map { _ in exp(4 + normal()) }))
            case 1: columns.append(Self.numeric(index, (0..<rows).map { _ in random.uniform() }))
            case 2: columns.append(Self.numeric(index, (0..<rows).map { _ in (random.uniform() * 24).rounded(.down) }))
            case 3: columns.append(Self.numeric(index, (0..<rows).map { _ in normal() * 10 + 50 }))
            case 4, 5:
                let count = index % 8 == 4 ? 8 : 200
                let names = (0..<count).map { "c\($0)" }
                // Few frequent ones, many rare ones.
                let codes = (0..<rows).map { _ in Int32(Double(count) * random.uniform() * random.uniform()) }
                columns.append(
                    FeatureColumn(name: "f\(index)", values: .categorical(Strided(codes), categories: names)))
            default:
                let share = index % 8 == 6 ? 0.3 : 0.5
                let values = (0..<rows).map { _ in Int8(random.uniform() < share ? 1 : 0) }
                columns.append(FeatureColumn(name: "f\(index)", values: .boolean(Strided(values))))
            }
        }
        rules = [
            // About 0.33% of the rows each.
            [
                Condition(feature: "f0", test: .interval(low: 250, high: .infinity)),
                Condition(feature: "f4", test: .isIn(["c6", "c7"])),
            ],
            [
                Condition(feature: "f3", test: .interval(low: -.infinity, high: 40)),
                Condition(feature: "f2", test: .interval(low: 8, high: 11)),
                Condition(feature: "f9", test: .interval(low: 0.3, high: 0.48)),
            ],
            [
                Condition(feature: "f6", test: .isTrue), Condition(feature: "f7", test: .isFalse),
                Condition(feature: "f11", test: .interval(low: 62, high: .infinity)),
                Condition(feature: "f12", test: .isNotIn(["c0", "c1"])),
            ],
        ]
        let clean = try FeatureTable(rows: rows, columns: columns)
        var target = [UInt8](repeating: 0, count: rows)
        let evaluator = try RuleEvaluator(try Self.set(rules, clean))
        try target.withUnsafeMutableBufferPointer { try evaluator.evaluate(clean, any: $0, execution: Execution()) }
        let positives = target.reduce(0) { $0 + Int($1) }
        for row in 0..<rows {
            let flip = target[row] == 1 ? noise : noise * Double(positives) / Double(rows - positives)
            if random.uniform() < flip { target[row] = 1 - target[row] }
        }
        self.target = target
        table = try FeatureTable(
            rows: rows,
            columns: columns.map { column in
                let gone = (0..<rows).map { _ in random.uniform() < missing }
                switch column.values {
                case .numeric(let values):
                    return FeatureColumn(
                        name: column.name, values: .numeric(Strided((0..<rows).map { gone[$0] ? .nan : values[$0] })))
                case .boolean(let values):
                    return FeatureColumn(
                        name: column.name, values: .boolean(Strided((0..<rows).map { gone[$0] ? -1 : values[$0] })))
                case .categorical(let codes, let names):
                    return FeatureColumn(
                        name: column.name,
                        values: .categorical(Strided((0..<rows).map { gone[$0] ? -1 : codes[$0] }), categories: names))
                case .date: return column
                }
            })
    }

    private static func numeric(_ index: Int, _ values: [Double]) -> FeatureColumn {
        FeatureColumn(name: "f\(index)", values: .numeric(Strided(values)))
    }

    /// Conjunctions as a rule set without figures.
    static func set(_ rules: [[Condition]], _ table: FeatureTable) throws -> RuleSet {
        try RuleSet(
            targetName: "target", confidence: 0.95,
            features: table.columns.map { RuleFeature(name: $0.name, kind: $0.values.kind) },
            rules: rules.map { Rule(conditions: $0, search: .init(), unseen: .init()) },
            search: .init(rows: 0, target: 0), unseen: .init(rows: 0, target: 0), tried: 0, fallen: 0)
    }

    /// F1 of a set on some rows, by evaluating it.
    func f1(_ set: RuleSet, rows: (Int) -> Bool) throws -> Double {
        var any = [UInt8](repeating: 0, count: table.rows)
        try any.withUnsafeMutableBufferPointer {
            try RuleEvaluator(set).evaluate(table, any: $0, execution: Execution())
        }
        var counts = (both: 0, matched: 0, target: 0)
        for row in 0..<table.rows where rows(row) {
            counts.matched += Int(any[row])
            counts.target += Int(target[row])
            counts.both += Int(any[row] & target[row])
        }
        return 2 * Double(counts.both) / Double(counts.matched + counts.target)
    }
}

/// What a condition says without its numbers: feature, kind and direction.
func shape(_ condition: Condition) -> String {
    switch condition.test {
    case .interval(let low, let high): "\(condition.feature) \(low.isFinite ? ">=" : "")\(high.isFinite ? "<" : "")"
    case .isIn(let names): "\(condition.feature) in \(names.sorted())"
    case .isNotIn(let names): "\(condition.feature) not in \(names.sorted())"
    case .isTrue: "\(condition.feature) true"
    case .isFalse: "\(condition.feature) false"
    case .isMissing: "\(condition.feature) missing"
    case .isPresent: "\(condition.feature) present"
    }
}
