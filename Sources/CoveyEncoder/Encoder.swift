import CCoveyKernels
import CoveyFiles
import CoveyRuntime
import CoveySequences
import CoveyTables

/// A bidirectional LSTM with time attention that turns a sequence of events into a vector. covey.h has the equations.
/// An encoder is immutable: any number of threads may use it at once.
public final class Encoder: Sendable {
    public let checkpoint: Checkpoint
    /// A lock would not be safe here: if the host forks while a thread holds it, the child process waits forever.
    private let packed = PublishedReference<PackedEncoder>()
    private let gradients = PublishedReference<GradientNetwork>()

    /// - Throws: `outOfMemory`, `cancelled`.
    public convenience init(_ checkpoint: Checkpoint, _ execution: Execution = Execution()) throws {
        self.init(unpacked: checkpoint)
        try prepare(execution)
    }

    /// Creates an encoder that packs its weights when it first embeds. So a training that is stopped does not wait for
    /// it.
    init(unpacked checkpoint: Checkpoint) {
        self.checkpoint = checkpoint
    }

    /// For tests: uses a smaller instruction set than the processor has (ck_encoder_instruction_set), or a lower limit
    /// for the bytes of the tables.
    init(_ checkpoint: Checkpoint, instructionSet: Int32, largestTables: Int = PackedEncoder.largestTables) throws {
        self.checkpoint = checkpoint
        _ = packed.storeIfNil(
            try PackedEncoder(
                checkpoint, Execution(), instructionSet: min(instructionSet, ck_encoder_instruction_set()),
                largestTables: largestTables))
    }

    /// Reads an encoder from a safetensors file.
    /// - Throws: `io`, `corruptFile` (with the name of the tensor or of the entry), `unsupported`, `outOfMemory`.
    public convenience init(path: String, _ execution: Execution = Execution()) throws {
        try self.init(SafeTensors.read(path: path, execution) { try Checkpoint($0, execution) }, execution)
    }

    /// Writes a safetensors file. The write is atomic. The same encoder always gives the same bytes.
    public func save(to path: String, _ execution: Execution = Execution()) throws {
        var file = SafeTensorsWriter()
        try checkpoint.write(to: &file, execution)
        try file.write(to: path, execution)
    }

    /// Packs the weights for inference, if this has not been done yet. The first call of `embed` then does not have to
    /// do it.
    /// - Throws: `outOfMemory`, `cancelled`.
    public func prepare(_ execution: Execution = Execution()) throws {
        _ = try network(execution)
    }

    private func network(_ execution: Execution) throws -> PackedEncoder {
        if let network = packed.load() { return network }
        // If several threads ask at once, each packs the weights, and one result is kept.
        return packed.storeIfNil(try PackedEncoder(checkpoint, execution))
    }

    /// The weights for gradients of the inputs. The first call packs them.
    func gradientNetwork(_ execution: Execution) throws -> GradientNetwork {
        if let network = gradients.load() { return network }
        return gradients.storeIfNil(try GradientNetwork(checkpoint, execution))
    }

    public var configuration: EncoderConfiguration { checkpoint.configuration }

    /// The length d of an embedding.
    public var dimension: Int { checkpoint.weights.dimension }

    /// Embeds every sequence of a batch. The result is count x d; the row of an empty sequence is zero.
    /// - Throws: the errors of `embed(_:into:rowStride:attention:precision:_:)`.
    public func embed(
        _ batch: SequenceBatch, precision: Precision = .float32, _ execution: Execution = Execution()
    ) throws -> Matrix<Float> {
        let count = try checkedProduct(batch.count, dimension, "the embeddings")
        try execution.reserve(count, of: 4, for: "the embeddings")
        var result = try Matrix<Float>(rows: batch.count, columns: dimension, repeating: 0, execution)
        try result.elements.withUnsafeMutableBytes { buffer in
            // A batch without sequences has no memory to write to.
            guard let base = buffer.baseAddress else { return }
            try embed(
                batch, into: base, rowStride: dimension * 4, attention: nil, precision: precision, execution)
        }
        return result
    }

    /// Embeds every sequence of a batch. The result does not depend on the number of threads, nor on the other
    /// sequences of the batch: it is the same byte for byte.
    ///
    /// Cost: O(events H^2). Working memory: O(threads x longest sequence x H).
    /// - Parameters:
    ///   - embeddings: receives d float32 numbers for each sequence. `rowStride`, a multiple of 4, is the number of
    ///     bytes from one embedding to the next.
    ///   - attention: nil, or receives one weight for each event of `batch.offsets.events`, in the order of the events
    ///     as given.
    /// - Throws: `mismatch` if the batch does not have the channels of the model; `invalidData` as
    ///   `SequenceBatch.validate`, or if the weights are so large that an embedding is not finite; `outOfMemory`;
    ///   `cancelled`.
    public func embed(
        _ batch: SequenceBatch, into embeddings: UnsafeMutableRawPointer, rowStride: Int,
        attention: UnsafeMutablePointer<Float>?, precision: Precision = .float32, _ execution: Execution
    ) throws {
        try check(batch)
        try execution.report("embed sequences", 0)
        try batch.validate(execution)
        let network = try network(execution)
        let bfloat16 = precision == .bfloat16 ? try network.bfloat16(execution) : nil
        let isBFloat16 = bfloat16 != nil
        let blocks = try SequenceBlocks(
            batch.offsets, bytesPerEvent: network.bytesPerEvent(isBFloat16: isBFloat16), execution)
        let threads = min(execution.threads, blocks.blocks.count)
        let layout = try Workspace.Layout(network, blocks, isBFloat16: isBFloat16)
        try execution.reserve(threads, of: layout.bytes, for: "embedding \(batch.count) sequences")
        for sequence in 0..<batch.count where batch.offsets[sequence].isEmpty {
            (embeddings + sequence * rowStride).assumingMemoryBound(to: Float.self).update(
                repeating: 0, count: dimension)
        }
        let inputs = EventInputs(encoder: self, network: network, batch: batch, execution: execution)
        let run = BlockRun(
            network: network, bfloat16: bfloat16, execution: execution,
            sharesBlocks: execution.threads >= 2 * blocks.blocks.count)
        let workspaces = try (0..<threads).map { _ in try Workspace(layout) }
        try execution.parallel(blocks.blocks.count, stage: "embed sequences") { chunk, thread in
            let workspace = workspaces[thread]
            for block in chunk {
                try workspace.begin(blocks.order[blocks.blocks[block]], batch, execution)
                for sequence in workspace.sequences {
                    ck_prefetch_range(embeddings + sequence * rowStride, Int64(dimension * 4))
                }
                try embed(inputs, run, workspace, embeddings, rowStride, attention)
            }
        }
    }

