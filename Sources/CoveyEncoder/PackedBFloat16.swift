import CCoveyKernels
import CoveyRuntime

/// The number format in which an embedding is computed.
public enum Precision: Int32, Sendable {
    case float32 = 0
    /// Products of bfloat16 numbers, summed in float32. If the processor cannot do this, the result is that of float32.
    case bfloat16 = 1
}

/// The weights of an encoder in bfloat16, scaled as the kernels need them (ck_lstm_bfloat16). They are made from the
/// packed float32 weights.
final class PackedBFloat16: Sendable {
    final class LSTM: @unchecked Sendable {
        let kernel: UnsafeMutablePointer<ck_lstm_bfloat16>
        private let blocks: [FloatBlock]
        private let tables: UnsafeMutablePointer<UnsafePointer<Float>?>

        /// - Parameters:
        ///   - entries: the number of entries of each table.
        ///   - isFirst: true for the first layer, whose inputs stay float32. The inputs of the other layers are states.
        init(_ lstm: PackedLSTM, entries: [Int], isFirst: Bool, _ execution: Execution) throws {
            let packed = lstm.kernel.pointee
            let (units, inputs) = (Int(packed.blocks), Int(packed.inputs))
            let factor: (Int) -> Float = { $0 / 16 % 4 == 2 ? -2 * log2e : -log2e }
            var blocks: [FloatBlock] = []
            for (index, count) in entries.enumerated() {
                let source = packed.tables[index]!
                let table = try FloatBlock(count * units * 64, for: PackedBFloat16.what)
                for entry in 0..<count {
                    try execution.check()
                    for place in entry * units * 64..<(entry + 1) * units * 64 {
                        let isFirstGate = index == 0 && place / 16 % 4 == 0
                        table.pointer[place] = source[place] * factor(place) - (isFirstGate ? log2TwoLog2e : 0)
                    }
                }
                blocks.append(table)
            }
            func pairs(_ source: UnsafePointer<Float>, _ columns: Int) throws -> UnsafePointer<UInt16> {
                // States are stored in blocks of 16 units, also if the matrix has fewer columns.
                let count = (columns + 15) / 16 * 8
                let block = try FloatBlock(units * count * 64, for: PackedBFloat16.what)
                let target = UnsafeMutableRawPointer(block.pointer).assumingMemoryBound(to: UInt16.self)
                for unit in 0..<units {
                    for k in 0..<columns {
                        for place in 0..<64 {
                            target[((unit * count + k / 2) * 64 + place) * 2 + k % 2] = rounded(
                                source[(unit * columns + k) * 64 + place] * factor(place))
                        }
                    }
                }
                blocks.append(block)
                return UnsafePointer(target)
            }
            let recurrent = try pairs(packed.recurrent_weights, Int(packed.hidden))
            let lower = isFirst ? nil : try pairs(packed.input_weights, inputs)
            let dense = try FloatBlock(isFirst ? units * inputs * 64 : 0, for: PackedBFloat16.what)
            if isFirst {
                for place in 0..<units * inputs * 64 {
                    dense.pointer[place] = packed.input_weights[place] * factor(place)
                }
            }
            blocks.append(dense)
            // These are freed in deinit, so they are allocated after the last call that may throw.
            tables = .allocate(capacity: entries.count)
            for index in entries.indices { (tables + index).initialize(to: UnsafePointer(blocks[index].pointer)) }
            kernel = .allocate(capacity: 1)
            kernel.initialize(
                to: ck_lstm_bfloat16(
                    blocks: packed.blocks, lookups: packed.lookups, inputs: isFirst ? packed.inputs : 0,
                    lower_pairs: isFirst ? 0 : Int64(inputs / 2), tables: UnsafePointer(tables),
                    input_weights: UnsafePointer(dense.pointer), lower_weights: lower, recurrent_weights: recurrent))
            self.blocks = blocks
        }

        deinit {
            kernel.deallocate()
            tables.deallocate()
        }
    }

    final class Attention: @unchecked Sendable {
        let kernel: UnsafeMutablePointer<ck_attention_bfloat16>
        private let blocks: [FloatBlock]

        init(_ dense: PackedDense, score: FloatBlock) throws {
            let packed = dense.kernel.pointee
            let (times, states, vectors) = (Int(packed.left), Int(packed.right), Int(packed.vectors))
            let time = try FloatBlock(vectors * times * 16, for: PackedBFloat16.what)
            let pairs = try FloatBlock(vectors * states * 8, for: PackedBFloat16.what)
            let bias = try FloatBlock(vectors * 16, for: PackedBFloat16.what)
            let scores = try FloatBlock((vectors + 3) / 4 * 64, for: PackedBFloat16.what)
            let halves = UnsafeMutableRawPointer(pairs.pointer).assumingMemoryBound(to: UInt16.self)
            for first in stride(from: 0, to: vectors, by: 4) {
                let columns = min(4, vectors - first) * 16
                let source = packed.weights + first * 16 * (times + states)
                for place in 0..<times * columns {
                    time.pointer[first * 16 * times + place] = source[place] * (-2 * log2e)
                }
                for k in 0..<states {
                    for column in 0..<columns {
                        halves[first * 16 * states + (k / 2 * columns + column) * 2 + k % 2] = rounded(
                            source[(times + k) * columns + column] * (-2 * log2e))
                    }
                }
            }
            for column in 0..<vectors * 16 {
                bias.pointer[column] = packed.bias[column] * (-2 * log2e)
                scores.pointer[column] = score.pointer[column] * 2
            }
            kernel = .allocate(capacity: 1)
            kernel.initialize(
                to: ck_attention_bfloat16(
                    times: packed.left, pairs: packed.right / 2, vectors: packed.vectors,
                    time_weights: UnsafePointer(time.pointer), weights: UnsafePointer(halves),
                    bias: UnsafePointer(bias.pointer),
                    score: UnsafePointer(scores.pointer)))
            blocks = [time, pairs, bias, scores]
        }

        deinit { kernel.deallocate() }
    }

    let layers: [(forward: LSTM, reverse: LSTM)]
    let attention: Attention

    private static let what = "the encoder's weights in bfloat16"

    /// - Parameter entries: the number of entries of each table of the first layer.
    init(_ network: PackedEncoder, entries: [Int], _ execution: Execution) throws {
        // The tables, and at most the same amount for the other weights, as in float32.
        try execution.reserve(network.packedRows, of: network.units * 32, for: Self.what)
        layers = try network.layers.enumerated().map { index, layer in
            func packed(_ lstm: PackedLSTM) throws -> LSTM {
                try LSTM(lstm, entries: index == 0 && network.isFolded ? entries : [1], isFirst: index == 0, execution)
            }
            return (try packed(layer.forward), try packed(layer.reverse))
        }
        attention = try Attention(network.attention, score: network.score)
    }
}

private let log2e: Float = 1.442_695
private let log2TwoLog2e: Float = 1.528_766

/// Returns the nearest bfloat16; of two equally near ones the even one. Weights are finite. A value that rounds beyond
/// the largest bfloat16 becomes infinite.
private func rounded(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
}
