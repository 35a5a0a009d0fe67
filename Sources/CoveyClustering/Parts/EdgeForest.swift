import CoveyNeighbors
import CoveyRuntime

/// The minimum spanning forest of a list of edges (Kruskal 1956). Among edges of one length the row numbers decide, so
/// that the forest of the same edges is the same in any order and in any division into batches.
public enum EdgeForest {
    /// Keeps the edges of the forest, in order, at the beginning of `edges`, with `from` < `to`; returns their number.
    ///
    /// A batch of edges that follows the kept ones gives the forest of all of them, so that any number of edges fits in
    /// the memory of rows - 1 edges and one batch. Cost: O(m log m) for m edges; memory: 24 bytes an edge and 4 a row
    /// beside the input. Throws `invalidData` for an edge that is no edge of the rows.
    public static func reduce(
        _ edges: UnsafeMutableBufferPointer<WeightedEdge>, rows: Int, execution: Execution
    ) throws -> Int {
        for index in edges.indices {
            if index & 0xFFFFF == 0 { try execution.report() }
            try edges[index].check(index, rows: rows)
        }
        let sets = try RowSets(rows, execution)
        return try reduce(edges, sets, execution) { _, _, _ in true }
    }

    /// Likewise with edges that were checked.
    /// - Parameter joins: called with each edge that would join two sets, before it does; false = it is left out.
    static func reduce(
        _ edges: UnsafeMutableBufferPointer<WeightedEdge>, _ sets: RowSets, _ execution: Execution,
        _ joins: (_ edge: WeightedEdge, _ first: Int, _ second: Int) -> Bool
    ) throws -> Int {
        guard let base = edges.baseAddress else { return 0 }
        for index in edges.indices {
            if index & 0xFFFFF == 0 { try execution.report() }
            let edge = edges[index]
            // + 0 takes the sign from a zero.
            edges[index] = WeightedEdge(
                from: min(edge.from, edge.to), to: max(edge.from, edge.to), distance: edge.distance + 0)
        }
        // Distances are not negative, so that their bits are in their order.
        try RadixSort.sort(base, count: edges.count, execution: execution) { $0.distance.bitPattern }
        var kept = 0
        var start = 0
        while start < edges.count {
            if start & 0xFFF == 0 { try execution.report("spanning tree", Double(start) / Double(edges.count)) }
            var end = start + 1
            while end < edges.count, base[end].distance == base[start].distance { end += 1 }
            if end - start > 1 {
                var ties = UnsafeMutableBufferPointer(start: base + start, count: end - start)
                ties.sort(by: WeightedEdge.comesBefore)
            }
            for index in start..<end {
                let edge = base[index]
                let (first, second) = (sets.root(Int(edge.from)), sets.root(Int(edge.to)))
                if first == second { continue }
                guard joins(edge, first, second) else { continue }
                sets.join(first, second)
                base[kept] = edge
                kept += 1
            }
            start = end
        }
        return kept
    }
}

/// Disjoint sets of rows; the lowest row of a set is its root.
struct RowSets {
    private let parents: AlignedBuffer<Int32>

    init(_ rows: Int, _ execution: Execution) throws {
        parents = try AlignedBuffer(rows, for: "the spanning forest", execution)
        for row in 0..<rows { parents[row] = Int32(truncatingIfNeeded: row) }
    }

    @inline(__always)
    func root(_ row: Int) -> Int {
        var row = row
        while Int(parents[row]) != row {
            parents[row] = parents[Int(parents[row])]
            row = Int(parents[row])
        }
        return row
    }

    /// Joins the sets of two roots.
    @inline(__always)
    func join(_ first: Int, _ second: Int) {
        parents[max(first, second)] = Int32(truncatingIfNeeded: min(first, second))
    }
}
