import CoveyRuntime

/// The rows in float32 for the approximate search, in which rounding may lose a neighbour; see `CompactFrame`.
final class CompactRows: @unchecked Sendable {
    let rows: Rows
    /// Numbers in a row: a multiple of 16, filled with zeros after the dimension.
    let stride: Int
    let numbers: AlignedBuffer<Float>
    /// The factor of all distances, a power of two.
    let scale: Double
    /// |x|^2 of the packed row.
    let norms: AlignedBuffer<Float>

    var count: Int { rows.count }

    /// Packs the rows in their own order; reads them twice, in order.
    init(_ rows: Rows, execution: Execution) throws {
        self.rows = rows
        let n = rows.count
        let d = rows.dimension
        let stride = max(16, (d + 15) / 16 * 16)
        self.stride = stride
        numbers = try AlignedBuffer(
            checkedProduct(n, stride, "the rows in float32"), for: "the rows in float32", execution)
        norms = try AlignedBuffer(n, for: "the rows' norms", execution)

        let frame = try CompactFrame(rows, execution: execution)
        scale = frame.scale
        let (numbers, norms) = (numbers, norms)
        try execution.parallel(n, grain: CompactFrame.grain(d)) { chunk, _ in
            let row = try AlignedBuffer<Double>(d, for: "a row", execution)
            for i in chunk {
                let target = numbers.pointer + i * stride
                norms[i] = frame.write(i, to: target, row.pointer)
                for c in d..<stride { target[c] = 0 }
            }
        }
    }

    /// The same rows in another order: row `order[p]` at place p.
    init(_ packed: CompactRows, order: AlignedBuffer<Int32>, execution: Execution) throws {
        rows = packed.rows
        scale = packed.scale
        let stride = packed.stride
        self.stride = stride
        numbers = try AlignedBuffer(packed.numbers.count, for: "the rows in float32", execution)
        norms = try AlignedBuffer(packed.count, for: "the rows' norms", execution)
        let (numbers, norms) = (numbers, norms)
        try execution.parallel(packed.count, grain: max(16, 262_144 / stride)) { chunk, _ in
            for p in chunk {
                let i = Int(order[p])
                (numbers.pointer + p * stride).update(from: packed.numbers.pointer + i * stride, count: stride)
                norms[p] = packed.norms[i]
            }
        }
    }

    /// Copies the rows of a list side by side.
    func gather(_ places: UnsafePointer<Int32>, _ count: Int, into target: UnsafeMutablePointer<Float>) {
        for line in 0..<count {
            (target + line * stride).update(from: numbers.pointer + Int(places[line]) * stride, count: stride)
        }
    }
}
