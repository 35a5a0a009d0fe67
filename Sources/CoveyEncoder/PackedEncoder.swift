import CCoveyKernels
import CoveyRuntime
import CoveySequences

/// The weights of an encoder, packed for inference.
///
/// A state is [forward; backward]. Each half is padded to a multiple of 16 units; the padding stays zero. The dense
/// inputs of the first layer are the time features and the numeric channels. If the tables of a large vocabulary would
/// need too much memory, there are no tables, and the embeddings of the event and of its categories are dense inputs
/// too.
final class PackedEncoder: Sendable {
    struct Layer: Sendable {
        let forward: PackedLSTM
        let reverse: PackedLSTM
    }

    /// The largest number of bytes of the tables.
    static let largestTables = 64 << 20

    /// The result of ck_encoder_instruction_set, or a smaller instruction set.
    let instructionSet: Int32
    let layers: [Layer]
    let attention: PackedDense
    let score: FloatBlock
    let projection: PackedDense?
    /// H, and H padded to a multiple of 16.
    let hidden: Int
    let units: Int
    /// If true, events and categories are looked up in tables.
    let isFolded: Bool
    /// The number of table entries of an event; 0 if there are no tables.
    let lookups: Int
    /// The number of dense inputs of an event, and the index of the first time feature among them.
    let inputs: Int
    let firstTime: Int
    /// The number of rows, each of 8 x units floats, in the packed weights of the layers; and the number of entries of
    /// each table.
    let packedRows: Int
    private let entries: [Int]
    /// A lock would not be safe here: if the host forks while a thread holds it, the child process waits forever.
    private let bfloat16 = PublishedReference<PackedBFloat16>()

    init(
        _ checkpoint: Checkpoint, _ execution: Execution, instructionSet: Int32 = ck_encoder_instruction_set(),
        largestTables: Int = PackedEncoder.largestTables
    ) throws {
        let weights = checkpoint.weights
        let hidden = weights.hidden
        let units = (hidden + 15) / 16 * 16
        let embeddings = [weights.eventEmbedding] + weights.categoricalEmbeddings
        let entries = embeddings.reduce(0) { $0 + $1.rows }
        // 4 gates, 2 directions, 4 bytes.
        let isFolded = entries <= largestTables / (units * 32)
        let events = weights.eventEmbedding.columns
        let dense = checkpoint.configuration.timeFeatures + checkpoint.configuration.numericScaling.count
        var firstColumn = 0
        var lookups: [PackedLSTM.Lookup] = []
        for (index, matrix) in embeddings.enumerated() {
            lookups.append(.init(embeddings: matrix, firstColumn: firstColumn))
            firstColumn += matrix.columns + (index == 0 ? dense : 0)
        }
        let packed = weights.layers.indices.reduce(isFolded ? entries : 0) { sum, layer in
            sum + (layer == 0 ? (isFolded ? dense : firstColumn) : 2 * units) + hidden
        }
        try execution.reserve(packed, of: units * 32, for: "the encoder's packed weights")
        let columns = isFolded ? Array(events..<events + dense) : Array(0..<firstColumn)
        // For each padded state, its column in PyTorch's matrix.
        let states: [Int?] = (0..<2 * units).map { $0 % units < hidden ? $0 / units * hidden + $0 % units : nil }
        layers = try weights.layers.enumerated().map { index, layer in
            func pack(_ direction: EncoderWeights.LSTM) throws -> PackedLSTM {
                try PackedLSTM(
                    direction, lookups: index == 0 && isFolded ? lookups : [], columns: index == 0 ? columns : states,
                    execution)
            }
            return Layer(forward: try pack(layer.forward), reverse: try pack(layer.reverse))
        }
        attention = try PackedDense(
            weights.attention.hidden, columns: states, left: weights.attention.time, bias: weights.attention.hiddenBias)
        score = try FloatBlock((weights.attention.score.columns + 15) / 16 * 16, for: "the encoder's weights")
        for (index, value) in weights.attention.score.elements.enumerated() { score.pointer[index] = value }
        projection = try weights.projection.map { try PackedDense($0.weight, columns: states, bias: $0.bias) }
        packedRows = packed
        self.entries = embeddings.map(\.rows)
        self.instructionSet = instructionSet
        self.hidden = hidden
        self.units = units
        self.isFolded = isFolded
        self.lookups = isFolded ? lookups.count : 0
        inputs = columns.count
        firstTime = isFolded ? 0 : events
    }

    /// The weights in bfloat16. The first call packs them. Nil if the processor has no bfloat16 products.
    func bfloat16(_ execution: Execution) throws -> PackedBFloat16? {
        guard instructionSet == CK_AVX512, ck_encoder_has_bfloat16() != 0 else { return nil }
        if let packed = bfloat16.load() { return packed }
        // If several threads ask at once, each packs the weights, and one result is kept.
        return bfloat16.storeIfNil(try PackedBFloat16(self, entries: entries, execution))
    }

    /// The number of bytes that an event needs in a workspace.
    func bytesPerEvent(isBFloat16: Bool) -> Int {
        let layers = layers.count > 1 ? 2 : 1
        return (2 * units * (isBFloat16 ? 1 : layers) + inputs + 1 + lookups) * 4
            + (isBFloat16 ? 2 * units * layers * 2 : 0)
    }
}
