import CCoveyKernels
import CFaissShim
import CoveyRuntime

/// The rows in k-means cells. The rows of a cell are stored together, by ascending distance to its centroid, and cut
/// into blocks of at most 256. The triangle inequality gives a bound: if a block's rows are between `low` and `high`
/// from a centroid, a row at distance D from that centroid is at least D - high and at least low - D away from the
/// block.
final class Cells: @unchecked Sendable {
    struct Block {
        let start: Int
        let count: Int
        let cell: Int
        /// Bounds of the distances to the cell's centroid, in the tiles' scale.
        let low: Double
        let high: Double
    }

    static let blockSize = 256

    let packed: TileRows
    let count: Int
    let blocks: [Block]
    /// The first block of each cell, and their number.
    let blockStarts: [Int]
    /// count x stride, and their norms as in `TileRows`.
    let centroids: AlignedBuffer<Float>
    let norms: AlignedBuffer<Double>
    /// Bounds of the distance from the row at each place to its own centroid.
    let ownLow: AlignedBuffer<Float>
    let ownHigh: AlignedBuffer<Float>
    /// count x count: lower bounds of the distances between centroids; empty if no pairs of blocks are compared.
    let between: AlignedBuffer<Float>

    /// - Parameters:
    ///   - cellCount: nil = the number that is fastest for a search of all rows among themselves.
    ///   - rotated: see `TileRows`.
    init(_ rows: Rows, seed: UInt64, cellCount: Int? = nil, rotated: Bool = false, execution: Execution) throws {
        let packed = try TileRows(rows, rotated: rotated, execution: execution)
        self.packed = packed
        let n = rows.count
        let stride = packed.stride
        let sizes = SearchSizes.current
        let wanted = cellCount ?? (n < sizes.oneCell ? 1 : n / sizes.exactCell)
        count = packed.reducedScale == 0 ? 1 : max(1, min(CellOrder.mostCells, wanted, n))
        let count = self.count
        centroids = try AlignedBuffer(count * stride, repeating: 0, for: "the centroids", execution)
        norms = try AlignedBuffer(count, repeating: 0, for: "the centroids", execution)
        ownLow = try AlignedBuffer(n, repeating: 0, for: "distances to centroids", execution)
        ownHigh = try AlignedBuffer(n, repeating: .infinity, for: "distances to centroids", execution)
        between = try AlignedBuffer(count * count, repeating: 0, for: "distances of centroids", execution)
        let batches = try (0..<execution.threads).map { _ in try RowBatch(packed, execution) }
        let grain = 4 * batches[0].size
        guard count > 1 else {
            try execution.parallel(n, grain: grain) { chunk, thread in packed.pack(chunk, batches[thread]) { $0 } }
            blocks = Cells.cut(0..<n, cell: 0, by: sizes.exactBlock, ownLow, ownHigh)
            blockStarts = [0, blocks.count]
            return
        }
        try Cells.train(packed, count, seed, into: centroids, execution)
        for cell in 0..<count {
            for c in 0..<stride {
                let value = Double(centroids[cell * stride + c])
                norms[cell] += packed.isManhattan ? abs(value) : value * value
            }
        }
        let members = try Cells.assign(packed, centroids, norms, count, batches, execution)
        var blocks: [Block] = []
        var blockStarts = [0]
        for cell in 0..<count {
            let range = members.starts[cell]..<members.starts[cell + 1]
            if cell & 0xFF == 0 { try execution.report() }
            for p in range {
                ownLow[p] = members.low[p]
                ownHigh[p] = members.high[p]
            }
            blocks += Cells.cut(range, cell: cell, by: sizes.exactBlock, ownLow, ownHigh)
            blockStarts.append(blocks.count)
        }
        self.blocks = blocks
        self.blockStarts = blockStarts
        try execution.parallel(n, grain: grain) { chunk, thread in
            packed.pack(chunk, batches[thread]) { Int(members.order[$0]) }
        }
        try measureCentroids(execution)
    }

    /// Cells that were measured: see `CellOrder`.
    init(
        packed: TileRows, blocks: [Block], blockStarts: [Int], centroids: AlignedBuffer<Float>,
        norms: AlignedBuffer<Double>, ownLow: AlignedBuffer<Float>, ownHigh: AlignedBuffer<Float>,
        between: AlignedBuffer<Float>
    ) {
        self.packed = packed
        count = blockStarts.count - 1
        self.blocks = blocks
        self.blockStarts = blockStarts
        self.centroids = centroids
        self.norms = norms
        self.ownLow = ownLow
        self.ownHigh = ownHigh
        self.between = between
    }

