import CCoveyKernels
import CoveyRuntime

/// The principal axes of a sample of rows (Pearson 1901): an orthogonal basis, that along which they vary most first.
struct TreeAxes {
    let dimension: Int
    let unit: Double
    /// In that unit, of the sample.
    let centre: [Double]
    let variances: [Double]
    /// dimension x dimension; axis a is column a.
    let axes: [Double]
    /// The largest entry of axes^T axes - 1.
    let skew: Double

    /// The leading axes along which rows differ noticeably.
    var telling: Int { max(1, variances.count { $0 >= TreeAxes.leastVariance * variances[0] }) }

    private static let sampleSize = 4096
    /// Axes along which the variance is a smaller share of the greatest tell little.
    private static let leastVariance = 1e-3

    /// nil where there is no such basis: few columns, another metric, numbers near the limits of float64. O(d^2) for each of
    /// at most 8,192 rows, and O(d^3).
    init?(_ rows: Rows) {
        let (n, d) = (rows.count, rows.dimension)
        guard rows.metric != .manhattan, d >= TreeCoordinates.rotated else { return nil }
        let sample = Array(stride(from: 0, to: n, by: max(1, n / TreeAxes.sampleSize)))
        var block = [Double](repeating: 0, count: sample.count * d)
        block.withUnsafeMutableBufferPointer { block in
            for (place, i) in sample.enumerated() { rows.copy(i, to: block.baseAddress! + place * d) }
        }
        let largest = block.reduce(0) { max($0, abs($1)) }
        guard largest > 1e-100, largest < 1e100 else { return nil }
        let unit = Double(sign: .plus, exponent: -largest.exponent, significand: 1)
        var centre = [Double](repeating: 0, count: d)
        for place in sample.indices {
            for c in 0..<d { centre[c] += block[place * d + c] * unit }
        }
        for c in 0..<d { centre[c] /= Double(sample.count) }
        for place in sample.indices {
            for c in 0..<d { block[place * d + c] = block[place * d + c] * unit - centre[c] }
        }
        var covariance = [Double](repeating: 0, count: d * d)
        ck_dgemm_tn(
            Int64(d), Int64(d), Int64(sample.count), 1 / Double(sample.count), block, Int64(d), block, Int64(d), 0,
            &covariance, Int64(d))
        var ascending = [Double](repeating: 0, count: d)
        var vectors = [Double](repeating: 0, count: d * d)
        let status = ck_symmetric_eigen(Int64(d), Int64(d), &covariance, &ascending, &vectors)
        guard status == 0, vectors.allSatisfy(\.isFinite), ascending.allSatisfy(\.isFinite) else { return nil }
        var axes = [Double](repeating: 0, count: d * d)
        for axis in 0..<d {
            for c in 0..<d { axes[c * d + axis] = vectors[(d - 1 - axis) * d + c] }
        }
        var skew = 0.0
        for a in 0..<d {
            for b in a..<d {
                var product = a == b ? -1.0 : 0
                for c in 0..<d { product += axes[c * d + a] * axes[c * d + b] }
                skew = max(skew, abs(product))
            }
        }
        guard skew < 1e-9 else { return nil }
        dimension = d
        self.unit = unit
        self.centre = centre
        self.axes = axes
        self.skew = skew
        variances = ascending.reversed()
    }

    /// Rotates rows in place; returns the largest number of a centred row.
    func rotate(
        _ values: AlignedBuffer<Double>, count: Int, _ grain: Int, _ execution: Execution
    ) throws -> Double {
        let d = dimension
        var largest = [Double](repeating: 0, count: (count - 1) / grain + 1)
        try largest.withUnsafeMutableBufferPointer { largest in
            nonisolated(unsafe) let largest = largest
            try execution.parallel(count, grain: grain) { chunk, _ in
                var centred = [Double](repeating: 0, count: d)
                var found = 0.0
                for i in chunk {
                    let row = values.pointer + i * d
                    for c in 0..<d {
                        centred[c] = row[c] * unit - centre[c]
                        found = max(found, abs(centred[c]))
                        row[c] = 0
                    }
                    for c in 0..<d {
                        let factor = centred[c]
                        axes.withUnsafeBufferPointer { axes in
                            for axis in 0..<d { row[axis] += factor * axes[c &* d &+ axis] }
                        }
                    }
                }
                largest[chunk.lowerBound / grain] = found
            }
        }
        return largest.max() ?? 0
    }
}
