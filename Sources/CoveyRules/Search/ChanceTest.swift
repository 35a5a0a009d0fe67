import Glibc

/// Whether a rule's figures on rows that the search never saw could be chance.
///
/// Where the target is independent of the features, every way of placing the target's rows among the unseen ones is
/// equally likely: a permutation test, whose outcome over all permutations is known in closed form (hypergeometric;
/// Fisher's exact test, one-sided). What the search tried does not matter here, since it never saw these rows; what has
/// to be corrected for is the number of rules that were chosen (holdout evaluation, Webb 2007, Discovering Significant
/// Patterns), by Holm's method (1979).
enum ChanceTest {
    /// The probability that a rule that matches `matched` of `rows` rows matches at least `support` of the `target`
    /// rows.
    static func tail(support: Int, matched: Int, target: Int, rows: Int) -> Double {
        let most = min(matched, target)
        if support <= max(0, matched + target - rows) { return 1 }
        if support > most { return 0 }
        // lgamma would write the process-wide signgam, which is the host's.
        func logFactorial(_ n: Int) -> Double {
            var sign: Int32 = 0
            return lgamma_r(Double(n) + 1, &sign)
        }
        func choose(_ n: Int, _ k: Int) -> Double { logFactorial(n) - logFactorial(k) - logFactorial(n - k) }
        // Terms fall from the mode on, each by a ratio of small numbers.
        let all = choose(rows, matched)
        var term = exp(choose(target, support) + choose(rows - target, matched - support) - all)
        var sum = 0.0
        let mode = Double(matched + 1) * Double(target + 1) / Double(rows + 2)
        if Double(support) > mode {
            for hits in support...most {
                sum += term
                if term <= sum * 1e-17 { break }
                term *= ratio(hits, matched, target, rows)
            }
            return min(1, sum)
        }
        // Left of the mode the other tail is the short one.
        var hits = support - 1
        term = exp(choose(target, hits) + choose(rows - target, matched - hits) - all)
        while hits >= max(0, matched + target - rows) {
            sum += term
            if term <= sum * 1e-17 { break }
            hits -= 1
            if hits >= 0 { term /= ratio(hits, matched, target, rows) }
        }
        return max(0, min(1, 1 - sum))
    }

    /// P(hits + 1) / P(hits).
    private static func ratio(_ hits: Int, _ matched: Int, _ target: Int, _ rows: Int) -> Double {
        Double(target - hits) * Double(matched - hits) / (Double(hits + 1) * Double(rows - target - matched + hits + 1))
    }

    /// Holm's step-down correction: the chance that any of the rules that pass at this level is false is below it.
    static func holm(_ values: [Double]) -> [Double] {
        var result = values
        var highest = 0.0
        let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
        for (place, index) in order.enumerated() {
            highest = max(highest, min(1, Double(values.count - place) * values[index]))
            result[index] = highest
        }
        return result
    }
}
