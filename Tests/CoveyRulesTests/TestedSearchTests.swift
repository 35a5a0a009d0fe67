import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveyRules

@Suite struct TestedSearchTests {
    private static let rows = 3000
    private static let folds = 5

    /// Two columns of noise and one, "ring", that tells 60 rows; every third of these is known.
    private struct Planted {
        let table: FeatureTable
        let ring: [Bool]
        let known: [UInt8]
        let fold: [Int]

        init(seed: UInt64) throws {
            var random = SeededRandom(seed: seed)
            let rows = TestedSearchTests.rows
            ring = (0..<rows).map { $0 % 50 == 7 }
            known = (0..<rows).map { $0 % 150 == 7 ? 1 : 0 }
            let isRing = ring
            func column(_ name: String, _ value: (Int) -> Double) -> FeatureColumn {
                FeatureColumn(name: name, values: .numeric(Strided((0..<rows).map(value))))
            }
            table = try FeatureTable(
                rows: rows,
                columns: [
                    column("noise", { _ in random.uniform() }), column("other", { _ in random.uniform() }),
                    column("ring", { isRing[$0] ? 10 + random.uniform() : random.uniform() }),
                ])
            // Known rows are in folds in turn.
            fold = (0..<rows).map { $0 % 150 == 7 ? $0 / 150 % TestedSearchTests.folds : $0 % TestedSearchTests.folds }
        }
    }

    private static func run(
        _ table: FeatureTable, _ target: [UInt8], described: [Bool], fold: [Int], folds: Int,
        precision: Double = 0.15
    ) throws -> RuleSet {
        let none = [Bool](repeating: false, count: target.count)
        let trials = (0..<folds).map { number in
            let unseen = fold.map { $0 == number }
            return RuleTrial(
                isUnseen: unseen, isDescribed: target.indices.map { described[$0] && !unseen[$0] }, minPrecision: 0.5)
        }
        var options = RuleSearchOptions()
        options.minSupport = 3
        options.minLift = 1
        return try TestedSearch.run(
            table, target: Strided(target), isUsed: none.map { !$0 },
            whole: RuleTrial(isUnseen: none, isDescribed: described, minPrecision: 0.5), trials: trials,
            least: TestedSearch.Least(precision: precision, possible: precision), options: options,
            execution: Execution())
    }

    @Test func aRuleIsTestedOnAllRowsByTheSearchesThatDidNotSeeThem() throws {
        let planted = try Planted(seed: 1)
        let found = try Self.run(
            planted.table, planted.known, described: planted.ring, fold: planted.fold, folds: Self.folds)
        #expect(found.rules.count == 1 && found.rules.first?.conditions.map(\.feature) == ["ring"])
        let rule = try #require(found.rules.first)
        // The ring stands so far off that the search of every trial finds the same rows.
        #expect(rule.unseen.matched == planted.ring.count { $0 })
        #expect(rule.unseen.support == planted.known.count { $0 == 1 })
        #expect(rule.stability == 1 && found.unseen.rows == Self.rows && found.search.rows == Self.rows)
        #expect(Narrative(found).sentence(rule).contains("transactions that it matched in tests are "))
    }

    @Test func oneTrialIsAHoldOut() throws {
        let planted = try Planted(seed: 2)
        let found = try Self.run(planted.table, planted.known, described: planted.ring, fold: planted.fold, folds: 1)
        let rule = try #require(found.rules.first)
        let unseen = (0..<Self.rows).filter { planted.fold[$0] == 0 }
        #expect(found.unseen.rows == unseen.count && found.search.rows == Self.rows - unseen.count)
        #expect(rule.unseen.matched == unseen.count { planted.ring[$0] })
        #expect(rule.unseen.support == unseen.count { planted.known[$0] == 1 })
        #expect(rule.stability == nil)
        #expect(Narrative(found).sentence(rule).contains(" matching transactions are "))
    }

    /// What is described may be likely by mistake: known rows that the search does not see have the last word.
    @Test func describedRowsThatAreNotOfTheTargetGiveNoRule() throws {
        let planted = try Planted(seed: 3)
        let known = planted.known.indices.map { UInt8($0 % 150 == 8 ? 1 : 0) }
        let found = try Self.run(planted.table, known, described: planted.ring, fold: planted.fold, folds: Self.folds)
        #expect(found.rules.isEmpty && found.fallen > 0 && found.note != nil)
    }

    @Test func aRuleMustReachWhatIsWanted() throws {
        let planted = try Planted(seed: 4)
        // A third of the ring is known.
        for (precision, count) in [(0.3, 1), (0.6, 0)] {
            let found = try Self.run(
                planted.table, planted.known, described: planted.ring, fold: planted.fold, folds: Self.folds,
                precision: precision)
            #expect(found.rules.count == count && (count == 1 || found.note?.contains("60") == true))
        }
    }

    /// 40 runs in which the target is chance, of which 5 % may give a rule.
    @Test func chanceSeldomGivesARule() throws {
        var found = 0
        for seed in 0..<40 {
            let planted = try Planted(seed: UInt64(seed))
            var random = SeededRandom(seed: UInt64(1000 + seed))
            var order = Array(0..<Self.rows)
            order.shuffle(using: &random)
            var target = [UInt8](repeating: 0, count: Self.rows)
            var fold = (0..<Self.rows).map { $0 % Self.folds }
            for (place, row) in order.prefix(20).enumerated() {
                target[row] = 1
                fold[row] = place % Self.folds
            }
            let rules = try Self.run(
                planted.table, target, described: target.map { $0 == 1 }, fold: fold, folds: Self.folds,
                precision: 0.05)
            found += rules.rules.isEmpty ? 0 : 1
        }
        #expect(found <= 4)
    }
}
