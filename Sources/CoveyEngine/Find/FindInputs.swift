import CoveyEncoder
import CoveyRuntime
import CoveySequences
import CoveyTables

/// What is known of n transactions: sequences, features or both, and beside them labels, amounts and times.
public struct FindInputs: Sendable {
    public var sequences: SequenceBatch?
    /// Of the event types, where an encoder is to be trained.
    public var vocabulary: Vocabulary?
    public var table: FeatureTable?
    /// -1 unknown, 0 legitimate, 1 fraud; nil = nothing is known.
    public var fraud: Strided<Int8>?
    /// What each transaction is worth, at least 0; NaN = not known.
    public var amounts: Strided<Double>?
    /// When each happened, in seconds.
    public var times: Strided<Double>?
    /// nil = one is trained on the sequences.
    public var encoder: Encoder?

    public init() {}

    public var rows: Int { sequences?.count ?? table?.rows ?? 0 }

    /// The columns that hybrid features take: all but dates.
    var hybridTable: FeatureTable? {
        get throws {
            guard let table else { return nil }
            let columns = table.columns.filter { $0.values.kind != .date }
            return columns.isEmpty ? nil : try FeatureTable(rows: table.rows, columns: columns)
        }
    }

    /// Sequences with events.
    var withEvents: Int {
        guard let sequences else { return 0 }
        return (0..<sequences.count).reduce(0) { $0 + (sequences.offsets[$1].isEmpty ? 0 : 1) }
    }

    /// Throws `invalidArgument` where inputs are missing, `mismatch` for row counts that differ, `invalidData`.
    func validate(_ execution: Execution) throws {
        try require(sequences != nil || table != nil, "sequences and features must not both be NULL")
        try require(
            sequences == nil || encoder != nil || vocabulary != nil,
            "vocabulary must not be NULL where an encoder is to be trained")
        let counts = [
            ("features", table?.rows), ("fraud", fraud?.count), ("amounts", amounts?.count), ("times", times?.count),
        ]
        for (name, count) in counts {
            if let count, count != rows {
                throw CoveyError.mismatch("\(name) has \(count) rows, there are \(rows)")
            }
        }
        guard rows >= 1 else { throw CoveyError.invalidData("there must be at least one row, got 0") }
        try require(rows <= 1 << 30, "rows must be at most 2^30, got \(rows)")
        try execution.forEach(0..<rows) { row in
            if let amount = amounts?[row], amount < 0 || amount.isInfinite {
                throw CoveyError.invalidData(
                    "amounts[\(row)] must be at least 0 and finite, or NaN where it is not known, got \(amount): "
                        + "leave refunds out, or give what they cost")
            }
            if let time = times?[row], !time.isFinite {
                throw CoveyError.invalidData("times[\(row)] must be finite, got \(time)")
            }
        }
    }
}
