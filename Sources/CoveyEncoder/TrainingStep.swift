import CCoveyKernels
import CoveyRuntime
import CoveySequences

/// Computes the loss of a batch and the gradient of all weights.
final class TrainingStep {
    let layout: ParameterLayout
    let parameters: UnsafeMutablePointer<Float>
    let source: SequenceBatch
    let configuration: EncoderConfiguration
    let options: TrainingOptions
    let instructionSet: Int32
    private let arena = TrainingArena()

    init(
        _ layout: ParameterLayout, _ parameters: UnsafeMutablePointer<Float>, _ source: SequenceBatch,
        _ configuration: EncoderConfiguration, _ options: TrainingOptions,
        instructionSet: Int32 = ck_encoder_instruction_set()
    ) {
        self.layout = layout
        self.parameters = parameters
        self.source = source
        self.configuration = configuration
        self.options = options
        self.instructionSet = instructionSet
    }

    /// The number of bytes that the steps so far have used for their arrays.
    var arenaBytes: Int { arena.bytes }

    struct Outcome {
        let loss: Double
        /// One for each chunk; the gradient of the batch is their sum. Empty if only the loss was computed.
        let gradients: [UnsafeMutablePointer<Float>]
        let tables: BatchTables
    }

    /// Runs the step. The gradients are valid until the next call.
    func run(_ batch: TrainingBatch, isLearning: Bool, _ execution: Execution) throws -> Outcome {
        let tables = try BatchTables(layout, parameters, batch, source, execution)
        let parts = try self.parts(batch, tables, isLearning: isLearning, execution)
        let runs = parts.runs
        let products = Products(instructionSet: instructionSet, execution: execution)
        try execution.parallel(2 + parts.gradients.count) { chunk, _ in
            for index in chunk {
                if index < 2 {
                    try tables.prepare(index, products)
                } else {
                    try execution.clear(parts.gradients[index - 2], tables.count)
                }
            }
        }
        let isContrastive = options.objectives.contrastive > 0
        var losses = [Double](repeating: 0, count: runs.count)
        try losses.withUnsafeMutableBufferPointer { losses in
            nonisolated(unsafe) let losses = losses
            try execution.parallel(runs.count) { chunk, thread in
                for index in chunk {
                    let run = runs[index]
                    try run.begin(parts.arrays(index, thread), self.source, self.configuration)
                    try run.forward()
                    losses[index] = try run.nextEvent() + run.maskedEvent() + run.autoencoder()
                    if isLearning && !isContrastive { try run.backward() }
                }
            }
        }
        var loss = losses.reduce(0, +)
        if isContrastive {
            loss += try ContrastiveObjective(
                runs: runs, weight: options.objectives.contrastive, margin: Float(options.margin), execution: execution
            ).run(isLearning: isLearning)
            if isLearning {
                try execution.parallel(runs.count) { chunk, _ in for index in chunk { try runs[index].backward() } }
            }
        }
        if isLearning {
            try execution.parallel(2) { chunk, _ in
                for direction in chunk { try tables.types.unfold(direction, runs, products) }
            }
            tables.types.addEmbeddings(runs[0])
        }
        return Outcome(loss: loss, gradients: parts.gradients, tables: tables)
    }

    /// The pieces of work of a step, and the memory they need.
    private struct Parts: @unchecked Sendable {
        var runs: [ChunkRun] = []
        /// One for each chunk.
        var gradients: [UnsafeMutablePointer<Float>] = []
        let make: (_ run: Int, _ slot: Int) -> ChunkArrays
        let isShared: Bool

        /// Returns the arrays of a run. Either each run has its own, or all runs of a thread use the same arrays one
        /// after the other.
        func arrays(_ run: Int, _ thread: Int) -> ChunkArrays { make(run, isShared ? thread : run) }
    }

    /// True if the directions do not depend on each other, from the inputs to the gradient. Then a chunk is two pieces
    /// of work.
    private static func isDivided(_ layout: ParameterLayout, _ objectives: TrainingOptions.Objectives) -> Bool {
        !objectives.readEmbedding && objectives.maskedEvent == 0 && layout.categories.isEmpty
    }

