import CoveyNumerics
import CoveyRuntime
import CoveyTables

/// A column's numbers by their rank, as the quantile of a normal distribution (Bliss 1967; scikit-learn's
/// QuantileTransformer): of m values, x stands at
///
///     p = (#{values < x} + #{values <= x}) / 2m, held within [1/2m, 1 - 1/2m],   Phi^-1(p) / 1.349
///
/// so that the quartiles of distinct values lie 1 apart. Between the values that are kept, at most 1,024, it is linear;
/// beyond the last it is that of the last.
struct QuantileScaling: Sendable, Equatable {
    /// Ascending, each with where it stands.
    let values: [Double]
    let places: [Double]

    static let most = 1024
    private static let quartiles = 1.349

    init(values: [Double], places: [Double]) {
        self.values = values
        self.places = places
    }

    /// NaN = missing. O(n log n) time, 8 bytes a value.
    init(_ column: Strided<Double>, _ execution: Execution) throws {
        try execution.reserve(column.count, of: 8, for: "the quantiles of a column")
        var sorted: [Double] = []
        sorted.reserveCapacity(column.count)
        try execution.forEach(0..<column.count) { row in
            // -0 and 0 are the same number.
            if !column[row].isNaN { sorted.append(column[row] + 0) }
        }
        sorted.sort()
        let count = Double(sorted.count)
        /// Where a value stands that is at the places first..<end.
        func place(_ first: Int, _ end: Int) -> Double {
            let share = min(1 - 0.5 / count, max(0.5 / count, Double(first + end) / 2 / count))
            let quantile = WilsonInterval.quantile(confidence: abs(2 * share - 1))
            return (share < 0.5 ? -quantile : quantile) / QuantileScaling.quartiles
        }
        var distinct = 0
        for place in sorted.indices where place == 0 || sorted[place] != sorted[place - 1] { distinct += 1 }
        var values: [Double] = []
        var places: [Double] = []
        var first = 0
        // Of more values than are kept those where a step of the normal distribution begins.
        var next = 0
        let steps = distinct > QuantileScaling.most ? QuantileScaling.ranks(sorted.count) : []
        while first < sorted.count {
            var end = first + 1
            while end < sorted.count, sorted[end] == sorted[first] { end += 1 }
            var isKept = steps.isEmpty
            while next < steps.count, steps[next] < end {
                isKept = true
                next += 1
            }
            if isKept {
                values.append(sorted[first])
                places.append(place(first, end))
            }
            first = end
        }
        self.values = values
        self.places = places
    }

    /// Ranks of sorted values that lie about evenly on the normal distribution, ascending.
    private static func ranks(_ count: Int) -> [Int] {
        let widest = WilsonInterval.quantile(confidence: 1 - 1 / Double(count))
        return (0..<most).map { step in
            let place = widest * (2 * Double(step) / Double(most - 1) - 1)
            return min(count - 1, max(0, Int(NormalDistribution.share(below: place) * Double(count))))
        }
    }

    var isValid: Bool {
        !values.isEmpty && values.count == places.count && values.count <= QuantileScaling.most
            && values.allSatisfy(\.isFinite) && places.allSatisfy { abs($0) <= 100 }
            && zip(values, values.dropFirst()).allSatisfy { $0 < $1 }
            && zip(places, places.dropFirst()).allSatisfy { $0 <= $1 }
    }

    func scaled(_ value: Double) -> Double {
        var (low, high) = (0, values.count)
        while low < high {
            let middle = (low + high) / 2
            if values[middle] < value { low = middle + 1 } else { high = middle }
        }
        if low == values.count { return places[low - 1] }
        if low == 0 || values[low] == value { return places[low] }
        // Halves: the difference of two large numbers overflows.
        let width = values[low] * 0.5 - values[low - 1] * 0.5
        let share = (value * 0.5 - values[low - 1] * 0.5) / width
        return places[low - 1] + (places[low] - places[low - 1]) * min(1, max(0, share))
    }
}
