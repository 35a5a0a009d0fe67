import CoveyFiles
import CoveyRuntime
import CoveyTables

/// The weights of an encoder, in the shapes that PyTorch uses.
public struct EncoderWeights: Sendable {
    /// One direction of one layer (torch.nn.LSTM, gate order i, f, g, o).
    public struct LSTM: Sendable {
        /// [4H, inputs]
        public var input: Matrix<Float>
        /// [4H, H]
        public var recurrent: Matrix<Float>
        /// [4H] each
        public var inputBias: [Float]
        public var recurrentBias: [Float]
    }

    public struct BiLSTM: Sendable {
        public var forward: LSTM
        public var reverse: LSTM
    }

    public struct Attention: Sendable {
        /// [A, 2H]
        public var hidden: Matrix<Float>
        /// [A]
        public var hiddenBias: [Float]
        /// [A, time features]
        public var time: Matrix<Float>
        /// [1, A]
        public var score: Matrix<Float>
    }

    public struct Projection: Sendable {
        /// [d, 2H]
        public var weight: Matrix<Float>
        /// [d]
        public var bias: [Float]
    }

    /// [V, e]
    public var eventEmbedding: Matrix<Float>
    /// [V_c, e_c] each
    public var categoricalEmbeddings: [Matrix<Float>]
    public var layers: [BiLSTM]
    public var attention: Attention
    public var projection: Projection?

    /// H
    public var hidden: Int { layers[0].forward.recurrent.columns }
    /// d
    public var dimension: Int { projection?.weight.rows ?? 2 * hidden }

    /// The largest number of layers, and the largest number of columns of a matrix. Vocabularies may be longer.
    static let largestLayers = 64
    static let largestSize = 65_536

    /// Reads the tensors whose names begin with `prefix`. A tensor with this prefix that is not one of the encoder's is
    /// an error.
    /// - Throws: `corruptFile`, with the name of the tensor that is missing, unexpected, not finite, or of another type
    ///   or shape.
    init(_ file: SafeTensors, prefix: String, _ configuration: EncoderConfiguration, _ execution: Execution) throws {
        var known = Set<String>()
        func values(_ name: String, _ shape: [Int?]) throws -> [Float] {
            known.insert(prefix + name)
            return try file.finiteValues(prefix + name, shape: shape, execution)
        }
        func matrix(_ name: String, _ rows: Int?, _ columns: Int?) throws -> Matrix<Float> {
            let elements = try values(name, [rows, columns])
            // `values` has checked that there are two axes.
            let shape = file.tensors[prefix + name]?.shape ?? [0, 0]
            guard shape[0] >= 1, (1...Self.largestSize).contains(shape[1]) else {
                throw CoveyError.corruptFile(
                    "tensor \(prefix + name) must have rows, and 1 to \(Self.largestSize) columns, got \(shape)")
            }
            return Matrix(rows: shape[0], columns: shape[1], elements: elements)
        }
        eventEmbedding = try matrix("event_embedding.weight", configuration.vocabulary.count, nil)
        categoricalEmbeddings = try configuration.categoricalVocabularies.enumerated().map {
            try matrix("categorical_embeddings.\($0).weight", $1.count, nil)
        }
        let hidden = try matrix("lstm.weight_hh_l0", nil, nil).columns
        var inputs =
            eventEmbedding.columns + configuration.timeFeatures + configuration.numericScaling.count
            + categoricalEmbeddings.reduce(0) { $0 + $1.columns }
        layers = []
        while layers.isEmpty || file.contains("\(prefix)lstm.weight_ih_l\(layers.count)") {
            guard layers.count < Self.largestLayers else {
                throw CoveyError.corruptFile("tensor \(prefix)lstm.weight_ih_l\(layers.count): more than 64 layers")
            }
            func direction(_ suffix: String) throws -> LSTM {
                LSTM(
                    input: try matrix("lstm.weight_ih_\(suffix)", 4 * hidden, inputs),
                    recurrent: try matrix("lstm.weight_hh_\(suffix)", 4 * hidden, hidden),
                    inputBias: try values("lstm.bias_ih_\(suffix)", [4 * hidden]),
                    recurrentBias: try values("lstm.bias_hh_\(suffix)", [4 * hidden]))
            }
            let layer = "l\(layers.count)"
            layers.append(BiLSTM(forward: try direction(layer), reverse: try direction("\(layer)_reverse")))
            inputs = 2 * hidden
        }
        let weight = try matrix("attention.hidden.weight", nil, 2 * hidden)
        attention = Attention(
            hidden: weight, hiddenBias: try values("attention.hidden.bias", [weight.rows]),
            time: try matrix("attention.time.weight", weight.rows, configuration.timeFeatures),
            score: try matrix("attention.score.weight", 1, weight.rows))
        if file.contains(prefix + "projection.weight") || file.contains(prefix + "projection.bias") {
            let weight = try matrix("projection.weight", nil, 2 * hidden)
            projection = Projection(weight: weight, bias: try values("projection.bias", [weight.rows]))
        }
        guard dimension <= Self.largestSize else {
            throw CoveyError.corruptFile("an embedding must have at most \(Self.largestSize) numbers, got \(dimension)")
        }
        if let other = file.names(prefix: prefix).first(where: { !known.contains($0) }) {
            throw CoveyError.corruptFile("tensor \(other) is not one of an encoder's")
        }
    }

