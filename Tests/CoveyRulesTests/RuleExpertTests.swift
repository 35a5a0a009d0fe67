import CoveyRuntime
import CoveyTables
import Glibc
import Testing

@testable import CoveyRules

/// What experts say of a search is kept, whatever the table.
@Suite struct RuleExpertTests {
    /// Columns of all kinds of which some make the target.
    private static func table(_ seed: UInt64, rows: Int = 1500) throws -> (table: FeatureTable, target: [UInt8]) {
        var random = SeededRandom(seed: seed)
        var columns: [FeatureColumn] = []
        for index in 0..<9 {
            let missing = (0..<rows).map { _ in random.uniform() < 0.05 }
            switch index % 3 {
            case 0:
                let values = (0..<rows).map { missing[$0] ? Double.nan : (random.uniform() * 100).rounded() }
                columns.append(FeatureColumn(name: "n\(index)", values: .numeric(Strided(values))))
            case 1:
                let values = (0..<rows).map { missing[$0] ? Int8(-1) : random.uniform() < 0.4 ? 1 : 0 }
                columns.append(FeatureColumn(name: "b\(index)", values: .boolean(Strided(values))))
            default:
                let values = (0..<rows).map { missing[$0] ? Int32(-1) : Int32(random.uniform() * 6) }
                columns.append(
                    FeatureColumn(
                        name: "c\(index)",
                        values: .categorical(Strided(values), categories: ["u", "v", "w", "x", "y", "z"])))
            }
        }
        func number(_ column: Int, _ row: Int) -> Double {
            switch columns[column].values {
            case .numeric(let values): values[row].isNaN ? -1 : values[row]
            case .boolean(let values): Double(values[row]) * 50
            case .categorical(let codes, _): Double(codes[row]) * 16
            case .date: 0
            }
        }
        let (a, b, c) = (Int(random.uniform() * 9), Int(random.uniform() * 9), Int(random.uniform() * 9))
        let target = (0..<rows).map { row -> UInt8 in
            let risky = number(a, row) > 60 && number(b, row) < 50 || number(c, row) > 70 && number(a, row) < 30
            return random.uniform() < (risky ? 0.85 : 0.03) ? 1 : 0
        }
        return (try FeatureTable(rows: rows, columns: columns), target)
    }

