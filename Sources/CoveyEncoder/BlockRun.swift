import CCoveyKernels
import CoveyRuntime

/// Runs the network over the block in a workspace, from the inputs to the pooled states.
struct BlockRun {
    let network: PackedEncoder
    let execution: Execution

    /// Leaves exp(score - largest) in `scores`, their sums in `sums` and the embeddings (or, without a projection, the
    /// weighted states) in `output` (`context`).
    func run(_ workspace: Workspace) throws {
        for (index, layer) in network.layers.enumerated() {
            if index > 0 { swap(&workspace.states, &workspace.nextStates) }
            try forward(layer.forward, workspace, isFirst: index == 0)
            try reverse(layer.reverse, workspace, isFirst: index == 0)
        }
        try attend(workspace)
        let columns = 2 * network.units
        for row in 0..<workspace.sequences.count {
            for column in row * columns..<(row + 1) * columns {
                workspace.context[column] = Float(workspace.pooled[column] / workspace.sums[row])
            }
        }
        if let projection = network.projection {
            ck_dense_rows(
                network.instructionSet, projection.kernel, Int64(workspace.sequences.count), workspace.context,
                Int64(columns), workspace.output, projection.kernel.pointee.vectors * 16)
        }
    }

    private func forward(_ lstm: PackedLSTM, _ workspace: Workspace, isFirst: Bool) throws {
        let step = Step(network, lstm, workspace, isFirst: isFirst, offset: 0)
        for t in 0..<workspace.steps {
            try execution.check()
            step(from: workspace.starts[t], count: workspace.rows(t), cell: 0, previous: t > 0 ? workspace.starts[t - 1] : nil)
        }
    }

    private func reverse(_ lstm: PackedLSTM, _ workspace: Workspace, isFirst: Bool) throws {
        let step = Step(network, lstm, workspace, isFirst: isFirst, offset: network.units)
        var running = 0
        for t in (0..<workspace.steps).reversed() {
            try execution.check()
            let (start, rows) = (workspace.starts[t], workspace.rows(t))
            // Those that are longer than t + 1 go on; the others begin at their last event.
            if running > 0 { step(from: start, count: running, cell: 0, previous: workspace.starts[t + 1]) }
            if rows > running { step(from: start + running, count: rows - running, cell: running, previous: nil) }
            running = rows
        }
    }

    /// Scores of all events, then softmax and the weighted sum of the states, step by step.
    private func attend(_ workspace: Workspace) throws {
        let columns = 2 * network.units
        let rows = workspace.sequences.count
        for start in stride(from: 0, to: workspace.events, by: 4096) {
            try execution.check()
            ck_attention_scores(
                network.instructionSet, network.attention.kernel, network.score.pointer,
                Int64(min(4096, workspace.events - start)),
                workspace.inputs + (start * network.inputs + network.firstTime), Int64(network.inputs),
                workspace.states + start * columns, Int64(columns), workspace.scores + start)
        }
        workspace.largest.update(repeating: -.greatestFiniteMagnitude, count: rows)
        for t in 0..<workspace.steps {
            let scores = workspace.scores + workspace.starts[t]
            for row in 0..<workspace.rows(t) where scores[row] > workspace.largest[row] {
                workspace.largest[row] = scores[row]
            }
        }
        workspace.sums.update(repeating: 0, count: rows)
        workspace.pooled.update(repeating: 0, count: rows * columns)
        for t in 0..<workspace.steps {
            if t & 0xFF == 0 { try execution.check() }
            let start = workspace.starts[t]
            ck_attention_pool(
                network.instructionSet, Int64(workspace.rows(t)), workspace.scores + start, workspace.largest,
                workspace.sums, Int64(columns), workspace.states + start * columns, Int64(columns), workspace.pooled)
        }
    }

    /// One direction of one layer, step by step.
    private struct Step {
        private let network: PackedEncoder
        private let lstm: PackedLSTM
        private let indices: UnsafePointer<Int32>?
        private let inputs: UnsafePointer<Float>
        private let width: Int
        private let states: UnsafeMutablePointer<Float>
        private let cells: UnsafeMutablePointer<Float>

        init(_ network: PackedEncoder, _ lstm: PackedLSTM, _ workspace: Workspace, isFirst: Bool, offset: Int) {
            self.network = network
            self.lstm = lstm
            indices = isFirst && network.isFolded ? UnsafePointer(workspace.indices) : nil
            inputs = UnsafePointer(isFirst ? workspace.inputs : workspace.nextStates)
            width = isFirst ? network.inputs : 2 * network.units
            states = workspace.states + offset
            cells = workspace.cells
            cells.update(repeating: 0, count: workspace.sequences.count * network.units)
        }

        /// `count` rows from row `start`; the first is sequence `cell` of the block, and its previous state at row `previous`.
        @inline(__always)
        func callAsFunction(from start: Int, count: Int, cell: Int, previous: Int?) {
            let columns = 2 * network.units
            ck_lstm_step(
                network.instructionSet, lstm.kernel, Int64(count), indices.map { $0 + start * network.lookups },
                inputs + start * width, Int64(width), previous.map { UnsafePointer(states + $0 * columns) }, Int64(columns),
                states + start * columns, Int64(columns), cells + cell * network.units)
        }
    }
}
