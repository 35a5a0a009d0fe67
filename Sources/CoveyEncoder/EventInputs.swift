import CCoveyKernels
import CoveyRuntime
import CoveySequences
import CoveyTables

/// Writes the inputs of the first layer for each event: the indices of table entries, the time features and the
/// channels.
struct EventInputs {
    /// The encoder has the checkpoint. To copy the checkpoint would cost much for a single sequence.
    let encoder: Encoder
    let network: PackedEncoder
    let batch: SequenceBatch
    let execution: Execution

    /// Fills `indices` and `inputs` for the block in the workspace.
    func fill(_ workspace: Workspace) throws {
        for (row, sequence) in workspace.sequences.enumerated() {
            let range = batch.offsets[sequence]
            let order = workspace.timeOrders[row]
            try workspace.starts.withUnsafeBufferPointer { starts in
                if let order {
                    try order.withUnsafeBufferPointer { order in
                        try fill(workspace, row, range, starts) { range.lowerBound &+ Int(order[$0]) }
                    }
                } else {
                    try fill(workspace, row, range, starts) { range.lowerBound &+ $0 }
                }
            }
        }
    }

    /// - Parameter event: returns the index of the event of a step.
    @inline(__always)
    private func fill(
        _ workspace: Workspace, _ row: Int, _ range: Range<Int>, _ starts: UnsafeBufferPointer<Int>,
        event: (_ step: Int) -> Int
    ) throws {
        var before = batch.times[event(0)]
        let last = batch.times[event(range.count &- 1)]
        let (feature, grain) = (workspace.feature, Workspace.eventGrain)
        for start in stride(from: 0, to: range.count, by: grain) {
            try execution.report()
            let steps = start..<min(start + grain, range.count)
            fillLookups(workspace, row, steps, starts, event: event)
            // First the time features, then the numeric channels.
            for step in steps {
                let time = batch.times[event(step)]
                feature[step &- start] = Self.seconds(time - before)
                before = time
            }
            scale(workspace, row, steps, starts, feature, 0)
            for step in steps { feature[step &- start] = Self.seconds(last - batch.times[event(step)]) }
            scale(workspace, row, steps, starts, feature, 1)
            if encoder.checkpoint.configuration.usesDwell, let dwell = batch.dwell {
                for step in steps { feature[step &- start] = Self.seconds(dwell[event(step)]) }
                scale(workspace, row, steps, starts, feature, 2)
            }
            for (channel, values) in batch.numeric.enumerated() {
                let scaling = encoder.checkpoint.configuration.numericScaling[channel]
                let column = network.firstTime &+ encoder.checkpoint.configuration.timeFeatures &+ channel
                for step in steps {
                    workspace.inputs[(starts[step] &+ row) &* network.inputs &+ column] = scaling.apply(
                        values[event(step)])
                }
            }
        }
    }

    /// Writes the types and categories: the indices of their table entries or, if there are no tables, their
    /// embeddings.
    @inline(__always)
    private func fillLookups(
        _ workspace: Workspace, _ row: Int, _ steps: Range<Int>, _ starts: UnsafeBufferPointer<Int>,
        event: (_ step: Int) -> Int
    ) {
        if network.isFolded {
            let lookups = network.lookups
            let entries = encoder.checkpoint.weights.eventEmbedding.rows
            for step in steps {
                let type = Int(batch.types[event(step)])
                workspace.indices[(starts[step] &+ row) &* lookups] = Int32(
                    truncatingIfNeeded: type >= 0 && type < entries ? type : 0)
            }
            for (channel, codes) in batch.categorical.enumerated() {
                let count = encoder.checkpoint.weights.categoricalEmbeddings[channel].rows
                for step in steps {
                    let code = Int(codes[event(step)])
                    workspace.indices[(starts[step] &+ row) &* lookups &+ channel &+ 1] =
                        Int32(truncatingIfNeeded: code >= 0 && code < count ? code : 0)
                }
            }
        } else {
            let weights = encoder.checkpoint.weights
            copy(weights.eventEmbedding, workspace, row, steps, starts, column: 0) { batch.types[event($0)] }
            var column =
                weights.eventEmbedding.columns + encoder.checkpoint.configuration.timeFeatures + batch.numeric.count
            for (channel, codes) in batch.categorical.enumerated() {
                let matrix = weights.categoricalEmbeddings[channel]
                copy(matrix, workspace, row, steps, starts, column: column) { codes[event($0)] }
                column += matrix.columns
            }
        }
    }

    /// Converts seconds to float32. Larger numbers become the largest finite float32. NaN stays NaN.
    @inline(__always)
    static func seconds(_ value: Double) -> Float {
        value > Double(Float.greatestFiniteMagnitude) ? .greatestFiniteMagnitude : Float(value)
    }

    /// Scales time feature `index` of one sequence and writes it. `feature` has its seconds.
    @inline(__always)
    private func scale(
        _ workspace: Workspace, _ row: Int, _ steps: Range<Int>, _ starts: UnsafeBufferPointer<Int>,
        _ feature: UnsafeMutablePointer<Float>, _ index: Int
    ) {
        let scaling = encoder.checkpoint.configuration.timeScaling[index]
        ck_time_feature(
            network.instructionSet, Int64(steps.count), feature, Float(scaling.mean),
            Float(1 / scaling.deviation), Float(Scaling.limit), feature, 1)
        let column = network.firstTime &+ index
        for step in steps {
            workspace.inputs[(starts[step] &+ row) &* network.inputs &+ column] = feature[step &- steps.lowerBound]
        }
    }

    /// Copies the embeddings of one sequence's types or categories.
    @inline(__always)
    private func copy(
        _ matrix: Matrix<Float>, _ workspace: Workspace, _ row: Int, _ steps: Range<Int>,
        _ starts: UnsafeBufferPointer<Int>, column: Int, index: (_ step: Int) -> Int32
    ) {
        matrix.elements.withUnsafeBufferPointer { elements in
            for step in steps {
                let entry = Int(index(step))
                let source = elements.baseAddress! + (entry >= 0 && entry < matrix.rows ? entry : 0) &* matrix.columns
                let target = workspace.inputs + ((starts[step] &+ row) &* network.inputs &+ column)
                target.update(from: source, count: matrix.columns)
            }
        }
    }
}
