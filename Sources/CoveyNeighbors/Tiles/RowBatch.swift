import CoveyRuntime

/// One thread's scratch memory to convert rows, a few at a time.
final class RowBatch {
    let size: Int
    private let dimension: Int
    private let numbers: AlignedBuffer<Double>

    init(_ packed: TileRows, _ execution: Execution) throws {
        dimension = packed.rows.dimension
        size = max(1, min(128, 65_536 / max(1, dimension)))
        numbers = try AlignedBuffer(2 * size * dimension, for: "rows", execution)
    }

    func row(_ line: Int) -> UnsafeMutablePointer<Double> { numbers.pointer + line * dimension }

    func turned(_ line: Int) -> UnsafeMutablePointer<Double> { numbers.pointer + (size + line) * dimension }
}