    private func parts(
        _ batch: TrainingBatch, _ tables: BatchTables, isLearning: Bool, _ execution: Execution
    ) throws -> Parts {
        let (shape, objectives, outputs) = (layout.shape, options.objectives, Self.outputs(tables))
        // If a run ends before the next one begins, both use the same arrays, which then stay in the thread's caches.
        let isShared = objectives.contrastive == 0
        let directions = Self.isDivided(layout, objectives) ? [0..<1, 1..<2] : [0..<2]
        let chunks = batch.chunks.indices.flatMap { chunk in directions.map { (chunk: chunk, directions: $0) } }
        let sizes = chunks.map {
            ChunkRun.size(batch.views[batch.chunks[$0.chunk]], directions: $0.directions.count, tables)
        }
        let bytes = sizes.map { ChunkArrays.bytes($0, shape, objectives, outputs: outputs) }
        let gradientBytes = isLearning ? (tables.count * 4 + 63) / 64 * 64 : 0
        let largest = bytes.map(\.scratch).max() ?? 0
        let scratch = isShared ? min(execution.threads, chunks.count) * largest : bytes.reduce(0) { $0 + $1.scratch }
        try arena.begin(scratch + bytes.reduce(0) { $0 + $1.kept } + gradientBytes * batch.chunks.count)
        let slots =
            isShared
            ? (0..<min(execution.threads, chunks.count)).map { _ in arena.take(largest) }
            : bytes.map { arena.take($0.scratch) }
        let kept = bytes.map { arena.take($0.kept) }
        var parts = Parts(
            make: { run, slot in
                var (kept, scratch) = (ArrayCutter(kept[run]), ArrayCutter(slots[slot]))
                return ChunkArrays(sizes[run], shape, objectives, outputs: outputs, kept: &kept, &scratch)
            }, isShared: isShared)
        if isLearning {
            parts.gradients = batch.chunks.indices.map { _ in
                arena.take(gradientBytes).assumingMemoryBound(to: Float.self)
            }
        }
        parts.runs = chunks.map { part in
            ChunkRun(
                tables, batch, batch.chunks[part.chunk], directions: part.directions, options,
                gradient: isLearning ? parts.gradients[part.chunk] : nil, instructionSet: instructionSet, execution)
        }
        return parts
    }

    private static func outputs(_ tables: BatchTables) -> Int {
        let layout = tables.layout
        return [layout.next, layout.masked, layout.decoder?.head].map { $0.map { tables.rowCount($0.weight) } ?? 0 }
            .max()!
    }

    /// An upper limit of the bytes that the largest step needs, within about a factor of 2.
    /// - Parameter longest: the lengths of its sequences, or of their windows, in descending order.
    static func largestBytes(
        _ longest: [Int], _ layout: ParameterLayout, _ options: TrainingOptions, threads: Int
    ) throws -> Int {
        let shape = layout.shape
        let isContrastive = options.objectives.contrastive > 0
        let copies = isContrastive ? options.slices : 1
        let events = longest.reduce(0, +) * copies
        let rows = longest.count * copies
        let chunks = min(rows, TrainingBatch.chunks + 2, events / TrainingBatch.smallest + 2)
        func used(_ entries: Int, _ more: Int) -> Int {
            entries > options.largestSoftmax ? min(entries, events + more) : entries
        }
        let outputs = used(shape.vocabulary, TrainingBatch.sampled + 1) + shape.numbers
        var (gradient, gathered) = (0, 0)
        for region in layout.regions {
            let entries =
                switch region.table {
                case .none: region.rows
                case .events, .category: used(region.rows, 1)
                case .outputs: min(region.rows, outputs)
                }
            gradient += entries * region.stride + 16
            if entries < region.rows { gathered += entries * region.stride }
        }
        // First comes an estimate, because the sizes may be so large that exact arithmetic would overflow.
        let types = min(events, used(shape.vocabulary, 1))
        let columns = ChunkArrays.stride(outputs)
        let block = min(events, ChunkArrays.block(outputs)) * (columns + 2 * max(shape.states, shape.decoder) + 2)
        let heads = layout.heads.reduce(0) { $0 + ($1.width + 1) * columns }
        let packed = 2 * shape.gates * (shape.inputs + shape.units) + heads + gathered + TypeTable.count(types, shape)
        let estimate =
            Double(events) * 4 * Double(4 * shape.inputs + 14 * shape.units + 4 * shape.states + 2 * shape.decoder + 64)
            + Double(min(events, chunks * types)) * 8 * Double(shape.gates)
            + Double(chunks + min(threads, 2 * chunks)) * 4 * Double(gradient + block)
            + 4 * Double(packed)
        guard estimate < 0x1p58 else { throw CoveyError.outOfMemory("a training step needs about \(estimate) bytes") }
        func bytes(_ events: Int, _ rows: Int, _ types: Int) -> (kept: Int, scratch: Int) {
            ChunkArrays.bytes(
                .init(events: events, rows: rows, types: types, directions: 2), shape, options.objectives,
                outputs: outputs)
        }
        let all = bytes(events, rows, min(events, chunks * types))
        var scratch = all.scratch + chunks * 4 * block
        if !isContrastive {
            let pieces = isDivided(layout, options.objectives) ? 2 * chunks : chunks
            let share = min(events, max(TrainingBatch.smallest, events / TrainingBatch.chunks) + (longest.first ?? 0))
            scratch = min(threads, pieces) * bytes(share, min(rows, share), 0).scratch
        }
        return all.kept + scratch + 4 * (chunks * gradient + packed) + chunks * 8192
            + (isContrastive ? ContrastiveObjective.bytes(rows, shape.output) : 0)
    }
}
