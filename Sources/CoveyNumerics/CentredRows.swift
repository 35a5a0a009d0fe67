import CoveyRuntime
import CoveyTables

/// The rows of a matrix minus their mean, scaled so that no sum of squares overflows.
public struct CentredRows {
    private let view: MatrixView
    /// The scale, a power of two. Numbers are multiplied by it.
    package let unit: Double
    /// The mean of the scaled rows.
    package let centre: [Double]

    /// The number of segments in which rows are summed. Each segment is summed on one thread. It does not depend on the
    /// number of threads.
    let segments = 16
    package var rows: Int { view.rows }
    package var columns: Int { view.columns }

    /// Reads the rows in two passes: O(rows columns). Throws `invalidData` if there are no rows or a number is not
    /// finite.
    package init(_ view: MatrixView, _ name: String, execution: Execution) throws {
        guard view.rows > 0 else { throw CoveyError.invalidData("\(name) must have at least one row, got 0") }
        self.view = view
        let columns = view.columns
        let segments = segments
        try execution.reserve(columns, of: 8 * (segments + 2), for: name)
        func range(_ segment: Int) -> Range<Int> { CentredRows.range(segment, of: segments, rows: view.rows) }

        var largest = [Double](repeating: 0, count: segments)
        try largest.withUnsafeMutableBufferPointer { largest in
            nonisolated(unsafe) let largest = largest
            try execution.parallel(segments, stage: "hybrid: check") { chunk, _ in
                for segment in chunk {
                    var found = 0.0
                    try execution.forEach(range(segment), every: 64) { row in
                        for column in 0..<columns {
                            let value = view[row, column]
                            guard value.isFinite else {
                                throw CoveyError.invalidData(
                                    "\(name), row \(row), column \(column): must be finite, got \(value)")
                            }
                            found = max(found, abs(value))
                        }
                    }
                    largest[segment] = found
                }
            }
        }
        let unit = powerOfTwo(below: largest.max() ?? 0)
        self.unit = unit

        // Sums of differences from the first row: so the mean of a constant column is exact.
        let origin = (0..<columns).map { view[0, $0] * unit }
        var sums = [Double](repeating: 0, count: segments * columns)
        try sums.withUnsafeMutableBufferPointer { sums in
            nonisolated(unsafe) let sums = sums
            try execution.parallel(segments, stage: "hybrid: mean") { chunk, _ in
                for segment in chunk {
                    let own = sums.baseAddress! + segment * columns
                    try execution.forEach(range(segment), every: 64) { row in
                        for column in 0..<columns { own[column] += view[row, column] * unit - origin[column] }
                    }
                }
            }
        }
        centre = (0..<columns).map { column in
            var sum = 0.0
            for segment in 0..<segments { sum += sums[segment * columns + column] }
            return origin[column] + sum / Double(view.rows)
        }
    }

    func range(_ segment: Int, of segments: Int) -> Range<Int> {
        CentredRows.range(segment, of: segments, rows: rows)
    }

    private static func range(_ segment: Int, of segments: Int, rows: Int) -> Range<Int> {
        let size = (rows - 1) / segments + 1
        let start = min(rows, segment * size)
        return start..<min(rows, start + size)
    }

    /// Copies a row, scaled and centred. The result is bounded, even if the caller changes its memory during the call.
    @inline(__always)
    func copy(_ row: Int, to target: UnsafeMutablePointer<Double>) {
        for column in 0..<columns {
            target[column] = CentredRows.bounded(view[row, column] * unit) - centre[column]
        }
    }

    /// Limits a value. The limit is much larger than any valid number, which is 2 at most, and no product with weights
    /// and axes overflows from here.
    @inline(__always)
    @inlinable public static func bounded(_ value: Double) -> Double { min(1e100, max(-1e100, value)) }

    /// The sum over the columns of the population variance.
    package func totalVariance(execution: Execution) throws -> Double {
        var sums = [Double](repeating: 0, count: segments)
        try sums.withUnsafeMutableBufferPointer { sums in
            nonisolated(unsafe) let sums = sums
            try execution.parallel(segments, stage: "hybrid: variance") { chunk, _ in
                var difference = [Double](repeating: 0, count: columns)
                for segment in chunk {
                    try execution.forEach(range(segment, of: segments), every: 64) { row in
                        difference.withUnsafeMutableBufferPointer { copy(row, to: $0.baseAddress!) }
                        for value in difference { sums[segment] += value * value }
                    }
                }
            }
        }
        return sums.reduce(0, +) / Double(rows)
    }
}
