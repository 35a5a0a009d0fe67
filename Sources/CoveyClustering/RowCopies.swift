import CoveyRuntime

/// Rows that stand for several equal rows each. Every result is that of a matrix in which each row is repeated as often
/// as its count says.
public struct RowCopies: Sendable, Equatable {
    /// How many rows each point of a tree stands for, at least 1.
    public let counts: [Int32]
    /// The mutual reachability of a point's copies; no edge of the point is shorter.
    public let distances: [Double]

    /// The most rows that all may stand for together.
    public static let mostRows = SingleLinkageTree.largestPointCount

    public init(counts: [Int32], distances: [Double]) {
        self.counts = counts
        self.distances = distances
    }

    /// All rows that the points stand for.
    public var total: Int { counts.reduce(0) { $0 + Int($1) } }

    /// Weights of rows, nil if all are 1. Throws `invalidArgument` for a negative one and for too many rows in all.
    public static func checked(
        _ weights: UnsafeBufferPointer<Int64>, execution: Execution
    ) throws -> [Int32]? {
        var total = 0
        var plain = true
        for (row, weight) in weights.enumerated() {
            if row & 0xFFFFF == 0 { try execution.report() }
            try require(weight >= 0, "weights[\(row)] must be at least 0, got \(weight)")
            try require(
                weight <= RowCopies.mostRows - total,
                "weights must add up to at most \(RowCopies.mostRows), and exceed that at weights[\(row)], got "
                    + "\(weight)"
            )
            total += Int(weight)
            plain = plain && weight == 1
        }
        return plain ? nil : try execution.array(weights.count) { Int32(truncatingIfNeeded: weights[$0]) }
    }
}
