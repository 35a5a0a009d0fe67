import CCoveyKernels
import CoveyRuntime

/// A balanced k-d tree (Bentley 1975) with tight bounding boxes. Node v has the children 2v + 1 and 2v + 2; leaves hold at most
/// 16 points, by columns. Built in O(n log n); the same for any number of threads.
final class KDTree: @unchecked Sendable {
    static let leafSize = 16

    let count: Int
    let dimension: Int
    let manhattan: Bool
    /// Inner nodes come first: leaf l is node innerCount + l.
    let innerCount: Int
    let leafCount: Int
    /// Place to row; places of a node are starts[v]..<ends[v].
    let order: AlignedBuffer<Int32>
    let starts: AlignedBuffer<Int32>
    let ends: AlignedBuffer<Int32>
    /// Each node's least, then greatest coordinates.
    let boxes: AlignedBuffer<Double>
    /// Each leaf's points: dimension x leafSize.
    let points: AlignedBuffer<Double>

    var nodeCount: Int { innerCount + leafCount }

    /// - Parameter copy: writes row i as float64.
    init(
        count n: Int, dimension d: Int, manhattan: Bool, execution: Execution,
        copy: (Int, UnsafeMutablePointer<Double>) -> Void
    ) throws {
        count = n
        dimension = d
        self.manhattan = manhattan
        var leaves = 1
        while (n + leaves - 1) / leaves > KDTree.leafSize { leaves *= 2 }
        leafCount = leaves
        innerCount = leaves - 1
        order = try AlignedBuffer(n, for: "the k-d tree", execution)
        starts = try AlignedBuffer(2 * leaves - 1, for: "the k-d tree", execution)
        ends = try AlignedBuffer(2 * leaves - 1, for: "the k-d tree", execution)
        boxes = try AlignedBuffer((2 * leaves - 1) * 2 * d, for: "the k-d tree", execution)
        points = try AlignedBuffer(
            checkedProduct(leaves * KDTree.leafSize, d, "the k-d tree"), repeating: 0, for: "the k-d tree", execution)
        let rows = try AlignedBuffer<Double>(checkedProduct(n, d, "the k-d tree"), for: "the k-d tree", execution)
        let keys = try AlignedBuffer<Key>(n, for: "the k-d tree", execution)
        try execution.parallel(n, grain: 4096) { [order] chunk, _ in
            for i in chunk {
                copy(i, rows.pointer + i * d)
                order[i] = Int32(i)
            }
        }
        starts[0] = 0
        ends[0] = Int32(n)
        var first = 0
        while first <= innerCount {
            let width = first + 1
            try execution.parallel(width, grain: max(1, width / 64)) { [self] chunk, _ in
                for v in chunk.lowerBound + first..<chunk.upperBound + first {
                    bound(v, rows.pointer)
                    if v < innerCount { try split(v, rows.pointer, keys.pointer, execution) } else { fill(v, rows.pointer) }
                }
            }
            first = 2 * first + 1
        }
    }

    private struct Key {
        let value: Double
        let row: Int32

        @inline(__always)
        static func < (a: Key, b: Key) -> Bool { a.value < b.value || (a.value == b.value && a.row < b.row) }
    }

    private func bound(_ v: Int, _ rows: UnsafePointer<Double>) {
        let d = dimension
        let low = boxes.pointer + v * 2 * d
        let high = low + d
        for c in 0..<d {
            low[c] = .infinity
            high[c] = -.infinity
        }
        for p in Int(starts[v])..<Int(ends[v]) {
            let row = rows + Int(order[p]) * d
            for c in 0..<d {
                if row[c] < low[c] { low[c] = row[c] }
                if row[c] > high[c] { high[c] = row[c] }
            }
        }
    }

    /// Halves a node at the median of its widest column.
    private func split(
        _ v: Int, _ rows: UnsafePointer<Double>, _ keys: UnsafeMutablePointer<Key>, _ execution: Execution
    ) throws {
        try execution.check()
        let d = dimension
        let low = boxes.pointer + v * 2 * d
        var widest = 0
        for c in 0..<d where low[d + c] - low[c] > low[d + widest] - low[widest] { widest = c }
        let start = Int(starts[v])
        let end = Int(ends[v])
        let middle = start + (end - start) / 2
        if d > 0 {
            for p in start..<end { keys[p] = Key(value: rows[Int(order[p]) * d + widest], row: order[p]) }
            try KDTree.select(keys, start, end - 1, middle, execution)
            for p in start..<end { order[p] = keys[p].row }
        }
        starts[2 * v + 1] = Int32(start)
        ends[2 * v + 1] = Int32(middle)
        starts[2 * v + 2] = Int32(middle)
        ends[2 * v + 2] = Int32(end)
    }

