import CoveyNumerics

/// How far the values of a group differ from those of ordinary rows.
enum GroupContrast {
    struct Effect {
        let effect: Double
        let low: Double
        let high: Double

        /// The interval does not hold 0.
        var isSure: Bool { low > 0 || high < 0 }
        /// The end of the interval that is nearer to 0, for ranking.
        var least: Double { min(abs(low), abs(high)) }
    }

    /// Cliff's delta (1993), P(x > y) - P(x < y), with Newcombe's method 5 for the area under a curve (2006): it holds
    /// where the samples do not overlap. nil if either is empty. O((m + n) log n).
    static func delta(_ values: [Double], _ sortedOthers: [Double], z: Double) -> Effect? {
        guard !values.isEmpty, !sortedOthers.isEmpty else { return nil }
        var below = 0.0
        var notAbove = 0.0
        for value in values {
            below += Double(position(in: sortedOthers) { $0 < value })
            notAbove += Double(position(in: sortedOthers) { $0 <= value })
        }
        let count = Double(values.count) * Double(sortedOthers.count)
        let delta = (below - (count - notAbove)) / count
        let area = (delta + 1) / 2
        return Effect(
            effect: delta, low: 2 * bound(area, values.count, sortedOthers.count, -z) - 1,
            high: 2 * bound(area, values.count, sortedOthers.count, z) - 1)
    }

    /// The number of leading elements that satisfy `isBefore`.
    private static func position(in sorted: [Double], _ isBefore: (Double) -> Bool) -> Int {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if isBefore(sorted[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The true area at whose z standard errors the measured one lies, by halving.
    private static func bound(_ area: Double, _ size: Int, _ others: Int, _ z: Double) -> Double {
        var (low, high) = z < 0 ? (0.0, area) : (area, 1.0)
        for _ in 0..<50 {
            let middle = (low + high) / 2
            let isInside = abs(area - middle) <= abs(z) * standardError(middle, size, others)
            if (z < 0) == isInside { high = middle } else { low = middle }
        }
        return (low + high) / 2
    }

    private static func standardError(_ area: Double, _ size: Int, _ others: Int) -> Double {
        let half = (Double(size) + Double(others)) / 2 - 1
        let inner = 1 + half * (1 - area) / (2 - area) + half * area / (1 + area)
        return max(0, area * (1 - area) * inner / (Double(size) * Double(others))).squareRoot()
    }

    /// The difference of two shares with Newcombe's hybrid score interval (1998, method 10).
    static func difference(_ count: Int, of size: Int, _ other: Int, of others: Int, z: Double) -> Effect {
        let (one, two) = (Double(count) / Double(size), Double(other) / Double(others))
        let first = WilsonInterval(successes: count, trials: size, z: z)
        let second = WilsonInterval(successes: other, trials: others, z: z)
        func length(_ a: Double, _ b: Double) -> Double { (a * a + b * b).squareRoot() }
        return Effect(
            effect: one - two, low: max(-1, one - two - length(one - first.low, second.high - two)),
            high: min(1, one - two + length(first.high - one, two - second.low)))
    }

    /// The lower quartile, the median and the upper quartile of sorted numbers, linear; empty if there are none.
    static func quartiles(_ sorted: [Double]) -> [Double] {
        guard let last = sorted.indices.last else { return [] }
        return [0.25, 0.5, 0.75].map { share in
            let place = share * Double(last)
            let low = Int(place)
            let part = place - Double(low)
            return sorted[low] * (1 - part) + sorted[min(last, low + 1)] * part
        }
    }
}
