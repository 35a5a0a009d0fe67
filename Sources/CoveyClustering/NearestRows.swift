import CoveyNeighbors
import CoveyRuntime
import CoveyTables

/// The nearest reference rows of rows from outside.
struct NearestRows: Sendable {
    let reference: ReferenceRows
    private let search: QuerySearch

    /// Cost: that of `QuerySearch`.
    /// - Parameter order: of an earlier search among the same rows.
    init(_ reference: ReferenceRows, order: CellOrder? = nil, execution: Execution) throws {
        self.reference = reference
        search = try reference.withView {
            try QuerySearch($0, metric: reference.metric, order: order, execution: execution)
        }
    }

    /// See `QuerySearch.order`.
    var order: CellOrder? { search.order }

    /// Calls `body` with the `count` nearest rows of each row of `view`, nearest first; from several threads.
    func nearest(
        _ count: Int, of view: MatrixView, _ execution: Execution,
        _ body: (_ row: Int, _ found: [(row: Int32, distance: Double)]) throws -> Void
    ) throws {
        try reference.withView { try search.nearest(count, of: view, among: $0, execution: execution, body) }
    }
}
