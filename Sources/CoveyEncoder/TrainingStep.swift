import CCoveyKernels
import CoveyRuntime
import CoveySequences

/// The loss of a batch, and the gradient of all weights.
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

    struct Outcome {
        let loss: Double
        /// One for each chunk, to be added up; empty where only the loss was asked for.
        let gradients: [UnsafeMutablePointer<Float>]
        let tables: BatchTables
    }

    /// The gradients live until the next call.
    func run(_ batch: TrainingBatch, isLearning: Bool, _ execution: Execution) throws -> Outcome {
        let tables = try BatchTables(layout, parameters, batch)
        let outputs = Self.outputs(tables)
        let gradientBytes = isLearning ? (tables.count * 4 + 63) / 64 * 64 : 0
        let sizes = batch.chunks.map { ChunkRun.size(batch.views[$0], tables) }
        let bytes = sizes.map { ChunkArrays.bytes($0, layout.shape, options.objectives, outputs: outputs) }
        try arena.begin(bytes.reduce(0, +) + gradientBytes * sizes.count)
        let runs = batch.chunks.indices.map { index in
            var cutter = ArrayCutter(arena.take(bytes[index]))
            let arrays = ChunkArrays(sizes[index], layout.shape, options.objectives, outputs: outputs, &cutter)
            let gradient = isLearning ? arena.take(gradientBytes).assumingMemoryBound(to: Float.self) : nil
            return ChunkRun(
                tables, batch, batch.chunks[index], options, arrays, gradient: gradient, instructionSet: instructionSet,
                execution)
        }
        let isContrastive = options.objectives.contrastive > 0
        var losses = [Double](repeating: 0, count: runs.count)
        try losses.withUnsafeMutableBufferPointer { losses in
            nonisolated(unsafe) let losses = losses
            try execution.parallel(runs.count) { chunk, _ in
                for index in chunk {
                    let run = runs[index]
                    run.gradient?.update(repeating: 0, count: tables.count)
                    try run.forward(self.source, self.configuration)
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
        return Outcome(loss: loss, gradients: runs.compactMap(\.gradient), tables: tables)
    }

    private static func outputs(_ tables: BatchTables) -> Int {
        let layout = tables.layout
        return [layout.next, layout.masked, layout.decoder?.head].map { $0.map { tables.rowCount($0.weight) } ?? 0 }.max()!
    }

    /// Bytes that the largest step can take.
    /// - Parameter longest: the lengths of its sequences, or of their windows.
    static func largestBytes(
        _ longest: [Int], _ layout: ParameterLayout, _ options: TrainingOptions
    ) throws -> Int {
        let shape = layout.shape
        let copies = options.objectives.contrastive > 0 ? options.slices : 1
        let events = longest.reduce(0, +) * copies
        let rows = longest.count * copies
        let chunks = min(rows, 2 * TrainingBatch.chunks + 2)
        func used(_ entries: Int, _ more: Int) -> Int {
            entries > options.largestSoftmax ? min(entries, events + more) : entries
        }
        let outputs = used(shape.vocabulary, TrainingBatch.sampled) + shape.numbers
        let gradient = layout.regions.reduce(0) { sum, region in
            let entries =
                switch region.table {
                case .none: region.rows
                case .events, .category: used(region.rows, 1)
                case .outputs: min(region.rows, outputs + 1)
                }
            return sum + entries * region.stride + 16
        }
        // An estimate first: the sizes may be anything.
        let block = ChunkArrays.block(outputs) * (ChunkArrays.stride(outputs) + 2 * max(shape.states, shape.decoder) + 2)
        let types = min(events, chunks * used(shape.vocabulary, 1))
        let estimate =
            Double(events) * 4 * Double(4 * shape.inputs + 14 * shape.units + 4 * shape.states + 2 * shape.decoder + 64)
            + Double(types) * 4 * Double(shape.embedding + 4 * shape.gates) + Double(chunks) * 4 * Double(gradient + block)
        guard estimate < 0x1p58 else { throw CoveyError.outOfMemory("a training step needs about \(estimate) bytes") }
        let arrays = ChunkArrays.bytes(
            .init(events: events, rows: rows, types: types), shape, options.objectives, outputs: outputs)
        return arrays + chunks * 4 * (gradient + block) + 3 * gradient * 4 + chunks * 8192
            + (copies > 1 ? ContrastiveObjective.bytes(rows, shape.output) : 0)
    }
}
