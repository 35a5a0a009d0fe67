import CoveyRuntime
import CoveyTables
import Foundation
import Testing

@testable import CoveyRisk

/// Weights of the evidence's sources, against the function that they are to minimise.
@Suite struct SourceWeightsTests {
    private struct Case {
        let sources: [EvidenceSources]
        let labels: KnownLabels
        let folds: RowFolds
        var isFraud: [Bool] { sources.indices.map { labels.isFraud($0) } }
    }

    /// Sources of which the first `telling` rise by `gap` if a row is known to be fraud; the others are noise.
    private func made(fraud: Int, of rows: Int, telling: Int, gap: Double, seed: UInt64 = 3) throws -> Case {
        var random = SeededRandom(seed: seed)
        let values = (0..<rows).map { Int8($0 < fraud ? 1 : -1) }.shuffled(using: &random)
        let labels = try KnownLabels(Strided(values), population: .all, execution: Execution())
        let sources = values.map { value -> EvidenceSources in
            func number(_ source: Int) -> Double {
                let noise = (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &random) }
                return noise + (value == 1 && source < telling ? gap : 0)
            }
            return EvidenceSources(
                tree: number(0), neighbours: number(1), features: number(2), eventForest: number(3),
                eventModel: number(4), joint: number(5))
        }
        return Case(
            sources: sources, labels: labels, folds: try RowFolds(labels, seed: 1, execution: Execution()))
    }

    private func fitted(_ made: Case) throws -> (whole: SourceWeights, byFold: [SourceWeights]) {
        try SourceWeights.fitted(to: made.sources, made.labels, made.folds, seed: 1, execution: Execution())
    }

    /// The weight of a plain sum of the sources that calibrates it: logistic regression on one number, by gradients.
    private func unit(_ made: Case) -> Double {
        let sums = made.sources.map { row in EvidenceSources.Source.allCases.reduce(0) { $0 + row[$1] } }
        func loss(slope: Double) -> Double {
            best(made, penalty: 0.005 * (slope - 1) * (slope - 1), sums.map { $0 * slope })
        }
        return least(from: 0.01, to: 20, loss(slope:))
    }

    /// The function of the type's comment, with the best level for these weights.
    private func loss(_ weights: [Double], _ unit: Double, _ made: Case) -> Double {
        let penalty = weights.reduce(0) { $0 + 0.5 * ($1 / unit - 1) * ($1 / unit - 1) }
        return best(
            made, penalty: penalty,
            made.sources.map { row in
                zip(EvidenceSources.Source.allCases, weights).reduce(0) { $0 + $1.1 * row[$1.0] }
            })
    }

    private func best(_ made: Case, penalty: Double, _ sums: [Double]) -> Double {
        let isFraud = made.isFraud
        func loss(_ level: Double) -> Double {
            zip(sums, isFraud).reduce(penalty) { sum, row in
                let z = level + row.0
                return sum + max(z, 0) + log(1 + exp(-abs(z))) - (row.1 ? z : 0)
            }
        }
        return loss(least(from: -60, to: 60, loss))
    }

    /// Of a convex function.
    private func least(from low: Double, to high: Double, _ value: (Double) -> Double) -> Double {
        var (low, high) = (low, high)
        for _ in 0..<70 {
            let (a, b) = (low + (high - low) / 3, high - (high - low) / 3)
            if value(a) < value(b) { high = b } else { low = a }
        }
        return low
    }

    @Test(arguments: [(3, 0.5), (25, 2.0), (120, 1.0), (120, 3.0)]) func theyAreTheMinimum(fraud: Int, gap: Double)
        throws
    {
        let made = try made(fraud: fraud, of: 600, telling: 2, gap: gap)
        let weights = try fitted(made).whole.values
        let unit = unit(made)
        let best = loss(weights, unit, made)
        for source in 0..<6 {
            for change in [-1e-2, 1e-2] {
                var other = weights
                other[source] = max(0, other[source] + change)
                if other[source] == weights[source] { continue }
                #expect(loss(other, unit, made) > best, "source \(source), \(change), \(weights)")
            }
        }
    }

    /// Many known frauds take a source without signal out; with few of them all count about the same.
    @Test func noiseFadesIfMuchIsKnown() throws {
        let many = try fitted(made(fraud: 600, of: 4000, telling: 1, gap: 2.5)).whole.values
        #expect(many.dropFirst().allSatisfy { $0 < 0.1 * many[0] }, "\(many)")
        let few = try fitted(made(fraud: 3, of: 4000, telling: 1, gap: 2.5)).whole.values
        #expect(few.dropFirst().allSatisfy { $0 > 0.5 * few[0] }, "\(few)")
    }

    /// What weighs the rows of a part does not follow from their own labels.
    @Test func aPartIsWeighedByTheOthers() throws {
        let first = try made(fraud: 60, of: 500, telling: 2, gap: 1.5)
        let part = first.folds.rows(of: 4)
        var values = first.labels.values
        // The known frauds of the part become other rows of it.
        let known = part.filter { first.labels.isFraud($0) }
        let others = part.filter { !first.labels.isFraud($0) }.prefix(known.count)
        for (a, b) in zip(known, others) { (values[a], values[b]) = (values[b], values[a]) }
        let labels = try KnownLabels(Strided(values), population: .all, execution: Execution())
        let second = Case(sources: first.sources, labels: labels, folds: first.folds)
        let (before, after) = (try fitted(first).byFold[4].values, try fitted(second).byFold[4].values)
        let (one, other) = (unit(first), unit(second))
        // The unit alone follows from all labels: it is a factor of all sums, which keeps their order.
        #expect(abs(one - other) > 1e-4)
        let scale = try #require(zip(before, after).first { $0.0 > 1e-3 }.map { $0.1 / $0.0 })
        #expect(abs(scale - other / one) < 1e-3)
        for (a, b) in zip(before, after) { #expect(abs(a * scale - b) < 1e-6) }
    }

    /// All is separated, nothing varies, numbers are huge: finite weights that are not negative.
    @Test func extremes() throws {
        let apart = try made(fraud: 40, of: 400, telling: 6, gap: 1e4)
        let same = Case(
            sources: apart.sources.map { _ in EvidenceSources() }, labels: apart.labels, folds: apart.folds)
        let opposite = try made(fraud: 40, of: 400, telling: 6, gap: -50)
        let one = try made(fraud: 1, of: 50, telling: 6, gap: 3)
        for made in [apart, same, opposite, one] {
            let (whole, byFold) = try fitted(made)
            #expect(([whole] + byFold).allSatisfy { $0.isValid })
        }
    }

    @Test func partsAreSumsOfSources() {
        let weights = SourceWeights(values: [1, 2, 3, 4, 5, 6])
        let sources = EvidenceSources(
            tree: 1, neighbours: 10, features: 100, eventForest: 1000, eventModel: 10_000, joint: 100_000)
        #expect(weights.parts(sources) == [1, 20, 300, 54_000, 600_000])
    }
}
