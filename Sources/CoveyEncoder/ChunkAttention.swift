import CCoveyKernels

/// Time attention and projection of a chunk: forward pass and backward pass.
extension ChunkRun {
    /// The time features of the first event. Those of the next event are `shape.inputs` floats later.
    private var timeFeatures: UnsafeMutablePointer<Float> { arrays.inputs[0] + shape.units }

    func attend() throws {
        try scoreEvents()
        try poolStates()
        try project()
    }

    /// Computes the score of each event. `arrays.weights` has the scores, later their exponentials, and then the
    /// weights.
    private func scoreEvents() throws {
        let (states, columns) = (shape.states, shape.attentionUnits)
        let weights = tables.values(layout.attention)
        try products.nn(events, columns, states, arrays.states, states, weights, columns, 0, arrays.hidden, columns)
        try products.nn(
            events, columns, shape.times, timeFeatures, shape.inputs, weights + states * columns, columns, 1,
            arrays.hidden,
            columns)
        for start in stride(from: 0, to: events, by: 4096) {
            try execution.report()
            ck_attention_learn_scores(
                instructionSet, Int64(min(4096, events - start)), Int64(columns), tables.values(layout.attentionBias),
                tables.values(layout.score), arrays.hidden + start * columns, arrays.weights + start)
        }
    }

    /// Computes the softmax of the scores and the weighted sum of the states.
    private func poolStates() throws {
        let states = shape.states
        arrays.largest.update(repeating: -.greatestFiniteMagnitude, count: rows)
        for t in 0..<steps {
            for row in 0..<rows(t) { arrays.largest[row] = max(arrays.largest[row], arrays.weights[starts[t] + row]) }
        }
        arrays.sums.update(repeating: 0, count: rows)
        arrays.pooledSums.update(repeating: 0, count: rows * states)
        for t in 0..<steps {
            try execution.report()
            ck_attention_pool(
                instructionSet, Int64(rows(t)), arrays.weights + starts[t], arrays.largest, arrays.sums, Int64(states),
                arrays.states + starts[t] * states, Int64(states), arrays.pooledSums)
        }
        normalise()
    }

    private func normalise() {
        let states = shape.states
        for t in 0..<steps {
            for row in 0..<rows(t) {
                arrays.weights[starts[t] + row] = Float(Double(arrays.weights[starts[t] + row]) / arrays.sums[row])
            }
        }
        for row in 0..<rows {
            for column in row * states..<(row + 1) * states {
                arrays.pooled[column] = Float(arrays.pooledSums[column] / arrays.sums[row])
            }
        }
    }

    private func project() throws {
        let (states, width) = (shape.states, shape.output)
        if let projection = layout.projection, let bias = layout.projectionBias {
            for row in 0..<rows { (arrays.output + row * width).update(from: tables.values(bias), count: width) }
            try products.nn(
                rows, width, states, arrays.pooled, states, tables.values(projection), width, 1, arrays.output, width)
        } else {
            arrays.output.update(from: arrays.pooled, count: rows * states)
        }
    }

    func attendBackward() throws {
        let (states, columns, width) = (shape.states, shape.attentionUnits, shape.output)
        if let projection = layout.projection, let bias = layout.projectionBias {
            ck_column_sums(
                instructionSet, Int64(rows), Int64(width), Int64(width), arrays.outputGradient, gradient(bias))
            try products.tn(
                states, width, rows, arrays.pooled, states, arrays.outputGradient, width, gradient(projection), width)
            try products.nt(
                rows, states, width, arrays.outputGradient, width, tables.values(projection), width, 0,
                arrays.pooledGradient,
                states)
        } else {
            arrays.pooledGradient.update(from: arrays.outputGradient, count: rows * states)
        }
        arrays.totals.update(repeating: 0, count: rows)
        for t in 0..<steps {
            try execution.report()
            ck_attention_learn_products(
                instructionSet, Int64(rows(t)), Int64(states), arrays.pooledGradient,
                arrays.states + starts[t] * states,
                Int64(states), arrays.weights + starts[t], arrays.products + starts[t], arrays.totals)
        }
        for t in 0..<steps {
            try execution.report()
            ck_attention_learn_backward(
                instructionSet, Int64(rows(t)), Int64(states), arrays.pooledGradient,
                arrays.stateGradient + starts[t] * states, Int64(states), arrays.weights + starts[t],
                arrays.products + starts[t], arrays.totals, Int64(columns), tables.values(layout.score),
                arrays.hidden + starts[t] * columns, gradient(layout.score))
        }
        let weights = gradient(layout.attention)
        ck_column_sums(
            instructionSet, Int64(events), Int64(columns), Int64(columns), arrays.hidden, gradient(layout.attentionBias)
        )
        try products.tn(states, columns, events, arrays.states, states, arrays.hidden, columns, weights, columns)
        try products.tn(
            shape.times, columns, events, timeFeatures, shape.inputs, arrays.hidden, columns,
            weights + states * columns,
            columns)
        try products.nt(
            events, states, columns, arrays.hidden, columns, tables.values(layout.attention), columns, 1,
            arrays.stateGradient,
            states)
    }
}
