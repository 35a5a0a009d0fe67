import CCoveyKernels
import CoveyRuntime
import CoveySequences

/// The forward pass and the backward pass of one chunk of a training step, in one direction or in both.
final class ChunkRun: @unchecked Sendable {
    let tables: BatchTables
    let batch: TrainingBatch
    let views: Range<Int>
    let directions: Range<Int>
    let options: TrainingOptions
    /// Nil until `begin` is called.
    private(set) var arrays: ChunkArrays! = nil
    let products: Products
    let instructionSet: Int32
    /// The first row of each step, then the number of events.
    let starts: [Int]
    private(set) var typeCount = 0
    /// The gradient of all weights, in the order of `tables`. Nil if only the loss is needed.
    let gradient: UnsafeMutablePointer<Float>?

    var layout: ParameterLayout { tables.layout }
    var shape: NetworkShape { tables.layout.shape }
    var execution: Execution { products.execution }
    var events: Int { starts[starts.count - 1] }
    var steps: Int { starts.count - 1 }
    var rows: Int { views.count }
    var isWhole: Bool { batch.views[views.lowerBound].isWhole }

    @inline(__always)
    func rows(_ step: Int) -> Int { starts[step + 1] - starts[step] }
    func length(_ row: Int) -> Int { batch.views[views.lowerBound + row].steps.count }
    func gradient(_ region: Int) -> UnsafeMutablePointer<Float> { gradient! + tables.gradients[region] }
    /// The gradient of one direction in the table of types, [typeCount][4 units]. The distance between two rows is
    /// `directions.count` x 4 units.
    func tableGradient(_ direction: Int) -> UnsafeMutablePointer<Float> {
        arrays.tableGradient + (direction - directions.lowerBound) * shape.gates
    }

    static func size(
        _ views: ArraySlice<TrainingBatch.View>, directions: Int, _ tables: BatchTables
    ) -> ChunkArrays.Size {
        let events = views.reduce(0) { $0 + $1.steps.count }
        return ChunkArrays.Size(
            events: events, rows: views.count, types: min(events, tables.types.rows.count),
            directions: directions)
    }

    init(
        _ tables: BatchTables, _ batch: TrainingBatch, _ views: Range<Int>, directions: Range<Int>,
        _ options: TrainingOptions, gradient: UnsafeMutablePointer<Float>?, instructionSet: Int32,
        _ execution: Execution
    ) {
        self.tables = tables
        self.batch = batch
        self.views = views
        self.directions = directions
        self.options = options
        self.gradient = gradient
        self.instructionSet = instructionSet
        products = Products(instructionSet: instructionSet, execution: execution)
        var starts: [Int] = []
        var rows = views.count
        var total = 0
        for step in 0..<batch.views[views.lowerBound].steps.count {
            while batch.views[views.lowerBound + rows - 1].steps.count <= step { rows -= 1 }
            starts.append(total)
            total += rows
        }
        self.starts = starts + [total]
    }

    /// Sets the arrays of the run and fills them with the inputs of its views.
    func begin(_ arrays: ChunkArrays, _ source: SequenceBatch, _ configuration: EncoderConfiguration) throws {
        self.arrays = arrays
        typeCount = try TrainingInputs(run: self, source: source, configuration: configuration).fill()
    }

    /// Computes the states and, if an objective reads them, the embeddings.
    func forward() throws {
        for direction in directions { try recur(direction) }
        if options.objectives.readEmbedding { try attend() }
    }

    private func learner(_ direction: Int) -> ck_lstm_learner {
        ck_lstm_learner(
            units: Int64(shape.units), inputs: Int64(shape.inputs),
            weights: UnsafePointer(tables.packed[direction].pointer),
            transposed: UnsafePointer(tables.transposed[direction].pointer))
    }

