import CoveyRuntime
import Glibc
import Testing

@testable import CoveyRules

@Suite struct ThresholdWindowTests {
    private func gains(
        _ rows: [(value: Double, isTarget: Bool)], _ weights: Evidence.Weights
    ) -> [(value: Double, gain: Double)] {
        rows.map { ($0.value, $0.isTarget ? weights.positive : weights.negative) }
    }

    /// The best bound against every bound there is, and the loss of the rounded one.
    @Test(arguments: 0..<40) func isTheBestBound(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let isLow = seed % 2 == 0
        let weights = Evidence.Weights(inside: 0.8, outside: 0.01)
        let rows = (0..<200).map { _ -> (value: Double, isTarget: Bool) in
            let value = (random.uniform() * 40).rounded() / 4
            return (value, random.uniform() < ((value >= 6.25) == isLow ? 0.8 : 0.1))
        }
        func brings(_ bound: Double) -> Double {
            rows.filter { ($0.value >= bound) == isLow }
                .reduce(0) { $0 + ($1.isTarget ? weights.positive : weights.negative) }
        }
        let window = ThresholdWindow(gains(rows, weights), floor: -1, ceiling: 11, isLow: isLow)
        let best = (Set(rows.map(\.value)).union([11])).map(brings).max() ?? 0
        #expect(abs(brings(window.bound) - best) < 1e-9)
        #expect(best - brings(window.rounded) < 1.0 + 1e-9)
        #expect(window.rounded.description.utf8.count <= window.bound.description.utf8.count)
        #expect(window.rounded > -1 && window.rounded <= 11)
    }

    @Test(arguments: [
        (99.2, 100.7, 100.0), (0.123, 0.131, 0.13), (-3.7, -2.2, -3.0), (-0.4, 0.3, 0.0), (1234.5, 1262.1, 1250.0),
        (7.0, 8.0, 8.0), (1.5e-9, 2.6e-9, 2e-9), (3.1e17, 4.2e17, 4e17),
    ])
    func isShortWhereNothingSpeaksAgainstIt(below: Double, from: Double, short: Double) {
        // Everything from `from` on is in the target, nothing up to `below`.
        let rows =
            (1...20).map { (value: below - Double($0) * abs(below) / 10, isTarget: false) }
            + (0..<20).map { (value: from + Double($0) * abs(from) / 10, isTarget: true) } + [(below, false)]
        let window = ThresholdWindow(
            gains(rows, .init(inside: 0.9999, outside: 0.0001)), floor: -.infinity, ceiling: .infinity, isLow: true)
        #expect(window.bound == from)
        #expect(window.rounded == short || window.rounded.description.utf8.count <= short.description.utf8.count)
        #expect(window.rounded > below && window.rounded <= from)
    }

    @Test func endsStayOpen() {
        let rows = [(value: 1.0, isTarget: true), (2.0, true), (3.0, false)]
        let weights = Evidence.Weights(inside: 0.9, outside: 0.1)
        let low = ThresholdWindow(gains(Array(rows[..<2]), weights), floor: -.infinity, ceiling: 5, isLow: true)
        #expect(low.bound == -.infinity && low.rounded == -.infinity)
        let high = ThresholdWindow(gains(rows, weights), floor: 0, ceiling: .infinity, isLow: false)
        #expect(high.bound == 3 && high.rounded == 3)
        let none = ThresholdWindow([], floor: 0, ceiling: 1.7e308, isLow: true)
        #expect(none.rounded > 0 && none.rounded <= 1.7e308)
    }
}
