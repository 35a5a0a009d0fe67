import CCoveyKernels
import CoveyRuntime
import Glibc

/// The rows as the tiles read them: float32, centred, and scaled by a power of two so that nearly all have a length of
/// 1 or slightly less, whatever the caller's offset and unit. A few far rows do not change that. The rows are rotated
/// to their principal components if that makes the search faster.
///
/// A tile's number g and the biases bound the true reduced distance r of the scaled rows from below: g + bias(i) +
/// bias(j) <= r. Euclidean: g = -2 x.y from a matrix product and bias = (1 - c)|x|^2. A float32 dot product of d terms,
/// in any order, errs by at most (d u / (1 - d u)) |x||y| with u = 2^-24 (Higham 2002, section 3.1), the rounding of
/// the coordinates by 4 u (|x|^2 + |y|^2), the sums of biases and thresholds by a few u: c = (1.2 d + 24) u covers all
/// while d u < 1/6. The same holds for a product of a prefix of the terms, if the product of the lengths of the
/// remaining terms is subtracted (Cauchy-Schwarz). Manhattan: g = (1 - c) sum |x - y| and bias = -4 u |x|_1.
final class TileRows: @unchecked Sendable {
    let rows: Rows
    /// Numbers in a row: a multiple of 16, filled with zeros after the dimension.
    let stride: Int
    let numbers: AlignedBuffer<Float>
    let bias: AlignedBuffer<Float>
    /// |x|^2 or |x|_1 of the packed row.
    let norms: AlignedBuffer<Double>
    /// An upper bound of the length of a packed row after the prefix. Empty if there is no prefix.
    let tails: AlignedBuffer<Float>
    /// The row at each place of `numbers`.
    let order: AlignedBuffer<Int32>
    let error: Double
    /// The factor of reduced distances. It is 0 if the bound does not hold and every pair must be compared exactly.
    let reducedScale: Double
    /// x becomes (x * firstScale - centre) * secondScale.
    let firstScale: Double
    let secondScale: Double
    let centre: AlignedBuffer<Double>
    private let rotation: Rotation?
    /// The number of first terms of a product that may already show that a pair is too far apart. 0 = none.
    var prefix: Int { rotation?.prefix ?? 0 }
    /// The number of terms of a product: the dimension and zeros after it.
    var depth: Int { (rows.dimension + 3) / 4 * 4 }

    static let unit = 0x1p-24

    var count: Int { rows.count }
    var isManhattan: Bool { rows.metric == .manhattan }

    /// - Parameter rotated: whether a rotation may make the search faster.
    init(_ rows: Rows, rotated: Bool = false, execution: Execution) throws {
        self.rows = rows
        let d = rows.dimension
        let n = rows.count
        stride = max(16, (d + 15) / 16 * 16)
        numbers = try AlignedBuffer(
            checkedProduct(n, stride, "the rows in float32"), for: "the rows in float32", execution)
        bias = try AlignedBuffer(n, for: "the rows' norms", execution)
        norms = try AlignedBuffer(n, for: "the rows' norms", execution)
        order = try AlignedBuffer(n, for: "the rows' order", execution)
        centre = try AlignedBuffer(d, repeating: 0, for: "the column means", execution)
        error = (1.2 * Double(d) + 24) * TileRows.unit

        let manhattan = rows.metric == .manhattan
        let grain = max(16, 65_536 / max(1, d))
        let chunks = (n + grain - 1) / grain
        let largest = try AlignedBuffer<Double>(chunks, repeating: 0, for: "scales", execution)
        try execution.parallel(n, grain: grain) { chunk, _ in
            let row = UnsafeMutablePointer<Double>.allocate(capacity: d + 1)
            defer { row.deallocate() }
            var most = 0.0
            for i in chunk {
                rows.copy(i, to: row)
                for c in 0..<d { most = max(most, abs(row[c])) }
            }
            largest[chunk.lowerBound / grain] = most
        }
        var most = 0.0
        for chunk in 0..<chunks { most = max(most, largest[chunk]) }
        let first = most > 0 ? scalbn(1.0, Int32(max(-1000, min(1000, -most.exponent - 2)))) : 1
        firstScale = first
        let frame = try RowFrame(rows, unit: first, execution: execution)
        for c in 0..<d { centre[c] = frame.centre[c] }

        let centre = self.centre
        try execution.parallel(n, grain: grain) { chunk, _ in
            let row = UnsafeMutablePointer<Double>.allocate(capacity: d + 1)
            defer { row.deallocate() }
            var most = 0.0
            for i in chunk {
                rows.copy(i, to: row)
                var sum = 0.0
                for c in 0..<d {
                    let value = row[c] * first - centre[c]
                    sum += manhattan ? abs(value) : value * value
                }
                most = max(most, sum)
            }
            largest[chunk.lowerBound / grain] = most
        }
        most = 0
        for chunk in 0..<chunks { most = max(most, largest[chunk]) }
        let length = manhattan ? most : most.squareRoot()
        let second = frame.scale(longest: length)
        secondScale = second
        let scale = first * second
        let reduced = manhattan ? scale : scale * scale
        let trusted = Double(d) * TileRows.unit < 0.15 && reduced.isNormal
        reducedScale = trusted ? reduced : 0
        rotation =
            rotated && trusted && !manhattan
            ? try Rotation.find(count: n, dimension: d, execution: execution) { i, target in
                rows.copy(i, to: target)
                for c in 0..<d { target[c] = (target[c] * first - centre[c]) * second }
                if frame.isFar(target, d, scale: second) { target.update(repeating: 0, count: d) }
            } : nil
        tails = try AlignedBuffer(rotation == nil ? 0 : n, for: "the rows' norms", execution)
    }

