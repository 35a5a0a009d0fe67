import CoveyRuntime
import CoveyTables

/// How embeddings and expert features are joined. The names are those of `covey_hybrid_options`.
public struct HybridOptions: Sendable {
    public var scaling = FeatureScaling.robust
    public var missing = MissingValues.median
    /// Principal components kept of the embeddings; 0 = all columns, unrotated.
    public var embeddingComponents = 0
    public var embeddingWeight = 1.0
    public var featureWeight = 1.0
    /// Scaled numeric values are held within [-clip, clip].
    public var clip = 10.0
    /// One for each feature column; nil = all 1.
    public var columnWeights: [Double]?

    public init() {}
}

/// A fitted transform that joins embeddings and expert features into the rows that are clustered: each block brought to
/// a common scale, then multiplied by its weight. Nothing it returns is NaN or infinite.
public struct HybridFeatures: Sendable, Equatable {
    let embeddings: EmbeddingBlock?
    let features: FeatureBlock?

    /// The most columns that a row can have, as in `covey_matrix`.
    public static let largestDimension = 65_536
    /// Rows that are transformed at a time.
    private static let grain = 256

    init(embeddings: EmbeddingBlock?, features: FeatureBlock?) {
        self.embeddings = embeddings
        self.features = features
    }

    /// Fits the transform to n rows of embeddings, features or both. Throws `invalidArgument` for options out of range,
    /// `invalidData` for no rows, NaN in embeddings, infinities and bad codes, `mismatch` for row counts that differ.
    public init(
        fitting embeddings: MatrixView?, _ table: FeatureTable?, options: HybridOptions = HybridOptions(),
        execution: Execution = Execution()
    ) throws {
        try HybridFeatures.check(options, embeddings, table)
        if let embeddings, let table { try HybridFeatures.checkRows(embeddings, table) }
        self.embeddings = try embeddings.map {
            try EmbeddingBlock(
                fitting: $0, components: options.embeddingComponents, weight: options.embeddingWeight,
                execution: execution)
        }
        features = try table.flatMap {
            $0.columns.isEmpty ? nil : try FeatureBlock(fitting: $0, options: options, execution: execution)
        }
        if self.embeddings == nil, dimension == 0 {
            throw CoveyError.invalidData("features must have a column with a value, found none")
        }
        guard dimension <= HybridFeatures.largestDimension else {
            throw CoveyError.invalidData(
                "a hybrid row must have at most \(HybridFeatures.largestDimension) columns, got \(dimension)")
        }
    }

    private static func check(_ options: HybridOptions, _ embeddings: MatrixView?, _ table: FeatureTable?) throws {
        try require(embeddings != nil || table != nil, "embeddings and features must not both be NULL")
        let columns = embeddings?.columns ?? 0
        try require(
            (0...columns).contains(options.embeddingComponents),
            "options.embedding_components must be 0 to \(columns), got \(options.embeddingComponents)")
        try checkWeight(options.embeddingWeight, "embedding_weight")
        try checkWeight(options.featureWeight, "feature_weight")
        try require(options.clip > 0, "options.clip must be above 0, got \(options.clip)")
        if let weights = options.columnWeights {
            let count = table?.columns.count ?? 0
            guard weights.count == count else {
                throw CoveyError.mismatch("options.column_weights must have \(count) numbers, got \(weights.count)")
            }
            for (index, weight) in weights.enumerated() { try checkWeight(weight, "column_weights[\(index)]") }
        }
    }

    private static func checkWeight(_ weight: Double, _ name: String) throws {
        try require(weight >= 0 && weight.isFinite, "options.\(name) must be finite and at least 0, got \(weight)")
    }

    private static func checkRows(_ embeddings: MatrixView, _ table: FeatureTable) throws {
        guard embeddings.rows == table.rows else {
            throw CoveyError.mismatch("embeddings have \(embeddings.rows) rows, features have \(table.rows)")
        }
    }

    /// How each numeric feature column is scaled: `log` and `quantile` by their names, what is linear as `robust`.
    public var scalings: [(name: String, scaling: FeatureScaling)] {
        features?.columns.filter { $0.kind == .numeric }.map { ($0.name, $0.scaling.scaling) } ?? []
    }

