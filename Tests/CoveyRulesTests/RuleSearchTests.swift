import CoveyRuntime
import CoveyTables
import Glibc
import Testing

@testable import CoveyRules

@Suite struct RuleSearchTests {
    @Test(arguments: [(20_000, 1), (20_000, 2), (50_000, 3), (50_000, 4)])
    func plantedRulesComeBack(rows: Int, seed: UInt64) throws {
        let planted = try PlantedTable(rows: rows, seed: seed)
        var options = RuleSearchOptions()
        options.maxConditions = 4
        options.seed = seed
        let found = try RuleSearch.run(
            planted.table, target: Strided(planted.target), options: options, execution: Execution())
        let split = try HoldoutSplit(target: Strided(planted.target), options: options, execution: Execution())
        let own = try planted.f1(PlantedTable.set(planted.rules, planted.table)) { !split.search[$0] }
        let f1 = try planted.f1(found) { !split.search[$0] }
        // A fourth rule may say, truly, that a missing value hides one of the three.
        #expect(
            Set(found.rules.map { Set($0.conditions.map(shape)) })
                .isSuperset(of: planted.rules.map { Set($0.map(shape)) }))
        #expect(found.rules.count <= 5)
        // The unseen side has about 200 rows of the target for 50,000 rows: two of them are 0.01.
        #expect(f1 > own - (rows < 50_000 ? 0.025 : 0.01))
    }
}

/// Figures, truth and limits.
@Suite struct RuleTruthTests {
    private static func numeric(_ name: String, _ values: [Double]) -> FeatureColumn {
        FeatureColumn(name: name, values: .numeric(Strided(values)))
    }

    private static func boolean(_ name: String, _ values: [Int8]) -> FeatureColumn {
        FeatureColumn(name: name, values: .boolean(Strided(values)))
    }

    private static func run(
        _ table: FeatureTable, _ target: [UInt8], threads: Int = 2,
        _ change: (inout RuleSearchOptions) -> Void = { _ in }
    ) throws -> RuleSet {
        var options = RuleSearchOptions()
        change(&options)
        return try RuleSearch.run(
            table, target: Strided(target), options: options, execution: Execution(Context(threads: threads)))
    }

    /// What a condition says of a row, by its definition.
    private static func holds(_ condition: Condition, _ table: FeatureTable, _ row: Int) -> Bool {
        guard let column = table.column(named: condition.feature) else { return false }
        switch (condition.test, column.values) {
        case (.interval(let low, let high), .numeric(let values)): return values[row] >= low && values[row] < high
        case (.isMissing, .numeric(let values)): return values[row].isNaN
        case (.isPresent, .numeric(let values)): return !values[row].isNaN
        case (.isIn(let names), .categorical(let codes, let all)):
            return codes[row] >= 0 && names.contains(all[Int(codes[row])])
        case (.isNotIn(let names), .categorical(let codes, let all)):
            return codes[row] >= 0 && !names.contains(all[Int(codes[row])])
        case (.isMissing, .categorical(let codes, _)): return codes[row] == -1
        case (.isPresent, .categorical(let codes, _)): return codes[row] != -1
        case (.isTrue, .boolean(let values)): return values[row] == 1
        case (.isFalse, .boolean(let values)): return values[row] == 0
        case (.isMissing, .boolean(let values)): return values[row] == -1
        case (.isPresent, .boolean(let values)): return values[row] != -1
        default: return false
        }
    }

