import CoveyClustering
import CoveyRuntime
import CoveyTables

extension Evidence {
    public struct Options: Sendable, Equatable {
        /// The share of all fraud that is known; nil = estimated.
        public var knownShare: Double?
        public var groups = RiskyGroups.Options()
        /// Of each forest; 0 = none.
        public var trees = 200
        public var seed: UInt64 = 0

        public init() {}
    }

    /// Weighs what is known of n rows, and says what speaks for fraud in each of them.
    ///
    /// Cost: for each view a search for every row's nearest rows and O(permutations n) for the groups; the forests.
    /// - Parameters:
    ///   - views: one or more, each of all rows.
    ///   - input: what the views are made of.
    ///   - vocabulary: the types that its sequences may have; others count as type 0.
    ///   - labels: n, with at least one fraud and one other row.
    public static func fit(
        _ views: [EvidenceView], of input: EvidenceInput, vocabulary: Int, labels given: KnownLabels, options: Options,
        execution: Execution
    ) throws -> Fit {
        let columns =
            options.trees > 0 && given.fraud >= 2
            ? try EvidenceForests.columns(of: input, vocabulary: vocabulary, execution: execution) : nil
        return try fit(views, columns, labels: given, options: options, execution: execution)
    }

    /// The evidence that other labels of the same rows give. The result is that of `fit` with the same options; where
    /// the share of known fraud was estimated it is estimated again. Evidence without forests gets none.
    /// - Parameters:
    ///   - permutations: behind the p values of the groups; nil = those of the options.
    ///   - trees: of each forest; nil = as many as this evidence has.
    public func fitted(
        to labels: KnownLabels, permutations: Int? = nil, trees: Int? = nil, execution: Execution
    ) throws -> Fit {
        var options = Options()
        options.knownShare = shareSource == .given ? knownShare : nil
        options.groups = groups.options
        options.seed = groups.options.seed
        options.groups.permutations = permutations ?? groups.options.permutations
        options.trees = trees ?? forests?.joint.treeCount ?? 0
        guard let forests else {
            return try Evidence.fit(views, nil, labels: labels, options: options, execution: execution)
        }
        guard let rows = try forests.rows?.matrix(execution) else {
            throw CoveyError.unsupported("the engine does not keep the rows that its forests were grown on")
        }
        return try Evidence.fit(views, (forests, rows), labels: labels, options: options, execution: execution)
    }

