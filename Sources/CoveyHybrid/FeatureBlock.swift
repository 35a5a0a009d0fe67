import CoveyRuntime
import CoveyTables

/// The part of a hybrid row that comes from the expert features.
struct FeatureBlock: Sendable, Equatable {
    let columns: [FittedFeature]
    let missing: MissingValues
    /// Scaled numeric values are held within [-clip, clip]; finite.
    let clip: Double
    /// Where each column's part of a hybrid row begins, within the block; then the block's width.
    private let starts: [Int]

    var outputs: Int { starts.last ?? 0 }

    init(columns: [FittedFeature], missing: MissingValues, clip: Double) {
        self.columns = columns
        self.missing = missing
        self.clip = clip
        var starts = [0]
        for column in columns { starts.append(starts.last! + column.outputs) }
        self.starts = starts
    }

    init(fitting table: FeatureTable, options: HybridOptions, execution: Execution) throws {
        guard table.rows > 0 else { throw CoveyError.invalidData("features must have at least one row, got 0") }
        try execution.hold(
            table.columns.count, of: 3 * MemoryLayout<FittedFeature>.stride + 1024,
            for: "fitting \(table.columns.count) features")
        var fitted = [FittedFeature?](repeating: nil, count: table.columns.count)
        try fitted.withUnsafeMutableBufferPointer { fitted in
            nonisolated(unsafe) let fitted = fitted
            try execution.parallel(table.columns.count, stage: "hybrid: features") { chunk, _ in
                for index in chunk {
                    let own = options.columnWeights.map { $0[index] } ?? 1
                    let factor = own * options.featureWeight / Double(table.columns.count).squareRoot()
                    try require(
                        factor.isFinite,
                        "options.column_weights[\(index)] * feature_weight must be finite, got \(factor)")
                    fitted[index] = try FittedFeature(
                        fitting: table.columns[index], scaling: options.scaling, missing: options.missing,
                        factor: factor,
                        execution: execution)
                }
            }
        }
        self.init(
            columns: fitted.compactMap { $0 }, missing: options.missing,
            clip: min(options.clip, .greatestFiniteMagnitude))
    }

    var outputNameBytes: Int { columns.reduce(0) { $0 + $1.outputNameBytes } }

    var outputNames: [String] { columns.flatMap(\.outputNames) }

    /// A table's columns in the order of fitting.
    func matching(_ table: FeatureTable) throws -> [FeatureColumn] {
        try table.columns(named: columns.map { ($0.name, $0.kind) })
    }

    /// Writes the block of the rows in `range`, the first at `target`, `stride` floats apart. `matched` comes from
    /// `matching`.
    func transform(
        _ matched: [FeatureColumn], rows range: Range<Int>, to target: UnsafeMutablePointer<Float>, stride: Int
    ) throws {
        for (index, column) in columns.enumerated() {
            try column.transform(
                matched[index], rows: range, missing: missing, clip: clip, to: target + starts[index], stride: stride)
        }
    }
}
