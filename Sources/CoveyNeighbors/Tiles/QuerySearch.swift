import CCoveyKernels
import CoveyRuntime
import CoveyTables
import Glibc

/// Finds the nearest rows of a fixed set for new rows, with exact float64 distances, by k-means cells. Blocks of rows
/// are compared in the order of the distance from the query to their cells, until the triangle inequality excludes the
/// rest. Within a block, products of integers or of float32, with a proven margin, exclude most rows. Immutable; any
/// number of threads may use it.
///
/// Cost: building costs as much as k-means of `Cells`, from a known order O(rows x columns). A query costs O(rows x
/// columns) in the worst case, usually a small part of it. Memory: 4 bytes for each number, or 5 with products of
/// integers.
public final class QuerySearch: @unchecked Sendable {
    private let metric: Metric
    private let columns: Int
    private let rowCount: Int
    /// The rows that have a direction, which cosine needs. nil = all rows.
    private let used: [Int32]?
    /// The first few rows without a direction. They are at distance 1 from every row.
    private let nulls: [Int32]
    /// nil if no row is used.
    private let cells: Cells?
    /// nil if products of floats are used.
    private let codes: QueryCodes?
    private let spares = Spares<QueryScratch>()
    private let spareBatches = Spares<QueryBatch>()

    /// - Parameters:
    ///   - view: finite numbers. The caller passes the same, unchanged view to each search.
    ///   - order: that of a search of the same rows; nil = found by k-means. Throws `invalidData` for other rows.
    public convenience init(
        _ view: MatrixView, metric: Metric, order: CellOrder? = nil, execution: Execution
    ) throws {
        try self.init(view, metric: metric, order: order, way: nil, execution: execution)
    }

    /// - Parameter way: of `QueryCodes`.
    init(_ view: MatrixView, metric: Metric, order: CellOrder? = nil, way: Int32?, execution: Execution) throws {
        self.metric = metric
        columns = view.columns
        rowCount = view.rows
        var used: [Int32]?
        var nulls: [Int32] = []
        if metric == .cosine {
            for row in 0..<view.rows {
                if row & 0xFF == 0 { try execution.check() }
                if Rows.isNull(view, row) { nulls.append(Int32(row)) }
            }
            if !nulls.isEmpty {
                let missing = Set(nulls)
                used = (0..<Int32(view.rows)).filter { !missing.contains($0) }
            }
        }
        self.used = used
        self.nulls = nulls
        let rows = try Rows(view, used: used, metric: metric, execution: execution)
        if let order, order.rows.count != rows.count {
            throw CoveyError.invalidData("the cells hold \(order.rows.count) rows, there are \(rows.count)")
        }
        if rows.count == 0 {
            (cells, codes) = (nil, nil)
            return
        }
        // A query is compared with every centroid, so that there are about as many as rows that it looks at; and the
        // cells are made in O(n sqrt(n)).
        let (n, sizes) = (rows.count, SearchSizes.current)
        let wanted = n < sizes.oneQueryCell ? 1 : min(n / (sizes.exactCell / 5 + 1), Int(3 * Double(n).squareRoot()))
        let packed = try TileRows(rows, rotated: true, execution: execution)
        let order = try order ?? CellOrder.find(packed, cells: wanted, seed: 0, execution)
        let cells = try Cells(packed, order, execution)
        self.cells = cells
        codes = try QueryCodes(cells, way: way, execution)
    }

    /// The order of the rows in their cells, from which the same search is made again; nil if there is one cell.
    public var order: CellOrder? { cells.flatMap { $0.count > 1 ? CellOrder($0) : nil } }

