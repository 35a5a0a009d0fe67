import CoveyClustering
import CoveyEncoder
import CoveyHybrid
import CoveyRisk
import CoveyRules
import CoveyRuntime
import CoveySequences
import CoveyTables

/// Scores one transaction after another in memory that is used again: by the same steps as `Engine.score`, so that the
/// numbers are the same. After the first scores nothing is allocated by an engine without evidence, for events in the
/// order of time. For one thread at a time.
public final class Scorer {
    public let engine: Engine
    /// The last score; nil before the first one and after an error.
    public private(set) var score: Score?

    private let features: FeatureRow
    private let execution: Execution
    private let scratch = EncoderScratch()
    private var embedding: Matrix<Float>?
    private var attention: [Float] = []
    private var hybrid: HybridRow
    /// By set; nil if it has no rules.
    private var sets: [OneRow?]
    // What a score is made of. A score shares their memory until the next one.
    private var events: [WeighedEvent] = []
    private var fired: [FiredRule] = []
    private var unusual: [UnusualFeature] = []

    public init(_ engine: Engine, _ context: Context = .standard) throws {
        self.engine = engine
        execution = Execution(context)
        features = try FeatureRow(engine.features, categories: engine.knownCategories(execution), execution)
        let table = features.table
        embedding = engine.parts.encoder.map { Matrix(rows: 1, columns: $0.dimension, repeating: 0) }
        hybrid = try HybridRow(engine.parts.hybrid, table)
        sets = try engine.parts.ruleSets.map { set in
            set.evaluator.ruleCount > 0 ? try OneRow(set.evaluator, table) : nil
        }
    }

    /// Sets a number, a date or a boolean by the feature's index in `Engine.features`; NaN = missing.
    public func set(_ feature: Int, number: Double) throws { try features.set(feature, number: number) }

    /// Sets a category by its UTF-8 bytes; nil = missing.
    public func set(_ feature: Int, category: UnsafeBufferPointer<UInt8>?) throws {
        try features.set(feature, category: category)
    }

    /// All features are missing.
    public func clear() { features.clear() }

    /// Scores the features that were set, and a batch of one sequence (nil without an encoder).
    /// - Parameters:
    ///   - sequences: makes the batch; its errors come before all others.   seconds: as `Execution` takes them.
    public func score(
        _ options: ScoreOptions = ScoreOptions(), seconds: Double? = nil,
        sequences: (Execution) throws -> SequenceBatch? = { _ in nil }
    ) throws -> Score {
        // Arrays that the score still held would be copied.
        score = nil
        execution.restart(seconds: seconds)
        var batch = try sequences(execution)
        _ = try engine.checkedCount(batch, features.table)
        if let most = options.mostEvents { batch = try batch?.lastEvents(most, execution) }
        try embed(batch)
        try fillHybrid()
        let placed = try hybrid.row.withView {
            try engine.parts.clustering.label($0, .bounded, execution: execution)
        }
        let evidence = try engine.parts.evidence?.rows(
            EvidenceInput(count: 1, embeddings: embedding, table: features.table, sequences: batch),
            execution: execution)
        try findRules()
        if placed.label < 0 {
            engine.parts.hybrid.unusual(hybrid.row, 0, into: &unusual)
        } else {
            unusual.removeAll(keepingCapacity: true)
        }
        let score = engine.score(
            cluster: Int(placed.label), strength: placed.strength, rules: fired, events: events,
            evidence: evidence?[0], unusual: unusual)
        self.score = score
        return score
    }

    private func embed(_ batch: SequenceBatch?) throws {
        events.removeAll(keepingCapacity: true)
        guard let encoder = engine.parts.encoder, let batch else { return }
        let total = batch.offsets.events.count
        if attention.count < total {
            try execution.reserve(total, of: 4, for: "the attention to \(total) events")
            attention = Array(repeating: 0, count: total)
        }
        try attention.withUnsafeMutableBufferPointer { attention in
            try embedding?.elements.withUnsafeMutableBufferPointer {
                guard let base = $0.baseAddress else { return }
                try encoder.embed(
                    one: batch, into: base, attention: attention.baseAddress, scratch, execution)
            }
        }
        try WeighedEvent.heaviest(
            batch, 0, attention, vocabulary: encoder.configuration.vocabulary.count, into: &events, execution)
    }

    private func fillHybrid() throws {
        guard let embedding else { return try hybrid.fill(nil) }
        try embedding.withView { try hybrid.fill($0) }
    }

    private func findRules() throws {
        fired.removeAll(keepingCapacity: true)
        for index in sets.indices {
            try sets[index]?.evaluate(execution) { fired.append(FiredRule(set: index, rule: $0)) }
        }
    }
}
