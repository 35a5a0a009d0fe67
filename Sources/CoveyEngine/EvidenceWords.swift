import CoveyHybrid
import CoveyRisk
import CoveyRules
import CoveyRuntime

/// Evidence in words.
enum EvidenceWords {
    /// "The risk of fraud is 43.1%, 55 times the base rate: for it speak known fraud around it in the tree of clusters
    /// (2.1) and the forest on features (3.4)."
    static func evidence(_ row: Evidence.Row, _ evidence: Evidence) -> String {
        let base = min(1, evidence.baseRate / evidence.knownShare)
        let factor = base > 0 ? ", \(Words.factor(row.risk / base)) times the base rate" : ""
        func list(_ parts: [Evidence.Part]) -> String {
            let named = parts.map { "\(name($0)) (\(Words.factor(abs(row[$0]))))" }
            guard let last = named.last else { return "" }
            return named.count == 1 ? last : named.dropLast().joined(separator: ", ") + " and " + last
        }
        let order = Evidence.Part.allCases.sorted { abs(row[$0]) > abs(row[$1]) }
        let parts = [
            (order.filter { row[$0] >= 0.05 }, "for fraud speak"), (order.filter { row[$0] <= -0.05 }, "against it"),
        ]
        .filter { !$0.0.isEmpty }.map { "\($0.1) \(list($0.0))" }
        return "The risk of fraud is \(Words.percent(row.risk))\(factor)"
            + (parts.isEmpty ? "." : ": " + parts.joined(separator: "; ") + " (in log odds).")
    }

    private static func name(_ part: Evidence.Part) -> String {
        switch part {
        case .tree: "known fraud around it in the tree of clusters"
        case .neighbours: "known fraud among its nearest transactions"
        case .features: "the forest on features"
        case .events: "the models of features and events"
        case .joint: "the forest on all columns"
        }
    }

    /// "It is in risky group 2: 41 transactions, 12 of them known to be fraud, an estimated 93.0% fraud."
    static func group(_ group: RiskyGroup, _ index: Int, _ evidence: Evidence) -> String {
        "It is in risky group \(index): \(Words.count(group.rows)) transaction\(group.rows == 1 ? "" : "s"), "
            + "\(Words.count(group.fraud)) of them known to be fraud, an estimated "
            + "\(Words.percent(group.share(known: evidence.knownShare))) fraud."
    }

    /// "unusual are amount (8 quartile distances above the middle) and items (...)"; empty where nothing is.
    static func unusual(_ features: [UnusualFeature]) -> String {
        let named = features.map {
            "\(PlainText.name($0.name)) (\(Words.factor(abs($0.distance))) quartile distances "
                + "\($0.distance < 0 ? "below" : "above") the middle)"
        }
        guard let last = named.last else { return "" }
        return "unusual \(named.count == 1 ? "is" : "are") "
            + (named.count == 1 ? last : named.dropLast().joined(separator: ", ") + " and " + last)
    }
}
