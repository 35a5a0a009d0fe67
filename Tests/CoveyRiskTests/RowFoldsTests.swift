import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveyRisk

@Suite struct RowFoldsTests {
    private func labels(_ fraud: Int, of rows: Int) throws -> KnownLabels {
        var random = SeededRandom(seed: 7)
        let values = (0..<rows).map { Int8($0 < fraud ? 1 : -1) }.shuffled(using: &random)
        return try KnownLabels(Strided(values), population: .all, execution: Execution())
    }

    @Test(arguments: [2, 3, 9, 10, 47, 199]) func everyPartHasItsShare(fraud: Int) throws {
        let labels = try labels(fraud, of: 200)
        let folds = try RowFolds(labels, seed: 1, execution: Execution())
        #expect(folds.count == min(10, fraud))
        for fold in 0..<folds.count {
            let rows = folds.rows(of: fold)
            let known = rows.count { labels.isFraud($0) }
            #expect((fraud / folds.count...(fraud + folds.count - 1) / folds.count).contains(known))
            let seen = try folds.labels(without: fold, labels, execution: Execution())
            #expect(seen.fraud == fraud - known && seen.counted == 200 - rows.count)
            #expect(rows.allSatisfy { !seen.isCounted($0) && folds.isHidden($0, from: fold) })
        }
        #expect((0..<folds.count).flatMap { folds.rows(of: $0) }.sorted() == Array(0..<200))
        #expect(try RowFolds(labels, seed: 1, execution: Execution()).folds == folds.folds)
    }

    /// The only known fraud sees none, and all others see it.
    @Test func oneKnownFraud() throws {
        let labels = try labels(1, of: 30)
        let folds = try RowFolds(labels, seed: 1, execution: Execution())
        let fraud = try #require((0..<30).first { labels.isFraud($0) })
        for row in 0..<30 {
            let seen = try folds.labels(without: Int(folds.folds[row]), labels, execution: Execution())
            #expect(seen.fraud == (row == fraud ? 0 : 1))
        }
        #expect(Evidence.nearParts([(tree: 0, neighbours: 0)], base: 0) == (0, 0))
    }

    /// Where an estimate is the purest of many sets, the ends hold more than it.
    @Test func theKnownShareHasEnds() {
        let few = KnownShare(fraud: 6, of: 8, looked: 1, isChosenByLabels: false)
        let many = KnownShare(fraud: 6, of: 8, looked: 200, isChosenByLabels: false)
        #expect(few.low == few.share && few.share < 6.0 / 8 && few.high > 6.0 / 8)
        #expect(many.share == few.share && many.low < 0.8 * many.share && many.low > 0 && many.high == few.high)
        let given = KnownShare(exact: 0.3)
        #expect(given.low == 0.3 && given.high == 0.3)
    }
}
