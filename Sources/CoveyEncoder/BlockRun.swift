import CCoveyKernels
import CoveyRuntime

/// Runs the network on the block in a workspace, from the inputs to the embeddings.
struct BlockRun {
    let network: PackedEncoder
    /// The weights in bfloat16; nil if the run is in float32.
    let bfloat16: PackedBFloat16?
    let execution: Execution
    /// If true, a second thread may help with a block.
    let sharesBlocks: Bool

    /// A second thread does not help with a block of fewer steps than this.
    private static let sharedSteps = 2048

    /// Writes the embeddings to `output`, or, without a projection, the weighted mean of the states to `context`.
    /// `scores` then has exp(score - largest), and `sums` has the sum of these for each sequence.
    func run(_ workspace: Workspace) throws {
        let isShared = sharesBlocks && workspace.steps >= Self.sharedSteps
        for layer in network.layers.indices {
            if layer > 0 {
                // In bfloat16 the next layer reads only the bfloat16 copy of the states.
                if bfloat16 == nil {
                    swap(&workspace.states, &workspace.nextStates)
                } else {
                    swap(&workspace.halves, &workspace.nextHalves)
                }
            }
            if isShared {
                try execution.parallel(2) { chunk, _ in
                    for direction in chunk { try run(layer, isReverse: direction == 1, workspace) }
                }
            } else {
                try run(layer, isReverse: false, workspace)
                try run(layer, isReverse: true, workspace)
            }
        }
        try score(workspace, isShared: isShared)
        for row in workspace.sequences.indices { try pool(row, workspace) }
        if let projection = network.projection {
            ck_dense_rows(
                network.instructionSet, projection.kernel, Int64(workspace.sequences.count), workspace.context,
                Int64(2 * network.units), workspace.output, projection.kernel.pointee.vectors * 16)
        }
    }

    /// Runs one direction of one layer.
    private func run(_ layer: Int, isReverse: Bool, _ workspace: Workspace) throws {
        let step = Step(network, bfloat16, workspace, layer: layer, isReverse: isReverse)
        if workspace.sequences.count == 1, bfloat16 == nil {
            for start in stride(from: 0, to: workspace.steps, by: step.grain) {
                try execution.report()
                step.run(start..<min(start + step.grain, workspace.steps), of: workspace.steps)
            }
        } else {
            try run(step, isReverse: isReverse, workspace)
        }
    }

    /// Runs the steps one after the other, each for all sequences of the block.
    private func run(_ step: Step, isReverse: Bool, _ workspace: Workspace) throws {
        let starts = workspace.starts
        let steps = starts.count - 1
        func look(_ t: Int) throws { if t & 0xFF == 0 { try execution.report() } else { try execution.check() } }
        if isReverse {
            var running = 0
            for t in (0..<steps).reversed() {
                try look(t)
                let (start, rows) = (starts[t], starts[t + 1] - starts[t])
                // Sequences longer than t + 1 go on. The others begin here, with their last event.
                if running > 0 { step(t, from: start, count: running, cell: 0, previous: starts[t + 1]) }
                if rows > running {
                    step(t, from: start + running, count: rows - running, cell: running, previous: nil)
                }
                running = rows
            }
        } else {
            for t in 0..<steps {
                try look(t)
                step(
                    t, from: starts[t], count: starts[t + 1] - starts[t], cell: 0, previous: t > 0 ? starts[t - 1] : nil
                )
            }
        }
    }

    /// Computes the attention scores of all events.
    private func score(_ workspace: Workspace, isShared: Bool) throws {
        let columns = 2 * network.units
        func score(_ events: Range<Int>) {
            let times = workspace.inputs + (events.lowerBound * network.inputs + network.firstTime)
            let scores = workspace.scores + events.lowerBound
            if let bfloat16 {
                ck_attention_scores_bfloat16(
                    bfloat16.attention.kernel, Int64(events.count), times, Int64(network.inputs),
                    workspace.halves + events.lowerBound * columns, Int64(columns), scores)
            } else {
                ck_attention_scores(
                    network.instructionSet, network.attention.kernel, network.score.pointer, Int64(events.count), times,
                    Int64(network.inputs), workspace.states + events.lowerBound * columns, Int64(columns), scores)
            }
        }
        let grain = 4096
        if isShared {
            try execution.parallel(workspace.events, grain: grain) { chunk, _ in score(chunk) }
        } else {
            for start in stride(from: 0, to: workspace.events, by: grain) {
                try execution.report()
                score(start..<min(start + grain, workspace.events))
            }
        }
    }

