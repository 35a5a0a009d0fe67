import CCoveyKernels
import CoveyNumerics
import CoveyRuntime
import CoveySequences

/// Writes what the first layer reads of each event: table entries, time features, channels.
struct EventInputs {
    let network: PackedEncoder
    let checkpoint: Checkpoint
    let batch: SequenceBatch
    let execution: Execution

    /// Fills `indices` and `inputs` for the block in the workspace.
    func fill(_ workspace: Workspace) throws {
        for (row, sequence) in workspace.sequences.enumerated() {
            try execution.check()
            let range = batch.offsets[sequence]
            let order = workspace.timeOrders[row]
            workspace.starts.withUnsafeBufferPointer { starts in
                if let order {
                    order.withUnsafeBufferPointer { order in
                        fill(workspace, row, range, starts) { range.lowerBound &+ Int(order[$0]) }
                    }
                } else {
                    fill(workspace, row, range, starts) { range.lowerBound &+ $0 }
                }
            }
        }
    }

    /// - Parameter event: the place of the event of a step.
    @inline(__always)
    private func fill(
        _ workspace: Workspace, _ row: Int, _ range: Range<Int>, _ starts: UnsafeBufferPointer<Int>,
        event: (_ step: Int) -> Int
    ) {
        let configuration = checkpoint.configuration
        let steps = range.count
        let width = network.inputs
        let entries = checkpoint.weights.eventEmbedding.rows
        // Types and categories.
        if network.isFolded {
            let lookups = network.lookups
            for step in 0..<steps {
                let type = Int(batch.types[event(step)])
                workspace.indices[(starts[step] &+ row) &* lookups] = Int32(truncatingIfNeeded: type >= 0 && type < entries ? type : 0)
            }
            for (channel, codes) in batch.categorical.enumerated() {
                let count = checkpoint.weights.categoricalEmbeddings[channel].rows
                for step in 0..<steps {
                    let code = Int(codes[event(step)])
                    workspace.indices[(starts[step] &+ row) &* lookups &+ channel &+ 1] =
                        Int32(truncatingIfNeeded: code >= 0 && code < count ? code : 0)
                }
            }
        } else {
            copy(checkpoint.weights.eventEmbedding, workspace, row, steps, starts, column: 0) { batch.types[event($0)] }
            var column =
                checkpoint.weights.eventEmbedding.columns + configuration.timeFeatures + batch.numeric.count
            for (channel, codes) in batch.categorical.enumerated() {
                let matrix = checkpoint.weights.categoricalEmbeddings[channel]
                copy(matrix, workspace, row, steps, starts, column: column) { codes[event($0)] }
                column += matrix.columns
            }
        }
        // Time features.
        let feature = workspace.feature
        let first = network.firstTime
        var before = batch.times[event(0)]
        for step in 0..<steps {
            let time = batch.times[event(step)]
            feature[step] = Self.seconds(time - before)
            before = time
        }
        scale(workspace, row, steps, starts, 0)
        let last = before
        for step in 0..<steps { feature[step] = Self.seconds(last - batch.times[event(step)]) }
        scale(workspace, row, steps, starts, 1)
        if configuration.usesDwell, let dwell = batch.dwell {
            for step in 0..<steps { feature[step] = Self.seconds(dwell[event(step)]) }
            scale(workspace, row, steps, starts, 2)
        }
        // Numeric channels.
        for (channel, values) in batch.numeric.enumerated() {
            let scaling = configuration.numericScaling[channel]
            let column = first &+ configuration.timeFeatures &+ channel
            for step in 0..<steps {
                workspace.inputs[(starts[step] &+ row) &* width &+ column] = scaling.apply(values[event(step)])
            }
        }
    }

    /// Seconds as float32, which end where its numbers end; NaN stays.
    @inline(__always)
    private static func seconds(_ value: Double) -> Float {
        value > Double(Float.greatestFiniteMagnitude) ? .greatestFiniteMagnitude : Float(value)
    }

    /// Writes time feature `index` of one sequence, whose seconds are in `feature`.
    @inline(__always)
    private func scale(
        _ workspace: Workspace, _ row: Int, _ steps: Int, _ starts: UnsafeBufferPointer<Int>, _ index: Int
    ) {
        let scaling = checkpoint.configuration.timeScaling[index]
        let feature = workspace.feature
        ck_time_feature(
            network.instructionSet, Int64(steps), feature, Float(scaling.mean), Float(1 / scaling.deviation),
            Float(Scaling.limit), feature, 1)
        let column = network.firstTime &+ index
        for step in 0..<steps {
            workspace.inputs[(starts[step] &+ row) &* network.inputs &+ column] = feature[step]
        }
    }

    /// Copies the embeddings of one sequence's types or categories.
    @inline(__always)
    private func copy(
        _ matrix: Matrix<Float>, _ workspace: Workspace, _ row: Int, _ steps: Int, _ starts: UnsafeBufferPointer<Int>,
        column: Int, index: (_ step: Int) -> Int32
    ) {
        matrix.elements.withUnsafeBufferPointer { elements in
            for step in 0..<steps {
                let entry = Int(index(step))
                let source = elements.baseAddress! + (entry >= 0 && entry < matrix.rows ? entry : 0) &* matrix.columns
                let target = workspace.inputs + ((starts[step] &+ row) &* network.inputs &+ column)
                target.update(from: source, count: matrix.columns)
            }
        }
    }
}
