import CoveyFiles
import CoveyRuntime
import CoveyTables

// A rule set as JSON, format version 1. Counts are what is read back (RuleSetReading.swift); precision, recall, lift
// and text are there for people and are worked out again on reading. An infinite end of an interval is left out.
// Weights stand only where they are not the numbers of rows, and amounts where there are any.

extension FeatureColumn.Kind {
    var jsonName: String {
        switch self {
        case .numeric: "numeric"
        case .categorical: "categorical"
        case .boolean: "boolean"
        case .date: "date"
        }
    }

    init?(jsonName: String) {
        guard
            let kind = [.numeric, .categorical, .boolean, .date].first(where: { (kind: Self) in
                kind.jsonName == jsonName
            })
        else { return nil }
        self = kind
    }
}

extension DerivedFeature.Operation {
    var jsonName: String {
        switch self {
        case .hour: "hour"
        case .days: "days"
        case .ratio: "ratio"
        case .difference: "difference"
        }
    }

    init?(jsonName: String) {
        guard
            let operation = [.hour, .days, .ratio, .difference].first(where: { (one: Self) in one.jsonName == jsonName }
            )
        else { return nil }
        self = operation
    }
}

extension RuleFeature {
    func write(to writer: inout JSONWriter) throws {
        try writer.object { writer in
            if let derived {
                try writer.name("derived")
                try writer.object { writer in
                    try writer.member(derived.operation.jsonName, [derived.first, derived.second].compactMap { $0 })
                }
            }
            try writer.member("kind", kind.jsonName)
            try writer.member("name", name)
        }
    }
}

extension Condition {
    func write(to writer: inout JSONWriter) throws {
        try writer.object { writer in
            switch test {
            case .interval(let low, let high):
                try writer.member("feature", feature)
                if high < .infinity { try writer.member("high", high) }
                try writer.member("kind", "interval")
                if low > -.infinity { try writer.member("low", low) }
                return
            case .isIn(let names), .isNotIn(let names): try writer.member("categories", names)
            case .isTrue, .isFalse, .isMissing, .isPresent: break
            }
            try writer.member("feature", feature)
            try writer.member("kind", test.jsonName)
        }
    }
}

extension Condition.Test {
    var jsonName: String {
        switch self {
        case .interval: "interval"
        case .isIn: "in"
        case .isNotIn: "not_in"
        case .isTrue: "true"
        case .isFalse: "false"
        case .isMissing: "missing"
        case .isPresent: "present"
        }
    }
}

extension RuleSet.Population {
    func write(to writer: inout JSONWriter) throws {
        let isWeighed = self != RuleSet.Population(rows: rows, target: target)
        try writer.object { writer in
            try writer.member("rows", rows)
            try writer.member("target", target)
            guard isWeighed else { return }
            try writer.member("target_squared_weights", targetSquares)
            try writer.member("target_weight", targetWeight)
            try writer.member("weight", weight)
        }
    }
}

extension Rule.Counts {
    /// With what follows from them.
    func write(_ figures: RuleFigures, to writer: inout JSONWriter) throws {
        let plain = Rule.Counts(matched: matched, support: support)
        let isWeighed =
            (matchedWeight, supportWeight, squares) != (plain.matchedWeight, plain.supportWeight, plain.squares)
        let hasAmounts = (amount, falseAmount) != (0, 0)
        try writer.object { writer in
            if hasAmounts {
                try writer.member("amount", amount)
                try writer.member("false_amount", falseAmount)
            }
            try writer.member("lift", figures.lift)
            try writer.member("matched", matched)
            if isWeighed { try writer.member("matched_weight", matchedWeight) }
            try writer.member("precision", figures.precision)
            try writer.member("precision_high", figures.interval.high)
            try writer.member("precision_low", figures.interval.low)
            try writer.member("recall", figures.recall)
            try writer.member("recall_high", figures.recallInterval.high)
            try writer.member("recall_low", figures.recallInterval.low)
            if isWeighed { try writer.member("squared_weights", squares) }
            try writer.member("support", support)
            if isWeighed { try writer.member("support_weight", supportWeight) }
        }
    }
}

extension RuleSet {
    static let formatVersion = 1
    /// The longest text that is read: 64 MiB.
    public static let largestJSON = 64 << 20

    /// The whole set, members in the order of their names.
    public func json(_ execution: Execution = Execution()) throws -> String {
        var writer = JSONWriter(pretty: true, execution)
        try write(to: &writer)
        return writer.string
    }

    public func write(to writer: inout JSONWriter) throws {
        let narrative = Narrative(self)
        try writer.object { writer in
            try writer.member("confidence", confidence)
            try writer.member("fallen", fallen)
            try writer.name("features")
            try writer.array(features) { try $1.write(to: &$0) }
            try writer.member("format_version", RuleSet.formatVersion)
            if let note { try writer.member("note", note) }
            try writer.name("rules")
            try writer.array(rules) { writer, rule in
                try writer.object { try write(rule, narrative, to: &$0) }
            }
            try writer.name("search")
            try search.write(to: &writer)
            try writer.member("target", targetName)
            try writer.member("tried", tried)
            try writer.name("unseen")
            try unseen.write(to: &writer)
        }
    }

    private func write(_ rule: Rule, _ narrative: Narrative, to writer: inout JSONWriter) throws {
        try writer.name("conditions")
        try writer.array(rule.conditions) { try $1.write(to: &$0) }
        if rule.isGiven { try writer.member("given", true) }
        if let meaning = rule.meaning {
            try writer.name("meaning")
            try meaning.write(to: &writer)
        }
        if let value = rule.pValue { try writer.member("p_value", value) }
        try writer.name("search")
        try rule.search.write(searchFigures(rule), to: &writer)
        if let value = rule.searchPValue { try writer.member("search_p_value", value) }
        if let value = rule.stability { try writer.member("stability", value) }
        if let value = rule.statedPrecision { try writer.member("stated_precision", value) }
        try writer.member("text", narrative.sentence(rule))
        try writer.name("unseen")
        try rule.unseen.write(figures(rule), to: &writer)
    }
}