    /// Calls `body` with the `count` nearest rows of each query, nearest first, those as near in the order of their
    /// numbers: from several threads, once for each query. Fewer where there are fewer rows.
    /// - Parameters:
    ///   - queries: finite numbers, as many columns as the rows have.
    ///   - view: the rows.
    public func nearest(
        _ count: Int, of queries: MatrixView, among view: MatrixView, execution: Execution,
        _ body: (_ query: Int, _ found: [(row: Int32, distance: Double)]) throws -> Void
    ) throws {
        let wanted = min(count, rowCount)
        guard wanted > 0, queries.columns == columns, view.rows == rowCount, view.columns == columns else {
            throw CoveyError.internalError("a search of \(count) rows among \(view.rows) x \(view.columns)")
        }
        if let cells, let codes {
            let share = (queries.rows + execution.threads - 1) / execution.threads
            let grain = max(1, min(QueryBatch.size(wanted: wanted), share))
            try execution.parallel(queries.rows, grain: grain, stage: "place rows") { chunk, _ in
                try search(queries, chunk, view, wanted, cells, codes, execution, body)
            }
            return
        }
        let grain = max(1, min(64, 1 << 20 / max(1, rowCount)))
        try execution.parallel(queries.rows, grain: grain, stage: "place rows") { chunk, _ in
            let scratch = try take(wanted, execution)
            defer { spares.give(scratch) }
            for query in chunk {
                try execution.check()
                try body(query, search(queries, query, view, wanted, scratch, execution))
            }
        }
    }

    /// A few queries at once, by products of integers.
    private func search(
        _ queries: MatrixView, _ chunk: Range<Int>, _ view: MatrixView, _ wanted: Int, _ cells: Cells,
        _ codes: QueryCodes, _ execution: Execution,
        _ body: (_ query: Int, _ found: [(row: Int32, distance: Double)]) throws -> Void
    ) throws {
        var batch = spareBatches.take()
        if let spare = batch, spare.size < chunk.count || spare.wanted < wanted { batch = nil }
        let scratch = try batch ?? QueryBatch(cells, codes, size: chunk.count, wanted: wanted, execution)
        defer { spareBatches.give(scratch) }
        var begun: [Int] = []
        begun.reserveCapacity(chunk.count)
        for query in chunk {
            let row = scratch.row(begun.count)
            queries.copyRow(query, to: row)
            let isNull = metric == .cosine && Rows.isNull(queries, query)
            if metric == .cosine, !isNull { scale(row) }
            if !isNull, scratch.begin(begun.count, wanted: wanted) {
                // A distance of 1 is a reduced one of 2.
                let heap = scratch.heap(begun.count, wanted: wanted)
                for row in nulls.prefix(wanted) { _ = heap.push(2, row) }
                begun.append(query)
            } else {
                let single = try take(wanted, execution)
                defer { spares.give(single) }
                try body(query, search(queries, query, view, wanted, single, execution))
            }
        }
        try scratch.search(begun.count, wanted: wanted, execution) { slot, place, heap in
            let row = cells.packed.order[place]
            let number = used.map { $0[Int(row)] } ?? row
            _ = heap.push(reduced(scratch.row(slot), view, Int(number), Int(row), cells.packed.rows), number)
        }
        for (slot, query) in begun.enumerated() {
            let heap = scratch.heap(slot, wanted: wanted)
            heap.sort()
            try body(query, (0..<wanted).map { (heap.indices[$0], metric.distance(reduced: heap.distances[$0])) })
        }
    }

    private func take(_ wanted: Int, _ execution: Execution) throws -> QueryScratch {
        if let scratch = spares.take(), scratch.wanted >= wanted { return scratch }
        return try QueryScratch(cells, columns: columns, wanted: wanted, execution)
    }

    private func search(
        _ queries: MatrixView, _ query: Int, _ view: MatrixView, _ wanted: Int, _ scratch: QueryScratch,
        _ execution: Execution
    ) throws -> [(row: Int32, distance: Double)] {
        let heap = NearestHeap(distances: scratch.distances.pointer, indices: scratch.indices.pointer, k: wanted)
        for slot in 0..<wanted {
            heap.distances[slot] = .infinity
            heap.indices[slot] = .max
        }
        if metric == .cosine, Rows.isNull(queries, query) {
            return (0..<Int32(wanted)).map { ($0, 1) }
        }
        queries.copyRow(query, to: scratch.exact.pointer)
        if metric == .cosine { scale(scratch.exact.pointer) }
        // A distance of 1 is a reduced one of 2.
        for row in nulls.prefix(wanted) { _ = heap.push(2, row) }
        if let cells { try visit(cells, view, heap, scratch, execution) }
        heap.sort()
        return (0..<wanted).map { (heap.indices[$0], metric.distance(reduced: heap.distances[$0])) }
    }

