import Glibc

/// The Wilson score interval of a proportion (Wilson 1927). It is reliable for small counts and for proportions near 0
/// and 1.
public struct WilsonInterval: Sendable, Equatable {
    public let low: Double
    public let high: Double

    /// The interval of `successes` out of `trials`; 0 to 1 if there are no trials.
    /// - Parameter z: the two-sided normal quantile of the confidence; see `quantile`.
    public init(successes: Int, trials: Int, z: Double) {
        self.init(share: trials > 0 ? Double(successes) / Double(trials) : 0, trials: Double(trials), z: z)
    }

    /// The interval of a share among n trials. n does not have to be an integer.
    public init(share: Double, trials n: Double, z: Double) {
        guard n > 0 else {
            low = 0
            high = 1
            return
        }
        let scale = 1 + z * z / n
        let centre = (share + z * z / (2 * n)) / scale
        let half = z / scale * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
        // If no trial or every trial succeeded, one end is exactly 0 or 1. Rounding must not change it.
        low = share == 0 ? 0 : max(0, centre - half)
        high = share == 1 ? 1 : min(1, centre + half)
    }

    public init(successes: Int, trials: Int, confidence: Double) {
        self.init(successes: successes, trials: trials, z: WilsonInterval.quantile(confidence: confidence))
    }

    /// The range of confidences that options accept.
    public static let confidences = 0.5...0.9999

    /// Returns z with P(-z < Z < z) = confidence for a standard normal Z; 1.959964 for 0.95. It is computed by Newton's
    /// method on erfc, exact to rounding.
    public static func quantile(confidence: Double) -> Double {
        let tail = 1 - confidence
        var z = 1.5
        // erfc is convex for z > 0. From the left of the root, Newton's steps only increase z. From the right, one step
        // decreases it.
        for _ in 0..<60 {
            let density = (2 / Double.pi).squareRoot() * exp(-z * z / 2)
            let step = (erfc(z / 2.0.squareRoot()) - tail) / density
            z = max(0, z + step)
            if abs(step) < 1e-15 * max(1, z) { break }
        }
        return z
    }
}
