import CoveyRisk
import CoveyRules
import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveyEngine
@testable import CoveyHybrid

@Suite struct ReasonsTests {
    @Test func sentencesReadAsDocumented() throws {
        var parts = try Sample().parts(withEncoder: true)
        // 30 transactions each in cluster 0, cluster 1 and none. Of cluster 0 10 are labelled, 8 as fraud; of the noise
        // all 30, as legitimate.
        parts.risk = try ClusterRisk(
            labels: Strided((0..<90).map { $0 < 30 ? 0 : $0 < 60 ? 1 : -1 }),
            fraud: Strided((0..<90).map { $0 < 8 ? 1 : $0 < 10 || $0 >= 60 ? 0 : -1 }), options: ClusterRisk.Options(),
            execution: Execution())
        parts.ruleSets = try [0, -1].map { try ClusterRules(cluster: $0, rules: try Sample.rules(cluster: $0)) }
        let engine = try Engine(parts)
        func score(_ cluster: Int, rules: [FiredRule] = [], events: [WeighedEvent] = []) -> Score {
            Score(
                cluster: cluster, strength: 0.934, risk: 0, isRisky: false, rules: rules, events: events, evidence: nil,
                unusual: [])
        }
        // The Wilson interval of 8 out of 10 is 49.0% to 94.3%; the base rate is 8 out of 40.
        #expect(
            engine.reason(score(0), 0)
                == "It behaves like cluster 0 (strength 0.93): 30 transactions, of which 80.0% of the labelled ones "
                + "are fraud (95% interval 49.0% to 94.3%), 4 times the base rate.")
        #expect(
            engine.reason(score(1), 0)
                == "It behaves like cluster 1 (strength 0.93): 30 transactions, "
                + "none of which is labelled.")
        #expect(
            engine.reason(score(-1), 0) == "It behaves like no known cluster; the base rate of fraud is 20.0%.")
        let full = score(
            0, rules: [FiredRule(set: 0, rule: 1), FiredRule(set: 1, rule: 0)],
            events: [
                WeighedEvent(type: 2, place: 5, length: 12, share: 0.412),
                WeighedEvent(type: 0, place: 1, length: 12, share: 0.2),
            ])
        let reasons = engine.reasons(full)
        #expect(reasons.count == engine.reasonCount(full) && reasons.count == 4)
        #expect(
            reasons[1].hasPrefix(
                "Rule of cluster 0: country is FR and amount is at least 205: 90.0% of the 10 matching"))
        #expect(reasons[2].hasPrefix("Rule: amount is at least 150: 80.0% of the 20 matching transactions are fraud"))
        let name = parts.encoder!.configuration.vocabulary[2]
        #expect(
            reasons[3]
                == "The events that counted most: \(name) (41%, event 5 of 12), an unknown event (20%, event 1 of 12).")
    }

    /// A feature's name is no part of the sentence, whatever stands in it.
    @Test func namesOfUnusualFeaturesAreQuoted() {
        let features = ["amount", "a\u{1B}[2J", #"b" and "c"#].map { UnusualFeature(name: $0, distance: -9) }
        let far = "(9 quartile distances below the middle)"
        #expect(
            EvidenceWords.unusual(features)
                == "unusual are amount \(far), \"a\\u{1b}[2J\" \(far) and \"b\\\" and \\\"c\" \(far)")
    }

    @Test func withoutLabelsThereIsNoBaseRate() throws {
        let engine = try Engine(Sample().parts(withEncoder: false) { _ in -1 })
        let none = Score(
            cluster: -1, strength: 0, risk: 0, isRisky: false, rules: [], events: [], evidence: nil, unusual: [])
        #expect(engine.reasons(none) == ["It behaves like no known cluster."])
        #expect(engine.baseRate == 0)
    }
}
