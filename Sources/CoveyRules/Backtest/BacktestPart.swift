import CoveyRuntime
import CoveyTables

/// What is counted on some of a backtest's rows.
struct BacktestPart {
    private let rules: Int
    private let periods: Int
    private let outcomes: Int
    var all: [Backtest.Tally]
    /// By rule and period, likewise those below; the last rule stands for any.
    var byPeriod: [Backtest.Tally]
    var added: [Backtest.Tally]
    var outcomeRows: [Int]
    var outcomeAmounts: [Double]
    /// By pair, the smaller number first.
    var overlap: [Int]
    var shadow = [Backtest.Tally](repeating: Backtest.Tally(), count: 4)

    init(rules: Int, periods: Int, outcomes: Int, pairs: Int) {
        (self.rules, self.periods, self.outcomes) = (rules, periods, outcomes)
        all = Array(repeating: Backtest.Tally(), count: periods)
        byPeriod = Array(repeating: Backtest.Tally(), count: (rules + 1) * periods)
        added = Array(repeating: Backtest.Tally(), count: rules + 1)
        outcomeRows = Array(repeating: 0, count: (rules + 1) * outcomes)
        outcomeAmounts = Array(repeating: 0, count: (rules + 1) * outcomes)
        overlap = Array(repeating: 0, count: pairs)
    }

    mutating func add(_ other: BacktestPart) {
        for index in all.indices { all[index] += other.all[index] }
        for index in byPeriod.indices { byPeriod[index] += other.byPeriod[index] }
        for index in added.indices { added[index] += other.added[index] }
        for index in outcomeRows.indices { outcomeRows[index] += other.outcomeRows[index] }
        for index in outcomeAmounts.indices { outcomeAmounts[index] += other.outcomeAmounts[index] }
        for index in overlap.indices { overlap[index] += other.overlap[index] }
        for index in shadow.indices { shadow[index] += other.shadow[index] }
    }

    /// A word of 64 rows, and what is known of them.
    private struct Word {
        var valid: UInt64 = 0
        var fraud: UInt64 = 0
        var legitimate: UInt64 = 0
        /// Of all its rows; -1 where they differ.
        var period = 0
    }

    /// Counts the rows of a chunk, block by block.
    mutating func run(
        _ rows: Range<Int>, _ evaluator: RuleEvaluator, _ bound: RuleEvaluator.Bound, _ shadowed: RuleEvaluator?,
        _ shadowBound: RuleEvaluator.Bound?, _ fraud: Strided<Int8>, _ options: Backtest.Options,
        _ times: BacktestTimes,
        _ execution: Execution
    ) throws {
        let block = RuleEvaluator.block
        var scratch = RuleEvaluator.Scratch(evaluator)
        var other = shadowed.map { RuleEvaluator.Scratch($0) }
        var words = [Word](repeating: Word(), count: block / 64)
        var union = [UInt64](repeating: 0, count: block / 64)
        // Rows that one rule in force matches, and those that several do: "none but this one" is then known for each
        // rule.
        var once = union
        var twice = union
        for start in stride(from: rows.lowerBound, to: rows.upperBound, by: block) {
            try execution.check()
            let part = start..<min(rows.upperBound, start + block)
            let count = (part.count + 63) / 64
            for word in 0..<count { words[word] = try read(start + 64 * word, part.upperBound, fraud, options, times) }
            try evaluator.evaluate(part, of: bound, &scratch)
            for word in 0..<count { (union[word], once[word], twice[word]) = (0, 0, 0) }
            for rule in 0..<rules {
                let isLive = options.live?[rule] ?? false
                for word in 0..<count {
                    let bits = scratch.word(rule, word) & words[word].valid
                    union[word] |= bits
                    guard isLive else { continue }
                    twice[word] |= once[word] & bits
                    once[word] |= bits
                }
            }
            for rule in 0...rules {
                let isLive = rule < rules && options.live?[rule] ?? false
                for word in 0..<count {
                    let bits = rule == rules ? union[word] : scratch.word(rule, word) & words[word].valid
                    guard bits != 0 else { continue }
                    note(bits, rule, start + 64 * word, words[word], options, times)
                    let others = isLive ? twice[word] | (once[word] & ~bits) : rule == rules ? 0 : once[word]
                    if bits & ~others != 0 {
                        added[rule] += tally(bits & ~others, start + 64 * word, words[word], options)
                    }
                }
            }
            if !overlap.isEmpty { countPairs(scratch, words, count) }
            if let shadowed, let shadowBound {
                try shadowed.evaluate(part, of: shadowBound, &other!)
                for word in 0..<count {
                    var second: UInt64 = 0
                    for rule in 0..<shadowed.ruleCount { second |= other!.word(rule, word) }
                    second &= words[word].valid
                    let first = union[word]
                    for (place, bits) in [
                        first & second, first & ~second, second & ~first, words[word].valid & ~(first | second),
                    ]
                    .enumerated() where bits != 0 {
                        shadow[place] += tally(bits, start + 64 * word, words[word], options)
                    }
                }
            }
        }
    }

