import CCoveyKernels
import CoveyRuntime

/// Which rows lie in which cell of a search that places new rows. This is what takes long to find, and what a file
/// keeps. All else about the cells is measured from the rows, so that a bad order makes a search slower, never wrong.
public struct CellOrder: Sendable, Equatable {
    /// The row at each place. Those of a cell lie together.
    public let rows: [Int32]
    /// Each cell's first place; one more at the end.
    public let starts: [Int32]

    var count: Int { starts.count - 1 }

    static let mostCells = 16_384

    /// Throws `invalidData` unless the cells hold each of `count` rows once. O(count).
    public init(rows: [Int32], starts: [Int32], count: Int, execution: Execution) throws {
        guard rows.count == count, starts.first == 0, starts.last.map({ Int($0) }) == count,
            (3...CellOrder.mostCells + 1).contains(starts.count), zip(starts, starts.dropFirst()).allSatisfy(<=)
        else { throw CoveyError.invalidData("the cells must hold \(count) rows, one cell after another") }
        var seen = try execution.array(count) { _ in false }
        for (place, row) in rows.enumerated() {
            if place & 0xFFFFF == 0 { try execution.report() }
            guard row >= 0, Int(row) < count, !seen[Int(row)] else {
                throw CoveyError.invalidData("the cells must hold each row once, and have row \(row) at \(place)")
            }
            seen[Int(row)] = true
        }
        self.rows = rows
        self.starts = starts
    }

    private init(_ rows: [Int32], _ starts: [Int32]) {
        self.rows = rows
        self.starts = starts
    }

    /// The order of cells that were made.
    init(_ cells: Cells) {
        rows = Array(UnsafeBufferPointer(start: cells.packed.order.pointer, count: cells.packed.count))
        starts = cells.blockStarts.map { first in
            Int32(first < cells.blocks.count ? cells.blocks[first].start : cells.packed.count)
        }
    }

    /// Finds cells by k-means, the rows of each by ascending distance to their mean.
    static func find(_ packed: TileRows, cells wanted: Int, seed: UInt64, _ execution: Execution) throws -> CellOrder {
        let (n, stride) = (packed.count, packed.stride)
        let count = packed.reducedScale == 0 ? 1 : max(1, min(mostCells, wanted, n))
        guard count > 1 else {
            return CellOrder(try execution.array(n) { Int32(truncatingIfNeeded: $0) }, [0, Int32(n)])
        }
        let centroids = try AlignedBuffer<Float>(count * stride, repeating: 0, for: "the centroids", execution)
        let norms = try AlignedBuffer<Double>(count, repeating: 0, for: "the centroids", execution)
        try Cells.train(packed, count, seed, into: centroids, execution)
        for cell in 0..<count { norms[cell] = packed.norm(centroids.pointer + cell * stride) }
        let batches = try (0..<execution.threads).map { _ in try RowBatch(packed, execution) }
        let members = try Cells.assign(packed, centroids, norms, count, batches, execution)
        let first = CellOrder(
            Array(UnsafeBufferPointer(start: members.order.pointer, count: n)), members.starts.map { Int32($0) })
        // The centroids are those of a sample. The mean of a cell is another point, and rows are sorted by it.
        return try first.sorted(by: Cells(packed, first, execution).ownLow, execution)
    }

    /// The same cells, with the rows of each by ascending value, of which there is one for each place.
    private func sorted(by values: AlignedBuffer<Float>, _ execution: Execution) throws -> CellOrder {
        let (rows, starts) = (self.rows, self.starts)
        var sorted = try execution.array(rows.count) { Int32(truncatingIfNeeded: $0) }
        try sorted.withUnsafeMutableBufferPointer { sorted in
            nonisolated(unsafe) let sorted = sorted
            try execution.parallel(count) { chunk, _ in
                for cell in chunk {
                    try execution.check()
                    let places = Int(starts[cell])..<Int(starts[cell + 1])
                    sorted[places].sort { (values[Int($0)], rows[Int($0)]) < (values[Int($1)], rows[Int($1)]) }
                    for place in places { sorted[place] = rows[Int(sorted[place])] }
                }
            }
        }
        return CellOrder(sorted, starts)
    }
}

