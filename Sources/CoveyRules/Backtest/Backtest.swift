import CoveyNumerics
import CoveyRuntime
import CoveyTables
import Glibc

/// What rules would have done on transactions of the past.
public struct Backtest: Sendable {
    public struct Options: Sendable {
        public var amounts: Strided<Double>?
        /// Seconds.
        public var times: Strided<Double>?
        /// What became of each transaction, 0..<outcomeCount.
        public var outcomes: Strided<Int32>?
        public var outcomeCount = 0
        /// Seconds of one period.
        public var period = 604_800.0
        /// One a rule: whether it is in force already; nil = none is.
        public var live: [Bool]?
        public var confidence = 0.95
        /// A second set, which is compared with the first on the same rows.
        public var shadow: RuleSet?

        public init() {}
    }

    /// Rows, by what is known of them.
    public struct Tally: Sendable, Equatable {
        public var rows = 0
        public var fraud = 0
        public var legitimate = 0
        public var amount = 0.0
        public var fraudAmount = 0.0
        public var legitimateAmount = 0.0

        static func += (left: inout Tally, right: Tally) {
            left.rows += right.rows
            left.fraud += right.fraud
            left.legitimate += right.legitimate
            left.amount += right.amount
            left.fraudAmount += right.fraudAmount
            left.legitimateAmount += right.legitimateAmount
        }
    }

    /// Whether a rule gets worse.
    public struct Decay: Sendable {
        /// Of a falling precision over the periods, corrected for the number of rules; nil where there is nothing to
        /// test.
        public let precision: Double?
        /// Of a share of matching rows that changes over the periods, likewise.
        public let hitRate: Double?
        /// In the last quarter of the periods.
        public let recent: Tally
    }

    public let options: Options
    public let ruleCount: Int
    /// All rows.
    public let all: Tally
    /// The time at which the first period begins; nil without times.
    public let start: Double?
    public let periodCount: Int
    /// All rows by period.
    public let allByPeriod: [Tally]
    /// By rule, the last for rows that any rule matches; then by period.
    let byPeriod: [Tally]
    /// By rule likewise: what matches and is matched by no other rule that is in force.
    let added: [Tally]
    /// By rule likewise, then by outcome: rows and their amounts.
    let outcomes: [(rows: Int, amount: Double)]
    /// By pair of rules: rows that both match. Empty for more than `largestOverlap` rules.
    public let overlap: [Int]
    /// Rows that both sets match, the first alone, the second alone, none.
    public let shadow: [Tally]
    public let decay: [Decay]
    public let z: Double

    public static let largestOverlap = 1024
    static let largestCells = 1 << 22
    /// A period of a second over decades would not be one.
    public static let largestPeriods = 10_000

    /// What a rule matches; `rule` = the number of rules stands for all of them together.
    public func matched(_ rule: Int) -> Tally { periods(rule).reduce(into: Tally()) { $0 += $1 } }

    public func periods(_ rule: Int) -> ArraySlice<Tally> { byPeriod[rule * periodCount..<(rule + 1) * periodCount] }

    public func added(_ rule: Int) -> Tally { added[rule] }

    public func outcome(_ rule: Int, _ outcome: Int) -> (rows: Int, amount: Double) {
        outcomes[rule * options.outcomeCount + outcome]
    }

    /// The share of fraud among rows that are labelled.
    public func precision(_ tally: Tally) -> WilsonInterval {
        WilsonInterval(successes: tally.fraud, trials: tally.fraud + tally.legitimate, z: z)
    }

    /// The share of all known fraud.
    public func recall(_ tally: Tally) -> WilsonInterval {
        WilsonInterval(successes: tally.fraud, trials: all.fraud, z: z)
    }

    /// Whether a rule should go: in the last quarter of the periods even the upper end of its precision's interval is
    /// below the base rate, or it matched nothing there and something before.
    public func shouldRetire(_ rule: Int) -> Bool {
        let recent = decay[rule].recent
        guard periodCount >= 4, matched(rule).rows > 0 else { return false }
        if recent.rows == 0 { return true }
        let labelled = all.fraud + all.legitimate
        guard labelled > 0, recent.fraud + recent.legitimate > 0 else { return false }
        return precision(recent).high < Double(all.fraud) / Double(labelled)
    }

