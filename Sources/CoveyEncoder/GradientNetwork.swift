import CCoveyKernels
import CoveyRuntime
import CoveyTables

/// The weights of an encoder of any number of layers, in the orders in which a forward and a backward pass over the
/// inputs read them. A state is [forward; backward]; each half is padded to a multiple of 16 units, with zeros.
final class GradientNetwork: Sendable {
    /// One direction of one layer. A gate's column is that of ck_lstm_learner.
    final class Direction: @unchecked Sendable {
        /// The number of dense inputs.
        let width: Int
        /// [units / 16][units + width][64]
        let packed: FloatBlock
        /// [4 units][units]
        let transposed: FloatBlock
        /// [width][4 units]
        let inputs: FloatBlock
        /// [4 units]
        let bias: FloatBlock

        /// - Parameter place: the dense input that is a column of PyTorch's input matrix.
        init(
            _ weights: EncoderWeights.LSTM, units: Int, width: Int, _ execution: Execution, place: (Int) -> Int
        ) throws {
            let (hidden, gates, rows) = (weights.recurrent.columns, 4 * units, units + width)
            self.width = width
            packed = try FloatBlock(rows * gates, for: "the weights of gradients", execution)
            transposed = try FloatBlock(gates * units, for: "the weights of gradients", execution)
            inputs = try FloatBlock(width * gates, for: "the weights of gradients", execution)
            bias = try FloatBlock(gates, for: "the weights of gradients", execution)
            try execution.forEach(0..<4 * hidden, every: 16) { row in
                let (gate, unit) = row.quotientAndRemainder(dividingBy: hidden)
                let column = unit / 16 * 64 + gate * 16 + unit % 16
                bias.pointer[column] = weights.inputBias[row] + weights.recurrentBias[row]
                func pack(_ row: Int, _ value: Float) {
                    packed.pointer[(column / 64 * rows + row) * 64 + column % 64] = value
                }
                for j in 0..<hidden {
                    pack(j, weights.recurrent[row, j])
                    transposed.pointer[column * units + j] = weights.recurrent[row, j]
                }
                for j in 0..<weights.input.columns {
                    pack(units + place(j), weights.input[row, j])
                    inputs.pointer[place(j) * gates + column] = weights.input[row, j]
                }
            }
        }
    }

    /// A matrix [inputs][columns] with columns padded to a multiple of 16, and its bias.
    struct Dense: Sendable {
        let columns: Int
        let weights: FloatBlock
        let bias: FloatBlock

        init(_ matrix: Matrix<Float>, _ bias: [Float]?, rows: Int, place: (Int) -> Int) throws {
            columns = NetworkShape.padded(matrix.rows)
            weights = try FloatBlock(rows * columns, for: "the weights of gradients")
            self.bias = try FloatBlock(columns, for: "the weights of gradients")
            for row in 0..<matrix.rows {
                for column in 0..<matrix.columns {
                    weights.pointer[place(column) * columns + row] = matrix[row, column]
                }
            }
            for (row, value) in (bias ?? []).enumerated() { self.bias.pointer[row] = value }
        }
    }

    let instructionSet: Int32
    let hidden: Int
    let units: Int
    /// The widths of the parts of an event's input: the embedding of its type, time features, numeric channels, and the
    /// embeddings of its categories.
    let embedding: Int
    let times: Int
    let numeric: Int
    let categories: [Int]
    /// By layer: forward, backward.
    let layers: [[Direction]]
    let attention: Dense
    let timeAttention: Dense
    let score: FloatBlock
    let projection: Dense?
    let dimension: Int

    var states: Int { 2 * units }
    var gates: Int { 4 * units }
    /// The length of an event's input.
    var width: Int { embedding + times + numeric + categories.reduce(0, +) }

    init(_ checkpoint: Checkpoint, _ execution: Execution, instructionSet: Int32 = ck_encoder_instruction_set()) throws
    {
        let weights = checkpoint.weights
        let hidden = weights.hidden
        let units = NetworkShape.padded(hidden)
        self.instructionSet = instructionSet
        self.hidden = hidden
        self.units = units
        embedding = weights.eventEmbedding.columns
        times = checkpoint.configuration.timeFeatures
        numeric = checkpoint.configuration.numericScaling.count
        categories = weights.categoricalEmbeddings.map(\.columns)
        let width = embedding + times + numeric + categories.reduce(0, +)
        func state(_ column: Int) -> Int { column < hidden ? column : units + column - hidden }
        let numbers = weights.layers.indices.reduce(0) { $0 + 2 * (2 * units + ($1 == 0 ? width : 2 * units)) }
        try execution.reserve(checkedProduct(numbers, 8 * units, "gradients"), of: 4, for: "the weights of gradients")
        layers = try weights.layers.enumerated().map { index, layer in
            try [layer.forward, layer.reverse].map { direction in
                index == 0
                    ? try Direction(direction, units: units, width: width, execution) { $0 }
                    : try Direction(direction, units: units, width: 2 * units, execution, place: state)
            }
        }
        attention = try Dense(weights.attention.hidden, weights.attention.hiddenBias, rows: 2 * units, place: state)
        timeAttention = try Dense(weights.attention.time, nil, rows: times) { $0 }
        score = try FloatBlock(attention.columns, for: "the weights of gradients")
        for (index, value) in weights.attention.score.elements.enumerated() { score.pointer[index] = value }
        projection = try weights.projection.map {
            try Dense($0.weight, $0.bias, rows: 2 * units, place: state)
        }
        dimension = weights.dimension
    }

    /// The columns of an embedding in memory, and the column of each of its numbers.
    var output: Int { projection?.columns ?? states }
    func output(_ column: Int) -> Int { projection != nil || column < hidden ? column : units + column - hidden }
}
