import CCoveyKernels
import CoveyFiles
import CoveyRuntime
import CoveySequences
import CoveyTables

@testable import CoveyEncoder

/// Weights, sequences, losses and gradients that PyTorch computed; see Tests/Fixtures/make_training_fixtures.py.
struct TrainingFixture {
    static let names = ["small", "projected", "channels", "wide"]
    static let objectives = ["next_event", "masked_event", "autoencoder", "contrastive"]

    let file: SafeTensors
    let configuration: EncoderConfiguration
    let source: SequenceBatch
    private let sizes: Sizes

    private struct Sizes: Decodable {
        let embedding: Int
        let hidden: Int
        let attention: Int
        let dimension: Int
        let category_embedding: Int
    }

    init(_ name: String) throws {
        let path = Fixture.path("x").replacingLast("encoder/x", "training/\(name).safetensors")
        let file = try SafeTensors(path: path)
        configuration = try EncoderConfiguration(json: file.entry(EncoderConfiguration.entryName))
        sizes = try JSONText.decode(from: file.entry("case"), "case", Execution())
        func column<Element: TensorElement>(_ name: String, _ type: Element.Type) throws -> Strided<Element> {
            Strided(try file.values(name, as: type, shape: [nil]))
        }
        source = try SequenceBatch(
            offsets: SequenceOffsets(column("offsets", Int64.self)), types: column("types", Int32.self),
            times: column("times", Double.self), dwell: file.contains("dwell") ? column("dwell", Double.self) : nil,
            numeric: file.names(prefix: "numeric.").map { try column($0, Double.self) },
            categorical: file.names(prefix: "categorical.").map { try column($0, Int32.self) })
        self.file = file
    }

    func options(_ objectives: TrainingOptions.Objectives) -> TrainingOptions {
        var options = TrainingOptions()
        options.embedding = sizes.embedding
        options.hidden = sizes.hidden
        options.attention = sizes.attention
        options.dimension = sizes.dimension
        options.categoryEmbedding = sizes.category_embedding
        options.objectives = objectives
        options.dropout = 0
        return options
    }

    static func objectives(_ name: String, weight: Double = 1) -> TrainingOptions.Objectives {
        TrainingOptions.Objectives(
            nextEvent: name == "next_event" ? weight : 0, maskedEvent: name == "masked_event" ? weight : 0,
            autoencoder: name == "autoencoder" ? weight : 0, contrastive: name == "contrastive" ? weight : 0)
    }

    /// The whole sequences, with their masks, and the slices of the contrastive objective.
    func views(_ objectives: TrainingOptions.Objectives) throws -> [TrainingBatch.View] {
        let masked = try file.values("masked", as: Int32.self, shape: [nil])
        var views = (0..<source.count).map { sequence in
            let range = source.offsets[sequence]
            return TrainingBatch.View(
                sequence: sequence, place: sequence, steps: 0..<range.count, order: nil, isWhole: true,
                shown: range.map { objectives.maskedEvent > 0 && masked[$0] == 1 ? .masked : .asIs })
        }
        if objectives.contrastive > 0 {
            let slices = try file.values("slices", as: Int32.self, shape: [nil, 3]).map { Int($0) }
            for slice in stride(from: 0, to: slices.count, by: 3) {
                views.append(
                    TrainingBatch.View(
                        sequence: slices[slice], place: slices[slice],
                        steps: slices[slice + 1]..<slices[slice + 1] + slices[slice + 2],
                        order: nil, isWhole: false, shown: Array(repeating: .asIs, count: slices[slice + 2])))
            }
        }
        return views
    }

    func batch(_ objectives: TrainingOptions.Objectives, largestSoftmax: Int = 4096) throws -> TrainingBatch {
        TrainingBatch(
            try views(objectives), sequences: source.count, source, NetworkShape(configuration, options(objectives)),
            key: 1,
            largestSoftmax: largestSoftmax)
    }

    /// A network with the fixture's weights.
    func network(_ options: TrainingOptions, instructionSet: Int32 = CK_AVX512) throws -> TrainedNetwork {
        let layout = try ParameterLayout(NetworkShape(configuration, options), options.objectives)
        let block = try FloatBlock(layout.count, for: "test")
        for tensor in layout.tensors {
            try layout.put(
                file.values("weight.\(tensor.name)", shape: tensor.shape), tensor, into: block.pointer, Execution())
        }
        let step = TrainingStep(
            layout, block.pointer, source, configuration, options,
            instructionSet: min(instructionSet, ck_encoder_instruction_set()))
        return TrainedNetwork(layout: layout, weights: block, step: step)
    }
}

struct TrainedNetwork {
    let layout: ParameterLayout
    let weights: FloatBlock
    let step: TrainingStep

    /// The loss and the gradient, in the order of the weights.
    func gradient(_ batch: TrainingBatch, threads: Int = 2) throws -> (loss: Double, gradient: [Float]) {
        let execution = Execution(try Context(threads: threads))
        let outcome = try step.run(batch, isLearning: true, execution)
        let adam = AdamW(
            values: weights.pointer, first: weights.pointer, second: weights.pointer,
            instructionSet: step.instructionSet)
        _ = try adam.reduce(outcome.gradients, outcome.tables, execution)
        return (outcome.loss, Array(UnsafeBufferPointer(start: outcome.gradients[0], count: outcome.tables.count)))
    }
}

extension String {
    func replacingLast(_ part: String, _ other: String) -> String {
        hasSuffix(part) ? String(dropLast(part.count)) + other : self
    }
}
