import CoveyRuntime
import CoveyTables
import Glibc
import Testing

@testable import CoveyHybrid

@Suite struct ShapedScalingTests {
    private func scaled(_ scaling: FeatureScaling, _ values: [Double], _ new: [Double]) throws -> [Double] {
        var options = HybridOptions()
        options.scaling = scaling
        options.clip = .infinity
        func table(_ values: [Double]) throws -> FeatureTable {
            try FeatureTable(rows: values.count, columns: [FeatureColumn(name: "x", values: .numeric(Strided(values)))])
        }
        let hybrid = try HybridFeatures(fitting: nil, table(values), options: options)
        return try hybrid.transform(nil, table(new)).elements.map(Double.init)
    }

    /// P(Z <= z) by Simpson's rule.
    private func normalShare(below z: Double) -> Double {
        let steps = 4000
        let width = (z + 12) / Double(steps)
        let sum = (0...steps).reduce(0.0) { sum, step in
            let x = -12 + width * Double(step)
            return sum + exp(-x * x / 2) * (step == 0 || step == steps ? 1 : step % 2 == 1 ? 4 : 2)
        }
        return sum * width / 3 / (2 * Double.pi).squareRoot()
    }

    /// Each value stands where as many normal values lie below as do below it, with half of its ties.
    @Test(arguments: [1, 2, 3]) func quantilesAreThoseOfRanks(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let values = (0..<300).map { _ in seed == 2 ? Double(Int(random.uniform() * 9)) : exp(6 * random.uniform()) - 30
        }
        let result = try scaled(.quantile, values, values)
        for (value, place) in zip(values, result) {
            let below = Double(values.filter { $0 < value }.count)
            let upTo = Double(values.filter { $0 <= value }.count)
            let share = min(1 - 0.5 / 300, max(0.5 / 300, (below + upTo) / 600))
            #expect(abs(normalShare(below: place * 1.349) - share) < 1e-5)
        }
        // Beyond all values as the last; between two of them between their places.
        let sorted = Array(Set(values)).sorted()
        let outside = try scaled(
            .quantile, values, [-1e300, sorted[0], (sorted[4] + sorted[5]) / 2, sorted[4], sorted[5], 1e300])
        #expect(outside[0] == outside[1] && outside[5] == result.max())
        #expect(abs(outside[2] - (outside[3] + outside[4]) / 2) < 1e-6)
    }

    /// Of more values than are kept, those in between are close to their own place.
    @Test func manyValuesAreThinned() throws {
        var random = SeededRandom(seed: 5)
        let values = (0..<20_000).map { _ in pow(random.uniform(), 4) }
        let result = try scaled(.quantile, values, values)
        let order = values.indices.sorted { values[$0] < values[$1] }
        for (rank, index) in order.enumerated() where rank % 37 == 0 {
            let share = (2 * Double(rank) + 1) / 40_000
            #expect(abs(normalShare(below: result[index] * 1.349) - share) < 0.002)
        }
    }

    @Test func logarithmsAreRobustlyScaled() throws {
        let values = [0.0, 1, 2, 4, 8, 16, 32, 1000, 1e6]
        let result = try scaled(.log, values, values + [-4])
        // The median is 8, the quartiles 2 and 32: the unit is their distance.
        func log30(_ x: Double) -> Double { x < 0 ? -log(1 - x / 30) : log(1 + x / 30) }
        for (value, place) in zip(values + [-4], result) {
            #expect(abs(place - (log30(value) - log30(8)) / (log30(32) - log30(2))) < 1e-5)
        }
    }

    @Test func theShapeChooses() throws {
        var random = SeededRandom(seed: 8)
        let even = (0..<500).map { _ in random.uniform() }
        let heavy = even.map { exp(12 * $0 * $0 * $0) }
        let signed = zip(heavy, even).map { Int($1 * 1e6) % 2 == 0 ? $0 : -$0 }
        #expect(try scaled(.automatic, even, even) == scaled(.robust, even, even))
        #expect(try scaled(.automatic, heavy, heavy) == scaled(.log, heavy, heavy))
        #expect(try scaled(.automatic, signed, signed) == scaled(.quantile, signed, signed))
        for scaling in FeatureScaling.allCases {
            #expect(try scaled(scaling, [5, 5, 5], [5, 6]).allSatisfy(\.isFinite))
            #expect(try scaled(scaling, [.nan, .nan], [.nan, 6]).allSatisfy(\.isFinite))
            #expect(try scaled(scaling, [1.7e308, -1.7e308, 1e-300, 0], [1.7e308, 0, -1e308]).allSatisfy(\.isFinite))
        }
    }

    /// Codes are the ranks of bins; what fitting did not see comes before all.
    @Test func codesKeepTheOrder() throws {
        var random = SeededRandom(seed: 2)
        let values = (0..<3000).map { _ in random.uniform() }
        let names: [Int32] = (0..<3000).map { $0 % 10 == 0 ? 1 : $0 % 3 == 0 ? -1 : 2 }
        let table = try FeatureTable(
            rows: 3000,
            columns: [
                FeatureColumn(name: "x", values: .numeric(Strided(values))),
                FeatureColumn(name: "c", values: .categorical(Strided(names), categories: ["a", "b", "c"])),
            ])
        let codes = try FeatureCodes(fitting: table, execution: Execution())
        var matrix = Matrix<Float>(rows: 3000, columns: 2, repeating: 7)
        try codes.write(table, to: &matrix, offset: 0, execution: Execution())
        let order = values.indices.sorted { values[$0] < values[$1] }
        for (a, b) in zip(order, order.dropFirst()) { #expect(matrix[a, 0] <= matrix[b, 0]) }
        #expect(Set((0..<3000).map { matrix[$0, 0] }).count > 200)
        for row in 0..<3000 { #expect(matrix[row, 1] == (names[row] == 2 ? 0 : names[row] == 1 ? 1 : -1)) }
    }
}
