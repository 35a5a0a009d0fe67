import Glibc

/// Whether shares change over periods: the Cochran-Armitage test for a trend (Cochran 1954, Armitage 1955), by the
/// normal approximation, corrected for the number of rules by Holm's method (1979).
enum BacktestTrend {
    /// z of a trend of `hits` among `trials` over the periods; positive where the share rises. nil where nothing can be
    /// said.
    static func z(_ hits: [Double], _ trials: [Double]) -> Double? {
        let all = trials.reduce(0, +)
        let share = all > 0 ? hits.reduce(0, +) / all : 0
        guard share > 0, share < 1 else { return nil }
        var (statistic, first, second) = (0.0, 0.0, 0.0)
        for index in hits.indices {
            let score = Double(index)
            statistic += score * (hits[index] - trials[index] * share)
            first += trials[index] * score
            second += trials[index] * score * score
        }
        let variance = share * (1 - share) * (second - first * first / all)
        return variance > 0 ? statistic / variance.squareRoot() : nil
    }

    /// P(Z < z) of a standard normal Z.
    static func below(_ z: Double) -> Double { 0.5 * erfc(-z / 2.0.squareRoot()) }

    static func decay(byPeriod: [Backtest.Tally], all: [Backtest.Tally], rules: Int) -> [Backtest.Decay] {
        let periods = all.count
        var (precision, hitRate) = ([Double?](), [Double?]())
        for rule in 0..<rules {
            let own = byPeriod[rule * periods..<(rule + 1) * periods]
            let falling = z(own.map { Double($0.fraud) }, own.map { Double($0.fraud + $0.legitimate) })
            precision.append(falling.map(below))
            let changing = z(own.map { Double($0.rows) }, all.map { Double($0.rows) })
            hitRate.append(changing.map { min(1, 2 * below(-abs($0))) })
        }
        let (falls, changes) = (holm(precision), holm(hitRate))
        return (0..<rules).map { rule in
            var recent = Backtest.Tally()
            for period in (periods - (periods + 3) / 4)..<periods { recent += byPeriod[rule * periods + period] }
            return Backtest.Decay(precision: falls[rule], hitRate: changes[rule], recent: recent)
        }
    }

    private static func holm(_ values: [Double?]) -> [Double?] {
        let corrected = ChanceTest.holm(values.compactMap { $0 })
        var next = 0
        return values.map { value in
            guard value != nil else { return nil }
            next += 1
            return corrected[next - 1]
        }
    }
}
