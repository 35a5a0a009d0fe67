/// What speaks for fraud in a row, part by part, and all of it together as a probability. Kept by the engine, which
/// judges new rows by the same parts. Immutable, for any number of threads.
///
///     Z     = tree + neighbours + features + events + joint
///     g(Z)  = 1 / (1 + exp(-(intercept + slope Z))), the probability that the row is known to be fraud
///     risk  = g / c up to 0.9, above it 1 - 0.01 / (g / c - 0.8), which stays below 1
///
/// c is the share of all fraud that is known (Elkan and Noto 2008). With P and N a view's shares of known fraud along
/// the tree (`TreeShares`) and among the nearest rows, and s the base rate:
///
///     tree       = w/2 mean over the views of log((P + s) / 2s)          neighbours = w/2 mean of log((N + s) / 2s)
///     features, events, joint = w log odds of the forests (`EvidenceForests`); events with those of `EventModel`
///
/// Each of these sources has a weight w of its own (`SourceWeights`). Rows that the evidence was made of are judged by
/// what is known of other rows (`RowFolds`).
public final class Evidence: Sendable {
    /// A part of the evidence. Raw values are those of `COVEY_EVIDENCE_...`.
    public enum Part: Int32, Sendable, CaseIterable {
        case tree = 0
        case neighbours = 1
        case features = 2
        case events = 3
        case joint = 4

        /// As settings and reasons call it.
        public var name: String {
            switch self {
            case .tree: "tree"
            case .neighbours: "neighbours"
            case .features: "features"
            case .events: "events"
            case .joint: "joint"
            }
        }
    }

    /// The evidence about one row.
    public struct Row: Sendable, Equatable {
        /// By `Part`: 0 says nothing, more speaks for fraud.
        public let parts: [Double]
        /// The probability that the row is fraud, 0 to 1; rises with the sum of the parts.
        public let risk: Double
        /// The risky group that the row is in, as an index of `groups.groups`; -1 = none.
        public let group: Int

        public subscript(part: Part) -> Double { parts[Int(part.rawValue)] }
    }

    public let views: [EvidenceView]
    /// Of the rows that the views cluster; shares are counted over all of them.
    public let labels: KnownLabels
    /// The share of all fraud that is known, and how it was come by.
    public let knownShare: Double
    /// What it may be as well; one value if it was given, 0 to 1 if nothing is known of it.
    public let knownShareRange: ClosedRange<Double>
    public let shareSource: ShareSource
    public let groups: RiskyGroups
    let shares: [TreeShares]
    /// By view.
    let neighbours: [KnownNeighbours]
    let forests: EvidenceForests?
    let weights: SourceWeights
    let calibration: Calibration

    /// How the share of fraud that is known was come by. Raw values are kept in files.
    public enum ShareSource: Int32, Sendable, Codable {
        case given = 0
        /// From how many rows are labelled at all.
        case labelled = 1
        /// From the group that is most fraud.
        case groups = 2
        /// It could not be estimated and counts as 1.
        case unknown = 3
    }

    init(
        views: [EvidenceView], labels: KnownLabels, knownShare: Double, knownShareRange: ClosedRange<Double>,
        shareSource: ShareSource, groups: RiskyGroups,
        shares: [TreeShares], neighbours: [KnownNeighbours], forests: EvidenceForests?, weights: SourceWeights,
        calibration: Calibration
    ) {
        self.views = views
        self.labels = labels
        self.knownShare = knownShare
        self.knownShareRange = knownShareRange
        self.shareSource = shareSource
        self.groups = groups
        self.shares = shares
        self.neighbours = neighbours
        self.forests = forests
        self.weights = weights
        self.calibration = calibration
    }

    /// Whether an estimate of the known share was so low that the least one is used instead.
    public var isShareAssumed: Bool {
        shareSource == .groups && knownShare == KnownShare.least && knownShareRange.upperBound == 1
    }
    /// The share of known fraud among all rows.
    public var baseRate: Double { labels.baseRate }
    /// As settings tell it.
    public var calibrationSettings: [String: Double] {
        ["intercept": calibration.intercept, "slope": calibration.slope]
    }
    /// As settings tell them: how much each source counts.
    public var weightSettings: [String: Double] {
        Dictionary(
            uniqueKeysWithValues: EvidenceSources.Source.allCases.map { ($0.name, weights.values[$0.rawValue]) })
    }
    /// Trees of all forests; 0 without.
    public var treeCount: Int { forests?.treeCount ?? 0 }

    /// What the tree and the nearest rows of the views say, before their weights: (P, N) by view.
    static func nearParts(
        _ values: [(tree: Double, neighbours: Double)], base: Double
    ) -> (tree: Double, neighbours: Double) {
        // One known fraud sees none beside itself.
        guard base > 0 else { return (0, 0) }
        func mean(_ share: ((tree: Double, neighbours: Double)) -> Double) -> Double {
            let sum = values.reduce(0.0) { $0 + naturalLogarithm((share($1) + base) / (2 * base)) }
            return sum / Double(2 * max(1, values.count))
        }
        return (mean { $0.tree }, mean { $0.neighbours })
    }

    /// The categories that the views and the forests know, by the name of their column.
    public var categories: [(name: String, categories: [String])] {
        views.flatMap(\.hybrid.categories) + (forests?.codes?.categories ?? [])
    }

    func row(_ parts: [Double], group: Int) -> Row {
        Row(parts: parts, risk: Evidence.held(calibration.probability(parts.reduce(0, +)) / knownShare), group: group)
    }

    /// Below 1, rising, with the same slope where it leaves the line: the largest risks keep their order.
    public static func held(_ risk: Double) -> Double { risk <= 0.9 ? risk : 1 - 0.01 / (risk - 0.8) }
}
