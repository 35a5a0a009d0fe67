/// How a number is standardised: (x - mean) / deviation.
public struct Scaling: Sendable, Equatable {
    public var mean: Double
    /// Above 0.
    public var deviation: Double

    public init(mean: Double, deviation: Double) {
        self.mean = mean
        self.deviation = deviation
    }

    public var isValid: Bool { mean.isFinite && deviation.isFinite && deviation > 0 }

    /// Beyond this many deviations a value counts as this many: no number that is finite can make a state that is not.
    public static let limit = 10_000.0

    /// The standardised value; 0 for NaN (missing).
    @inlinable
    public func apply(_ value: Double) -> Float {
        if value.isNaN { return 0 }
        return Float(min(Scaling.limit, max(-Scaling.limit, (value - mean) / deviation)))
    }
}
