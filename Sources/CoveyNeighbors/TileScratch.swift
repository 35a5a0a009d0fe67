import CCoveyKernels
import CoveyRuntime

/// One thread's room for a pair of blocks.
final class TileScratch {
    struct Hit {
        let row: Int32
        let column: Int32
        let reduced: Double
    }

    static let side = Cells.blockSize

    let tile: AlignedBuffer<Float>
    let gathered: AlignedBuffer<Float>
    let transposed: AlignedBuffer<Float>
    let hits: AlignedBuffer<UInt16>
    let found: AlignedBuffer<Hit>
    let gaps: AlignedBuffer<Double>
    let products: AlignedBuffer<Float>
    let never: AlignedBuffer<Float>
    /// Per side of the pair: thresholds by place in the block, and the places that are looked for.
    let firstThresholds: AlignedBuffer<Float>
    let secondThresholds: AlignedBuffer<Float>
    let firstPlaces: AlignedBuffer<Int32>
    let secondPlaces: AlignedBuffer<Int32>
    let firstBounds: AlignedBuffer<Double>
    let secondBounds: AlignedBuffer<Double>
    private let stride: Int

    init(_ packed: TileRows, _ execution: Execution) throws {
        let side = TileScratch.side
        stride = packed.stride
        tile = try AlignedBuffer(side * side, for: "a tile", execution)
        gathered = try AlignedBuffer(side * stride, for: "a tile's rows", execution)
        transposed = try AlignedBuffer(packed.isManhattan ? side * stride : 0, for: "a tile's rows", execution)
        hits = try AlignedBuffer(side, for: "a tile", execution)
        found = try AlignedBuffer(side * side, for: "a tile", execution)
        gaps = try AlignedBuffer(side, for: "a tile", execution)
        products = try AlignedBuffer(side, for: "a tile", execution)
        never = try AlignedBuffer(side, repeating: -.infinity, for: "a tile", execution)
        firstThresholds = try AlignedBuffer(side, for: "a tile", execution)
        secondThresholds = try AlignedBuffer(side, for: "a tile", execution)
        firstPlaces = try AlignedBuffer(side, for: "a tile", execution)
        secondPlaces = try AlignedBuffer(side, for: "a tile", execution)
        firstBounds = try AlignedBuffer(side, for: "a tile", execution)
        secondBounds = try AlignedBuffer(side, for: "a tile", execution)
    }

    /// Fills the tile for `count` rows (of `packed`, at `rows`, or those of the list) against a block of `columns` rows.
    func fill(
        _ packed: TileRows, start: Int, places: UnsafePointer<Int32>?, count: Int, columns: Int, at columnStart: Int
    ) {
        var rows = UnsafePointer(packed.numbers.pointer + start * stride)
        if let places {
            for i in 0..<count {
                (gathered.pointer + i * stride).update(
                    from: packed.numbers.pointer + (start + Int(places[i])) * stride, count: stride)
            }
            rows = UnsafePointer(gathered.pointer)
        }
        fill(packed, rows: rows, count: count, columns: columns, at: columnStart)
    }

    /// The same for packed rows from elsewhere.
    func fill(_ packed: TileRows, rows: UnsafePointer<Float>, count: Int, columns: Int, at columnStart: Int) {
        let others = packed.numbers.pointer + columnStart * stride
        let side = TileScratch.side
        guard packed.isManhattan else {
            ck_sgemm_nt(
                Int64(count), Int64(columns), Int64(stride), -2, rows, Int64(stride), others, Int64(stride), 0,
                tile.pointer, Int64(side))
            return
        }
        let d = packed.rows.dimension
        let target = transposed.pointer
        for j in 0..<columns {
            for c in 0..<d { target[c * side + j] = others[j * stride + c] }
        }
        for j in columns..<((columns + 15) / 16 * 16) {
            for c in 0..<d { target[c * side + j] = 0 }
        }
        ck_manhattan_tile(
            Int64(count), Int64(columns), Int64(d), Float(1 - packed.error).nextDown, rows, Int64(stride), target,
            Int64(side), tile.pointer, Int64(side))
    }
}