    /// Scales to length 1 without overflow.
    private func scale(_ row: UnsafeMutablePointer<Double>) {
        var largest = 0.0
        for c in 0..<columns { largest = max(largest, abs(row[c])) }
        var sum = 0.0
        for c in 0..<columns { sum += (row[c] / largest) * (row[c] / largest) }
        let factor = 1 / largest / sum.squareRoot()
        for c in 0..<columns { row[c] *= factor }
    }

    private func visit(
        _ cells: Cells, _ view: MatrixView, _ heap: NearestHeap, _ scratch: QueryScratch, _ execution: Execution
    ) throws {
        let packed = cells.packed
        let stride = Int64(packed.stride)
        let norm = packed.convert(scratch.exact.pointer, to: scratch.query.pointer)
        // A query so far outside that float32 cannot hold it: every row is looked at.
        let filtered = packed.reducedScale != 0 && norm < 1e30
        // As the biases of `TileRows`.
        let bias = Float(
            packed.isManhattan ? -4 * TileRows.unit * norm - 0x1p-100 : norm * (1 - packed.error) - 0x1p-100)
        let lower = Float(1 - packed.error).nextDown
        // Of the query after the prefix; infinite = the prefix is not looked at.
        let tail = filtered && packed.prefix > 0 ? packed.tail(scratch.query.pointer) : .infinity
        for cell in 0..<cells.count { scratch.low[cell] = 0 }
        for cell in 0..<cells.count { scratch.high[cell] = .infinity }
        if filtered, cells.count > 1 {
            product(packed, cells.centroids.pointer, cells.count, scratch, stride)
            for cell in 0..<cells.count {
                (scratch.low[cell], scratch.high[cell]) = packed.bounds(scratch.products[cell], norm, cells.norms[cell])
            }
        }
        for (index, block) in cells.blocks.enumerated() {
            scratch.gaps[index] = max(0, scratch.low[block.cell] - block.high, block.low - scratch.high[block.cell])
            scratch.order[index] = Int32(index)
        }
        // Few blocks are compared, so that a heap, which gives the nearest first, is cheaper than sorting.
        let gaps = scratch.gaps.pointer
        var left = cells.blocks.count
        for start in Swift.stride(from: left / 2 - 1, through: 0, by: -1) {
            sift(scratch.order.pointer, gaps, start, left)
        }
        while left > 0 {
            if left & 63 == 63 { try execution.check() }
            let index = Int(scratch.order[0])
            left -= 1
            scratch.order[0] = scratch.order[left]
            sift(scratch.order.pointer, gaps, 0, left)
            if filtered, gaps[index] > packed.reach(packed.scaled(heap.distances[0])) { break }
            let block = cells.blocks[index]
            var count = block.count
            if filtered {
                let numbers = packed.numbers.pointer + block.start * packed.stride
                if tail.isFinite {
                    prefixProduct(packed, block, tail, scratch, stride)
                } else {
                    product(packed, numbers, count, scratch, stride)
                    if packed.isManhattan {
                        for i in 0..<count { scratch.products[i] *= lower }
                    }
                }
                let threshold = Float(packed.scaled(heap.distances[0]) - Double(bias))
                count = Int(
                    ck_scan_row(
                        scratch.products.pointer, Int64(count), threshold, bias, scratch.never.pointer,
                        packed.bias.pointer + block.start, scratch.hits.pointer))
            }
            for hit in 0..<count {
                let place = block.start + (filtered ? Int(scratch.hits[hit]) : hit)
                if tail.isFinite {
                    product(packed, packed.numbers.pointer + place * packed.stride, 1, scratch, stride)
                    let least = Double(scratch.products[0]) + Double(packed.bias[place]) + Double(bias)
                    if least > packed.scaled(heap.distances[0]) { continue }
                }
                let row = packed.order[place]
                let number = used.map { $0[Int(row)] } ?? row
                let distance = reduced(scratch.exact.pointer, view, Int(number), Int(row), packed.rows)
                _ = heap.push(distance, number)
            }
        }
    }

    /// Puts the entry at `start` of a heap, the least (gap, number) on top, where it belongs.
    private func sift(_ order: UnsafeMutablePointer<Int32>, _ gaps: UnsafePointer<Double>, _ start: Int, _ count: Int) {
        func before(_ a: Int32, _ b: Int32) -> Bool { (gaps[Int(a)], a) < (gaps[Int(b)], b) }
        guard start < count else { return }
        let entry = order[start]
        var place = start
        while 2 * place + 1 < count {
            var child = 2 * place + 1
            if child + 1 < count, before(order[child + 1], order[child]) { child += 1 }
            guard before(order[child], entry) else { break }
            order[place] = order[child]
            place = child
        }
        order[place] = entry
    }

