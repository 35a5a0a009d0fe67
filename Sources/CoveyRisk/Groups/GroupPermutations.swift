import CoveyRuntime

/// What the candidates would show if the known frauds were any of the rows: their labels permuted, accumulated along
/// the trees, again and again. The best candidate of each permutation gives the distribution of the best candidate by
/// chance, so a p value read from it is corrected for looking at all of them (maxT; Westfall and Young 1993).
struct GroupPermutations: Sendable {
    /// The statistic of the best candidate of each permutation, ascending.
    let best: [Double]
    /// The highest statistics of the trees themselves, ascending; how many candidates of the trees reach each, and how
    /// many of all permutations together.
    private let levels: [Double]
    private let reaching: [Int]

    /// The highest statistics alone can be discoveries.
    private static let mostLevels = 4096

    /// O(permutations x rows) for each tree; 16 bytes a row and thread. The same for any number of threads: a
    /// permutation has a seed of its own.
    /// - Parameters:
    ///   - trees: of the same rows; the same labels are permuted in all of them.
    ///   - observed: the statistics of the trees' candidates.
    ///   - order: all rows, in the order that they are drawn from; nil = as they are given.
    init(
        _ trees: [GroupCandidates], statistic: ScanStatistic, fraud: Int, count: Int, observed: [Double],
        order: [Int32]? = nil, seed: UInt64, execution: Execution
    ) throws {
        let rows = trees[0].tree.pointCount
        let levels = Array(observed.sorted().suffix(GroupPermutations.mostLevels))
        let grain = 8
        let chunks = (count + grain - 1) / grain
        try execution.hold(
            execution.threads * 4 * (3 * rows + 2 * fraud) + chunks * levels.count * 4 + count * 8, of: 1,
            for: "permutations of \(rows) labels")
        var best = [Double](repeating: 0, count: count)
        var reached = [Int32](repeating: 0, count: chunks * levels.count)
        try best.withUnsafeMutableBufferPointer { best in
            try reached.withUnsafeMutableBufferPointer { reached in
                nonisolated(unsafe) let (best, reached) = (best, reached)
                try execution.parallel(count, grain: grain, stage: "risky groups") { chunk, _ in
                    var draw = Draw(order ?? Array(0..<Int32(rows)))
                    let offset = chunk.lowerBound / grain * levels.count
                    for permutation in chunk {
                        var random = SeededRandom(seed: seed &+ UInt64(permutation) &* 0x9E37_79B9_97F4_A7C1)
                        draw.mark(fraud, &random)
                        for tree in trees {
                            try execution.check()
                            let highest = draw.withCounts { counts in
                                tree.scan(counts, statistic) { _, value in
                                    guard let least = levels.first, value >= least else { return }
                                    reached[offset + levels.firstPlace(above: value) - 1] += 1
                                }
                            }
                            best[permutation] = max(best[permutation], highest)
                        }
                        draw.unmark()
                    }
                }
            }
        }
        self.best = best.sorted()
        self.levels = levels
        var sums = [Int](repeating: 0, count: levels.count)
        for chunk in 0..<chunks {
            for place in 0..<levels.count { sums[place] += Int(reached[chunk * levels.count + place]) }
        }
        // From "this is the highest level reached" to "this level is reached".
        for place in stride(from: levels.count - 2, through: 0, by: -1) { sums[place] += sums[place + 1] }
        reaching = sums
    }

    /// The chance that the best candidate reaches this statistic where labels and rows have nothing to do with each
    /// other: (1 + permutations that reach it) / (1 + permutations).
    func familywise(_ value: Double) -> Double {
        Double(1 + best.count - best.firstPlace(notBelow: value)) / Double(1 + best.count)
    }

    /// The statistic above which the best candidate of a permutation lies with at most this chance; infinite where
    /// there are too few permutations to tell.
    func critical(_ significance: Double) -> Double {
        let place = Int((Double(best.count + 1) * (1 - significance)).rounded(.up))
        if place > best.count { return .infinity }
        return place < 1 ? 0 : best[place - 1]
    }

    /// For each of the trees' highest statistics the share of false ones that is to be expected among all candidates
    /// that reach it: the mean number that reach it in a permutation over the number that reach it in the trees
    /// (Tusher, Tibshirani and Chu 2001), never smaller for a smaller statistic. Ascending by statistic.
    func falseDiscoveries() -> [(value: Double, share: Double)] {
        var least = 1.0
        return levels.indices.map { place in
            let expected = Double(1 + reaching[place]) / Double(1 + best.count)
            least = min(least, expected / Double(levels.count - place))
            return (levels[place], least)
        }
    }

    /// Marks rows at random.
    private struct Draw {
        private var counts: [Int32]
        private var order: [Int32]
        private var swaps: [Int32] = []

        init(_ order: [Int32]) {
            counts = [Int32](repeating: 0, count: 2 * order.count)
            self.order = order
        }

        mutating func withCounts<Result>(_ body: (UnsafeMutablePointer<Int32>) -> Result) -> Result {
            counts.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
        }

        /// The first steps of a shuffle (Fisher and Yates).
        mutating func mark(_ count: Int, _ random: inout SeededRandom) {
            swaps.removeAll(keepingCapacity: true)
            for place in 0..<count {
                let other = Int.random(in: place..<order.count, using: &random)
                order.swapAt(place, other)
                swaps.append(Int32(truncatingIfNeeded: other))
                counts[Int(order[place])] = 1
            }
        }

        /// Undoes the shuffle: a draw depends on its seed alone.
        mutating func unmark() {
            for place in stride(from: swaps.count - 1, through: 0, by: -1) {
                counts[Int(order[place])] = 0
                order.swapAt(place, Int(swaps[place]))
            }
        }
    }
}

extension [Double] {
    /// The first place in ascending numbers that is at least, or above, `value`; `count` if there is none.
    func firstPlace(notBelow value: Double) -> Int { firstPlace { $0 >= value } }
    func firstPlace(above value: Double) -> Int { firstPlace { $0 > value } }

    private func firstPlace(_ isPast: (Double) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isPast(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
