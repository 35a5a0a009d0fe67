import CCoveyKernels
import CoveyRuntime
import CoveySequences
import Glibc

/// The memory in which one thread embeds blocks of sequences.
///
/// Events of a block lie step by step: those of step t of all sequences that are longer than t, the longest first. So each
/// step is one run of rows, and a row's previous state lies at the same place of the previous step; nothing is padded.
final class Workspace {
    /// The first row of each step, and one more: the number of events. Step t has starts[t + 1] - starts[t] rows.
    var starts: [Int] = []
    /// The sequences of the block, the longest first, their lengths and their orders in time (nil = as given).
    var sequences: [Int] = []
    var lengths: [Int] = []
    var timeOrders: [[Int32]?] = []

    /// [events][lookups]
    let indices: UnsafeMutablePointer<Int32>
    /// [events][inputs]
    let inputs: UnsafeMutablePointer<Float>
    /// [events][2 x units], of a layer and of the one above.
    var states: UnsafeMutablePointer<Float>
    var nextStates: UnsafeMutablePointer<Float>
    /// The same in bfloat16, where that is the precision; then `nextStates` has no memory.
    var halves: UnsafeMutablePointer<UInt16>
    var nextHalves: UnsafeMutablePointer<UInt16>
    /// [events]: the attention's scores, later exp(score - largest).
    let scores: UnsafeMutablePointer<Float>
    /// [2 directions][rows][units]
    let cells: UnsafeMutablePointer<Float>
    /// [2 directions][4 x units]: sums of gates, of one sequence.
    let gates: UnsafeMutablePointer<Float>
    /// [rows]: of exp(score - largest), and the largest scores.
    let sums: UnsafeMutablePointer<Double>
    let largest: UnsafeMutablePointer<Float>
    /// [2 x units]: of one sequence.
    let pooled: UnsafeMutablePointer<Double>
    /// [rows][2 x units]
    let context: UnsafeMutablePointer<Float>
    /// [rows][d padded]
    let output: UnsafeMutablePointer<Float>

    private let memory: UnsafeMutableRawBufferPointer

    /// Where each array of a workspace for these blocks lies, in bytes from its start.
    struct Layout {
        fileprivate let offsets: [Int]
        fileprivate let memory: Int
        fileprivate let longest: Int
        /// All that a workspace takes: beside the arrays `starts`, and a sequence's order in time.
        var bytes: Int { memory + 16 * longest }

        init(_ network: PackedEncoder, _ blocks: SequenceBlocks, isBFloat16: Bool) throws {
            let (events, rows, width) = (blocks.largestEvents, blocks.largestRows, 2 * network.units)
            let isDeep = network.layers.count > 1
            let columns = network.projection.map { Int($0.kernel.pointee.vectors) * 16 } ?? 0
            var offsets: [Int] = []
            offsets.reserveCapacity(14)
            var total = 0
            for (count, size) in [
                (events, network.lookups * 4), (events, network.inputs * 4), (events, width * 4),
                (isDeep && !isBFloat16 ? events : 0, width * 4), (isBFloat16 ? events : 0, width * 2),
                (isDeep && isBFloat16 ? events : 0, width * 2), (events, 4), (rows, width * 4), (rows, 8), (rows, 4),
                (1, width * 8), (rows, width * 4), (rows, columns * 4), (1, width * 16),
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
        self.memory = memory
        starts.reserveCapacity(layout.longest + 1)
    }

    deinit { free(memory.baseAddress) }

    var steps: Int { starts.count - 1 }
    var events: Int { starts[steps] }

    /// Takes a block: its sequences, their orders in time and the rows of its steps.
    func begin(_ block: ArraySlice<Int>, _ batch: SequenceBatch, _ execution: Execution) throws {
        sequences = Array(block)
        // All of the block at once: one after the other they would each wait for the memory.
        for sequence in block {
            let range = batch.offsets[sequence].prefix(1024)
            if let times = batch.times.contiguous { ck_prefetch_range(times + range.lowerBound, Int64(range.count * 8)) }
            if let types = batch.types.contiguous { ck_prefetch_range(types + range.lowerBound, Int64(range.count * 4)) }
        }
        lengths = sequences.map { batch.offsets[$0].count }
        timeOrders = try sequences.map { try batch.timeOrder($0, execution) }
        // A local variable: each access to one of a class is checked.
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
