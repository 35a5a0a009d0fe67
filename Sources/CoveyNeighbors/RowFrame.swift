import CoveyRuntime

/// Where most rows lie, estimated from a sample so that a few far rows do not matter: the medians of the columns, and
/// the 90 % quantile of the lengths about that point.
struct RowFrame {
    /// In the rows' numbers times `unit`.
    let centre: [Double]
    /// The Euclidean length, or the sum of absolute values for manhattan. It is 0 if nine in ten rows are equal.
    let reach: Double

    private static let mostRows = 255
    private static let mostNumbers = 1 << 21

    /// Cost: O(d) for each of at most 255 rows, fewer if there are many columns.
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

    /// The power of two that scales most rows to a length of about 1, and keeps the square of the longest row far below
    /// the largest float32.
    func scale(longest: Double) -> Double {
        let length = reach > 0 ? reach : longest
        guard length > 0 else { return 1 }
        return Double(
            sign: .plus, exponent: max(-1000, min(-length.exponent - 1, 40 - longest.exponent)), significand: 1)
    }

    /// Whether a centred row is so far out that it must not influence where most rows lie.
    func isFar(_ row: UnsafePointer<Double>, _ d: Int, scale: Double = 1) -> Bool {
        guard reach > 0 else { return false }
        var sum = 0.0
        for c in 0..<d { sum += row[c] * row[c] }
        return sum > 256 * reach * reach * scale * scale
    }
}