    @Test(arguments: [false, true]) func figuresAreThoseOfTheRowsHeldOut(byTime: Bool) throws {
        let planted = try PlantedTable(rows: 12_000, features: 16, seed: 11)
        let n = planted.table.rows
        var random = SeededRandom(seed: 5)
        let times = (0..<n).map { _ in (random.uniform() * 50).rounded() }
        var options = RuleSearchOptions()
        options.maxConditions = 4
        options.seed = 3
        if byTime { options.times = Strided(times) }
        let found = try RuleSearch.run(
            planted.table, target: Strided(planted.target), options: options, execution: Execution())
        #expect(found.rules.count >= 3)
        let split = try HoldoutSplit(target: Strided(planted.target), options: options, execution: Execution())
        var unseen = (0..<n).filter { !split.search[$0] }
        if byTime {
            // The definition: by time, then by place in the table.
            let latest = (0..<n).sorted { (times[$0], $0) < (times[$1], $1) }.suffix(Int((0.3 * Double(n)).rounded()))
            #expect(Set(latest) == Set(unseen))
            unseen = Array(latest)
        } else {
            let positives = planted.target.reduce(0) { $0 + Int($1) }
            #expect(unseen.filter { planted.target[$0] == 1 }.count == Int((0.3 * Double(positives)).rounded()))
            #expect(
                unseen.count == Int((0.3 * Double(positives)).rounded()) + Int((0.3 * Double(n - positives)).rounded()))
        }
        let seen = Set(0..<n).subtracting(unseen)
        for rule in found.rules {
            for (rows, figures) in [(Set(unseen), found.figures(rule)), (seen, found.searchFigures(rule))] {
                let matched = rows.filter { row in rule.conditions.allSatisfy { Self.holds($0, planted.table, row) } }
                let support = matched.filter { planted.target[$0] == 1 }.count
                let positives = rows.filter { planted.target[$0] == 1 }.count
                #expect(figures.matched == matched.count)
                #expect(figures.support == support)
                #expect(figures.precision == Double(support) / Double(matched.count))
                #expect(figures.recall == Double(support) / Double(positives))
                let lift = Double(support * rows.count) / Double(matched.count * positives)
                #expect(abs(figures.lift - lift) < 1e-12 * lift)
            }
        }
    }

    /// What is held out may change nothing but whether a rule stands.
    @Test func rowsHeldOutAreNeverSeen() throws {
        let planted = try PlantedTable(rows: 10_000, features: 16, seed: 21)
        let n = planted.table.rows
        let first = try Self.run(planted.table, planted.target) { $0.times = Strided((0..<n).map(Double.init)) }
        #expect(first.rules.count >= 2 && first.fallen == 0)
        var random = SeededRandom(seed: 9)
        var target = planted.target
        for row in n * 7 / 10..<n { target[row] = random.uniform() < 0.02 ? 1 : 0 }
        let columns = planted.table.columns.map { column -> FeatureColumn in
            guard case .numeric(let values) = column.values else { return column }
            var changed = values.array
            for row in n * 7 / 10..<n { changed[row] = random.uniform() * 1e6 }
            return FeatureColumn(name: column.name, values: .numeric(Strided(changed)))
        }
        let second = try Self.run(FeatureTable(rows: n, columns: columns), target) {
            $0.times = Strided((0..<n).map(Double.init))
        }
        #expect(second.tried == first.tried)
        #expect(second.rules.count + second.fallen == first.rules.count)
        #expect(second.fallen >= 2)
    }

    @Test func aPatternThatEndsFalls() throws {
        var random = SeededRandom(seed: 2)
        let n = 4000
        let x = (0..<n).map { _ in random.uniform() }
        // True until row 2800; afterwards the target is elsewhere.
        let target = (0..<n).map { row -> UInt8 in (row < 2800 ? x[row] >= 0.9 : x[row] < 0.1) ? 1 : 0 }
        let found = try Self.run(FeatureTable(rows: n, columns: [Self.numeric("x", x)]), target) {
            $0.times = Strided((0..<n).map(Double.init))
        }
        #expect(found.rules.isEmpty && found.fallen == 1)
    }

    @Test(arguments: 0..<12) func chanceMakesNoRules(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let n = 3000
        var columns = (0..<10).map { Self.numeric("n\($0)", (0..<n).map { _ in random.uniform() }) }
        columns += (0..<5).map { index in
            FeatureColumn(
                name: "c\(index)",
                values: .categorical(
                    Strided((0..<n).map { _ in Int32(random.uniform() * 700) }), categories: (0..<700).map { "\($0)" }))
        }
        let target = (0..<n).map { _ -> UInt8 in random.uniform() < 0.1 ? 1 : 0 }
        let found = try Self.run(FeatureTable(rows: n, columns: columns), target) { $0.minSupport = 2 }
        #expect(found.rules.isEmpty && found.fallen == 0)
        #expect(found.tried > 100)
    }

    /// Against every conjunction of up to three conditions on six booleans.
    @Test(arguments: 0..<10) func findsTheBestConjunctionThereIs(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let n = 2000
        let values = (0..<6).map { _ in
            (0..<n).map { _ -> Int8 in random.uniform() < 0.1 ? -1 : random.uniform() < 0.4 ? 1 : 0 }
        }
        let chosen = random.sample(3, of: 6)
        let target = (0..<n).map { row -> UInt8 in
            let inside = chosen.enumerated().allSatisfy { values[$1][row] == Int8($0 & 1) }
            return random.uniform() < (inside ? 0.8 : 0.1) ? 1 : 0
        }
        let table = try FeatureTable(rows: n, columns: values.enumerated().map { Self.boolean("b\($0)", $1) })
        let found = try Self.run(table, target) {
            $0.maxRules = 1
            $0.minPrecision = 0
            $0.minLift = 0
        }
        var options = RuleSearchOptions()
        options.minPrecision = 0
        let split = try HoldoutSplit(target: Strided(target), options: options, execution: Execution())
        let rows = (0..<n).filter { split.search[$0] }
        let base = Double(rows.filter { target[$0] == 1 }.count) / Double(rows.count)
        /// n times mutual information, less ln 6 + 1 for each condition, and ln 8 where it asks whether there is a
        /// value.
        func score(_ conditions: [Condition]) -> Double {
            var cells = [[0.0, 0.0], [0.0, 0.0]]
            for row in rows {
                let fires = conditions.allSatisfy { Self.holds($0, table, row) }
                cells[fires ? 1 : 0][Int(target[row])] += 1
            }
            let inside = cells[1][1] / max(1, cells[1][0] + cells[1][1])
            if cells[1][1] < 10 || inside <= base { return -.infinity }
            var sum = 0.0
            for fires in 0...1 {
                for label in 0...1 where cells[fires][label] > 0 {
                    let share = cells[fires][label] / (cells[fires][0] + cells[fires][1])
                    sum += cells[fires][label] * log(share / (label == 1 ? base : 1 - base))
                }
            }
            return sum
                - conditions.reduce(0) { $0 + log(6) + 1 + ([.isMissing, .isPresent].contains($1.test) ? log(8) : 0) }
        }
        let single = (0..<6).flatMap { index in
            [.isTrue, .isFalse, .isMissing, .isPresent].map { Condition(feature: "b\(index)", test: $0) }
        }
        var best = -Double.infinity
        for a in single.indices {
            best = max(best, score([single[a]]))
            for b in single.indices.dropFirst(a + 1) where single[a].feature != single[b].feature {
                best = max(best, score([single[a], single[b]]))
                for c in single.indices.dropFirst(b + 1) where single[c].feature != single[b].feature {
                    best = max(best, score([single[a], single[b], single[c]]))
                }
            }
        }
        let rule = try #require(found.rules.first)
        #expect(abs(score(rule.conditions) - best) < 1e-6)
    }

    @Test func missingIsACondition() throws {
        var random = SeededRandom(seed: 4)
        let n = 5000
        let age = (0..<n).map { _ in random.uniform() < 0.1 ? .nan : (random.uniform() * 400).rounded() }
        let trusted = (0..<n).map { _ in Int8.random(in: -1...1, using: &random) }
        let target = (0..<n).map { age[$0].isNaN && trusted[$0] != -1 ? UInt8(1) : 0 }
        let found = try Self.run(
            FeatureTable(rows: n, columns: [Self.numeric("age", age), Self.boolean("trusted", trusted)]), target)
        #expect(found.rules.map { $0.conditions.map(shape) } == [["age missing", "trusted present"]])
    }

    @Test func rareCategoriesAmongVeryMany() throws {
        var random = SeededRandom(seed: 6)
        let n = 30_000
        let ring: Set<Int32> = [17, 4711, 60_000]
        let codes = (0..<n).map { _ -> Int32 in
            random.uniform() < 0.01
                ? [17, 4711, 60_000][Int.random(in: 0..<3, using: &random)] : Int32(random.uniform() * 100_000)
        }
        let target = codes.map {
            ring.contains($0) && random.uniform() < 0.95 || random.uniform() < 0.002 ? UInt8(1) : 0
        }
        let names = (0..<100_000).map { "device \($0)" }
        let table = try FeatureTable(
            rows: n, columns: [FeatureColumn(name: "device", values: .categorical(Strided(codes), categories: names))])
        let found = try Self.run(table, target)
        #expect(
            found.rules.map { $0.conditions.map(shape) } == [
                ["device in \(["device 17", "device 4711", "device 60000"])"]
            ])
    }

    @Test func thresholdsAreThoseThatPeopleWrite() throws {
        var random = SeededRandom(seed: 8)
        let n = 20_000
        let cents = (0..<n).map { _ in (random.uniform() * 100_000).rounded() / 100 }
        let hours = (0..<n).map { _ in (random.uniform() * 23).rounded() }
        let target = (0..<n).map { cents[$0] >= 250 && cents[$0] < 400 && hours[$0] < 5 ? UInt8(1) : 0 }
        let found = try Self.run(
            FeatureTable(rows: n, columns: [Self.numeric("amount", cents), Self.numeric("hour", hours)]), target)
        #expect(
            found.rules.map(\.conditions) == [
                [
                    Condition(feature: "amount", test: .interval(low: 250, high: 400)),
                    Condition(feature: "hour", test: .interval(low: -.infinity, high: 5)),
                ]
            ])
    }

    @Test func sameForAnyNumberOfThreads() throws {
        let planted = try PlantedTable(rows: 40_000, features: 16, seed: 31)
        let one = try Self.run(planted.table, planted.target, threads: 1)
        for threads in [2, 5] { #expect(try Self.run(planted.table, planted.target, threads: threads) == one) }
        #expect(one.rules.count >= 2)
    }

    @Test func cancelStopsTheSearch() throws {
        let planted = try PlantedTable(rows: 20_000, features: 16, seed: 41)
        let context = try Context(threads: 2) { stage, fraction in "\(stage)" == "rule search" }
        #expect(throws: CoveyError.cancelled) {
            try RuleSearch.run(
                planted.table, target: Strided(planted.target), options: RuleSearchOptions(),
                execution: Execution(context))
        }
    }
}
