import CoveyNumerics
import CoveyRuntime
import CoveyTables
import Glibc
import Testing

@testable import CoveyRules

/// Each quality against a slow look at everything there is.
@Suite struct RuleQualityTests {
    static let qualities: [RuleQuality] = [.likelihood, .weightedAccuracy, .fBeta, .lift, .amount]

    /// A table, its target, and what each row weighs.
    struct Rows {
        let table: FeatureTable
        let target: [UInt8]
        let weights: [Double]
        let amounts: [Double]
        let options: RuleSearchOptions

        init(_ columns: [FeatureColumn], target: [UInt8], quality: RuleQuality, seed: UInt64, conditions: Int) throws {
            var random = SeededRandom(seed: seed ^ 77)
            let n = target.count
            table = try FeatureTable(rows: n, columns: columns)
            self.target = target
            weights = (0..<n).map { _ in seed % 2 == 0 ? 1 : (random.uniform() * 4).rounded() }
            amounts = (0..<n).map { _ in (random.uniform() * 50).rounded() }
            var options = RuleSearchOptions()
            options.quality = quality
            options.beta = seed % 3 == 0 ? 1 : 0.5
            options.maxConditions = conditions
            options.maxRules = 1
            options.minSupport = 12
            options.minPrecision = 0
            options.minLift = 0
            options.significance = 0
            options.weights = Strided(weights)
            options.amounts = Strided(amounts)
            options.times = Strided((0..<n).map(Double.init))
            self.options = options
        }

        func run() throws -> RuleSet {
            try RuleSearch.run(table, target: Strided(target), options: options, execution: Execution())
        }

        /// The quality by its definition, on the rows of the search; nil where the support is too small.
        func value(_ rows: [Int], of search: [Int], features: Int, bits: Double) -> Double? {
            func sum(_ rows: [Int], _ class: UInt8) -> Double {
                rows.reduce(0) { $0 + (target[$1] == `class` ? weights[$1] : 0) }
            }
            let (matched, n0) = (sum(rows, 1), sum(rows, 0))
            let (all, others) = (sum(search, 1), sum(search, 0))
            guard matched >= 12 else { return nil }
            var (p, n) = (matched, n0)
            // The other qualities pay for length by the lower end of the interval of the rule's precision.
            if options.quality != .likelihood {
                p = (p + n) * WilsonInterval(share: p / (p + n), trials: p + n, z: (2 * bits).squareRoot()).low
                n = matched + n0 - p
            }
            switch options.quality {
            case .likelihood:
                func h(_ a: Double, _ b: Double) -> Double {
                    (a > 0 ? a * log(a / (a + b)) : 0) + (b > 0 ? b * log(b / (a + b)) : 0)
                }
                guard p * others >= n * all else { return nil }
                return h(p, n) + h(all - p, others - n) - h(all, others) - bits
            case .weightedAccuracy:
                return (p + n) / (all + others) * (p / (p + n) - all / (all + others))
            case .fBeta:
                let (precision, recall) = (p / (p + n), p / all)
                let b = options.beta * options.beta
                return (1 + b) * precision * recall / (b * precision + recall)
            case .lift: return p / (p + n) / (all / (all + others))
            case .amount:
                let amount = rows.reduce(0) { $0 + (target[$1] == 1 ? weights[$1] * amounts[$1] : 0) }
                return amount * p / matched / (n + 1)
            }
        }

        var search: [Int] {
            get throws {
                let split = try HoldoutSplit(target: Strided(target), options: options, execution: Execution())
                return target.indices.filter { split.search[$0] }
            }
        }
    }

    private static func holds(_ condition: Condition, _ table: FeatureTable) throws -> [Bool] {
        var any = [UInt8](repeating: 0, count: table.rows)
        try any.withUnsafeMutableBufferPointer {
            try RuleEvaluator(PlantedTable.set([[condition]], table)).evaluate(table, any: $0, execution: Execution())
        }
        return any.map { $0 == 1 }
    }

