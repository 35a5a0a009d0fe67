import CoveyRuntime

/// The principal axes of a sample of rows, for a k-d tree.
struct TreeAxes: Sendable {
    let unit: Double
    /// The sample's variances along the axes, in that unit.
    private let centre: [Double]
    private let axes: PrincipalAxes

    var skew: Double { axes.skew }
    /// The number of leading axes along which rows differ noticeably.
    var telling: Int { max(1, axes.variances.count { $0 >= TreeAxes.leastVariance * axes.variances[0] }) }

    private static let sampleSize = 4096
    /// Axes whose variance is a smaller share of the largest variance do not separate rows.
    private static let leastVariance = 1e-3
    /// The number of rows that are rotated in one product.
    private static let batch = 64

    private init(unit: Double, centre: [Double], axes: PrincipalAxes) {
        self.unit = unit
        self.centre = centre
        self.axes = axes
    }

    /// nil if there is no such basis: few columns, another metric, or numbers near the limits of float64. Cost: O(d^2)
    /// for each of at most 8,192 rows, and O(d^3).
    static func find(_ rows: Rows, execution: Execution) throws -> TreeAxes? {
        let (n, d) = (rows.count, rows.dimension)
        guard rows.metric != .manhattan, d >= TreeCoordinates.rotated else { return nil }
        let step = max(1, n / sampleSize)
        let count = (n - 1) / step + 1
        let row = try AlignedBuffer<Double>(d, for: "the principal axes", execution)
        func forEach(_ body: (UnsafeMutablePointer<Double>) -> Void) throws {
            for place in 0..<count {
                if place & 255 == 0 { try execution.report() }
                rows.copy(place * step, to: row.pointer)
                body(row.pointer)
            }
        }
        var largest = 0.0
        try forEach { row in for c in 0..<d { largest = max(largest, abs(row[c])) } }
        guard largest > 1e-100, largest < 1e100 else { return nil }
        let unit = Double(sign: .plus, exponent: -largest.exponent, significand: 1)
        let frame = try RowFrame(rows, unit: unit, execution: execution)
        let centre = frame.centre
        let found = try PrincipalAxes(count: count, dimension: d, execution: execution) { place, row in
            rows.copy(place * step, to: row)
            for c in 0..<d { row[c] = row[c] * unit - centre[c] }
            if frame.isFar(row, d) { row.update(repeating: 0, count: d) }
        }
        guard let axes = found, axes.skew < 1e-9 else { return nil }
        return TreeAxes(unit: unit, centre: centre, axes: axes)
    }

    /// Rotates rows in place. Returns the largest absolute value of a centred row.
    func rotate(
        _ values: AlignedBuffer<Double>, count: Int, _ grain: Int, _ execution: Execution
    ) throws -> Double {
        let d = axes.dimension
        var largest = [Double](repeating: 0, count: (count - 1) / grain + 1)
        try largest.withUnsafeMutableBufferPointer { largest in
            nonisolated(unsafe) let largest = largest
            try execution.parallel(count, grain: grain) { chunk, _ in
                let centred = try AlignedBuffer<Double>(TreeAxes.batch * d, for: "rows", execution)
                var found = 0.0
                for start in stride(from: chunk.lowerBound, to: chunk.upperBound, by: TreeAxes.batch) {
                    let size = min(TreeAxes.batch, chunk.upperBound - start)
                    let rows = values.pointer + start * d
                    for line in 0..<size {
                        let target = centred.pointer + line * d
                        for c in 0..<d {
                            target[c] = rows[line * d + c] * unit - centre[c]
                            found = max(found, abs(target[c]))
                        }
                    }
                    axes.apply(centred.pointer, count: size, to: rows)
                }
                largest[chunk.lowerBound / grain] = found
            }
        }
        return largest.max() ?? 0
    }
}
