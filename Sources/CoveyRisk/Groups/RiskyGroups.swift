import CoveyClustering
import CoveyNumerics
import CoveyRuntime

/// Groups of rows in which known fraud crowds together more than chance would have it, anywhere in the trees: disjoint,
/// each with a p value that is corrected for looking at every merge of every tree. Last may come the rows that no such
/// knot holds, but that all evidence together puts first (`EvidenceOrder`).
public struct RiskyGroups: Sendable {
    public struct Options: Sendable, Equatable, Codable {
        /// What `significance` bounds. Raw values are those of `COVEY_ERROR_RATE_...`.
        public enum ErrorRate: Int32, Sendable, Codable {
            /// The chance that any group is a false one (family-wise error rate).
            case familywise = 0
            /// The share of false ones among the groups (false-discovery rate).
            case falseDiscovery = 1
        }

        /// The largest corrected p value of a group, above 0, at most 1.
        public var significance = 0.05
        public var errorRate = ErrorRate.familywise
        /// Permutations behind the p values, 19 to 100,000.
        public var permutations = 999
        /// The fewest rows known to be fraud in a group, at least 2.
        public var minFraud = 2
        /// The smallest estimated share of fraud in a group, 0 to 1.
        public var minShare = 0.8
        /// Of the intervals, 0.5 to 0.9999.
        public var confidence = 0.95
        public var seed: UInt64 = 0

        public init() {}

        public func validate() throws {
            try require(
                significance > 0 && significance <= 1,
                "options.significance must be above 0 and at most 1, got \(significance)")
            try require(
                (19...100_000).contains(permutations), "options.permutations must be 19 to 100000, got \(permutations)")
            try require(minFraud >= 2, "options.min_fraud must be at least 2, got \(minFraud)")
            try require((0...1).contains(minShare), "options.min_share must be 0 to 1, got \(minShare)")
            try require(
                WilsonInterval.confidences.contains(confidence),
                "options.confidence must be 0.5 to 0.9999, got \(confidence)")
        }
    }

    public let options: Options
    /// Those of the trees by the lower end of the interval of their share, highest first; then the one of the evidence.
    public let groups: [RiskyGroup]
    /// The group of each row; -1 = none.
    public let rowGroups: [Int32]
    /// The sum of evidence from which on a row is in the group of the evidence; infinite if there is none.
    let leastSum: Double
    /// By tree, the group that each merge lies in; -1 = none.
    let mergeGroups: [[Int32]]

    /// Chooses groups among what was found to be significant.
    /// - Parameters:
    ///   - knownShare: the share of all fraud that is known; nil = unknown, which gives no groups.
    ///   - order: of all rows by their evidence; nil = without a group of the evidence.
    init(
        _ scan: GroupScan, order: EvidenceOrder?, trees: [SingleLinkageTree], labels: KnownLabels, knownShare: Double?,
        isShareGiven: Bool, execution: Execution
    ) throws {
        let options = scan.options
        self.options = options
        // The groups of rows and merges, what is taken, and the members; then a table of the candidates of one tree.
        try execution.hold(labels.count, of: 24 + 4 * trees.count, for: "the groups of \(labels.count) rows")
        try execution.reserve(scan.significant.count, of: 256, for: "candidates for a group")
        var chosen: [Candidate] = []
        if let knownShare {
            for (index, tree) in trees.enumerated() {
                var allowed: [Int: Candidate] = [:]
                for candidate in scan.significant where candidate.tree == index {
                    let pure = Double(candidate.fraud) / Double(candidate.size)
                    if pure >= options.minShare * knownShare { allowed[candidate.merge] = candidate }
                }
                chosen += try GroupChoice.disjoint(allowed, of: tree, critical: scan.critical, execution: execution)
            }
        }
        var (groups, members) = try RiskyGroups.separated(chosen, trees, labels, options, execution)
        var rowGroups = [Int32](repeating: -1, count: labels.count)
        for (group, rows) in members.enumerated() {
            for row in rows { rowGroups[Int(row)] = Int32(group) }
        }
        var leastSum = Double.infinity
        if let knownShare, let order,
            let found = order.group(knownShare: knownShare, isGiven: isShareGiven, options: options)
        {
            leastSum = found.leastSum
            let free = order.rows.prefix(found.rows).filter { rowGroups[Int($0)] < 0 }
            if !free.isEmpty {
                groups.append(
                    RiskyGroup(
                        tree: -1, merge: -1, rows: Array(free), whole: Array(order.rows.prefix(found.rows)),
                        labels: labels, statistic: found.statistic, pValue: found.pValue))
                for row in free { rowGroups[Int(row)] = Int32(groups.count - 1) }
                members.append(Array(free))
            }
        }
        self.groups = groups
        self.rowGroups = rowGroups
        self.leastSum = leastSum
        mergeGroups = RiskyGroups.mergeGroups(groups, trees)
    }

