import CCoveyKernels
import CoveyRuntime
import CoveyTables

/// Finds the nearest rows of new rows as `QuerySearch` does, but only as far as a cluster may take the new row: each
/// cluster takes a row if one of its own rows is near enough, and most new rows are near none. Euclidean distances.
/// Immutable; any number of threads may use it.
///
/// Cost: building O(n log n + n columns); a query reads the centres of the groups of clustered rows, the groups that
/// may take it, and, if one may, the groups within that distance. Memory: 4 bytes for each number.
public final class PlacingSearch: Sendable {
    private let groups: RowGroups
    private let spares = Spares<PlacingScratch>()

    /// nil if the rows cannot be searched like this.
    /// - Parameters:
    ///   - view: finite numbers. The caller passes the same, unchanged view to each search.
    ///   - clusters: of each row; -1 = none.
    ///   - reach: by cluster: the distance up to which its rows may take a new row.
    public init?(_ view: MatrixView, clusters: [Int32], reach: [Double], execution: Execution) throws {
        guard view.rows > 0, let groups = try RowGroups(view, clusters: clusters, reach: reach, execution: execution)
        else { return nil }
        self.groups = groups
    }

    /// Calls `body` with the `count` nearest rows of each query, nearest first, those as near in the order of their
    /// numbers: from several threads, once for each query. Rows that are farther than the largest reach of a cluster
    /// that may take the query are left out; there are none if no cluster may. A row or query that float32 cannot hold
    /// is never excluded, so that more rows may be found.
    public func nearest(
        _ count: Int, of queries: MatrixView, among view: MatrixView, execution: Execution,
        _ body: (_ query: Int, _ found: UnsafeBufferPointer<(row: Int32, distance: Double)>) throws -> Void
    ) throws {
        let wanted = min(count, view.rows)
        guard wanted > 0, queries.columns == groups.dimension, view.columns == groups.dimension else {
            throw CoveyError.internalError("a search of \(count) rows among \(view.rows) x \(view.columns)")
        }
        try execution.parallel(queries.rows, grain: 16, stage: "place rows") { chunk, _ in
            let scratch = take(wanted)
            defer { spares.give(scratch) }
            for query in chunk {
                try execution.check()
                queries.copyRow(query, to: scratch.exact)
                try body(query, search(view, wanted, scratch, execution))
            }
        }
    }

    private func take(_ wanted: Int) -> PlacingScratch {
        if let scratch = spares.take(), scratch.wanted >= wanted { return scratch }
        return PlacingScratch(groups, wanted: wanted)
    }

    private func search(
        _ view: MatrixView, _ wanted: Int, _ scratch: PlacingScratch, _ execution: Execution
    ) throws -> UnsafeBufferPointer<(row: Int32, distance: Double)> {
        let frame = groups.frame
        let norm = frame.convert(scratch.exact, to: scratch.query)
        // A query so far outside that float32 cannot hold it: every row is compared.
        let filtered = norm < RowGroups.longest
        var bias = Bias()
        if filtered {
            bias.all = Float(frame.bias(norm)).nextDown
            if groups.prefix > 0 { bias.prefix = Float(groups.prefixBias(scratch.query, norm)).nextDown }
        }
        for c in 0..<groups.dimension { scratch.query[c] = filtered ? -2 * scratch.query[c] : 0 }
        let reach = filtered ? reach(bias, scratch) : .infinity
        guard reach >= 0 else { return UnsafeBufferPointer(start: nil, count: 0) }
        let heap = NearestHeap(distances: scratch.distances, indices: scratch.indices, k: wanted)
        for slot in 0..<wanted {
            heap.distances[slot] = .infinity
            heap.indices[slot] = .max
        }
        let limit = Metric.euclidean.reducedBound(distance: reach * (1 + 1e-9))
        try visit(view, limit, bias, heap, scratch, execution)
        heap.sort()
        var found = 0
        while found < wanted, heap.indices[found] != .max {
            scratch.found[found] = (heap.indices[found], heap.distances[found].squareRoot())
            found += 1
        }
        return UnsafeBufferPointer(start: scratch.found, count: found)
    }

    /// The query's parts of the bounds; minus infinity excludes nothing.
    private struct Bias {
        var all = -Float.infinity
        var prefix = -Float.infinity
    }

    /// The largest reach of a group with a row that may take the query; -1 = there is none.
    private func reach(_ bias: Bias, _ scratch: PlacingScratch) -> Double {
        let (size, d) = (RowGroups.size, Int64(groups.dimension))
        var reach = -1.0
        for block in 0..<RowGroups.blocks(groups.clustered) {
            var mask = ck_group_near(
                groups.centres.pointer + block * groups.dimension * size, d, scratch.query,
                groups.takingBiases.pointer + block * size, -bias.all)
            while mask != 0 {
                let group = block * size + mask.trailingZeroBitCount
                mask &= mask - 1
                guard groups.reaches[group] > reach else { continue }
                let most = groups.frame.scaled(Metric.euclidean.reducedBound(distance: groups.reaches[group]))
                if near(group, most, bias, scratch) != 0 { reach = groups.reaches[group] }
            }
        }
        return reach
    }

