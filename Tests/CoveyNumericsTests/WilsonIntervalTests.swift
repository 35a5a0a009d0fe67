import Glibc
import Testing

@testable import CoveyNumerics

@Suite struct WilsonIntervalTests {
    /// Published: Newcombe 1998, Statistics in Medicine 17, table I, method 3 (score, no continuity correction).
    @Test(arguments: [
        (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718),
    ])
    func equalsNewcombe(successes: Int, trials: Int, low: Double, high: Double) {
        let interval = WilsonInterval(successes: successes, trials: trials, confidence: 0.95)
        #expect(abs(interval.low - low) < 5e-5)
        #expect(abs(interval.high - high) < 5e-5)
    }

    /// The ends solve |p - share| = z sqrt(p (1 - p) / n), which is what defines the interval.
    @Test(arguments: [1, 3, 17, 1000], [0.5, 0.8, 0.95, 0.9999])
    func endsSolveTheScoreEquation(trials: Int, confidence: Double) {
        let z = WilsonInterval.quantile(confidence: confidence)
        for successes in 0...trials where successes % max(1, trials / 7) == 0 {
            let share = Double(successes) / Double(trials)
            let interval = WilsonInterval(successes: successes, trials: trials, z: z)
            for end in [interval.low, interval.high] where end > 0 && end < 1 {
                #expect(abs(abs(end - share) - z * (end * (1 - end) / Double(trials)).squareRoot()) < 1e-12)
            }
            #expect(interval.low <= share && share <= interval.high)
            #expect((interval.low == 0) == (successes == 0))
            #expect((interval.high == 1) == (successes == trials))
        }
    }

    @Test func quantilesOfTheNormalDistribution() {
        for (confidence, z) in [
            (0.5, 0.6744897501960817), (0.8, 1.2815515655446004), (0.9, 1.6448536269514722),
            (0.95, 1.959963984540054), (0.99, 2.5758293035489004), (0.9999, 3.890591886413124),
        ] {
            #expect(abs(WilsonInterval.quantile(confidence: confidence) - z) < 1e-9)
            #expect(abs(erf(WilsonInterval.quantile(confidence: confidence) / 2.0.squareRoot()) - confidence) < 1e-13)
        }
    }

    @Test func noTrialsSayNothing() {
        let interval = WilsonInterval(successes: 0, trials: 0, confidence: 0.95)
        #expect(interval.low == 0 && interval.high == 1)
    }
}
