import CoveyRuntime

/// Where most rows lie, told by a sample of them in which a few far ones count for nothing: the medians of their columns, and a
/// length about that point which nine in ten do not exceed.
struct RowFrame {
    /// In the rows' own numbers times `unit`.
    let centre: [Double]
    /// The euclidean length, or with manhattan the sum of absolute values; 0 where nine in ten rows are equal.
    let reach: Double

    private static let mostRows = 255
    private static let mostNumbers = 1 << 21

    /// Cost: O(d) for each of at most 255 rows, fewer where there are many columns.
    init(_ rows: Rows, unit: Double, execution: Execution) throws {
        let (n, d) = (rows.count, rows.dimension)
        let count = min(n, max(15, min(RowFrame.mostRows, RowFrame.mostNumbers / max(1, d))))
        let sample = try AlignedBuffer<Double>(checkedProduct(count, d, "a sample"), for: "a sample", execution)
        for line in 0..<count {
            if line & 15 == 0 { try execution.check() }
            let row = sample.pointer + line * d
            rows.copy(line * n / count, to: row)
            for c in 0..<d { row[c] *= unit }
        }
        var column = [Double](repeating: 0, count: count)
        var centre = [Double](repeating: 0, count: d)
        for c in 0..<d {
            if c & 255 == 0 { try execution.check() }
            for line in 0..<count { column[line] = sample[line * d + c] }
            column.sort()
            centre[c] = column[count / 2]
        }
        for line in 0..<count {
            var sum = 0.0
            for c in 0..<d {
                let value = sample[line * d + c] - centre[c]
                sum += rows.metric == .manhattan ? abs(value) : value * value
            }
            column[line] = rows.metric == .manhattan ? sum : sum.squareRoot()
        }
        column.sort()
        self.centre = centre
        reach = column[count * 9 / 10]
    }

    /// The power of two by which rows are scaled so that most have a length of about 1, and the longest one of which the square
    /// is far from the end of float32.
    func scale(longest: Double) -> Double {
        let length = reach > 0 ? reach : longest
        guard length > 0 else { return 1 }
        return Double(
            sign: .plus, exponent: max(-1000, min(-length.exponent - 1, 40 - longest.exponent)), significand: 1)
    }

    /// Whether a row, centred, is so far out that it says nothing about most of them.
    func isFar(_ row: UnsafePointer<Double>, _ d: Int, scale: Double = 1) -> Bool {
        guard reach > 0 else { return false }
        var sum = 0.0
        for c in 0..<d { sum += row[c] * row[c] }
        return sum > 256 * reach * reach * scale * scale
    }
}
