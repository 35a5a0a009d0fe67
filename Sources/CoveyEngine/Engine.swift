import CoveyClustering
import CoveyEncoder
import CoveyHybrid
import CoveyRisk
import CoveyRules
import CoveyRuntime
import CoveySequences
import CoveyTables

/// Everything that scores a transaction. Immutable, for any number of threads at once.
public final class Engine: Sendable {
    public let parts: EngineParts
    /// The feature columns that scoring needs: those of the hybrid features, then those of rules alone.
    public let features: [EngineFeature]
    /// The share of fraud among the labelled rows; 0 where there are none.
    public let baseRate: Double
    /// Of each cluster.
    let figures: [ClusterFigures]
    /// nil without an encoder.
    let sessionLayout: SessionLayout?
    let explainCache: ExplainCache

    /// Throws `invalidArgument` and `mismatch` where the parts do not fit together; `outOfMemory`.
    public init(_ parts: EngineParts, execution: Execution = Execution()) throws {
        try parts.validate()
        // The first transaction does not wait for it.
        try parts.encoder?.prepare(execution)
        try parts.clustering.prepareLabels(execution: execution)
        for view in parts.evidence?.views ?? [] { try view.clustering.prepareNearest(execution: execution) }
        try execution.report()
        self.parts = parts
        features = try parts.features(execution)
        sessionLayout = parts.encoder.map { SessionLayout($0.configuration) }
        explainCache = ExplainCache(clusters: parts.clustering.clusterCount)
        let base = parts.risk.baseRate ?? 0
        baseRate = base
        var figures = (0..<parts.clustering.clusterCount).map { ClusterFigures(cluster: $0, baseRate: base) }
        for report in parts.risk.reports where report.cluster >= 0 {
            figures[report.cluster] = ClusterFigures(report, baseRate: base)
        }
        self.figures = figures
    }

    /// Scores transactions: sequences (nil without an encoder) and a table with as many rows (nil where no feature is
    /// needed). A transaction scores the same alone and in any batch.
    ///
    /// risk = max(strength share(cluster) + (1 - strength) base, the best precision share(cluster) of a rule that
    /// fires), where share is the cluster's share of fraud: the base rate where nothing in it is labelled, 1 for a rule
    /// set without a cluster. With evidence risk and verdict are those of `Evidence.rows`. Throws what the stages
    /// throw, `mismatch` for inputs that are missing, too many or of other lengths.
    public func score(
        _ sequences: SequenceBatch?, _ table: FeatureTable?, execution: Execution = Execution()
    ) throws -> [Score] {
        let count = try checkedCount(sequences, table)
        if count == 0 { return [] }
        let columns = 2 * parts.hybrid.dimension + (parts.encoder?.dimension ?? 0)
        try execution.reserve(count, of: 4 * (columns + 64), for: "\(count) scores")
        let (embeddings, events) = try embed(sequences, execution)
        do {
            return try scored(count, embeddings: embeddings, events: events, sequences: sequences, table, execution)
        } catch let error as CoveyError where error.code == .mismatch {
            // A part names the columns that it misses itself; the caller wants all of them.
            try table?.requireColumns(features.map(\.name))
            throw error
        }
    }

    /// The scores of `count` transactions whose embeddings are known.
    /// - Parameters:
    ///   - events: those with the most attention, by transaction; may be empty.
    ///   - sequences: of the embeddings; only evidence reads them.
    func scored(
        _ count: Int, embeddings: Matrix<Float>?, events: [[WeighedEvent]], sequences: SequenceBatch?,
        _ table: FeatureTable?, _ execution: Execution
    ) throws -> [Score] {
        let rows = try withView(embeddings) { try parts.hybrid.transform($0, table, execution: execution) }
        // A strength of 0 or 1 alone, as hdbscan has it beside equal rows, would be a risk that jumps.
        let placed = try rows.withView {
            try parts.clustering.predict($0, .bounded, onlyLabels: true, execution: execution)
        }
        let evidence = try parts.evidence?.rows(
            EvidenceInput(count: count, embeddings: embeddings, table: table, sequences: sequences),
            execution: execution)
        let fired = try table.map { try firedRules($0, execution) } ?? [:]
        var scores: [Score] = []
        scores.reserveCapacity(count)
        try execution.forEach(0..<count, every: 4096) { index in
            scores.append(
                score(
                    cluster: Int(placed.labels[index]), strength: placed.probabilities[index],
                    rules: fired[index] ?? [],
                    events: events.isEmpty ? [] : events[index], evidence: evidence?[index],
                    unusual: placed.labels[index] < 0 ? parts.hybrid.unusual(rows, index) : []))
        }
        return scores
    }