    /// The number that `TileRows.bounds` needs: -2 x.y, or the sum of |x - y|.
    private func product(
        _ packed: TileRows, _ rows: UnsafePointer<Float>, _ count: Int, _ scratch: QueryScratch, _ stride: Int64
    ) {
        let products = scratch.products.pointer
        if packed.isManhattan {
            ck_query_manhattan(rows, stride, Int64(count), scratch.query.pointer, stride, products)
        } else {
            ck_query_products(rows, stride, Int64(count), scratch.query.pointer, stride, products)
            for i in 0..<count { products[i] *= -2 }
        }
    }

    /// The same from a prefix of the terms, less the most that the others could add.
    private func prefixProduct(
        _ packed: TileRows, _ block: Cells.Block, _ tail: Float, _ scratch: QueryScratch, _ stride: Int64
    ) {
        let products = scratch.products.pointer
        let tails = packed.tails.pointer + block.start
        ck_query_products(
            packed.numbers.pointer + block.start * packed.stride, stride, Int64(block.count), scratch.query.pointer,
            Int64(packed.prefix), products)
        for i in 0..<block.count { products[i] = -2 * (products[i] + tail * tails[i]) }
    }

    /// The exact reduced distance from the query to the row at `place` in the list of used rows.
    @inline(__always)
    private func reduced(
        _ query: UnsafePointer<Double>, _ view: MatrixView, _ row: Int, _ place: Int, _ rows: Rows
    ) -> Double {
        let (other, d, isDouble) = (view.base + row &* view.rowStride, Int64(columns), view.scalar == .float64)
        switch metric {
        case .euclidean:
            return isDouble ? ck_squared_distance_f64(query, other, d) : ck_squared_distance_f64_f32(query, other, d)
        case .manhattan:
            return isDouble
                ? ck_manhattan_distance_f64(query, other, d) : ck_manhattan_distance_f64_f32(query, other, d)
        case .cosine:
            let scale = rows.scale(place)
            return metric.told(
                isDouble
                    ? ck_scaled_distance_f64(query, other, d, 1, scale)
                    : ck_scaled_distance_f64_f32(query, other, d, 1, scale))
        }
    }
}

/// One thread's scratch memory for queries, which later searches use again.
private final class QueryScratch: @unchecked Sendable {
    let wanted: Int
    let exact: AlignedBuffer<Double>
    let query: AlignedBuffer<Float>
    let products: AlignedBuffer<Float>
    let low: AlignedBuffer<Double>
    let high: AlignedBuffer<Double>
    let never: AlignedBuffer<Float>
    let hits: AlignedBuffer<UInt16>
    let gaps: AlignedBuffer<Double>
    let order: AlignedBuffer<Int32>
    let distances: AlignedBuffer<Double>
    let indices: AlignedBuffer<Int32>

    init(_ cells: Cells?, columns: Int, wanted: Int, _ execution: Execution) throws {
        let count = cells?.count ?? 0
        let blocks = cells?.blocks.count ?? 0
        self.wanted = wanted
        exact = try AlignedBuffer(columns, for: "a row", isKept: true, execution)
        query = try AlignedBuffer(cells?.packed.stride ?? 0, for: "a row", isKept: true, execution)
        products = try AlignedBuffer(max(count, Cells.blockSize), for: "products", isKept: true, execution)
        never = try AlignedBuffer(Cells.blockSize, repeating: -.infinity, for: "a block", isKept: true, execution)
        hits = try AlignedBuffer(Cells.blockSize, for: "a block", isKept: true, execution)
        low = try AlignedBuffer(count, for: "distances to cells", isKept: true, execution)
        high = try AlignedBuffer(count, for: "distances to cells", isKept: true, execution)
        gaps = try AlignedBuffer(blocks, for: "distances to blocks", isKept: true, execution)
        order = try AlignedBuffer(blocks, for: "distances to blocks", isKept: true, execution)
        distances = try AlignedBuffer(wanted, for: "neighbours", isKept: true, execution)
        indices = try AlignedBuffer(wanted, for: "neighbours", isKept: true, execution)
    }
}
