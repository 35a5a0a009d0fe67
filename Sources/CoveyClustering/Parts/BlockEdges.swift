import CoveyNeighbors
import CoveyRuntime
import CoveyTables

/// The minimum spanning tree of a block of rows from a larger data set, by mutual reachability with core distances of
/// that set.
///
/// An edge that is not in the tree of a block closes a cycle of edges no longer than it there, and so it is not needed
/// in a tree of all rows (cycle property). So the trees of all pairs of blocks together hold a minimum spanning tree of
/// all rows. This needs the core distances of all rows: those of the block alone are larger.
public enum BlockEdges {
    /// Neighbours that the search begins with.
    private static let firstNeighbours = 8

    /// rows - 1 edges, 0 at the least, between places of `view`.
    ///
    /// Throws `invalidData` for numbers or core distances that are not finite, and with cosine for a row of zeros;
    /// `outOfMemory`, `cancelled`. Cost: that of exact search in the block.
    public static func find(
        _ view: MatrixView, coreDistances: UnsafePointer<Double>, metric: Metric, alpha: Double,
        execution: Execution
    ) throws -> [SpanningTree.Edge] {
        let count = view.rows
        try require(alpha.isFinite && alpha > 0, "alpha must be finite and above 0, got \(alpha)")
        _ = try FiniteRows.find(in: view, missing: .reject, execution: execution)
        try Magnitude.check(view, rows: nil, metric: metric, alpha: alpha, execution: execution)
        for row in 0..<count {
            if row & 0xFFFF == 0 { try execution.report() }
            guard coreDistances[row].isFinite, coreDistances[row] >= 0 else {
                throw CoveyError.invalidData(
                    "core_distances[\(row)] must be finite and at least 0, got \(coreDistances[row])")
            }
            guard metric != .cosine || !Rows.isNull(view, row) else {
                throw CoveyError.invalidData(
                    "rows[\(row)] has zeros alone, and so no direction for COVEY_METRIC_COSINE")
            }
        }
        guard count > 1 else { return [] }
        let rows = try Rows(view, used: nil, metric: metric, execution: execution)
        let k = min(firstNeighbours, count - 1)
        let search: any NeighborSearch =
            try KDTreeSearch.suited(to: rows, k, execution: execution) ?? TileSearch(rows, execution: execution)
        let lists = try search.lists(k, distances: true, execution: execution)
        let order = search.order
        nonisolated(unsafe) let given = coreDistances
        let cores = try execution.array(count) { place in given[order.map { Int($0[place]) } ?? place] }
        let found = try Boruvka(lists, cores: cores, alpha: alpha, search: search, execution: execution).run()
        guard let order else { return found }
        return found.map {
            SpanningTree.Edge(from: order[Int($0.from)], to: order[Int($0.to)], distance: $0.distance)
        }
    }
}
