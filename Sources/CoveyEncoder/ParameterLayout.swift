import CoveyRuntime

/// The layout of all weights in one block of floats, in the order in which the matrix products read them, and the names
/// that PyTorch gives them.
struct ParameterLayout: Sendable {
    /// The rows of a region that a batch reads: all rows, or the entries of a vocabulary that occur in the batch.
    enum Table: Sendable, Equatable {
        case none
        case events
        case category(Int)
        /// The types that are predicted, then rows for other predictions.
        case outputs
    }

    /// A matrix or a bias: rows that are used together.
    struct Region: Sendable {
        let offset: Int
        let rows: Int
        let stride: Int
        let table: Table
        /// Weight decay applies to matrices, not to biases.
        let decays: Bool
        var count: Int { rows * stride }
    }

    /// A tensor and its name in a file.
    struct Tensor: Sendable {
        let name: String
        let shape: [Int]
        /// The initial values are U(-bound, bound), or N(0, 1) if `bound` is 0.
        let bound: Double
        /// The index of an element in the block. It is the sum of a number for the row and a number for the column.
        let place: @Sendable (_ row: Int, _ column: Int) -> Int
        var rows: Int { shape[0] }
        var columns: Int { shape.count > 1 ? shape[1] : 1 }
        var count: Int { rows * columns }
        /// If true, the tensor is stored by rows, without gaps.
        var isContiguous = false
    }

    /// A prediction: a linear map from `width` numbers to the types and to `extras` further numbers.
    struct Head: Sendable {
        let weight: Int
        let bias: Int
        let width: Int
        let extras: Int
    }

    struct Decoder: Sendable {
        let hidden: Int
        let hiddenBias: Int
        let head: Head
        let length: Int
        let lengthBias: Int
    }

    let shape: NetworkShape
    private(set) var regions: [Region] = []
    private(set) var tensors: [Tensor] = []
    private(set) var count = 0
    /// The number of tensors, and of floats, of the encoder. The others belong to the objectives.
    private(set) var encoderTensors = 0
    private(set) var encoderCount = 0

    // The indices of the regions.
    private(set) var events = 0
    private(set) var categories: [Int] = []
    /// One for the forward and one for the backward direction.
    private(set) var lstm: [Int] = []
    private(set) var inputBias: [Int] = []
    private(set) var recurrentBias: [Int] = []
    private(set) var attention = 0
    private(set) var attentionBias = 0
    private(set) var score = 0
    private(set) var projection: Int?
    private(set) var projectionBias: Int?
    private(set) var next: Head?
    private(set) var previous: Head?
    private(set) var masked: Head?
    private(set) var decoder: Decoder?

    var heads: [Head] { [next, previous, masked, decoder?.head].compactMap { $0 } }

    init(_ shape: NetworkShape, _ objectives: TrainingOptions.Objectives) throws {
        self.shape = shape
        try addEncoder()
        encoderTensors = tensors.count
        encoderCount = count
        if objectives.nextEvent > 0 {
            next = try addHead("next", width: shape.hidden, padded: shape.units, extras: 1) { $0 }
            previous = try addHead("previous", width: shape.hidden, padded: shape.units, extras: 1) { $0 }
        }
        if objectives.maskedEvent > 0 {
            masked = try addHead("masked", width: 2 * shape.hidden, padded: shape.states, extras: 0) { shape.state($0) }
        }
        if objectives.autoencoder > 0 { try addDecoder() }
    }

    private mutating func region(_ rows: Int, _ stride: Int, _ table: Table = .none, decays: Bool = true) throws -> Int
    {
        regions.append(Region(offset: count, rows: rows, stride: stride, table: table, decays: decays))
        let size = try checkedProduct(rows, stride, "the weights")
        let (sum, overflow) = count.addingReportingOverflow((size + 15) / 16 * 16)
        if overflow || sum > Int.max / 64 { throw CoveyError.outOfMemory("the weights: their number overflows") }
        count = sum
        return regions.count - 1
    }

    private mutating func tensor(
        _ name: String, _ shape: [Int], bound: Double, isContiguous: Bool = false,
        _ place: @escaping @Sendable (_ row: Int, _ column: Int) -> Int
    ) {
        tensors.append(Tensor(name: name, shape: shape, bound: bound, place: place, isContiguous: isContiguous))
    }

