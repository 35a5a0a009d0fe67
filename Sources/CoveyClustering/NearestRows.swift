import CoveyNeighbors
import CoveyRuntime
import CoveyTables

/// The nearest reference rows of rows from outside.
struct NearestRows: Sendable {
    let reference: ReferenceRows
    private let given: CellOrder?
    private let made = Made()

    private final class Made: Sendable {
        let search = PublishedReference<QuerySearch>()
    }

    /// Makes the search, which costs k-means of the rows. With an order it is made when it is first needed, in the time
    /// of reading the rows: an engine that only places rows in clusters never needs it.
    /// - Parameter order: of an earlier search among the same rows.
    init(_ reference: ReferenceRows, order: CellOrder? = nil, execution: Execution) throws {
        self.reference = reference
        // The search itself checks an order of fewer rows than there are: some have no direction.
        given = reference.metric == .cosine ? nil : order
        if let given, given.rows.count != reference.rows {
            throw CoveyError.invalidData("the cells hold \(given.rows.count) rows, there are \(reference.rows)")
        }
        if given == nil { _ = made.search.storeIfNil(try search(order, execution)) }
    }

    private func search(_ order: CellOrder?, _ execution: Execution) throws -> QuerySearch {
        try reference.withView {
            try QuerySearch($0, metric: reference.metric, order: order, execution: execution)
        }
    }

    /// Makes the search now, so that no call waits for it.
    @discardableResult func prepare(_ execution: Execution) throws -> QuerySearch {
        if let search = made.search.load() { return search }
        return made.search.storeIfNil(try search(given, execution))
    }

    /// See `QuerySearch.order`.
    var order: CellOrder? { given ?? made.search.load()?.order }

    /// Calls `body` with the `count` nearest rows of each row of `view`, nearest first; from several threads.
    func nearest(
        _ count: Int, of view: MatrixView, _ execution: Execution,
        _ body: (_ row: Int, _ found: [(row: Int32, distance: Double)]) throws -> Void
    ) throws {
        let search = try prepare(execution)
        try reference.withView { try search.nearest(count, of: view, among: $0, execution: execution, body) }
    }
}
