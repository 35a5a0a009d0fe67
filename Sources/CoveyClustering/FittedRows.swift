import CoveyNeighbors
import CoveyRuntime

/// What rows come to before clusters are chosen: their spanning tree, and, where they were kept, the rows themselves.
/// Every choice of clusters on it shares it.
public final class FittedRows: Sendable {
    /// The rows of the caller's matrix.
    public let rowCount: Int
    public let columnCount: Int
    /// The caller's numbers of the rows used, ascending; nil = all rows.
    public let usedRows: [Int32]?
    /// How many rows each row of the caller's matrix stands for; nil = one.
    public let weights: [Int32]?
    /// The neighbour that gave the core distances.
    public let minSamples: Int
    /// The share of true neighbours that an approximate search found, measured on a sample; 1 for exact search.
    public let recall: Double
    public let spanningTree: SpanningTree
    /// Finds new rows' neighbours; nil without prediction data.
    let nearest: NearestRows?

    /// The rows that were clustered.
    public var usedCount: Int { spanningTree.pointCount }

    init(
        rowCount: Int, columnCount: Int, usedRows: [Int32]?, weights: [Int32]? = nil, minSamples: Int, recall: Double,
        spanningTree: SpanningTree,
        reference: ReferenceRows?, order: CellOrder? = nil, execution: Execution
    ) throws {
        self.rowCount = rowCount
        self.columnCount = columnCount
        self.usedRows = usedRows
        self.weights = weights
        self.minSamples = minSamples
        self.recall = recall
        self.spanningTree = spanningTree
        nearest = try reference.map { try NearestRows($0, order: order, execution: execution) }
    }

    /// The caller's number of a used row.
    func rowNumber(_ place: Int) -> Int {
        usedRows.map { Int($0[place]) } ?? place
    }

    /// One value for each row of the caller, from one for each used row.
    func spread<Value: BitwiseCopyable>(
        _ values: [Value], missing: Value, _ execution: Execution
    ) throws -> [Value] {
        guard let usedRows else { return values }
        var result = try execution.array(rowCount) { _ in missing }
        for (place, row) in usedRows.enumerated() {
            if place & 0xFFFFF == 0 { try execution.report() }
            result[Int(row)] = values[place]
        }
        return result
    }
}
