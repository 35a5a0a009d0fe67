import Glibc

/// What a rule's matches say about the target, in nats.
enum Evidence {
    /// The log-likelihood ratio of "the target's share differs inside and outside" over "it does not": mutual
    /// information times rows. Grows with coverage and with purity, so that a conjunction is best where all its true
    /// conditions and no others are in place. Negative where the share inside is the smaller one.
    static func gain(matched p: Double, _ n: Double, of positives: Double, _ negatives: Double) -> Double {
        let gain = entropy(p, n) + entropy(positives - p, negatives - n) - entropy(positives, negatives)
        return p * negatives >= n * positives ? gain : -gain
    }

    private static func entropy(_ a: Double, _ b: Double) -> Double {
        (a > 0 ? a * log(a / (a + b)) : 0) + (b > 0 ? b * log(b / (a + b)) : 0)
    }

    /// What one row of the target and one other row add to the likelihood by being matched, where the target's share is
    /// `inside` among matching rows and `outside` among the others. A set of rows that maximises the sum is the most
    /// likely one for these shares; working the shares out again and repeating climbs to a (local) maximum.
    struct Weights {
        let positive: Double
        let negative: Double

        init(inside: Double, outside: Double) {
            let tiny = 1e-9
            let q1 = min(max(inside, 2 * tiny), 1 - tiny)
            let q0 = min(max(outside, tiny), q1 / 1.000_001)
            positive = log(q1 / q0)
            negative = log((1 - q1) / (1 - q0))
        }

        /// Weights of the most likely shares for these counts. Half a row in each place keeps them finite.
        init(matched p: Double, _ n: Double, of positives: Double, _ negatives: Double) {
            self.init(
                inside: (p + 0.5) / (p + n + 1),
                outside: (positives - p + 0.5) / (positives - p + negatives - n + 1))
        }

        /// Weights that are even at a share of `rate`, of the size that the base rate gives.
        init(even rate: Double, base: Double) {
            let scale = 1 - log(max(base, 1e-9))
            positive = (1 - rate) * scale
            negative = -rate * scale
        }
    }
}
