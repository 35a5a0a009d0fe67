import CoveyEncoder
import CoveyRuntime
import CoveySequences
import Glibc

/// What makes scores worthless without any error: names that the encoder does not know, times in another unit.
public struct DataAlarm: Sendable, Equatable {
    public enum Code: String, Sendable {
        case unknownEvents = "unknown_events"
        case gaps = "time_between_events"
        case dwell = "dwell"
        case unknownCategories = "unknown_categories"
    }

    public let code: Code
    public let text: String

    /// Fewer transactions say little of the data: their events may well be unusual.
    static let leastTransactions = 20
    private static let leastValues = 20
    private static let largestUnknownShare = 0.2
    private static let largestDeviations = 2.0

    static func all(_ counts: DriftCounts, _ encoder: Encoder?, _ categorical: [DriftReference.Categorical])
        -> [DataAlarm]
    {
        var found: [DataAlarm] = []
        if let text = unknown(counts.unknownEvents, of: counts.events) {
            found.append(
                DataAlarm(
                    code: .unknownEvents,
                    text: "\(text) events have a type that the encoder does not know: are the names spelt as in "
                        + "training, in upper and lower case too?"))
        }
        let scaling = encoder?.configuration.timeScaling ?? []
        if let scaling = scaling.first, let text = shifted(counts.gaps, scaling) {
            found.append(DataAlarm(code: .gaps, text: "the time between events is \(text): are times in seconds?"))
        }
        if scaling.count > 2, let text = shifted(counts.dwell, scaling[2]) {
            found.append(DataAlarm(code: .dwell, text: "dwell is \(text): is it in seconds?"))
        }
        for (index, feature) in categorical.enumerated() {
            guard let text = unknown(counts.unknownCategories[index], of: counts.categories[index]) else { continue }
            found.append(
                DataAlarm(
                    code: .unknownCategories,
                    text: "\(text) values of \(PlainText.name(feature.name)) did not occur in training"))
        }
        return found
    }

    private static func unknown(_ count: Int, of total: Int) -> String? {
        guard total >= leastValues, Double(count) >= largestUnknownShare * Double(total) else { return nil }
        return "\(count) of \(total)"
    }

    private static func shifted(_ bins: [Int], _ scaling: Scaling) -> String? {
        let (mean, count) = DriftCounts.mean(bins)
        let difference = mean - scaling.mean
        guard count >= leastValues, abs(difference) >= largestDeviations * scaling.deviation else { return nil }
        let factor = exp(min(60, abs(difference)))
        let rounded = factor < 10 ? (factor * 10).rounded() / 10 : factor.rounded()
        return "about \(rounded) times as \(difference > 0 ? "long" : "short") as in training"
    }
}

extension DataAlarm {
    /// What is odd about a batch of sequences for an encoder; empty for fewer than 20 transactions. O(events).
    static func all(_ sequences: SequenceBatch, _ encoder: Encoder, _ execution: Execution) throws -> [DataAlarm] {
        guard sequences.count >= leastTransactions else { return [] }
        var counts = DriftCounts(types: 0, columns: [], categories: 0, clusters: 0)
        try counts.add(sequences, vocabulary: encoder.configuration.vocabulary.count, execution)
        return all(counts, encoder, [])
    }
}

extension Engine {
    /// What is odd about a batch of sequences; empty for fewer than 20 transactions. O(events).
    public func alarms(_ sequences: SequenceBatch?, execution: Execution = Execution()) throws -> [DataAlarm] {
        guard let encoder = parts.encoder, let sequences else { return [] }
        return try DataAlarm.all(sequences, encoder, execution)
    }
}
