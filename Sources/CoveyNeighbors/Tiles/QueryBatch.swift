import CCoveyKernels
import CoveyRuntime
import CoveyTables

/// A few queries that read each block of rows once, with one thread's scratch memory for them, which later searches
/// use again. A query is first compared with the cells that are nearest to it, so that it knows within which distance
/// it searches, and then with every block that may hold a row within that distance.
final class QueryBatch: @unchecked Sendable {
    /// A register tile takes six queries.
    static let most = 48
    /// What is compared first: cells with this many rows for each row that is wanted.
    private static let firstRows = 32

    let size: Int
    let wanted: Int
    private let cells: Cells
    private let codes: QueryCodes
    /// By query: as the caller has it, and as the tiles read it.
    private let exact: AlignedBuffer<Double>
    private let numbers: AlignedBuffer<Float>
    private let norms: AlignedBuffer<Double>
    /// By query: codes about the origin, t of query_codes.h, and upper bounds of |f| and |t Y|.
    private let coded: AlignedBuffer<Int8>
    private let sums: AlignedBuffer<Int32>
    private let rests: AlignedBuffer<Float>
    private let lengths: AlignedBuffer<Float>
    private let scales: AlignedBuffer<Float>
    /// Query x cell: the product with the centroid. For one query: bounds of the distance to each centroid.
    private let products: AlignedBuffer<Float>
    private let low: AlignedBuffer<Float>
    private let high: AlignedBuffer<Float>
    /// By cell: infinite if the query was compared with it, otherwise 0.
    private let passed: AlignedBuffer<Float>
    /// Block x query: a lower bound of the distance, from the triangle inequality; infinite = compared.
    private let gaps: AlignedBuffer<Float>
    /// By query: the distance within which it searches, in the tiles' scale: as it is, and reduced.
    private let reaches: AlignedBuffer<Float>
    private let worst: AlignedBuffer<Double>
    /// By place in the list of queries of one block.
    private let listed: AlignedBuffer<Int32>
    private let pairScales: AlignedBuffer<Float>
    private let limits: AlignedBuffer<Float>
    private let hits: AlignedBuffer<UInt32>
    private let origin: AlignedBuffer<Float>
    private let distances: AlignedBuffer<Double>
    private let indices: AlignedBuffer<Int32>
    /// The numbers that were read since the last poll, and those that may be read between two polls.
    private var work = 0
    private static let mostWork = 1 << 18

    init(_ cells: Cells, _ codes: QueryCodes, size: Int, wanted: Int, _ execution: Execution) throws {
        let (dimension, stride) = (cells.packed.rows.dimension, cells.packed.stride)
        func buffer<Element>(_ count: Int, _ what: String) throws -> AlignedBuffer<Element> {
            try AlignedBuffer(count, for: what, isKept: true, execution)
        }
        (self.cells, self.codes, self.size, self.wanted) = (cells, codes, size, wanted)
        exact = try buffer(size * dimension, "queries")
        numbers = try buffer(size * stride, "queries")
        norms = try buffer(size, "queries")
        coded = try buffer(size * codes.depth, "queries")
        sums = try buffer(size, "queries")
        rests = try buffer(size, "queries")
        lengths = try buffer(size, "queries")
        scales = try buffer(size, "queries")
        products = try buffer(size * cells.count, "distances to cells")
        low = try buffer(cells.count, "distances to cells")
        high = try buffer(cells.count, "distances to cells")
        passed = try buffer(cells.count, "distances to cells")
        gaps = try buffer(size * cells.blocks.count, "distances to blocks")
        reaches = try buffer(size, "queries")
        worst = try buffer(size, "queries")
        listed = try buffer(size, "queries")
        pairScales = try buffer(size, "queries")
        limits = try buffer(size, "queries")
        hits = try buffer(size * Cells.blockSize, "near pairs")
        origin = try AlignedBuffer(stride, repeating: 0, for: "a row", isKept: true, execution)
        distances = try buffer(size * wanted, "neighbours")
        indices = try buffer(size * wanted, "neighbours")
    }

    /// The number of queries of a batch whose heaps take little memory.
    static func size(wanted: Int) -> Int { max(1, min(most, (1 << 16) / wanted)) }

    func heap(_ query: Int, wanted: Int) -> NearestHeap {
        NearestHeap(
            distances: distances.pointer + query * self.wanted, indices: indices.pointer + query * self.wanted,
            k: wanted)
    }

    /// The memory of a query's numbers, which the caller fills before `begin`.
    func row(_ query: Int) -> UnsafeMutablePointer<Double> { exact.pointer + query * cells.packed.rows.dimension }

    /// Whether float32 can hold the query; if so, prepares it with an empty heap.
    func begin(_ query: Int, wanted: Int) -> Bool {
        let packed = cells.packed
        let number = numbers.pointer + query * packed.stride
        norms[query] = packed.convert(row(query), to: number)
        guard norms[query] < 1e30 else { return false }
        scales[query] = ck_encode_rows(
            1, nil, Int64(packed.rows.dimension), Int64(codes.depth), number, Int64(packed.stride), origin.pointer,
            ck_coded_rows(
                codes: coded.pointer + query * codes.depth, sums: sums.pointer + query, rests: rests.pointer + query,
                lengths: lengths.pointer + query))
        let heap = heap(query, wanted: wanted)
        for slot in 0..<wanted {
            heap.distances[slot] = .infinity
            heap.indices[slot] = .max
        }
        return true
    }