    /// Writes rows to places, with their norms and biases.
    func pack(_ places: Range<Int>, _ batch: RowBatch, row: (Int) -> Int) {
        for start in Swift.stride(from: places.lowerBound, to: places.upperBound, by: batch.size) {
            let count = min(batch.size, places.upperBound - start)
            for line in 0..<count {
                order[start + line] = Int32(row(start + line))
                rows.copy(row(start + line), to: batch.row(line))
            }
            convert(batch, count: count, to: numbers.pointer + start * stride, norms: norms.pointer + start)
            for p in start..<start + count {
                bias[p] = Float(bias(norms[p]))
                if prefix > 0 { tails[p] = tail(numbers.pointer + p * stride) }
            }
        }
    }

    /// An upper bound of the length of a packed row after the prefix.
    func tail(_ row: UnsafePointer<Float>) -> Float {
        var sum = 0.0
        for c in prefix..<stride { sum += Double(row[c]) * Double(row[c]) }
        return Float(sum.squareRoot()).nextUp.nextUp
    }

    @inline(__always)
    func bias(_ norm: Double) -> Double {
        isManhattan ? -4 * TileRows.unit * norm - 0x1p-100 : norm * (1 - error) - 0x1p-100
    }

    /// |x|^2 or |x|_1 of a packed row.
    func norm(_ row: UnsafePointer<Float>) -> Double {
        var norm = 0.0
        for c in 0..<stride { norm += isManhattan ? Double(abs(row[c])) : Double(row[c]) * Double(row[c]) }
        return norm
    }

    /// Centres, scales, rotates and rounds the first rows of a batch, and writes their norms. It overwrites the batch's
    /// numbers.
    func convert(
        _ batch: RowBatch, count: Int, to target: UnsafeMutablePointer<Float>, norms: UnsafeMutablePointer<Double>
    ) {
        let d = rows.dimension
        for line in 0..<count {
            let row = batch.row(line)
            for c in 0..<d { row[c] = (row[c] * firstScale - centre[c]) * secondScale }
        }
        rotation?.apply(batch.row(0), count: count, to: batch.turned(0))
        for line in 0..<count {
            let row = rotation == nil ? batch.row(line) : batch.turned(line)
            norms[line] = round(row, to: target + line * stride)
        }
    }

    /// The same for one row that stays as it is; returns its norm.
    func convert(_ row: UnsafePointer<Double>, to target: UnsafeMutablePointer<Float>) -> Double {
        let d = rows.dimension
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * d + 1) { scratch in
            let scaled = scratch.baseAddress!
            for c in 0..<d { scaled[c] = (row[c] * firstScale - centre[c]) * secondScale }
            guard let rotation else { return round(scaled, to: target) }
            rotation.apply(scaled, count: 1, to: scaled + d)
            return round(scaled + d, to: target)
        }
    }

    private func round(_ row: UnsafePointer<Double>, to target: UnsafeMutablePointer<Float>) -> Double {
        var norm = 0.0
        for c in 0..<rows.dimension {
            let value = Float(row[c])
            target[c] = value
            norm += isManhattan ? Double(abs(value)) : Double(value) * Double(value)
        }
        for c in rows.dimension..<stride { target[c] = 0 }
        return norm
    }

    /// An upper bound of a reduced distance in the tiles' scale.
    @inline(__always)
    func scaled(_ reduced: Double) -> Double {
        reducedScale == 0 ? .infinity : max(reduced, rows.floor) * reducedScale * (1 + 1e-6)
    }

    /// Bounds of the unreduced, scaled distance of two packed points from the tile's number for them.
    @inline(__always)
    func bounds(_ g: Float, _ first: Double, _ second: Double) -> (low: Double, high: Double) {
        if isManhattan {
            let slack = 4 * TileRows.unit * (first + second)
            let value = Double(g)
            return (max(0, value * (1 - error) - slack), value * (1 + error) + slack)
        }
        let square = first + second + Double(g)
        let slack = error * (first + second)
        return (max(0, square - slack).squareRoot(), max(0, square + slack).squareRoot())
    }

    /// An upper bound of the unreduced, scaled distance of pairs with at most this scaled reduced distance.
    @inline(__always)
    func reach(_ scaled: Double) -> Double {
        isManhattan ? scaled : scaled.squareRoot()
    }
}