    /// Takes the encoder's weights from a block that was trained. If more than half of the block is the embedding of
    /// the events, the embedding keeps the memory of the block.
    init(_ layout: ParameterLayout, _ weights: consuming [Float], _ execution: Execution) throws {
        var tensors: [String: ParameterLayout.Tensor] = [:]
        for tensor in layout.tensors.prefix(layout.encoderTensors) { tensors[tensor.name] = tensor }
        self = try weights.withUnsafeBufferPointer { try Self(layout, tensors, $0.baseAddress!, execution) }
        let embedding = tensors["event_embedding.weight"]!
        if embedding.isContiguous, embedding.place(0, 0) == 0, embedding.count > weights.count / 2 {
            weights.removeLast(weights.count - embedding.count)
        } else {
            weights = try layout.values(embedding, from: weights, execution)
        }
        eventEmbedding = Matrix(rows: embedding.rows, columns: embedding.columns, elements: weights)
    }

    /// Reads all weights but the embedding of the events.
    private init(
        _ layout: ParameterLayout, _ tensors: [String: ParameterLayout.Tensor], _ block: UnsafePointer<Float>,
        _ execution: Execution
    ) throws {
        func values(_ name: String) throws -> [Float] { try layout.values(tensors[name]!, from: block, execution) }
        func matrix(_ name: String) throws -> Matrix<Float> {
            try Matrix(rows: tensors[name]!.rows, columns: tensors[name]!.columns, elements: values(name))
        }
        func direction(_ suffix: String) throws -> LSTM {
            try LSTM(
                input: matrix("lstm.weight_ih_\(suffix)"), recurrent: matrix("lstm.weight_hh_\(suffix)"),
                inputBias: values("lstm.bias_ih_\(suffix)"), recurrentBias: values("lstm.bias_hh_\(suffix)"))
        }
        eventEmbedding = Matrix(rows: 0, columns: 0, elements: [])
        categoricalEmbeddings = try layout.shape.categories.indices.map {
            try matrix("categorical_embeddings.\($0).weight")
        }
        layers = try [BiLSTM(forward: direction("l0"), reverse: direction("l0_reverse"))]
        attention = try Attention(
            hidden: matrix("attention.hidden.weight"), hiddenBias: values("attention.hidden.bias"),
            time: matrix("attention.time.weight"), score: matrix("attention.score.weight"))
        if layout.projection != nil {
            projection = try Projection(weight: matrix("projection.weight"), bias: values("projection.bias"))
        }
    }

    /// Adds every tensor to a file.
    func write(to file: inout SafeTensorsWriter, prefix: String) throws {
        func add(_ name: String, _ matrix: Matrix<Float>) throws {
            try file.add(prefix + name, matrix.elements, shape: [matrix.rows, matrix.columns])
        }
        func add(_ name: String, _ values: [Float]) throws {
            try file.add(prefix + name, values, shape: [values.count])
        }
        try add("event_embedding.weight", eventEmbedding)
        for (channel, matrix) in categoricalEmbeddings.enumerated() {
            try add("categorical_embeddings.\(channel).weight", matrix)
        }
        for (layer, weights) in layers.enumerated() {
            for (suffix, direction) in [("l\(layer)", weights.forward), ("l\(layer)_reverse", weights.reverse)] {
                try add("lstm.weight_ih_\(suffix)", direction.input)
                try add("lstm.weight_hh_\(suffix)", direction.recurrent)
                try add("lstm.bias_ih_\(suffix)", direction.inputBias)
                try add("lstm.bias_hh_\(suffix)", direction.recurrentBias)
            }
        }
        try add("attention.hidden.weight", attention.hidden)
        try add("attention.hidden.bias", attention.hiddenBias)
        try add("attention.time.weight", attention.time)
        try add("attention.score.weight", attention.score)
        if let projection {
            try add("projection.weight", projection.weight)
            try add("projection.bias", projection.bias)
        }
    }
}
