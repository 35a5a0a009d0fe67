import CoveyRuntime

/// How often each of n sequences has each of the event terms: sparse rows, small enough to be kept, so that the model
/// can be fitted again when more is known of the sequences.
struct TermRows: Sendable, Equatable {
    /// n + 1 places in the two arrays.
    private(set) var starts: [Int] = [0]
    /// Rising within a row.
    private(set) var terms: [UInt16] = []
    /// At least 1, and 255 for more.
    private(set) var counts: [UInt8] = []

    init() {}

    /// Rows that were kept in a file. nil if they are not rows of `termCount` terms.
    init?(sizes: [Int32], terms: [UInt16], counts: [UInt8], termCount: Int, execution: Execution) throws {
        var starts = [0]
        starts.reserveCapacity(sizes.count + 1)
        for (row, size) in sizes.enumerated() {
            // A row has up to 4,096 terms.
            if row & 0x3FF == 0 { try execution.report() }
            guard size >= 0, Int(size) <= terms.count - starts[starts.count - 1] else { return nil }
            let (start, end) = (starts[starts.count - 1], starts[starts.count - 1] + Int(size))
            for place in start..<end {
                guard Int(terms[place]) < termCount, place == start || terms[place] > terms[place - 1] else {
                    return nil
                }
            }
            starts.append(end)
        }
        guard starts.last == terms.count, counts.count == terms.count, counts.allSatisfy({ $0 > 0 }) else { return nil }
        self.starts = starts
        self.terms = terms
        self.counts = counts
    }

    var count: Int { starts.count - 1 }
    var sizes: [Int32] { (0..<count).map { Int32(starts[$0 + 1] - starts[$0]) } }

    /// - Parameter row: rising terms, each with a count of at least 1.
    mutating func append(_ row: [(term: UInt16, count: Int)]) {
        for entry in row {
            terms.append(entry.term)
            counts.append(UInt8(min(255, entry.count)))
        }
        starts.append(terms.count)
    }

    /// The vectors of some rows.
    func vectors(of rows: [Int], weights: [Double], execution: Execution) throws -> SparseRows {
        let total = rows.reduce(0) { $0 + starts[$1 + 1] - starts[$1] }
        try execution.hold(total, of: 10, for: "event terms")
        var result = SparseRows(capacity: total)
        try execution.forEach(0..<rows.count, every: 4096) { place in
            let range = starts[rows[place]]..<starts[rows[place] + 1]
            let norm = self.norm(range, weights)
            for entry in range { result.append(terms[entry], value(entry, weights) / norm) }
            result.endRow()
        }
        return result
    }

    /// The sum of a row's values, each times the coefficient of its term.
    func product(_ row: Int, _ coefficients: [Double], weights: [Double]) -> Double {
        let range = starts[row]..<starts[row + 1]
        guard !range.isEmpty else { return 0 }
        var sum = 0.0
        for entry in range { sum += value(entry, weights) * coefficients[Int(terms[entry])] }
        return sum / norm(range, weights)
    }

    @inline(__always)
    private func value(_ entry: Int, _ weights: [Double]) -> Double {
        Double(counts[entry]).squareRoot() * weights[Int(terms[entry])]
    }

    private func norm(_ range: Range<Int>, _ weights: [Double]) -> Double {
        var squares = 0.0
        for entry in range {
            let value = value(entry, weights)
            squares += value * value
        }
        return squares.squareRoot()
    }
}
