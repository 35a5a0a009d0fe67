import CCoveyKernels
import CoveyRuntime

/// The forward pass and the backward pass of the inputs of one sequence, at several points at once: all have the same
/// events and other inputs. Row t * points + k of an array belongs to event t, in the order of time, and to point k.
final class GradientRun {
    private let network: GradientNetwork
    private let execution: Execution
    private let products: Products
    private let events: Int
    private let points: Int
    private let arena: TrainingArena
    /// By layer and direction: [rows][units + width].
    private let inputs: [[UnsafeMutablePointer<Float>]]
    private let gates: [[UnsafeMutablePointer<Float>]]
    private let cells: [[UnsafeMutablePointer<Float>]]
    /// By layer: [rows][2 units]
    private let states: [UnsafeMutablePointer<Float>]
    private let stateGradients: [UnsafeMutablePointer<Float>]
    private let cellGradient: UnsafeMutablePointer<Float>
    private let zeros: UnsafeMutablePointer<Int32>
    /// [rows][attention], [rows], [rows]
    private let hidden: UnsafeMutablePointer<Float>
    private let weights: UnsafeMutablePointer<Float>
    private let scoreProducts: UnsafeMutablePointer<Float>
    private let scoreGradient: UnsafeMutablePointer<Float>
    private let largest: UnsafeMutablePointer<Float>
    private let sums: UnsafeMutablePointer<Double>
    private let totals: UnsafeMutablePointer<Double>
    private let pooledSums: UnsafeMutablePointer<Double>
    private let pooled: UnsafeMutablePointer<Float>
    private let pooledGradient: UnsafeMutablePointer<Float>
    /// [points][output]
    let output: UnsafeMutablePointer<Float>
    let outputGradient: UnsafeMutablePointer<Float>
    /// [rows][width]: the result of `backward`.
    let gradient: UnsafeMutablePointer<Float>

    private var rows: Int { events * points }
    /// The inputs of the first layer: those of point k at event t begin at `(t * points + k) * inputStride`.
    var firstInputs: UnsafeMutablePointer<Float> { inputs[0][0] + network.units }
    var inputStride: Int { network.units + network.width }

