import CCoveyKernels
import CoveyRuntime

/// A balanced k-d tree (Bentley 1975) with tight bounding boxes. Node v has the children 2v + 1 and 2v + 2. A leaf
/// holds at most 16 points, by columns. Building costs O(n log n). The tree is the same for any number of threads.
final class KDTree: @unchecked Sendable {
    static let leafSize = Int(CK_LEAF)

    let count: Int
    let dimension: Int
    /// The number of leading coordinates that boxes have.
    let boxed: Int
    let manhattan: Bool
    /// Inner nodes come first: leaf l is node innerCount + l.
    let innerCount: Int
    let leafCount: Int
    /// The row at each place.
    let order: AlignedBuffer<Int32>
    /// The places of leaf l are starts[l]..<starts[l + 1].
    let starts: AlignedBuffer<Int32>
    /// For each node its smallest, then its largest coordinates.
    let boxes: AlignedBuffer<Double>
    /// Each leaf's points: dimension x leafSize.
    let points: AlignedBuffer<Double>

    /// The same boxes in the layout for walks.
    private(set) var boxTree: BoxTree!

    var nodeCount: Int { innerCount + leafCount }

    /// - Parameters:
    ///   - coordinates: count x dimension, by rows.
    ///   - boxed: 1 to dimension; it must include the coordinates along which points differ.
    init(
        _ coordinates: AlignedBuffer<Double>, count n: Int, dimension d: Int, boxed: Int, manhattan: Bool,
        execution: Execution
    ) throws {
        count = n
        dimension = d
        self.boxed = boxed
        self.manhattan = manhattan
        var leaves = 1
        while (n + leaves - 1) / leaves > KDTree.leafSize { leaves *= 2 }
        leafCount = leaves
        innerCount = leaves - 1
        order = try AlignedBuffer(n, for: "the k-d tree", execution)
        starts = try AlignedBuffer(leaves + 1, for: "the k-d tree", execution)
        boxes = try AlignedBuffer(
            checkedProduct(2 * leaves - 1, 2 * boxed, "the k-d tree"), for: "the k-d tree", execution)
        points = try AlignedBuffer(
            checkedProduct(leaves * KDTree.leafSize, d, "the k-d tree"), for: "the k-d tree", execution)
        starts[leaves] = Int32(n)
        let keys = try AlignedBuffer<PlacedRow>(n, for: "the k-d tree", execution)
        try execution.parallel(n, grain: 65_536) { chunk, _ in
            for i in chunk { keys[i] = PlacedRow(value: 0, row: Int32(i)) }
        }
        // The top levels are split one by one, each node on one thread. Below them each thread takes whole subtrees
        // that fit into its cache.
        let source = coordinates.pointer
        var nodes = [Node(number: 0, start: 0, end: n)]
        while nodes.count < 64, nodes[0].number < innerCount, n / nodes.count > 4096 {
            var middles = [Int](repeating: 0, count: nodes.count)
            let level = nodes
            try middles.withUnsafeMutableBufferPointer { middles in
                nonisolated(unsafe) let middles = middles
                try execution.parallel(level.count) { [self] chunk, _ in
                    for node in chunk { middles[node] = try halve(level[node], source, keys.pointer, execution) }
                }
            }
            nodes = level.indices.flatMap { level[$0].halves(at: middles[$0]) }
        }
        let roots = nodes
        try execution.parallel(roots.count) { [self] chunk, _ in
            for root in chunk { try build(roots[root], source, keys.pointer, execution) }
        }
        for v in stride(from: roots[0].number - 1, through: 0, by: -1) { join(v) }
        boxTree = try BoxTree(
            boxes.pointer, boxed: boxed, leafCount: leaves, manhattan: manhattan, execution: execution)
    }

    private struct Node {
        let number: Int
        let start: Int
        let end: Int

        func halves(at middle: Int) -> [Node] {
            [
                Node(number: 2 * number + 1, start: start, end: middle),
                Node(number: 2 * number + 2, start: middle, end: end),
            ]
        }
    }

