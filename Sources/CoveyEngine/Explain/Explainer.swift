import CoveyClustering
import CoveyHybrid
import CoveyRuntime
import CoveySequences
import CoveyTables

extension Engine {
    /// Explains the value of each transaction by its events and features. A transaction is explained the same alone and
    /// in any batch.
    ///
    /// Throws what `score` throws; `invalidArgument` for options out of range; `mismatch` for gradients or clusters
    /// that the engine does not have.
    public func explain(
        _ sequences: SequenceBatch?, _ table: FeatureTable?, options: ExplainOptions = ExplainOptions(),
        execution: Execution = Execution()
    ) throws -> [Explanation] {
        let count = try checkedCount(sequences, table)
        try options.validate(clusters: parts.clustering.clusterCount)
        guard options.explained == .risk || parts.clustering.clusterCount > 0 else {
            throw CoveyError.mismatch("the engine has no clusters: only its risk can be explained")
        }
        guard options.method != .gradients || parts.encoder != nil else {
            throw CoveyError.mismatch("options.method must not be GRADIENTS: the engine has no encoder")
        }
        if count == 0 { return [] }
        return try Explainer(self, sequences, table, options, execution).run()
    }
}

/// Explains the transactions of one call.
struct Explainer {
    let engine: Engine
    let options: ExplainOptions
    let batches: VariantBatches
    let count: Int
    let execution: Execution
    /// Of the whole transactions.
    let embeddings: Matrix<Float>?
    let rows: Matrix<Float>
    /// The clusters to explain, if they are given.
    private let given: [Int]?

    /// Transactions that are explained at a time, and the parts that all their variants list.
    private static let blockTransactions = 1024
    private static let blockParts = 1 << 24

    init(
        _ engine: Engine, _ sequences: SequenceBatch?, _ table: FeatureTable?, _ options: ExplainOptions,
        _ execution: Execution, clusters: [Int]? = nil
    ) throws {
        self.engine = engine
        given = clusters
        self.options = options
        self.execution = execution
        count = try engine.checkedCount(sequences, table)
        let needed = try table.map { table in
            let columns = try table.columns(named: engine.features.map { ($0.name, $0.kind) })
            // Checked here, so that an error names the caller's row and not the number of a variant.
            for column in columns {
                try execution.check()
                try column.validate()
            }
            return try FeatureTable(rows: table.rows, columns: columns)
        }
        batches = VariantBatches(
            sequences: sequences, table: needed, largestParts: options.largestParts, execution: execution)
        let events = sequences?.offsets.events.count ?? 0
        let numbers = try checkedProduct(count, engine.features.count + 32, "explanations")
        try execution.hold(numbers, of: 8, for: "\(count) explanations")
        try execution.hold(min(events, count * options.largestParts), of: 16, for: "the attributions of events")
        embeddings = try sequences.flatMap { try engine.parts.encoder?.embed($0, execution) }
        rows = try engine.withView(embeddings) {
            try engine.parts.hybrid.transform($0, needed, execution: execution)
        }
    }

    func run() throws -> [Explanation] {
        let clusters = try chosenClusters()
        var value = ExplainedValue(
            engine: engine, explained: options.explained, batches: batches, clusters: clusters, execution: execution)
        let functions = try ClusterFunctions(self, clusters)
        let usual = options.explainsFeatures ? UsualFeatures(engine, options.explained) : nil
        var result: [Explanation] = []
        result.reserveCapacity(count)
        for block in blocks() {
            try execution.report("explain", Double(block.lowerBound) / Double(count))
            value.functions = try block.compactMap { try functions.function(of: $0) }
            value.firstFunction = block.lowerBound
            var explanations = try begin(block, value)
            try attribute(&explanations, block, value)
            if options.measuresFaithfulness { try FaithfulnessMeasure(value, block).run(&explanations) }
            if options.measuresSensitivity {
                try SensitivityMeasure(self).run(&explanations, block, block.map { clusters[$0] })
            }
            if let usual { try usual.run(&explanations, block, value, embeddings) }
            result += explanations
        }
        return result
    }

    private func blocks() -> [Range<Int>] {
        var blocks: [Range<Int>] = []
        var (start, parts) = (0, 0)
        for transaction in 0..<count {
            // Each part has a variant that lists the others; 4,096 parts at the most.
            let own = batches.parts(transaction).count * batches.parts(transaction).count
            if transaction > start,
                transaction - start == Explainer.blockTransactions || parts + own > Explainer.blockParts
            {
                blocks.append(start..<transaction)
                (start, parts) = (transaction, 0)
            }
            parts += own
        }
        blocks.append(start..<count)
        return blocks
    }

    /// The cluster of each transaction that is explained.
    private func chosenClusters() throws -> [Int] {
        if let given { return given }
        if options.explained == .risk { return [Int](repeating: -1, count: count) }
        if options.cluster >= 0 { return [Int](repeating: options.cluster, count: count) }
        let placed = try rows.withView {
            try engine.parts.clustering.predict($0, .bounded, onlyLabels: true, execution: execution)
        }
        return try placed.labels.enumerated().map { transaction, label in
            if label >= 0 { return Int(label) }
            try execution.check()
            return withRow(transaction) { engine.parts.clustering.nearestExemplar(to: $0, of: nil)?.cluster } ?? 0
        }
    }

