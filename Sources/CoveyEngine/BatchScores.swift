import CoveyRuntime
import CoveySequences
import CoveyTables

/// What a host may ask of scoring.
public struct ScoreOptions: Sendable, Equatable {
    /// A transaction that cannot be scored does not fail the others.
    public var keepsGoing = false
    /// The last events of a transaction that count; nil = all.
    public var mostEvents: Int?

    public init() {}
}

/// The scores of a batch in which some transactions may have none.
public struct BatchScores: Sendable {
    /// One for each transaction.
    public fileprivate(set) var scores: [Score]
    /// Why a transaction has no score, by its index.
    public fileprivate(set) var failures: [Int: CoveyError] = [:]
}

extension Score {
    /// In the place of a score that there is not.
    static let none = Score(
        cluster: -1, strength: 0, risk: .nan, isRisky: false, rules: [], events: [], evidence: nil, unusual: [])
}

extension Engine {
    /// As `score`, with options. Where it keeps going, invalid numbers of a transaction are its failure, with the
    /// message that it has when it is scored alone. Cost: each such transaction costs about that of a call for all
    /// others again, divided by 2, 4, 8 ...
    public func score(
        _ sequences: SequenceBatch?, _ table: FeatureTable?, _ options: ScoreOptions,
        execution: Execution = Execution()
    ) throws -> BatchScores {
        let count = try checkedCount(sequences, table)
        if count > 0, options.keepsGoing {
            var result = BatchScores(scores: [Score](repeating: .none, count: count))
            try score(0..<count, sequences, table, options, into: &result, execution)
            return result
        }
        return BatchScores(scores: try score(limited(sequences, options, execution), table, execution: execution))
    }

    private func limited(
        _ sequences: SequenceBatch?, _ options: ScoreOptions, _ execution: Execution
    ) throws -> SequenceBatch? {
        guard let most = options.mostEvents else { return sequences }
        return try sequences?.lastEvents(most, execution)
    }

    /// Scores a range, or, if that fails, its halves.
    private func score(
        _ range: Range<Int>, _ sequences: SequenceBatch?, _ table: FeatureTable?, _ options: ScoreOptions,
        into result: inout BatchScores, _ execution: Execution
    ) throws {
        do {
            let part = try limited(sequences?.part(range, execution), options, execution)
            let scores = try score(part, table?.part(range), execution: execution)
            result.scores.replaceSubrange(range, with: scores)
        } catch let error as CoveyError where error.code == .invalidData {
            if range.count == 1 {
                result.failures[range.lowerBound] = error
                return
            }
            let middle = range.lowerBound + range.count / 2
            try score(range.lowerBound..<middle, sequences, table, options, into: &result, execution)
            try score(middle..<range.upperBound, sequences, table, options, into: &result, execution)
        }
    }
}