    @Test(arguments: 0..<24) func policiesHold(seed: UInt64) throws {
        let (table, target) = try Self.table(seed)
        var random = SeededRandom(seed: seed ^ 99)
        var options = RuleSearchOptions()
        options.minLift = 1.2
        options.minPrecision = 0.2
        options.significance = 0
        options.quality = RuleQualityTests.qualities[Int(seed) % 4]
        let uses: [FeaturePolicy.Use] = seed % 3 == 0 ? [.free, .allowed, .sensitive] : [.free, .free, .forbidden]
        options.features = table.columns.map { column in
            let directed = column.values.kind != .categorical
            let direction = directed ? [Direction.any, .more, .less][Int(random.uniform() * 3)] : .any
            return FeaturePolicy(feature: column.name, use: uses[Int(random.uniform() * 3)], direction: direction)
        }
        let listed = options.features.contains { $0.use == .allowed }
        let usable = options.features.filter { listed ? $0.use == .allowed : $0.use == .free }
        if let place = table.columns.firstIndex(where: { column in usable.contains { $0.feature == column.name } }),
            seed % 2 == 1
        {
            options.pinned = [Condition(feature: table.columns[place].name, test: .isPresent)]
        }
        let found = try RuleSearch.run(table, target: Strided(target), options: options, execution: Execution())
        for rule in found.rules {
            #expect(rule.conditions.count <= options.maxConditions)
            for pinned in options.pinned { #expect(rule.conditions.contains(pinned)) }
            #expect(Set(rule.conditions.map(\.feature)).count == rule.conditions.count)
            for condition in rule.conditions {
                let policy = try #require(usable.first { $0.feature == condition.feature })
                switch (condition.test, policy.direction) {
                case (.interval(_, let high), .more): #expect(high == .infinity)
                case (.interval(let low, _), .less): #expect(low == -.infinity)
                case (.isFalse, .more), (.isTrue, .less): #expect(Bool(false), "\(condition)")
                default: break
                }
            }
        }
    }

    /// No condition can be left out, and no rule, without loss of the rule set's quality on the rows of the search.
    @Test(arguments: 0..<8) func nothingIsInVain(seed: UInt64) throws {
        let (table, target) = try Self.table(seed, rows: 3000)
        var options = RuleSearchOptions()
        options.minPrecision = 0.3
        options.significance = 0
        let found = try RuleSearch.run(table, target: Strided(target), options: options, execution: Execution())
        let split = try HoldoutSplit(target: Strided(target), options: options, execution: Execution())
        func gain(_ rules: [[Condition]]) throws -> Double {
            guard !rules.isEmpty else { return 0 }
            var any = [UInt8](repeating: 0, count: table.rows)
            try any.withUnsafeMutableBufferPointer {
                try RuleEvaluator(PlantedTable.set(rules, table)).evaluate(table, any: $0, execution: Execution())
            }
            var (p, n, all, others) = (0.0, 0.0, 0.0, 0.0)
            for row in 0..<table.rows where split.search[row] {
                if target[row] == 1 { all += 1 } else { others += 1 }
                if any[row] == 1 { if target[row] == 1 { p += 1 } else { n += 1 } }
            }
            return Evidence.gain(matched: p, n, of: all, others)
        }
        let rules = found.rules.map(\.conditions)
        for index in rules.indices {
            let others = rules.enumerated().filter { $0.offset != index }.map(\.element)
            #expect(try gain(others) < gain(rules))
            for place in rules[index].indices where rules[index].count > 1 {
                var shorter = rules
                shorter[index].remove(at: place)
                #expect(try gain(shorter) < gain(rules))
            }
        }
    }

    @Test func everyRuleHasWhatIsPinned() throws {
        let planted = try PlantedTable(rows: 20_000, features: 16, seed: 3)
        var options = RuleSearchOptions()
        options.maxConditions = 3
        // Two of the three conditions of a planted rule: the third is found.
        options.pinned = [planted.rules[1][1], planted.rules[1][0]]
        let found = try RuleSearch.run(
            planted.table, target: Strided(planted.target), options: options, execution: Execution())
        #expect(found.rules.map { Set($0.conditions.map(shape)) } == [Set(planted.rules[1].map(shape))])
        for pinned in options.pinned { #expect(found.rules[0].conditions.contains(pinned)) }
        // Nothing more may be added: the rule is what is pinned, or none.
        options.maxConditions = 2
        options.minPrecision = 0.01
        options.minLift = 1
        let bare = try RuleSearch.run(
            planted.table, target: Strided(planted.target), options: options, execution: Execution())
        #expect(bare.rules.map(\.conditions) == [[planted.rules[1][1], planted.rules[1][0]]])
    }

    @Test func givenRulesAreMeasuredOnTheSameRows() throws {
        let planted = try PlantedTable(rows: 20_000, features: 16, seed: 7)
        var options = RuleSearchOptions()
        options.maxConditions = 4
        let alone = try RuleSearch.run(
            planted.table, target: Strided(planted.target), options: options, execution: Execution())
        options.given = try PlantedTable.set(planted.rules, planted.table)
        let beside = try RuleSearch.run(
            planted.table, target: Strided(planted.target), options: options, execution: Execution())
        #expect(beside.rules.filter { !$0.isGiven } == alone.rules && beside.tried == alone.tried)
        let given = beside.rules.suffix(3)
        #expect(given.map(\.conditions) == planted.rules && given.allSatisfy(\.isGiven))
        let split = try HoldoutSplit(target: Strided(planted.target), options: options, execution: Execution())
        for rule in given {
            var any = [UInt8](repeating: 0, count: planted.table.rows)
            try any.withUnsafeMutableBufferPointer {
                try RuleEvaluator(PlantedTable.set([rule.conditions], planted.table))
                    .evaluate(planted.table, any: $0, execution: Execution())
            }
            let fires = any.indices.filter { any[$0] == 1 }
            #expect(rule.search.matched == fires.filter { split.search[$0] }.count)
            #expect(rule.unseen.support == fires.filter { split.unseen[$0] && planted.target[$0] == 1 }.count)
        }
    }

    /// Fewer digits for no more than the tolerance.
    @Test(arguments: [0.01, 0.05, 0.2]) func roundingKeepsItsTolerance(tolerance: Double) throws {
        var random = SeededRandom(seed: 21)
        let n = 30_000
        let x = (0..<n).map { _ in random.uniform() * 1000 }
        let y = (0..<n).map { _ in random.uniform() * 10 - 5 }
        let target = (0..<n).map { x[$0] >= 377.31 && x[$0] < 791.13 && y[$0] < -3.217 ? UInt8(1) : 0 }
        let table = try FeatureTable(
            rows: n,
            columns: [
                FeatureColumn(name: "x", values: .numeric(Strided(x))),
                FeatureColumn(name: "y", values: .numeric(Strided(y))),
            ])
        var options = RuleSearchOptions()
        let exact = try RuleSearch.run(table, target: Strided(target), options: options, execution: Execution())
        options.rounding = tolerance
        let round = try RuleSearch.run(table, target: Strided(target), options: options, execution: Execution())
        #expect(exact.rules.count == 1 && round.rules.count == 1)
        func digits(_ set: RuleSet) -> Int {
            var sum = 0
            for case .interval(let low, let high) in set.rules.flatMap(\.conditions).map(\.test) {
                for bound in [low, high] where bound.isFinite {
                    sum += "\(bound)".filter(\.isNumber).drop { $0 == "0" }.reversed().drop { $0 == "0" }.count
                }
            }
            return sum
        }
        #expect(digits(round) < digits(exact))
        for (before, after) in zip(exact.rules, round.rules) {
            let (a, b) = (exact.searchFigures(before), round.searchFigures(after))
            // The rule that is rounded differs from the exact one by less than a row.
            #expect(
                b.precision >= (1 - tolerance) * a.precision - 1e-3 && b.recall >= (1 - tolerance) * a.recall - 1e-3)
        }
    }

    @Test func theSameForAnyNumberOfThreads() throws {
        let planted = try PlantedTable(rows: 8000, features: 14, seed: 13)
        var random = SeededRandom(seed: 4)
        var options = RuleSearchOptions()
        options.weights = Strided((0..<8000).map { _ in random.uniform() * 3 })
        options.amounts = Strided((0..<8000).map { _ in random.uniform() * 30 })
        options.permutations = 1
        options.resamples = 1
        options.maxRules = 3
        options.given = try PlantedTable.set(planted.rules, planted.table)
        for quality in [RuleQuality.likelihood, .amount] {
            options.quality = quality
            func run(_ threads: Int) throws -> String {
                try RuleSearch.run(
                    planted.table, target: Strided(planted.target), options: options,
                    execution: Execution(Context(threads: threads))
                ).json()
            }
            let one = try run(1)
            #expect(try run(2) == one && run(5) == one)
        }
    }
}
