import CoveyRuntime
import CoveySequences

/// The weights that one training step reads, arranged for its matrix products, and the layout of their gradients. Of a
/// large vocabulary it has only the entries that occur in the step, stored without gaps.
final class BatchTables {
    let layout: ParameterLayout
    /// The weights of all regions. The weights of a large vocabulary are read from `gathered` instead.
    let parameters: UnsafeMutablePointer<Float>
    /// The entries of each region that the step uses. nil means all.
    let rows: [[Int32]?]
    /// The offset of each region's gradient, in floats.
    let gradients: [Int]
    /// The number of floats in a gradient.
    let count: Int
    /// The LSTM weights of each direction in the two orders of ck_lstm_learner. `packed` has the columns of 16 units
    /// side by side, and `transposed` has the transposed recurrent weights.
    let packed: [FloatBlock]
    let transposed: [FloatBlock]
    /// The transposed weights of each head, [width][columns], then its bias, [columns]. The key is the head's region of
    /// weights.
    let turned: [Int: FloatBlock]
    let types: TypeTable
    private var gathered: [FloatBlock?]

    init(
        _ layout: ParameterLayout, _ parameters: UnsafeMutablePointer<Float>, _ batch: TrainingBatch,
        _ source: SequenceBatch, _ execution: Execution
    ) throws {
        self.layout = layout
        self.parameters = parameters
        let vocabulary = layout.shape.vocabulary
        rows = layout.regions.map { region in
            switch region.table {
            case .none: nil
            case .events: batch.events
            case .category(let channel): batch.categories[channel]
            case .outputs: batch.outputs.map { $0 + (vocabulary..<region.rows).map(Int32.init) }
            }
        }
        var total = 0
        gradients = zip(layout.regions, rows).map { region, rows in
            defer { total += ((rows?.count ?? region.rows) * region.stride + 15) / 16 * 16 }
            return total
        }
        count = total
        gathered = try zip(layout.regions, rows).map { region, rows in
            guard let rows else { return nil }
            let block = try FloatBlock(rows.count * region.stride, for: "the rows of a step", execution)
            for (place, row) in rows.enumerated() {
                if place & 0xFF == 0 { try execution.report() }
                (block.pointer + place * region.stride).update(
                    from: parameters + region.offset + Int(row) * region.stride, count: region.stride)
            }
            return block
        }
        let shape = layout.shape
        packed = try layout.lstm.map { _ in try FloatBlock(shape.inputs * shape.gates, for: "packed weights", execution)
        }
        transposed = try layout.lstm.map { _ in
            try FloatBlock(shape.gates * shape.units, for: "transposed weights", execution)
        }
        var turned: [Int: FloatBlock] = [:]
        for head in layout.heads {
            let outputs = rows[head.weight]?.count ?? layout.regions[head.weight].rows
            turned[head.weight] = try FloatBlock(
                (head.width + 1) * ChunkArrays.stride(outputs), for: "transposed weights", execution)
        }
        self.turned = turned
        types = try TypeTable(
            batch, source, shape, rows[layout.events],
            gathered[layout.events]?.pointer ?? parameters + layout.regions[layout.events].offset, execution)
    }

    /// Rearranges the weights of one direction and of some heads, and computes what each type adds to the gates. Call
    /// it before the chunks run.
    func prepare(_ direction: Int, _ products: Products) throws {
        let (units, gates, inputs) = (layout.shape.units, layout.shape.gates, layout.shape.inputs)
        let source = values(layout.lstm[direction])
        for block in 0..<units / 16 {
            try products.execution.report()
            for row in 0..<inputs {
                (packed[direction].pointer + (block * inputs + row) * 64).update(
                    from: source + row * gates + block * 64, count: 64)
            }
        }
        try Self.transpose(units, gates, source, gates, transposed[direction].pointer, units, products.execution)
        for (index, head) in layout.heads.enumerated() where index & 1 == direction {
            let outputs = rowCount(head.weight)
            let columns = ChunkArrays.stride(outputs)
            let target = turned[head.weight]!.pointer
            try Self.transpose(
                outputs, head.width, values(head.weight), head.width, target, columns, products.execution)
            (target + head.width * columns).update(from: values(head.bias), count: outputs)
        }
        try types.fold(direction, self, products)
    }

    /// Transposes a matrix of `rows` x `columns` numbers, 16 rows at a time, so that the data stays in the cache.
    private static func transpose(
        _ rows: Int, _ columns: Int, _ source: UnsafePointer<Float>, _ stride: Int,
        _ target: UnsafeMutablePointer<Float>,
        _ targetStride: Int, _ execution: Execution
    ) throws {
        for first in Swift.stride(from: 0, to: rows, by: 16) {
            try execution.report()
            for column in 0..<columns {
                for row in first..<min(rows, first + 16) {
                    target[column * targetStride + row] = source[row * stride + column]
                }
            }
        }
    }

    var bytes: Int {
        let blocks = packed + transposed + turned.values + gathered.compactMap { $0 } + types.blocks
        return blocks.reduce(0) { $0 + 4 * $1.count }
    }

    /// Returns the weights of a region.
    func values(_ region: Int) -> UnsafeMutablePointer<Float> {
        gathered[region]?.pointer ?? parameters + layout.regions[region].offset
    }

    func rowCount(_ region: Int) -> Int { rows[region]?.count ?? layout.regions[region].rows }

    /// Returns the index of an entry among the rows of a region.
    @inline(__always)
    func place(_ entry: Int32, _ region: Int) -> Int32 { Self.place(entry, rows[region]) }

    /// Returns the index of an entry in an ascending list. nil means that all entries are listed.
    @inline(__always)
    static func place(_ entry: Int32, _ rows: [Int32]?) -> Int32 {
        guard let rows else { return entry }
        var (low, high) = (0, rows.count)
        while low + 1 < high {
            let middle = (low + high) / 2
            if rows[middle] <= entry { low = middle } else { high = middle }
        }
        return Int32(low)
    }
}
