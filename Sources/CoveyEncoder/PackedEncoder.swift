import CCoveyKernels
import CoveyRuntime
import CoveySequences

/// An encoder's weights as inference reads them.
///
/// States lie as [forward; backward], each padded to a multiple of 16 units that stay zero. The dense inputs of the first
/// layer are the time features and the numeric channels; where a vocabulary is so large that folding it into a table would
/// take too much memory, the embeddings of the event and its categories as well.
final class PackedEncoder: Sendable {
    struct Layer: Sendable {
        let forward: PackedLSTM
        let reverse: PackedLSTM
    }

    /// The most bytes of tables.
    static let largestTables = 64 << 20

    /// What ck_encoder_instruction_set returns, or a lesser one.
    let instructionSet: Int32
    let layers: [Layer]
    let attention: PackedDense
    let score: FloatBlock
    let projection: PackedDense?
    /// H, and H padded.
    let hidden: Int
    let units: Int
    /// Whether events and categories are looked up in tables.
    let isFolded: Bool
    /// Table entries of an event; 0 where there are none to look up.
    let lookups: Int
    /// Dense inputs of an event, and where the time features begin in them.
    let inputs: Int
    let firstTime: Int
    /// Rows of 8 x units floats that the weights of the layers take, and the entries of each table.
    let packedRows: Int
    private let entries: [Int]
    /// Not behind a lock: one that is held while the host forks would stop the child for ever.
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
        // The column of each padded state.
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

    /// The weights in bfloat16, packed when first asked for; nil where the processor has no use for them.
    func bfloat16(_ execution: Execution) throws -> PackedBFloat16? {
        guard instructionSet == CK_AVX512, ck_encoder_has_bfloat16() != 0 else { return nil }
        if let packed = bfloat16.load() { return packed }
        // Where several ask at once each packs, and one is kept.
        return bfloat16.storeIfNil(try PackedBFloat16(self, entries: entries, execution))
    }

    /// Bytes that an event takes in a workspace.
    func bytesPerEvent(isBFloat16: Bool) -> Int {
        let layers = layers.count > 1 ? 2 : 1
        return (2 * units * (isBFloat16 ? 1 : layers) + inputs + 1 + lookups) * 4 + (isBFloat16 ? 2 * units * layers * 2 : 0)
    }
}
