import CoveyRuntime

/// One thread's scratch memory for a group of searched rows.
final class GroupScratch {
    let size: Int
    let tile: TileScratch
    let numbers: AlignedBuffer<Float>
    let norms: AlignedBuffer<Double>
    let biases: AlignedBuffer<Float>
    let tails: AlignedBuffer<Float>
    let bounds: AlignedBuffer<Double>
    let reaches: AlignedBuffer<Double>
    let thresholds: AlignedBuffer<Float>
    /// The rows of the group, and those of a block, that are compared.
    let chosen: AlignedBuffer<Int32>
    let rows: AlignedBuffer<Int32>
    /// Cells x size: products with the centroids, bounds of the distances to them.
    let products: AlignedBuffer<Float>
    let low: AlignedBuffer<Float>
    let high: AlignedBuffer<Float>
    /// One number for each cell.
    let gaps: AlignedBuffer<Double>
    let order: AlignedBuffer<Int32>
    /// nil if there are no codes.
    let codes: GroupCodes?

    init(_ cells: Cells, _ size: Int, coded: CodedRows?, _ execution: Execution) throws {
        self.size = size
        tile = try TileScratch(cells.packed, coded: coded, execution)
        codes = try coded.map { try GroupCodes($0, size: size, execution) }
        numbers = try AlignedBuffer(size * cells.packed.stride, for: "searched rows", execution)
        norms = try AlignedBuffer(size, for: "searched rows", execution)
        biases = try AlignedBuffer(size, for: "searched rows", execution)
        tails = try AlignedBuffer(size, for: "searched rows", execution)
        bounds = try AlignedBuffer(size, for: "searched rows", execution)
        reaches = try AlignedBuffer(size, for: "searched rows", execution)
        thresholds = try AlignedBuffer(size, for: "searched rows", execution)
        chosen = try AlignedBuffer(size, for: "searched rows", execution)
        rows = try AlignedBuffer(TileScratch.side, for: "searched rows", execution)
        products = try AlignedBuffer(cells.count * size, for: "distances to cells", execution)
        low = try AlignedBuffer(cells.count * size, for: "distances to cells", execution)
        high = try AlignedBuffer(cells.count * size, for: "distances to cells", execution)
        gaps = try AlignedBuffer(cells.count, for: "distances to cells", execution)
        order = try AlignedBuffer(cells.count, for: "distances to cells", execution)
    }

    func gather(_ places: UnsafePointer<Int32>, _ count: Int, _ packed: TileRows) {
        codes?.forget()
        let stride = packed.stride
        for i in 0..<count {
            let p = Int(places[i])
            (numbers.pointer + i * stride).update(from: packed.numbers.pointer + p * stride, count: stride)
            norms[i] = packed.norms[p]
            biases[i] = packed.bias[p]
            if packed.prefix > 0 { tails[i] = packed.tails[p] }
        }
    }
}
