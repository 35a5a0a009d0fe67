import CoveyRuntime
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

    /// The most values that are worth sorting.
    static let largest = 1 << 17

    /// Narrows a window of very many values to the surroundings of the bound that is best among a thousand, until there
    /// are few enough or they do not get fewer.
    static func narrow(
        _ rows: inout [(value: Double, gain: Double)], _ floor: inout Double, _ ceiling: inout Double, isLow: Bool,
        _ execution: Execution
    ) throws {
        let parts = 1024
        while rows.count > largest {
            let least = rows.reduce(Double.infinity) { min($0, $1.value) }
            let width = (rows.reduce(-Double.infinity) { max($0, $1.value) } - least) / Double(parts)
            guard width > 0, width.isFinite, least + width > least else { return }
            try execution.check()
            var sums = [Double](repeating: 0, count: parts)
            for row in rows { sums[min(parts - 1, Int((row.value - least) / width))] += row.gain }
            // What lies from the bound on is inside, or what lies below it.
            var (sum, best, place) = (0.0, 0.0, 0)
            for part in 0..<parts {
                sum += isLow ? -sums[part] : sums[part]
                if sum > best { (best, place) = (sum, part + 1) }
            }
            let (low, high) = (least + Double(place - 2) * width, least + Double(place + 2) * width)
            let before = rows.count
            try execution.check()
            rows.removeAll { !($0.value > low && $0.value < high) }
            floor = max(floor, low)
            ceiling = min(ceiling, high)
            if rows.count > before / 2 { return }
        }
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

    /// Whether the values on either side of a bound stay there where they come as 32-bit numbers; also where no bound
    /// could keep them apart.
    private func isApart(_ bound: Double) -> Bool {
        var (low, high) = (0, values.count)
        while low < high {
            let middle = (low + high) / 2
            if values[middle] < bound { low = middle + 1 } else { high = middle }
        }
        let below = low == 0 ? floor : values[low - 1]
        let above = low == values.count ? ceiling : values[low]
        guard Float(below) < Float(above) else { return true }
        return Double(Float(below)) < bound && Double(Float(above)) >= bound
    }

    /// A bound that is not written as a person would, where no short one will do: between its neighbours.
    private var between: Double {
        let (exact, (above, through)) = (bound, range)
        guard above.isFinite, through.isFinite, !isApart(exact) else { return exact }
        let middle = above + (through - above) / 2
        return middle > above && isApart(middle) ? middle : exact
    }

    /// The most nats that a short number may lose: less than what one row says.
    private static let tolerance = 1.0

    /// A bound as a person would write it: each digit has to be worth its ln 10 nats. Where rows say nothing between
    /// two of them, the true bound lies anywhere between, on average in the middle: a number near either of them costs
    /// almost a digit more.
    var rounded: Double {
        var result = between
        var lowest = Double.infinity
        for short in shortNumbers {
            let loss = self.loss(short.value)
            guard loss <= ThresholdWindow.tolerance, isApart(short.value) else { continue }
            let aside = min(1, max(0, 2 * short.aside - 1))
            let cost = loss + log(10) * (Double(short.digits) + 0.9 * aside) + 1e-3 * short.aside
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
        return numbers.filter { $0.digits < digits && isApart($0.value) }
            .sorted { ($0.digits, $0.aside, $0.value) < ($1.digits, $1.aside, $1.value) }.map(\.value)
    }

    /// The best bounds that lie on the values' own grid: whole units stay whole.
    private var gap: (low: Double, high: Double) {
        let (above, through) = range
        guard above.isFinite, through.isFinite else { return (through, through) }
        let largest = max(abs(values.first ?? 0), abs(values.last ?? 0))
        for power in stride(from: 6, through: -6, by: -1) {
            let step = power >= 0 ? pow10(power) : 1 / pow10(-power)
            guard step <= through - above + 1e-9 * step, largest < 1e15 * step else { continue }
            let isGrid = values.allSatisfy { abs(($0 / step).rounded() * step - $0) <= 1e-9 * step }
            if isGrid { return (min(above + step, through), through) }
        }
        return (above, through)
    }

    /// Numbers near the best bound with few digits. `aside` is 0 in the middle of the best ones and 1 at their ends.
    private var shortNumbers: [(value: Double, digits: Int, aside: Double)] {
        let exact = bound
        guard exact.isFinite else { return [] }
        let (above, through) = range
        let reach = max(abs(ceiling.isFinite ? ceiling : exact), abs(floor.isFinite ? floor : exact))
        guard reach > 0 else { return [] }
        let gap = self.gap
        let middle = gap.low + (gap.high - gap.low) / 2
        let half = max((gap.high - gap.low) / 2, 1e-12 * reach)
        var result: [(value: Double, digits: Int, aside: Double)] = []
        func consider(_ value: Double, digits: Int) {
            guard value > floor && value <= ceiling else { return }
            result.append((value, digits, abs(value - middle) / half))
        }
        consider(0, digits: 0)
        let top = min(22, Int(log10(reach).rounded(.up)))
        for power in stride(from: top, through: max(-22, top - 17), by: -1) {
            let step = power >= 0 ? pow10(power) : 1 / pow10(-power)
            // Around the middle and either end of the best range.
            for centre in [above, middle, through] where centre.isFinite {
                let nearest = (centre / step).rounded()
                guard abs(nearest) < 1e15 else { continue }
                for multiple in Int(nearest) - 3...Int(nearest) + 3 where multiple != 0 && multiple % 10 != 0 {
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
