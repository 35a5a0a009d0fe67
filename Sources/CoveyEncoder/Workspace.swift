import CCoveyKernels
import CoveyRuntime
import CoveySequences
import Glibc

/// The memory in which one thread embeds blocks of sequences.
///
/// The events of a block are stored step by step: step 0 of all sequences, then step 1 of all sequences that have one,
/// and so on. Within a step the longest sequences come first. So each step is one range of rows, a sequence has the
/// same index in each step, and there is no padding.
final class Workspace {
    /// The first row of each step, then the number of events. Step t has starts[t + 1] - starts[t] rows.
    var starts: [Int] = []
    /// The sequences of the block, the longest first; their lengths; and their orders in time (nil if given in this
    /// order).
    var sequences: [Int] = []
    var lengths: [Int] = []
    var timeOrders: [[Int32]?] = []

    /// [events][lookups]
    let indices: UnsafeMutablePointer<Int32>
    /// [events][inputs]
    let inputs: UnsafeMutablePointer<Float>
    /// [events][2 x units], for a layer and for the layer above it.
    var states: UnsafeMutablePointer<Float>
    var nextStates: UnsafeMutablePointer<Float>
    /// The same in bfloat16, if the precision is bfloat16. Then `nextStates` has no memory.
    var halves: UnsafeMutablePointer<UInt16>
    var nextHalves: UnsafeMutablePointer<UInt16>
    /// [events]: the scores of the attention, later exp(score - largest).
    let scores: UnsafeMutablePointer<Float>
    /// [2 directions][rows][units]
    let cells: UnsafeMutablePointer<Float>
    /// [2 directions][4 x units]: the sums of the gates of one sequence.
    let gates: UnsafeMutablePointer<Float>
    /// [rows]: the sums of exp(score - largest), and the largest scores.
    let sums: UnsafeMutablePointer<Double>
    let largest: UnsafeMutablePointer<Float>
    /// [2 x units], for one sequence.
    let pooled: UnsafeMutablePointer<Double>
    /// [rows][2 x units]
    let context: UnsafeMutablePointer<Float>
    /// [rows][d padded]
    let output: UnsafeMutablePointer<Float>
    /// [eventGrain]: one feature of some events of a sequence.
    let feature: UnsafeMutablePointer<Float>
    static let eventGrain = 1024

    private let memory: UnsafeMutableRawBufferPointer

    /// The offset in bytes of each array of a workspace for these blocks.
    struct Layout {
        fileprivate let offsets: [Int]
        fileprivate let memory: Int
        fileprivate let longest: Int
        /// All bytes of a workspace: the arrays, `starts`, and the order in time of one sequence.
        var bytes: Int { memory + 16 * longest }

        init(_ network: PackedEncoder, _ blocks: SequenceBlocks, isBFloat16: Bool) throws {
            let (events, rows, width) = (blocks.largestEvents, blocks.largestRows, 2 * network.units)
            let isDeep = network.layers.count > 1
            let columns = network.projection.map { Int($0.kernel.pointee.vectors) * 16 } ?? 0
            var offsets: [Int] = []
            offsets.reserveCapacity(15)
            var total = 0
            for (count, size) in [
                (events, network.lookups * 4), (events, network.inputs * 4), (events, width * 4),
                (isDeep && !isBFloat16 ? events : 0, width * 4), (isBFloat16 ? events : 0, width * 2),
                (isDeep && isBFloat16 ? events : 0, width * 2), (events, 4), (rows, width * 4), (rows, 8), (rows, 4),
                (1, width * 8), (rows, width * 4), (rows, columns * 4), (1, width * 16),
                (min(blocks.longest, Workspace.eventGrain), 4),
            ] {
                offsets.append(total)
                let bytes = try checkedProduct(count, size, "a workspace")
                let (sum, overflow) = total.addingReportingOverflow((bytes & ~63) &+ 128)
                if overflow || bytes > Int.max / 2 {
                    throw CoveyError.outOfMemory("a workspace: \(count) x \(size) overflows")
                }
                total = sum
            }
            self.offsets = offsets
            memory = total
            longest = blocks.longest
        }
    }

    init(_ layout: Layout) throws {
        let offsets = layout.offsets
        let memory = UnsafeMutableRawBufferPointer(try alignedMemory(layout.memory, of: UInt8.self, for: "a workspace"))
        func array<Element>(_ index: Int, _ type: Element.Type) -> UnsafeMutablePointer<Element> {
            (memory.baseAddress! + offsets[index]).assumingMemoryBound(to: type)
        }
        indices = array(0, Int32.self)
        inputs = array(1, Float.self)
        states = array(2, Float.self)
        nextStates = array(3, Float.self)
        halves = array(4, UInt16.self)
        nextHalves = array(5, UInt16.self)
        scores = array(6, Float.self)
        cells = array(7, Float.self)
        sums = array(8, Double.self)
        largest = array(9, Float.self)
        pooled = array(10, Double.self)
        context = array(11, Float.self)
        output = array(12, Float.self)
        gates = array(13, Float.self)
        feature = array(14, Float.self)
        self.memory = memory
        starts.reserveCapacity(layout.longest + 1)
    }

    deinit { free(memory.baseAddress) }

    var steps: Int { starts.count - 1 }
    var events: Int { starts[steps] }

    /// Sets the block: its sequences, their orders in time and the first row of each step.
    func begin(_ block: ArraySlice<Int>, _ batch: SequenceBatch, _ execution: Execution) throws {
        sequences.removeAll(keepingCapacity: true)
        sequences.append(contentsOf: block)
        // Prefetch the data of all sequences at once. Otherwise each sequence would wait for the memory in turn.
        for sequence in block {
            let range = batch.offsets[sequence].prefix(1024)
            if let times = batch.times.contiguous {
                ck_prefetch_range(times + range.lowerBound, Int64(range.count * 8))
            }
            if let types = batch.types.contiguous {
                ck_prefetch_range(types + range.lowerBound, Int64(range.count * 4))
            }
        }
        lengths.removeAll(keepingCapacity: true)
        timeOrders.removeAll(keepingCapacity: true)
        for sequence in block {
            lengths.append(batch.offsets[sequence].count)
            timeOrders.append(try batch.timeOrder(sequence, execution))
        }
        // A local variable, because each access to a property of a class is checked.
        var starts: [Int] = []
        swap(&starts, &self.starts)
        starts.removeAll(keepingCapacity: true)
        var rows = sequences.count
        var total = 0
        for step in 0..<(lengths.first ?? 0) {
            if step & 0xFFFF == 0xFFFF { try execution.report() }
            while lengths[rows - 1] <= step { rows -= 1 }
            starts.append(total)
            total += rows
        }
        starts.append(total)
        self.starts = starts
    }
}
