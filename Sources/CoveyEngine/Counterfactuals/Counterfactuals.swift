import CoveyRuntime
import CoveySequences
import CoveyTables

/// What would change the score of one transaction.
public struct Counterfactuals: Sendable {
    /// Raw values are those of `COVEY_COUNTERFACTUAL_...`.
    public enum Outcome: Int32, Sendable {
        /// Nothing that was tried reaches the goal.
        case none = 0
        case found = 1
        /// The transaction reaches the goal as it is.
        case notNeeded = 2
    }

    /// One changed feature.
    public struct Change: Sendable, Equatable {
        public let feature: EngineFeature
        /// Numbers, and 0 or 1 of a boolean; NaN = missing, and for categories.
        public let from: Double
        public let to: Double
        /// nil = missing, and for other kinds.
        public let fromCategory: String?
        public let toCategory: String?
        public let cost: Double
        /// Of numbers: the distance that costs one time the feature's cost; 1 for other kinds.
        public let unit: Double
    }

    public struct Answer: Sendable {
        public let changes: [Change]
        /// Positions in the sequence as it was given, from 0, ascending.
        public let removed: [Int]
        public let cost: Double
    }

    public let outcome: Outcome
    /// The cheapest first.
    public let answers: [Answer]
    /// By `Engine.score`: of the transaction, then of each answer.
    public let scores: [Score]
    /// Alternatives that were scored.
    public let evaluations: Int
    /// Whether the search ended because it had scored as many as it may.
    public let isExhausted: Bool
    let goal: CounterfactualGoal

    /// The engine scores every answer, so that a caller who scores an answer again gets the same score.
    /// - Parameters:
    ///   - sequences: one sequence; nil without an encoder.
    ///   - table: one row; nil if the engine has no features.
    /// - Throws: `invalidArgument` for options out of range, or that do not suit a feature; `mismatch` for unknown
    ///   features, for more or less than one transaction, and as `Engine.score`; `outOfMemory`, `cancelled`.
    public init(
        _ engine: Engine, _ sequences: SequenceBatch?, _ table: FeatureTable?, _ options: CounterfactualOptions,
        execution: Execution = Execution()
    ) throws {
        try options.validate()
        let original = try engine.score(sequences, table, execution: execution)
        guard original.count == 1 else {
            throw CoveyError.mismatch("one transaction must be given, got \(original.count)")
        }
        if options.largestRemoved > 0, engine.parts.encoder == nil {
            throw CoveyError.mismatch("options.max_removed must be 0: the engine has no encoder, so it takes no events")
        }
        let goal = try CounterfactualGoal(options, engine, original[0])
        self.goal = goal
        var given = try GivenTransaction(engine, table)
        let limits = try CounterfactualLimits(options, engine)
        if goal.isReached(by: original[0]) {
            (outcome, answers, scores, evaluations, isExhausted) = (.notNeeded, [], original, 0, false)
            return
        }
        let known = try KnownRows(engine.parts, execution)
        let features = try limits.features(&given, known, engine, options)
        let events = try sequences.map { try Self.events($0, engine, options, execution) } ?? []
        let scorer = AlternativeScores(
            engine, given, features, sequences, most: options.largestEvaluations, execution)
        var search = CounterfactualSearch(features, events: events, options, goal, scorer, execution)
        try search.run(known, engine, given)
        let chosen = try Self.chosen(&search)
        // The engine itself has the last word, from the same inputs that a host would give it.
        let verified = try Self.verified(chosen, given, features, sequences, engine, execution)
        let good = zip(chosen, verified).filter { goal.isReached(by: $0.1) }
        try execution.report("counterfactuals", 1)
        answers = good.map { Self.answer($0.0, features, given, eventCost: options.eventCost) }
        scores = original + good.map(\.1)
        outcome = good.isEmpty ? .none : .found
        evaluations = options.largestEvaluations - search.scorer.left
        isExhausted = search.scorer.left == 0
    }

