import CoveyRuntime
import CoveySequences
import CoveyTables
import Glibc
import Testing

@testable import CoveyRisk

@Suite struct EventModelTests {
    /// Sequences of types and times, as columns.
    private struct Made {
        var offsets: [Int64] = [0]
        var types: [Int32] = []
        var times: [Double] = []

        mutating func append(_ events: [(type: Int32, time: Double)]) {
            types += events.map(\.type)
            times += events.map(\.time)
            offsets.append(Int64(types.count))
        }

        func batch() throws -> SequenceBatch {
            try SequenceBatch(
                offsets: SequenceOffsets(Strided(offsets)), types: Strided(types),
                times: Strided(times))
        }
    }

    private func random(_ sequences: Int, types: Int, seed: UInt64) -> Made {
        var random = SeededRandom(seed: seed)
        var made = Made()
        for _ in 0..<sequences {
            var time = 0.0
            made.append(
                (0..<Int(random.uniform() * 12)).map { _ in
                    time += exp(8 * random.uniform() - 3)
                    return (Int32(random.uniform() * Double(types)), time)
                }.shuffled(using: &random))
        }
        return made
    }

    /// The vectors, beside ones that are counted term by term in dictionaries.
    @Test func vectorsEqualTheirFormula() throws {
        let made = random(200, types: 7, seed: 3)
        let batch = try made.batch()
        let terms = try EventTerms(fitting: batch, vocabulary: 7, execution: Execution())
        let rows = try terms.rows(batch, vocabulary: 7, execution: Execution())
        let vectors = try rows.vectors(of: Array(0..<200), weights: terms.weights, execution: Execution())
        let counted = (0..<200).map { row -> [String: Double] in
            let range = Int(made.offsets[row])..<Int(made.offsets[row + 1])
            let order = range.sorted { (made.times[$0], $0) < (made.times[$1], $1) }
            var counts: [String: Double] = [:]
            for event in order { counts["\(made.types[event])", default: 0] += 1 }
            for (a, b) in zip(order, order.dropFirst()) {
                counts["\(made.types[a])-\(made.types[b])", default: 0] += 1
                let gap = made.times[b] - made.times[a]
                counts["gap \(gap > 0 ? Int(max(-6, min(24, floor(log2(gap))))) + 7 : 0)", default: 0] += 1
            }
            return counts
        }
        var holding: [String: Double] = [:]
        for row in counted { for term in row.keys { holding[term, default: 0] += 1 } }
        let kept = holding.filter { $0.value >= 3 && $0.value < 200 }
        #expect(terms.count == kept.count && kept.count > 50)
        for row in 0..<200 {
            let values = counted[row].filter { kept[$0.key] != nil }
                .map { $0.value.squareRoot() * log(200 / kept[$0.key]!) }
            let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let expected = values.map { $0 / length }.sorted()
            let found = vectors.values[vectors.starts[row]..<vectors.starts[row + 1]].sorted()
            #expect(found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) < 1e-12 })
        }
    }

    /// At the minimum the gradient is 0: counted from the definition, on dense rows.
    @Test(arguments: [0.3, 3.0, 100.0]) func regressionFindsTheMinimum(strength: Double) throws {
        var random = SeededRandom(seed: 9)
        let (count, columns) = (120, 6)
        var dense = [[Double]](repeating: [Double](repeating: 0, count: columns), count: count)
        var rows = SparseRows(capacity: 0)
        for row in 0..<count {
            for column in 0..<columns where random.uniform() < 0.5 {
                dense[row][column] = 2 * random.uniform() - 1
                rows.append(UInt16(column), dense[row][column])
            }
            rows.endRow()
        }
        let frauds = Array(0..<15)
        let others = Array(15..<count)
        let model = try LogisticModel(
            rows, frauds: frauds, others: others, columns: columns, strength: strength, execution: Execution())
        var gradient = model.coefficients + [0]
        for row in 0..<count {
            let z = model.intercept + zip(dense[row], model.coefficients).reduce(0) { $0 + $1.0 * $1.1 }
            let weight = row < 15 ? strength : strength * 15 / Double(count - 15)
            let error = weight * (1 / (1 + exp(-z)) - (row < 15 ? 1 : 0))
            for column in 0..<columns { gradient[column] += error * dense[row][column] }
            gradient[columns] += error
        }
        #expect(gradient.allSatisfy { abs($0) < 1e-4 * strength })
    }

    private func script(fraud: (Int) -> Bool, known: (Int) -> Bool) throws -> (SequenceBatch, KnownLabels) {
        // Frauds go around the types in order, others at random: each type is as frequent among both.
        var random = SeededRandom(seed: 12)
        var made = Made()
        for row in 0..<600 {
            var type = Int32(random.uniform() * 6)
            made.append(
                (0..<10).map { step in
                    type = fraud(row) ? (type + 1) % 6 : Int32(random.uniform() * 6)
                    return (type, Double(step))
                })
        }
        let labels = try KnownLabels(
            Strided((0..<600).map { known($0) ? Int8(1) : -1 }), population: .all, execution: Execution())
        return (try made.batch(), labels)
    }