    /// Offers each of the first `count` queries' heaps all rows that may belong in it.
    /// - Parameter offer: offers a row, by its place in the cells, at its exact reduced distance.
    func search(
        _ count: Int, wanted: Int, _ execution: Execution,
        offer: (_ query: Int, _ place: Int, _ heap: NearestHeap) -> Void
    ) throws {
        guard count > 0 else { return }
        let packed = cells.packed
        let (centres, stride) = (Int64(cells.count), Int64(packed.stride))
        if count == 1 {
            ck_query_products(cells.centroids.pointer, stride, centres, numbers.pointer, stride, products.pointer)
        } else {
            ck_sgemm_nt(
                Int64(count), centres, stride, 1, numbers.pointer, stride, cells.centroids.pointer, stride, 0,
                products.pointer, centres)
        }
        for query in 0..<count {
            try execution.check()
            update(query, wanted)
            measure(query, count)
            try compareNearest(query, count, wanted, execution, offer)
        }
        for number in 0..<cells.blocks.count {
            try poll(count, execution)
            let gaps = gaps.pointer + number * count
            var near = 0
            for query in 0..<count where gaps[query] <= reaches[query] {
                listed[near] = Int32(query)
                near += 1
            }
            if near > 0 { compare(number, near, wanted, offer) }
        }
    }

    /// Polls if much was done since it was last called, at least for a gap of each query.
    private func poll(_ gaps: Int, _ execution: Execution) throws {
        work += gaps
        guard work > QueryBatch.mostWork else { return }
        work = 0
        try execution.check()
    }

    private func update(_ query: Int, _ wanted: Int) {
        let scaled = cells.packed.scaled(heap(query, wanted: wanted).distances[0])
        worst[query] = scaled
        reaches[query] = Float(cells.packed.reach(scaled)).nextUp
    }

    /// Bounds the query's distances to the cells and blocks.
    private func measure(_ query: Int, _ count: Int) {
        if cells.count == 1 {
            low[0] = 0
            high[0] = .infinity
        } else {
            ck_centroid_bounds(
                Int64(cells.count), 0, products.pointer + query * cells.count, cells.norms.pointer, norms[query],
                cells.packed.error, 0, low.pointer, high.pointer)
        }
        for (number, block) in cells.blocks.enumerated() {
            let gap = max(0, Double(low[block.cell]) - block.high, block.low - Double(high[block.cell]))
            gaps[number * count + query] = Float(gap).nextDown
        }
    }

    /// Compares a query, whose distances to the cells are measured, with the blocks of the nearest ones.
    private func compareNearest(
        _ query: Int, _ count: Int, _ wanted: Int, _ execution: Execution, _ offer: (Int, Int, NearestHeap) -> Void
    ) throws {
        var rows = 0
        listed[0] = Int32(query)
        passed.pointer.update(repeating: 0, count: cells.count)
        while rows < QueryBatch.firstRows * wanted {
            let cell = Int(ck_least_sum(Int64(cells.count), low.pointer, passed.pointer))
            guard passed[cell] == 0 else { break }
            passed[cell] = .infinity
            for number in cells.blockStarts[cell]..<cells.blockStarts[cell + 1] {
                rows += cells.blocks[number].count
                try poll(1, execution)
                if gaps[number * count + query] <= reaches[query] { compare(number, 1, wanted, offer) }
                gaps[number * count + query] = .infinity
            }
        }
    }

    /// Compares the first `near` listed queries with a block.
    private func compare(_ number: Int, _ near: Int, _ wanted: Int, _ offer: (Int, Int, NearestHeap) -> Void) {
        let (packed, block) = (cells.packed, cells.blocks[number])
        let (listed, limits, pairScales) = (listed.pointer, limits.pointer, pairScales.pointer)
        for place in 0..<near {
            (limits[place], pairScales[place]) = limit(Int(listed[place]), block, codes.blocks[number])
        }
        var queries = ck_coded_queries(
            count: Int64(near), listed: listed, codes: coded.pointer, sums: sums.pointer, scales: pairScales,
            limits: limits)
        let found = codes.near(number, rows: block.count, &queries, hits.pointer)
        // A product of codes costs a small part of an exact distance.
        work += (found + near * block.count / 64) * packed.stride
        let (hits, worst, bias, norms) = (hits.pointer, worst.pointer, packed.bias.pointer, norms.pointer)
        let (stride, rows, numbers) = (packed.stride, packed.numbers.pointer, numbers.pointer)
        for hit in 0..<found {
            let query = Int(listed[Int(hits[hit] >> 16)])
            let place = block.start + Int(hits[hit] & 0xffff)
            var product: Float = 0
            ck_query_products(
                rows + place * stride, Int64(stride), 1, numbers + query * stride, Int64(stride), &product)
            let least = -2 * Double(product) + Double(bias[place]) + packed.bias(norms[query])
            if least > worst[query] { continue }
            offer(query, place, heap(query, wanted: wanted))
            update(query, wanted)
        }
    }

    /// The limit of a query in a block, and the scale of their products.
    @inline(__always)
    private func limit(_ query: Int, _ block: Cells.Block, _ coded: QueryCodes.Block) -> (Float, scale: Float) {
        let packed = cells.packed
        let (norm, length, rest) = (norms[query], Double(lengths[query]), Double(rests[query]))
        let product = cells.count == 1 ? 0 : Double(products[query * cells.count + block.cell])
        // The products' own error, that of the codes, and that of rounding in float32.
        let slack =
            packed.error * (cells.norms[block.cell] + norm)
            + 2 * (coded.rest * norm.squareRoot() + coded.length * rest)
            + 0x1p-21 * (coded.norm + 2 * coded.length * length)
        let limit = worst[query] - packed.bias(norm) + 2 * product + slack * (1 + 0x1p-20)
        return (Float(limit).nextUp, Float(2 * coded.scale * Double(scales[query])))
    }
}
