import CoveyRuntime
import CoveyTables

/// Rules on one row after another, in memory that is kept. The columns are found once, in a table whose values change.
/// For one thread at a time.
public struct OneRow {
    private let evaluator: RuleEvaluator
    private let table: FeatureTable
    private let bound: RuleEvaluator.Bound
    private var values: [Double]
    private var fired: [UInt8]

    /// - Parameter table: of one row; its memory is read again by each `evaluate`.
    public init(_ evaluator: RuleEvaluator, _ table: FeatureTable) throws {
        self.evaluator = evaluator
        self.table = table
        bound = try evaluator.bind(table)
        values = Array(repeating: .nan, count: evaluator.columns.count)
        fired = Array(repeating: 0, count: evaluator.ruleCount)
    }

    /// Calls `body` with each rule that fires, ascending, as `RuleEvaluator.evaluate` finds them. Nothing is allocated,
    /// unless the set is so large that it has no `rows`.
    public mutating func evaluate(_ execution: Execution, _ body: (_ rule: Int) -> Void) throws {
        if let rows = evaluator.rows {
            try fired.withUnsafeMutableBufferPointer {
                try rows.evaluate(bound, 1, fired: $0.baseAddress, any: nil, &values)
            }
        } else {
            try fired.withUnsafeMutableBufferPointer {
                try evaluator.evaluate(table, fired: $0, execution: execution)
            }
        }
        for rule in fired.indices where fired[rule] != 0 { body(rule) }
    }
}
