/// The standardisation of a number: (x - mean) / deviation.
public struct Scaling: Sendable, Equatable {
    public var mean: Double
    /// Above 0.
    public var deviation: Double

    public init(mean: Double, deviation: Double) {
        self.mean = mean
        self.deviation = deviation
    }

    public var isValid: Bool { mean.isFinite && deviation.isFinite && deviation > 0 }

    /// The largest absolute value of a standardised number. Larger ones are replaced by it, so that every finite input
    /// gives a finite state.
    public static let limit = 10_000.0

    /// Returns the standardised value; 0 if the value is NaN (missing).
    @inlinable
    public func apply(_ value: Double) -> Float {
        if value.isNaN { return 0 }
        return Float(min(Scaling.limit, max(-Scaling.limit, (value - mean) / deviation)))
    }
}