    func withRow<Result>(_ transaction: Int, _ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
        try rows.elements.withUnsafeBufferPointer {
            try body(
                UnsafeBufferPointer(rebasing: $0[transaction * rows.columns..<(transaction + 1) * rows.columns]))
        }
    }

    /// The explanations of a block with the values of the whole transactions and of those without events.
    private func begin(_ block: Range<Int>, _ value: ExplainedValue) throws -> [Explanation] {
        let own: Matrix<Float>? = embeddings.map { embeddings in
            let columns = embeddings.columns
            return Matrix(
                rows: block.count, columns: columns,
                elements: Array(embeddings.elements[block.lowerBound * columns..<block.upperBound * columns]))
        }
        // All but the risk need no more than the embeddings.
        let sequences =
            options.explained == .risk ? try batches.sequences(block.map { variant($0, without: []) }[...]) : nil
        let whole = try value.values(Array(block), own, sequences, batches.table(Array(block)))
        let hasEvents = batches.sequences != nil
        let without = hasEvents ? try value.values(block.map { Variant(transaction: $0, kept: []) }) : whole
        return block.enumerated().map { index, transaction in
            var explanation = Explanation()
            explanation.cluster = value.clusters[transaction]
            explanation.exemplar = value.functions.isEmpty ? -1 : value.functions[index].row
            explanation.value = whole[index]
            explanation.base = without[index]
            explanation.parts = batches.parts(transaction)
            return explanation
        }
    }

    /// A transaction without some parts, which are ascending.
    func variant(_ transaction: Int, without parts: [Int32]) -> Variant {
        var kept: [Int32] = []
        var next = 0
        for part in 0..<Int32(batches.parts(transaction).count) {
            if next < parts.count, parts[next] == part { next += 1 } else { kept.append(part) }
        }
        return Variant(transaction: transaction, kept: kept)
    }

    private func attribute(
        _ explanations: inout [Explanation], _ block: Range<Int>, _ value: ExplainedValue
    ) throws {
        switch options.method {
        case .automatic, .occlusion: try occlude(&explanations, block, value)
        case .shapley:
            try ShapleySampling(value, permutations: options.permutations, seed: options.seed)
                .run(&explanations, block)
        case .gradients:
            try GradientAttribution(value, rows, largestSteps: options.largestSteps).run(&explanations, block)
        }
    }

    /// Each part by the value less that of the transaction without it.
    private func occlude(
        _ explanations: inout [Explanation], _ block: Range<Int>, _ value: ExplainedValue
    ) throws {
        let listed = block.reduce(0) { $0 + batches.parts($1).count * batches.parts($1).count }
        try execution.reserve(listed, of: 4, for: "sequences without one part")
        let variants = block.flatMap { transaction in
            (0..<Int32(batches.parts(transaction).count)).map { variant(transaction, without: [$0]) }
        }
        let values = try value.values(variants)
        var next = 0
        for index in explanations.indices {
            let explanation = explanations[index]
            explanations[index].method = .occlusion
            explanations[index].attributions = values[next..<next + explanation.parts.count].map {
                explanation.value - $0
            }
            next += explanation.parts.count
        }
    }
}

/// What is explained of a transaction's hybrid row, but for memberships and risks.
private struct ClusterFunctions {
    private let explainer: Explainer
    private let clusters: [Int]
    /// Of centres and contrasts.
    private var made: [Int: any RowFunction] = [:]

    init(_ explainer: Explainer, _ clusters: [Int]) throws {
        self.explainer = explainer
        self.clusters = clusters
        let (cache, parts) = (explainer.engine.explainCache, explainer.engine.parts)
        guard explainer.options.explained == .centre || explainer.options.explained == .contrast else { return }
        for cluster in Set(clusters).sorted() {
            made[cluster] =
                explainer.options.explained == .centre
                ? try cache.centre(of: cluster, parts, explainer.execution)
                : try cache.contrast(of: cluster, parts, explainer.execution)
        }
    }

    /// nil for memberships and risks.
    func function(of transaction: Int) throws -> (any RowFunction)? {
        let cluster = clusters[transaction]
        switch explainer.options.explained {
        case .membership, .risk: return nil
        case .centre: return try found(made[cluster], "cluster \(cluster) has no rows to measure a distance to")
        case .contrast:
            return try found(
                made[cluster],
                "cluster \(cluster) cannot be set apart from other rows, because there are none: explain EXEMPLAR")
        case .exemplar:
            try explainer.execution.check()
            return try found(
                explainer.withRow(transaction) {
                    explainer.engine.parts.clustering.nearestExemplar(to: $0, of: cluster)
                }, "cluster \(cluster) has no exemplar to measure a distance to")
        }
    }

    private func found(_ function: (any RowFunction)?, _ message: String) throws -> any RowFunction {
        guard let function else { throw CoveyError.mismatch(message) }
        return function
    }
}
