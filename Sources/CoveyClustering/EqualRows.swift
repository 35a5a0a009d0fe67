import CoveyNeighbors
import CoveyRuntime
import CoveyTables

/// Which rows of a matrix are equal, by the euclidean metric. Equal rows have one number, in an order that follows from
/// the numbers in the rows alone: it does not depend on the order in which the caller gave the rows.
public struct EqualRows: Sendable {
    /// The number of each row: 0..<count.
    public let numbers: [Int32]
    /// By number: the first of the equal rows, and how many there are.
    public let representatives: [Int32]
    public let sizes: [Int32]
    /// All rows by their number; equal ones ascending.
    public let order: [Int32]

    public var count: Int { representatives.count }
    /// Whether no row equals another one.
    public var isPlain: Bool { count == numbers.count }

    /// O(n d) and O(n) to sort; 16 bytes a row are kept, 24 are used for a while.
    /// - Parameter view: finite numbers.
    public init(_ view: MatrixView, execution: Execution) throws {
        try execution.hold(view.rows, of: 16, for: "equal rows")
        let distinct = try DistinctRows(view, used: nil, weights: nil, metric: .euclidean, execution: execution)
        let (starts, placed) = (distinct.starts, distinct.order)
        order = try execution.array(view.rows) { placed[$0] }
        representatives = try execution.array(distinct.count) { placed[Int(starts[$0])] }
        sizes = try execution.array(distinct.count) { starts[$0 + 1] - starts[$0] }
        var numbers = try execution.array(view.rows) { _ in Int32(0) }
        for number in 0..<distinct.count {
            if number & 0xFFFF == 0 { try execution.report() }
            for place in starts[number]..<starts[number + 1] {
                numbers[Int(placed[Int(place)])] = Int32(truncatingIfNeeded: number)
            }
        }
        self.numbers = numbers
    }
}
