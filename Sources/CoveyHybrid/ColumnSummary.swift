import CoveyNumerics
import CoveyRuntime
import CoveyTables
import Glibc

/// What scaling needs to know of a numeric column. Numbers whose doubled or squared value would overflow are handled.
struct ColumnSummary {
    private(set) var present = 0
    private(set) var missing = 0
    private(set) var smallest = Double.infinity
    private(set) var largest = -Double.infinity
    private(set) var mean = 0.0
    /// Of the population.
    private(set) var deviation = 0.0
    /// Half of the median and of the quartiles: their difference always has room in a double. 0 if all are missing.
    private(set) var halfMedian = 0.0
    private(set) var halfLowerQuartile = 0.0
    private(set) var halfUpperQuartile = 0.0

    /// As in scikit-learn: a spread that is within the rounding of that many numbers is none.
    var isConstant: Bool { present == 0 || smallest == largest || deviation <= rounding(of: mean) }
    /// Half of the difference between the quartiles; 0 if it is within the rounding of the numbers.
    var halfSpread: Double {
        let spread = halfUpperQuartile - halfLowerQuartile
        return spread <= rounding(of: halfMedian) ? 0 : spread
    }

    private func rounding(of value: Double) -> Double { Double(present) * 0x1p-52 * abs(value) }

    /// NaN = missing; infinite values are refused, by name and row. O(values).
    init(_ values: Strided<Double>, name: String, execution: Execution) throws {
        try ColumnSummary.forEach(values, execution) { row, value in
            if value.isInfinite {
                throw CoveyError.invalidData("column \(quoted: name), row \(row): must not be infinite, got \(value)")
            }
            present += 1
            smallest = min(smallest, value)
            largest = max(largest, value)
        }
        missing = values.count - present
        guard present > 0 else { return }
        try measureMoments(values, execution)
        try measureQuantiles(values, execution)
    }

    private static func forEach(
        _ values: Strided<Double>, _ execution: Execution, _ body: (_ row: Int, _ value: Double) throws -> Void
    ) throws {
        for start in stride(from: 0, to: values.count, by: 1 << 16) {
            try execution.check()
            for row in start..<min(values.count, start + 1 << 16) {
                let value = values[row]
                if !value.isNaN { try body(row, value) }
            }
        }
    }

    /// Sums of differences from the smallest value, in a unit in which all numbers are small: equal numbers have
    /// exactly no deviation, and huge ones do not overflow.
    private mutating func measureMoments(_ values: Strided<Double>, _ execution: Execution) throws {
        let unit = powerOfTwo(below: max(abs(smallest), abs(largest)))
        let origin = smallest * unit
        var sum = 0.0
        try ColumnSummary.forEach(values, execution) { _, value in sum += value * unit - origin }
        let centre = sum / Double(present)
        var squares = 0.0
        try ColumnSummary.forEach(values, execution) { _, value in
            let difference = (value * unit - origin) - centre
            squares += difference * difference
        }
        mean = min(largest, max(smallest, (origin + centre) / unit))
        deviation = (squares / Double(present)).squareRoot() / unit
    }

    /// Linear quantiles, numpy's default.
    private mutating func measureQuantiles(_ values: Strided<Double>, _ execution: Execution) throws {
        let positions = [0.25, 0.5, 0.75].map { $0 * Double(present - 1) }
        let ranks = positions.flatMap { [Int($0), min(present - 1, Int($0) + 1)] }
        let statistics = try OrderStatistics.select(values, ranks: ranks, execution: execution)
        let halves = positions.indices.map { index in
            let low = statistics[2 * index] * 0.5
            let high = statistics[2 * index + 1] * 0.5
            let share = positions[index] - positions[index].rounded(.down)
            return share < 0.5 ? low + (high - low) * share : high - (high - low) * (1 - share)
        }
        (halfLowerQuartile, halfMedian, halfUpperQuartile) = (halves[0], halves[1], halves[2])
    }
}
