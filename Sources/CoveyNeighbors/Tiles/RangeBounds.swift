import CCoveyKernels
import CoveyRuntime

/// Bounds of the distances from the rows of some adjacent blocks to the centroids of some adjacent cells, from one
/// matrix product: a small part of the cost of a product for each pair of a block and a cell.
final class RangeBounds {
    private let cells: Cells
    /// The largest numbers of rows and cells.
    private let mostRows: Int
    private let mostCells: Int
    /// Cells x rows.
    private let products: AlignedBuffer<Float>
    private let low: AlignedBuffer<Float>
    private let high: AlignedBuffer<Float>
    /// The rows and cells that were measured.
    private var rows = 0..<0
    private var range = 0..<0

    /// - Parameter blocks: the largest number of blocks.
    init(_ cells: Cells, blocks: Int, _ execution: Execution) throws {
        self.cells = cells
        let used = cells.count > 1 && !cells.packed.isManhattan
        mostRows = used ? min(blocks * Cells.blockSize, cells.packed.count) : 0
        mostCells = used ? blocks : 0
        products = try AlignedBuffer(mostRows * mostCells, for: "distances to centroids", execution)
        low = try AlignedBuffer(mostRows * mostCells, for: "distances to centroids", execution)
        high = try AlignedBuffer(mostRows * mostCells, for: "distances to centroids", execution)
    }

    func forget() { rows = 0..<0 }

    /// Measures the rows of blocks to the centroids of other blocks' cells.
    func measure(_ blocks: Range<Int>, against others: Range<Int>) {
        let (first, last) = (cells.blocks[blocks.lowerBound], cells.blocks[blocks.upperBound - 1])
        rows = first.start..<last.start + last.count
        range = cells.blocks[others.lowerBound].cell..<cells.blocks[others.upperBound - 1].cell + 1
        // Cells without rows may lie between.
        guard rows.count <= mostRows, range.count <= mostCells else { return forget() }
        let packed = cells.packed
        let stride = packed.stride
        ck_sgemm_nt(
            Int64(range.count), Int64(rows.count), Int64(stride), 1,
            cells.centroids.pointer + range.lowerBound * stride,
            Int64(stride), packed.numbers.pointer + rows.lowerBound * stride, Int64(stride), 0, products.pointer,
            Int64(rows.count))
        for (line, cell) in range.enumerated() {
            cells.bounds(
                products.pointer + line * rows.count, packed.norms.pointer + rows.lowerBound, count: rows.count,
                to: cell, low: low.pointer + line * rows.count, high: high.pointer + line * rows.count)
        }
    }

    /// The bounds of a block's rows; nil if they were not measured.
    func bounds(_ block: Cells.Block, _ cell: Int) -> (low: UnsafePointer<Float>, high: UnsafePointer<Float>)? {
        guard rows.contains(block.start), range.contains(cell) else { return nil }
        let place = (cell - range.lowerBound) * rows.count + block.start - rows.lowerBound
        return (UnsafePointer(low.pointer + place), UnsafePointer(high.pointer + place))
    }
}
