import CoveyNumerics
import CoveyRuntime
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
