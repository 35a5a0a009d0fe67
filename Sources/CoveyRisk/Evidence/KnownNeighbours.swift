import CoveyClustering
import CoveyRuntime
import CoveyTables

/// What is known of the rows nearest to a row, where equal rows count together.
struct KnownNeighbours: Sendable {
    /// The rows of a view.
    let reference: DistinctReference
    /// By distinct row: those known to be fraud.
    private let fraud: [Int32]

    private var equal: EqualRows { reference.equal }

    /// - Parameter labels: of the rows.
    init(_ reference: DistinctReference, labels: KnownLabels) {
        self.reference = reference
        var fraud = [Int32](repeating: 0, count: reference.equal.count)
        for (row, number) in reference.equal.numbers.enumerated() where labels.isFraud(row) { fraud[Int(number)] += 1 }
        self.fraud = fraud
    }

    /// The first row of those that equal the distinct row.
    func row(_ number: Int32) -> Int { Int(equal.representatives[Int(number)]) }

    /// The share of known fraud among the rows nearest to a new one.
    func share(_ found: [(number: Int32, distance: Double)]) -> Double? {
        var share = RankedShare(most: EvidenceView.neighbours)
        for near in found where !share.isFull {
            let number = Int(near.number)
            share.add(Int(equal.sizes[number]), fraud: Int(fraud[number]), at: near.distance)
        }
        return share.value()
    }

    /// The share of known fraud among the rows nearest to each row, those of its own part left out; nil if there is
    /// none. O(n) beside the search, for any number of equal rows.
    /// - Parameters:
    ///   - labels: as given to `init`.   view: the rows.
    func ownShares(
        _ labels: KnownLabels, _ folds: RowFolds, approximate: Bool, seed: UInt64, view: MatrixView,
        execution: Execution
    ) throws -> [Double?] {
        // Some of the nearest are of the row's own part.
        let wanted = min(EvidenceView.neighbours * folds.count / (folds.count - 1) + 6, equal.count - 1)
        let graph =
            wanted > 0
            ? try RowNeighbours.find(view, equal, wanted, approximate: approximate, seed: seed, execution: execution)
            : nil
        let hidden = try HiddenCounts(equal, labels, fraud: fraud, folds, execution)
        var result = try execution.array(equal.numbers.count) { _ in Double?.none }
        try result.withUnsafeMutableBufferPointer { result in
            nonisolated(unsafe) let result = result
            try execution.parallel(result.count, grain: 4096, stage: "neighbours") { chunk, _ in
                try execution.check()
                for row in chunk {
                    let fold = Int(folds.folds[row])
                    let own = Int(equal.numbers[row])
                    var share = RankedShare(most: EvidenceView.neighbours)
                    let seen = hidden.seen(own, from: fold)
                    // Of a single known fraud nothing is hidden, and the row itself is no neighbour of itself.
                    let isSeen = !folds.isHidden(row, from: fold)
                    share.add(seen.rows - (isSeen ? 1 : 0), fraud: seen.fraud, at: 0)
                    for slot in 0..<wanted where !share.isFull {
                        guard let graph else { break }
                        let seen = hidden.seen(Int(graph.indices[own * wanted + slot]), from: fold)
                        share.add(seen.rows, fraud: seen.fraud, at: graph.distances[own * wanted + slot])
                    }
                    result[row] = share.value()
                }
            }
        }
        return result
    }
}

/// How many of the rows that equal a distinct row are seen from a part, and how many of those are known to be fraud.
private struct HiddenCounts {
    private let equal: EqualRows
    private let fraud: [Int32]
    private let folds: RowFolds
    /// Where the counts of a distinct row that stands for several begin; -1 for one row, whose part is looked up.
    private let starts: [Int32]
    /// By part: rows and known frauds.
    private let counts: [Int32]

    init(
        _ equal: EqualRows, _ labels: KnownLabels, fraud: [Int32], _ folds: RowFolds, _ execution: Execution
    ) throws {
        self.equal = equal
        self.fraud = fraud
        self.folds = folds
        var starts = try execution.array(equal.count) { _ in Int32(-1) }
        var several = 0
        for number in 0..<equal.count where equal.sizes[number] > 1 {
            starts[number] = Int32(several)
            several += 1
        }
        let width = 2 * folds.count
        try execution.hold(several * width, of: 4, for: "equal rows by part")
        var counts = try execution.array(several * width) { _ in Int32(0) }
        try execution.forEach(0..<equal.numbers.count) { row in
            let number = equal.numbers[row]
            let start = Int(starts[Int(number)])
            guard start >= 0 else { return }
            let place = start * width + 2 * Int(folds.folds[row])
            counts[place] += 1
            counts[place + 1] += labels.isFraud(row) ? 1 : 0
        }
        self.starts = starts
        self.counts = counts
    }

    @inline(__always)
    func seen(_ number: Int, from fold: Int) -> (rows: Int, fraud: Int) {
        let start = Int(starts[number])
        if start < 0 {
            let row = Int(equal.representatives[number])
            return folds.isHidden(row, from: fold) ? (0, 0) : (1, Int(fraud[number]))
        }
        let (rows, known) = (Int(equal.sizes[number]), Int(fraud[number]))
        if folds.hidesNothing(from: fold) { return (rows, known) }
        let place = 2 * (start * folds.count + fold)
        return (rows - Int(counts[place]), known - Int(counts[place + 1]))
    }
}
