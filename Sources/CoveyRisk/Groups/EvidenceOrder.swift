import CoveyRuntime

/// The rows by all that speaks for fraud in them, most first. Whether the first of them hold more known fraud than
/// chance would give the best of all beginnings of the order is tested as the merges of the trees are: by permuted
/// labels, corrected for having looked at every beginning. The order must not depend on the rows' own labels, nor on
/// their numbers: of rows with the same evidence a beginning has all or none.
struct EvidenceOrder: Sendable {
    /// Most evidence first.
    let rows: [Int32]
    /// Known frauds among the first j + 1.
    private let fraud: [Int32]
    /// The share of known fraud at each place, never rising (isotonic regression: Ayer et al. 1955, pool adjacent
    /// violators).
    private let shares: [Double]
    private let sums: [Double]
    private let statistic: ScanStatistic
    private let best: [Double]

    /// The fewest rows of a beginning that is looked at.
    private static let smallest = 4
    /// The fewest known frauds of a beginning that speaks of the share that is known: five of six are too often chance.
    private static let fewestKnown = 8
    /// The smallest share of known fraud at the end of the group, as a part of the share that is known: there a row is
    /// more likely fraud than not.
    private static let leastShare = 0.6
    /// The least known share that is used for it if that was estimated.
    private static let leastKnown = 0.3

    /// O(n log n + permutations known log known).
    init(
        _ sums: [Double], labels: KnownLabels, permutations: Int, seed: UInt64, execution: Execution
    ) throws {
        // The rows with their sums and counts, and the stretches of their shares while these are made.
        try execution.hold(sums.count, of: 24, for: "the order of the evidence")
        try execution.reserve(sums.count, of: 48, for: "the order of the evidence")
        var rows = sums.indices.map { Int32($0) }
        try execution.sort(&rows) {
            sums[Int($0)] != sums[Int($1)] ? sums[Int($0)] > sums[Int($1)] : $0 < $1
        }
        let statistic = try ScanStatistic(rows: labels.count, fraud: labels.fraud, execution: execution)
        var fraud: [Int32] = []
        fraud.reserveCapacity(rows.count)
        try execution.forEach(rows.indices) {
            fraud.append((fraud.last ?? 0) + (labels.isFraud(Int(rows[$0])) ? 1 : 0))
        }
        let ordered = rows
        self.rows = ordered
        self.sums = try execution.array(ordered.count) { sums[Int(ordered[$0])] }
        // A set of places and its order, while a permutation is drawn.
        let drawn = try HeldMemory(
            checkedProduct(execution.threads * labels.fraud, 48, "permuted labels"), for: "permuted labels", execution)
        defer { withExtendedLifetime(drawn) {} }
        self.fraud = fraud
        self.statistic = statistic
        shares = try EvidenceOrder.falling(self.sums, fraud, execution)
        let (count, known) = (rows.count, labels.fraud)
        var best = [Double](repeating: 0, count: permutations)
        try best.withUnsafeMutableBufferPointer { best in
            nonisolated(unsafe) let best = best
            try execution.parallel(permutations, grain: 16, stage: "risky groups") { chunk, _ in
                for permutation in chunk {
                    try execution.report()
                    var random = SeededRandom(seed: seed &+ 1 &+ UInt64(permutation) &* 0xD6E8_FEB8_6659_FD93)
                    // Only where a known fraud ends it can a beginning be the best.
                    for (index, place) in random.sample(known, of: count).enumerated() where index >= 1 {
                        let size = max(EvidenceOrder.smallest, place + 1)
                        if size > count / 2 { break }
                        best[permutation] = max(best[permutation], statistic.value(fraud: index + 1, of: size))
                    }
                }
            }
        }
        self.best = best.sorted()
    }

    /// Means over the longest stretches that keep them from rising, of which none ends between equal sums.
    private static func falling(
        _ sums: [Double], _ fraud: [Int32], _ execution: Execution
    ) throws -> [Double] {
        var stretches: [(sum: Int, count: Int)] = []
        var start = 0
        try execution.forEach(sums.indices) { place in
            guard isEnd(place, sums) else { return }
            let known = Int(fraud[place]) - (start > 0 ? Int(fraud[start - 1]) : 0)
            var last = (sum: known, count: place + 1 - start)
            start = place + 1
            // Shares compared without division.
            while let before = stretches.last, before.sum * last.count <= last.sum * before.count {
                last = (before.sum + last.sum, before.count + last.count)
                stretches.removeLast()
            }
            stretches.append(last)
        }
        var shares: [Double] = []
        shares.reserveCapacity(sums.count)
        try execution.forEach(stretches.indices, every: 1024) { index in
            let share = Double(stretches[index].sum) / Double(stretches[index].count)
            shares.append(contentsOf: repeatElement(share, count: stretches[index].count))
        }
        return shares
    }

    /// Whether the next row has less evidence, or there is none.
    private static func isEnd(_ place: Int, _ sums: [Double]) -> Bool {
        place + 1 == sums.count || sums[place + 1] < sums[place]
    }

    private func pValue(_ value: Double) -> Double {
        Double(1 + best.count - best.firstPlace(notBelow: value)) / Double(1 + best.count)
    }

    /// The highest lower bound of the share of fraud that is known among the beginnings that are significant; nil where
    /// none is.
    func knownShare(significance: Double, _ execution: Execution) throws -> KnownShare? {
        var best: (bound: Double, place: Int) = (0, -1)
        var (looked, before) = (0, 0)
        for place in rows.indices where place + 1 >= EvidenceOrder.smallest && place < rows.count / 2 {
            if place & 0x3FF == 0 { try execution.report() }
            // The bound is highest where a known fraud ends a beginning.
            let known = Int(fraud[place])
            guard known >= EvidenceOrder.fewestKnown, known > before, EvidenceOrder.isEnd(place, sums) else { continue }
            before = known
            looked += 1
            guard Double(known) / Double(place + 1) > best.bound else { continue }
            guard pValue(statistic.value(fraud: known, of: place + 1)) <= significance else { continue }
            try execution.report()
            let bound = KnownShare.lowerBound(successes: known, trials: place + 1)
            if bound > best.bound { best = (bound, place) }
        }
        guard best.place >= 0 else { return nil }
        return KnownShare(fraud: Int(fraud[best.place]), of: best.place + 1, looked: looked, isChosenByLabels: false)
    }

    /// The rows of the longest beginning in which fraud is `options.minShare` of the rows, and more likely than not at
    /// its end, if their known frauds are more than chance.
    func group(
        knownShare: Double, isGiven: Bool, options: RiskyGroups.Options
    ) -> (rows: Int, leastSum: Double, statistic: Double, pValue: Double)? {
        let least = EvidenceOrder.leastShare * (isGiven ? knownShare : max(EvidenceOrder.leastKnown, knownShare))
        var count = 0
        for place in 0..<rows.count / 2 {
            guard shares[place] >= least else { break }
            let isEnd = place + 1 == shares.count || shares[place + 1] < shares[place]
            guard isEnd, Double(fraud[place]) >= options.minShare * knownShare * Double(place + 1) else { continue }
            count = place + 1
        }
        guard count >= EvidenceOrder.smallest else { return nil }
        let known = Int(fraud[count - 1])
        guard known >= options.minFraud else { return nil }
        let value = statistic.value(fraud: known, of: count)
        let chance = pValue(value)
        guard chance <= options.significance else { return nil }
        return (count, sums[count - 1], value, chance)
    }
}
