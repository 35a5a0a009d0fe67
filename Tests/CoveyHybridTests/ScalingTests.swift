import CoveyRuntime
import Foundation
import Testing

@testable import CoveyHybrid
@testable import CoveyNumerics
@testable import CoveyTables

@Suite struct ScalingTests {
    let fixture: NumericsFixture

    init() throws { fixture = try NumericsFixture.load() }

    private func scaled(_ scaling: FeatureScaling, _ new: [[Double?]]) throws -> Matrix<Float> {
        var options = HybridOptions()
        options.scaling = scaling
        options.clip = .infinity
        // Undoes the block's division, for numbers that compare with the reference's.
        options.featureWeight = Double(fixture.table[0].count).squareRoot()
        let hybrid = try HybridFeatures(fitting: nil, table(fixture.table), options: options)
        return try hybrid.transform(nil, table(new))
    }

    private func expectEqual(_ actual: Matrix<Float>, _ expected: [[Double?]], missing: (Int) -> Double) {
        for (row, values) in expected.enumerated() {
            for (column, value) in values.enumerated() {
                let wanted = value ?? missing(column)
                #expect(
                    abs(Double(actual[row, column]) - wanted) <= 1e-6 * max(1, abs(wanted)),
                    "row \(row), column \(column)")
            }
        }
    }

    @Test func robustEqualsScikitLearn() throws {
        // A missing value stands at the median, which is 0 after scaling.
        expectEqual(try scaled(.robust, fixture.table), fixture.robust) { _ in 0 }
        expectEqual(try scaled(.robust, fixture.fresh), fixture.robust_fresh) { _ in 0 }
    }

    @Test func standardEqualsScikitLearn() throws {
        expectEqual(try scaled(.standard, fixture.table), fixture.standard) { column in
            // Where the median lies between its neighbours in the scaled column.
            let sorted = fixture.standard.compactMap { $0[column] }.sorted()
            return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        }
        expectEqual(try scaled(.standard, fixture.fresh), fixture.standard_fresh) { _ in .nan }
    }

    @Test func noScalingKeepsTheNumbers() throws {
        let result = try scaled(.none, fixture.fresh)
        for (row, values) in fixture.fresh.enumerated() {
            for (column, value) in values.enumerated() {
                #expect(abs(Double(result[row, column]) - value!) <= 1e-6 * abs(value!))
            }
        }
    }

    @Test(arguments: [1, 2, 3, 7, 100, 70_001]) func orderStatisticsEqualSorting(count: Int) throws {
        var random = SeededRandom(seed: UInt64(count))
        var values = (0..<count).map { index -> Double in
            switch index % 7 {
            case 0: return Double(Int.random(in: -3...3, using: &random))
            case 1: return Double(bitPattern: random.next() & ~(0x7FF << 52) | random.next() % 0x7FF << 52)
            case 2: return .leastNonzeroMagnitude * Double(Int.random(in: -5...5, using: &random))
            case 3: return -0.0
            default: return random.uniform() * 1e6 - 5e5
            }
        }
        let sorted = values.sorted()
        values.insert(.nan, at: count / 2)
        values.append(-.nan)
        let ranks = [0, 0, count / 4, count / 2, count * 3 / 4, count - 1]
        let found = try OrderStatistics.select(Strided(values), ranks: ranks, execution: Execution())
        #expect(found == ranks.map { sorted[$0] })
    }

    @Test func quartilesThatAreEqualFallBackToTheDeviation() throws {
        let values = [1.0, 1, 1, 1, 1, 1, 1, 9]
        let deviation = 7.0.squareRoot()  // mean 2, squares 7 * 1 + 49, over 8
        let hybrid = try HybridFeatures(fitting: nil, FeatureTable(rows: 8, columns: [numeric("a", values)]))
        let result = try hybrid.transform(nil, FeatureTable(rows: 8, columns: [numeric("a", values)]))
        #expect(result.elements[..<7].allSatisfy { $0 == 0 })
        #expect(abs(result.elements[7] - Float(8 / deviation)) < 1e-6)
    }

    @Test(arguments: [FeatureScaling.standard, .robust]) func constantColumnsAreZero(scaling: FeatureScaling) throws {
        var options = HybridOptions()
        options.scaling = scaling
        // 0.1 summed 1000 times is not 100: a mean that is not exact would show as noise.
        for value in [0.1, 1e308, -0x1p-1050, .nan] {
            let column = numeric("a", [Double](repeating: value, count: 1000))
            let hybrid = try HybridFeatures(fitting: nil, FeatureTable(rows: 1000, columns: [column]), options: options)
            let new = numeric("a", [value, 5, -1e300, .nan])
            let result = try hybrid.transform(nil, FeatureTable(rows: 4, columns: [new]))
            #expect(result.elements == [0, 0, 0, 0], "\(value)")
        }
    }

    @Test(arguments: [FeatureScaling.none, .standard, .robust]) func hugeAndTinyNumbersStayFinite(
        scaling: FeatureScaling
    ) throws {
        let extremes = [
            -Double.greatestFiniteMagnitude, -1e308, -1, -.leastNonzeroMagnitude, 0, .leastNonzeroMagnitude, 1, 1e308,
            .greatestFiniteMagnitude,
        ]
        for fitted in [extremes, [0, .leastNonzeroMagnitude], [1e308, -1e308], [0x1p-1060, 0x1p-1061, 0x3p-1062]] {
            for (clip, weight) in [(10.0, 1.0), (.infinity, 1), (.infinity, 1e308), (1e-300, 0)] {
                var options = HybridOptions()
                (options.scaling, options.clip, options.featureWeight) = (scaling, clip, weight)
                let table = try FeatureTable(rows: fitted.count, columns: [numeric("a", fitted)])
                let hybrid = try HybridFeatures(fitting: nil, table, options: options)
                let new = try FeatureTable(rows: extremes.count, columns: [numeric("a", extremes)])
                let result = try hybrid.transform(nil, new).elements
                let finite = result.allSatisfy(\.isFinite)
                #expect(finite, "\(fitted) \(clip) \(weight): \(result)")
                // And the order of the numbers is kept.
                #expect(result == result.sorted())
            }
        }
        let robust = try HybridFeatures(fitting: nil, FeatureTable(rows: 2, columns: [numeric("a", [-1e308, 1e308])]))
        let result = try robust.transform(nil, FeatureTable(rows: 3, columns: [numeric("a", [-1e308, 0, 1e308])]))
        // Median 0, quartiles at -0.5e308 and 0.5e308.
        #expect(result.elements == [-1, 0, 1])
    }
}
