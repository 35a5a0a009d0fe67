import CCoveyKernels
import CoveyRuntime
import CoveyTables

/// One direction of one LSTM layer. Its weights are stored in the order in which the kernel reads them.
///
/// A table has, for each entry (an event type or a category), what it adds to the gates: its embedding times the input
/// matrix and, in the first table, both biases. This is computed once. For each event only the recurrent product and
/// the few dense input columns remain.
final class PackedLSTM: @unchecked Sendable {
    /// A table: the embeddings of its entries, and the first of their columns in the input matrix.
    struct Lookup {
        let embeddings: Matrix<Float>
        let firstColumn: Int
    }

    let kernel: UnsafeMutablePointer<ck_lstm>
    private let blocks: [FloatBlock]
    private let tables: UnsafeMutablePointer<UnsafePointer<Float>?>

    /// - Parameters:
    ///   - lookups: the tables; empty if all inputs are dense.
    ///   - columns: for each dense input its column in the input matrix; nil for an input that is always zero.
    init(_ weights: EncoderWeights.LSTM, lookups: [Lookup], columns: [Int?], _ execution: Execution) throws {
        let hidden = weights.recurrent.columns
        let units = (hidden + 15) / 16
        let input = try Self.pack(weights.input, columns: columns, hidden: hidden)
        let recurrent = try Self.pack(weights.recurrent, columns: Array(0..<hidden), hidden: hidden)
        var bias = [Double](repeating: 0, count: 4 * hidden)
        for row in 0..<4 * hidden { bias[row] = Double(weights.inputBias[row]) + Double(weights.recurrentBias[row]) }
        var tables: [FloatBlock] = []
        if lookups.isEmpty { tables = [try Self.table(nil, weights.input, start: bias, hidden: hidden, execution)] }
        for lookup in lookups {
            tables.append(try Self.table(lookup, weights.input, start: bias, hidden: hidden, execution))
            bias = [Double](repeating: 0, count: 4 * hidden)
        }
        self.tables = .allocate(capacity: tables.count)
        for (index, table) in tables.enumerated() { (self.tables + index).initialize(to: UnsafePointer(table.pointer)) }
        kernel = .allocate(capacity: 1)
        kernel.initialize(
            to: ck_lstm(
                hidden: Int64(hidden), blocks: Int64(units), lookups: Int64(tables.count), inputs: Int64(columns.count),
                tables: UnsafePointer(self.tables), input_weights: UnsafePointer(input.pointer),
                recurrent_weights: UnsafePointer(recurrent.pointer)))
        blocks = tables + [input, recurrent]
    }

    deinit {
        kernel.deallocate()
        tables.deallocate()
    }

    /// [blocks][columns][4 gates][16 units]
    private static func pack(_ matrix: Matrix<Float>, columns: [Int?], hidden: Int) throws -> FloatBlock {
        let units = (hidden + 15) / 16
        let packed = try FloatBlock(units * columns.count * 64, for: "the encoder's weights")
        matrix.elements.withUnsafeBufferPointer { elements in
            for unit in 0..<hidden {
                for gate in 0..<4 {
                    let row = (gate * hidden + unit) * matrix.columns
                    let target = packed.pointer + (unit / 16 * columns.count * 64 + gate * 16 + unit % 16)
                    for (k, column) in columns.enumerated() {
                        if let column { target[k * 64] = elements[row + column] }
                    }
                }
            }
        }
        return packed
    }

    /// [entries][blocks][4 gates][16 units]: `start`, plus the entry's embedding times its columns of the input matrix.
    private static func table(
        _ lookup: Lookup?, _ matrix: Matrix<Float>, start: [Double], hidden: Int, _ execution: Execution
    ) throws -> FloatBlock {
        let entries = lookup?.embeddings.rows ?? 1
        let width = lookup?.embeddings.columns ?? 0
        let size = (hidden + 15) / 16 * 64
        let table = try FloatBlock(entries * size, for: "the encoder's tables")
        // The columns in the order of the table; the last row is `start`.
        var columns = [Double](repeating: 0, count: (width + 1) * size)
        for row in 0..<4 * hidden {
            let (gate, unit) = row.quotientAndRemainder(dividingBy: hidden)
            let column = unit / 16 * 64 + gate * 16 + unit % 16
            for k in 0..<width { columns[k * size + column] = Double(matrix[row, lookup!.firstColumn + k]) }
            columns[width * size + column] = start[row]
        }
        try columns.withUnsafeBufferPointer { columns in
            nonisolated(unsafe) let columns = columns.baseAddress!
            // If there is no lookup, there is one entry and no embedding.
            let embeddings = lookup?.embeddings.elements ?? []
            try embeddings.withUnsafeBufferPointer { embeddings in
                nonisolated(unsafe) let embeddings = embeddings
                try execution.parallel(entries, grain: 1024) { chunk, _ in
                    ck_fold_table(
                        Int64(chunk.count), Int64(width), Int64(size),
                        embeddings.baseAddress.map { $0 + chunk.lowerBound * width }, columns, columns + width * size,
                        table.pointer + chunk.lowerBound * size)
                }
            }
        }
        return table
    }
}
