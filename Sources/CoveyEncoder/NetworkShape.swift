/// The sizes of a network that is trained. Units, attention units and output columns are padded to multiples of 16. The
/// padding is zero and stays zero.
struct NetworkShape: Sendable {
    /// The number of entries of the event vocabulary, and of the vocabulary of each categorical channel.
    let vocabulary: Int
    let categories: [Int]
    let embedding: Int
    let categoryEmbedding: Int
    let times: Int
    let numeric: Int
    let hidden: Int
    let attention: Int
    /// The number of rows of the projection; 0 means that there is none.
    let projection: Int

    init(_ configuration: EncoderConfiguration, _ options: TrainingOptions) {
        vocabulary = configuration.vocabulary.count
        categories = configuration.categoricalVocabularies.map(\.count)
        embedding = options.embedding
        categoryEmbedding = options.categoryEmbedding
        times = configuration.timeFeatures
        numeric = configuration.numericScaling.count
        hidden = options.hidden
        attention = options.attention
        projection = options.dimension
    }

    static func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }

    var units: Int { Self.padded(hidden) }
    var states: Int { 2 * units }
    var gates: Int { 4 * units }
    /// The number of time features and numeric channels. The decoder predicts them. In memory they follow the previous
    /// state.
    var numbers: Int { times + numeric }
    /// The number of inputs of the gates, beside the embedding of the event: the previous state, the time features, the
    /// numeric channels and the categories.
    var firstCategory: Int { units + numbers }
    var inputs: Int { firstCategory + categories.count * categoryEmbedding }
    var attentionUnits: Int { Self.padded(attention) }
    /// The number of columns of an embedding in memory.
    var output: Int { projection > 0 ? Self.padded(projection) : states }
    /// The number of hidden units of the decoder.
    var decoder: Int { Self.padded(max(32, projection > 0 ? projection : 2 * hidden)) }
    /// The number of cosines that encode an event's relative position for the decoder.
    static let positions = 8

    /// The column of a padded state for each of the 2H columns of PyTorch.
    func state(_ column: Int) -> Int { column < hidden ? column : units + column - hidden }
    /// The column of a gate for a row of PyTorch's [4H].
    func gate(_ row: Int) -> Int {
        let (gate, unit) = (row / hidden, row % hidden)
        return unit / 16 * 64 + gate * 16 + unit % 16
    }
    /// The column in memory for a column of the embedding.
    func output(_ column: Int) -> Int { projection > 0 ? column : state(column) }
}
