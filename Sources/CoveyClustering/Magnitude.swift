import CoveyNeighbors
import CoveyRuntime
import CoveyTables

/// Numbers whose distances float64 can hold. Squares of the others overflow, or vanish, and rows would seem to be
/// infinitely far from each other, or equal.
enum Magnitude {
    /// Throws `invalidData`, with the row and column of the largest number, if distances could not be told, and
    /// `invalidArgument` where they could not once they are divided by `alpha`.
    /// - Parameter rows: the rows used, finite; nil = all.
    static func check(
        _ view: MatrixView, rows: [Int32]?, metric: Metric, alpha: Double = 1, execution: Execution
    ) throws {
        guard view.columns > 0 else { return }
        if metric == .cosine { return try checkAlpha(alpha, longest: 2) }
        // float32 is far from both ends.
        let widestFloat = 2 * Double(Float.greatestFiniteMagnitude)
        if view.scalar == .float32 && (widestFloat * Double(view.columns) / alpha).isFinite { return }
        let count = rows?.count ?? view.rows
        let grain = max(1, 0x10_0000 / view.columns)
        var largest = [UInt64](repeating: 0, count: (count + grain - 1) / grain)
        try largest.withUnsafeMutableBufferPointer { largest in
            nonisolated(unsafe) let largest = largest
            try execution.parallel(count, grain: grain) { chunk, _ in
                var most: UInt64 = 0
                for i in chunk {
                    let row = rows.map { Int($0[i]) } ?? i
                    most = max(most, view.scalar == .float64 ? largestPattern(view, row) : largestFloat(view, row))
                }
                largest[chunk.lowerBound / grain] = most
            }
        }
        let most = Double(bitPattern: largest.max() ?? 0)
        let widest = 2 * most
        let sum = Double(view.columns) * (metric == .euclidean ? widest * widest : widest)
        // Below that, squares of differences in the last digits would be no normal numbers.
        let vanishes = view.scalar == .float64 && metric == .euclidean && most > 0 && most < 1e-135
        guard !sum.isFinite || vanishes else {
            return try checkAlpha(alpha, longest: metric == .euclidean ? sum.squareRoot() : sum)
        }
        for i in 0..<count {
            let row = rows.map { Int($0[i]) } ?? i
            for column in 0..<view.columns where abs(view[row, column]) == most {
                throw CoveyError.invalidData(
                    "matrix row \(row), column \(column): distances of such numbers "
                        + "\(vanishes ? "vanish" : "overflow"), scale the rows, got \(view[row, column])")
            }
        }
    }

    private static func checkAlpha(_ alpha: Double, longest: Double) throws {
        try require(
            (longest / alpha).isFinite,
            "options.alpha must be larger: distances of up to \(longest), divided by it, overflow, got \(alpha)")
    }

    private static func largestFloat(_ view: MatrixView, _ row: Int) -> UInt64 {
        (0..<view.columns).reduce(0.0) { max($0, abs(view[row, $1])) }.bitPattern
    }

    /// The pattern of the largest absolute value: those of positive numbers are in the numbers' order.
    private static func largestPattern(_ view: MatrixView, _ row: Int) -> UInt64 {
        let address = view.base + row &* view.rowStride
        var most: UInt64 = 0
        for column in 0..<view.columns {
            most = max(
                most, address.loadUnaligned(fromByteOffset: column &* 8, as: UInt64.self) & 0x7fff_ffff_ffff_ffff)
        }
        return most
    }
}