    private func build(
        _ node: Node, _ source: UnsafePointer<Double>, _ keys: UnsafeMutablePointer<PlacedRow>, _ execution: Execution
    ) throws {
        if node.number >= innerCount { return fill(node, source, keys) }
        let middle = try halve(node, source, keys, execution)
        for half in node.halves(at: middle) { try build(half, source, keys, execution) }
        join(node.number)
    }

    /// Splits a node's points at the median of its widest column. A sample of the points tells which column is the
    /// widest.
    private func halve(
        _ node: Node, _ source: UnsafePointer<Double>, _ keys: UnsafeMutablePointer<PlacedRow>, _ execution: Execution
    ) throws -> Int {
        try execution.report()
        let d = dimension
        let (start, end) = (node.start, node.end)
        let step = max(1, (end - start) / 128)
        var widest = 0
        var width = -1.0
        for c in 0..<boxed {
            var low = Double.infinity
            var high = -Double.infinity
            for p in stride(from: start, to: end, by: step) {
                let value = source[Int(keys[p].row) &* d &+ c]
                if value < low { low = value }
                if value > high { high = value }
            }
            if high - low > width {
                width = high - low
                widest = c
            }
        }
        for p in start..<end {
            if p & 0xFFFF == 0xFFFF { try execution.report() }
            keys[p].value = source[Int(keys[p].row) &* d &+ widest]
        }
        let middle = start + (end - start) / 2
        try PlacedRow.select(keys, start, end - 1, middle, execution)
        return middle
    }

    private func fill(_ node: Node, _ source: UnsafePointer<Double>, _ keys: UnsafePointer<PlacedRow>) {
        let d = dimension
        let leaf = node.number - innerCount
        let target = points.pointer + leaf * KDTree.leafSize * d
        starts[leaf] = Int32(node.start)
        for p in node.start..<node.end { order[p] = keys[p].row }
        for c in 0..<d {
            let column = target + c * KDTree.leafSize
            var low = Double.infinity
            var high = -Double.infinity
            for p in node.start..<node.end {
                let value = source[Int(keys[p].row) &* d &+ c]
                column[p - node.start] = value
                if value < low { low = value }
                if value > high { high = value }
            }
            for i in node.end - node.start..<KDTree.leafSize { column[i] = .nan }
            if c < boxed {
                let box = boxes.pointer + node.number * 2 * boxed
                box[c] = low
                box[boxed + c] = high
            }
        }
    }

    /// A node's box from the boxes of its two children.
    private func join(_ v: Int) {
        let box = boxes.pointer + v * 2 * boxed
        let left = boxes.pointer + (2 * v + 1) * 2 * boxed
        let right = left + 2 * boxed
        for c in 0..<boxed {
            box[c] = left[c] < right[c] ? left[c] : right[c]
            box[boxed + c] = left[boxed + c] > right[boxed + c] ? left[boxed + c] : right[boxed + c]
        }
    }

    /// The pairs of points of two leaves (nodes) within the bounds of the first leaf's points; see
    /// `ck_leaf_pairs_squared`.
    @inline(__always)
    func pairs(
        _ u: Int, _ v: Int, _ bounds: UnsafePointer<Double>, _ pairs: UnsafeMutablePointer<UInt8>,
        _ sums: UnsafeMutablePointer<Double>
    ) -> Int {
        let size = KDTree.leafSize &* dimension
        let queries = points.pointer + (u &- innerCount) &* size
        let others = points.pointer + (v &- innerCount) &* size
        let box = boxes.pointer + v &* 2 &* boxed
        return Int(
            manhattan
                ? ck_leaf_pairs_manhattan(queries, others, Int64(dimension), box, Int64(boxed), bounds, pairs, sums)
                : ck_leaf_pairs_squared(queries, others, Int64(dimension), box, Int64(boxed), bounds, pairs, sums))
    }
}
