import CoveyClustering
import CoveyRuntime
import CoveyTables

/// All rows in an order that follows from what they are, and not from how they were given: what is drawn at random from
/// it is the same for permuted rows. A table sorted by its labels must not look like signal.
enum RowOrder {
    /// By the hybrid rows, then by the labels, then by the rows of the forests; rows that are equal in all of them may
    /// stand for each other. O(n log n) comparisons.
    static func rows(
        _ equal: EqualRows, _ labels: KnownLabels, _ columns: Matrix<Float>?, _ execution: Execution
    ) throws -> [Int32] {
        var order = equal.order
        var comparisons = 0
        func isBefore(_ left: Int32, _ right: Int32) throws -> Bool {
            comparisons &+= 1
            if comparisons & 0xFFFF == 0 { try execution.report() }
            let (a, b) = (Int(left), Int(right))
            if labels.values[a] != labels.values[b] { return labels.values[a] < labels.values[b] }
            if let columns {
                for column in 0..<columns.columns where columns[a, column] != columns[b, column] {
                    return columns[a, column] < columns[b, column]
                }
            }
            return left < right
        }
        var start = 0
        for size in equal.sizes {
            let end = start + Int(size)
            if size > 1 { try order[start..<end].sort(by: isBefore) }
            start = end
        }
        return order
    }
}
