import CCoveyKernels
import CoveyRuntime

/// Updates the weights with Adam (Kingma and Ba 2015) and decoupled weight decay (AdamW, Loshchilov and Hutter 2019).
/// The gradient is clipped by its global norm (Pascanu, Mikolov and Bengio 2013). If an entry of a large vocabulary
/// does not occur in a step, its weights and moments do not change (lazy Adam, like SparseAdam in PyTorch). Biases do
/// not decay.
struct AdamW {
    static let beta1 = 0.9
    static let beta2 = 0.999
    static let epsilon = 1e-8
    private static let block = 1 << 14

    let values: UnsafeMutablePointer<Float>
    let first: UnsafeMutablePointer<Float>
    let second: UnsafeMutablePointer<Float>
    let instructionSet: Int32

    /// Some rows of one region. One piece of work updates them.
    private struct Part {
        let region: Int
        let rows: Range<Int>
    }

    private static func parts(_ tables: BatchTables) -> [Part] {
        tables.layout.regions.indices.flatMap { region in
            let count = tables.rowCount(region)
            let size = max(1, block / tables.layout.regions[region].stride)
            return stride(from: 0, to: count, by: size).map { Part(region: region, rows: $0..<min(count, $0 + size)) }
        }
    }

    /// Adds all gradients to the first one, always in the same order. Returns the norm of the sum.
    func reduce(_ gradients: [UnsafeMutablePointer<Float>], _ tables: BatchTables, _ execution: Execution) throws
        -> Double
    {
        let parts = Self.parts(tables)
        var squares = [Double](repeating: 0, count: parts.count)
        try squares.withUnsafeMutableBufferPointer { squares in
            nonisolated(unsafe) let squares = squares
            try execution.parallel(parts.count) { chunk, _ in
                for index in chunk {
                    let stride = tables.layout.regions[parts[index].region].stride
                    let start = tables.gradients[parts[index].region] + parts[index].rows.lowerBound * stride
                    let count = Int64(parts[index].rows.count * stride)
                    for other in gradients.dropFirst() {
                        ck_add(instructionSet, count, other + start, gradients[0] + start)
                    }
                    squares[index] = ck_square_sum(instructionSet, count, gradients[0] + start)
                }
            }
        }
        return squares.reduce(0, +).squareRoot()
    }

    /// Does one optimisation step. `number` counts the steps from 1.
    func step(
        _ gradient: UnsafePointer<Float>, norm: Double, number: Int, rate: Double, _ options: TrainingOptions,
        _ tables: BatchTables, _ execution: Execution
    ) throws {
        let parts = Self.parts(tables)
        let scale = min(1, options.clip / (norm + 1e-6))
        let bias = (first: 1 - power(Self.beta1, number), second: 1 - power(Self.beta2, number))
        try execution.parallel(parts.count) { chunk, _ in
            for index in chunk {
                let part = parts[index]
                let region = tables.layout.regions[part.region]
                var adam = ck_adam(
                    scale: Float(scale), beta1: Float(Self.beta1), beta2: Float(Self.beta2),
                    rate: Float(rate / bias.first),
                    root: Float(1 / bias.second.squareRoot()), epsilon: Float(Self.epsilon),
                    decay: region.decays ? Float(rate * options.weightDecay) : 0)
                let source = gradient + tables.gradients[part.region]
                func update(_ place: Int, _ row: Int, _ count: Int) {
                    let target = region.offset + row * region.stride
                    ck_adam_step(
                        instructionSet, &adam, Int64(count * region.stride), values + target, first + target,
                        second + target,
                        source + place * region.stride)
                }
                if let rows = tables.rows[part.region] {
                    for place in part.rows { update(place, Int(rows[place]), 1) }
                } else {
                    update(part.rows.lowerBound, part.rows.lowerBound, part.rows.count)
                }
            }
        }
    }

    private func power(_ base: Double, _ exponent: Int) -> Double {
        var (result, factor, rest) = (1.0, base, exponent)
        while rest > 0 {
            if rest & 1 == 1 { result *= factor }
            factor *= factor
            rest >>= 1
        }
        return result
    }
}
