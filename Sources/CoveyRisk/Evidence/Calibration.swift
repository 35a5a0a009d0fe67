import CoveyRuntime

/// From a sum of evidence to the probability that a row is known to be fraud: a logistic regression on one number
/// (Platt 1999), so that order is kept.
struct Calibration: Sendable, Equatable, Codable {
    let intercept: Double
    let slope: Double

    /// More evidence never gives less risk.
    private static let leastSlope = 0.01
    /// Holds the slope near 1 if all is separated: as much as a hundredth of a row's curvature.
    private static let ridge = 0.01

    init(intercept: Double, slope: Double) {
        self.intercept = intercept
        self.slope = slope
    }

    var isValid: Bool { intercept.isFinite && slope.isFinite && slope >= Calibration.leastSlope }

    /// Newton's method on the likelihood, its steps halved where they overshoot.
    init(_ sums: [Double], fraud: (Int) -> Bool, known: Int, execution: Execution) throws {
        let centre = sums.reduce(0, +) / Double(max(1, sums.count))
        let base = min(1 - 1e-9, max(1e-9, Double(known) / Double(max(1, sums.count))))
        var slope = 1.0
        var level = logit(base)
        func loss(_ level: Double, _ slope: Double) throws -> Double {
            var sum = Calibration.ridge * (slope - 1) * (slope - 1) / 2
            try execution.forEach(sums.indices) { row in
                let value = level + slope * (sums[row] - centre)
                // log(1 + exp(value)) without overflow.
                sum += max(value, 0) + naturalLogarithm(1 + exponential(-abs(value))) - (fraud(row) ? value : 0)
            }
            return sum
        }
        var current = try loss(level, slope)
        for _ in 0..<100 {
            var gradient = (0.0, -Calibration.ridge * (slope - 1))
            var curvature = (1e-9, 0.0, Calibration.ridge)
            try execution.forEach(sums.indices) { row in
                let place = sums[row] - centre
                let share = logistic(level + slope * place)
                let error = (fraud(row) ? 1 : 0) - share
                let spread = share * (1 - share)
                gradient.0 += error
                gradient.1 += error * place
                curvature.0 += spread
                curvature.1 += spread * place
                curvature.2 += spread * place * place
            }
            let determinant = max(curvature.0 * curvature.2 - curvature.1 * curvature.1, 1e-18)
            var step = (
                (curvature.2 * gradient.0 - curvature.1 * gradient.1) / determinant,
                (curvature.0 * gradient.1 - curvature.1 * gradient.0) / determinant
            )
            var isBetter = false
            var length = 0.0
            for _ in 0..<40 {
                let next = (level + step.0, max(Calibration.leastSlope, slope + step.1))
                let value = try loss(next.0, next.1)
                // The last steps change the loss by less than its rounding.
                if value <= current + 1e-12 * max(1, abs(current)) {
                    isBetter = true
                    length = max(abs(next.0 - level) / max(1, abs(level)), abs(next.1 - slope) / slope)
                    (level, slope, current) = (next.0, next.1, value)
                    break
                }
                step = (step.0 / 2, step.1 / 2)
            }
            if !isBetter || length < 1e-11 { break }
        }
        intercept = level - slope * centre
        self.slope = slope
    }

    func probability(_ sum: Double) -> Double { logistic(intercept + slope * sum) }
}
