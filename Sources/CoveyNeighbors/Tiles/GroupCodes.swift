import CCoveyKernels
import CoveyRuntime

/// Rows of a group as 8-bit integers about the centroid of one cell at a time; see codes.h.
final class GroupCodes {
    let codes: AlignedBuffer<Int8>
    /// By place in the group.
    let sums: AlignedBuffer<Int32>
    let rests: AlignedBuffer<Float>
    let bases: AlignedBuffer<Int32>
    let limits: AlignedBuffer<Int32>
    /// By place in a block.
    let blockBases: AlignedBuffer<Int32>
    private let lengths: AlignedBuffer<Float>
    private let places: AlignedBuffer<Int32>
    /// The scale of the codes, and the largest length.
    private(set) var scale: Float = 1
    private(set) var longest: Float = 0
    /// The cell about whose centroid the rows are encoded; -1 = none.
    private var cell = -1

    init(_ coded: CodedRows, size: Int, _ execution: Execution) throws {
        codes = try AlignedBuffer(
            checkedProduct(size, coded.depth, "searched rows"), repeating: 0, for: "searched rows", execution)
        sums = try AlignedBuffer(size, repeating: 0, for: "searched rows", execution)
        rests = try AlignedBuffer(size, repeating: 0, for: "searched rows", execution)
        lengths = try AlignedBuffer(size, repeating: 0, for: "searched rows", execution)
        bases = try AlignedBuffer(size, for: "searched rows", execution)
        limits = try AlignedBuffer(size, for: "searched rows", execution)
        places = try AlignedBuffer(size, for: "searched rows", execution)
        blockBases = try AlignedBuffer(TileScratch.side, for: "searched rows", execution)
    }

    /// The group has other rows from now on.
    func forget() { cell = -1 }

    /// Encodes those of the group's rows that may reach a cell, unless they are encoded.
    /// - Parameters:
    ///   - low: lower bounds of the rows' distances to the cell's centroid, and `high` upper ones.
    ///   - reaches: the distances within which they search.
    func encode(
        _ numbers: UnsafePointer<Float>, count: Int, low: UnsafePointer<Float>, high: UnsafePointer<Float>,
        reaches: UnsafePointer<Double>, about cell: Int, _ cells: Cells, depth: Int
    ) {
        guard self.cell != cell else { return }
        self.cell = cell
        var (inner, outer) = (Double.infinity, 0.0)
        for block in cells.blocks[cells.blockStarts[cell]..<cells.blockStarts[cell + 1]] {
            inner = min(inner, block.low)
            outer = max(outer, block.high)
        }
        let packed = cells.packed
        let chosen = ck_rows_in_reach(Int64(count), low, high, inner, outer, reaches, -.infinity, places.pointer)
        scale = ck_encode_rows(
            chosen, places.pointer, Int64(packed.rows.dimension), Int64(depth), numbers, Int64(packed.stride),
            cells.centroids.pointer + cell * packed.stride,
            ck_coded_rows(codes: codes.pointer, sums: sums.pointer, rests: rests.pointer, lengths: lengths.pointer))
        longest = 0
        for index in 0..<Int(chosen) { longest = max(longest, lengths[Int(places[index])]) }
    }
}