    static func cut(
        _ range: Range<Int>, cell: Int, by blockSize: Int, _ low: AlignedBuffer<Float>, _ high: AlignedBuffer<Float>
    ) -> [Block] {
        guard !range.isEmpty else { return [] }
        let parts = (range.count + blockSize - 1) / blockSize
        return (0..<parts).map { part in
            let start = range.lowerBound + range.count * part / parts
            let end = range.lowerBound + range.count * (part + 1) / parts
            var least = Double.infinity
            var most = 0.0
            for p in start..<end {
                least = min(least, Double(low[p]))
                most = max(most, Double(high[p]))
            }
            return Block(start: start, count: end - start, cell: cell, low: least, high: most)
        }
    }

    /// k-means of a sample of the rows by FAISS.
    static func train(
        _ packed: TileRows, _ count: Int, _ seed: UInt64, into centroids: AlignedBuffer<Float>, _ execution: Execution
    ) throws {
        var random = SeededRandom(seed: seed)
        let sample = random.sample(min(packed.count, count * 40), of: packed.count)
        let numbers = try AlignedBuffer<Float>(sample.count * packed.stride, for: "the sample of k-means", execution)
        let scratch = try AlignedBuffer<Double>(packed.stride, for: "a row", execution)
        for (place, row) in sample.enumerated() {
            if place & 0xFF == 0 { try execution.report() }
            packed.rows.copy(row, to: scratch.pointer)
            _ = packed.convert(scratch.pointer, to: numbers.pointer + place * packed.stride)
        }
        // Numbers of each row of the sample, and of each centroid.
        try execution.reserve(
            sample.count * 16 + count * (packed.stride * 12 + 8) + Int(FS_BLOCK) + Int(FS_SPARE), for: "k-means")
        let status = withUnsafePointer(to: execution) { execution in
            fs_kmeans(
                Int64(sample.count), Int64(packed.stride), numbers.pointer, Int64(count), 6, Int64(seed & 0x7fff_ffff),
                centroids.pointer,
                { (try? $0!.assumingMemoryBound(to: Execution.self).pointee.report()) == nil ? 1 : 0 }, execution)
        }
        try execution.check()
        switch status {
        case FS_OK: break
        case FS_OUT_OF_MEMORY: throw CoveyError.outOfMemory("k-means of \(sample.count) rows")
        default: throw CoveyError.internalError("k-means of \(sample.count) rows failed")
        }
    }

    struct Members {
        let starts: [Int]
        let order: AlignedBuffer<Int32>
        let low: AlignedBuffer<Float>
        let high: AlignedBuffer<Float>
    }

