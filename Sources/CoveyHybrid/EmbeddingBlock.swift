import CoveyNumerics
import CoveyRuntime
import CoveyTables

/// The part of a hybrid row that comes from the embedding: centred, projected if asked, brought to the block's
/// weight.
struct EmbeddingBlock: Sendable, Equatable {
    /// A power of two; numbers are multiplied by it before all else.
    let unit: Double
    /// The mean of the fitted rows, in that unit.
    let centre: [Double]
    /// columns x outputs, row-major; empty if all columns are kept, unrotated.
    let axes: [Double]
    /// The columns of the block in a hybrid row.
    let outputs: Int
    /// weight / root of the block's total variance; 0 if there is none.
    let factor: Double

    var columns: Int { centre.count }

    init(unit: Double, centre: [Double], axes: [Double], outputs: Int, factor: Double) {
        self.unit = unit
        self.centre = centre
        self.axes = axes
        self.outputs = outputs
        self.factor = factor
    }

    init(fitting embeddings: MatrixView, components: Int, weight: Double, execution: Execution) throws {
        let rows = try CentredRows(embeddings, "embeddings", execution: execution)
        let variance: Double
        if components == 0 {
            axes = []
            outputs = rows.columns
            variance = try rows.totalVariance(execution: execution)
        } else {
            let found = try PrincipalComponents(rows, count: components, execution: execution)
            axes = found.axes
            outputs = components
            variance = found.variances.reduce(0, +)
        }
        unit = rows.unit
        centre = rows.centre
        // Rows that differ by rounding alone have no variance: that of float32 numbers, and of sums over all rows.
        let rounding = max(Double(embeddings.rows) * 0x1p-52, embeddings.scalar == .float32 ? 0x1p-22 : 0)
        let smallest = centre.reduce(0) { $0 + $1 * $1 } * rounding * rounding
        factor = variance > smallest ? min(Double.greatestFiniteMagnitude, weight / variance.squareRoot()) : 0
    }

    var outputNames: [String] {
        (0..<outputs).map { axes.isEmpty ? "embedding[\($0)]" : "component[\($0)]" }
    }

    /// Writes the block of the rows in `range`, the first at `target`, `stride` floats apart. Every number is summed in
    /// the same order, alone or in a batch.
    func transform(
        _ view: MatrixView, rows range: Range<Int>, to target: UnsafeMutablePointer<Float>, stride: Int
    ) throws {
        var sums = [Double](repeating: 0, count: axes.isEmpty ? 0 : outputs)
        try transform(view, rows: range, to: target, stride: stride, &sums)
    }

    /// - Parameter sums: has `outputs` numbers, or none if the rows are not projected.
    func transform(
        _ view: MatrixView, rows range: Range<Int>, to target: UnsafeMutablePointer<Float>, stride: Int,
        _ sums: inout [Double]
    ) throws {
        let (unit, factor, outputs, rotated) = (unit, factor, outputs, !axes.isEmpty)
        try sums.withUnsafeMutableBufferPointer { sums in
            try centre.withUnsafeBufferPointer { centre in
                try axes.withUnsafeBufferPointer { axes in
                    for row in range {
                        let output = target + (row - range.lowerBound) * stride
                        for output in 0..<sums.count { sums[output] = 0 }
                        for column in 0..<centre.count {
                            let value = view[row, column]
                            guard value.isFinite else {
                                throw CoveyError.invalidData(
                                    "embeddings, row \(row), column \(column): must be finite, got \(value)")
                            }
                            let centred = CentredRows.bounded(value * unit) - centre[column]
                            if !rotated {
                                output[column] = held(centred * factor)
                            } else {
                                let axis = axes.baseAddress! + column * outputs
                                for output in 0..<sums.count { sums[output] += centred * axis[output] }
                            }
                        }
                        for index in 0..<sums.count { output[index] = held(sums[index] * factor) }
                    }
                }
            }
        }
    }
}

/// A number as float32, held within its range.
@inline(__always)
func held(_ value: Double) -> Float {
    Float(min(Double(Float.greatestFiniteMagnitude), max(-Double(Float.greatestFiniteMagnitude), value)))
}
