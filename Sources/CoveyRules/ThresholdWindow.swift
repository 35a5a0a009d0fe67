import Glibc

/// The values near a bound of an interval and what each brings to the rule: where the bound lies best, and where it is
/// written shortest.
struct ThresholdWindow {
    /// The bound may go anywhere from `floor` (exclusive) to `ceiling` (inclusive).
    private let floor: Double
    private let ceiling: Double
    /// Ascending.
    private let values: [Double]
    /// sums[k] = what values[k...] bring to an interval that includes them.
    private let sums: [Double]
    /// The best number of values below the bound.
    private let best: Int
    private let isLow: Bool

    /// - Parameters:
    ///   - rows: the values inside the window, and what each brings to a rule that includes it.
    ///   - isLow: whether values from the bound on are included, or those below it.
    init(_ rows: [(value: Double, gain: Double)], floor: Double, ceiling: Double, isLow: Bool) {
        let sorted = rows.sorted { $0.value < $1.value }
        values = sorted.map(\.value)
        var sums = [Double](repeating: 0, count: sorted.count + 1)
        let sign = isLow ? 1.0 : -1.0
        for index in sorted.indices.reversed() {
            sums[index] = sums[index + 1] + sign * sorted[index].gain
        }
        self.sums = sums
        self.floor = floor
        self.ceiling = ceiling
        self.isLow = isLow
        var best = 0
        for index in 1..<max(1, sums.count)
        where sums[index] > sums[best] && (index == sorted.count || sorted[index - 1].value < sorted[index].value) {
            best = index
        }
        self.best = best
    }

    /// Bounds in this range, its lower end not included, are all the best one.
    private var range: (above: Double, through: Double) {
        (best == 0 ? floor : values[best - 1], best == values.count ? ceiling : values[best])
    }

    /// The best bound; infinite where the interval needs none on this side.
    var bound: Double {
        if isLow { return range.above == -.infinity ? -.infinity : range.through }
        // Below the bound is inside: as near to the last value inside as to the first one outside.
        return range.through
    }

    /// What a bound loses against the best one, in nats.
    private func loss(_ bound: Double) -> Double {
        var low = 0
        var high = values.count
        while low < high {
            let middle = (low + high) / 2
            if values[middle] < bound { low = middle + 1 } else { high = middle }
        }
        return sums[best] - sums[low]
    }

    /// The most nats that a short number may lose: less than what one row says.
    private static let tolerance = 1.0

    /// A bound as a person would write it: each digit has to be worth its ln 10 nats.
    var rounded: Double {
        var result = bound
        var lowest = Double.infinity
        for short in shortNumbers {
            let loss = self.loss(short.value)
            guard loss <= ThresholdWindow.tolerance else { continue }
            let cost = loss + log(10) * Double(short.digits) + 1e-3 * short.away
            if cost < lowest {
                lowest = cost
                result = short.value
            }
        }
        return result
    }

    /// Numbers of fewer digits than `bound`, the shortest first, of equally short ones the nearest.
    func shorter(than bound: Double) -> [Double] {
        let numbers = shortNumbers
        let digits = numbers.first { $0.value == bound }?.digits ?? 17
        return numbers.filter { $0.digits < digits }
            .sorted { ($0.digits, $0.away, $0.value) < ($1.digits, $1.away, $1.value) }.map(\.value)
    }

    /// Numbers near the best bound with few digits. `away` is 0 where they are among the best, otherwise how far they are from
    /// it, as a share of the window.
    private var shortNumbers: [(value: Double, digits: Int, away: Double)] {
        let exact = bound
        guard exact.isFinite else { return [] }
        let (above, through) = range
        let reach = max(abs(ceiling.isFinite ? ceiling : exact), abs(floor.isFinite ? floor : exact))
        guard reach > 0 else { return [] }
        var result: [(value: Double, digits: Int, away: Double)] = []
        func consider(_ value: Double, digits: Int) {
            guard value > floor && value <= ceiling else { return }
            let away = value > above && value <= through ? 0 : abs(value - exact) / reach
            result.append((value, digits, away))
        }
        consider(0, digits: 0)
        let top = min(22, Int(log10(reach).rounded(.up)))
        for power in stride(from: top, through: max(-22, top - 17), by: -1) {
            let step = power >= 0 ? pow10(power) : 1 / pow10(-power)
            // Around either end of the best range.
            for centre in [above, through] where centre.isFinite {
                let middle = (centre / step).rounded()
                guard abs(middle) < 1e15 else { continue }
                for multiple in Int(middle) - 3...Int(middle) + 3 where multiple != 0 && multiple % 10 != 0 {
                    let value = power >= 0 ? Double(multiple) * pow10(power) : Double(multiple) / pow10(-power)
                    consider(value, digits: String(abs(multiple)).utf8.count)
                }
            }
        }
        return result
    }

    /// Exact for 0 to 22.
    private func pow10(_ power: Int) -> Double {
        (0..<power).reduce(1.0) { product, _ in product * 10 }
    }
}