    /// - Parameters:
    ///   - fraud: one a row: -1 (unknown), 0 (legitimate), 1 (fraud).
    public init(
        _ rules: RuleSet, _ table: FeatureTable, fraud: Strided<Int8>, options: Options, execution: Execution
    ) throws {
        try options.validate(rules: rules.rules.count, rows: table.rows, fraud: fraud.count)
        let evaluator = try RuleEvaluator(rules) { try execution.report() }
        let shadow = try options.shadow.map { try RuleEvaluator($0) { try execution.report() } }
        let span = try BacktestTimes(options, table.rows, execution)
        let count = rules.rules.count
        let cells = try checkedProduct(count + 1, span.count, "rules x periods")
        try require(
            cells <= Backtest.largestCells,
            "rules x periods must be at most \(Backtest.largestCells), got \(count + 1) x \(span.count): choose a "
                + "longer period"
        )
        let pairs = count <= Backtest.largestOverlap ? count * count : 0
        // A number that depends on the rows alone: so do the sums.
        let grain = max(1 << 16, (table.rows / 32 / RuleEvaluator.block + 1) * RuleEvaluator.block)
        let chunks = table.rows == 0 ? 0 : (table.rows - 1) / grain + 1
        try execution.hold(
            checkedProduct(chunks, cells + (count + 1) * (1 + options.outcomeCount) + pairs / 6 + 8, "a backtest"),
            of: MemoryLayout<Tally>.stride, for: "a backtest of \(count) rules")
        var parts = [BacktestPart?](repeating: nil, count: chunks)
        let bound = try evaluator.bind(table)
        let shadowBound = try shadow?.bind(table)
        try parts.withUnsafeMutableBufferPointer { parts in
            nonisolated(unsafe) let parts = parts
            try execution.parallel(chunks, stage: "backtest") { chunk, _ in
                for index in chunk {
                    var part = BacktestPart(
                        rules: count, periods: span.count, outcomes: options.outcomeCount, pairs: pairs)
                    let rows = index * grain..<min(table.rows, (index + 1) * grain)
                    try part.run(
                        rows, evaluator, bound, shadow, shadowBound, fraud, options, span, execution)
                    parts[index] = part
                }
            }
        }
        var sum = BacktestPart(rules: count, periods: span.count, outcomes: options.outcomeCount, pairs: pairs)
        for case let part? in parts { sum.add(part) }
        self.options = options
        ruleCount = count
        start = span.start
        periodCount = span.count
        allByPeriod = sum.all
        all = sum.all.reduce(into: Tally()) { $0 += $1 }
        byPeriod = sum.byPeriod
        added = sum.added
        outcomes = Array(zip(sum.outcomeRows, sum.outcomeAmounts)).map { (rows: $0.0, amount: $0.1) }
        var overlap = sum.overlap
        if pairs > 0 {
            for first in 0..<count {
                for second in 0..<first { overlap[first * count + second] = overlap[second * count + first] }
            }
        }
        self.overlap = overlap
        self.shadow = sum.shadow
        z = WilsonInterval.quantile(confidence: options.confidence)
        decay = BacktestTrend.decay(byPeriod: sum.byPeriod, all: sum.all, rules: count)
    }
}

extension Backtest.Options {
    func validate(rules: Int, rows: Int, fraud: Int) throws {
        guard fraud == rows else { throw CoveyError.mismatch("fraud has \(fraud) values, the table has \(rows) rows") }
        try require(rows <= Int(Int32.max), "features.rows must be at most \(Int32.max), got \(rows)")
        try require(
            WilsonInterval.confidences.contains(confidence),
            "options.confidence must be 0.5 to 0.9999, got \(confidence)")
        try require(period > 0 && period.isFinite, "options.period must be finite and above 0, got \(period)")
        try require((0...64).contains(outcomeCount), "options.outcome_count must be 0 to 64, got \(outcomeCount)")
        try require((outcomes == nil) == (outcomeCount == 0), "options.outcomes and options.outcome_count go together")
        try require(live.map { $0.count == rules } ?? true, "options.live must be one a rule")
    }
}

/// The period of each row.
struct BacktestTimes {
    let start: Double?
    let count: Int
    private let period: Double
    private let times: Strided<Double>?

    init(_ options: Backtest.Options, _ rows: Int, _ execution: Execution) throws {
        period = options.period
        times = options.times
        guard let times = options.times, rows > 0 else {
            (start, count) = (nil, 1)
            return
        }
        var (first, last) = (Double.infinity, -Double.infinity)
        try execution.forEach(0..<rows, every: 1048576) { row in
            let time = times[row]
            guard time.isFinite else { throw CoveyError.invalidData("times[\(row)] must be finite, got \(time)") }
            first = min(first, time)
            last = max(last, time)
        }
        let periods = ((last - first) / options.period).rounded(.down) + 1
        try require(
            periods <= Double(Backtest.largestPeriods),
            "options.period of \(options.period) seconds makes more than \(Backtest.largestPeriods) periods")
        (start, count) = (first, Int(periods))
    }

    @inline(__always)
    func period(_ row: Int) -> Int {
        guard let times, let start else { return 0 }
        return min(count - 1, Int((times[row] - start) / period))
    }
}