    func checkedCount(_ sequences: SequenceBatch?, _ table: FeatureTable?) throws -> Int {
        if parts.encoder != nil, sequences == nil {
            throw CoveyError.mismatch("sequences must not be NULL: the engine has an encoder")
        }
        if parts.encoder == nil, sequences != nil {
            throw CoveyError.mismatch("sequences must be NULL: the engine has no encoder")
        }
        if !features.isEmpty, table == nil {
            let names = FeatureTable.listed(features.map(\.name))
            let columns = features.count == 1 ? "column" : "columns"
            throw CoveyError.mismatch("features must not be NULL: the engine needs the \(columns) \(names)")
        }
        if let sequences, let table, sequences.count != table.rows {
            throw CoveyError.mismatch("sequences are \(sequences.count), features have \(table.rows) rows")
        }
        return sequences?.count ?? table?.rows ?? 0
    }

    func embed(
        _ sequences: SequenceBatch?, _ execution: Execution
    ) throws -> (embeddings: Matrix<Float>?, events: [[WeighedEvent]]) {
        guard let encoder = parts.encoder, let sequences else { return (nil, []) }
        let total = sequences.offsets.events.count
        try execution.reserve(total, of: 4, for: "the attention to \(total) events")
        var attention = [Float](repeating: 0, count: total)
        var embeddings = try Matrix<Float>(rows: sequences.count, columns: encoder.dimension, repeating: 0, execution)
        try attention.withUnsafeMutableBufferPointer { attention in
            try embeddings.elements.withUnsafeMutableBytes {
                guard let base = $0.baseAddress else { return }
                try encoder.embed(
                    sequences, into: base, rowStride: encoder.dimension * 4, attention: attention.baseAddress, execution
                )
            }
        }
        let entries = encoder.configuration.vocabulary.count
        let events = try (0..<sequences.count).map { sequence in
            if sequence & 0xFF == 0 { try execution.check() }
            var events: [WeighedEvent] = []
            try WeighedEvent.heaviest(sequences, sequence, attention, vocabulary: entries, into: &events, execution)
            return events
        }
        return (embeddings, events)
    }

    func withView<Result>(
        _ embeddings: Matrix<Float>?, _ body: (MatrixView?) throws -> Result
    ) rethrows -> Result {
        guard let embeddings else { return try body(nil) }
        return try embeddings.withView { try body($0) }
    }

    func score(
        cluster: Int, strength: Double, rules: [FiredRule], events: [WeighedEvent], evidence: Evidence.Row?,
        unusual: [UnusualFeature]
    ) -> Score {
        if let evidence {
            return Score(
                cluster: cluster, strength: strength, risk: evidence.risk, isRisky: evidence.group >= 0, rules: rules,
                events: events, evidence: evidence, unusual: unusual)
        }
        var risk = baseRate
        var isRisky = false
        if cluster >= 0 {
            risk = strength * figures[cluster].share + (1 - strength) * baseRate
            isRisky = figures[cluster].isRisky
        }
        for fired in rules {
            let described = parts.ruleSets[fired.set].cluster
            let share = described < 0 ? 1 : figures[described].share
            risk = max(risk, parts.ruleSets[fired.set].precisions[fired.rule] * share)
            isRisky = isRisky || described < 0 || figures[described].isRisky
        }
        return Score(
            cluster: cluster, strength: strength, risk: min(1, max(0, risk)), isRisky: isRisky, rules: rules,
            events: events,
            evidence: nil, unusual: unusual)
    }
}

/// What scoring needs to know of a cluster.
struct ClusterFigures: Sendable {
    /// The share of fraud, the base rate where nothing is labelled.
    let share: Double
    let isRisky: Bool
    /// nil where no row was rated.
    let report: ClusterReport?

    init(cluster: Int, baseRate: Double) {
        share = baseRate
        isRisky = false
        report = nil
    }

    init(_ report: ClusterReport, baseRate: Double) {
        share = report.share ?? baseRate
        isRisky = report.isRisky
        self.report = report
    }
}

extension WeighedEvent {
    /// How many events a reason names.
    private static let most = 3

    /// The events of a sequence with the most attention; equal ones in the given order.
    /// - Parameter events: emptied first; its memory is used again.
    static func heaviest(
        _ batch: SequenceBatch, _ sequence: Int, _ attention: [Float], vocabulary: Int,
        into events: inout [WeighedEvent], _ execution: Execution
    ) throws {
        let range = batch.offsets[sequence]
        let first = batch.offsets.events.lowerBound
        events.removeAll(keepingCapacity: true)
        for event in range {
            if (event - range.lowerBound) & 0xFFFF == 0xFFFF { try execution.check() }
            let weight = Double(attention[event - first])
            if events.count == most {
                if weight <= events[most - 1].share { continue }
                events.removeLast()
            }
            let rank = events.firstIndex { $0.share < weight } ?? events.count
            let type = Int(batch.types[event])
            events.insert(
                WeighedEvent(
                    type: type >= 0 && type < vocabulary ? type : 0, place: event - range.lowerBound + 1,
                    length: range.count, share: weight),
                at: rank)
        }
    }
}