    /// - Parameter columns: of the forests, and the rows that these are grown on; nil = without forests.
    private static func fit(
        _ views: [EvidenceView], _ columns: (shape: EvidenceForests, rows: Matrix<Float>)?, labels given: KnownLabels,
        options: Options, execution: Execution
    ) throws -> Fit {
        let labels = given.counted(over: .all)
        guard !views.isEmpty, labels.fraud > 0, labels.fraud < labels.count,
            views.allSatisfy({ $0.clustering.usedRows == nil && $0.clustering.rowCount == labels.count })
        else { throw CoveyError.internalError("evidence of \(labels.fraud) frauds among \(labels.count) rows") }
        // Labels by part, the parts of the evidence, orders, groups.
        try execution.hold(labels.count, of: 20 * views.count + 120, for: "evidence of \(labels.count) rows")
        let shares = try views.map {
            try TreeShares($0.clustering.singleLinkageTree, labels: labels, execution: execution)
        }
        let references = try views.map { try DistinctReference($0.clustering, execution: execution) }
        let drawn = try RowOrder.rows(references[0].equal, labels, columns?.rows, execution)
        let folds = try RowFolds(labels, order: drawn, seed: options.seed, execution: execution)
        let neighbours = references.map { KnownNeighbours($0, labels: labels) }
        let hidden = try (0..<folds.count).map { try folds.labels(without: $0, labels, execution: execution) }
        let near = try views.indices.map {
            try nearValues(views[$0], neighbours[$0], labels, folds, hidden, options, execution)
        }
        let trees = views.map(\.clustering.singleLinkageTree)
        let scan = try GroupScan(trees, labels: labels, options: options.groups, order: drawn, execution: execution)
        var grown: (forests: EvidenceForests, odds: EvidenceForests.Odds)?
        if let columns, labels.fraud >= 2 {
            grown = try columns.shape.grown(
                on: columns.rows, labels: labels, folds: folds, trees: options.trees, seed: options.seed,
                execution: execution)
        }
        let bases = hidden.map(\.baseRate)
        let sources = try execution.map(labels.count, for: "the sources of the evidence") { row in
            Evidence.sources(near.map { $0[row] }, grown?.odds, row, base: bases[Int(folds.folds[row])])
        }
        let weights = try SourceWeights.fitted(
            to: sources, labels, folds, seed: options.seed, execution: execution)
        // Each in an array of its own.
        try execution.hold(labels.count, of: 80, for: "the parts of the evidence")
        let parts = try execution.map(labels.count, for: "the parts of the evidence") { row in
            weights.byFold[Int(folds.folds[row])].parts(sources[row])
        }
        let sums = try execution.array(labels.count) { parts[$0].reduce(0, +) }
        let calibration = try Calibration(
            sums, fraud: { labels.isFraud($0) }, known: labels.fraud, execution: execution)
        let order = try EvidenceOrder(
            sums, labels: labels, permutations: options.groups.permutations, seed: options.groups.seed,
            execution: execution)
        let (share, source) = try knownShare(given, scan, order, options, execution)
        let groups = try RiskyGroups(
            scan, order: order, trees: trees, labels: labels, knownShare: share?.share,
            isShareGiven: source == .given || source == .labelled, execution: execution)
        let evidence = Evidence(
            views: views, labels: labels, knownShare: share?.share ?? 1,
            knownShareRange: share.map { $0.low...$0.high } ?? 0...1, shareSource: source, groups: groups,
            shares: shares, neighbours: neighbours,
            forests: grown?.forests, weights: weights.whole, calibration: calibration)
        let rows = try execution.map(labels.count, for: "the evidence of \(labels.count) rows") {
            evidence.row(parts[$0], group: Int(groups.rowGroups[$0]))
        }
        return Fit(
            evidence: evidence, rows: rows, candidates: scan.candidates, bestPValue: scan.bestPValue,
            embeddingsTest: try embeddingsTest(views, near, labels, execution))
    }

    private static func embeddingsTest(
        _ views: [EvidenceView], _ near: [[(tree: Double, neighbours: Double)]], _ labels: KnownLabels,
        _ execution: Execution
    ) throws -> Double? {
        let ofEmbeddings = views.indices.first {
            views[$0].hybrid.embeddingColumns != nil && views[$0].hybrid.featureColumns.isEmpty
        }
        return try ofEmbeddings.map { view in
            try RankTest(labels.count, execution) {
                (near[view][$0].tree + near[view][$0].neighbours, labels.isFraud($0))
            }.deviations
        }
    }

    /// What fitting gives.
    public struct Fit: Sendable {
        public let evidence: Evidence
        /// One a row.
        public let rows: [Row]
        /// Merges of the trees that were looked at, and the smallest corrected p value among them.
        public let candidates: Int
        public let bestPValue: Double
        /// How many deviations the embeddings alone rank known fraud above the rest; nil without a view of them.
        public let embeddingsTest: Double?
    }

    private static func knownShare(
        _ labels: KnownLabels, _ scan: GroupScan, _ order: EvidenceOrder, _ options: Options, _ execution: Execution
    ) throws -> (share: KnownShare?, source: ShareSource) {
        if let share = options.knownShare { return (KnownShare(exact: share), .given) }
        let found = try [
            scan.knownShare(execution), order.knownShare(significance: options.groups.significance, execution),
        ].compactMap { $0 }
        let best = found.max { $0.share < $1.share }
        if labels.population == .labelled {
            let labelled = Double(labels.counted) / Double(labels.count)
            return (KnownShare(labelled: labelled, purest: best), .labelled)
        }
        guard let best else { return (nil, .unknown) }
        return (best.believed, .groups)
    }