    private func recur(_ direction: Int) throws {
        var lstm = learner(direction)
        let (units, states, gates, inputs) = (shape.units, shape.states, shape.gates, shape.inputs)
        /// Runs `count` rows from row `start`. The previous cells are at row `before`. The states of the first `going`
        /// rows are copied to the inputs at row `after`.
        func step(_ start: Int, _ count: Int, before: Int?, after: Int?, going: Int) {
            ck_lstm_learn_forward(
                instructionSet, &lstm, Int64(count), tables.types.values.pointer + direction * gates, Int64(2 * gates),
                arrays.tableRows + start,
                arrays.inputs[direction] + start * inputs, Int64(inputs),
                before.map { UnsafePointer(arrays.cells[direction] + $0 * units) },
                arrays.gates[direction] + start * gates,
                arrays.cells[direction] + start * units, arrays.states + start * states + direction * units,
                Int64(states),
                after.map { arrays.inputs[direction] + $0 * inputs }, Int64(inputs), Int64(going))
        }
        if direction == 0 {
            for t in 0..<steps {
                try execution.report()
                step(
                    starts[t], rows(t), before: t > 0 ? starts[t - 1] : nil, after: t + 1 < steps ? starts[t + 1] : nil,
                    going: t + 1 < steps ? rows(t + 1) : 0)
            }
            return
        }
        var running = 0
        for t in (0..<steps).reversed() {
            try execution.report()
            let (start, count) = (starts[t], rows(t))
            let after = t > 0 ? starts[t - 1] : nil
            if running > 0 { step(start, running, before: starts[t + 1], after: after, going: t > 0 ? running : 0) }
            if count > running {
                step(
                    start + running, count - running, before: nil, after: after.map { $0 + running },
                    going: t > 0 ? count - running : 0)
            }
            running = count
        }
    }

    /// Computes the gradients of the weights from those of the states and, if an objective reads them, of the
    /// embeddings.
    func backward() throws {
        if options.objectives.readEmbedding { try attendBackward() }
        for direction in directions { try recurBackward(direction) }
        try categoriesBackward()
    }

    private func recurBackward(_ direction: Int) throws {
        var lstm = learner(direction)
        let (units, states, gates) = (shape.units, shape.states, shape.gates)
        let (cells, gate) = (arrays.cells[direction], arrays.gates[direction])
        try execution.clear(arrays.cellGradient, rows * units)
        /// Runs `count` rows from row `start`. The first of them belongs to view `row`.
        func step(_ start: Int, _ count: Int, row: Int, later: Int?, before: Int?) {
            ck_lstm_learn_backward(
                instructionSet, &lstm, Int64(count), later.map { UnsafePointer(gate + $0 * gates) },
                arrays.stateGradient + start * states + direction * units, Int64(states), cells + start * units,
                before.map { UnsafePointer(cells + $0 * units) }, arrays.cellGradient + row * units,
                gate + start * gates)
        }
        if direction == 0 {
            var running = 0
            for t in (0..<steps).reversed() {
                try execution.report()
                let (start, count) = (starts[t], rows(t))
                let before = t > 0 ? starts[t - 1] : nil
                if running > 0 { step(start, running, row: 0, later: starts[t + 1], before: before) }
                if count > running {
                    step(
                        start + running, count - running, row: running, later: nil, before: before.map { $0 + running })
                }
                running = count
            }
        } else {
            for t in 0..<steps {
                try execution.report()
                let (start, count) = (starts[t], rows(t))
                let going = t + 1 < steps ? rows(t + 1) : 0
                let later = t > 0 ? starts[t - 1] : nil
                if going > 0 { step(start, going, row: 0, later: later, before: starts[t + 1]) }
                if count > going {
                    step(start + going, count - going, row: going, later: later.map { $0 + going }, before: nil)
                }
            }
        }
        try products.tn(
            shape.inputs, gates, events, arrays.inputs[direction], shape.inputs, gate, gates,
            gradient(layout.lstm[direction]),
            gates)
        for start in stride(from: 0, to: events, by: 4096) {
            try execution.report()
            ck_add_rows(
                instructionSet, Int64(min(4096, events - start)), Int64(gates), arrays.indices + start,
                gate + start * gates,
                Int64(gates), tableGradient(direction), Int64(directions.count * gates))
        }
    }

    private func categoriesBackward() throws {
        let gates = shape.gates
        let width = shape.categories.count * shape.categoryEmbedding
        guard width > 0 else { return }
        for direction in 0..<2 {
            try products.nt(
                events, width, gates, arrays.gates[direction], gates,
                tables.values(layout.lstm[direction]) + shape.firstCategory * gates, gates, direction == 0 ? 0 : 1,
                arrays.categoryGradient, width)
        }
        for (channel, region) in layout.categories.enumerated() {
            try execution.report()
            ck_add_rows(
                instructionSet, Int64(events), Int64(shape.categoryEmbedding), arrays.categories + channel * events,
                arrays.categoryGradient + channel * shape.categoryEmbedding, Int64(width), gradient(region),
                Int64(shape.categoryEmbedding))
        }
    }
}
