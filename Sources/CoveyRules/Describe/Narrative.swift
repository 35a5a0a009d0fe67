import CoveyRuntime

/// Rules in words, for the people who act on them.
public struct Narrative: Sendable {
    private let set: RuleSet

    public init(_ set: RuleSet) {
        self.set = set
    }

    /// "amount is at least 100 and below 250, country is NL or BE, and device_age is missing: 83.2% of the 214 matching
    /// transactions are cluster 7 (95% interval 77.6% to 87.7%), 41 times the base rate; it covers 61.0% of cluster 7."
    /// The figures are those of the rows that the search never saw.
    public func sentence(_ rule: Rule) -> String {
        let figures = set.figures(rule)
        let target = PlainText.name(set.targetName)
        let start = Narrative.conjunction(rule.conditions)
        guard set.isMeasured else {
            guard let stated = rule.statedPrecision else { return "\(start): not measured." }
            return
                "\(start): not measured; its author states that \(Words.percent(stated)) of matching transactions are "
                + "\(target)."
        }
        let meaning = rule.meaning.map { " " + $0.sentence(figures, confidence: set.confidence) } ?? ""
        guard figures.matched > 0 else { return "\(start): no unseen transaction matches.\(meaning)" }
        let count = Words.count(figures.matched)
        let transactions = figures.matched == 1 ? "transaction" : "transactions"
        // In a cross-validation rules of other searches match, so that more rows may match than by this one.
        let matching =
            set.search == set.unseen
            ? "the \(count) \(transactions) that it matched in tests" : "the \(count) matching \(transactions)"
        let interval = figures.interval
        return "\(start): \(Words.percent(figures.precision)) of \(matching) are \(target) "
            + "(\(Words.confidence(set.confidence)) interval \(Words.percent(interval.low)) to "
            + "\(Words.percent(interval.high))), \(Words.factor(figures.lift)) times the base rate; "
            + "it covers \(Words.percent(figures.recall)) of \(target).\(meaning)"
    }

    static func conjunction(_ conditions: [Condition]) -> String {
        let parts = conditions.map(text)
        guard parts.count > 1 else { return parts.joined() }
        // "a is at least 1 and below 2 and b is 3" would be hard to read.
        let comma = parts.count > 2 || conditions.contains { $0.isTwoSided }
        return parts.dropLast().joined(separator: ", ") + (comma ? ", and " : " and ") + (parts.last ?? "")
    }

    /// "amount is at least 100".
    public static func text(_ condition: Condition) -> String {
        "\(PlainText.name(condition.feature)) is \(text(condition.test))"
    }

    private static func text(_ test: Condition.Test) -> String {
        switch test {
        case .interval(let low, let high):
            if high == .infinity { return "at least \(Words.number(low))" }
            if low == -.infinity { return "below \(Words.number(high))" }
            return "at least \(Words.number(low)) and below \(Words.number(high))"
        case .isIn(let categories): return choice(categories)
        case .isNotIn(let categories): return "something other than \(choice(categories))"
        case .isTrue: return "true"
        case .isFalse: return "false"
        case .isMissing: return "missing"
        case .isPresent: return "known"
        }
    }

    /// "NL", "NL or BE", "NL, BE or DE"; a long list is cut short.
    private static func choice(_ categories: [String]) -> String {
        let shown = 10
        var names = categories.prefix(categories.count > shown + 1 ? shown : shown + 1).map { PlainText.name($0) }
        if names.count < categories.count { names.append("\(categories.count - names.count) others") }
        guard let last = names.popLast() else { return "" }
        return names.isEmpty ? last : names.joined(separator: ", ") + " or " + last
    }
}

extension Condition {
    fileprivate var isTwoSided: Bool {
        guard case .interval(let low, let high) = test else { return false }
        return low > -.infinity && high < .infinity
    }
}

/// Numbers as people write them.
public enum Words {
    /// 1234567 as "1,234,567".
    public static func count(_ value: Int) -> String {
        grouped(String(value))
    }

    /// 12500 as "12,500", 0.25 as "0.25"; very large and very small numbers with an exponent.
    public static func number(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 0x1p53 { return grouped(String(Int(value))) }
        let text = value.description
        guard !text.contains("e"), let point = text.firstIndex(of: ".") else { return text }
        return grouped(String(text[..<point])) + text[point...]
    }

    /// 0.8321 as "83.2%"; "100%" and "0%" are said only where they are exact.
    public static func percent(_ share: Double) -> String {
        if share == 0 { return "0%" }
        if share == 1 { return "100%" }
        let tenths = Int((share * 1000).rounded())
        if tenths == 0 { return "less than 0.1%" }
        if tenths >= 1000 { return "more than 99.9%" }
        return "\(tenths / 10).\(tenths % 10)%"
    }

    /// 0.95 as "95%", 0.999 as "99.9%".
    public static func confidence(_ value: Double) -> String {
        let hundredths = Int((value * 10_000).rounded())
        let (whole, rest) = (hundredths / 100, hundredths % 100)
        if rest == 0 { return "\(whole)%" }
        return rest % 10 == 0 ? "\(whole).\(rest / 10)%" : "\(whole).\(rest < 10 ? "0" : "")\(rest)%"
    }

    /// 41.3 as "41", 2.54 as "2.5".
    public static func factor(_ value: Double) -> String {
        guard value < 1e15 else { return value.description }
        if value >= 9.95 { return count(Int(value.rounded())) }
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }

    /// Groups of three from 10,000 on.
    private static func grouped(_ digits: String) -> String {
        let negative = digits.hasPrefix("-")
        let plain = Array(digits.utf8.dropFirst(negative ? 1 : 0))
        guard plain.count > 4 else { return digits }
        var result: [UInt8] = negative ? [UInt8(ascii: "-")] : []
        for (index, digit) in plain.enumerated() {
            if index > 0, (plain.count - index) % 3 == 0 { result.append(UInt8(ascii: ",")) }
            result.append(digit)
        }
        return String(decoding: result, as: UTF8.self)
    }
}
