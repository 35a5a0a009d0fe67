import CoveyRuntime

/// An orthogonal map to the principal components of a sample of rows, the largest first. It changes no distance. If a
/// few coordinates carry most of the variance, they alone separate most pairs of rows.
struct Rotation: Sendable {
    private let axes: PrincipalAxes
    /// The number of first coordinates that carry 90 % of the variance: a multiple of 8, at most three quarters of all.
    let prefix: Int

    /// With more columns, finding the components takes longer than it saves.
    static let mostColumns = 384
    /// Far below the tiles' margin.
    private static let mostSkew = 1e-11

    /// nil if the rotation would not make the search faster.
    /// - Parameter copy: writes a row, centred.
    static func find(
        count: Int, dimension d: Int, execution: Execution, copy: (Int, UnsafeMutablePointer<Double>) -> Void
    ) throws -> Rotation? {
        guard d >= 24, d <= mostColumns, count >= 16 * d else { return nil }
        let sample = min(count, max(2048, 8 * d))
        let found = try PrincipalAxes(count: sample, dimension: d, execution: execution) { place, row in
            copy(place * (count / sample), row)
        }
        guard let axes = found, axes.skew <= mostSkew else { return nil }
        let total = axes.variances.reduce(0, +)
        var rest = total
        var prefix = 0
        while prefix < d, rest > 0.1 * total {
            rest -= axes.variances[prefix]
            prefix += 1
        }
        prefix = (prefix + 7) / 8 * 8
        guard total > 0, prefix * 4 <= d * 3 else { return nil }
        return Rotation(axes: axes, prefix: prefix)
    }

    /// Computes the coordinates of `count` rows.
    func apply(_ rows: UnsafePointer<Double>, count: Int, to target: UnsafeMutablePointer<Double>) {
        axes.apply(rows, count: count, to: target)
    }
}
