import CoveyNumerics
import CoveyRisk
import CoveyRules

/// What `Finder` found in n transactions. Immutable, for any number of threads.
public final class Found: Sendable {
    public let engine: Engine
    /// One a row: the cluster, -1 = none.
    public let labels: [Int32]
    /// One a row: the risky group, as an index of `groups`; -1 = none.
    public let rowGroups: [Int32]
    public let groups: [FoundGroup]
    /// One a row: whether it is in a risky group.
    public let risky: [Bool]
    /// One a row, its own label left out: the higher, the more likely it is fraud. Where nothing is known of fraud, how
    /// much the row is an outlier.
    public let scores: [Double]
    /// By row; nil where nothing is known of fraud.
    public let evidence: [Evidence.Row]?
    /// For fraud itself; nil where none were searched for.
    public let rules: RuleSet?
    public let findings: [Finding]
    /// What was chosen and how, as a JSON object.
    public let settings: String

    init(
        engine: Engine, labels: [Int32], rowGroups: [Int32], groups: [FoundGroup], risky: [Bool], scores: [Double],
        evidence: [Evidence.Row]?, rules: RuleSet?, findings: [Finding], settings: String
    ) {
        self.engine = engine
        self.labels = labels
        self.rowGroups = rowGroups
        self.groups = groups
        self.risky = risky
        self.scores = scores
        self.evidence = evidence
        self.rules = rules
        self.findings = findings
        self.settings = settings
    }
}

/// A risky group with its figures and its text.
public struct FoundGroup: Sendable, Equatable {
    public let figures: RiskyGroup
    /// The estimated share of fraud, and its interval.
    public let share: Double
    public let low: Double
    public let high: Double
    /// The share of known fraud over the base rate.
    public let lift: Double
    /// The sum of amounts of the rows known to be fraud, and of all rows; 0 without amounts.
    public let loss: Double
    public let amount: Double
    /// Of all rows; nil without times.
    public let firstSeen: Double?
    public let lastSeen: Double?
    public let text: String

    init(
        _ figures: RiskyGroup, index: Int, evidence: Evidence, loss: Double, amount: Double, seen: ClosedRange<Double>?
    ) {
        self.figures = figures
        let confidence = evidence.groups.options.confidence
        share = figures.share(known: evidence.knownShare)
        (low, high) = figures.interval(
            known: evidence.knownShareRange, z: WilsonInterval.quantile(confidence: confidence))
        self.loss = loss
        self.amount = amount
        firstSeen = seen?.lowerBound
        lastSeen = seen?.upperBound
        lift = evidence.baseRate > 0 ? figures.knownShare / evidence.baseRate : 0
        let legitimate = figures.legitimate > 0 ? ", \(Words.count(figures.legitimate)) known to be legitimate" : ""
        let unknown = figures.unknown > 0 ? ", \(Words.count(figures.unknown)) not yet known" : ""
        let cost = amount > 0 ? "; they are worth \(Words.number(amount.rounded()))" : ""
        let whole =
            figures.wholeRows == figures.rows
            ? ""
            : " They are the rest of \(Words.count(figures.wholeRows)) alike, \(Words.count(figures.wholeFraud)) of "
                + "them known to be fraud, of which the others are in groups named above; the figures are those of "
                + "all of them."
        let basis =
            evidence.shareSource == .unknown
            ? "" : ", as \(Words.percent(evidence.knownShare)) of all fraud is taken to be known"
        text =
            "Risky group \(index): \(Words.count(figures.rows)) transaction\(figures.rows == 1 ? "" : "s")"
            + (figures.isOfEvidence ? " that all evidence together puts first" : "")
            + ", \(Words.count(figures.fraud)) known to be fraud\(legitimate)\(unknown)\(cost).\(whole) An estimated "
            + "\(Words.percent(share)) are fraud (\(Words.confidence(confidence)) interval \(Words.percent(low)) to "
            + "\(Words.percent(high))\(basis)); known fraud is \(Words.factor(lift)) times as frequent as among all "
            + "rows; corrected p value \(FoundGroup.rounded(figures.pValue))."
    }

    /// Two digits that count.
    private static func rounded(_ value: Double) -> String {
        var scale = 1.0
        while value > 0, value * scale < 10, scale < 1e6 { scale *= 10 }
        return ((value * scale).rounded() / scale).description
    }
}
