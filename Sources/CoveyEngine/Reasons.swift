import CoveyRisk
import CoveyRules
import CoveyRuntime

extension Engine {
    /// How many sentences `reason` has for a score: the evidence and the risky group, the cluster, a sentence for each
    /// rule that fires, the events.
    public func reasonCount(_ score: Score) -> Int {
        let evidence = score.evidence.map { $0.group >= 0 ? 2 : 1 } ?? 0
        return evidence + 1 + score.rules.count + (score.events.isEmpty ? 0 : 1)
    }

    /// A reason for a score, as a sentence. `index` is 0 to reasonCount - 1.
    public func reason(_ score: Score, _ index: Int) -> String {
        let evidence = evidenceReasons(score)
        if index < evidence.count { return evidence[index] }
        let index = index - evidence.count
        if index == 0 { return clusterReason(score) }
        if index <= score.rules.count { return ruleReason(score.rules[index - 1]) }
        return eventReason(score.events)
    }

    public func reasons(_ score: Score) -> [String] { (0..<reasonCount(score)).map { reason(score, $0) } }

    /// A rule that fires, as its sentence with its figures.
    public func text(_ fired: FiredRule) -> String { parts.ruleSets[fired.set].sentence(fired.rule) }

    private func clusterReason(_ score: Score) -> String {
        guard score.cluster >= 0 else {
            let unusual = EvidenceWords.unusual(score.unusual)
            guard parts.risk.baseRate != nil, score.evidence == nil else {
                return "It behaves like no known cluster" + (unusual.isEmpty ? "." : ": \(unusual).")
            }
            return "It behaves like no known cluster" + (unusual.isEmpty ? "" : ": \(unusual)")
                + "; the base rate of fraud is \(Words.percent(baseRate))."
        }
        let head = "It behaves like cluster \(score.cluster) (strength \(Engine.hundredths(score.strength)))"
        guard let report = figures[score.cluster].report else { return head + ", which was not rated." }
        let size = "\(Words.count(report.size)) \(report.size == 1 ? "transaction" : "transactions")"
        guard let share = report.share else { return "\(head): \(size), none of which is labelled." }
        let interval =
            "\(Words.confidence(parts.risk.options.confidence)) interval \(Words.percent(report.low)) to "
            + Words.percent(report.high)
        let lift = report.lift.map { ", \(Words.factor($0)) times the base rate" } ?? ""
        if parts.risk.population == .all {
            return "\(head): \(size), of which \(Words.count(report.fraud)) are known to be fraud and an estimated "
                + "\(Words.percent(share)) are (\(interval))\(lift)."
        }
        return "\(head): \(size), of which \(Words.percent(share)) of the labelled ones are fraud (\(interval))\(lift)."
    }

    private func evidenceReasons(_ score: Score) -> [String] {
        guard let evidence = parts.evidence, let row = score.evidence else { return [] }
        let group = row.group >= 0 ? [EvidenceWords.group(evidence.groups.groups[row.group], row.group, evidence)] : []
        return [EvidenceWords.evidence(row, evidence)] + group
    }

    private func ruleReason(_ fired: FiredRule) -> String {
        let cluster = parts.ruleSets[fired.set].cluster
        return (cluster < 0 ? "Rule: " : "Rule of cluster \(cluster): ") + text(fired)
    }

    private func eventReason(_ events: [WeighedEvent]) -> String {
        let named = events.map { event in
            let name = event.type == 0 ? "an unknown event" : PlainText.name(vocabularyName(event.type))
            return "\(name) (\(Engine.wholePercent(event.share)), event \(event.place) of \(event.length))"
        }
        let head = events.count == 1 ? "The event that counted most: " : "The events that counted most: "
        return head + named.joined(separator: ", ") + "."
    }

    /// 0.9312 as "0.93".
    private static func hundredths(_ value: Double) -> String {
        let count = Int((min(1, max(0, value)) * 100).rounded())
        return "\(count / 100)." + (count % 100 < 10 ? "0" : "") + "\(count % 100)"
    }

    /// 0.412 as "41%".
    private static func wholePercent(_ share: Double) -> String {
        "\(Int((min(1, max(0, share)) * 100).rounded()))%"
    }

    private func vocabularyName(_ type: Int) -> String { parts.encoder?.configuration.vocabulary[type] ?? "" }
}
