import CCoveyKernels
import CoveyRuntime

/// Matrix products on the calling thread. They are computed in slices of a few milliseconds, so that the call can be
/// cancelled between two slices. The slices depend only on the sizes of the matrices.
struct Products {
    let instructionSet: Int32
    let execution: Execution
    private static let largest = 1 << 29

    private func slices(_ count: Int, _ cost: Int, _ body: (Range<Int>) -> Void) throws {
        let size = max(64, Self.largest / max(1, cost))
        var start = 0
        while start < count {
            try execution.report()
            let end = min(count, start + size)
            body(start..<end)
            start = end
        }
    }

    /// C (m x n) = A (m x k) B (k x n) + beta C. `beta` is 0 or 1, and n is a multiple of 16.
    /// - Parameter bias: n numbers that are added to each row if `beta` is 0.
    func nn(
        _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>, _ ldb: Int,
        bias: UnsafePointer<Float>? = nil, _ beta: Float, _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) throws {
        try slices(m, n * k) { rows in
            ck_product(
                instructionSet, Int64(rows.count), Int64(n), Int64(k), a + rows.lowerBound * lda, Int64(lda), 1, b,
                Int64(ldb), bias, beta == 0 ? 0 : 1, c + rows.lowerBound * ldc, Int64(ldc))
        }
    }

    /// C (m x n) = A (m x k) times the transpose of B (n x k), plus beta C.
    func nt(
        _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>, _ ldb: Int,
        _ beta: Float, _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) throws {
        try slices(m, n * k) { rows in
            ck_sgemm_nt(
                Int64(rows.count), Int64(n), Int64(k), 1, a + rows.lowerBound * lda, Int64(lda), b, Int64(ldb), beta,
                c + rows.lowerBound * ldc, Int64(ldc))
        }
    }

    /// C (m x n) += the transpose of A (k x m), times B (k x n). n is a multiple of 16.
    func tn(
        _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>, _ ldb: Int,
        _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) throws {
        try slices(k, m * n) { rows in
            ck_product(
                instructionSet, Int64(m), Int64(n), Int64(rows.count), a + rows.lowerBound * lda, 1, Int64(lda),
                b + rows.lowerBound * ldb, Int64(ldb), nil, 1, c, Int64(ldc))
        }
    }
}
