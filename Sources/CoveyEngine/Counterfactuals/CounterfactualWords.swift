import CoveyRules
import CoveyRuntime

/// Counterfactuals in words.
enum CounterfactualWords {
    static func percent(_ share: Double) -> String { Words.percent(share) }

    /// "a", "a and b", "a, b and c".
    static func list(_ parts: [String]) -> String {
        guard let last = parts.last else { return "" }
        return parts.count == 1 ? last : parts.dropLast().joined(separator: ", ") + " and " + last
    }

    static func value(_ change: Counterfactuals.Change, _ number: Double, _ category: String?) -> String {
        switch change.feature.kind {
        case .categorical: category.map { PlainText.name($0) } ?? "missing"
        case .boolean: number.isNaN ? "missing" : number == 1 ? "true" : "false"
        case .numeric, .date: number.isNaN ? "missing" : Words.number(number)
        }
    }
}

extension Counterfactuals {
    /// What was found at all, as a sentence.
    public var text: String {
        let original = scores[0]
        let now = "The transaction's risk is \(CounterfactualWords.percent(original.risk))"
        switch outcome {
        case .notNeeded: return "\(now); it is \(goal.text) as it is."
        case .none:
            let end = isExhausted ? ", which is all that max_evaluations allows" : ""
            return "\(now). None of \(Words.count(evaluations)) alternatives that were scored is \(goal.text)\(end)."
        case .found:
            return "\(now). \(Words.count(answers.count)) \(answers.count == 1 ? "change makes" : "changes make") it "
                + "\(goal.text)."
        }
    }

    /// "With amount 120 instead of 950 and without event 3, its risk would be 2.1% instead of 93% and it would be in
    /// cluster 4 instead of 2."
    public func text(_ index: Int) -> String {
        let (answer, original, new) = (answers[index], scores[0], scores[index + 1])
        let changed = answer.changes.map { change in
            "\(PlainText.name(change.feature.name)) \(CounterfactualWords.value(change, change.to, change.toCategory)) "
                + "instead of \(CounterfactualWords.value(change, change.from, change.fromCategory))"
        }
        var parts = changed.isEmpty ? [] : ["with " + CounterfactualWords.list(changed)]
        if !answer.removed.isEmpty {
            parts.append(
                "without \(answer.removed.count == 1 ? "event" : "events") "
                    + CounterfactualWords.list(answer.removed.map { "\($0 + 1)" }))
        }
        func cluster(_ score: Score) -> String { score.cluster < 0 ? "no cluster" : "cluster \(score.cluster)" }
        let moved =
            new.cluster == original.cluster ? "" : " and it would be in \(cluster(new)) instead of \(cluster(original))"
        let head = CounterfactualWords.list(parts)
        return head.prefix(1).uppercased() + head.dropFirst()
            + ", its risk would be \(CounterfactualWords.percent(new.risk)) instead of "
            + "\(CounterfactualWords.percent(original.risk))\(moved)."
    }
}
