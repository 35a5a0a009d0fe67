import CoveyRuntime
import CoveyTables
import Glibc

/// How numeric feature columns are brought to a common scale. Raw values are those of the header.
public enum FeatureScaling: Int32, Sendable, CaseIterable {
    /// As given.
    case none = 0
    /// (x - mean) / standard deviation of the population.
    case standard = 1
    /// (x - median) / (q75 - q25), linear quantiles, as scikit-learn's RobustScaler; the standard deviation where the
    /// quartiles are equal.
    case robust = 2
    /// The normal quantile of the share of values below, over that of the quartiles' distance: the same scale as
    /// `robust` for normal values, and no far values at all. See `QuantileScaling`.
    case quantile = 3
    /// `robust` on sign(x) log(1 + |x| / u), u the middle of the values' sizes.
    case log = 4
    /// For each column the one of `robust`, `log` and `quantile` that its shape asks for.
    case automatic = 5

    /// As settings call it.
    public var name: String {
        switch self {
        case .none: "none"
        case .standard: "standard"
        case .robust: "robust"
        case .quantile: "quantile"
        case .log: "log"
        case .automatic: "auto"
        }
    }

    /// The scaling of a column under `automatic`: `robust` where the standard deviation is what the quartiles of a
    /// normal column of this spread would have, up to a factor of `mostHeavy`; otherwise values lie far out, and are
    /// brought in by `log` if none is negative, by `quantile` where some are.
    func resolved(_ column: ColumnSummary) -> FeatureScaling {
        guard self == .automatic else { return self }
        let spread = column.halfSpread * 2
        guard !column.isConstant, spread > 0, column.deviation > FeatureScaling.mostHeavy * spread / 1.349 else {
            return .robust
        }
        return column.smallest >= 0 ? .log : .quantile
    }

    private static let mostHeavy = 2.0
}

/// A fitted scaling of one column: (x - centre) / scale of the number itself, of its logarithm or of its normal
/// quantile, and 0 throughout for a column that was constant in fitting. Centre and scale are kept as halves, which
/// gives the same numbers and cannot overflow where x - centre does.
struct ColumnScaling: Sendable, Equatable {
    let halfCentre: Double
    /// 0 = constant.
    let halfScale: Double
    /// Above 0: the unit of the logarithm.
    let logUnit: Double
    let quantiles: QuantileScaling?

    init(halfCentre: Double, halfScale: Double, logUnit: Double = 0, quantiles: QuantileScaling? = nil) {
        self.halfCentre = halfCentre
        self.halfScale = halfScale
        self.logUnit = logUnit
        self.quantiles = quantiles
    }

    /// - Parameter values: the column, of which quantiles are taken where the scaling asks for them.
    init(_ scaling: FeatureScaling, _ column: ColumnSummary, _ values: Strided<Double>, _ execution: Execution) throws {
        let spread = column.halfSpread
        switch scaling.resolved(column) {
        case .none:
            self.init(halfCentre: 0, halfScale: 0.5)
        case .standard:
            self.init(halfCentre: column.mean * 0.5, halfScale: column.isConstant ? 0 : column.deviation * 0.5)
        case .robust, .automatic:
            self.init(
                halfCentre: column.halfMedian,
                halfScale: column.isConstant ? 0 : spread > 0 ? spread : column.deviation * 0.5)
        case .quantile:
            self.init(
                halfCentre: 0, halfScale: column.isConstant ? 0 : 0.5,
                quantiles: column.isConstant ? nil : try QuantileScaling(values, execution))
        case .log:
            // What is rare must not make the unit: the quartiles' distance, or the median's size where that is larger.
            let unit = max(abs(column.halfMedian), spread) * 2
            let own = unit > 0 && unit.isFinite ? unit : max(column.deviation, .leastNormalMagnitude)
            func logarithm(_ half: Double) -> Double { ColumnScaling.logarithm(half * 2, own) }
            let upper = logarithm(column.halfUpperQuartile)
            let lower = logarithm(column.halfLowerQuartile)
            // Equal quartiles: as far as the largest values reach, which is not 0 here.
            let reach = max(abs(logarithm(column.largest * 0.5)), abs(logarithm(column.smallest * 0.5)))
            self.init(
                halfCentre: logarithm(column.halfMedian) * 0.5,
                halfScale: column.isConstant ? 0 : (upper > lower ? upper - lower : reach) * 0.5, logUnit: own)
        }
    }

    private static func logarithm(_ value: Double, _ unit: Double) -> Double {
        value < 0 ? -log1p(-value / unit) : log1p(value / unit)
    }

    var scaling: FeatureScaling { quantiles != nil ? .quantile : logUnit > 0 ? .log : .robust }

    /// Whether the numbers, which may come from a file, are ones that fitting can give.
    var isValid: Bool {
        halfCentre.isFinite && halfScale.isFinite && halfScale >= 0 && logUnit.isFinite && logUnit >= 0
            && (quantiles?.isValid ?? true) && (quantiles == nil || logUnit == 0)
    }

    /// Not NaN for a finite number; infinite if the scale is tiny.
    @inline(__always)
    func scaled(_ value: Double) -> Double {
        if halfScale == 0 { return 0 }
        if let quantiles { return quantiles.scaled(value) }
        let number = logUnit > 0 ? ColumnScaling.logarithm(value, logUnit) : value
        return (number * 0.5 - halfCentre) / halfScale
    }
}
