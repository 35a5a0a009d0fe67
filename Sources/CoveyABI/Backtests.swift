import CCovey
import CoveyRules
import CoveyRuntime

// Section 10 of covey.h: rules on transactions of the past.

/// The object behind a `covey_backtest`.
final class BacktestBox: Sendable {
    let backtest: Backtest

    init(_ backtest: Backtest) { self.backtest = backtest }

    /// A rule of the caller's; -1 stands for any.
    func rule(_ rule: Int64) throws -> Int {
        let count = backtest.ruleCount
        try require(rule >= -1 && rule < Int64(count), "rule must be at least -1 and below \(count), got \(rule)")
        return rule < 0 ? count : Int(rule)
    }
}

@c @implementation
public func covey_backtest_run(
    _ context: OpaquePointer?, _ rules: OpaquePointer?, _ features: UnsafePointer<covey_table>?,
    _ fraud: UnsafePointer<Int8>?, _ options: UnsafePointer<covey_backtest_options>?,
    _ backtest: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    backtest?.pointee = nil
    return boundary(error) {
        let backtest = try required(backtest, "backtest")
        let set = try Handle.required(rules, "rules", as: RulesBox.self).set
        let execution = execution(context)
        let table = try featureTable(features, "features", execution)
        let result = try Backtest(
            set, table, fraud: strided(fraud, "fraud", count: table.rows),
            options: backtestOptions(options, rules: set.rules.count, rows: table.rows), execution: execution)
        backtest.pointee = Handle.retain(BacktestBox(result))
    }
}

private func backtestOptions(
    _ pointer: UnsafePointer<covey_backtest_options>?, rules: Int, rows: Int
) throws -> Backtest.Options {
    var result = Backtest.Options()
    guard let pointer else { return result }
    var defaults = covey_backtest_options()
    defaults.period = result.period
    defaults.confidence = result.confidence
    let options = try Versioned.read(pointer, "options", defaults: defaults)
    result.amounts = try options.amounts.map { try strided($0, "options.amounts", count: rows) }
    result.times = try options.times.map { try strided($0, "options.times", count: rows) }
    result.outcomes = try options.outcomes.map { try strided($0, "options.outcomes", count: rows) }
    result.outcomeCount = try count(options.outcome_count, "options.outcome_count", in: 0...64)
    result.period = options.period
    result.confidence = options.confidence
    if let live = options.live {
        result.live = try (0..<rules).map { index in
            try require(live[index] <= 1, "options.live[\(index)] must be 0 or 1, got \(live[index])")
            return live[index] == 1
        }
    }
    result.shadow = options.shadow.map { Handle.object($0, as: RulesBox.self).set }
    return result
}

@c @implementation
public func covey_backtest_get(
    _ backtest: OpaquePointer?, _ rule: Int64, _ report: UnsafeMutablePointer<covey_backtest_report>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let box = try Handle.required(backtest, "backtest", as: BacktestBox.self)
        let index = try box.rule(rule)
        let backtest = box.backtest
        var result = backtestReport(backtest.matched(index), backtest)
        let added = backtest.added(index)
        result.added_rows = Int64(added.rows)
        result.added_fraud = Int64(added.fraud)
        result.added_legitimate = Int64(added.legitimate)
        result.added_amount = added.amount
        result.added_fraud_amount = added.fraudAmount
        result.added_legitimate_amount = added.legitimateAmount
        if index < backtest.ruleCount {
            let decay = backtest.decay[index]
            result.decay_p = decay.precision ?? .nan
            result.hit_rate_p = decay.hitRate ?? .nan
            result.recent_rows = Int64(decay.recent.rows)
            result.recent_fraud = Int64(decay.recent.fraud)
            result.recent_legitimate = Int64(decay.recent.legitimate)
            result.retire = backtest.shouldRetire(index) ? 1 : 0
        }
        try Versioned.write(result, to: report, "report")
    }
}

