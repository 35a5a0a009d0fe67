import CCoveyKernels
import CoveyRuntime

/// One thread's scratch memory for a tile of two blocks' rows.
final class TileScratch {
    static let side = Cells.blockSize

    /// Rows that are the columns of a tile: a block, some of its rows, or another list.
    struct Columns {
        let numbers: UnsafePointer<Float>
        let count: Int
        /// The rows' indices in `numbers`; nil = the first ones. The following fields are in the order of this list.
        let places: UnsafePointer<Int32>?
        let thresholds: UnsafePointer<Float>
        let biases: UnsafePointer<Float>
        let tails: UnsafePointer<Float>
    }

    /// Near pairs as `ck_near_pairs` writes them.
    let pairs: AlignedBuffer<UInt32>
    let tile: AlignedBuffer<Float>
    let panel: AlignedBuffer<Float>
    let hits: AlignedBuffer<UInt16>
    /// The places of near pairs, and their reduced distances.
    let places: AlignedBuffer<(Int32, Int32)>
    let reduced: AlignedBuffer<Double>
    let products: AlignedBuffer<Float>
    let never: AlignedBuffer<Float>
    /// A list of up to as many places as a block has.
    let list: AlignedBuffer<Int32>
    /// Limits of rows that do not search; see codes.h.
    let neverCodes: AlignedBuffer<Int32>
    /// Scratch memory for selected columns.
    let chosenThresholds: AlignedBuffer<Float>
    let chosenBiases: AlignedBuffer<Float>
    let chosenTails: AlignedBuffer<Float>
    /// The owner of the packed panel, so that it can be used again. -1 = no owner.
    var panelOwner = -1
    private let stride: Int
    private let instructions = ck_encoder_instruction_set()
    private var work = 0
    /// The number of searches to do before the prefix is tried again.
    private var pause = 0

    private let codeScratch: CodeScratch?
    /// The number of searches for which integer products are not worth trying.
    private var codePause = 0

    init(_ packed: TileRows, coded: CodedRows? = nil, _ execution: Execution) throws {
        let side = TileScratch.side
        stride = packed.stride
        pairs = try AlignedBuffer(side * side, for: "a tile", execution)
        tile = try AlignedBuffer(side * side, for: "a tile", execution)
        panel = try AlignedBuffer(checkedProduct(side, stride, "a tile's rows"), for: "a tile's rows", execution)
        hits = try AlignedBuffer(side, for: "a tile", execution)
        places = try AlignedBuffer(side * side, for: "a tile", execution)
        reduced = try AlignedBuffer(side * side, for: "a tile", execution)
        products = try AlignedBuffer(side, for: "a tile", execution)
        never = try AlignedBuffer(side, repeating: -.infinity, for: "a tile", execution)
        list = try AlignedBuffer(side, for: "a tile", execution)
        neverCodes = try AlignedBuffer(side, repeating: CK_CODES_NEVER, for: "a tile", execution)
        codeScratch = try coded.map { try CodeScratch($0, execution) }
        chosenThresholds = try AlignedBuffer(side, for: "a tile", execution)
        chosenBiases = try AlignedBuffer(side, for: "a tile", execution)
        chosenTails = try AlignedBuffer(side, for: "a tile", execution)
    }

    deinit { SearchWork.add(work) }

    /// Packed rows from `start` on (those of the list, nil = the first ones) as columns; thresholds by place.
    func columns(
        _ packed: TileRows, start: Int, places: UnsafePointer<Int32>?, count: Int, _ thresholds: AlignedBuffer<Float>
    ) -> Columns {
        let numbers = UnsafePointer(packed.numbers.pointer + start * stride)
        let hasTails = packed.prefix > 0
        guard let places else {
            return Columns(
                numbers: numbers, count: count, places: nil, thresholds: thresholds.pointer,
                biases: packed.bias.pointer + start,
                tails: hasTails ? packed.tails.pointer + start : chosenTails.pointer)
        }
        for column in 0..<count {
            let place = Int(places[column])
            chosenThresholds[column] = thresholds[place]
            chosenBiases[column] = packed.bias[start + place]
            if hasTails { chosenTails[column] = packed.tails[start + place] }
        }
        return Columns(
            numbers: numbers, count: count, places: places, thresholds: chosenThresholds.pointer,
            biases: chosenBiases.pointer, tails: chosenTails.pointer)
    }

