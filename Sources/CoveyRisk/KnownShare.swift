import CoveyNumerics
import Glibc

/// The share c of all fraud that is known, where known fraud is compared with rows of which nobody knows. A share of
/// known fraud is then c times the share of fraud, if which frauds are known is chance.
///
/// No set of rows can have a share of known fraud above c, but by chance. So the highest lower bound over sets of rows
/// is one of c, and close to it where one of them is all fraud: TIcE (Bekker and Davis 2018), with the nodes of the
/// clustering's tree in the place of a decision tree's.
///
/// The highest of many bounds is too high too often. `low` is a bound that holds for all that were looked at at once
/// (Bonferroni); `high` takes the set to be all fraud.
struct KnownShare: Sendable, Equatable {
    let share: Double
    let low: Double
    let high: Double

    /// Of the one-sided bounds.
    static let confidence = 0.95

    /// One that was given.
    init(exact share: Double) {
        self.share = share
        low = share
        high = share
    }

    /// Where so large a share of all rows is labelled. Fraud is known as often as anything is, or more often: it is
    /// often labelled sooner than the rest, which is legitimate once the time to complain is over. Then the purest
    /// set's bound says how much more.
    init(labelled share: Double, purest: KnownShare?) {
        self.share = max(share, purest?.low ?? 0)
        low = self.share
        high = max(self.share, purest?.share ?? 0)
    }

    /// Of the set with the highest bound, out of so many that were looked at.
    init(fraud: Int, of size: Int, looked: Int) {
        share = KnownShare.lowerBound(successes: fraud, trials: size)
        let corrected = 1 - (1 - KnownShare.confidence) / Double(max(1, looked))
        low = min(share, KnownShare.lowerBound(successes: fraud, trials: size, confidence: corrected))
        let interval = WilsonInterval(
            successes: fraud, trials: size, z: WilsonInterval.quantile(confidence: KnownShare.confidence))
        high = max(share, interval.high)
    }

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