    /// The rows of a group that may be at most this far, in the frame's scale: bit i for row i.
    @inline(__always)
    private func near(_ group: Int, _ most: Double, _ bias: Bias, _ scratch: PlacingScratch) -> UInt64 {
        let columns = groups.columns.pointer + group * groups.dimension * RowGroups.size
        if groups.prefix > 0 {
            let isNear = ck_group_near(
                columns, Int64(groups.prefix), scratch.query, groups.prefixBiases.pointer + group * RowGroups.size,
                Float(most - Double(bias.prefix)).nextUp)
            if isNear == 0 { return 0 }
        }
        return ck_group_near(
            columns, Int64(groups.dimension), scratch.query, groups.biases.pointer + group * RowGroups.size,
            Float(most - Double(bias.all)).nextUp)
    }

    private func visit(
        _ view: MatrixView, _ limit: Double, _ bias: Bias, _ heap: NearestHeap, _ scratch: PlacingScratch,
        _ execution: Execution
    ) throws {
        let (size, d, frame) = (RowGroups.size, groups.dimension, groups.frame)
        let far = Float(frame.reach(frame.scaled(limit))).nextUp
        var open = GapHeap(scratch.order)
        for block in 0..<RowGroups.blocks(groups.count) {
            let gaps = scratch.gaps + block * size
            ck_group_gaps(
                groups.centres.pointer + block * d * size, Int64(d), scratch.query,
                groups.centreBiases.pointer + block * size, bias.all, 1 - 0x1p-20, groups.radii.pointer + block * size,
                gaps)
            for lane in 0..<min(size, groups.count - block * size) where !(gaps[lane] > far) {
                open.push(max(gaps[lane], 0), Int32(block * size + lane))
            }
        }
        var turn = 0
        while let next = open.pop() {
            turn += 1
            if turn & 63 == 0 { try execution.check() }
            let most = min(limit, heap.distances[0])
            let bound = frame.scaled(most)
            if Double(next.gap) > frame.reach(bound) { break }
            var mask = near(Int(next.group), bound, bias, scratch)
            while mask != 0 {
                let row = groups.rows[Int(next.group) * size + mask.trailingZeroBitCount]
                mask &= mask - 1
                // An infinite threshold passes the positions without a row too.
                guard row >= 0 else { continue }
                let reduced = reduced(view, Int(row), scratch)
                if reduced <= limit { _ = heap.push(reduced, row) }
            }
        }
    }

    /// The exact squared distance, computed as `QuerySearch` does.
    @inline(__always)
    private func reduced(_ view: MatrixView, _ row: Int, _ scratch: PlacingScratch) -> Double {
        let (other, d) = (view.base + row &* view.rowStride, Int64(groups.dimension))
        return view.scalar == .float64
            ? ck_squared_distance_f64(scratch.exact, other, d) : ck_squared_distance_f64_f32(scratch.exact, other, d)
    }
}

/// One thread's scratch memory, which later searches use again.
private final class PlacingScratch: @unchecked Sendable {
    let wanted: Int
    let exact: UnsafeMutablePointer<Double>
    let query: UnsafeMutablePointer<Float>
    let gaps: UnsafeMutablePointer<Float>
    let order: UnsafeMutablePointer<(gap: Float, group: Int32)>
    let distances: UnsafeMutablePointer<Double>
    let indices: UnsafeMutablePointer<Int32>
    let found: UnsafeMutablePointer<(row: Int32, distance: Double)>

    init(_ groups: RowGroups, wanted: Int) {
        self.wanted = wanted
        exact = .allocate(capacity: groups.dimension)
        query = .allocate(capacity: groups.frame.stride)
        gaps = .allocate(capacity: RowGroups.blocks(groups.count) * RowGroups.size)
        order = .allocate(capacity: groups.count)
        distances = .allocate(capacity: wanted)
        indices = .allocate(capacity: wanted)
        found = .allocate(capacity: wanted)
    }

    deinit {
        exact.deallocate()
        query.deallocate()
        gaps.deallocate()
        order.deallocate()
        distances.deallocate()
        indices.deallocate()
        found.deallocate()
    }
}

/// Groups by ascending gap: a binary heap, for few of them are looked at.
private struct GapHeap {
    private let entries: UnsafeMutablePointer<(gap: Float, group: Int32)>
    private var count = 0

    init(_ memory: UnsafeMutablePointer<(gap: Float, group: Int32)>) { entries = memory }

    @inline(__always)
    private static func before(_ a: (gap: Float, group: Int32), _ b: (gap: Float, group: Int32)) -> Bool {
        a.gap < b.gap || (a.gap == b.gap && a.group < b.group)
    }

    @inline(__always)
    mutating func push(_ gap: Float, _ group: Int32) {
        var place = count
        count += 1
        while place > 0, GapHeap.before((gap, group), entries[(place - 1) / 2]) {
            entries[place] = entries[(place - 1) / 2]
            place = (place - 1) / 2
        }
        entries[place] = (gap, group)
    }

    mutating func pop() -> (gap: Float, group: Int32)? {
        guard count > 0 else { return nil }
        let first = entries[0]
        count -= 1
        let last = entries[count]
        var place = 0
        while 2 * place + 1 < count {
            var child = 2 * place + 1
            if child + 1 < count, GapHeap.before(entries[child + 1], entries[child]) { child += 1 }
            guard GapHeap.before(entries[child], last) else { break }
            entries[place] = entries[child]
            place = child
        }
        entries[place] = last
        return first
    }
}