    private mutating func addEncoder() throws {
        let shape = shape
        let (e, gates, hidden) = (shape.embedding, shape.gates, shape.hidden)
        events = try region(shape.vocabulary, e, .events)
        let start = regions[events].offset
        tensor("event_embedding.weight", [shape.vocabulary, e], bound: 0, isContiguous: true) { start + $0 * e + $1 }
        for (channel, entries) in shape.categories.enumerated() {
            let width = shape.categoryEmbedding
            categories.append(try region(entries, width, .category(channel)))
            let start = regions[categories[channel]].offset
            tensor("categorical_embeddings.\(channel).weight", [entries, width], bound: 0, isContiguous: true) {
                start + $0 * width + $1
            }
        }
        let bound = 1 / Double(hidden).squareRoot()
        let dense = shape.inputs - shape.units
        for suffix in ["l0", "l0_reverse"] {
            let matrix = try region(shape.inputs + e, gates)
            let biases = (try region(1, gates, decays: false), try region(1, gates, decays: false))
            lstm.append(matrix)
            inputBias.append(biases.0)
            recurrentBias.append(biases.1)
            let start = regions[matrix].offset
            let (first, second) = (regions[biases.0].offset, regions[biases.1].offset)
            tensor("lstm.weight_ih_\(suffix)", [4 * hidden, e + dense], bound: bound) { row, column in
                // The columns of PyTorch: the embedding of the event, then the dense inputs.
                let place = column < e ? shape.inputs + column : shape.units + column - e
                return start + place * gates + shape.gate(row)
            }
            tensor("lstm.weight_hh_\(suffix)", [4 * hidden, hidden], bound: bound) { row, column in
                start + column * gates + shape.gate(row)
            }
            tensor("lstm.bias_ih_\(suffix)", [4 * hidden], bound: bound) { row, _ in first + shape.gate(row) }
            tensor("lstm.bias_hh_\(suffix)", [4 * hidden], bound: bound) { row, _ in second + shape.gate(row) }
        }
        let columns = shape.attentionUnits
        attention = try region(shape.states + shape.times, columns)
        attentionBias = try region(1, columns, decays: false)
        score = try region(1, columns)
        let (matrix, bias, vector) = (regions[attention].offset, regions[attentionBias].offset, regions[score].offset)
        let hiddenBound = 1 / Double(2 * hidden).squareRoot()
        tensor("attention.hidden.weight", [shape.attention, 2 * hidden], bound: hiddenBound) { row, column in
            matrix + shape.state(column) * columns + row
        }
        tensor("attention.hidden.bias", [shape.attention], bound: hiddenBound) { row, _ in bias + row }
        tensor("attention.time.weight", [shape.attention, shape.times], bound: 1 / Double(shape.times).squareRoot()) {
            matrix + (shape.states + $1) * columns + $0
        }
        tensor(
            "attention.score.weight", [1, shape.attention],
            bound: 1 / Double(shape.attention).squareRoot()
        ) { vector + $1 }
        if shape.projection > 0 {
            let width = shape.output
            let weight = try region(shape.states, width)
            let bias = try region(1, width, decays: false)
            projection = weight
            projectionBias = bias
            let (matrix, vector) = (regions[weight].offset, regions[bias].offset)
            tensor("projection.weight", [shape.projection, 2 * hidden], bound: hiddenBound) { row, column in
                matrix + shape.state(column) * width + row
            }
            tensor("projection.bias", [shape.projection], bound: hiddenBound) { row, _ in vector + row }
        }
    }

    private mutating func addHead(
        _ name: String, width: Int, padded: Int, extras: Int, _ column: @escaping @Sendable (Int) -> Int
    ) throws -> Head {
        let rows = shape.vocabulary + extras
        let weight = try region(rows, padded, .outputs)
        let bias = try region(rows, 1, .outputs, decays: false)
        let (matrix, vector) = (regions[weight].offset, regions[bias].offset)
        let bound = 1 / Double(width).squareRoot()
        let isContiguous = width == padded && (0..<width).allSatisfy { column($0) == $0 }
        tensor("\(name).weight", [rows, width], bound: bound, isContiguous: isContiguous) { row, place in
            matrix + row * padded + column(place)
        }
        tensor("\(name).bias", [rows], bound: bound) { row, _ in vector + row }
        return Head(weight: weight, bias: bias, width: padded, extras: extras)
    }

