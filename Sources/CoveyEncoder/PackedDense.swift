import CCoveyKernels
import CoveyTables

/// An affine map of rows [left; right]. Its weights are stored in the order in which the kernel reads them.
final class PackedDense: @unchecked Sendable {
    let kernel: UnsafeMutablePointer<ck_dense>
    private let blocks: [FloatBlock]

    /// - Parameters:
    ///   - columns: for each input of the right part its column in `weight`; nil for an input that is always zero.
    ///   - left: [rows, left columns]
    init(_ weight: Matrix<Float>, columns: [Int?], left: Matrix<Float>? = nil, bias: [Float]) throws {
        let vectors = (weight.rows + 15) / 16
        let leftColumns = left?.columns ?? 0
        let inputs = leftColumns + columns.count
        let packed = try FloatBlock(vectors * 16 * inputs, for: "the encoder's weights")
        let packedBias = try FloatBlock(vectors * 16, for: "the encoder's weights")
        for row in 0..<weight.rows {
            packedBias.pointer[row] = bias[row]
            let panel = row / 64
            let stride = min(4, vectors - 4 * panel) * 16
            let target = packed.pointer + (panel * 64 * inputs + row % 64)
            for k in 0..<leftColumns { target[k * stride] = left![row, k] }
            for (k, column) in columns.enumerated() {
                if let column { target[(leftColumns + k) * stride] = weight[row, column] }
            }
        }
        kernel = .allocate(capacity: 1)
        kernel.initialize(
            to: ck_dense(
                left: Int64(left == nil ? columns.count : leftColumns), right: Int64(left == nil ? 0 : columns.count),
                vectors: Int64(vectors), weights: UnsafePointer(packed.pointer), bias: UnsafePointer(packedBias.pointer)
            ))
        blocks = [packed, packedBias]
    }

    deinit { kernel.deallocate() }
}
