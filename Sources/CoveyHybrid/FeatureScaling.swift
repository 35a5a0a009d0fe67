import CoveyRuntime

/// How numeric feature columns are brought to a common scale. Raw values are those of the header.
public enum FeatureScaling: Int32, Sendable, Codable {
    /// As given.
    case none = 0
    /// (x - mean) / standard deviation of the population.
    case standard = 1
    /// (x - median) / (q75 - q25), linear quantiles, as scikit-learn's RobustScaler; the standard deviation where the quartiles
    /// are equal.
    case robust = 2
}

/// A fitted scaling of one column: (x - centre) / scale, and 0 throughout for a column that was constant in fitting. Kept
/// as halves, which gives the same numbers and cannot overflow where x - centre does.
struct ColumnScaling: Sendable, Equatable, Codable {
    let halfCentre: Double
    /// 0 = constant.
    let halfScale: Double

    init(halfCentre: Double, halfScale: Double) {
        self.halfCentre = halfCentre
        self.halfScale = halfScale
    }

    init(_ scaling: FeatureScaling, _ column: ColumnSummary) {
        switch scaling {
        case .none:
            self.init(halfCentre: 0, halfScale: 0.5)
        case .standard:
            self.init(halfCentre: column.mean * 0.5, halfScale: column.isConstant ? 0 : column.deviation * 0.5)
        case .robust:
            let spread = column.halfUpperQuartile - column.halfLowerQuartile
            self.init(
                halfCentre: column.halfMedian,
                halfScale: column.isConstant ? 0 : spread > 0 ? spread : column.deviation * 0.5)
        }
    }

    /// Whether the numbers, which may come from a file, are ones that fitting can give.
    var isValid: Bool { halfCentre.isFinite && halfScale.isFinite && halfScale >= 0 }

    /// Not NaN for a finite number; infinite where the scale is tiny.
    @inline(__always)
    func scaled(_ value: Double) -> Double {
        halfScale == 0 ? 0 : (value * 0.5 - halfCentre) / halfScale
    }
}