    /// Whether a table must be given.
    public var takesFeatures: Bool { features != nil }

    /// The columns of a hybrid row that come from embeddings; they come first.
    public var embeddingOutputs: Int { embeddings?.outputs ?? 0 }

    /// The columns of a hybrid row.
    public var dimension: Int { (embeddings?.outputs ?? 0) + (features?.outputs ?? 0) }
    /// Columns that embeddings must have; nil if there are none.
    public var embeddingColumns: Int? { embeddings?.columns }
    /// The feature columns that a table must have, in the order of fitting.
    public var featureColumns: [(name: String, kind: FeatureColumn.Kind)] {
        features?.columns.map { ($0.name, $0.kind) } ?? []
    }
    /// The categories of each categorical column that occurred in fitting.
    public var categories: [(name: String, categories: [String])] {
        (features?.columns ?? []).filter { $0.kind == .categorical }.map { ($0.name, $0.categories) }
    }

    /// The bytes of those of `columnNames` that come from names of features.
    public var columnNameBytes: Int { features?.outputNameBytes ?? 0 }

    /// "embedding[3]" or "component[3]", "amount", "country=NL", "age missing".
    public var columnNames: [String] { (embeddings?.outputNames ?? []) + (features?.outputNames ?? []) }

    /// Writes n hybrid rows, `stride` floats apart (at least `dimension`). A row comes out as the same bytes alone, in
    /// any batch and with any number of threads. Inputs that fitting did not have must be nil (embeddings) or are
    /// ignored (columns).
    public func transform(
        _ view: MatrixView?, _ table: FeatureTable?, to target: UnsafeMutablePointer<Float>, stride: Int,
        execution: Execution
    ) throws {
        let rows = try checkedRows(view, table)
        let matched = try features.map { features in try table.map { try features.matching($0) } ?? [] } ?? []
        nonisolated(unsafe) let target = target
        let grain = max(1, min(HybridFeatures.grain, (1 << 20) / max(1, dimension)))
        try execution.parallel(rows, grain: grain, stage: "hybrid: transform") { chunk, _ in
            let first = target + chunk.lowerBound * stride
            if let embeddings, let view {
                try embeddings.transform(view, rows: chunk, to: first, stride: stride)
            }
            if let features {
                try features.transform(matched, rows: chunk, to: first + (embeddings?.outputs ?? 0), stride: stride)
            }
        }
    }

    /// The hybrid rows as a matrix.
    public func transform(
        _ view: MatrixView?, _ table: FeatureTable?, execution: Execution = Execution()
    ) throws -> Matrix<Float> {
        let rows = try checkedRows(view, table)
        try execution.reserve(checkedProduct(rows, dimension, "hybrid rows"), of: 4, for: "hybrid rows")
        var result = try Matrix<Float>(rows: rows, columns: dimension, repeating: 0, execution)
        try result.elements.withUnsafeMutableBufferPointer {
            guard let base = $0.baseAddress else { return }
            try transform(view, table, to: base, stride: dimension, execution: execution)
        }
        return result
    }

    /// The number of rows, of inputs that are what fitting had.
    public func checkedRows(_ view: MatrixView?, _ table: FeatureTable?) throws -> Int {
        if let view {
            guard let embeddings else {
                throw CoveyError.mismatch("embeddings must be NULL: the hybrid features were fitted without")
            }
            guard view.columns == embeddings.columns else {
                throw CoveyError.mismatch(
                    "embeddings must have \(embeddings.columns) columns, as in fitting, got \(view.columns)")
            }
        } else if embeddings != nil {
            throw CoveyError.mismatch("embeddings must not be NULL: the hybrid features were fitted with them")
        }
        if features != nil, table == nil {
            throw CoveyError.mismatch("features must not be NULL: the hybrid features were fitted with them")
        }
        if let view, let table { try HybridFeatures.checkRows(view, table) }
        return view?.rows ?? table?.rows ?? 0
    }
}
