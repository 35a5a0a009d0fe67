import CoveyEncoder
import CoveyRuntime
import CoveySequences
import CoveyTables

/// Scores alternatives to one transaction as `Engine.score` does. Embeddings are computed once for each set of removed
/// events.
struct AlternativeScores {
    private let engine: Engine
    private let given: GivenTransaction
    private let features: [ChangeableFeature]
    /// One sequence; nil without an encoder.
    private let sequence: SequenceBatch?
    private let execution: Execution
    private var embeddings: [[Int]: [Float]] = [:]
    /// Alternatives that may still be scored.
    private(set) var left: Int

    private static let mostRows = 512
    private static let mostEvents = 1 << 19
    private static let mostEmbeddings = 4096

    init(
        _ engine: Engine, _ given: GivenTransaction, _ features: [ChangeableFeature], _ sequence: SequenceBatch?,
        most: Int, _ execution: Execution
    ) {
        self.engine = engine
        self.given = given
        self.features = features
        self.sequence = sequence
        self.execution = execution
        left = most
    }

    /// The scores of the first alternatives, as many as may still be scored.
    mutating func scores(_ alternatives: [Alternative]) throws -> [Score] {
        let asked = alternatives.prefix(left)
        left -= asked.count
        let events = max(1, sequence?.offsets.events.count ?? 1)
        let rows = max(1, min(Self.mostRows, Self.mostEvents / events))
        var result: [Score] = []
        result.reserveCapacity(asked.count)
        for start in stride(from: 0, to: asked.count, by: rows) {
            try execution.report()
            let held = execution.memory.bytes
            let part = Array(asked[start..<min(asked.count, start + rows)])
            result += try execution.quietly { try batch(part) }
            // What the stages counted is free again.
            execution.memory.release(execution.memory.bytes - held)
        }
        return result
    }

    private mutating func batch(_ alternatives: [Alternative]) throws -> [Score] {
        let table = try given.table(alternatives, features)
        guard let sequence, let encoder = engine.parts.encoder else {
            return try engine.scored(
                alternatives.count, embeddings: nil, events: [], sequences: nil, table, execution)
        }
        try embed(alternatives.map(\.removed), sequence)
        var rows = Matrix<Float>(rows: alternatives.count, columns: encoder.dimension, repeating: 0)
        for (row, alternative) in alternatives.enumerated() {
            guard let found = embeddings[alternative.removed] else { continue }
            for column in found.indices { rows[row, column] = found[column] }
        }
        // Evidence alone looks at events beside their embedding.
        let sequences =
            engine.parts.evidence == nil
            ? nil : try Self.sequences(alternatives.map(\.removed), sequence, execution)
        return try engine.scored(
            alternatives.count, embeddings: rows, events: [], sequences: sequences, table, execution)
    }

    private mutating func embed(_ removed: [[Int]], _ sequence: SequenceBatch) throws {
        var new: [[Int]] = []
        for events in removed where embeddings[events] == nil && !new.contains(events) { new.append(events) }
        if new.isEmpty { return }
        if embeddings.count + new.count > Self.mostEmbeddings {
            embeddings = [:]
            new = []
            for events in removed where !new.contains(events) { new.append(events) }
        }
        let found = try engine.embed(Self.sequences(new, sequence, execution), execution).embeddings
        guard let found else { return }
        for (row, events) in new.enumerated() { embeddings[events] = (0..<found.columns).map { found[row, $0] } }
    }

    /// A batch with one sequence for each set of removed events.
    static func sequences(_ removed: [[Int]], _ given: SequenceBatch, _ execution: Execution) throws -> SequenceBatch {
        let first = given.offsets.events.lowerBound
        let count = given.offsets.events.count
        var offsets: [Int64] = [0]
        var places: [Int] = []
        try execution.reserve(
            checkedProduct(removed.count, count, "events"),
            of: 32 + 8 * (given.numeric.count + given.categorical.count), for: "sequences with events removed")
        for events in removed {
            try execution.check()
            var next = 0
            for event in 0..<count {
                if next < events.count, events[next] == event {
                    next += 1
                } else {
                    places.append(first + event)
                }
            }
            offsets.append(Int64(places.count))
        }
        func copy<Element: BitwiseCopyable>(_ column: Strided<Element>) -> Strided<Element> {
            Strided(places.map { column[$0] })
        }
        return try SequenceBatch(
            offsets: SequenceOffsets(Strided(offsets), execution), types: copy(given.types), times: copy(given.times),
            dwell: given.dwell.map(copy), numeric: given.numeric.map(copy), categorical: given.categorical.map(copy))
    }
}
