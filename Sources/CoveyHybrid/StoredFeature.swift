import CoveyRuntime
import CoveyTables
import Glibc

/// A feature column of a transform, with the way back from a hybrid row to the value that was given.
public struct StoredFeature: Sendable {
    let feature: FittedFeature
    let clip: Double
    /// The index of the feature's first column in a hybrid row.
    public let column: Int

    public var name: String { feature.name }
    public var kind: FeatureColumn.Kind { feature.kind }
    /// The categories that occurred in fitting.
    public var categories: [String] { feature.categories }
    /// Whether a row says anything about the value: not if the column was constant or its weight is 0.
    public var isKept: Bool { feature.factor > 0 && (feature.kind != .numeric || feature.scaling.halfScale > 0) }

    /// The value behind a row: a number, 0 or 1, or the index of a category; NaN if the row does not say it (missing, a
    /// category that fitting did not see, a column that is not kept). A missing value without an indicator is the
    /// median.
    public func value(of row: UnsafePointer<Float>) -> Double {
        guard isKept else { return .nan }
        let own = row + column
        if feature.hasIndicator, own[feature.outputs - 1] > 0 { return .nan }
        switch kind {
        case .numeric: return number(own[0])
        case .boolean:
            let value = Double(own[0]) / feature.factor
            return abs(value) < 0.01 ? 0 : abs(value - 1) < 0.01 ? 1 : .nan
        case .categorical:
            for index in feature.categories.indices where own[index] > 0 { return Double(index) }
            return .nan
        case .date: return .nan
        }
    }

    /// The number behind a stored one, within rounding; a number that was clipped comes back as the clip.
    func number(_ stored: Float) -> Double {
        let place = min(clip, max(-clip, Double(stored) / feature.factor))
        return feature.scaling.unscaled(place)
    }

    /// Whether a number says what was given: not at the clip, behind which numbers lie farther out, and not the median,
    /// which may stand for a missing one.
    public func isAsGiven(_ value: Double) -> Bool {
        kind == .numeric && isKept && value.isFinite && stored(value) != stored(feature.median)
            && abs(feature.scaling.scaled(value)) < clip * (1 - 1e-6)
    }

    /// The number with the fewest digits that the transform stores as the same float.
    public func simplest(_ value: Double) -> Double {
        guard kind == .numeric, isKept, value.isFinite else { return value }
        let wanted = stored(value)
        // Rounding to digits never gives 0.
        if stored(0) == wanted { return 0 }
        for digits in 1...16 {
            let simple = value.rounded(toDigits: digits)
            // All numbers beyond the clip are stored alike.
            if stored(simple) == wanted, abs(feature.scaling.scaled(simple)) <= clip * (1 + 1e-9) { return simple }
        }
        return value
    }

    private func stored(_ value: Double) -> Float {
        held(min(clip, max(-clip, feature.scaling.scaled(value))) * feature.factor)
    }
}

extension HybridFeatures {
    /// The feature columns in the order of fitting, for reading rows that the transform made.
    public var storedFeatures: [StoredFeature] {
        guard let features else { return [] }
        var column = embeddingOutputs
        return features.columns.map { feature in
            defer { column += feature.outputs }
            return StoredFeature(feature: feature, clip: features.clip, column: column)
        }
    }
}

extension ColumnScaling {
    /// The number that `scaled` brings to `place`; of a step of quantiles its lower end. Finite.
    func unscaled(_ place: Double) -> Double {
        if halfScale == 0 { return halfCentre * 2 }
        if let quantiles { return quantiles.unscaled(place) }
        let half = place * halfScale + halfCentre
        guard logUnit > 0 else { return ColumnScaling.finite(half * 2) }
        let number = half * 2
        return ColumnScaling.finite(number < 0 ? -logUnit * expm1(-number) : logUnit * expm1(number))
    }

    private static func finite(_ value: Double) -> Double {
        min(.greatestFiniteMagnitude, max(-.greatestFiniteMagnitude, value))
    }
}

extension QuantileScaling {
    /// The value that stands at `place`, linear between those that are kept.
    func unscaled(_ place: Double) -> Double {
        var (low, high) = (0, places.count)
        while low < high {
            let middle = (low + high) / 2
            if places[middle] < place { low = middle + 1 } else { high = middle }
        }
        if low == places.count { return values[low - 1] }
        if low == 0 || places[low] == place { return values[low] }
        let share = (place - places[low - 1]) / (places[low] - places[low - 1])
        return values[low - 1] * (1 - share) + values[low] * share
    }
}

extension Double {
    /// The nearest number with `digits` significant decimal digits, 1 to 17; the number itself if that is not finite.
    public func rounded(toDigits digits: Int) -> Double {
        guard self != 0, isFinite else { return self }
        let power = digits - 1 - Int(floor(log10(abs(self))))
        // Powers of ten up to 10^22 are exact.
        guard abs(power) <= 22 else { return self }
        let scale = pow(10, Double(abs(power)))
        let result = power >= 0 ? (self * scale).rounded() / scale : (self / scale).rounded() * scale
        return result.isFinite ? result : self
    }
}
