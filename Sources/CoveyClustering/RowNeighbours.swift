import CoveyNeighbors
import CoveyRuntime
import CoveyTables

/// The nearest other rows of each distinct row of a matrix, found as clustering finds them.
public enum RowNeighbours {
    /// The k nearest other distinct rows of each distinct row, nearest first, by the euclidean distance; 1 <= k < their
    /// count. By their numbers in `equal`.
    ///
    /// Cost: that of the neighbours of `MutualReachability.build`; 24 bytes a neighbour.
    /// - Parameter approximate: some may be missed, where that is faster.
    public static func find(
        _ view: MatrixView, _ equal: EqualRows, _ k: Int, approximate: Bool, seed: UInt64, execution: Execution
    ) throws -> NeighborGraph {
        let count = equal.count
        try require(k >= 1 && k < count, "neighbours must be 1 to \(count - 1), got \(k)")
        try execution.hold(checkedProduct(count, k, "neighbours"), of: 24, for: "\(count) x \(k) neighbours")
        let rows = try Rows(view, used: equal.representatives, metric: .euclidean, execution: execution)
        if let tree = try KDTreeSearch.suited(to: rows, k, execution: execution) {
            return try restored(tree.nearest(k, execution: execution), execution) { place in
                tree.order.map { Int($0[place]) } ?? place
            }
        }
        if approximate, k <= ApproximateSearch.mostNeighbours,
            ApproximateSearch.pays(rows: rows.count, columns: rows.dimension)
        {
            let search = try ApproximateSearch(rows, seed: seed, execution: execution)
            return try restored(search.nearest(k, execution: execution), execution) { Int(search.row($0)) }
        }
        let tiles = try TileSearch(rows, seed: seed, execution: execution)
        return try restored(tiles.nearest(k, execution: execution), execution) { place in
            tiles.order.map { Int($0[place]) } ?? place
        }
    }

    /// A search's graph in the numbers of the rows that it was made for, with k neighbours a row.
    private static func restored(
        _ graph: NeighborGraph, _ execution: Execution, _ row: (Int) -> Int
    ) throws -> NeighborGraph {
        var indices = [Int32](repeating: 0, count: graph.indices.count)
        var distances = [Double](repeating: 0, count: graph.indices.count)
        let k = graph.k
        for place in 0..<graph.count {
            if place & 0x3FFF == 0 { try execution.report() }
            let target = row(place) * k
            for slot in 0..<k {
                let other = Int(graph.indices[place * k + slot])
                indices[target + slot] = Int32(row(other))
                distances[target + slot] = graph.distances[place * k + slot]
            }
        }
        return NeighborGraph(count: graph.count, k: k, indices: indices, distances: distances)
    }
}
