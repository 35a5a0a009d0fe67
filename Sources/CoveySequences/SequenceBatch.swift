import CoveyRuntime
import CoveyTables

/// A batch of event sequences: the columns of all events, and the offsets of each sequence in them. A batch borrows its
/// columns; it does not copy them.
public struct SequenceBatch: Sendable {
    public let offsets: SequenceOffsets
    /// Vocabulary indices. An index outside of the vocabulary is the unknown entry.
    public let types: Strided<Int32>
    /// Seconds on any clock.
    public let times: Strided<Double>
    /// Seconds spent on the event; NaN means missing.
    public let dwell: Strided<Double>?
    /// NaN means missing.
    public let numeric: [Strided<Double>]
    /// Indices of the channel's vocabulary. Any other number is the unknown entry.
    public let categorical: [Strided<Int32>]

    /// - Throws: `mismatch` if a column does not have offsets.events.upperBound values. `validate` checks the values.
    public init(
        offsets: SequenceOffsets, types: Strided<Int32>, times: Strided<Double>, dwell: Strided<Double>? = nil,
        numeric: [Strided<Double>] = [], categorical: [Strided<Int32>] = []
    ) throws {
        let end = offsets.events.upperBound
        func check(_ count: Int, _ name: String) throws {
            guard count == end else {
                throw CoveyError.mismatch("\(name) has \(count) events, the offsets end at \(end)")
            }
        }
        try check(types.count, "types")
        try check(times.count, "times")
        if let dwell { try check(dwell.count, "dwell") }
        for (channel, values) in numeric.enumerated() { try check(values.count, "numeric[\(channel)]") }
        for (channel, values) in categorical.enumerated() { try check(values.count, "categorical[\(channel)]") }
        self.offsets = offsets
        self.types = types
        self.times = times
        self.dwell = dwell
        self.numeric = numeric
        self.categorical = categorical
    }

    /// The number of sequences.
    public var count: Int { offsets.count }

    /// Checks the values. Cost: O(events).
    /// - Throws: `invalidData`, with the column, the event and the value, if a time is not finite, a dwell is negative
    ///   or infinite, or a number is infinite; `cancelled`.
    public func validate(_ execution: Execution) throws {
        try check(times, "times", "finite", execution) { $0.isFinite }
        if let dwell {
            try check(dwell, "dwell", "at least 0 and finite, or NaN", execution) { $0.isNaN || $0 >= 0 && $0.isFinite }
        }
        for (channel, values) in numeric.enumerated() {
            try check(values, "numeric[\(channel)]", "finite or NaN", execution) { !$0.isInfinite }
        }
    }

    @inline(__always)
    private func check(
        _ values: Strided<Double>, _ name: String, _ expected: String, _ execution: Execution,
        _ isValid: (Double) -> Bool
    ) throws {
        var start = offsets.events.lowerBound
        while start < offsets.events.upperBound {
            try execution.report()
            let end = min(start + 1 << 16, offsets.events.upperBound)
            for event in start..<end where !isValid(values[event]) {
                throw CoveyError.invalidData("\(name)[\(event)] must be \(expected), got \(values[event])")
            }
            start = end
        }
    }

    private func isOrdered(_ range: Range<Int>, _ execution: Execution) throws -> Bool {
        var falls = 0
        var before = range.isEmpty ? 0 : times[range.lowerBound]
        for start in stride(from: range.lowerBound, to: range.upperBound, by: 1 << 16) {
            try execution.report()
            for event in start..<min(start + 1 << 16, range.upperBound) {
                let time = times[event]
                falls |= time < before ? 1 : 0
                before = time
            }
            if falls > 0 { return false }
        }
        return true
    }

    /// Returns the events of a sequence in the order of time, as positions within the sequence; nil if they were given
    /// in this order. Events with equal times keep their given order. Cost: O(T) for T events in the order of time,
    /// otherwise O(T log T).
    public func timeOrder(_ sequence: Int, _ execution: Execution) throws -> [Int32]? {
        let range = offsets[sequence]
        let start = range.lowerBound
        guard try !isOrdered(range, execution) else { return nil }
        var order = Array(0..<Int32(range.count))
        var comparisons = 0
        try order.sort { left, right in
            comparisons &+= 1
            if comparisons & 0xFFFF == 0 { try execution.report() }
            let (a, b) = (times[start &+ Int(left)], times[start &+ Int(right)])
            return a != b ? a < b : left < right
        }
        return order
    }
}
