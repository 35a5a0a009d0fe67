import CoveyClustering
import CoveyHybrid
import CoveyRuntime
import CoveySequences
import CoveyTables
import Testing

@testable import CoveyRisk

@Suite("Rows that are equal, and in any order")
struct EqualRowsTests {
    private func clustering(_ matrix: Matrix<Float>) throws -> Clustering {
        var options = ClusterOptions()
        options.minSamples = 1
        options.prediction = true
        return try matrix.withView { try Clustering($0, options) }
    }

    /// Points on a small grid: most rows have equal ones, and most distances are equal.
    private func grid(_ rows: Int, seed: UInt64) -> Matrix<Float> {
        var random = SeededRandom(seed: seed)
        return Matrix(
            rows: rows, columns: 2,
            elements: (0..<2 * rows).map { _ in Float(Int.random(in: 0..<5, using: &random)) })
    }

    private func labels(_ rows: Int, fraud: Int, seed: UInt64) throws -> KnownLabels {
        var random = SeededRandom(seed: seed)
        let values = (0..<rows).map { Int8($0 < fraud ? 1 : -1) }.shuffled(using: &random)
        return try KnownLabels(Strided(values), population: .all, execution: Execution())
    }

    /// The mean over all orders of rows at one distance: each of them counts as all of them together.
    private func share(_ near: [(distance: Double, isFraud: Bool)]) -> Double? {
        let sorted = near.sorted { $0.distance < $1.distance }
        var (sum, weights) = (0.0, 0.0)
        for place in 0..<min(20, sorted.count) {
            let alike = sorted.filter { $0.distance == sorted[place].distance }
            let weight = 1 / Double(place + 1)
            sum += weight * Double(alike.count { $0.isFraud }) / Double(alike.count)
            weights += weight
        }
        return sorted.isEmpty ? nil : sum / weights
    }

    @Test(arguments: [(1, 90), (2, 9), (3, 1), (4, 400)] as [(UInt64, Int)])
    func neighboursAreThoseOfEveryRow(seed: UInt64, fraud: Int) throws {
        let rows = fraud == 400 ? 401 : 120
        let matrix = grid(rows, seed: seed)
        let known = try labels(rows, fraud: fraud, seed: seed)
        let folds = try RowFolds(known, seed: 3, execution: Execution())
        let near = KnownNeighbours(
            try DistinctReference(clustering(matrix), execution: Execution()), labels: known)
        let own = try matrix.withView {
            try near.ownShares(known, folds, approximate: false, seed: 0, view: $0, execution: context(2))
        }
        func distance(_ a: Int, _ x: Float, _ y: Float) -> Double {
            let (dx, dy) = (Double(matrix[a, 0] - x), Double(matrix[a, 1] - y))
            return (dx * dx + dy * dy).squareRoot()
        }
        for row in 0..<rows {
            let fold = Int(folds.folds[row])
            let others = (0..<rows).filter { $0 != row && !folds.isHidden($0, from: fold) }
            let expected = share(
                others.map { (distance($0, matrix[row, 0], matrix[row, 1]), known.isFraud($0)) })
            #expect((own[row] == nil) == (expected == nil))
            #expect(abs((own[row] ?? 0) - (expected ?? 0)) < 1e-12, "row \(row)")
        }
        let new = Matrix<Float>(rows: 2, columns: 2, elements: [1, 1, 2.25, 3.5])
        try new.withView {
            try near.reference.nearest(30, of: $0, execution: Execution()) { row, found in
                let all = (0..<rows).map { (distance($0, new[row, 0], new[row, 1]), known.isFraud($0)) }
                #expect(abs((near.share(found) ?? -1) - (share(all) ?? -2)) < 1e-12)
            }
        }
    }

    /// The nearest first, each with a weight of its own, where no two are alike.
    @Test func rowsWithoutTiesCountByTheirPlace() {
        var share = RankedShare(most: 3)
        #expect(share.value() == nil && !share.isFull)
        for (place, fraud) in [1, 0, 1, 1].enumerated() { share.add(1, fraud: fraud, at: Double(place)) }
        #expect(share.isFull)
        #expect(share.value() == (1 + 1.0 / 3) / (1 + 1.0 / 2 + 1.0 / 3))
    }

    private func table(_ rows: [(kind: Int32, amount: Double)]) throws -> FeatureTable {
        try FeatureTable(
            rows: rows.count,
            columns: [
                FeatureColumn(
                    name: "kind", values: .categorical(Strided(rows.map(\.kind)), categories: ["a", "b", "c"])),
                FeatureColumn(name: "amount", values: .numeric(Strided(rows.map(\.amount)))),
                FeatureColumn(name: "same", values: .numeric(Strided(rows.map { _ in 1.0 }))),
            ])
    }