extension Cells {
    /// Packs the rows in a given order and measures the cells. The centroid of a cell is the mean of its rows. O(n d).
    convenience init(_ packed: TileRows, _ order: CellOrder, _ execution: Execution) throws {
        let n = packed.count
        // Without a bound on distances there is one cell, in which every row is looked at.
        let starts = packed.reducedScale == 0 ? [0, n] : order.starts.map { Int($0) }
        let count = starts.count - 1
        let centroids = try AlignedBuffer<Float>(
            checkedProduct(count, packed.stride, "the centroids"), repeating: 0, for: "the centroids", execution)
        let norms = try AlignedBuffer<Double>(count, repeating: 0, for: "the centroids", execution)
        let low = try AlignedBuffer<Float>(n, repeating: 0, for: "distances to centroids", execution)
        let high = try AlignedBuffer<Float>(n, repeating: .infinity, for: "distances to centroids", execution)
        let batches = try (0..<execution.threads).map { _ in try RowBatch(packed, execution) }
        try order.rows.withUnsafeBufferPointer { rows in
            nonisolated(unsafe) let rows = rows
            try execution.parallel(n, grain: 4 * batches[0].size) { chunk, thread in
                packed.pack(chunk, batches[thread]) { Int(rows[$0]) }
            }
        }
        if count > 1 {
            try execution.parallel(count, grain: 16) { chunk, _ in
                let scratch = try MeanScratch(packed, execution)
                for cell in chunk where starts[cell] < starts[cell + 1] {
                    let places = starts[cell]..<starts[cell + 1]
                    let centroid = centroids.pointer + cell * packed.stride
                    try Cells.mean(packed, places, to: centroid, scratch, execution)
                    norms[cell] = packed.norm(centroid)
                    try Cells.measure(packed, places, centroid, norms[cell], low, high, scratch, execution)
                }
            }
        }
        var blocks: [Block] = []
        var blockStarts = [0]
        let size = SearchSizes.current.exactBlock
        for cell in 0..<count {
            if cell & 0xFF == 0 { try execution.report() }
            blocks += Cells.cut(starts[cell]..<starts[cell + 1], cell: cell, by: size, low, high)
            blockStarts.append(blocks.count)
        }
        try self.init(
            packed: packed, blocks: blocks, blockStarts: blockStarts, centroids: centroids, norms: norms, ownLow: low,
            ownHigh: high, between: AlignedBuffer(0, for: "distances of centroids", execution))
    }

    private static func mean(
        _ packed: TileRows, _ places: Range<Int>, to mean: UnsafeMutablePointer<Float>, _ scratch: MeanScratch,
        _ execution: Execution
    ) throws {
        let stride = packed.stride
        let sums = scratch.sums.pointer
        sums.update(repeating: 0, count: stride)
        for place in places {
            if place & 0xFFF == 0 { try execution.check() }
            let row = packed.numbers.pointer + place * stride
            for c in 0..<stride { sums[c] += Double(row[c]) }
        }
        for c in 0..<stride { mean[c] = Float(sums[c] / Double(places.count)) }
    }

    /// Bounds of the distances of rows to a centroid.
    private static func measure(
        _ packed: TileRows, _ places: Range<Int>, _ centroid: UnsafePointer<Float>, _ norm: Double,
        _ low: AlignedBuffer<Float>, _ high: AlignedBuffer<Float>, _ scratch: MeanScratch, _ execution: Execution
    ) throws {
        let stride = Int64(packed.stride)
        let products = scratch.products.pointer
        for start in Swift.stride(from: places.lowerBound, to: places.upperBound, by: blockSize) {
            try execution.check()
            let count = Int64(min(blockSize, places.upperBound - start))
            let rows = packed.numbers.pointer + start * packed.stride
            if packed.isManhattan {
                ck_query_manhattan(rows, stride, count, centroid, stride, products)
            } else {
                ck_query_products(rows, stride, count, centroid, stride, products)
            }
            ck_centroid_bounds(
                count, packed.isManhattan ? 1 : 0, products, packed.norms.pointer + start, norm, packed.error,
                4 * TileRows.unit, low.pointer + start, high.pointer + start)
        }
    }

    /// One thread's scratch memory to measure cells.
    private final class MeanScratch {
        let sums: AlignedBuffer<Double>
        let products: AlignedBuffer<Float>

        init(_ packed: TileRows, _ execution: Execution) throws {
            sums = try AlignedBuffer(packed.stride, for: "a row", execution)
            products = try AlignedBuffer(Cells.blockSize, for: "products", execution)
        }
    }
}
