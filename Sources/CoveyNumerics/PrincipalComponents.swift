import CCoveyKernels
import CoveyRuntime

/// The first principal components of rows (Pearson 1901; Hotelling 1933).
package struct PrincipalComponents {
    /// columns x count, row-major. Each column is an axis of length 1. Its entry with the largest absolute value is
    /// positive.
    package let axes: [Double]
    /// The population variance of the rows along each axis, in descending order.
    package let variances: [Double]

    /// Computes the covariance matrix in float64, block by block, then its eigenvectors. Cost: O(rows columns^2 +
    /// columns^3) time, O(columns^2) memory.
    package init(_ rows: CentredRows, count: Int, execution: Execution) throws {
        let columns = rows.columns
        var covariance = try PrincipalComponents.covariance(rows, execution)
        var values = [Double](repeating: 0, count: count)
        var vectors = try execution.array(count * columns) { _ in 0.0 }
        let status = execution.withStop { stop, state in
            ck_symmetric_eigen(Int64(columns), Int64(count), &covariance, &values, &vectors, stop, state)
        }
        try execution.check()
        if status == CK_NO_MEMORY {
            throw CoveyError.outOfMemory("principal components of \(columns) columns: no memory left")
        }
        guard status == 0, values.allSatisfy(\.isFinite) else {
            throw CoveyError.internalError("LAPACK failed with \(status) on \(columns) columns")
        }
        var axes = try execution.array(columns * count) { _ in 0.0 }
        for component in 0..<count {
            if component & 7 == 0 { try execution.report() }
            // LAPACK gives eigenvalues in ascending order, and the sign of an eigenvector is arbitrary.
            let vector = vectors[(count - 1 - component) * columns..<(count - component) * columns]
            var extreme = 0.0
            for entry in vector where abs(entry) > abs(extreme) { extreme = entry }
            guard extreme.isFinite, extreme != 0 else {
                throw CoveyError.internalError("LAPACK found no axis \(component) of \(columns) columns")
            }
            for (column, entry) in vector.enumerated() {
                axes[column * count + component] = extreme < 0 ? -entry : entry
            }
        }
        self.axes = axes
        variances = values.reversed().map { max(0, $0) }
    }

    /// Adds up fixed segments of the rows in order. So the result is the same byte for byte with any number of threads.
    private static func covariance(_ rows: CentredRows, _ execution: Execution) throws -> [Double] {
        let columns = rows.columns
        let size = try checkedProduct(columns, columns, "covariance")
        let segments = min(rows.segments, max(1, (1 << 25) / size))
        let blockRows = max(1, min(256, (1 << 20) / columns))
        // The eigenvectors and the working memory of the solver come after the segments. They need at most 4 times a
        // segment.
        try execution.reserve(
            size, of: 8 * (segments + 4), for: "principal components of \(columns) columns")
        var sums = try execution.array(segments * size) { _ in 0.0 }
        // The number of rows of a product that takes about 20 ms.
        let strip = max(16, min(columns, (1 << 21) / columns))
        try sums.withUnsafeMutableBufferPointer { sums in
            nonisolated(unsafe) let sums = sums
            try execution.parallel(segments, stage: "hybrid: covariance") { chunk, _ in
                var block = [Double](repeating: 0, count: blockRows * columns)
                for segment in chunk {
                    let range = rows.range(segment, of: segments)
                    for start in stride(from: range.lowerBound, to: range.upperBound, by: blockRows) {
                        try execution.check()
                        let count = min(blockRows, range.upperBound - start)
                        try block.withUnsafeMutableBufferPointer { block in
                            for row in 0..<count { rows.copy(start + row, to: block.baseAddress! + row * columns) }
                            for first in stride(from: 0, to: columns, by: strip) {
                                try execution.report()
                                ck_dgemm_tn(
                                    Int64(min(strip, columns - first)), Int64(columns), Int64(count), 1,
                                    block.baseAddress! + first, Int64(columns), block.baseAddress, Int64(columns), 1,
                                    sums.baseAddress! + segment * size + first * columns, Int64(columns))
                            }
                        }
                    }
                }
            }
        }
        let factor = 1 / Double(rows.rows)
        for index in 0..<size {
            if index & 0xFFFF == 0 { try execution.report() }
            var sum = sums[index]
            for segment in 1..<max(1, segments) { sum += sums[segment * size + index] }
            sums[index] = sum * factor
        }
        sums.removeSubrange(size...)
        return sums
    }
}
