/// The sizes of a network that is trained. Units, attention units and columns of outputs are padded to multiples of 16 by
/// zeros that stay zero.
struct NetworkShape: Sendable {
    /// Entries of the event vocabulary, and of each categorical channel's.
    let vocabulary: Int
    let categories: [Int]
    let embedding: Int
    let categoryEmbedding: Int
    let times: Int
    let numeric: Int
    let hidden: Int
    let attention: Int
    /// Rows of the projection; 0 = none.
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
    /// Time features and numeric channels, which the decoder predicts; they lie behind the previous state.
    var numbers: Int { times + numeric }
    /// What the gates are computed of, beside the event's embedding: the previous state, time features, numbers, categories.
    var firstCategory: Int { units + numbers }
    var inputs: Int { firstCategory + categories.count * categoryEmbedding }
    var attentionUnits: Int { Self.padded(attention) }
    /// The embedding as it lies in memory.
    var output: Int { projection > 0 ? Self.padded(projection) : states }
    /// The decoder's hidden units.
    var decoder: Int { Self.padded(max(32, projection > 0 ? projection : 2 * hidden)) }
    /// Cosines of an event's relative position, which the decoder sees.
    static let positions = 8

    /// The column of a padded state for each of the 2H.
    func state(_ column: Int) -> Int { column < hidden ? column : units + column - hidden }
    /// The column of a gate for a row of PyTorch's [4H].
    func gate(_ row: Int) -> Int {
        let (gate, unit) = (row / hidden, row % hidden)
        return unit / 16 * 64 + gate * 16 + unit % 16
    }
    /// The column of the embedding in memory.
    func output(_ column: Int) -> Int { projection > 0 ? column : state(column) }
}
