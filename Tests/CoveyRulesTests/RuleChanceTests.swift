import CoveyRuntime
import CoveyTables
import Glibc
import Testing

@testable import CoveyRules

/// Chance is told from what is there, as often as is promised.
@Suite struct RuleChanceTests {
    @Test func tailIsThatOfAllPermutations() {
        // All ways of placing the target among eleven rows, the first five of which match.
        for target in 1...10 {
            for support in 0...min(5, target) where 5 - support <= 11 - target + 5 {
                var (hits, all) = (0, 0)
                for set in 0..<(1 << 11) where set.nonzeroBitCount == target {
                    all += 1
                    if (set & 0b11111).nonzeroBitCount >= support { hits += 1 }
                }
                let tail = ChanceTest.tail(support: support, matched: 5, target: target, rows: 11)
                #expect(abs(tail - Double(hits) / Double(all)) < 1e-12, "\(target) \(support)")
            }
        }
        #expect(ChanceTest.tail(support: 0, matched: 0, target: 3, rows: 9) == 1)
        // 2,000,000 rows, nothing but the expected number of hits: about one half.
        let even = ChanceTest.tail(support: 1000, matched: 100_000, target: 20_000, rows: 2_000_000)
        #expect(even > 0.5 && even < 0.52)
        let far = ChanceTest.tail(support: 20_000, matched: 100_000, target: 20_000, rows: 2_000_000)
        #expect(far >= 0 && far < 1e-300)
    }

    @Test func holmIsItsDefinition() {
        #expect(ChanceTest.holm([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06])
        #expect(ChanceTest.holm([0.5, 0.9]) == [1, 1])
        #expect(ChanceTest.holm([]) == [])
        #expect(ChanceTest.holm([0.2]) == [0.2])
    }

    /// Features that know nothing of the target, and a search that asks for next to nothing.
    private static func noise(_ seed: UInt64, _ change: (inout RuleSearchOptions) -> Void) throws -> RuleSet {
        var random = SeededRandom(seed: seed &* 7919 &+ 1)
        let n = 240
        let columns = (0..<5).map { index in
            FeatureColumn(name: "x\(index)", values: .numeric(Strided((0..<n).map { _ in random.uniform() })))
        }
        let target = (0..<n).map { _ in random.uniform() < 0.3 ? UInt8(1) : 0 }
        var options = RuleSearchOptions()
        options.minSupport = 4
        options.minPrecision = 0
        options.minLift = 0
        options.maxRules = 3
        options.maxBins = 12
        options.beamWidth = 8
        options.quality = .weightedAccuracy
        options.chargesLength = false
        options.heldOut = 0.5
        options.seed = seed
        change(&options)
        return try RuleSearch.run(
            FeatureTable(rows: n, columns: columns), target: Strided(target), options: options, execution: Execution())
    }

    /// Of searches among noise, no more than `significance` return a rule, but for what chance adds to their number.
    @Test func unseenRowsTellChance() throws {
        let seeds = 400
        var (found, chosen) = (0, 0)
        for seed in 0..<seeds {
            let set = try Self.noise(UInt64(seed)) { $0.significance = 0.1 }
            found += set.rules.isEmpty ? 0 : 1
            chosen += set.rules.count + set.fallen
        }
        // Each search does choose rules: without a test they would stand.
        #expect(chosen > 2 * seeds)
        // 40 expected at the most: 59 is 3.2 standard deviations above.
        #expect(found <= 59)
        // Not a test that says no to everything.
        #expect(found >= 4)
        // With its length charged, hardly a rule is chosen.
        let charged = try (0..<seeds).reduce(0) { sum, seed in
            let set = try Self.noise(UInt64(seed)) { $0.chargesLength = true }
            return sum + set.rules.count + set.fallen
        }
        #expect(charged < seeds / 10)
    }

    /// The permuted searches correct for everything tried: their p values are uniform, from 1 / (B + 1).
    @Test func permutedSearchesTellChance() throws {
        let seeds = 150
        var values: [Double] = []
        for seed in 0..<seeds {
            let set = try Self.noise(UInt64(seed)) {
                $0.significance = 0
                $0.maxRules = 1
                $0.permutations = 19
            }
            if let value = set.rules.first?.searchPValue { values.append(value) }
        }
        #expect(values.count > seeds / 2)
        #expect(values.allSatisfy { $0 >= 0.05 && $0 <= 1 })
        // Three standard deviations above 5% and 20% of the searches.
        #expect(values.filter { $0 <= 0.05 }.count <= 16)
        #expect(values.filter { $0 <= 0.2 }.count <= 45)
        #expect(values.filter { $0 <= 0.5 }.count >= values.count / 4)
    }

    @Test func whatIsThereIsSignificantAndStable() throws {
        let planted = try PlantedTable(rows: 20_000, features: 16, seed: 17)
        var options = RuleSearchOptions()
        options.maxConditions = 4
        options.permutations = 19
        options.resamples = 6
        let found = try RuleSearch.run(
            planted.table, target: Strided(planted.target), options: options, execution: Execution())
        let shapes = planted.rules.map { Set($0.map(shape)) }
        let true_ = found.rules.filter { shapes.contains(Set($0.conditions.map(shape))) }
        #expect(true_.count == 3)
        for rule in true_ {
            #expect(rule.pValue.map { $0 < 1e-9 } == true && rule.searchPValue == 0.05)
            #expect(rule.stability.map { $0 >= 0.5 } == true)
        }
        // A level that nothing reaches, and a stability that hardly any reaches.
        options.significance = 0.04
        let none = try RuleSearch.run(
            planted.table, target: Strided(planted.target), options: options, execution: Execution())
        #expect(none.rules.isEmpty && none.fallen == found.rules.count + found.fallen)
    }

    /// Half of the rows know a rule by chance: it does not come back in other halves.
    @Test func chanceIsNotStable() throws {
        var shares: [Double] = []
        for seed in 0..<20 {
            let set = try Self.noise(UInt64(seed)) {
                $0.significance = 0
                $0.resamples = 8
                $0.maxConditions = 3
            }
            shares += set.rules.compactMap(\.stability)
        }
        #expect(shares.count > 20 && shares.reduce(0, +) / Double(shares.count) < 0.4)
    }
}
