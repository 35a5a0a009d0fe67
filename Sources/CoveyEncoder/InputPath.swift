import CCoveyKernels
import CoveyRuntime
import CoveySequences
import CoveyTables

/// The inputs of the events of a sequence as the network sees them, in the order of time, and those of a baseline: an
/// unknown event with average times, gaps and dwell, and missing channels.
struct InputPath {
    /// [events][width]: the input less that of the baseline.
    let differences: [Float]
    /// [width]: the baseline is the same for all events.
    let baseline: [Float]
    /// The place of each event in the sequence as given; nil if that is the order of time.
    let order: [Int32]?

    init(
        _ checkpoint: Checkpoint, _ network: GradientNetwork, _ batch: SequenceBatch, _ sequence: Int,
        _ execution: Execution
    ) throws {
        let (weights, configuration) = (checkpoint.weights, checkpoint.configuration)
        let range = batch.offsets[sequence]
        let order = try batch.timeOrder(sequence, execution)
        func event(_ step: Int) -> Int { range.lowerBound + (order.map { Int($0[step]) } ?? step) }
        let width = network.width
        var inputs = [Float](repeating: 0, count: range.count * width)
        /// Copies rows of a matrix, less its row 0, which is the unknown entry.
        func copy(_ matrix: Matrix<Float>, _ codes: Strided<Int32>, to column: Int) {
            for step in 0..<range.count {
                let code = Int(codes[event(step)])
                guard code > 0, code < matrix.rows else { continue }
                for place in 0..<matrix.columns {
                    inputs[step * width + column + place] = matrix[code, place] - matrix[0, place]
                }
            }
        }
        copy(weights.eventEmbedding, batch.types, to: 0)
        var column = network.embedding
        /// Scaled times are 0 on average, which is what the baseline has.
        func times(_ index: Int, _ seconds: (_ step: Int) -> Double) {
            let scaling = configuration.timeScaling[index]
            var values = (0..<range.count).map { EventInputs.seconds(seconds($0)) }
            values.withUnsafeMutableBufferPointer {
                ck_time_feature(
                    network.instructionSet, Int64($0.count), $0.baseAddress!, Float(scaling.mean),
                    Float(1 / scaling.deviation), Float(Scaling.limit), $0.baseAddress!, 1)
            }
            for step in 0..<range.count { inputs[step * width + column] = values[step] }
            column += 1
        }
        if !range.isEmpty {
            let last = batch.times[event(range.count - 1)]
            times(0) { $0 == 0 ? 0 : batch.times[event($0)] - batch.times[event($0 - 1)] }
            times(1) { last - batch.times[event($0)] }
            if configuration.usesDwell, let dwell = batch.dwell { times(2) { dwell[event($0)] } }
        }
        column = network.embedding + network.times
        for (channel, values) in batch.numeric.enumerated() {
            let scaling = configuration.numericScaling[channel]
            for step in 0..<range.count { inputs[step * width + column] = scaling.apply(values[event(step)]) }
            column += 1
        }
        var baseline = [Float](repeating: 0, count: width)
        for place in 0..<network.embedding { baseline[place] = weights.eventEmbedding[0, place] }
        for (channel, codes) in batch.categorical.enumerated() {
            let matrix = weights.categoricalEmbeddings[channel]
            copy(matrix, codes, to: column)
            for place in 0..<matrix.columns { baseline[column + place] = matrix[0, place] }
            column += matrix.columns
        }
        differences = inputs
        self.baseline = baseline
        self.order = order
    }
}