    private mutating func read(
        _ start: Int, _ end: Int, _ fraud: Strided<Int8>, _ options: Backtest.Options, _ times: BacktestTimes
    ) throws -> Word {
        var word = Word()
        word.period = times.period(start)
        for row in start..<min(end, start + 64) {
            let bit: UInt64 = 1 << UInt64(row - start)
            word.valid |= bit
            switch fraud[row] {
            case -1: break
            case 0: word.legitimate |= bit
            case 1: word.fraud |= bit
            default: throw CoveyError.invalidData("fraud[\(row)] must be -1, 0 or 1, got \(fraud[row])")
            }
            if let amounts = options.amounts {
                let amount = amounts[row]
                guard amount >= 0, amount.isFinite else {
                    throw CoveyError.invalidData("amounts[\(row)] must be finite and at least 0, got \(amount)")
                }
            }
            if let outcomes = options.outcomes {
                guard outcomes[row] >= 0, Int(outcomes[row]) < options.outcomeCount else {
                    throw CoveyError.invalidData(
                        "outcomes[\(row)] must be 0 to \(options.outcomeCount - 1), got \(outcomes[row])")
                }
            }
            let period = times.period(row)
            if period != word.period { word.period = -1 }
        }
        if word.period >= 0 {
            all[word.period] += tally(word.valid, start, word, options)
        } else {
            forEach(word.valid) { offset, bit in all[times.period(start + offset)] += tally(bit, start, word, options) }
        }
        return word
    }

    @inline(__always)
    private func forEach(_ bits: UInt64, _ body: (_ offset: Int, _ bit: UInt64) -> Void) {
        var left = bits
        while left != 0 {
            body(left.trailingZeroBitCount, left & (0 &- left))
            left &= left &- 1
        }
    }

    /// What is known of some rows of a word.
    @inline(__always)
    private func tally(_ bits: UInt64, _ start: Int, _ word: Word, _ options: Backtest.Options) -> Backtest.Tally {
        var result = Backtest.Tally()
        result.rows = bits.nonzeroBitCount
        result.fraud = (bits & word.fraud).nonzeroBitCount
        result.legitimate = (bits & word.legitimate).nonzeroBitCount
        guard let amounts = options.amounts else { return result }
        var left = bits
        while left != 0 {
            let amount = amounts[start &+ left.trailingZeroBitCount]
            let bit = left & (0 &- left)
            left &= left &- 1
            result.amount += amount
            if word.fraud & bit != 0 { result.fraudAmount += amount }
            if word.legitimate & bit != 0 { result.legitimateAmount += amount }
        }
        return result
    }

    @inline(__always)
    private mutating func note(
        _ bits: UInt64, _ rule: Int, _ start: Int, _ word: Word, _ options: Backtest.Options, _ times: BacktestTimes
    ) {
        if word.period >= 0 {
            byPeriod[rule &* periods &+ word.period] += tally(bits, start, word, options)
        } else {
            var left = bits
            while left != 0 {
                let row = start &+ left.trailingZeroBitCount
                byPeriod[rule &* periods &+ times.period(row)] += tally(left & (0 &- left), start, word, options)
                left &= left &- 1
            }
        }
        guard let outcomes = options.outcomes else { return }
        var left = bits
        while left != 0 {
            let row = start &+ left.trailingZeroBitCount
            left &= left &- 1
            let place = rule &* self.outcomes &+ Int(outcomes[row])
            outcomeRows[place] &+= 1
            if let amounts = options.amounts { outcomeAmounts[place] += amounts[row] }
        }
    }

    /// Rows that two rules match, the diagonal among them.
    private mutating func countPairs(_ scratch: borrowing RuleEvaluator.Scratch, _ words: [Word], _ count: Int) {
        for first in 0..<rules {
            for word in 0..<count {
                let bits = scratch.word(first, word) & words[word].valid
                guard bits != 0 else { continue }
                for second in first..<rules {
                    overlap[first &* rules &+ second] &+= (bits & scratch.word(second, word)).nonzeroBitCount
                }
            }
        }
    }
}