    /// Quickselect (Hoare 1961): afterwards no key before `target` is greater than any from it on.
    private static func select(
        _ keys: UnsafeMutablePointer<Key>, _ first: Int, _ last: Int, _ target: Int, _ execution: Execution
    ) throws {
        var low = first
        var high = last
        while low < high {
            if high - low > 100_000 { try execution.check() }
            let middle = low + (high - low) / 2
            if keys[middle] < keys[low] { swap(&keys[middle], &keys[low]) }
            if keys[high] < keys[low] { swap(&keys[high], &keys[low]) }
            if keys[high] < keys[middle] { swap(&keys[high], &keys[middle]) }
            let pivot = keys[middle]
            var i = low
            var j = high
            while i <= j {
                while keys[i] < pivot { i &+= 1 }
                while pivot < keys[j] { j &-= 1 }
                if i <= j {
                    let key = keys[i]
                    keys[i] = keys[j]
                    keys[j] = key
                    i &+= 1
                    j &-= 1
                }
            }
            if target <= j { high = j } else if target >= i { low = i } else { return }
        }
    }

    private func fill(_ v: Int, _ rows: UnsafePointer<Double>) {
        let leaf = points.pointer + (v - innerCount) * KDTree.leafSize * dimension
        let start = Int(starts[v])
        for p in start..<Int(ends[v]) {
            let row = rows + Int(order[p]) * dimension
            for c in 0..<dimension { leaf[c * KDTree.leafSize + p - start] = row[c] }
        }
    }

    /// At most the reduced distance of a point of one box to a point of the other; a point is a box of its own.
    @inline(__always)
    func gap(
        _ low: UnsafePointer<Double>, _ high: UnsafePointer<Double>, to v: Int
    ) -> Double {
        let d = dimension
        let other = boxes.pointer + v &* 2 &* d
        var sum = 0.0
        for c in 0..<d {
            let apart = max(0, other[c] - high[c], low[c] - other[d &+ c])
            sum += manhattan ? apart : apart * apart
        }
        return sum
    }

    /// The points of leaf node v within `bound` of the query.
    @inline(__always)
    func scan(
        _ v: Int, _ query: UnsafePointer<Double>, _ bound: Double, _ distances: UnsafeMutablePointer<Double>,
        _ hits: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let leaf = points.pointer + (v &- innerCount) &* KDTree.leafSize &* dimension
        let count = Int64(ends[v] - starts[v])
        let width = Int64(KDTree.leafSize)
        return Int(
            manhattan
                ? ck_leaf_scan_manhattan(leaf, width, count, query, Int64(dimension), bound, distances, hits)
                : ck_leaf_scan_squared(leaf, width, count, query, Int64(dimension), bound, distances, hits))
    }

    /// Visits leaves that may lie within `bound` of a box, nearest first below each node. `enter` says whether a node may hold
    /// anything; `visit` takes a leaf.
    @inline(__always)
    func descend(
        _ v: Int, _ low: UnsafePointer<Double>, _ high: UnsafePointer<Double>, stack: UnsafeMutablePointer<Entry>,
        enter: (_ node: Int, _ gap: Double) -> Bool, visit: (Int) -> Void
    ) {
        var top = 0
        stack[0] = Entry(node: v, gap: gap(low, high, to: v))
        while top >= 0 {
            let entry = stack[top]
            top &-= 1
            guard enter(entry.node, entry.gap) else { continue }
            if entry.node >= innerCount {
                visit(entry.node)
                continue
            }
            let left = Entry(node: 2 &* entry.node &+ 1, gap: gap(low, high, to: 2 &* entry.node &+ 1))
            let right = Entry(node: 2 &* entry.node &+ 2, gap: gap(low, high, to: 2 &* entry.node &+ 2))
            // The nearer one is popped first.
            stack[top &+ 1] = left.gap <= right.gap ? right : left
            stack[top &+ 2] = left.gap <= right.gap ? left : right
            top &+= 2
        }
    }

    struct Entry {
        let node: Int
        let gap: Double
    }

    /// Enough for `descend`: two entries a level.
    static let stackSize = 130
}
