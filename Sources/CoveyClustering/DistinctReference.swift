import CoveyRuntime
import CoveyTables

/// The rows that a clustering keeps, without their repetitions, as neighbours of new rows: what is found does not
/// depend on how many equal rows there are, nor on which of them come first.
public struct DistinctReference: Sendable {
    public let equal: EqualRows
    private let nearest: NearestRows

    /// That of `EqualRows`; where rows repeat, a copy of the distinct ones and the cost of a search among them.
    /// Throws `invalidArgument` without prediction data.
    public init(_ clustering: Clustering, execution: Execution) throws {
        guard let kept = clustering.rows.nearest else {
            throw CoveyError.invalidArgument("the clustering was made with prediction = 0")
        }
        let equal = try kept.reference.withView { try EqualRows($0, execution: execution) }
        self.equal = equal
        if equal.isPlain {
            nearest = kept
        } else {
            let storage = try kept.reference.withView {
                try ReferenceRows.Storage($0, rows: equal.representatives, execution)
            }
            let rows = ReferenceRows(
                storage: storage, metric: kept.reference.metric, minSamples: 1,
                coreDistances: [Double](repeating: 0, count: equal.count))
            nearest = try NearestRows(rows, execution: execution)
        }
    }

    /// Calls `body` with the `count` distinct rows nearest to each row of finite numbers, by their numbers in `equal`,
    /// nearest first: from several threads.
    public func nearest(
        _ count: Int, of view: MatrixView, execution: Execution,
        _ body: (_ row: Int, _ found: [(number: Int32, distance: Double)]) throws -> Void
    ) throws {
        try nearest.nearest(count, of: view, execution) { row, found in
            try body(
                row,
                equal.isPlain
                    ? found.map { (equal.numbers[Int($0.row)], $0.distance) } : found.map { ($0.row, $0.distance) })
        }
    }
}
