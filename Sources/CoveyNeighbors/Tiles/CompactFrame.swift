import CoveyRuntime
import Glibc

/// How rows become float32: centred, and scaled by a power of two, so that no square overflows and few underflow. The
/// caller's offset and unit, and a few far rows, do not change that.
struct CompactFrame {
    private let rows: Rows
    private let first: Double
    private let second: Double
    private let centre: [Double]
    /// The factor of all distances, a power of two.
    var scale: Double { first * second }

    /// Reads the rows once, in order.
    init(_ rows: Rows, execution: Execution) throws {
        self.rows = rows
        let (n, d) = (rows.count, rows.dimension)
        let grain = CompactFrame.grain(d)
        let largest = try AlignedBuffer<Double>((n + grain - 1) / grain, repeating: 0, for: "scales", execution)
        try execution.parallel(n, grain: grain) { chunk, _ in
            let row = try AlignedBuffer<Double>(d, for: "a row", execution)
            var most = 0.0
            for i in chunk {
                rows.copy(i, to: row.pointer)
                for c in 0..<d { most = max(most, abs(row[c])) }
            }
            largest[chunk.lowerBound / grain] = most
        }
        let most = (0..<largest.count).reduce(0.0) { max($0, largest[$1]) }
        first = most > 0 ? scalbn(1.0, Int32(max(-1000, min(1000, -most.exponent - 2)))) : 1
        let frame = try RowFrame(rows, unit: first, execution: execution)
        second = frame.scale(longest: 2 * most * first * Double(d).squareRoot())
        centre = frame.centre
    }

    /// The number of rows that a thread packs at a time.
    static func grain(_ dimension: Int) -> Int { max(16, 65_536 / max(1, dimension)) }

    /// Writes the d numbers of row i.
    /// - Parameter row: scratch memory for d numbers.
    /// - Returns: the squared length of the written row.
    @inline(__always)
    @discardableResult
    func write(_ i: Int, to target: UnsafeMutablePointer<Float>, _ row: UnsafeMutablePointer<Double>) -> Float {
        rows.copy(i, to: row)
        return write(row, to: target)
    }

    /// Writes a row that may be none of those of the frame.
    @inline(__always)
    func write(_ row: UnsafePointer<Double>, to target: UnsafeMutablePointer<Float>) -> Float {
        var norm: Float = 0
        for c in 0..<rows.dimension {
            let value = Float((row[c] * first - centre[c]) * second)
            target[c] = value
            norm += value * value
        }
        return norm
    }
}