    /// Each row's nearest centroid; rows by (cell, distance, number).
    static func assign(
        _ packed: TileRows, _ centroids: AlignedBuffer<Float>, _ norms: AlignedBuffer<Double>, _ count: Int,
        _ batches: [RowBatch], _ execution: Execution
    ) throws -> Members {
        let n = packed.count
        let stride = packed.stride
        let cells = try AlignedBuffer<Int32>(n, for: "the cells of rows", execution)
        let lows = try AlignedBuffer<Float>(n, for: "distances to centroids", execution)
        let highs = try AlignedBuffer<Float>(n, for: "distances to centroids", execution)
        let squares = try AlignedBuffer<Float>(count, for: "the centroids", execution)
        for cell in 0..<count {
            var sum: Float = 0
            for c in 0..<stride { sum += centroids[cell * stride + c] * centroids[cell * stride + c] }
            squares[cell] = sum
        }
        let grain = batches[0].size
        let scratch = try (0..<execution.threads).map { _ in
            (
                numbers: try AlignedBuffer<Float>(grain * stride, for: "rows", execution),
                tile: try AlignedBuffer<Float>(grain * count, for: "a tile", execution),
                norms: try AlignedBuffer<Double>(grain, for: "norms", execution)
            )
        }
        try execution.parallel(n, grain: grain) { chunk, thread in
            let (numbers, tile, rowNorms) = scratch[thread]
            for (place, i) in chunk.enumerated() { packed.rows.copy(i, to: batches[thread].row(place)) }
            packed.convert(batches[thread], count: chunk.count, to: numbers.pointer, norms: rowNorms.pointer)
            ck_sgemm_nt(
                Int64(chunk.count), Int64(count), Int64(stride), -2, numbers.pointer, Int64(stride), centroids.pointer,
                Int64(stride), 0, tile.pointer, Int64(count))
            for (place, i) in chunk.enumerated() {
                let line = tile.pointer + place * count
                let best = Int(ck_least_sum(Int64(count), line, squares.pointer))
                var g = line[best]
                if packed.isManhattan {
                    ck_query_manhattan(
                        centroids.pointer + best * stride, Int64(stride), 1, numbers.pointer + place * stride,
                        Int64(stride), &g)
                }
                let bounds = packed.bounds(g, rowNorms[place], norms[best])
                cells[i] = Int32(best)
                lows[i] = Float(bounds.low).nextDown
                highs[i] = Float(bounds.high).nextUp
            }
        }
        var starts = [Int](repeating: 0, count: count + 1)
        for i in 0..<n {
            if i & 0xFFFFF == 0 { try execution.report() }
            starts[Int(cells[i]) + 1] += 1
        }
        for cell in 0..<count { starts[cell + 1] += starts[cell] }
        let order = try AlignedBuffer<Int32>(n, for: "the order of rows", execution)
        var next = starts
        for i in 0..<n {
            if i & 0xFFFFF == 0 { try execution.report() }
            let cell = Int(cells[i])
            order[next[cell]] = Int32(i)
            next[cell] += 1
        }
        let low = try AlignedBuffer<Float>(n, for: "distances to centroids", execution)
        let high = try AlignedBuffer<Float>(n, for: "distances to centroids", execution)
        let bounds = starts
        try execution.parallel(count) { chunk, _ in
            for cell in chunk {
                var members = UnsafeMutableBufferPointer(
                    start: order.pointer + bounds[cell], count: bounds[cell + 1] - bounds[cell])
                members.sort { (lows[Int($0)], $0) < (lows[Int($1)], $1) }
                for p in bounds[cell]..<bounds[cell + 1] {
                    low[p] = lows[Int(order[p])]
                    high[p] = highs[Int(order[p])]
                }
            }
        }
        return Members(starts: starts, order: order, low: low, high: high)
    }

    private func measureCentroids(_ execution: Execution) throws {
        let stride = packed.stride
        try execution.parallel(count) { [self] chunk, _ in
            for a in chunk {
                let line = between.pointer + a * count
                let own = centroids.pointer + a * stride
                if packed.isManhattan {
                    ck_query_manhattan(centroids.pointer, Int64(stride), Int64(count), own, Int64(stride), line)
                } else {
                    ck_query_products(centroids.pointer, Int64(stride), Int64(count), own, Int64(stride), line)
                }
                for b in 0..<count {
                    let g = packed.isManhattan ? line[b] : -2 * line[b]
                    line[b] = Float(packed.bounds(g, norms[a], norms[b]).low).nextDown
                }
            }
        }
    }

    /// A lower bound of the distance between any two rows of the blocks.
    @inline(__always)
    func gap(_ a: Block, _ b: Block) -> Double {
        if a.cell == b.cell { return max(0, b.low - a.high, a.low - b.high) }
        return max(0, Double(between[a.cell * count + b.cell]) - a.high - b.high)
    }

    /// Bounds of the distances from `count` packed rows to the centroid of a cell. `products` is scratch memory for
    /// `count` numbers.
    func centroidBounds(
        _ numbers: UnsafePointer<Float>, _ rowNorms: UnsafePointer<Double>, count rowCount: Int, to cell: Int,
        low: UnsafeMutablePointer<Float>, high: UnsafeMutablePointer<Float>, products: UnsafeMutablePointer<Float>
    ) {
        if count == 1 {
            low.update(repeating: 0, count: rowCount)
            high.update(repeating: .infinity, count: rowCount)
            return
        }
        let stride = packed.stride
        let centroid = centroids.pointer + cell * stride
        if packed.isManhattan {
            ck_query_manhattan(numbers, Int64(stride), Int64(rowCount), centroid, Int64(stride), products)
        } else {
            ck_query_products(numbers, Int64(stride), Int64(rowCount), centroid, Int64(stride), products)
        }
        bounds(products, rowNorms, count: rowCount, to: cell, low: low, high: high)
    }

    /// The same from products (manhattan: sums of |row - centroid|) that were computed before.
    func bounds(
        _ products: UnsafePointer<Float>, _ rowNorms: UnsafePointer<Double>, count rowCount: Int, to cell: Int,
        low: UnsafeMutablePointer<Float>, high: UnsafeMutablePointer<Float>
    ) {
        ck_centroid_bounds(
            Int64(rowCount), packed.isManhattan ? 1 : 0, products, rowNorms, norms[cell], packed.error,
            4 * TileRows.unit, low, high)
    }
}
