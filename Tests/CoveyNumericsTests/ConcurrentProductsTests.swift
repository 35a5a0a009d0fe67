import CCoveyKernels
import CoveyRuntime
import Glibc
import Testing

/// The serial OpenBLAS hands out work buffers without a lock of its own.
@Suite struct ConcurrentProductsTests {
    @Test func productsOfManyThreadsDoNotDisturbEachOther() throws {
        let side = 256
        let depth = 16
        var random = SeededRandom(seed: 1)
        let first = (0..<side * depth).map { _ in Float(random.uniform()) }
        let second = (0..<side * depth).map { _ in Float(random.uniform()) }
        func product() -> [Float] {
            var result = [Float](repeating: 0, count: side * side)
            let n = Int64(side)
            let k = Int64(depth)
            ck_sgemm_nt(n, n, k, -2, first, k, second, k, 0, &result, n)
            return result
        }
        let expected = product()
        // More threads than OpenBLAS has buffers.
        let execution = Execution(try Context(threads: 160))
        try execution.parallel(8000) { _, _ in
            let same = product().withUnsafeBytes { own in
                expected.withUnsafeBytes { memcmp(own.baseAddress!, $0.baseAddress!, own.count) == 0 }
            }
            if !same { throw CoveyError.internalError("a product is wrong") }
        }
    }
}
