import CCoveyKernels
import CoveyRuntime
import Testing

/// Eigenvectors by their definition: what the matrix makes of them, and that they are orthogonal.
@Suite struct SymmetricEigenTests {
    enum Kind: CaseIterable {
        case random, fewDirections, repeated, dominant, deficient, identity, zero, diagonal
    }

    /// A covariance, n x n.
    private func covariance(_ kind: Kind, _ n: Int) -> [Double] {
        var random = SeededRandom(seed: UInt64(n))
        var result = [Double](repeating: 0, count: n * n)
        let directions: Int
        switch kind {
        case .zero: return result
        case .identity, .diagonal:
            for i in 0..<n { result[i * n + i] = kind == .identity ? 1 : Double(i % 5) }
            return result
        case .random: directions = n + 3
        case .fewDirections: directions = 6
        case .repeated: directions = max(1, n / 2)
        case .dominant: directions = 1
        case .deficient: directions = max(1, n / 4)
        }
        var rows = (0..<n * directions).map { _ in random.uniform() - 0.5 }
        if kind == .repeated {
            for i in stride(from: 1, to: n, by: 2) {
                for c in 0..<directions { rows[i * directions + c] = rows[(i - 1) * directions + c] }
            }
        }
        let (size, k) = (Int64(n), Int64(directions))
        ck_dgemm_nt(size, size, k, 1, rows, k, rows, k, 0, &result, size)
        if kind == .fewDirections { for i in 0..<n { result[i * n + i] += 1e-4 } }
        return result
    }

    /// Beyond a panel of reflections, and (700) beyond what is found at one go.
    @Test(arguments: [1, 2, 3, 31, 33, 64, 65, 97, 200, 700], Kind.allCases)
    func vectorsAreWhatTheirNameSays(n: Int, kind: Kind) {
        let matrix = covariance(kind, n)
        for count in Set([1, (n + 1) / 2, n]) {
            var copy = matrix
            var values = [Double](repeating: .nan, count: count)
            var vectors = [Double](repeating: .nan, count: count * n)
            #expect(ck_symmetric_eigen(Int64(n), Int64(count), &copy, &values, &vectors, nil, nil) == 0)
            let (size, k) = (Int64(n), Int64(count))
            var image = [Double](repeating: 0, count: count * n)
            var products = [Double](repeating: 0, count: count * count)
            ck_dgemm_nt(k, size, size, 1, vectors, size, matrix, size, 0, &image, size)
            ck_dgemm_nt(k, k, size, 1, vectors, size, vectors, size, 0, &products, k)
            let trace = (0..<n).reduce(0) { $0 + matrix[$1 * n + $1] }
            var (residual, skew) = (0.0, 0.0)
            for i in 0..<count {
                for c in 0..<n { residual = max(residual, abs(image[i * n + c] - values[i] * vectors[i * n + c])) }
                for j in 0..<count { skew = max(skew, abs(products[i * count + j] - (i == j ? 1 : 0))) }
                if i > 0 { #expect(values[i] >= values[i - 1]) }
            }
            #expect(residual <= 1e-13 * trace && skew <= 1e-11, "\(n) \(kind) \(count): \(residual / trace) \(skew)")
            // The largest ones: what is left of the trace is no more than the others could have.
            let rest = trace - values.reduce(0, +)
            #expect(rest >= -1e-12 * trace && rest <= Double(n - count) * values[0] + 1e-12 * trace)
        }
    }

    /// It is asked often, and at once stops.
    @Test(arguments: [64, 700]) func stopsWhereItIsAsked(n: Int) {
        struct Count {
            var asked = 0
            var last = Int.max
        }
        let stop: @convention(c) (UnsafeRawPointer?) -> Int32 = { state in
            let count = UnsafeMutableRawPointer(mutating: state!).assumingMemoryBound(to: Count.self)
            count.pointee.asked += 1
            return count.pointee.asked > count.pointee.last ? 1 : 0
        }
        func run(_ count: inout Count) -> Int32 {
            var matrix = covariance(.random, n)
            var values = [Double](repeating: 0, count: n)
            var vectors = [Double](repeating: 0, count: n * n)
            return withUnsafePointer(to: &count) {
                ck_symmetric_eigen(Int64(n), Int64(n), &matrix, &values, &vectors, stop, $0)
            }
        }
        var all = Count()
        #expect(run(&all) == 0)
        #expect(all.asked >= n / 40)
        for last in Set([0, all.asked / 3, all.asked / 2, all.asked - 1]) {
            var count = Count(last: last)
            #expect(run(&count) == CK_STOPPED)
            #expect(count.asked == last + 1)
        }
    }
}
