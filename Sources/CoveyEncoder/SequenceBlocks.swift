import CoveyRuntime
import CoveySequences

/// The order in which a batch is embedded: the longest sequences first, in blocks of about equal length. The sequences
/// of a block are computed together. The embedding of a sequence does not depend on its block.
struct SequenceBlocks {
    /// The sequences that are not empty, the longest first.
    let order: [Int]
    /// The range of `order` of each block.
    let blocks: [Range<Int>]
    /// The largest number of events in a block, the largest number of sequences in a block, and the length of the
    /// longest sequence.
    let largestEvents: Int
    let largestRows: Int
    let longest: Int

    /// The largest number of sequences in a block. Their states then stay in the second-level cache.
    private static let rows = 12
    /// A batch of fewer events runs on one thread, if it fits in one block.
    private static let smallest = 1000
    /// The largest number of bytes of a block's events, if the block has more than one sequence.
    private static let bytes = 32 << 20

    init(_ offsets: SequenceOffsets, bytesPerEvent: Int, _ execution: Execution) throws {
        try execution.reserve(offsets.count, of: 2 * MemoryLayout<Int>.stride, for: "the order of the sequences")
        var order: [Int] = []
        order.reserveCapacity(offsets.count)
        try execution.forEach(0..<offsets.count) { sequence in
            if !offsets[sequence].isEmpty { order.append(sequence) }
        }
        try Self.sort(&order, offsets, execution)
        // The sequences of a small batch are divided among the threads, in multiples of the kernel's tile. The smallest
        // batches stay on one thread: a second thread would cost more than it saves.
        let isSmall = offsets.events.count < Self.smallest
        let rows = isSmall ? Self.rows : min(Self.rows, (order.count / execution.threads + 5) / 6 * 6)
        let events = max(1, Self.bytes / bytesPerEvent)
        var blocks: [Range<Int>] = []
        var largest = (events: 0, rows: 0)
        var start = 0
        while start < order.count {
            var end = start + 1
            var total = offsets[order[start]].count
            while end < order.count, end - start < rows, total + offsets[order[end]].count <= events {
                total += offsets[order[end]].count
                end += 1
            }
            blocks.append(start..<end)
            largest.rows = max(largest.rows, end - start)
            largest.events = max(largest.events, total)
            start = end
        }
        longest = order.first.map { offsets[$0].count } ?? 0
        self.order = order
        self.blocks = blocks
        largestEvents = largest.events
        largestRows = largest.rows
    }

    /// Sorts by descending length. Sequences of equal length keep their order. It is a radix sort, from the lowest
    /// digit on.
    private static func sort(_ order: inout [Int], _ offsets: SequenceOffsets, _ execution: Execution) throws {
        guard order.count > 1 else { return }
        let bits = 8
        let longest = order.reduce(0) { max($0, offsets[$1].count) }
        var sorted = order
        for shift in stride(from: 0, to: Int.bitWidth - longest.leadingZeroBitCount, by: bits) {
            func digit(_ sequence: Int) -> Int {
                (1 << bits - 1) - (offsets[sequence].count >> shift & (1 << bits - 1))
            }
            var places = [Int](repeating: 0, count: 1 << bits)
            for sequence in order { places[digit(sequence)] += 1 }
            var start = 0
            for digit in places.indices { (places[digit], start) = (start, start + places[digit]) }
            try execution.forEach(0..<order.count) { index in
                let sequence = order[index]
                let digit = digit(sequence)
                sorted[places[digit]] = sequence
                places[digit] += 1
            }
            swap(&order, &sorted)
        }
    }
}
