import CCoveyKernels
import CoveyRuntime
import CoveySequences

/// One chunk of a step: the network forwards over its views, and the gradients backwards.
final class ChunkRun: @unchecked Sendable {
    let tables: BatchTables
    let batch: TrainingBatch
    let views: Range<Int>
    let options: TrainingOptions
    let arrays: ChunkArrays
    let products: Products
    let instructionSet: Int32
    /// The first row of each step, and one more: the number of events.
    let starts: [Int]
    private(set) var typeCount = 0
    /// The gradient of all weights, in the order of `tables`; nil where only the loss is asked for.
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

    static func size(_ views: ArraySlice<TrainingBatch.View>, _ tables: BatchTables) -> ChunkArrays.Size {
        let events = views.reduce(0) { $0 + $1.steps.count }
        return ChunkArrays.Size(
            events: events, rows: views.count, types: min(events, tables.rowCount(tables.layout.events)))
    }

    init(
        _ tables: BatchTables, _ batch: TrainingBatch, _ views: Range<Int>, _ options: TrainingOptions,
        _ arrays: ChunkArrays,
        gradient: UnsafeMutablePointer<Float>?, instructionSet: Int32, _ execution: Execution
    ) {
        self.tables = tables
        self.batch = batch
        self.views = views
        self.options = options
        self.arrays = arrays
        self.gradient = gradient
        self.instructionSet = instructionSet
        products = Products(execution: execution)
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

    /// From the sequences to the states and, where an objective reads them, the embeddings.
    func forward(_ source: SequenceBatch, _ configuration: EncoderConfiguration) throws {
        typeCount = try TrainingInputs(run: self, source: source, configuration: configuration).fill()
        try foldTypes()
        for direction in 0..<2 { try recur(direction) }
        if options.objectives.readEmbedding { try attend() }
    }

    /// What each type adds to the gates: its embedding times the input matrix, and the biases.
    private func foldTypes() throws {
        let (e, gates) = (shape.embedding, shape.gates)
        let embedding = tables.values(layout.events)
        for type in 0..<typeCount {
            (arrays.embeddings + type * e).update(from: embedding + Int(arrays.types[type]) * e, count: e)
        }
        for direction in 0..<2 {
            let first = tables.values(layout.inputBias[direction])
            let second = tables.values(layout.recurrentBias[direction])
            for type in 0..<typeCount {
                let row = arrays.table + type * 2 * gates + direction * gates
                for column in 0..<gates { row[column] = first[column] + second[column] }
            }
            try products.nn(
                typeCount, gates, e, arrays.embeddings, e, tables.values(layout.lstm[direction]) + shape.inputs * gates,
                gates,
                1, arrays.table + direction * gates, 2 * gates)
        }
    }

    private func learner(_ direction: Int) -> ck_lstm_learner {
        ck_lstm_learner(
            units: Int64(shape.units), inputs: Int64(shape.inputs),
            weights: UnsafePointer(tables.values(layout.lstm[direction])),
            transposed: UnsafePointer(tables.transposed[direction].pointer))
    }

    private func recur(_ direction: Int) throws {
        var lstm = learner(direction)
        let (units, states, gates, inputs) = (shape.units, shape.states, shape.gates, shape.inputs)
        /// `count` rows from row `start`; the previous cells lie at row `before`, the states go on to row `after`.
        func step(_ start: Int, _ count: Int, before: Int?, after: Int?, going: Int) {
            ck_lstm_learn_forward(
                instructionSet, &lstm, Int64(count), arrays.table + direction * gates, Int64(2 * gates),
                arrays.indices + start,
                arrays.inputs[direction] + start * inputs, Int64(inputs),
                before.map { UnsafePointer(arrays.cells[direction] + $0 * units) }, arrays.gates[direction] + start * gates,
                arrays.cells[direction] + start * units, arrays.states + start * states + direction * units, Int64(states),
                after.map { arrays.inputs[direction] + $0 * inputs }, Int64(inputs), Int64(going))
        }
        if direction == 0 {
            for t in 0..<steps {
                try execution.check()
                step(
                    starts[t], rows(t), before: t > 0 ? starts[t - 1] : nil, after: t + 1 < steps ? starts[t + 1] : nil,
                    going: t + 1 < steps ? rows(t + 1) : 0)
            }
            return
        }
        var running = 0
        for t in (0..<steps).reversed() {
            try execution.check()
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

    /// From the states' gradients, and where an objective reads them the embeddings', to the weights'.
    func backward() throws {
        if options.objectives.readEmbedding { try attendBackward() }
        for direction in 0..<2 { try recurBackward(direction) }
        try foldBackward()
    }

    private func recurBackward(_ direction: Int) throws {
        var lstm = learner(direction)
        let (units, states, gates) = (shape.units, shape.states, shape.gates)
        let (cells, gate) = (arrays.cells[direction], arrays.gates[direction])
        arrays.cellGradient.update(repeating: 0, count: rows * units)
        /// `count` rows from row `start`, of which the first is view `row`.
        func step(_ start: Int, _ count: Int, row: Int, later: Int?, before: Int?) {
            ck_lstm_learn_backward(
                instructionSet, &lstm, Int64(count), later.map { UnsafePointer(gate + $0 * gates) },
                arrays.stateGradient + start * states + direction * units, Int64(states), cells + start * units,
                before.map { UnsafePointer(cells + $0 * units) }, arrays.cellGradient + row * units, gate + start * gates)
        }
        if direction == 0 {
            var running = 0
            for t in (0..<steps).reversed() {
                try execution.check()
                let (start, count) = (starts[t], rows(t))
                let before = t > 0 ? starts[t - 1] : nil
                if running > 0 { step(start, running, row: 0, later: starts[t + 1], before: before) }
                if count > running {
                    step(start + running, count - running, row: running, later: nil, before: before.map { $0 + running })
                }
                running = count
            }
        } else {
            for t in 0..<steps {
                try execution.check()
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
            try execution.check()
            ck_add_rows(
                instructionSet, Int64(min(4096, events - start)), Int64(gates), arrays.indices + start, gate + start * gates,
                Int64(gates), arrays.tableGradient + direction * gates, Int64(2 * gates))
        }
    }

    /// The gradients of the input matrix's columns for types and categories, of the embeddings and of the biases.
    private func foldBackward() throws {
        let (e, gates) = (shape.embedding, shape.gates)
        for direction in 0..<2 {
            let table = arrays.tableGradient + direction * gates
            ck_column_sums(
                instructionSet, Int64(typeCount), Int64(gates), Int64(2 * gates), table,
                gradient(layout.inputBias[direction]))
            ck_add(
                instructionSet, Int64(gates), gradient(layout.inputBias[direction]),
                gradient(layout.recurrentBias[direction]))
            try products.tn(
                e, gates, typeCount, arrays.embeddings, e, table, 2 * gates,
                gradient(layout.lstm[direction]) + shape.inputs * gates, gates)
        }
        // The embeddings themselves are no longer needed.
        for direction in 0..<2 {
            try products.nt(
                typeCount, e, gates, arrays.tableGradient + direction * gates, 2 * gates,
                tables.values(layout.lstm[direction]) + shape.inputs * gates, gates, direction == 0 ? 0 : 1,
                arrays.embeddings, e)
        }
        ck_add_rows(
            instructionSet, Int64(typeCount), Int64(e), arrays.types, arrays.embeddings, Int64(e), gradient(layout.events),
            Int64(e))
        let width = shape.categories.count * shape.categoryEmbedding
        guard width > 0 else { return }
        for direction in 0..<2 {
            try products.nt(
                events, width, gates, arrays.gates[direction], gates,
                tables.values(layout.lstm[direction]) + shape.firstCategory * gates, gates, direction == 0 ? 0 : 1,
                arrays.categoryGradient, width)
        }
        for (channel, region) in layout.categories.enumerated() {
            try execution.check()
            ck_add_rows(
                instructionSet, Int64(events), Int64(shape.categoryEmbedding), arrays.categories + channel * events,
                arrays.categoryGradient + channel * shape.categoryEmbedding, Int64(width), gradient(region),
                Int64(shape.categoryEmbedding))
        }
    }
}