    /// A script whose events are ordinary ones: unknown frauds get more than all others, by models that have not seen
    /// their part.
    @Test func aScriptIsFound() throws {
        let (batch, labels) = try script(fraud: { $0 < 40 }, known: { $0 < 40 && $0 % 3 == 0 })
        let folds = try RowFolds(labels, seed: 1, execution: Execution())
        let unfitted = try EventModel(unfitted: batch, vocabulary: 6, execution: Execution())
        let (model, odds) = try unfitted.fitted(to: labels, folds: folds, seed: 1, execution: Execution())
        #expect(odds[..<40].min()! > odds[40...].max()!)
        let new = try model.odds(batch, vocabulary: 6, execution: Execution())
        #expect(new[..<40].min()! > new[40...].max()!)
        for threads in [1, 3] {
            let other = try unfitted.fitted(to: labels, folds: folds, seed: 1, execution: context(threads))
            #expect(other.odds == odds && other.model.model == model.model)
        }
    }

    @Test func oneKnownFraudGivesNoModelOfItsOwnPart() throws {
        let (batch, labels) = try script(fraud: { $0 < 40 }, known: { $0 == 3 })
        let folds = try RowFolds(labels, seed: 1, execution: Execution())
        let unfitted = try EventModel(unfitted: batch, vocabulary: 6, execution: Execution())
        let odds = try unfitted.fitted(to: labels, folds: folds, seed: 1, execution: Execution()).odds
        #expect(odds[3] == 0 && odds.allSatisfy { $0.isFinite })
    }

    /// Empty sequences, one event, times that are as far apart as doubles reach, equal times, types out of range.
    @Test func oddSequences() throws {
        var made = Made()
        let largest = Double.greatestFiniteMagnitude
        for _ in 0..<4 {
            made.append([])
            made.append([(0, 0)])
            made.append([(1, -largest), (1, largest), (2, 0)])
            made.append([(0, 5), (1, 5), (-7, 5), (99, 5 + .ulpOfOne * 8), (2, .leastNonzeroMagnitude)])
        }
        let batch = try made.batch()
        let labels = try KnownLabels(
            Strided((0..<16).map { $0 == 2 || $0 == 6 ? Int8(1) : -1 }), population: .all, execution: Execution())
        let model = try EventModel(unfitted: batch, vocabulary: 3, execution: Execution())
        let folds = try RowFolds(labels, seed: 1, execution: Execution())
        let fitted = try model.fitted(to: labels, folds: folds, seed: 1, execution: Execution())
        #expect(fitted.odds.allSatisfy { $0.isFinite })
        #expect(fitted.model.rows.count == 16 && fitted.model.rows.sizes.allSatisfy { $0 <= 13 })
        let none = try EventModel(unfitted: Made().batch(), vocabulary: 3, execution: Execution())
        #expect(none.terms.count == 0 && none.rows.count == 0)
    }

    @Test func rowsThatDoNotFitAreRefused() throws {
        #expect(
            try TermRows(sizes: [1, 2], terms: [0, 1, 2], counts: [1, 1, 255], termCount: 3, execution: Execution())
                != nil)
        #expect(
            try TermRows(sizes: [1, 3], terms: [0, 1, 2], counts: [1, 1, 1], termCount: 3, execution: Execution())
                == nil)
        #expect(
            try TermRows(sizes: [-1, 4], terms: [0, 1, 2], counts: [1, 1, 1], termCount: 3, execution: Execution())
                == nil)
        #expect(
            try TermRows(sizes: [1, 2], terms: [0, 2, 1], counts: [1, 1, 1], termCount: 3, execution: Execution())
                == nil)
        #expect(
            try TermRows(sizes: [1, 2], terms: [0, 1, 3], counts: [1, 1, 1], termCount: 3, execution: Execution())
                == nil)
        #expect(
            try TermRows(sizes: [1, 2], terms: [0, 1, 2], counts: [1, 0, 1], termCount: 3, execution: Execution())
                == nil)
        #expect(
            try TermRows(sizes: [1, 1], terms: [0, 1, 2], counts: [1, 1, 1], termCount: 3, execution: Execution())
                == nil)
        #expect(!EventTerms.isValid(types: [0, 0], codes: [], weights: []))
        #expect(!EventTerms.isValid(types: [0], codes: [5, 4], weights: [1, 1]))
        #expect(!EventTerms.isValid(types: [0], codes: [34], weights: [1]))
        #expect(!EventTerms.isValid(types: [0], codes: [3], weights: [.nan]))
        #expect(EventTerms.isValid(types: [0], codes: [3, 33], weights: [1, 2]))
    }
}
