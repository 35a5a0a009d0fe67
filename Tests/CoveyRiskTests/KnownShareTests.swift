import CoveyRuntime
import Testing

@testable import CoveyRisk

@Suite struct KnownShareTests {
    /// The chance of as many successes or more, term by term, at the bound.
    @Test(arguments: [(3, 3), (5, 10), (10, 100), (1, 1000), (400, 1000), (27, 31)])
    func theBoundHasTheTail(successes: Int, trials: Int) {
        let share = KnownShare.lowerBound(successes: successes, trials: trials)
        // Pascal's recurrence over the trials: the chances of 0, 1, ... successes.
        var chances = [1.0] + [Double](repeating: 0, count: trials)
        for trial in 1...trials {
            for count in stride(from: trial, through: 1, by: -1) {
                chances[count] = chances[count] * (1 - share) + chances[count - 1] * share
            }
            chances[0] *= 1 - share
        }
        #expect(abs(chances[successes...].reduce(0, +) - 0.05) < 1e-9)
    }

    /// scipy 1.14: scipy.stats.beta.ppf(0.05, k, n - k + 1).
    @Test func equalsSciPy() {
        #expect(abs(KnownShare.lowerBound(successes: 5, trials: 10) - 0.22244110100812578) < 1e-9)
        #expect(abs(KnownShare.lowerBound(successes: 3, trials: 3) - 0.36840314986403866) < 1e-9)
        #expect(KnownShare.lowerBound(successes: 0, trials: 3) == 0)
    }

    /// Labelled rows say how much is known at least, the purest set how much at most.
    @Test func fraudIsKnownAsOftenAsTheRestOrMoreOften() {
        let purest = KnownShare(fraud: 18, of: 40, looked: 10, isChosenByLabels: false)
        let within = KnownShare(labelled: (purest.low + purest.share) / 2, purest: purest)
        #expect(within.share == (purest.low + purest.share) / 2 && within.low == within.share)
        #expect(within.high == purest.share)
        let less = KnownShare(labelled: purest.low / 2, purest: purest)
        #expect(less == KnownShare(labelled: purest.low, purest: purest) && less.share == purest.low)
        #expect(KnownShare(labelled: 0.9, purest: purest) == KnownShare(exact: 0.9))
        #expect(KnownShare(labelled: 0.3, purest: nil) == KnownShare(exact: 0.3))
    }

    @Test func theRankTestCountsPairs() throws {
        var random = SeededRandom(seed: 3)
        let values = (0..<60).map { _ in (value: Double(Int(random.uniform() * 8)), isOfKind: random.uniform() < 0.3) }
        var pairs = 0.0
        var above = 0.0
        for a in values where a.isOfKind {
            for b in values where !b.isOfKind {
                pairs += 1
                above += a.value > b.value ? 1 : a.value == b.value ? 0.5 : 0
            }
        }
        #expect(try abs(RankTest(values.count, Execution()) { values[$0] }.area - above / pairs) < 1e-12)
        #expect(try RankTest(0, Execution()) { _ in (0, true) }.deviations == 0)
        #expect(try RankTest(100, Execution()) { (Double($0), $0 >= 90) }.deviations > 4)
    }

    /// At the maximum both sums of errors vanish, but for the weak prior of the slope.
    @Test func theCalibrationIsTheMostLikely() throws {
        var random = SeededRandom(seed: 9)
        let sums = (0..<500).map { _ in 6 * random.uniform() - 3 }
        let fraud = sums.map { random.uniform() < 1 / (1 + exponential(1.5 - 0.8 * $0)) }
        let fitted = try Calibration(
            sums, fraud: { fraud[$0] }, known: fraud.filter { $0 }.count, execution: Execution())
        var errors = (0.0, 0.0)
        for (row, sum) in sums.enumerated() {
            let error = (fraud[row] ? 1 : 0) - fitted.probability(sum)
            errors.0 += error
            errors.1 += error * sum
        }
        #expect(abs(errors.0) < 1e-3 && abs(errors.1 - 0.01 * (fitted.slope - 1)) < 1e-3)
        // Perfectly separated, and reversed: still finite, still rising.
        let apart = try Calibration(sums, fraud: { sums[$0] > 1 }, known: 100, execution: Execution())
        #expect(apart.slope.isFinite && apart.slope > 1)
        let reversed = try Calibration(sums, fraud: { sums[$0] < 1 }, known: 300, execution: Execution())
        #expect(reversed.slope == 0.01)
    }
}
