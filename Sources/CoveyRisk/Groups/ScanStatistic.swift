import CoveyRuntime

/// How much more the known frauds crowd together in a set of rows than chance would have it: the logarithm of the
/// likelihood ratio of the set's own share of known fraud against the base rate (scan statistic, Kulldorff 1997; over
/// the nodes of a tree: Kulldorff, Fang and Walsh 2003).
///
///     t = k log((k / m) / s) + (m - k) log((1 - k / m) / (1 - s)),  0 if k / m <= s
///
/// for k known frauds among the set's m rows and a base rate s.
struct ScanStatistic: Sendable {
    private let rows: Int
    private let fraud: Int
    private let logBase: Double
    private let logRest: Double
    /// j ln j.
    private let table: [Double]

    /// - Parameters:
    ///   - rows: in all.
    ///   - fraud: those known to be fraud, above 0 and below `rows`.
    init(rows: Int, fraud: Int, execution: Execution) throws {
        try execution.hold(rows + 1, of: 8, for: "the scan statistic")
        table = try execution.array(rows + 1) { $0 <= 1 ? 0 : Double($0) * naturalLogarithm(Double($0)) }
        self.rows = rows
        self.fraud = fraud
        logBase = naturalLogarithm(Double(fraud) / Double(rows))
        logRest = naturalLogarithm(Double(rows - fraud) / Double(rows))
    }

    @inline(__always)
    func value(fraud known: Int, of size: Int) -> Double {
        // Products of two counts below 2^31 fit.
        guard known &* rows > size &* fraud else { return 0 }
        return table.withUnsafeBufferPointer { table in
            let others = size &- known
            return table[known] + table[others] - table[size] - Double(known) * logBase - Double(others) * logRest
        }
    }
}