    /// All conjunctions of up to three conditions on six booleans with missing values.
    @Test(arguments: qualities, 0..<6) func conjunctions(quality: RuleQuality, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let n = 900
        let columns = (0..<6).map { index in
            FeatureColumn(
                name: "b\(index)",
                values: .boolean(Strided((0..<n).map { _ in Int8.random(in: -1...1, using: &random) })))
        }
        let flags = columns.map { column -> [Int8] in
            guard case .boolean(let values) = column.values else { return [] }
            return values.array
        }
        let target = (0..<n).map { row -> UInt8 in
            let risky = flags[0][row] == 1 && flags[1][row] != 0 || flags[2][row] == -1 && flags[3][row] == 0
            return random.uniform() < (risky ? 0.6 : 0.1) ? 1 : 0
        }
        let rows = try Rows(columns, target: target, quality: quality, seed: seed, conditions: 3)
        let search = try rows.search
        let single = (0..<6).flatMap { index in
            [Condition.Test.isTrue, .isFalse, .isMissing, .isPresent].map { Condition(feature: "b\(index)", test: $0) }
        }
        let masks = try single.map { try Self.holds($0, rows.table) }
        func bits(_ condition: Condition) -> Double {
            switch condition.test {
            case .isMissing, .isPresent: log(6) + 1 + log(8)
            default: log(6) + 1
            }
        }
        var best = -Double.infinity
        func look(_ chosen: [Int], _ matching: [Int]) {
            if !chosen.isEmpty {
                let cost = chosen.reduce(0) { $0 + bits(single[$1]) }
                best = max(best, rows.value(matching, of: search, features: 6, bits: cost) ?? -.infinity)
            }
            guard chosen.count < 3 else { return }
            for next in ((chosen.last.map { ($0 / 4 + 1) * 4 }) ?? 0)..<single.count {
                look(chosen + [next], matching.filter { masks[next][$0] })
            }
        }
        look([], search.filter { rows.weights[$0] > 0 })
        let found = try rows.run()
        let rule = try #require(found.rules.first)
        let matching = try search.filter { row in
            try rule.conditions.allSatisfy { try masks[#require(single.firstIndex(of: $0))][row] }
        }
        let value = try #require(
            rows.value(matching, of: search, features: 6, bits: rule.conditions.reduce(0) { $0 + bits($1) }))
        #expect(abs(value - best) < 1e-9 * max(1, abs(best)))
    }

    /// All intervals of a whole number of twenty values.
    @Test(arguments: qualities, 0..<6) func intervals(quality: RuleQuality, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let n = 4000
        let values = (0..<n).map { _ in random.uniform() < 0.1 ? Double.nan : (random.uniform() * 20).rounded(.down) }
        let target = values.map { random.uniform() < ($0 >= 5 && $0 < 9 ? 0.5 : $0 > 15 ? 0.3 : 0.1) ? UInt8(1) : 0 }
        let rows = try Rows(
            [FeatureColumn(name: "x", values: .numeric(Strided(values)))], target: target, quality: quality, seed: seed,
            conditions: 1)
        let search = try rows.search
        func value(_ low: Double, _ high: Double) -> Double? {
            let matching = search.filter { values[$0] >= low && values[$0] < high }
            let bits = 1 + log(20.0) * (low > 0 && high < 20 ? 2 : 1)
            return rows.value(matching, of: search, features: 1, bits: bits)
        }
        var best = -Double.infinity
        for low in 0..<20 {
            for high in low + 1...20 where high - low < 20 {
                best = max(best, value(Double(low), Double(high)) ?? best)
            }
        }
        let rule = try #require(try rows.run().rules.first)
        guard case .interval(let low, let high) = rule.conditions[0].test else { return #expect(Bool(false)) }
        // A shorter bound may cost less than one row's evidence.
        #expect(try #require(value(max(low, 0), min(high, 20))) > best - (quality == .likelihood ? 1 : 0.002 * best))
    }

    /// All sets of six categories.
    @Test(arguments: qualities, 0..<6) func categories(quality: RuleQuality, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let n = 3000
        let codes = (0..<n).map { _ in Int32(random.uniform() * 6.5) - (random.uniform() < 0.1 ? 7 : 0) }
            .map { $0 < 0 ? Int32(-1) : min($0, 5) }
        let shares = [0.05, 0.4, 0.1, 0.45, 0.02, 0.2]
        let target = codes.map { random.uniform() < ($0 < 0 ? 0.1 : shares[Int($0)]) ? UInt8(1) : 0 }
        let names = (0..<6).map { "c\($0)" }
        let rows = try Rows(
            [FeatureColumn(name: "c", values: .categorical(Strided(codes), categories: names))], target: target,
            quality: quality, seed: seed, conditions: 1)
        let search = try rows.search
        func value(_ inside: Set<Int32>, named: Int) -> Double? {
            let matching = search.filter { inside.contains(codes[$0]) }
            // Six categories and the pool of those without a bin of their own.
            return rows.value(matching, of: search, features: 1, bits: 1 + log(8.0) * Double(named))
        }
        var best = -Double.infinity
        for set in 1..<63 {
            let inside = Set((0..<6).filter { set >> $0 & 1 == 1 }.map { Int32($0) })
            best = max(best, value(inside, named: min(inside.count, 6 - inside.count)) ?? best)
        }
        let rule = try #require(try rows.run().rules.first)
        let inside: Set<Int32>
        switch rule.conditions[0].test {
        case .isIn(let chosen): inside = Set(chosen.compactMap { names.firstIndex(of: $0).map { Int32($0) } })
        case .isNotIn(let chosen): inside = Set((0..<6).filter { !chosen.contains(names[Int($0)]) })
        default: return #expect(Bool(false))
        }
        #expect(
            abs(try #require(value(inside, named: min(inside.count, 6 - inside.count))) - best) < 1e-9
                * max(1, abs(best)))
    }

    /// A weight of k is k equal rows, for rules, figures and intervals of thresholds alike.
    @Test(arguments: qualities) func weightsAreRepeatedRows(quality: RuleQuality) throws {
        let planted = try PlantedTable(rows: 9000, features: 16, seed: 5)
        let n = planted.table.rows
        let seen = 6300
        var random = SeededRandom(seed: 3)
        // The unseen rows weigh 1, so that both tables are cut at the same row.
        let counts = (0..<n).map { $0 < seen ? Int(random.uniform() * 4) : 1 }
        let amounts = (0..<n).map { Double($0 % 10) }
        let repeated = (0..<n).flatMap { Array(repeating: $0, count: counts[$0]) }
        func taken<T>(_ values: Strided<T>) -> Strided<T> { Strided(repeated.map { values[$0] }) }
        let columns = planted.table.columns.map { column in
            switch column.values {
            case .numeric(let values): FeatureColumn(name: column.name, values: .numeric(taken(values)))
            case .boolean(let values): FeatureColumn(name: column.name, values: .boolean(taken(values)))
            case .categorical(let codes, let names):
                FeatureColumn(name: column.name, values: .categorical(taken(codes), categories: names))
            case .date: column
            }
        }
        var options = RuleSearchOptions()
        options.quality = quality
        options.minPrecision = 0
        options.minLift = 0
        options.significance = 0
        // Rows that are repeated support what only they say.
        options.minSupport = 40
        options.amounts = Strided(amounts)
        options.weights = Strided(counts.map(Double.init))
        options.times = Strided((0..<n).map(Double.init))
        let used = counts.filter { $0 > 0 }.count
        options.heldOut = Double(n - seen) / Double(used)
        let weighted = try RuleSearch.run(
            planted.table, target: Strided(planted.target), options: options, execution: Execution())
        options.weights = nil
        options.amounts = Strided(repeated.map { amounts[$0] })
        options.times = Strided(repeated.indices.map(Double.init))
        options.heldOut = Double(n - seen) / Double(repeated.count)
        let plain = try RuleSearch.run(
            FeatureTable(rows: repeated.count, columns: columns), target: Strided(repeated.map { planted.target[$0] }),
            options: options, execution: Execution())
        #expect(!plain.rules.isEmpty, "\(plain.fallen) fell of \(plain.tried)")
        #expect(weighted.rules.map(\.conditions) == plain.rules.map(\.conditions))
        for (a, b) in zip(weighted.rules, plain.rules) {
            #expect(
                a.search.supportWeight == Double(b.search.support) && a.search.matchedWeight == Double(b.search.matched)
            )
            #expect(a.search.amount == b.search.amount && a.unseen == b.unseen)
            #expect(weighted.searchFigures(a).precision == plain.searchFigures(b).precision)
            #expect(weighted.searchFigures(a).recall == plain.searchFigures(b).recall)
            #expect(weighted.searchFigures(a).lift == plain.searchFigures(b).lift)
        }
    }

    @Test func intervalsOfWeightedSharesHaveFewerTrials() throws {
        // Four rows of weight 1, 1, 1 and 5, of which the last is in the target: 64 / 28 trials.
        var counts = Rule.Counts(matched: 4, support: 1)
        (counts.matchedWeight, counts.supportWeight, counts.squares) = (8, 5, 28)
        let figures = RuleFigures(counts, of: .init(rows: 100, target: 10), z: 1.96)
        #expect(figures.precision == 0.625 && figures.matched == 4)
        #expect(figures.interval == WilsonInterval(share: 0.625, trials: 64.0 / 28, z: 1.96))
        #expect(figures.interval.high - figures.interval.low > 0.75)
    }
}
