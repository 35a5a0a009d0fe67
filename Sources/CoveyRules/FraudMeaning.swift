import CoveyFiles
import CoveyNumerics
import CoveyRuntime
import CoveyTables

/// What a rule for known fraud means for fraud: a share c of all fraud is known, so that a rule that is all fraud
/// matches known fraud in c of its rows.
public struct FraudMeaning: Sendable, Equatable {
    /// c, above 0, at most 1, and the ends of what it may be as well; `low` is 0 if nothing is known of it.
    public let knownShare: Double
    public let low: Double
    public let high: Double
    /// All rows that match, by what is known of them.
    public internal(set) var fraud = 0
    public internal(set) var legitimate = 0
    public internal(set) var unknown = 0
    /// Sum of the amounts of the unknown ones; 0 without amounts.
    public internal(set) var unknownAmount = 0.0

    public init(knownShare: Double, low: Double, high: Double) {
        self.knownShare = knownShare
        self.low = low
        self.high = high
    }

    var isValid: Bool {
        knownShare > 0 && 0 <= low && low <= knownShare && knownShare <= high && high <= 1
            && [fraud, legitimate, unknown].allSatisfy { $0 >= 0 && $0 <= RuleSet.largestCount }
            && unknownAmount >= 0 && unknownAmount.isFinite
    }

    /// "Of all 143 matching transactions 52 are known to be fraud and 91 are not yet known, worth 12,500; an estimated
    /// 98.1% are fraud (95% interval 71.0% to 100%), as 30% of all fraud is taken to be known."
    func sentence(_ figures: RuleFigures, confidence: Double) -> String {
        func are(_ count: Int) -> String { "\(Words.count(count)) \(count == 1 ? "is" : "are")" }
        var parts = ["\(are(fraud)) known to be fraud"]
        if legitimate > 0 { parts.append("\(Words.count(legitimate)) to be legitimate") }
        let worth = unknownAmount > 0 ? ", worth \(Words.number(unknownAmount.rounded()))" : ""
        parts.append("\(are(unknown)) not yet known\(worth)")
        let counts = parts.dropLast().joined(separator: ", ") + " and " + (parts.last ?? "")
        let share = min(1, figures.precision / knownShare)
        let least = min(1, figures.interval.low / high)
        let most = low > 0 ? min(1, figures.interval.high / low) : 1
        let basis =
            low == 0
            ? "how much of all fraud is known could not be estimated"
            : low == 1 ? "by the labelled ones" : "as \(Words.percent(knownShare)) of all fraud is taken to be known"
        return "Of all \(Words.count(fraud + legitimate + unknown)) matching transactions \(counts); "
            + "\(low == 0 ? "at least an" : "an") estimated \(Words.percent(share)) are fraud "
            + "(\(Words.confidence(confidence)) interval \(Words.percent(least)) to \(Words.percent(most))), \(basis)."
    }
}

extension RuleSet {
    /// The same rules, which tell what they mean for fraud on all rows of a table. O(rows rules).
    /// - Parameters:
    ///   - labels: one a row: -1 unknown, 0 legitimate, 1 fraud.
    ///   - amounts: one a row; NaN counts as 0.
    public func telling(
        _ meaning: FraudMeaning, of table: FeatureTable, labels: Strided<Int8>, amounts: Strided<Double>?,
        execution: Execution
    ) throws -> RuleSet {
        guard labels.count == table.rows, amounts.map({ $0.count == table.rows }) ?? true else {
            throw CoveyError.mismatch("labels and amounts must have \(table.rows) values")
        }
        guard !rules.isEmpty else { return self }
        var found = [FraudMeaning](repeating: meaning, count: rules.count)
        try RuleEvaluator(self).forEachBlock(of: table, execution) { start, words, scratch in
            for rule in found.indices {
                for word in 0..<words {
                    var left = scratch.word(rule, word)
                    let first = start + 64 * word
                    if table.rows - first < 64 { left &= (1 << UInt64(table.rows - first)) - 1 }
                    while left != 0 {
                        let row = first + left.trailingZeroBitCount
                        left &= left - 1
                        found[rule].add(labels[row], amounts?[row] ?? 0)
                    }
                }
            }
        }
        var result = self
        result.rules = zip(rules, found).map { rule, meaning in
            var rule = rule
            rule.meaning = meaning
            return rule
        }
        return result
    }
}

extension FraudMeaning {
    fileprivate mutating func add(_ label: Int8, _ amount: Double) {
        switch label {
        case 1: fraud += 1
        case 0: legitimate += 1
        default:
            unknown += 1
            if amount > 0, amount.isFinite, (unknownAmount + amount).isFinite { unknownAmount += amount }
        }
    }

    func write(to writer: inout JSONWriter) throws {
        try writer.object { writer in
            try writer.member("fraud", fraud)
            try writer.member("known_share", knownShare)
            try writer.member("known_share_high", high)
            try writer.member("known_share_low", low)
            try writer.member("legitimate", legitimate)
            try writer.member("unknown", unknown)
            try writer.member("unknown_amount", unknownAmount)
        }
    }

    private static let known = [
        "fraud", "known_share", "known_share_high", "known_share_low", "legitimate", "unknown", "unknown_amount",
    ]

    init(_ reader: JSONReader) throws {
        var (share, low, high): (Double?, Double?, Double?) = (nil, nil, nil)
        var (fraud, legitimate, unknown, amount) = (0, 0, 0, 0.0)
        try reader.object { name in
            switch name {
            case "fraud": fraud = try reader.integer()
            case "known_share": share = try reader.double()
            case "known_share_high": high = try reader.double()
            case "known_share_low": low = try reader.double()
            case "legitimate": legitimate = try reader.integer()
            case "unknown": unknown = try reader.integer()
            case "unknown_amount": amount = try reader.double()
            default: throw reader.unknown(known: Self.known)
            }
        }
        let known = try reader.required(share, "known_share")
        self.init(knownShare: known, low: low ?? known, high: high ?? known)
        (self.fraud, self.legitimate, self.unknown, unknownAmount) = (fraud, legitimate, unknown, amount)
        guard isValid else { throw reader.error(": the counts and shares do not fit together") }
    }
}