    /// The events that may be removed: those with the most attention, without the last one, which is the transaction.
    private static func events(
        _ sequences: SequenceBatch, _ engine: Engine, _ options: CounterfactualOptions, _ execution: Execution
    ) throws -> [Int] {
        let count = sequences.offsets.events.count
        guard options.largestRemoved > 0, count > 1 else { return [] }
        let weights = try attention(sequences, engine, execution)
        let last = try sequences.timeOrder(0, execution).map { Int($0[count - 1]) } ?? count - 1
        return Array(
            (0..<count).filter { $0 != last }.sorted { (-weights[$0], $0) < (-weights[$1], $1) }.prefix(mostEvents))
    }

    private static let mostEvents = 64

    private static func attention(
        _ sequences: SequenceBatch, _ engine: Engine, _ execution: Execution
    ) throws -> [Float] {
        guard let encoder = engine.parts.encoder else { return [] }
        var attention = [Float](repeating: 0, count: sequences.offsets.events.count)
        var embedding = [Float](repeating: 0, count: encoder.dimension)
        try attention.withUnsafeMutableBufferPointer { attention in
            try embedding.withUnsafeMutableBytes { embedding in
                guard let base = embedding.baseAddress else { return }
                try encoder.embed(
                    sequences, into: base, rowStride: embedding.count, attention: attention.baseAddress, execution)
            }
        }
        return attention
    }

    /// The cheapest answers, of which none has all steps of a cheaper one.
    private static func chosen(_ search: inout CounterfactualSearch) throws -> [Alternative] {
        let polish = CounterfactualPolish(search)
        let most = 4 * search.options.answers + 8
        var candidates: [(cost: Double, alternative: Alternative)] = []
        let proposed = search.found.map { (cost: polish.cost($0), alternative: $0) }.sorted { $0.cost < $1.cost }
        var seen = Set<Set<Alternative.Step>>()
        for (index, proposal) in proposed.enumerated() {
            var alternative = proposal.alternative
            // Single changes are polished already.
            if alternative.count > 1 {
                if index >= most { continue }
                alternative = try polish.sparse(alternative, &search.scorer)
                guard seen.insert(alternative.steps(search.features)).inserted else { continue }
                alternative = try polish.polished(alternative, &search.scorer)
            }
            if search.fits(alternative) { candidates.append((polish.cost(alternative), alternative)) }
        }
        candidates.sort {
            $0.cost != $1.cost ? $0.cost < $1.cost : $0.alternative.count < $1.alternative.count
        }
        var chosen: [Alternative] = []
        var steps: [Set<Alternative.Step>] = []
        for candidate in candidates where chosen.count < search.options.answers {
            let own = candidate.alternative.steps(search.features)
            if steps.contains(where: { $0.isSubset(of: own) }) { continue }
            steps.append(own)
            chosen.append(candidate.alternative)
        }
        return chosen
    }

    private static func verified(
        _ chosen: [Alternative], _ given: GivenTransaction, _ features: [ChangeableFeature],
        _ sequences: SequenceBatch?, _ engine: Engine, _ execution: Execution
    ) throws -> [Score] {
        if chosen.isEmpty { return [] }
        let batch = try sequences.map { try AlternativeScores.sequences(chosen.map(\.removed), $0, execution) }
        return try engine.score(batch, given.table(chosen, features), execution: execution)
    }

    private static func answer(
        _ alternative: Alternative, _ features: [ChangeableFeature], _ given: GivenTransaction, eventCost: Double
    ) -> Answer {
        let changes = alternative.changes.map { change in
            let feature = features[change.feature]
            let names = given.values[feature.index].names
            let isCategory = feature.feature.kind == .categorical
            func name(_ value: Double) -> String? { isCategory && !value.isNaN ? names[Int(value)] : nil }
            return Change(
                feature: feature.feature, from: isCategory ? .nan : feature.origin,
                to: isCategory ? .nan : change.value,
                fromCategory: name(feature.origin), toCategory: name(change.value),
                cost: feature.cost(to: change.value),
                unit: feature.unit)
        }
        return Answer(
            changes: changes, removed: alternative.removed, cost: alternative.cost(features, eventCost: eventCost))
    }
}