    /// What the tree and the nearest rows of a view say of each of its rows by the rows of other parts.
    private static func nearValues(
        _ view: EvidenceView, _ neighbours: KnownNeighbours, _ labels: KnownLabels, _ folds: RowFolds,
        _ hidden: [KnownLabels], _ options: Options, _ execution: Execution
    ) throws -> [(tree: Double, neighbours: Double)] {
        let rows = folds.folds.count
        var trees = [Double](repeating: 0, count: rows)
        for fold in 0..<folds.count {
            let shares = try TreeShares(
                view.clustering.singleLinkageTree, labels: hidden[fold], execution: execution)
            try execution.forEach(0..<rows) { row in
                if Int(folds.folds[row]) == fold { trees[row] = shares.shareAbove(row) }
            }
        }
        guard let kept = view.clustering.predictor?.reference else {
            throw CoveyError.internalError("evidence of a view that keeps no rows")
        }
        let near = try execution.temporarily {
            try kept.withView {
                try neighbours.ownShares(
                    labels, folds, approximate: view.clustering.options.search == .approximate, seed: options.seed,
                    view: $0, execution: execution)
            }
        }
        let bases = hidden.map(\.baseRate)
        return try execution.array(rows) { (trees[$0], near[$0] ?? bases[Int(folds.folds[$0])]) }
    }

    private static func sources(
        _ near: [(tree: Double, neighbours: Double)], _ odds: EvidenceForests.Odds?, _ row: Int, base: Double
    ) -> EvidenceSources {
        var sources = EvidenceSources()
        (sources.tree, sources.neighbours) = nearParts(near, base: base)
        if let odds {
            sources.features = odds.features[row]
            sources.eventForest = odds.eventForest[row]
            sources.eventModel = odds.eventModel[row]
            sources.joint = odds.joint[row]
        }
        return sources
    }

    /// Judges new rows by the same parts.
    public func rows(_ input: EvidenceInput, execution: Execution) throws -> [Row] {
        var near: [[(tree: Double, neighbours: Double)]] = []
        var groups = [Int](repeating: -1, count: input.count)
        for (index, view) in views.enumerated() {
            let found = try placed(
                view.matrix(input, execution: execution), shares[index], neighbours[index], execution)
            for row in 0..<input.count where found[row].merge >= 0 {
                // A group of a lower number is the riskier one.
                let group = Int(self.groups.mergeGroups[index][found[row].merge])
                if group >= 0, groups[row] < 0 || group < groups[row] { groups[row] = group }
            }
            near.append(found.map { ($0.tree, $0.neighbours) })
        }
        let odds = try forests?.odds(input, execution: execution)
        try execution.hold(input.count, of: 80, for: "the parts of the evidence")
        return try execution.map(input.count, for: "the evidence of \(input.count) rows") { index in
            let parts = weights.parts(Evidence.sources(near.map { $0[index] }, odds, index, base: baseRate))
            let group = groups[index] >= 0 ? groups[index] : self.groups.group(ofSum: parts.reduce(0, +))
            return row(parts, group: group)
        }
    }

    /// Where new rows join a view's tree, and what the tree and the nearest rows say there.
    private func placed(
        _ matrix: Matrix<Float>, _ shares: TreeShares, _ neighbours: KnownNeighbours, _ execution: Execution
    ) throws -> [(merge: Int, tree: Double, neighbours: Double)] {
        var result = [(merge: Int, tree: Double, neighbours: Double)](
            repeating: (-1, baseRate, baseRate), count: matrix.rows)
        try result.withUnsafeMutableBufferPointer { result in
            nonisolated(unsafe) let result = result
            try matrix.withView { rows in
                try neighbours.reference.nearest(EvidenceView.neighbours, of: rows, execution: execution) {
                    row, found in
                    var reach = Double.infinity
                    var beside = 0
                    for near in found.prefix(EvidenceView.joined) {
                        let other = neighbours.row(near.number)
                        let distance = max(near.distance, shares.joinDistance(other))
                        if distance < reach { (reach, beside) = (distance, other) }
                    }
                    let merge = shares.join(beside: beside, at: reach)
                    result[row] = (merge, shares.share(of: merge), neighbours.share(found) ?? baseRate)
                }
            }
        }
        return result
    }
}
