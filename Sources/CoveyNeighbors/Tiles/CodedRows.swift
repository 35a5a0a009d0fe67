import CCoveyKernels
import CoveyRuntime

/// The rows in cells as 8-bit integers about the centroids of their cells. Products of these exclude most pairs at a
/// fraction of the cost of float32, with a proven margin; see codes.h.
///
/// Memory: one byte for each number and 12 bytes for each row.
final class CodedRows: @unchecked Sendable {
    /// How products are computed: CK_CODES_PLAIN, ..._VNNI or ..._AMX.
    let way: Int32
    /// The number of codes in a row.
    let depth: Int
    let codes: AlignedBuffer<Int8>
    /// For each place as in `ck_coded_rows`.
    let sums: AlignedBuffer<Int32>
    let rests: AlignedBuffer<Float>
    private let lengths: AlignedBuffer<Float>
    /// For each block the scale of its codes, and the largest length.
    private let scales: [Float]
    private let longest: [Float]

    /// nil if products of floats are at least as fast, or if no bound holds.
    /// - Parameter way: nil = the fastest; CK_CODES_NONE = none. Results do not depend on it.
    init?(_ cells: Cells, way: Int32? = nil, _ execution: Execution) throws {
        let packed = cells.packed
        let dimension = packed.rows.dimension
        guard way != CK_CODES_NONE, cells.count > 1, !packed.isManhattan, packed.reducedScale != 0,
            dimension <= Int(CK_CODES_MOST_DEPTH)
        else { return nil }
        if let way {
            self.way = way
        } else {
            // The process asks for the permission to use AMX only if it is of use.
            guard dimension >= SearchSizes.current.codedColumns else { return nil }
            self.way = ck_codes_best()
            guard self.way != CK_CODES_PLAIN else { return nil }
        }
        let unit = Int(self.way == CK_CODES_AMX ? CK_CODES_AMX_DEPTH : CK_CODES_DEPTH)
        let depth = (dimension + unit - 1) / unit * unit
        self.depth = depth
        let n = packed.count
        let room = try checkedProduct(n + Int(CK_CODES_ROWS), depth, "the rows' codes")
        let codes = try AlignedBuffer<Int8>(room, for: "the rows' codes", execution)
        let sums = try AlignedBuffer<Int32>(n, for: "the rows' codes", execution)
        let rests = try AlignedBuffer<Float>(n, for: "the rows' codes", execution)
        let lengths = try AlignedBuffer<Float>(n, for: "the rows' codes", execution)
        (codes.pointer + n * depth).update(repeating: 0, count: Int(CK_CODES_ROWS) * depth)
        (self.codes, self.sums, self.rests, self.lengths) = (codes, sums, rests, lengths)
        let blocks = cells.blocks
        let found = try AlignedBuffer<(Float, Float)>(blocks.count, for: "the rows' codes", execution)
        try execution.parallel(blocks.count, grain: 16) { chunk, _ in
            for number in chunk {
                let block = blocks[number]
                let scale = ck_encode_rows(
                    Int64(block.count), nil, Int64(dimension), Int64(depth),
                    packed.numbers.pointer + block.start * packed.stride, Int64(packed.stride),
                    cells.centroids.pointer + block.cell * packed.stride,
                    ck_coded_rows(
                        codes: codes.pointer + block.start * depth, sums: sums.pointer + block.start,
                        rests: rests.pointer + block.start, lengths: lengths.pointer + block.start))
                var most: Float = 0
                for p in block.start..<block.start + block.count { most = max(most, lengths[p]) }
                found[number] = (scale, most)
            }
        }
        scales = (0..<blocks.count).map { found[$0].0 }
        longest = (0..<blocks.count).map { found[$0].1 }
    }

    /// Rows of a block: those of the list of places, nil = the first ones.
    func lines(
        _ block: Cells.Block, _ count: Int, _ places: UnsafePointer<Int32>?, bases: AlignedBuffer<Int32>,
        limits: AlignedBuffer<Int32>
    ) -> TileScratch.CodedLines {
        TileScratch.CodedLines(
            codes: UnsafePointer(codes.pointer + block.start * depth), sums: UnsafePointer(sums.pointer + block.start),
            count: count, places: places, bases: UnsafePointer(bases.pointer), limits: UnsafePointer(limits.pointer))
    }

    /// The bases and limits of the rows of both blocks of a pair.
    func limits(_ first: CodedSide, _ second: CodedSide, _ cells: Cells) {
        let packed = cells.packed
        let (a, b) = (cells.blocks[first.number], cells.blocks[second.number])
        var between = 0.0
        if a.cell != b.cell {
            let low = Double(cells.between[a.cell * cells.count + b.cell])
            between = (low * low + 2 * packed.error * (cells.norms[a.cell] + cells.norms[b.cell])) * (1 + 0x1p-20)
        }
        let scale = 2 * Double(scales[first.number]) * Double(scales[second.number])
        compute(first, a, otherLength: b.high, constant: between, scale, packed)
        compute(second, b, otherLength: Double(longest[first.number]), constant: 0, scale, packed)
    }

    /// The bases and limits of the first rows of a group, which are encoded about the centroid of a block's cell, and
    /// the bases of the block's rows, which do not search.
    func limits(
        _ group: GroupCodes, count: Int, low: UnsafePointer<Float>, norms: UnsafePointer<Double>,
        reaches: UnsafePointer<Double>, against number: Int, _ cells: Cells
    ) {
        let packed = cells.packed
        let block = cells.blocks[number]
        let scale = 2 * Double(group.scale) * Double(scales[number])
        var bounds = ck_code_bounds(
            count: Int64(count), low: low, rests: group.rests.pointer, norms: norms, reaches: reaches,
            other_length: block.high, error: packed.error, constant: 0, scale: scale)
        ck_code_limits(&bounds, group.bases.pointer, group.limits.pointer)
        var others = ck_code_bounds(
            count: Int64(block.count), low: cells.ownLow.pointer + block.start, rests: rests.pointer + block.start,
            norms: packed.norms.pointer + block.start, reaches: nil, other_length: Double(group.longest),
            error: packed.error, constant: 0, scale: scale)
        ck_code_bases(&others, group.blockBases.pointer)
    }

    private func compute(
        _ side: CodedSide, _ block: Cells.Block, otherLength: Double, constant: Double, _ scale: Double,
        _ packed: TileRows
    ) {
        var bounds = ck_code_bounds(
            count: Int64(block.count), low: side.low, rests: rests.pointer + block.start,
            norms: packed.norms.pointer + block.start, reaches: side.reaches, other_length: otherLength,
            error: packed.error, constant: constant, scale: scale)
        ck_code_limits(&bounds, side.bases, side.limits)
    }
}

/// One block of a pair: its number, what bounds its rows' distances to the other block, and memory for the limits.
struct CodedSide {
    let number: Int
    /// Lower bounds of the distances to the centroid of the other block's cell.
    let low: UnsafePointer<Float>
    /// The distances within which the rows search.
    let reaches: UnsafePointer<Double>
    /// As in codes.h, by place in the block.
    let bases: UnsafeMutablePointer<Int32>
    let limits: UnsafeMutablePointer<Int32>
}
