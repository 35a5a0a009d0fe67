import Glibc

/// How far two histograms lie apart.
struct Shift: Sendable, Equatable {
    /// The population stability index: the sum of (p - q) ln(p / q), with half a row added to each bin.
    let index: Double
    /// Of the chi-squared test that both are samples of one distribution; 1 where there is nothing to compare.
    let p: Double

    init(_ new: [Int], _ old: [Int]) {
        let (total, base) = (new.reduce(0.0) { $0 + Double($1) }, old.reduce(0.0) { $0 + Double($1) })
        guard total > 0, base > 0, new.count == old.count else {
            index = 0
            p = 1
            return
        }
        let half = 0.5 * Double(new.count)
        let (scale, inverse) = ((base / total).squareRoot(), (total / base).squareRoot())
        var (sum, statistic, occupied) = (0.0, 0.0, 0)
        for (a, b) in zip(new, old) {
            let (share, before) = ((Double(a) + 0.5) / (total + half), (Double(b) + 0.5) / (base + half))
            sum += (share - before) * log(share / before)
            guard a > 0 || b > 0 else { continue }
            occupied += 1
            let difference = scale * Double(a) - inverse * Double(b)
            statistic += difference * difference / (Double(a) + Double(b))
        }
        index = sum
        p = occupied < 2 ? 1 : Shift.chiSquaredTail(statistic, Double(occupied - 1))
    }

    /// The chance of more than `value` in a chi-squared distribution: the regularised upper incomplete gamma function,
    /// by its series below a + 1 and by its continued fraction above (Numerical Recipes, 6.2).
    static func chiSquaredTail(_ value: Double, _ degrees: Double) -> Double {
        let (a, x) = (degrees / 2, value / 2)
        guard x > 0 else { return 1 }
        guard x.isFinite else { return 0 }
        // lgamma would write the process-wide signgam, which is the host's.
        var sign: Int32 = 0
        let front = exp(a * log(x) - x - lgamma_r(a, &sign))
        if x < a + 1 {
            var (term, sum, n) = (1 / a, 1 / a, a)
            for _ in 0..<10_000 where abs(term) > 1e-16 * sum {
                n += 1
                term *= x / n
                sum += term
            }
            return max(0, min(1, 1 - front * sum))
        }
        var b = x + 1 - a
        var (c, d) = (1e300, 1 / b)
        var fraction = d
        for step in 1...10_000 {
            let an = -Double(step) * (Double(step) - a)
            b += 2
            d = 1 / (an * d + b)
            c = b + an / c
            let change = c * d
            fraction *= change
            if abs(change - 1) < 1e-15 { break }
        }
        return max(0, min(1, front * fraction))
    }
}
