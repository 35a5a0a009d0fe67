import CoveyNeighbors
import CoveyRuntime
import CoveyTables

/// The k nearest of some rows to each query, which are merged with what was found among other rows.
public struct NearestLists {
    let k: Int
    let indices: UnsafeMutablePointer<Int64>
    let distances: UnsafeMutablePointer<Double>

    /// Lists of queries x k numbers in the caller's memory: ascending by distance, then by row number; -1 and infinity
    /// if there is no row.
    public init(k: Int, indices: UnsafeMutablePointer<Int64>, distances: UnsafeMutablePointer<Double>) {
        self.k = k
        self.indices = indices
        self.distances = distances
    }

    /// Puts in the nearest of `rows`, exactly. A row of the query's number is the query itself and no neighbour of it.
    /// Rows that the lists hold already are not put in twice, so that the same rows may be searched again.
    ///
    /// - Parameters:
    ///   - queryNumbers: nil = the queries are none of the rows.
    ///   - rowNumbers: ascending. Throws `invalidData` for numbers that are not finite, `mismatch` for different
    ///     columns, `outOfMemory`, `cancelled`.
    public func merge(
        queries: MatrixView, queryNumbers: UnsafePointer<Int64>?, rows: MatrixView, rowNumbers: UnsafePointer<Int64>?,
        metric: Metric, execution: Execution
    ) throws {
        guard queries.columns == rows.columns else {
            throw CoveyError.mismatch("queries.columns must be \(rows.columns), as in rows, got \(queries.columns)")
        }
        for view in [queries, rows] {
            _ = try FiniteRows.find(in: view, missing: .reject, execution: execution)
            try Magnitude.check(view, rows: nil, metric: metric, alpha: 1, execution: execution)
        }
        guard queries.rows > 0, rows.rows > 0 else { return }
        let search = try QuerySearch(rows, metric: metric, execution: execution)
        let wanted = min(rows.rows, queryNumbers == nil ? k : k + 1)
        let own = self
        nonisolated(unsafe) let (queryNumbers, rowNumbers, lists) = (queryNumbers, rowNumbers, own)
        try search.nearest(wanted, of: queries, among: rows, execution: execution) { query, found in
            let itself = queryNumbers?[query] ?? -1
            for (row, distance) in found {
                let number = rowNumbers?[Int(row)] ?? Int64(row)
                if number == itself { continue }
                if !lists.insert(number, distance, query) { break }
            }
        }
    }

    /// Whether the row belongs in the list, or was there.
    private func insert(_ number: Int64, _ distance: Double, _ query: Int) -> Bool {
        let (indices, distances) = (indices + query * k, distances + query * k)
        func precedes(_ slot: Int) -> Bool {
            indices[slot] >= 0 && (distances[slot], indices[slot]) <= (distance, number)
        }
        guard !precedes(k - 1) else { return distances[k - 1] == distance && indices[k - 1] == number }
        var slot = k - 1
        while slot > 0, !precedes(slot - 1) { slot -= 1 }
        if slot > 0, indices[slot - 1] == number { return true }
        for place in stride(from: k - 1, to: slot, by: -1) {
            (indices[place], distances[place]) = (indices[place - 1], distances[place - 1])
        }
        (indices[slot], distances[slot]) = (number, distance)
        return true
    }
}