    /// Computes the softmax of one sequence's scores, and the weighted mean of its states.
    private func pool(_ row: Int, _ workspace: Workspace) throws {
        let columns = 2 * network.units
        let scores = workspace.scores
        // ck_attention_pool_sequence needs a multiple of 64.
        let grain = 4096
        try workspace.starts.withUnsafeBufferPointer { starts in
            let steps = workspace.lengths[row]
            var largest = -Float.greatestFiniteMagnitude
            for start in stride(from: 0, to: steps, by: grain) {
                try execution.report()
                for t in start..<min(start + grain, steps) {
                    let score = scores[starts[t] &+ row]
                    largest = score > largest ? score : largest
                }
            }
            var sum = 0.0
            workspace.pooled.update(repeating: 0, count: columns)
            for start in stride(from: 0, to: steps, by: grain) {
                try execution.report()
                ck_attention_pool_sequence(
                    network.instructionSet, Int64(min(grain, steps - start)), starts.baseAddress! + start, Int64(row),
                    scores,
                    largest, &sum, Int64(columns), workspace.states, Int64(columns), workspace.pooled)
            }
            workspace.sums[row] = sum
            let (pooled, context, scale) = (workspace.pooled, workspace.context + row * columns, 1 / sum)
            for column in 0..<columns { context[column] = Float(pooled[column] * scale) }
        }
    }

    /// The arguments of the kernels for one direction of one layer.
    private struct Step {
        private let network: PackedEncoder
        private let lstm: PackedLSTM
        private let bfloat16: PackedBFloat16.LSTM?
        private let indices: UnsafePointer<Int32>?
        private let inputs: UnsafePointer<Float>
        private let lower: UnsafePointer<UInt16>?
        private let width: Int
        private let states: ck_bfloat16_states
        private let cells: UnsafeMutablePointer<Float>
        private let gates: UnsafeMutablePointer<Float>
        private let isReverse: Bool
        /// The number of steps of one sequence between two checks for cancellation: at most 2^24 products.
        let grain: Int

        init(_ network: PackedEncoder, _ bfloat16: PackedBFloat16?, _ workspace: Workspace, layer: Int, isReverse: Bool)
        {
            let isFirst = layer == 0
            let columns = 2 * network.units
            let offset = isReverse ? network.units : 0
            self.network = network
            lstm = isReverse ? network.layers[layer].reverse : network.layers[layer].forward
            self.bfloat16 = bfloat16.map { isReverse ? $0.layers[layer].reverse : $0.layers[layer].forward }
            indices = isFirst && network.isFolded ? UnsafePointer(workspace.indices) : nil
            inputs = UnsafePointer(isFirst ? workspace.inputs : workspace.nextStates)
            lower = isFirst || bfloat16 == nil ? nil : UnsafePointer(workspace.nextHalves)
            width = isFirst ? network.inputs : columns
            states = ck_bfloat16_states(
                floats: workspace.states + offset, halves: workspace.halves + offset, stride: Int64(columns))
            cells = workspace.cells + (isReverse ? workspace.sequences.count * network.units : 0)
            cells.update(repeating: 0, count: workspace.sequences.count * network.units)
            gates = workspace.gates + (isReverse ? 4 * network.units : 0)
            self.isReverse = isReverse
            grain = max(1, (1 << 22) / (network.units * (network.units + width)))
        }

        /// Runs some steps of a block that has one sequence. Steps are counted in the order of the direction.
        func run(_ steps: Range<Int>, of count: Int) {
            let columns = Int(states.stride)
            let (first, direction) = isReverse ? (count - 1 - steps.lowerBound, -1) : (steps.lowerBound, 1)
            let target = states.floats + first * columns
            ck_lstm_sequence(
                network.instructionSet, lstm.kernel, Int64(steps.count), Int64(direction),
                indices.map { $0 + first * network.lookups }, inputs + first * width, Int64(width),
                steps.lowerBound > 0 ? UnsafePointer(target - direction * columns) : nil, target, Int64(columns), cells,
                gates,
                Int32(truncatingIfNeeded: first & 1))
        }

        /// Runs `count` rows of step t, beginning at row `start`. The first of them belongs to sequence `cell` of the
        /// block. Its previous state is at row `previous`; nil means that there is none.
        @inline(__always)
        func callAsFunction(_ t: Int, from start: Int, count: Int, cell: Int, previous: Int?) {
            let descending = Int32(truncatingIfNeeded: t & 1)
            let columns = Int(states.stride)
            let indices = indices.map { $0 + start * network.lookups }
            let inputs = inputs + start * width
            if let bfloat16 {
                withUnsafePointer(to: states) {
                    ck_lstm_step_bfloat16(
                        bfloat16.kernel, Int64(count), indices, inputs, Int64(width),
                        lower.map { $0 + start * columns },
                        Int64(columns), $0, Int64(start), Int64(previous ?? -1), cells + cell * network.units,
                        descending)
                }
            } else {
                ck_lstm_step(
                    network.instructionSet, lstm.kernel, Int64(count), indices, inputs, Int64(width),
                    previous.map { UnsafePointer(states.floats + $0 * columns) }, Int64(columns),
                    states.floats + start * columns, Int64(columns), cells + cell * network.units, descending)
            }
        }
    }
}
