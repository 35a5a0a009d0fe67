import CoveyNumerics
import CoveyRuntime

/// Which rows are in the target, and which the search may see.
struct HoldoutSplit: Sendable {
    let rows: Int
    let target: RowBits
    /// The rows of the search; all others are held out.
    let search: RowBits

    /// By time the latest rows are held out (of equal times those that come last in the table); without times a random share of
    /// the target and of the rest. At least one row is on either side. Throws where the target is not 0 or 1 or has one class only.
    init(target values: Strided<UInt8>, options: RuleSearchOptions, execution: Execution) throws {
        let rows = values.count
        var target = RowBits(rows: rows)
        for row in 0..<rows {
            let value = values[row]
            guard value <= 1 else { throw CoveyError.invalidData("target[\(row)] must be 0 or 1, got \(value)") }
            if value == 1 { target[row] = true }
            if row & 0xFFFF == 0 { try execution.check() }
        }
        let positives = target.count
        guard positives > 0 && positives < rows else {
            throw CoveyError.invalidData(
                "target must have rows of both classes, got \(positives) rows of the target among \(rows)")
        }
        self.rows = rows
        self.target = target
        if let times = options.times {
            search = try HoldoutSplit.byTime(times, rows: rows, share: options.holdout, execution)
        } else {
            search = try HoldoutSplit.atRandom(target, positives, rows: rows, options, execution)
        }
    }

    private static func byTime(
        _ times: Strided<Double>, rows: Int, share: Double, _ execution: Execution
    ) throws -> RowBits {
        guard times.count == rows else {
            throw CoveyError.mismatch("options.times has \(times.count) values, the table has \(rows) rows")
        }
        for row in 0..<rows {
            let time = times[row]
            guard time.isFinite else { throw CoveyError.invalidData("options.times[\(row)] must be finite, got \(time)") }
            if row & 0xFFFF == 0 { try execution.check() }
        }
        let seen = rows - heldOut(of: rows, share)
        let last = try OrderStatistics.select(times, ranks: [seen - 1], execution: execution)[0]
        var earlier = 0
        for row in 0..<rows where times[row] < last { earlier += 1 }
        var search = RowBits(rows: rows)
        var ties = seen - earlier
        for row in 0..<rows {
            let time = times[row]
            if time == last, ties > 0 {
                ties -= 1
                search[row] = true
            } else if time < last {
                search[row] = true
            }
            if row & 0xFFFF == 0 { try execution.check() }
        }
        return search
    }

    /// Selection sampling (Knuth, Algorithm S) in each class: exact shares in one pass.
    private static func atRandom(
        _ target: RowBits, _ positives: Int, rows: Int, _ options: RuleSearchOptions, _ execution: Execution
    ) throws -> RowBits {
        var random = SeededRandom(seed: options.seed)
        var left = [rows - positives, positives]
        var wanted = left.map { $0 == 1 ? 0 : heldOut(of: $0, options.holdout) }
        if rows == 2 { wanted = [1, 0] }
        var search = RowBits(rows: rows)
        for row in 0..<rows {
            let kind = target[row] ? 1 : 0
            if random.uniform() * Double(left[kind]) < Double(wanted[kind]) {
                wanted[kind] -= 1
            } else {
                search[row] = true
            }
            left[kind] -= 1
            if row & 0xFFFF == 0 { try execution.check() }
        }
        return search
    }

    private static func heldOut(of rows: Int, _ share: Double) -> Int {
        min(max(Int((share * Double(rows)).rounded()), 1), rows - 1)
    }
}
