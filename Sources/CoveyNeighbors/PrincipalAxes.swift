import CCoveyKernels
import CoveyRuntime

/// The principal axes of a sample of rows (Pearson 1901): an orthogonal basis, ordered by descending variance.
struct PrincipalAxes: @unchecked Sendable {
    let dimension: Int
    /// The sample's sum of squares along each axis, descending.
    let variances: [Double]
    /// The largest entry of axes axes^T - 1.
    let skew: Double
    /// One axis in each row.
    private let axes: AlignedBuffer<Double>

    private static let batch = 64

    /// nil if LAPACK does not converge. Cost: O(count d^2 + d^3).
    /// - Parameter copy: writes a row of the sample, centred.
    init?(
        count: Int, dimension d: Int, execution: Execution, copy: (Int, UnsafeMutablePointer<Double>) -> Void
    ) throws {
        let what = "the principal axes"
        let product = try AlignedBuffer<Double>(d * d, repeating: 0, for: what, execution)
        let block = try AlignedBuffer<Double>(PrincipalAxes.batch * d, for: what, execution)
        for start in stride(from: 0, to: count, by: PrincipalAxes.batch) {
            try execution.report()
            let size = min(PrincipalAxes.batch, count - start)
            for row in 0..<size { copy(start + row, block.pointer + row * d) }
            ck_dgemm_tn(
                Int64(d), Int64(d), Int64(size), 1, block.pointer, Int64(d), block.pointer, Int64(d), 1,
                product.pointer,
                Int64(d))
        }
        var values = [Double](repeating: 0, count: d)
        let vectors = try AlignedBuffer<Double>(d * d, for: what, execution)
        let status = execution.withStop { stop, state in
            ck_symmetric_eigen(Int64(d), Int64(d), product.pointer, &values, vectors.pointer, stop, state)
        }
        if status == CK_NO_MEMORY { throw CoveyError.outOfMemory("the principal axes of \(d) columns: no memory left") }
        try execution.check()
        let finite = (0..<d * d).allSatisfy { vectors[$0].isFinite }
        guard status == 0, finite, values.allSatisfy(\.isFinite) else { return nil }
        // LAPACK returns them in ascending order.
        let axes = try AlignedBuffer<Double>(d * d, for: what, execution)
        for axis in 0..<d { (axes.pointer + axis * d).update(from: vectors.pointer + (d - 1 - axis) * d, count: d) }
        ck_dgemm_nt(
            Int64(d), Int64(d), Int64(d), 1, axes.pointer, Int64(d), axes.pointer, Int64(d), 0, product.pointer,
            Int64(d))
        var skew = 0.0
        for i in 0..<d {
            for j in 0..<d { skew = max(skew, abs(product[i * d + j] - (i == j ? 1 : 0))) }
        }
        self.skew = skew
        self.axes = axes
        dimension = d
        variances = values.reversed().map { max(0, $0) }
    }

    /// Computes the coordinates of `count` rows along the axes.
    func apply(_ rows: UnsafePointer<Double>, count: Int, to target: UnsafeMutablePointer<Double>) {
        let d = Int64(dimension)
        ck_dgemm_nt(Int64(count), d, d, 1, rows, d, axes.pointer, d, 0, target, d)
    }
}