    init(_ network: GradientNetwork, events: Int, points: Int, _ arena: TrainingArena, _ execution: Execution) throws {
        self.network = network
        self.execution = execution
        self.arena = arena
        products = Products(instructionSet: network.instructionSet, execution: execution)
        self.events = events
        self.points = points
        try arena.begin(Self.bytes(network, events: events, points: points))
        let rows = events * points
        func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
            arena.take((count * 4 + 127) / 64 * 64).assumingMemoryBound(to: Float.self)
        }
        func doubles(_ count: Int) -> UnsafeMutablePointer<Double> {
            arena.take((count * 8 + 127) / 64 * 64).assumingMemoryBound(to: Double.self)
        }
        inputs = network.layers.map { $0.map { floats(rows * (network.units + $0.width)) } }
        gates = network.layers.map { $0.map { _ in floats(rows * network.gates) } }
        cells = network.layers.map { $0.map { _ in floats(rows * network.units) } }
        states = network.layers.map { _ in floats(rows * network.states) }
        stateGradients = network.layers.map { _ in floats(rows * network.states) }
        cellGradient = floats(points * network.units)
        zeros = UnsafeMutableRawPointer(floats(points)).assumingMemoryBound(to: Int32.self)
        zeros.initialize(repeating: 0, count: points)
        hidden = floats(rows * network.attention.columns)
        weights = floats(rows)
        scoreProducts = floats(rows)
        scoreGradient = floats(network.attention.columns)
        largest = floats(points)
        sums = doubles(points)
        totals = doubles(points)
        pooledSums = doubles(points * network.states)
        pooled = floats(points * network.states)
        pooledGradient = floats(points * network.states)
        output = floats(points * network.output)
        outputGradient = floats(points * network.output)
        gradient = floats(rows * network.width)
    }

    /// The bytes of the arrays. `events * points` is at most `largestRows`, so that nothing overflows.
    static func bytes(_ network: GradientNetwork, events: Int, points: Int) -> Int {
        let layers = network.layers.reduce(0) { sum, layer in
            sum + layer.reduce(0) { $0 + 6 * network.units + $1.width } + 2 * network.states
        }
        let row = layers + network.attention.columns + 2 + network.width
        let point = network.units + 10 + 4 * network.states + 2 * network.output
        let arrays = 8 * network.layers.count + 20
        return 4 * (events * points * row + points * point + network.attention.columns) + 128 * arrays
    }

    /// The most rows of a run.
    static let largestRows = 1 << 36

    // MARK: - Forward

    /// Computes the embeddings of all points from `firstInputs`.
    func forward() throws {
        let units = network.units
        for layer in network.layers.indices {
            let width = network.layers[layer][0].width
            if layer > 0 {
                for row in 0..<rows {
                    (inputs[layer][0] + row * (units + width) + units).update(
                        from: states[layer - 1] + row * width, count: width)
                }
            }
            for row in 0..<rows {
                if row & 0xFFF == 0 { try execution.report() }
                (inputs[layer][1] + row * (units + width) + units).update(
                    from: inputs[layer][0] + row * (units + width) + units, count: width)
            }
            for direction in 0..<2 { try recur(layer, direction) }
        }
        try attend()
    }

    private func learner(_ layer: Int, _ direction: Int) -> ck_lstm_learner {
        let weights = network.layers[layer][direction]
        return ck_lstm_learner(
            units: Int64(network.units), inputs: Int64(network.units + weights.width),
            weights: UnsafePointer(weights.packed.pointer), transposed: UnsafePointer(weights.transposed.pointer))
    }

    private func recur(_ layer: Int, _ direction: Int) throws {
        var lstm = learner(layer, direction)
        let (units, points) = (network.units, points)
        let stride = units + network.layers[layer][direction].width
        let (inputs, cells) = (inputs[layer][direction], cells[layer][direction])
        var before: Int?
        for place in 0..<events {
            if place & 0xF == 0 { try execution.report() }
            let event = direction == 0 ? place : events - 1 - place
            let after = place + 1 < events ? (direction == 0 ? event + 1 : event - 1) : nil
            let row = event * points
            if before == nil {
                for point in 0..<points { (inputs + (row + point) * stride).update(repeating: 0, count: units) }
            }
            ck_lstm_learn_forward(
                network.instructionSet, &lstm, Int64(points), network.layers[layer][direction].bias.pointer, 0, zeros,
                inputs + row * stride, Int64(stride), before.map { UnsafePointer(cells + $0 * points * units) },
                gates[layer][direction] + row * network.gates, cells + row * units,
                states[layer] + row * network.states + direction * units, Int64(network.states),
                after.map { inputs + $0 * points * stride }, Int64(stride), after == nil ? 0 : Int64(points))
            before = event
        }
    }

    private func attend() throws {
        let (states, columns) = (self.states[network.layers.count - 1], network.attention.columns)
        try products.nn(
            rows, columns, network.states, states, network.states, network.attention.weights.pointer, columns, 0,
            hidden, columns)
        try products.nn(
            rows, columns, network.times, firstInputs + network.embedding, inputStride,
            network.timeAttention.weights.pointer, columns, 1, hidden, columns)
        ck_attention_learn_scores(
            network.instructionSet, Int64(rows), Int64(columns), network.attention.bias.pointer, network.score.pointer,
            hidden, weights)
        largest.update(repeating: -.greatestFiniteMagnitude, count: points)
        for row in 0..<rows { largest[row % points] = max(largest[row % points], weights[row]) }
        sums.update(repeating: 0, count: points)
        pooledSums.update(repeating: 0, count: points * network.states)
        for event in 0..<events {
            if event & 0xF == 0 { try execution.report() }
            ck_attention_pool(
                network.instructionSet, Int64(points), weights + event * points, largest, sums, Int64(network.states),
                states + event * points * network.states, Int64(network.states), pooledSums)
        }
        for row in 0..<rows { weights[row] = Float(Double(weights[row]) / sums[row % points]) }
        for place in 0..<points * network.states {
            pooled[place] = Float(pooledSums[place] / sums[place / network.states])
        }
        guard let projection = network.projection else {
            output.update(from: pooled, count: points * network.states)
            return
        }
        try products.nn(
            points, projection.columns, network.states, pooled, network.states, projection.weights.pointer,
            projection.columns, bias: projection.bias.pointer, 0, output, projection.columns)
    }

    // MARK: - Backward

    /// Computes `gradient` from `outputGradient`, after `forward`.
    func backward() throws {
        let last = network.layers.count - 1
        try attendBackward()
        for layer in (0...last).reversed() {
            let width = network.layers[layer][0].width
            let target = layer == 0 ? gradient : stateGradients[layer - 1]
            for direction in 0..<2 {
                try recurBackward(layer, direction)
                // The first layer's inputs have a gradient from the attention already.
                try products.nt(
                    rows, width, network.gates, gates[layer][direction], network.gates,
                    network.layers[layer][direction].inputs.pointer, network.gates,
                    layer > 0 && direction == 0 ? 0 : 1, target, width)
            }
        }
    }

    private func attendBackward() throws {
        let last = network.layers.count - 1
        let (states, columns) = (network.states, network.attention.columns)
        try execution.clear(stateGradients[last], rows * states)
        try execution.clear(gradient, rows * network.width)
        scoreGradient.update(repeating: 0, count: columns)
        if let projection = network.projection {
            try products.nt(
                points, states, projection.columns, outputGradient, projection.columns, projection.weights.pointer,
                projection.columns, 0, pooledGradient, states)
        } else {
            pooledGradient.update(from: outputGradient, count: points * states)
        }
        totals.update(repeating: 0, count: points)
        for event in 0..<events {
            let row = event * points
            ck_attention_learn_products(
                network.instructionSet, Int64(points), Int64(states), pooledGradient, self.states[last] + row * states,
                Int64(states), weights + row, scoreProducts + row, totals)
        }
        for event in 0..<events {
            if event & 0xF == 0 { try execution.report() }
            let row = event * points
            ck_attention_learn_backward(
                network.instructionSet, Int64(points), Int64(states), pooledGradient,
                stateGradients[last] + row * states, Int64(states), weights + row, scoreProducts + row, totals,
                Int64(columns), network.score.pointer, hidden + row * columns, scoreGradient)
        }
        try products.nt(
            rows, states, columns, hidden, columns, network.attention.weights.pointer, columns, 1,
            stateGradients[last], states)
        try products.nt(
            rows, network.times, columns, hidden, columns, network.timeAttention.weights.pointer, columns, 1,
            gradient + network.embedding, network.width)
    }

    private func recurBackward(_ layer: Int, _ direction: Int) throws {
        var lstm = learner(layer, direction)
        let (units, points) = (network.units, points)
        let (cells, gates) = (cells[layer][direction], gates[layer][direction])
        cellGradient.update(repeating: 0, count: points * units)
        for place in (0..<events).reversed() {
            if place & 0xF == 0 { try execution.report() }
            // `place` counts in the order of the direction.
            func row(_ place: Int) -> Int { (direction == 0 ? place : events - 1 - place) * points }
            ck_lstm_learn_backward(
                network.instructionSet, &lstm, Int64(points),
                place + 1 < events ? UnsafePointer(gates + row(place + 1) * network.gates) : nil,
                stateGradients[layer] + row(place) * network.states + direction * units, Int64(network.states),
                cells + row(place) * units, place > 0 ? UnsafePointer(cells + row(place - 1) * units) : nil,
                cellGradient, gates + row(place) * network.gates)
        }
    }
}