private func backtestReport(_ tally: Backtest.Tally, _ backtest: Backtest) -> covey_backtest_report {
    var result = covey_backtest_report()
    result.rows = Int64(tally.rows)
    result.fraud = Int64(tally.fraud)
    result.legitimate = Int64(tally.legitimate)
    result.amount = tally.amount
    result.fraud_amount = tally.fraudAmount
    result.legitimate_amount = tally.legitimateAmount
    let labelled = tally.fraud + tally.legitimate
    let (precision, recall) = (backtest.precision(tally), backtest.recall(tally))
    result.precision = labelled > 0 ? Double(tally.fraud) / Double(labelled) : .nan
    result.precision_low = precision.low
    result.precision_high = precision.high
    result.recall = backtest.all.fraud > 0 ? Double(tally.fraud) / Double(backtest.all.fraud) : .nan
    result.recall_low = recall.low
    result.recall_high = recall.high
    result.decay_p = .nan
    result.hit_rate_p = .nan
    return result
}

@c @implementation
public func covey_backtest_period_count(_ backtest: OpaquePointer?) -> Int64 {
    guard let backtest else { return 0 }
    return Int64(Handle.object(backtest, as: BacktestBox.self).backtest.periodCount)
}

@c @implementation
public func covey_backtest_period_start(_ backtest: OpaquePointer?, _ period: Int64) -> Double {
    guard let backtest else { return .nan }
    let found = Handle.object(backtest, as: BacktestBox.self).backtest
    guard let start = found.start, period >= 0, period < Int64(found.periodCount) else { return .nan }
    return start + Double(period) * found.options.period
}

@c @implementation
public func covey_backtest_period(
    _ backtest: OpaquePointer?, _ rule: Int64, _ period: Int64, _ report: UnsafeMutablePointer<covey_backtest_report>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let box = try Handle.required(backtest, "backtest", as: BacktestBox.self)
        let backtest = box.backtest
        try require(
            period >= 0 && period < Int64(backtest.periodCount),
            "period must be at least 0 and below \(backtest.periodCount), got \(period)")
        let tally: Backtest.Tally
        if rule == Int64(COVEY_BACKTEST_ALL) {
            tally = backtest.allByPeriod[Int(period)]
        } else {
            let periods = backtest.periods(try box.rule(rule))
            tally = periods[periods.startIndex + Int(period)]
        }
        try Versioned.write(backtestReport(tally, backtest), to: report, "report")
    }
}

@c @implementation
public func covey_backtest_outcome(
    _ backtest: OpaquePointer?, _ rule: Int64, _ outcome: Int64, _ rows: UnsafeMutablePointer<Int64>?,
    _ amount: UnsafeMutablePointer<Double>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let box = try Handle.required(backtest, "backtest", as: BacktestBox.self)
        let index = try box.rule(rule)
        let count = box.backtest.options.outcomeCount
        try require(
            outcome >= 0 && outcome < Int64(count), "outcome must be at least 0 and below \(count), got \(outcome)")
        let found = box.backtest.outcome(index, Int(outcome))
        rows?.pointee = Int64(found.rows)
        amount?.pointee = found.amount
    }
}

@c @implementation
public func covey_backtest_overlap(_ backtest: OpaquePointer?, _ first: Int64, _ second: Int64) -> Int64 {
    guard let backtest else { return -1 }
    let found = Handle.object(backtest, as: BacktestBox.self).backtest
    let count = Int64(found.ruleCount)
    guard !found.overlap.isEmpty, first >= 0, second >= 0, first < count, second < count else { return -1 }
    return Int64(found.overlap[Int(first * count + second)])
}

@c @implementation
public func covey_backtest_shadow(
    _ backtest: OpaquePointer?, _ which: Int32, _ report: UnsafeMutablePointer<covey_backtest_report>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let backtest = try Handle.required(backtest, "backtest", as: BacktestBox.self).backtest
        try require((0...3).contains(which), "which must be a COVEY_SHADOW_, got \(which)")
        try require(backtest.options.shadow != nil, "the backtest had no options.shadow")
        try Versioned.write(backtestReport(backtest.shadow[Int(which)], backtest), to: report, "report")
    }
}

@c @implementation
public func covey_backtest_destroy(_ backtest: OpaquePointer?) {
    Handle.release(backtest, as: BacktestBox.self)
}
