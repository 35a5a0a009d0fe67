import CoveyRuntime
import CoveyTables

// Batches made of a batch.

extension SequenceBatch {
    /// Some of the sequences, at least one. They share the memory, and the events keep their numbers.
    public func part(_ sequences: Range<Int>, _ execution: Execution) throws -> SequenceBatch {
        let offsets = try offsets.part(sequences, execution)
        let events = 0..<offsets.events.upperBound
        return try SequenceBatch(
            offsets: offsets, types: types.part(events), times: times.part(events), dwell: dwell?.part(events),
            numeric: numeric.map { $0.part(events) }, categorical: categorical.map { $0.part(events) })
    }

    /// The last `most` events of each sequence by time, in the order as given; of equal times those that come later.
    /// Longer sequences are copied, so that all others are too. O(events). Throws `invalidData` for times that have no
    /// order.
    public func lastEvents(_ most: Int, _ execution: Execution) throws -> SequenceBatch {
        guard (0..<count).contains(where: { offsets[$0].count > most }) else { return self }
        try validate(execution)
        let total = (0..<count).reduce(0) { $0 + min(most, offsets[$1].count) }
        try execution.hold(total, of: 8 + 4 + 8 + 8 + 8 * (numeric.count + categorical.count), for: "the last events")
        var kept: [Int] = []
        kept.reserveCapacity(total)
        var starts: [Int64] = [0]
        try execution.forEach(0..<count, every: 256) { sequence in
            let range = offsets[sequence]
            if range.count <= most {
                kept += range
            } else if let order = try timeOrder(sequence, execution) {
                kept += order.suffix(most).sorted().map { range.lowerBound + Int($0) }
            } else {
                kept += range.suffix(most)
            }
            starts.append(Int64(kept.count))
        }
        func taken<Value: BitwiseCopyable>(_ values: Strided<Value>) -> Strided<Value> {
            Strided(kept.map { values[$0] })
        }
        return try SequenceBatch(
            offsets: SequenceOffsets(Strided(starts), execution), types: taken(types), times: taken(times),
            dwell: dwell.map(taken), numeric: numeric.map(taken), categorical: categorical.map(taken))
    }
}
