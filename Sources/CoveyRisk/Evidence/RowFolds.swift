import CoveyRuntime
import CoveyTables

/// Parts of the rows, of which each is judged by what is known of the others alone (cross-fitting; Stone 1974).
///
/// Leaving out a row's own label alone is not enough: a row known to be fraud then sees one known fraud less than its
/// unknown twin, stands a little below it, and a model that is given the score reads the label out of that. Here the
/// labels of a whole part are hidden when its rows are judged, so that known and unknown rows of a part see the same,
/// as new rows do. Each part has its share of the known frauds.
struct RowFolds: Sendable {
    private static let most = 10

    let count: Int
    /// By row.
    let folds: [UInt8]
    private let isSingle: Bool
    /// The rows in an order that follows from what they are, so that what is drawn from it does not depend on the order
    /// in which they were given.
    let order: [Int32]

    /// Drawn by the seed. O(n).
    /// - Parameter order: all rows; nil = as they are given.
    init(_ labels: KnownLabels, order: [Int32]? = nil, seed: UInt64, execution: Execution) throws {
        let order = order ?? Array(0..<Int32(labels.count))
        self.order = order
        count = max(2, min(RowFolds.most, labels.fraud))
        isSingle = labels.fraud == 1
        var folds = [UInt8](repeating: 0, count: labels.count)
        var random = SeededRandom(seed: seed ^ 0x5DEE_CE66_D1CE_5EED)
        for isFraud in [true, false] {
            var rows = order.filter { labels.isFraud(Int($0)) == isFraud }.map { Int($0) }
            try execution.report()
            rows.shuffle(using: &random)
            for (place, row) in rows.enumerated() { folds[row] = UInt8(!isSingle ? place % count : isFraud ? 0 : 1) }
        }
        self.folds = folds
    }

    /// Whether the labels of a row are hidden from those of a part: they are of it. A single known fraud is alone in
    /// part 0, and nothing is hidden from the rest, which would not see it otherwise.
    func isHidden(_ row: Int, from fold: Int) -> Bool { Int(folds[row]) == fold && !hidesNothing(from: fold) }

    func hidesNothing(from fold: Int) -> Bool { isSingle && fold == 1 }

    func rows(of fold: Int) -> [Int] { folds.indices.filter { Int(folds[$0]) == fold } }

    /// The known frauds and other rows that a model is fitted to: of these at most `most`, or as many as there are
    /// known frauds. They come in the order of `order`, the others, if some are left out, as they are drawn.
    func members(_ labels: KnownLabels, mostOthers most: Int, seed: UInt64) -> (frauds: [Int], others: [Int]) {
        let frauds = order.filter { labels.isFraud(Int($0)) }.map { Int($0) }
        let others = order.filter { !labels.isFraud(Int($0)) }.map { Int($0) }
        let drawn = max(most, frauds.count)
        if others.count <= drawn { return (frauds, others) }
        var random = SeededRandom(seed: seed &+ 0x9B2E_8A6D_5C31_74F1)
        return (frauds, random.sample(drawn, of: others.count).map { others[$0] })
    }

    /// What the rows of a part are judged by: its own rows are not counted.
    func labels(without fold: Int, _ labels: KnownLabels, execution: Execution) throws -> KnownLabels {
        let values = folds.indices.map { row -> Int8 in
            isHidden(row, from: fold) ? -1 : labels.isFraud(row) ? 1 : 0
        }
        return try KnownLabels(Strided(values), population: .labelled, execution: execution)
    }
}