    /// Groups as they were kept, for new rows. Throws `invalidData` if they do not fit the trees.
    init(kept groups: [RiskyGroup], leastSum: Double?, trees: [SingleLinkageTree], options: Options) throws {
        try options.validate()
        for (index, group) in groups.enumerated() {
            let isOfEvidence = group.isOfEvidence && index == groups.count - 1 && leastSum != nil
            guard group.isValid,
                isOfEvidence
                    || group.tree >= 0 && group.tree < trees.count && group.merge >= 0
                        && group.merge < trees[group.tree].mergeCount
            else { throw CoveyError.invalidData("risky group \(index) does not fit the trees") }
        }
        self.options = options
        self.groups = groups
        self.leastSum = leastSum ?? .infinity
        rowGroups = []
        mergeGroups = RiskyGroups.mergeGroups(groups, trees)
    }

    /// The group of a row that has no group in the trees, by its sum of evidence; -1 = none.
    func group(ofSum sum: Double) -> Int {
        guard sum >= leastSum, let last = groups.last, last.isOfEvidence else { return -1 }
        return groups.count - 1
    }

    private static func mergeGroups(_ groups: [RiskyGroup], _ trees: [SingleLinkageTree]) -> [[Int32]] {
        trees.indices.map { index in
            let own = groups.indices.filter { groups[$0].tree == index }
            return GroupChoice.mergeGroups(own.map { (groups[$0].merge, $0) }, of: trees[index])
        }
    }

    /// Groups of several trees made disjoint: the highest statistic first, one of which more than half of the rows are
    /// taken is dropped. Then by the lower end of their share's interval.
    private static func separated(
        _ chosen: [Candidate], _ trees: [SingleLinkageTree], _ labels: KnownLabels, _ options: Options,
        _ execution: Execution
    ) throws -> (groups: [RiskyGroup], members: [[Int32]]) {
        var isTaken = [Bool](repeating: false, count: labels.count)
        var found: [(group: RiskyGroup, rows: [Int32])] = []
        let order = chosen.sorted { ($1.value, $0.tree, $0.merge) < ($0.value, $1.tree, $1.merge) }
        for candidate in order {
            try execution.report()
            let all = GroupChoice.rows(of: candidate.merge, in: trees[candidate.tree])
            let free = all.filter { !isTaken[Int($0)] }
            guard 2 * free.count >= all.count else { continue }
            for row in free { isTaken[Int(row)] = true }
            let group = RiskyGroup(
                tree: candidate.tree, merge: candidate.merge, rows: free, whole: all, labels: labels,
                statistic: candidate.value, pValue: candidate.pValue)
            found.append((group, free))
        }
        let z = WilsonInterval.quantile(confidence: options.confidence)
        let low = found.map { $0.group.interval(known: 1...1, z: z).low }
        let ranked = found.indices.sorted { low[$0] != low[$1] ? low[$0] > low[$1] : $0 < $1 }
        return (ranked.map { found[$0].group }, ranked.map { found[$0].rows })
    }
}
