import CCoveyKernels
import CoveyRuntime

/// An orthogonal map to the principal components of a sample of rows, the largest first. It changes no distance, and where a
/// few coordinates carry most of the variance, they alone tell most pairs of rows apart.
final class Rotation: @unchecked Sendable {
    let dimension: Int
    /// A component a row.
    private let axes: AlignedBuffer<Double>
    /// The first coordinates that carry 9 tenths of the variance, a multiple of 8, at most three quarters of all.
    let prefix: Int

    /// More columns would take longer than a call may go without looking for cancel.
    static let mostColumns = 384

    private init(dimension: Int, axes: AlignedBuffer<Double>, prefix: Int) {
        self.dimension = dimension
        self.axes = axes
        self.prefix = prefix
    }

    /// nil where it would not pay.
    /// - Parameter copy: writes a row, centred.
    static func find(
        count: Int, dimension d: Int, execution: Execution, copy: (Int, UnsafeMutablePointer<Double>) -> Void
    ) throws -> Rotation? {
        guard d >= 24, d <= mostColumns, count >= 16 * d else { return nil }
        let sample = min(count, max(2048, 8 * d))
        let covariance = try AlignedBuffer<Double>(d * d, repeating: 0, for: "the principal components", execution)
        let block = try AlignedBuffer<Double>(64 * d, for: "the principal components", execution)
        for start in stride(from: 0, to: sample, by: 64) {
            try execution.check()
            let size = min(64, sample - start)
            for row in 0..<size { copy((start + row) * (count / sample), block.pointer + row * d) }
            ck_dgemm_tn(
                Int64(d), Int64(d), Int64(size), 1, block.pointer, Int64(d), block.pointer, Int64(d), 1,
                covariance.pointer, Int64(d))
        }
        let values = try AlignedBuffer<Double>(d, for: "the principal components", execution)
        let vectors = try AlignedBuffer<Double>(d * d, for: "the principal components", execution)
        guard ck_symmetric_eigen(Int64(d), Int64(d), covariance.pointer, values.pointer, vectors.pointer) == 0 else {
            return nil
        }
        try execution.check()
        // LAPACK's order is ascending.
        let axes = try AlignedBuffer<Double>(d * d, for: "the principal components", execution)
        for c in 0..<d { (axes.pointer + c * d).update(from: vectors.pointer + (d - 1 - c) * d, count: d) }
        let variances = (0..<d).map { max(0, values[d - 1 - $0]) }
        let total = variances.reduce(0, +)
        var rest = total
        var prefix = 0
        while prefix < d, rest > 0.1 * total {
            rest -= variances[prefix]
            prefix += 1
        }
        prefix = (prefix + 7) / 8 * 8
        guard total > 0, prefix * 4 <= d * 3, isOrthogonal(axes, d, product: covariance.pointer) else { return nil }
        return Rotation(dimension: d, axes: axes, prefix: prefix)
    }

    /// Far below what the tiles' margin allows for.
    private static func isOrthogonal(
        _ axes: AlignedBuffer<Double>, _ d: Int, product: UnsafeMutablePointer<Double>
    ) -> Bool {
        ck_dgemm_nt(
            Int64(d), Int64(d), Int64(d), 1, axes.pointer, Int64(d), axes.pointer, Int64(d), 0, product, Int64(d))
        for i in 0..<d {
            for j in 0..<d where !(abs(product[i * d + j] - (i == j ? 1 : 0)) <= 1e-11) { return false }
        }
        return true
    }

    /// `count` rows, each to its coordinates.
    func apply(_ rows: UnsafePointer<Double>, count: Int, to target: UnsafeMutablePointer<Double>) {
        let d = Int64(dimension)
        ck_dgemm_nt(Int64(count), d, d, 1, rows, d, axes.pointer, d, 0, target, d)
    }
}
