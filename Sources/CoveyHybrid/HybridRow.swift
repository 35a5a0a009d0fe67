import CoveyRuntime
import CoveyTables

/// The hybrid row of one transaction after another, in memory that is kept: nothing is allocated. Its columns are found
/// once, in a table whose values change. For one thread at a time.
public struct HybridRow {
    private let hybrid: HybridFeatures
    private let matched: [FeatureColumn]
    private var sums: [Double]
    /// One row.
    public private(set) var row: Matrix<Float>

    /// - Parameter table: of one row; its memory is read again by each `fill`.
    public init(_ hybrid: HybridFeatures, _ table: FeatureTable?) throws {
        self.hybrid = hybrid
        matched = try hybrid.features.map { features in try table.map { try features.matching($0) } ?? [] } ?? []
        sums = Array(repeating: 0, count: hybrid.embeddings.map { $0.axes.isEmpty ? 0 : $0.outputs } ?? 0)
        row = Matrix(rows: 1, columns: hybrid.dimension, repeating: 0)
    }

    /// Makes the row, as `HybridFeatures.transform` does.
    public mutating func fill(_ view: MatrixView?) throws {
        let (embeddings, features, matched, columns) = (hybrid.embeddings, hybrid.features, matched, row.columns)
        try row.elements.withUnsafeMutableBufferPointer { target in
            guard let base = target.baseAddress else { return }
            if let embeddings, let view {
                try embeddings.transform(view, rows: 0..<1, to: base, stride: columns, &sums)
            }
            if let features {
                try features.transform(
                    matched, rows: 0..<1, to: base + (embeddings?.outputs ?? 0), stride: columns)
            }
        }
    }
}
