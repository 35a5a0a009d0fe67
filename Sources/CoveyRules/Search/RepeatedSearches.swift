import CoveyRuntime
import CoveyTables

/// The same search on targets that say nothing: the rows of the search keep their features, weights and amounts, and
/// the target's places among them are drawn anew. The distribution of the best score corrects for everything that a
/// search tries (maxT, Westfall and Young 1993).
struct PermutedSearches {
    let split: HoldoutSplit
    let seed: UInt64
    let execution: Execution

    /// The best score of each permuted search; nil where nothing was found.
    func run(_ count: Int, _ best: (RowBits) throws -> Double?) throws -> [Double?] {
        var random = SeededRandom(seed: seed ^ 0x9E12)
        let positives = split.search.count(and: split.target)
        return try (0..<count).map { index in
            try execution.report("permutations", Double(index) / Double(count))
            return try best(try split.search.drawn(positives, &random, execution))
        }
    }

    /// With the observed one among the permutations, so that it is never 0.
    func share(of scores: [Double?], atLeast score: Double) -> Double {
        Double(1 + scores.filter { $0 ?? -.infinity >= score }.count) / Double(scores.count + 1)
    }
}

/// The same search on random halves of the target's rows and of the others (Meinshausen and Bühlmann 2010).
struct HalfSamples {
    let split: HoldoutSplit
    let seed: UInt64
    let execution: Execution

    /// For each rule the share of searches that find it again: a rule of the same features, each with the same kind of
    /// condition, bounded on the same sides.
    func shares(_ count: Int, _ rules: [[Condition]], _ find: (RowBits) throws -> [[Condition]]) throws -> [Double] {
        var random = SeededRandom(seed: seed ^ 0x4A1F)
        var again = [Int](repeating: 0, count: rules.count)
        let positives = split.search.intersection(split.target)
        var negatives = split.search
        negatives.subtract(positives)
        for index in 0..<count {
            try execution.report("resamples", Double(index) / Double(count))
            var rows = try positives.drawn((positives.count + 1) / 2, &random, execution)
            rows.formUnion(try negatives.drawn((negatives.count + 1) / 2, &random, execution))
            let found = try find(rows).map(HalfSamples.shape)
            for (place, rule) in rules.enumerated() where found.contains(HalfSamples.shape(rule)) { again[place] += 1 }
        }
        return again.map { Double($0) / Double(count) }
    }

    private struct Shape: Hashable {
        let feature: ExactName
        let kind: Int
    }

    private static func shape(_ rule: [Condition]) -> Set<Shape> {
        Set(
            rule.map { condition in
                let kind =
                    switch condition.test {
                    case .interval(let low, let high): (low > -.infinity ? 1 : 0) + (high < .infinity ? 2 : 0)
                    case .isIn: 4
                    case .isNotIn: 5
                    case .isTrue: 6
                    case .isFalse: 7
                    case .isMissing: 8
                    case .isPresent: 9
                    }
                return Shape(feature: ExactName(condition.feature), kind: kind)
            })
    }
}

extension RowBits {
    /// `wanted` of these rows, each subset equally likely (Knuth, Algorithm S).
    fileprivate func drawn(_ wanted: Int, _ random: inout SeededRandom, _ execution: Execution) throws -> RowBits {
        var result = self
        var (left, wanted) = (count, wanted)
        for start in stride(from: 0, to: words.count, by: 1024) {
            try execution.check()
            forEach(words: start..<min(words.count, start + 1024)) { row in
                if random.uniform() * Double(left) < Double(wanted) { wanted -= 1 } else { result[row] = false }
                left -= 1
            }
        }
        return result
    }
}
