import CoveyRuntime
import CoveyTables

/// The rows of a matrix that can be clustered: those without a NaN or an infinity.
enum FiniteRows {
    /// nil = all of them; otherwise their numbers, ascending. With `reject`, throws `invalidData` that names the first
    /// row and column that cannot be used.
    /// - Parameter weights: how many rows each stands for; nil = one. Rows of weight 0 are left out, whatever is in
    ///   them.
    static func find(
        in view: MatrixView, weights: [Int32]? = nil, missing: ClusterOptions.MissingRows, execution: Execution
    ) throws -> [Int32]? {
        var finite = [Bool](repeating: true, count: view.rows)
        try finite.withUnsafeMutableBufferPointer { finite in
            let marks = Marks(finite: finite)
            try execution.parallel(view.rows, grain: max(1, 0x10_0000 / view.columns)) { chunk, _ in
                for row in chunk { marks.finite[row] = isFinite(view, row) }
            }
        }
        func isUsed(_ row: Int) -> Bool { finite[row] && weights?[row] != 0 }
        guard let unused = finite.indices.first(where: { !isUsed($0) }) else { return nil }
        if missing == .reject, let first = finite.indices.first(where: { !finite[$0] && weights?[$0] != 0 }) {
            let column = (0..<view.columns).first { !view[first, $0].isFinite } ?? 0
            throw CoveyError.invalidData(
                "matrix row \(first), column \(column) must be finite, got \(view[first, column])")
        }
        var used: [Int32] = []
        used.reserveCapacity(finite.count)
        used.append(contentsOf: 0..<Int32(unused))
        for row in unused..<finite.count {
            if row & 0xFFFFF == 0 { try execution.report() }
            if isUsed(row) { used.append(Int32(row)) }
        }
        return used
    }

    private struct Marks: @unchecked Sendable {
        let finite: UnsafeMutableBufferPointer<Bool>
    }

    private static func isFinite(_ view: MatrixView, _ row: Int) -> Bool {
        let address = view.base + row &* view.rowStride
        switch view.scalar {
        case .float32:
            // x * 0 is zero unless x is NaN or infinite.
            var sum: Float = 0
            for column in 0..<view.columns {
                sum += address.loadUnaligned(fromByteOffset: column &* 4, as: Float.self) * 0
            }
            return sum == 0
        case .float64:
            var sum = 0.0
            for column in 0..<view.columns {
                sum += address.loadUnaligned(fromByteOffset: column &* 8, as: Double.self) * 0
            }
            return sum == 0
        }
    }
}
