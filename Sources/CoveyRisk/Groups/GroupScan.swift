import CoveyClustering
import CoveyRuntime

/// Looks at every merge of every tree: which hold more known fraud than chance alone would give the best of them.
struct GroupScan: Sendable {
    let options: RiskyGroups.Options
    /// With their p values.
    let significant: [Candidate]
    /// The statistic that chance alone may give.
    let critical: Double
    /// Merges that had known fraud enough to be looked at.
    let candidates: Int
    /// The smallest corrected p value of all candidates; 1 if there are none.
    let bestPValue: Double

    /// O(permutations x n) for each tree.
    /// - Parameters:
    ///   - trees: one or more, of the same n rows.
    ///   - labels: n, counted over all rows.
    ///   - order: that permuted labels are drawn from; nil = that of the rows.
    init(
        _ trees: [SingleLinkageTree], labels: KnownLabels, options: RiskyGroups.Options = RiskyGroups.Options(),
        order: [Int32]? = nil, execution: Execution
    ) throws {
        try options.validate()
        self.options = options
        for tree in trees where tree.pointCount != labels.count {
            throw CoveyError.mismatch("fraud has \(labels.count) values, the tree \(tree.pointCount) rows")
        }
        guard !trees.isEmpty, labels.fraud >= options.minFraud, labels.fraud < labels.count else {
            significant = []
            critical = .infinity
            candidates = 0
            bestPValue = 1
            return
        }
        let statistic = try ScanStatistic(rows: labels.count, fraud: labels.fraud, execution: execution)
        // Of each tree, whether a merge is whole; then the known frauds below all merges of one, and what was found.
        try execution.hold(labels.count, of: trees.count + 8, for: "groups of \(labels.count) rows")
        let looked = trees.map { GroupCandidates($0, minFraud: options.minFraud) }
        let found = try looked.indices.flatMap {
            try GroupScan.candidates(looked[$0], $0, labels, statistic, execution)
        }
        let chance = try GroupPermutations(
            looked, statistic: statistic, fraud: labels.fraud, count: options.permutations,
            observed: found.map(\.value), order: order, seed: options.seed, execution: execution)
        (significant, critical) = GroupScan.significant(found, chance, options)
        candidates = found.count
        bestPValue = found.map { chance.familywise($0.value) }.min() ?? 1
    }

    private static func candidates(
        _ looked: GroupCandidates, _ tree: Int, _ labels: KnownLabels, _ statistic: ScanStatistic,
        _ execution: Execution
    ) throws -> [Candidate] {
        try execution.report()
        var counts = [Int32](repeating: 0, count: 2 * labels.count)
        for row in 0..<labels.count where labels.isFraud(row) { counts[row] = 1 }
        var number = 0
        counts.withUnsafeMutableBufferPointer { counts in
            _ = looked.scan(counts.baseAddress!, statistic) { _, _ in number += 1 }
        }
        // With their statistics, and as candidates, which are put together with those of other trees.
        try execution.hold(
            number, of: 24 + 4 * MemoryLayout<Candidate>.stride, for: "\(number) candidates for a group")
        var found: [(merge: Int, value: Double)] = []
        found.reserveCapacity(number)
        counts.withUnsafeMutableBufferPointer { counts in
            _ = looked.scan(counts.baseAddress!, statistic) { merge, value in found.append((merge, value)) }
        }
        return found.map { merge, value in
            Candidate(
                tree: tree, merge: merge, value: value, fraud: Int(counts[labels.count + merge]),
                size: Int(looked.tree.sizes[merge]))
        }
    }

    private static func significant(
        _ found: [Candidate], _ chance: GroupPermutations, _ options: RiskyGroups.Options
    ) -> (candidates: [Candidate], critical: Double) {
        var pValue: (Double) -> Double = chance.familywise
        var critical = chance.critical(options.significance)
        if options.errorRate == .falseDiscovery {
            let table = chance.falseDiscoveries()
            let values = table.map(\.value)
            pValue = { value in
                let place = values.firstPlace(notBelow: value)
                return place < table.count && values[place] == value ? table[place].share : 1
            }
            critical = table.first { $0.share <= options.significance }?.value ?? .infinity
        }
        var result: [Candidate] = []
        for var candidate in found {
            candidate.pValue = pValue(candidate.value)
            if candidate.pValue <= options.significance { result.append(candidate) }
        }
        return (result, min(critical, result.map(\.value).min() ?? critical))
    }

    /// The highest lower bound of the share of fraud that is known, corrected for the merges looked at: of hundreds of
    /// small merges one holds five known frauds of five by chance. nil if no merge speaks of it.
    func knownShare(_ execution: Execution) throws -> KnownShare? {
        var best: (bound: Double, candidate: Candidate?) = (0, nil)
        // The purest first: most others cannot have a higher bound.
        var order = significant.filter { $0.fraud >= 3 }
        try execution.sort(&order) { Double($0.fraud) * Double($1.size) > Double($1.fraud) * Double($0.size) }
        let confidence = KnownShare.confidence(forEachOf: order.count)
        for candidate in order {
            // Each bound is hundreds of evaluations of a distribution.
            try execution.report()
            guard Double(candidate.fraud) / Double(candidate.size) > best.bound else { break }
            let bound = KnownShare.lowerBound(
                successes: candidate.fraud, trials: candidate.size, confidence: confidence)
            if bound > best.bound { best = (bound, candidate) }
        }
        return best.candidate.map {
            KnownShare(fraud: $0.fraud, of: $0.size, looked: order.count, isChosenByLabels: true)
        }
    }
}
