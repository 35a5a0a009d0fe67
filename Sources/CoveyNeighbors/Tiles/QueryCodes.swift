import CCoveyKernels
import CoveyRuntime

/// The rows of cells as 8-bit integers, packed for queries: see query_codes.h. A query reads a quarter of the memory
/// that float32 takes, and several queries read it once.
///
/// Memory: one byte for each number, in blocks filled up to a multiple of 16 rows, and 4 bytes for each row.
final class QueryCodes: @unchecked Sendable {
    struct Block {
        /// The place of the first row, a multiple of 16.
        let start: Int
        let scale: Double
        /// The largest rest, length of the codes, and squared length of a row.
        let rest: Double
        let length: Double
        let norm: Double
    }

    let way: Int32
    /// The number of codes in a row.
    let depth: Int
    let blocks: [Block]
    private let panels: AlignedBuffer<UInt8>
    private let bases: AlignedBuffer<Float>

    /// nil if products of floats are at least as fast, or if no bound holds.
    /// - Parameter way: nil = the fastest; CK_CODES_NONE = none. Results do not depend on it.
    init?(_ cells: Cells, way: Int32? = nil, _ execution: Execution) throws {
        let packed = cells.packed
        let dimension = packed.rows.dimension
        guard way != CK_CODES_NONE, !packed.isManhattan, packed.reducedScale != 0,
            dimension <= Int(CK_CODES_MOST_DEPTH)
        else { return nil }
        if way == nil {
            guard dimension >= SearchSizes.current.codedColumns, ck_query_codes_best() != CK_CODES_PLAIN else {
                return nil
            }
        }
        self.way = way ?? ck_query_codes_best()
        let (unit, group) = (Int(CK_CODES_DEPTH), Int(CK_PANEL_GROUP))
        let depth = (dimension + unit - 1) / unit * unit
        self.depth = depth
        var starts: [Int] = []
        starts.reserveCapacity(cells.blocks.count)
        var places = 0
        for block in cells.blocks {
            starts.append(places)
            places += (block.count + group - 1) / group * group
        }
        let panels = try AlignedBuffer<UInt8>(
            checkedProduct(places, depth, "the rows' codes"), for: "the rows' codes", execution)
        let bases = try AlignedBuffer<Float>(places, repeating: .infinity, for: "the rows' codes", execution)
        let blocks = try AlignedBuffer<Block>(cells.blocks.count, for: "the rows' codes", execution)
        let scratch = try (0..<execution.threads).map { _ in try Scratch(depth, execution) }
        try execution.parallel(blocks.count, grain: 16) { chunk, thread in
            for number in chunk {
                let (own, start) = (cells.blocks[number], starts[number])
                blocks[number] = scratch[thread].encode(
                    own, cells, depth, to: panels.pointer + start * depth, at: start)
                (bases.pointer + start).update(from: packed.bias.pointer + own.start, count: own.count)
            }
        }
        self.blocks = (0..<blocks.count).map { blocks[$0] }
        (self.panels, self.bases) = (panels, bases)
    }

    /// One thread's memory for the codes of a block.
    private struct Scratch {
        let codes: AlignedBuffer<Int8>
        let sums: AlignedBuffer<Int32>
        let rests: AlignedBuffer<Float>
        let lengths: AlignedBuffer<Float>

        init(_ depth: Int, _ execution: Execution) throws {
            codes = try AlignedBuffer(Cells.blockSize * depth, for: "a block's codes", execution)
            sums = try AlignedBuffer(Cells.blockSize, for: "a block's codes", execution)
            rests = try AlignedBuffer(Cells.blockSize, for: "a block's codes", execution)
            lengths = try AlignedBuffer(Cells.blockSize, for: "a block's codes", execution)
        }

        func encode(
            _ block: Cells.Block, _ cells: Cells, _ depth: Int, to panel: UnsafeMutablePointer<UInt8>, at start: Int
        ) -> Block {
            let packed = cells.packed
            let scale = ck_encode_rows(
                Int64(block.count), nil, Int64(packed.rows.dimension), Int64(depth),
                packed.numbers.pointer + block.start * packed.stride, Int64(packed.stride),
                cells.centroids.pointer + block.cell * packed.stride,
                ck_coded_rows(
                    codes: codes.pointer, sums: sums.pointer, rests: rests.pointer, lengths: lengths.pointer))
            ck_pack_codes(Int64(block.count), nil, Int64(depth), codes.pointer, panel)
            var (rest, length, norm) = (Float(0), Float(0), 0.0)
            for row in 0..<block.count {
                rest = max(rest, rests[row])
                length = max(length, lengths[row])
                norm = max(norm, packed.norms[block.start + row])
            }
            return Block(
                start: start, scale: Double(scale), rest: Double(rest), length: Double(length), norm: norm)
        }
    }

    /// Writes the near pairs of a block's rows and listed queries as place in the list << 16 | row; returns their
    /// number.
    func near(
        _ number: Int, rows: Int, _ queries: inout ck_coded_queries, _ hits: UnsafeMutablePointer<UInt32>
    ) -> Int {
        let start = blocks[number].start
        return Int(
            ck_near_queries(
                way, Int64(rows), Int64(depth), panels.pointer + start * depth, bases.pointer + start, &queries, hits))
    }
}
