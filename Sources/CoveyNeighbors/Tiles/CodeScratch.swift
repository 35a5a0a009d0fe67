import CCoveyKernels
import CoveyRuntime

/// One thread's scratch memory for a tile of integer products.
final class CodeScratch {
    /// The columns as a panel, and the rows if not all of a block are used.
    private let panel: AlignedBuffer<UInt8>
    private let codes: AlignedBuffer<Int8>
    private let sums: AlignedBuffer<Int32>
    private let rowBases: AlignedBuffer<Int32>
    private let rowLimits: AlignedBuffer<Int32>
    private let columnBases: AlignedBuffer<Int32>
    private let columnLimits: AlignedBuffer<Int32>
    /// The order of a whole block's rows in the panel: by the distances within which they search, so that one limit
    /// suits columns that are next to each other.
    private let order: AlignedBuffer<Int32>
    private let keys: AlignedBuffer<Int64>
    /// The owner of the packed panel, so that it can be used again. -1 = no owner.
    private var panelOwner = -1

    init(_ coded: CodedRows, _ execution: Execution) throws {
        let side = TileScratch.side
        let room = try checkedProduct(side, coded.depth, "a tile's rows")
        panel = try AlignedBuffer(room, for: "a tile's rows", execution)
        codes = try AlignedBuffer(room, repeating: 0, for: "a tile's rows", execution)
        sums = try AlignedBuffer(side, for: "a tile", execution)
        rowBases = try AlignedBuffer(side, for: "a tile", execution)
        rowLimits = try AlignedBuffer(side, for: "a tile", execution)
        columnBases = try AlignedBuffer(side, for: "a tile", execution)
        columnLimits = try AlignedBuffer(side, for: "a tile", execution)
        order = try AlignedBuffer(side, for: "a tile", execution)
        keys = try AlignedBuffer(side, for: "a tile", execution)
    }

    /// Writes the near pairs as index in the list of rows << 16 | index in that of columns; returns their number.
    func near(
        _ coded: CodedRows, _ rows: TileScratch.CodedLines, _ columns: TileScratch.CodedLines, owner: Int,
        _ pairs: UnsafeMutablePointer<UInt32>
    ) -> Int {
        let depth = Int64(coded.depth)
        let places = columns.places ?? UnsafePointer(order.pointer)
        if owner < 0 || owner != panelOwner {
            if columns.places == nil { sort(columns) }
            ck_pack_codes(Int64(columns.count), places, depth, columns.codes, panel.pointer)
            panelOwner = owner
        }
        for line in 0..<columns.count {
            let place = Int(places[line])
            columnBases[line] = columns.bases[place]
            columnLimits[line] = columns.limits[place]
        }
        var search = ck_coded_pairs(
            rows: Int64(rows.count), columns: Int64(columns.count), depth: depth, codes: rows.codes, sums: rows.sums,
            row_bases: rows.bases, row_limits: rows.limits, panel: panel.pointer, column_bases: columnBases.pointer,
            column_limits: columnLimits.pointer)
        if let places = rows.places {
            ck_gather_codes(Int64(rows.count), places, depth, search.codes, codes.pointer)
            for line in 0..<rows.count {
                let place = Int(places[line])
                sums[line] = search.sums[place]
                rowBases[line] = rows.bases[place]
                rowLimits[line] = rows.limits[place]
            }
            search.codes = UnsafePointer(codes.pointer)
            search.sums = UnsafePointer(sums.pointer)
            search.row_bases = UnsafePointer(rowBases.pointer)
            search.row_limits = UnsafePointer(rowLimits.pointer)
        }
        let found = Int(ck_near_codes(coded.way, &search, pairs))
        if columns.places == nil {
            for hit in 0..<found { pairs[hit] = pairs[hit] & 0xffff_0000 | UInt32(order[Int(pairs[hit] & 0xffff)]) }
        }
        return found
    }

    private func sort(_ columns: TileScratch.CodedLines) {
        for place in 0..<columns.count {
            keys[place] = (Int64(columns.limits[place]) - Int64(columns.bases[place])) << 16 | Int64(place)
        }
        var line = UnsafeMutableBufferPointer(start: keys.pointer, count: columns.count)
        line.sort()
        for place in 0..<columns.count { order[place] = Int32(keys[place] & 0xffff) }
    }
}
