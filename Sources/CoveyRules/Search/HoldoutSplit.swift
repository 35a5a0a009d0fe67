import CoveyNumerics
import CoveyRuntime
import CoveyTables

/// Which rows are in the target, which the search may see, and which it may not. Rows that weigh nothing are in none of
/// them.
public struct HoldoutSplit: Sendable {
    let target: RowBits
    let search: RowBits
    /// The rows held out.
    let unseen: RowBits

    init(target: RowBits, search: RowBits, unseen: RowBits) {
        self.target = target
        self.search = search
        self.unseen = unseen
    }

    /// The rows that a search with these options would hold out, one a row. Throws as `init`.
    public static func heldOut(
        _ target: Strided<UInt8>, options: RuleSearchOptions, execution: Execution
    ) throws -> [Bool] {
        let split = try HoldoutSplit(target: target, options: options, execution: execution)
        return (0..<target.count).map { split.unseen[$0] }
    }

    /// By time the latest rows are held out (of equal times those that come last in the table); without times a random
    /// share of the target and of the rest. At least one row is on either side. Throws where the target is not 0 or 1
    /// or has one class only.
    init(target values: Strided<UInt8>, options: RuleSearchOptions, execution: Execution) throws {
        let rows = values.count
        var target = RowBits(rows: rows)
        var used = RowBits(rows: rows)
        if let weights = options.weights { try HoldoutSplit.check(weights, "weights", rows: rows, most: 12, execution) }
        if let amounts = options.amounts { try HoldoutSplit.check(amounts, "amounts", rows: rows, most: 15, execution) }
        try execution.forEach(0..<rows) { row in
            let value = values[row]
            guard value <= 1 else { throw CoveyError.invalidData("target[\(row)] must be 0 or 1, got \(value)") }
            if let weights = options.weights, weights[row] == 0 { return }
            used[row] = true
            if value == 1 { target[row] = true }
        }
        let (positives, all) = (target.count, used.count)
        guard positives > 0 && positives < all else {
            let weighing = options.weights == nil ? "" : " that weigh something"
            throw CoveyError.invalidData(
                "target must have rows of both classes\(weighing), got \(positives) rows of the target among \(all)")
        }
        self.target = target
        if let times = options.times {
            search = try HoldoutSplit.byTime(times, used, rows: rows, share: options.heldOut, execution)
        } else {
            search = try HoldoutSplit.atRandom(target, used, options, execution)
        }
        used.subtract(search)
        unseen = used
    }

    private static func check(
        _ values: Strided<Double>, _ name: String, rows: Int, most power: Int, _ execution: Execution
    ) throws {
        let most = (0..<power).reduce(1.0) { product, _ in product * 10 }
        guard values.count == rows else {
            throw CoveyError.mismatch("options.\(name) has \(values.count) values, the table has \(rows) rows")
        }
        try execution.forEach(0..<rows) { row in
            let value = values[row]
            guard value >= 0 && value <= most else {
                throw CoveyError.invalidData("options.\(name)[\(row)] must be 0 to 1e\(power), got \(value)")
            }
        }
    }

    private static func byTime(
        _ times: Strided<Double>, _ used: RowBits, rows: Int, share: Double, _ execution: Execution
    ) throws -> RowBits {
        guard times.count == rows else {
            throw CoveyError.mismatch("options.times has \(times.count) values, the table has \(rows) rows")
        }
        try execution.forEach(0..<rows) { row in
            let time = times[row]
            guard time.isFinite else {
                throw CoveyError.invalidData("options.times[\(row)] must be finite, got \(time)")
            }
        }
        let all = used.count
        let seen = all - heldOut(of: all, share)
        // What is not a number is not counted.
        let ranked = all == rows ? times : Strided((0..<rows).map { used[$0] ? times[$0] : .nan })
        let last = try OrderStatistics.select(ranked, ranks: [seen - 1], execution: execution)[0]
        var earlier = 0
        for row in 0..<rows where times[row] < last && used[row] { earlier += 1 }
        var search = RowBits(rows: rows)
        var ties = seen - earlier
        try execution.forEach(0..<rows) { row in
            guard used[row] else { return }
            let time = times[row]
            if time == last, ties > 0 {
                ties -= 1
                search[row] = true
            } else if time < last {
                search[row] = true
            }
        }
        return search
    }

    /// Selection sampling (Knuth, Algorithm S) in each class: exact shares in one pass.
    private static func atRandom(
        _ target: RowBits, _ used: RowBits, _ options: RuleSearchOptions, _ execution: Execution
    ) throws -> RowBits {
        var random = SeededRandom(seed: options.seed)
        let (positives, all) = (target.count, used.count)
        var left = [all - positives, positives]
        var wanted = left.map { $0 == 1 ? 0 : heldOut(of: $0, options.heldOut) }
        if all == 2 { wanted = [1, 0] }
        var search = RowBits(rows: used.words.count * 64)
        for start in stride(from: 0, to: used.words.count, by: 1024) {
            try execution.check()
            used.forEach(words: start..<min(used.words.count, start + 1024)) { row in
                let kind = target[row] ? 1 : 0
                if random.uniform() * Double(left[kind]) < Double(wanted[kind]) {
                    wanted[kind] -= 1
                } else {
                    search[row] = true
                }
                left[kind] -= 1
            }
        }
        return search
    }

    private static func heldOut(of rows: Int, _ share: Double) -> Int {
        min(max(Int((share * Double(rows)).rounded()), 1), rows - 1)
    }
}
