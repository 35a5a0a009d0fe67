import CoveyRuntime
import CoveyTables

/// The offsets of the sequences of a batch: sequence i has the events offsets[i] to offsets[i + 1] - 1.
public struct SequenceOffsets: Sendable {
    /// The largest offset. With this limit, no product of an offset and the bytes of an event overflows.
    private static let largest: Int64 = 1 << 48

    private let offsets: Strided<Int64>
    /// The number of sequences.
    public let count: Int
    /// The events of all sequences.
    public let events: Range<Int>

    /// - Parameter offsets: n + 1 offsets for n sequences. It may be empty if there are no sequences.
    /// - Throws: `invalidData`, with the offset, if offsets decrease or are negative, or if a sequence has more than
    ///   2^31 - 1 events; `cancelled`.
    public init(_ offsets: Strided<Int64>, _ execution: Execution = Execution()) throws {
        self.offsets = offsets
        count = max(0, offsets.count - 1)
        guard offsets.count > 0 else {
            events = 0..<0
            return
        }
        guard offsets[0] >= 0 else { throw CoveyError.invalidData("offsets[0] must be at least 0, got \(offsets[0])") }
        try execution.forEach(1..<max(1, offsets.count)) { index in
            let (before, after) = (offsets[index - 1], offsets[index])
            guard after >= before else {
                throw CoveyError.invalidData(
                    "offsets[\(index)] must not be below offsets[\(index - 1)] = \(before), got \(after)")
            }
            // Both are at least 0 here.
            guard after - before <= Int64(Int32.max) else {
                throw CoveyError.invalidData(
                    "offsets[\(index)]: sequence \(index - 1) must have at most \(Int32.max) events, got "
                        + "\(after - before)"
                )
            }
        }
        let end = offsets[offsets.count - 1]
        guard end <= Self.largest else {
            throw CoveyError.invalidData("offsets[\(offsets.count - 1)] must be at most \(Self.largest), got \(end)")
        }
        events = Int(offsets[0])..<Int(end)
    }

    /// Those of some of the sequences.
    func part(_ sequences: Range<Int>, _ execution: Execution) throws -> SequenceOffsets {
        try SequenceOffsets(offsets.part(sequences.lowerBound..<sequences.upperBound + 1), execution)
    }

    /// The events of a sequence.
    public subscript(sequence: Int) -> Range<Int> {
        Int(offsets[sequence])..<Int(offsets[sequence + 1])
    }
}
