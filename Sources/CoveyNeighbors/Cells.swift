import CCoveyKernels
import CFaissShim
import CoveyRuntime

/// The rows in k-means cells: rows of a cell lie together, by ascending distance to its centroid, cut into blocks of at most
/// 256. By the triangle inequality a row at distance D of a centroid is at least D - high and low - D away from a block whose
/// rows are between low and high of that centroid.
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
    /// count x stride, and their norms as in `TileRows`.
    let centroids: AlignedBuffer<Float>
    let norms: AlignedBuffer<Double>
    /// Bounds of each place's distance to its own centroid.
    let ownLow: AlignedBuffer<Float>
    let ownHigh: AlignedBuffer<Float>
    /// count x count, at most the distance of two centroids.
    let between: AlignedBuffer<Float>

    /// - Parameter cellCount: nil = as many as pay for a search of all rows among themselves.
    init(_ rows: Rows, seed: UInt64, cellCount: Int? = nil, execution: Execution) throws {
        let packed = try TileRows(rows, execution: execution)
        self.packed = packed
        let n = rows.count
        let stride = packed.stride
        let wanted = cellCount ?? (n < 4096 ? 1 : n / 512)
        count = packed.reducedScale == 0 ? 1 : max(1, min(16_384, wanted, n))
        let count = self.count
        centroids = try AlignedBuffer(count * stride, repeating: 0, for: "the centroids", execution)
        norms = try AlignedBuffer(count, repeating: 0, for: "the centroids", execution)
        ownLow = try AlignedBuffer(n, repeating: 0, for: "distances to centroids", execution)
        ownHigh = try AlignedBuffer(n, repeating: .infinity, for: "distances to centroids", execution)
        between = try AlignedBuffer(count * count, repeating: 0, for: "distances of centroids", execution)
        guard count > 1 else {
            let grain = max(16, 65_536 / stride)
            try execution.parallel(n, grain: grain) { chunk, _ in
                let scratch = UnsafeMutablePointer<Double>.allocate(capacity: stride)
                defer { scratch.deallocate() }
                for i in chunk { packed.pack(i, at: i, scratch: scratch) }
            }
            blocks = Cells.cut(0..<n, cell: 0, ownLow, ownHigh)
            return
        }
        try Cells.train(packed, count, seed, into: centroids, execution)
        for cell in 0..<count {
            for c in 0..<stride {
                let value = Double(centroids[cell * stride + c])
                norms[cell] += packed.isManhattan ? abs(value) : value * value
            }
        }
        let members = try Cells.assign(packed, centroids, norms, count, execution)
        var blocks: [Block] = []
        for cell in 0..<count {
            let range = members.starts[cell]..<members.starts[cell + 1]
            for p in range {
                ownLow[p] = members.low[p]
                ownHigh[p] = members.high[p]
            }
            blocks += Cells.cut(range, cell: cell, ownLow, ownHigh)
        }
        self.blocks = blocks
        try execution.parallel(n, grain: max(16, 65_536 / stride)) { chunk, _ in
            let scratch = UnsafeMutablePointer<Double>.allocate(capacity: stride)
            defer { scratch.deallocate() }
            for p in chunk { packed.pack(Int(members.order[p]), at: p, scratch: scratch) }
        }
        try measureCentroids(execution)
    }

    private static func cut(
        _ range: Range<Int>, cell: Int, _ low: AlignedBuffer<Float>, _ high: AlignedBuffer<Float>
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
    private static func train(
        _ packed: TileRows, _ count: Int, _ seed: UInt64, into centroids: AlignedBuffer<Float>, _ execution: Execution
    ) throws {
        var random = SeededRandom(seed: seed)
        let sample = random.sample(min(packed.count, count * 40), of: packed.count)
        let numbers = try AlignedBuffer<Float>(sample.count * packed.stride, for: "the sample of k-means", execution)
        let scratch = try AlignedBuffer<Double>(packed.stride, for: "a row", execution)
        for (place, row) in sample.enumerated() {
            packed.rows.copy(row, to: scratch.pointer)
            _ = packed.convert(scratch.pointer, to: numbers.pointer + place * packed.stride)
        }
        let status = withUnsafePointer(to: execution) { execution in
            fs_kmeans(
                Int64(sample.count), Int64(packed.stride), numbers.pointer, Int64(count), 6, Int64(seed & 0x7fff_ffff),
                centroids.pointer,
                { $0!.assumingMemoryBound(to: Execution.self).pointee.isCancelled ? 1 : 0 }, execution)
        }
        try execution.check()
        switch status {
        case FS_OK: break
        case FS_OUT_OF_MEMORY: throw CoveyError.outOfMemory("k-means of \(sample.count) rows")
        default: throw CoveyError.internalError("k-means of \(sample.count) rows failed")
        }
    }

    private struct Members {
        let starts: [Int]
        let order: AlignedBuffer<Int32>
        let low: AlignedBuffer<Float>
        let high: AlignedBuffer<Float>
    }

    /// Each row's nearest centroid; rows by (cell, distance, number).
    private static func assign(
        _ packed: TileRows, _ centroids: AlignedBuffer<Float>, _ norms: AlignedBuffer<Double>, _ count: Int,
        _ execution: Execution
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
        let grain = 128
        try execution.reserve(checkedProduct(grain * execution.threads, count + stride, "tiles"), of: 8, for: "tiles")
        try execution.parallel(n, grain: grain) { chunk, _ in
            let scratch = try AlignedBuffer<Double>(stride, for: "a row", execution)
            let numbers = try AlignedBuffer<Float>(grain * stride, for: "rows", execution)
            let tile = try AlignedBuffer<Float>(grain * count, for: "a tile", execution)
            let rowNorms = try AlignedBuffer<Double>(grain, for: "norms", execution)
            for (place, i) in chunk.enumerated() {
                packed.rows.copy(i, to: scratch.pointer)
                rowNorms[place] = packed.convert(scratch.pointer, to: numbers.pointer + place * stride)
            }
            ck_sgemm_nt(
                Int64(chunk.count), Int64(count), Int64(stride), -2, numbers.pointer, Int64(stride), centroids.pointer,
                Int64(stride), 0, tile.pointer, Int64(count))
            for (place, i) in chunk.enumerated() {
                let line = tile.pointer + place * count
                var best = 0
                var least = Float.infinity
                for cell in 0..<count {
                    let value = line[cell] + squares[cell]
                    if value < least {
                        least = value
                        best = cell
                    }
                }
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
        for i in 0..<n { starts[Int(cells[i]) + 1] += 1 }
        for cell in 0..<count { starts[cell + 1] += starts[cell] }
        let order = try AlignedBuffer<Int32>(n, for: "the order of rows", execution)
        var next = starts
        for i in 0..<n {
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

    /// At most the distance of any two rows of the blocks.
    @inline(__always)
    func gap(_ a: Block, _ b: Block) -> Double {
        if a.cell == b.cell { return max(0, b.low - a.high, a.low - b.high) }
        return max(0, Double(between[a.cell * count + b.cell]) - a.high - b.high)
    }

    /// For each row of block a, at most its distance to any row of block b.
    func gaps(_ a: Block, to b: Block, into gaps: UnsafeMutablePointer<Double>, scratch: UnsafeMutablePointer<Float>) {
        if count == 1 {
            for i in 0..<a.count { gaps[i] = 0 }
            return
        }
        if a.cell == b.cell {
            for i in 0..<a.count {
                gaps[i] = max(0, b.low - Double(ownHigh[a.start + i]), Double(ownLow[a.start + i]) - b.high)
            }
            return
        }
        let stride = packed.stride
        let centroid = centroids.pointer + b.cell * stride
        let first = packed.numbers.pointer + a.start * stride
        let factor: Float = packed.isManhattan ? 1 : -2
        if packed.isManhattan {
            ck_query_manhattan(first, Int64(stride), Int64(a.count), centroid, Int64(stride), scratch)
        } else {
            ck_query_products(first, Int64(stride), Int64(a.count), centroid, Int64(stride), scratch)
        }
        for i in 0..<a.count {
            let bounds = packed.bounds(factor * scratch[i], packed.norms[a.start + i], norms[b.cell])
            gaps[i] = max(0, bounds.low - b.high, b.low - bounds.high)
        }
    }
}