    private func fit(_ table: FeatureTable, _ values: [Int8]) throws -> Evidence.Fit {
        let hybrid = try HybridFeatures(fitting: nil, table, options: HybridOptions(), execution: Execution())
        let view = EvidenceView(
            hybrid: hybrid, clustering: try clustering(hybrid.transform(nil, table, execution: Execution())))
        var options = Evidence.Options()
        options.trees = 20
        options.groups.permutations = 99
        return try Evidence.fit(
            [view], of: EvidenceInput(count: values.count, embeddings: nil, table: table, sequences: nil),
            vocabulary: 0, labels: KnownLabels(Strided(values), population: .all, execution: Execution()),
            options: options, execution: Execution())
    }

    /// A row gets what it got, whatever its place in the table; rows that are equal may stand for each other.
    @Test(arguments: [5, 6, 7]) func permutedRowsGivePermutedEvidence(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let rows: [(kind: Int32, amount: Double)] = (0..<240).map { row in
            row < 24
                ? (2, 900 + Double(row % 4))
                : (Int32.random(in: 0..<3, using: &random), Double(Int.random(in: 0..<30, using: &random)))
        }
        let values = rows.indices.map { Int8($0 < 18 || $0 % 40 == 39 ? 1 : -1) }
        let order = rows.indices.shuffled(using: &random)
        let sorted = try fit(table(rows), values)
        let shuffled = try fit(table(order.map { rows[$0] }), order.map { values[$0] })
        func told(_ fit: Evidence.Fit, _ row: (Int) -> Int) -> [String: [(Double, Int)]] {
            var result: [String: [(Double, Int)]] = [:]
            for place in rows.indices {
                let own = row(place)
                result["\(rows[own]) \(values[own])", default: []].append((fit.rows[place].risk, fit.rows[place].group))
            }
            return result.mapValues { $0.sorted { $0 < $1 } }
        }
        let (first, second) = (told(sorted) { $0 }, told(shuffled) { order[$0] })
        for (kind, expected) in first {
            let found = try #require(second[kind])
            #expect(found.map(\.1) == expected.map(\.1), "\(kind)")
            #expect(zip(found, expected).allSatisfy { abs($0.0 - $1.0) < 1e-9 }, "\(kind)")
        }
        #expect(sorted.evidence.groups.groups.map(\.rows) == shuffled.evidence.groups.groups.map(\.rows))
        #expect(!sorted.evidence.groups.groups.isEmpty && sorted.bestPValue == shuffled.bestPValue)
    }

    @Test func rowsThatAreAllEqualSayNothing() throws {
        let rows = [(kind: Int32, amount: Double)](repeating: (0, 1), count: 300)
        let fit = try fit(table(rows), rows.indices.map { $0 < 15 ? 1 : -1 })
        #expect(fit.evidence.groups.groups.isEmpty && fit.evidence.shareSource == .unknown)
        let risks = fit.rows.map(\.risk)
        #expect((risks.max() ?? 1) - (risks.min() ?? 0) < 0.01)
    }

    /// Events are read by their times, in whatever order they are given.
    @Test func eventsAreReadByTheirTimes() throws {
        var random = SeededRandom(seed: 4)
        let times = (0..<12).map { _ in 100 * random.uniform() }
        func columns(_ order: [Int]) throws -> FeatureTable {
            let batch = try SequenceBatch(
                offsets: SequenceOffsets(Strided([0, 5, 12])), types: Strided(order.map { Int32(1 + $0 % 3) }),
                times: Strided(order.map { times[$0] }), dwell: Strided(order.map { Double($0) }))
            let columns = try EventColumns(fitting: batch, vocabulary: 4, execution: Execution())
            return try columns.table(
                columns.matrix(batch, vocabulary: 4, execution: Execution()), execution: Execution())
        }
        let byTime = (0..<5).sorted { times[$0] < times[$1] } + (5..<12).sorted { times[$0] < times[$1] }
        let expected = try columns(byTime)
        for order in [Array(0..<12), Array((0..<5).reversed()) + (5..<12).reversed()] {
            let found = try columns(order)
            for (own, other) in zip(found.columns, expected.columns) {
                guard case .numeric(let left) = own.values, case .numeric(let right) = other.values else {
                    Issue.record("\(own.name) is not numeric")
                    continue
                }
                #expect((0..<2).allSatisfy { left[$0] == right[$0] }, "\(own.name)")
            }
        }
    }
}