    private mutating func addDecoder() throws {
        let shape = shape
        let (width, hidden, positions) = (shape.output, shape.decoder, NetworkShape.positions)
        let dimension = shape.projection > 0 ? shape.projection : 2 * shape.hidden
        let units = max(32, dimension)
        // The rows: the embedding, then the cosines of the position.
        let weight = try region(width + positions, hidden)
        let bias = try region(1, hidden, decays: false)
        let (matrix, vector) = (regions[weight].offset, regions[bias].offset)
        let bound = 1 / Double(dimension + positions).squareRoot()
        tensor("decoder.hidden.weight", [units, dimension + positions], bound: bound) { row, column in
            matrix + (column < dimension ? shape.output(column) : width + column - dimension) * hidden + row
        }
        tensor("decoder.hidden.bias", [units], bound: bound) { row, _ in vector + row }
        let head = try addHead("decoder.event", width: units, padded: hidden, extras: shape.numbers) { $0 }
        let length = try region(1, width)
        let lengthBias = try region(1, 1, decays: false)
        let (line, number) = (regions[length].offset, regions[lengthBias].offset)
        let lengthBound = 1 / Double(dimension).squareRoot()
        tensor("decoder.length.weight", [1, dimension], bound: lengthBound) { _, column in line + shape.output(column) }
        tensor("decoder.length.bias", [1], bound: lengthBound) { _, _ in number }
        decoder = Decoder(hidden: weight, hiddenBias: bias, head: head, length: length, lengthBias: lengthBias)
    }

    /// Returns the elements of a tensor by rows, from a block with this layout.
    func values(_ tensor: Tensor, from block: UnsafePointer<Float>, _ execution: Execution) throws -> [Float] {
        if tensor.count == 0 { return [] }
        nonisolated(unsafe) let block = block
        return try [Float](unsafeUninitializedCapacity: tensor.count) { buffer, count in
            nonisolated(unsafe) let buffer = buffer.baseAddress!
            try Self.forEachRun(tensor, execution) { index, place, offsets in
                guard let offsets else {
                    return (buffer + index.lowerBound).update(from: block + place, count: index.count)
                }
                for (number, offset) in offsets.enumerated() {
                    buffer[index.lowerBound &+ number] = block[place &+ offset]
                }
            }
            count = tensor.count
        }
    }

    /// Writes the elements of a tensor into a block.
    func put(
        _ values: [Float], _ tensor: Tensor, into block: UnsafeMutablePointer<Float>, _ execution: Execution
    ) throws {
        if tensor.count == 0 { return }
        nonisolated(unsafe) let block = block
        try values.withUnsafeBufferPointer { values in
            nonisolated(unsafe) let values = values.baseAddress!
            try Self.forEachRun(tensor, execution) { index, place, offsets in
                guard let offsets else {
                    return (block + place).update(from: values + index.lowerBound, count: index.count)
                }
                for (number, offset) in offsets.enumerated() {
                    block[place &+ offset] = values[index.lowerBound &+ number]
                }
            }
        }
    }

    /// Calls `body` for runs of elements of a tensor, on all threads and in tiles that stay in the cache. `indices` are
    /// the elements by rows. In a block they are stored at `place` plus their offsets; nil means one after the other.
    private static func forEachRun(
        _ tensor: Tensor, _ execution: Execution,
        _ body: (_ indices: Range<Int>, _ place: Int, _ offsets: UnsafeBufferPointer<Int>?) -> Void
    ) throws {
        if tensor.isContiguous {
            let first = tensor.place(0, 0)
            return try execution.parallel(tensor.count, grain: 1 << 20) { chunk, _ in
                body(chunk, first + chunk.lowerBound, nil)
            }
        }
        let rows = (0..<tensor.rows).map { tensor.place($0, 0) }
        let columns = (0..<tensor.columns).map { tensor.place(0, $0) - rows[0] }
        let tile = 16
        try columns.withUnsafeBufferPointer { columns in
            nonisolated(unsafe) let columns = columns
            try execution.parallel(rows.count, grain: max(1, (1 << 14) / columns.count) * tile) { chunk, _ in
                for top in stride(from: chunk.lowerBound, to: chunk.upperBound, by: tile) {
                    for left in stride(from: 0, to: columns.count, by: tile) {
                        let offsets = UnsafeBufferPointer(rebasing: columns[left..<min(columns.count, left + tile)])
                        for row in top..<min(chunk.upperBound, top + tile) {
                            let first = row * columns.count + left
                            body(first..<first + offsets.count, rows[row], offsets)
                        }
                    }
                }
            }
        }
    }

    /// Sets the initial weights, as the modules of PyTorch do: embeddings from N(0, 1), the others from U(-bound,
    /// bound).
    func initialise(_ block: UnsafeMutablePointer<Float>, seed: UInt64, _ execution: Execution) throws {
        var random = SeededRandom(seed: seed)
        for tensor in tensors {
            for row in 0..<tensor.rows {
                if row & 0xFF == 0 { try execution.report() }
                for column in 0..<tensor.columns {
                    block[tensor.place(row, column)] =
                        tensor.bound > 0
                        ? Float((2 * random.uniform() - 1) * tensor.bound) : Float(random.normal())
                }
            }
        }
    }
}
