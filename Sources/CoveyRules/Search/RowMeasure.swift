import CoveyRuntime
import CoveyTables

/// What rows weigh: numbers of rows, or sums of the weights that were given.
struct RowMeasure: Sendable {
    let target: RowBits
    let weights: Strided<Double>?
    let amounts: Strided<Double>?

    /// What no sum over rows exceeds: 2^48 of the largest weight times the largest amount.
    static let largestSum = Double(RuleSet.largestCount) * 1e12 * 1e15

    func weight(_ row: Int) -> Double { weights?[row] ?? 1 }

    /// Weight x amount of a row of the target; 0 elsewhere and without amounts.
    func amount(_ row: Int) -> Double {
        guard let amounts, target[row] else { return 0 }
        return weight(row) * amounts[row]
    }

    /// Rows, as they are or among others.
    func tally(_ rows: RowBits, among others: RowBits? = nil) -> Tally {
        var result = Tally()
        if weights == nil {
            var (all, positives) = (0, 0)
            for index in rows.words.indices {
                let word = rows.words[index] & (others?.words[index] ?? ~0)
                all &+= word.nonzeroBitCount
                positives &+= (word & target.words[index]).nonzeroBitCount
            }
            result.positives = Double(positives)
            result.negatives = Double(all - positives)
            guard amounts != nil else { return result }
        }
        for index in rows.words.indices {
            var word = rows.words[index] & (others?.words[index] ?? ~0)
            // Amounts count in the target alone, and without weights nothing else is left to do.
            if weights == nil { word &= target.words[index] }
            while word != 0 {
                let row = index &<< 6 &+ word.trailingZeroBitCount
                word &= word &- 1
                if let weights {
                    if target[row] { result.positives += weights[row] } else { result.negatives += weights[row] }
                }
                result.amount += amount(row)
            }
        }
        return result
    }
}
