import CCoveyKernels
import CoveyRuntime

/// One thread's scratch memory for pairs of blocks: what each side searches for, and how far its rows are from the
/// centroid of the other's cell.
final class PairScratch {
    /// One side of a pair, by place in the block.
    final class Side {
        /// A pair is near if the tile's number plus both biases is at most this threshold. The row's own bias is
        /// already subtracted.
        let thresholds: AlignedBuffer<Float>
        /// The same threshold as an unreduced distance.
        let reaches: AlignedBuffer<Double>
        /// Bounds of the distances to the centroid of the other block's cell.
        let low: AlignedBuffer<Float>
        let high: AlignedBuffer<Float>
        /// The block and the cell for which these bounds were computed.
        var measured = (block: -1, cell: -1)
        /// The places whose rows the other block may improve, and the places that may improve the other block's rows.
        let places: AlignedBuffer<Int32>
        let wanted: AlignedBuffer<Int32>
        /// See codes.h.
        let bases: AlignedBuffer<Int32>
        let limits: AlignedBuffer<Int32>

        init(_ execution: Execution) throws {
            let side = TileScratch.side
            thresholds = try AlignedBuffer(side, for: "a tile", execution)
            reaches = try AlignedBuffer(side, for: "a tile", execution)
            low = try AlignedBuffer(side, for: "a tile", execution)
            high = try AlignedBuffer(side, for: "a tile", execution)
            places = try AlignedBuffer(side, for: "a tile", execution)
            wanted = try AlignedBuffer(side, for: "a tile", execution)
            bases = try AlignedBuffer(side, for: "a tile", execution)
            limits = try AlignedBuffer(side, for: "a tile", execution)
        }
    }

    /// A block of a pair, and bounds of its rows' distances to the centroid of the other block's cell.
    struct Half {
        let number: Int
        let side: Side
        let low: UnsafePointer<Float>
        let high: UnsafePointer<Float>

        var coded: CodedSide {
            CodedSide(
                number: number, low: low, reaches: UnsafePointer(side.reaches.pointer), bases: side.bases.pointer,
                limits: side.limits.pointer)
        }
    }

    /// With more rows than these that search in a pair of blocks, an integer tile of both blocks is fastest.
    static let mostListed = 96

    let tile: TileScratch
    let first: Side
    let second: Side
    private let cells: Cells
    private let firstBounds: RangeBounds
    private let secondBounds: RangeBounds

    init(_ search: TileSearch, _ execution: Execution) throws {
        cells = search.cells
        tile = try TileScratch(search.packed, coded: search.coded, execution)
        first = try Side(execution)
        second = try Side(execution)
        firstBounds = try RangeBounds(search.cells, blocks: TileSearch.rangeBlocks, execution)
        secondBounds = try RangeBounds(search.cells, blocks: TileSearch.rangeBlocks, execution)
    }

    /// Measures the rows of two ranges of blocks against each other's cells at once, if `all` is true.
    func measure(_ first: Range<Int>, _ second: Range<Int>, all: Bool) {
        guard all else { return }
        firstBounds.measure(first, against: second)
        secondBounds.measure(second, against: first)
    }

    func forget() {
        firstBounds.forget()
        secondBounds.forget()
    }

    func halves(_ a: Int, _ b: Int) -> (first: Half, second: Half) {
        (half(a, against: b, first, firstBounds), half(b, against: a, second, secondBounds))
    }

    private func half(_ number: Int, against other: Int, _ side: Side, _ range: RangeBounds) -> Half {
        let block = cells.blocks[number]
        let cell = cells.blocks[other].cell
        if block.cell == cell && cells.count > 1 {
            return Half(
                number: number, side: side, low: UnsafePointer(cells.ownLow.pointer + block.start),
                high: UnsafePointer(cells.ownHigh.pointer + block.start))
        }
        if let (low, high) = range.bounds(block, cell) {
            return Half(number: number, side: side, low: low, high: high)
        }
        // The blocks of a cell come one after another, so that the first block's bounds are often those of the pair
        // before.
        if side.measured != (number, cell) {
            cells.centroidBounds(
                cells.packed.numbers.pointer + block.start * cells.packed.stride,
                cells.packed.norms.pointer + block.start, count: block.count, to: cell, low: side.low.pointer,
                high: side.high.pointer, products: tile.products.pointer)
            side.measured = (number, cell)
        }
        return Half(
            number: number, side: side, low: UnsafePointer(side.low.pointer), high: UnsafePointer(side.high.pointer))
    }

    /// The rows whose own search distance, or `least`, reaches the other block. Returns their number.
    func choose(_ half: Half, against other: Half, orWithin least: Double, _ places: AlignedBuffer<Int32>) -> Int {
        let (block, target) = (cells.blocks[half.number], cells.blocks[other.number])
        return Int(
            ck_rows_in_reach(
                Int64(block.count), half.low, half.high, target.low, target.high, half.side.reaches.pointer, least,
                places.pointer))
    }

    /// The largest search distance of the rows that the other block may improve: the first `count` of `places`.
    func reach(_ half: Half, _ count: Int) -> Double {
        var most = -Double.infinity
        for index in 0..<count { most = max(most, half.side.reaches[Int(half.side.places[index])]) }
        return most
    }
}
