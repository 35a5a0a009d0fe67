import CoveyNumerics
import Glibc

/// The share c of all fraud that is known, where known fraud is compared with rows of which nobody knows. A share of
/// known fraud is then c times the share of fraud, if which frauds are known is chance.
///
/// No set of rows can have a share of known fraud above c, but by chance. So the highest lower bound over sets of rows
/// is one of c, and close to it if one of them is all fraud: TIcE (Bekker and Davis 2018), with the beginnings of the
/// rows by their evidence, and the nodes of the clustering's tree, in the place of a decision tree's.
///
/// The highest of many bounds is too high too often. `low` is a bound that holds for all sets that were looked at
/// (Bonferroni); `high` takes the set to be all fraud.
struct KnownShare: Sendable, Equatable {
    let share: Double
    let low: Double
    let high: Double

    /// Of the one-sided bounds.
    static let confidence = 0.95
    /// The least share that an estimate may give. Below, the rows that are most fraud are more likely a mix of fraud
    /// and others than all fraud, and nothing in the labels tells one from the other.
    static let least = 0.1

    private init(share: Double, low: Double, high: Double) {
        self.share = share
        self.low = low
        self.high = high
    }

    /// One that was given.
    init(exact share: Double) {
        self.share = share
        low = share
        high = share
    }

    /// The estimate, or the least that is believed.
    var believed: KnownShare {
        share >= KnownShare.least ? self : KnownShare(share: KnownShare.least, low: low, high: 1)
    }

    /// If so large a share of all rows is labelled. Fraud is known as often as anything is, or more often: it is
    /// often labelled sooner than the rest, which is legitimate once the time to complain is over. Then the purest
    /// set's bound says how much more.
    init(labelled share: Double, purest: KnownShare?) {
        self.share = max(share, purest?.low ?? 0)
        low = self.share
        high = max(self.share, purest?.share ?? 0)
    }

    /// Of the set with the highest bound, out of `looked` sets.
    /// - Parameter isChosenByLabels: whether the labels themselves drew the sets, so that some of them hold much known
    ///   fraud by chance. Then the share is the corrected bound.
    init(fraud: Int, of size: Int, looked: Int, isChosenByLabels: Bool) {
        let bound = KnownShare.lowerBound(successes: fraud, trials: size)
        let corrected = KnownShare.lowerBound(
            successes: fraud, trials: size, confidence: KnownShare.confidence(forEachOf: looked))
        low = min(bound, corrected)
        share = isChosenByLabels ? low : bound
        let interval = WilsonInterval(
            successes: fraud, trials: size, z: WilsonInterval.quantile(confidence: KnownShare.confidence))
        high = max(share, interval.high)
    }

    /// The confidence that each of `looked` bounds needs, so that all of them hold together (Bonferroni).
    static func confidence(forEachOf looked: Int) -> Double { 1 - (1 - confidence) / Double(max(1, looked)) }

    /// The lower end of the exact interval of a share (Clopper and Pearson 1934), one-sided: the share at which as many
    /// successes or more have the chance 1 - confidence. 0 for no successes.
    static func lowerBound(
        successes: Int, trials: Int, confidence: Double = KnownShare.confidence
    ) -> Double {
        guard successes > 0, trials >= successes else { return 0 }
        var (low, high) = (0.0, Double(successes) / Double(trials))
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if upperTail(successes, trials, middle) < 1 - confidence { low = middle } else { high = middle }
        }
        return low
    }

    /// P(X >= successes) of a binomial X, for a share below successes / trials, where terms fall.
    private static func upperTail(_ successes: Int, _ trials: Int, _ share: Double) -> Double {
        guard share > 0 else { return 0 }
        func logFactorial(_ n: Int) -> Double {
            // lgamma would write the process-wide signgam, which is the host's.
            var sign: Int32 = 0
            return lgamma_r(Double(n) + 1, &sign)
        }
        let ways = logFactorial(trials) - logFactorial(successes) - logFactorial(trials - successes)
        var term = exp(ways + Double(successes) * log(share) + Double(trials - successes) * log1p(-share))
        var sum = 0.0
        var count = successes
        while count <= trials, term > sum * 1e-16 {
            sum += term
            term *= Double(trials - count) / Double(count + 1) * share / (1 - share)
            count += 1
        }
        return sum
    }
}