    /// The near pairs of rows from `start` on (those of the list, nil = the first ones) with columns; returns how many
    /// `pairs` holds.
    /// - Parameters:
    ///   - thresholds: of the rows, by place.
    ///   - owner: of a panel that may be packed already; -1 = none.
    func near(
        _ packed: TileRows, start: Int, places: UnsafePointer<Int32>?, count: Int, thresholds: UnsafePointer<Float>,
        columns: Columns, owner: Int
    ) -> Int {
        work += count * columns.count
        if packed.isManhattan {
            return nearManhattan(packed, start, places, count, thresholds, columns)
        }
        let depth = packed.depth
        if owner < 0 || owner != panelOwner {
            ck_pack_panel(
                Int64(columns.count), columns.places, Int64(depth), columns.numbers, Int64(stride), panel.pointer)
            panelOwner = owner
        }
        let looks = packed.prefix > 0 && pause == 0
        pause = max(0, pause - 1)
        var search = ck_pairs(
            rows: Int64(count), columns: Int64(columns.count), depth: Int64(depth),
            prefix: looks ? Int64(packed.prefix) : 0, stride: Int64(stride),
            numbers: packed.numbers.pointer + start * stride, places: places, panel: panel.pointer,
            row_thresholds: thresholds, row_biases: packed.bias.pointer + start,
            row_tails: looks ? packed.tails.pointer + start : nil, column_thresholds: columns.thresholds,
            column_biases: columns.biases, column_tails: columns.tails)
        let found = ck_near_pairs(instructions, &search, pairs.pointer)
        // Trying the prefix costs about as much as 8 terms.
        if looks, found.abandoned * Int64(depth - packed.prefix) < found.tiles * 8 { pause = 31 }
        return Int(found.count)
    }

    /// Rows for integer products: those of the list of places, nil = the first ones. All else is by place; see codes.h.
    struct CodedLines {
        let codes: UnsafePointer<Int8>
        let sums: UnsafePointer<Int32>
        let count: Int
        let places: UnsafePointer<Int32>?
        let bases: UnsafePointer<Int32>
        let limits: UnsafePointer<Int32>
    }

    /// Whether the next search should begin with integer products.
    var usesCodes: Bool {
        if codePause == 0 { return true }
        codePause -= 1
        return false
    }

    /// The same as `near` with rows from `start` on, by integer products first.
    func nearCodes(
        _ coded: CodedRows, _ packed: TileRows, start: Int, rows: CodedLines, columns: CodedLines,
        thresholds: UnsafePointer<Float>, _ selected: Columns, owner: Int
    ) -> Int {
        work += rows.count * columns.count
        let scratch = codeScratch!
        let passed = scratch.near(coded, rows, columns, owner: owner, pairs.pointer)
        guard passed > 0 else { return 0 }
        var check = ck_float_check(
            dimension: Int64(packed.depth), stride: Int64(stride), rows: packed.numbers.pointer + start * stride,
            columns: selected.numbers, row_places: rows.places, column_places: selected.places,
            row_thresholds: thresholds, row_biases: packed.bias.pointer + start,
            column_thresholds: selected.thresholds, column_biases: selected.biases)
        let kept = Int(ck_check_pairs(&check, Int64(passed), pairs.pointer))
        // A product of a pair alone costs about as much as twenty in a tile of floats.
        if (passed - kept) * 20 > rows.count * columns.count { codePause = 31 }
        return kept
    }

    private func nearManhattan(
        _ packed: TileRows, _ start: Int, _ places: UnsafePointer<Int32>?, _ count: Int,
        _ thresholds: UnsafePointer<Float>, _ columns: Columns
    ) -> Int {
        let d = packed.rows.dimension
        let side = TileScratch.side
        panelOwner = -1
        for j in 0..<columns.count {
            let row = columns.numbers + (columns.places.map { Int($0[j]) } ?? j) * stride
            for c in 0..<d { panel[c * side + j] = row[c] }
        }
        for j in columns.count..<((columns.count + 15) / 16 * 16) {
            for c in 0..<d { panel[c * side + j] = 0 }
        }
        var found = 0
        for line in 0..<count {
            let place = places.map { Int($0[line]) } ?? line
            ck_manhattan_tile(
                1, Int64(columns.count), Int64(d), Float(1 - packed.error).nextDown,
                packed.numbers.pointer + (start + place) * stride, Int64(stride), panel.pointer, Int64(side),
                tile.pointer,
                Int64(side))
            let near = ck_scan_row(
                tile.pointer, Int64(columns.count), thresholds[place], packed.bias[start + place], columns.thresholds,
                columns.biases, hits.pointer)
            for hit in 0..<Int(near) {
                pairs[found] = UInt32(place) << 16 | UInt32(hits[hit])
                found += 1
            }
        }
        return found
    }

    /// The tile of `count` packed rows against a block of `columns` rows.
    func fill(_ packed: TileRows, rows: UnsafePointer<Float>, count: Int, columns: Int, at columnStart: Int) {
        work += count * columns
        let others = packed.numbers.pointer + columnStart * stride
        let side = TileScratch.side
        guard packed.isManhattan else {
            ck_sgemm_nt(
                Int64(count), Int64(columns), Int64(stride), -2, rows, Int64(stride), others, Int64(stride), 0,
                tile.pointer, Int64(side))
            return
        }
        let d = packed.rows.dimension
        panelOwner = -1
        for j in 0..<columns {
            for c in 0..<d { panel[c * side + j] = others[j * stride + c] }
        }
        for j in columns..<((columns + 15) / 16 * 16) {
            for c in 0..<d { panel[c * side + j] = 0 }
        }
        ck_manhattan_tile(
            Int64(count), Int64(columns), Int64(d), Float(1 - packed.error).nextDown, rows, Int64(stride),
            panel.pointer,
            Int64(side), tile.pointer, Int64(side))
    }
}