    /// Embeds the block that the workspace has begun.
    private func embed(
        _ inputs: EventInputs, _ run: BlockRun, _ workspace: Workspace, _ embeddings: UnsafeMutableRawPointer,
        _ rowStride: Int, _ attention: UnsafeMutablePointer<Float>?
    ) throws {
        try inputs.fill(workspace)
        try run.run(workspace)
        try write(workspace, run.network, embeddings, rowStride)
        if let attention { try writeAttention(workspace, inputs.batch, attention, run.execution) }
    }

    /// As `embed` does for a batch of one sequence, in memory that is kept: nothing is allocated for a sequence that is
    /// no longer than the longest before and whose events are in the order of time.
    public func embed(
        one batch: SequenceBatch, into embedding: UnsafeMutablePointer<Float>, attention: UnsafeMutablePointer<Float>?,
        _ scratch: EncoderScratch, _ execution: Execution
    ) throws {
        guard batch.count == 1 else { throw CoveyError.internalError("\(batch.count) sequences for one") }
        try check(batch)
        try execution.report("embed sequences", 0)
        try batch.validate(execution)
        guard !batch.offsets[0].isEmpty else { return embedding.update(repeating: 0, count: dimension) }
        let network = try network(execution)
        let workspace = try scratch.workspace(network, batch, execution)
        try workspace.begin(EncoderScratch.first[...], batch, execution)
        let inputs = EventInputs(encoder: self, network: network, batch: batch, execution: execution)
        let run = BlockRun(
            network: network, bfloat16: nil, execution: execution, sharesBlocks: execution.threads >= 2)
        try embed(inputs, run, workspace, embedding, dimension * 4, attention)
    }

    private func check(_ batch: SequenceBatch) throws {
        guard !configuration.usesDwell || batch.dwell != nil || batch.count == 0 else {
            throw CoveyError.mismatch("the model uses dwell, and the sequences have none")
        }
        guard batch.numeric.count == configuration.numericScaling.count else {
            throw CoveyError.mismatch(
                "the model uses \(configuration.numericScaling.count) numeric channels, the sequences have "
                    + "\(batch.numeric.count)"
            )
        }
        guard batch.categorical.count == configuration.categoricalVocabularies.count else {
            throw CoveyError.mismatch(
                "the model uses \(configuration.categoricalVocabularies.count) categorical channels, the sequences "
                    + "have \(batch.categorical.count)")
        }
    }

    /// Copies the embeddings of a block to the caller's memory.
    private func write(
        _ workspace: Workspace, _ network: PackedEncoder, _ embeddings: UnsafeMutableRawPointer, _ rowStride: Int
    ) throws {
        let (hidden, units) = (network.hidden, network.units)
        for (row, sequence) in workspace.sequences.enumerated() {
            var target = (embeddings + sequence * rowStride).assumingMemoryBound(to: Float.self)
            var isFinite = true
            func copy(_ source: UnsafePointer<Float>, _ count: Int) {
                isFinite = isFinite && ck_all_finite(Int64(count), source) != 0
                target.update(from: source, count: count)
                target += count
            }
            if let projection = network.projection {
                copy(workspace.output + row * Int(projection.kernel.pointee.vectors) * 16, dimension)
            } else {
                let source = workspace.context + row * 2 * units
                copy(source, hidden)
                copy(source + units, hidden)
            }
            guard isFinite else {
                throw CoveyError.invalidData(
                    "the embedding of sequence \(sequence) is not finite: the model's weights are too large")
            }
        }
    }

    /// Copies the attention weights of a block to the caller's memory, in the order of the events as given.
    private func writeAttention(
        _ workspace: Workspace, _ batch: SequenceBatch, _ attention: UnsafeMutablePointer<Float>, _ execution: Execution
    ) throws {
        let first = batch.offsets.events.lowerBound
        for (row, sequence) in workspace.sequences.enumerated() {
            let range = batch.offsets[sequence]
            let target = attention + (range.lowerBound - first)
            let order = workspace.timeOrders[row]
            for step in 0..<range.count {
                if step & 0xFFFF == 0xFFFF { try execution.report() }
                let weight = Double(workspace.scores[workspace.starts[step] + row]) / workspace.sums[row]
                target[order.map { Int($0[step]) } ?? step] = Float(weight)
            }
        }
    }
}
