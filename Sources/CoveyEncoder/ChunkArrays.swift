import CoveyRuntime

/// The arrays of one chunk of a step. Events lie step by step: those of step t of all views that are longer than t, the
/// longest first, as in `Workspace`.
struct ChunkArrays {
    /// Events, views, distinct types, directions.
    struct Size {
        var events: Int
        var rows: Int
        var types: Int
        var directions: Int
    }

    /// For each direction: [events][inputs], [events][4 units], [events][units].
    let inputs: [UnsafeMutablePointer<Float>]
    let gates: [UnsafeMutablePointer<Float>]
    let cells: [UnsafeMutablePointer<Float>]
    /// [events][2 units]
    let states: UnsafeMutablePointer<Float>
    let stateGradient: UnsafeMutablePointer<Float>
    /// [events]: the event's row of the batch's table of types and of `tableGradient`, its type's place among the outputs,
    /// its categories' places [channels].
    let tableRows: UnsafeMutablePointer<Int32>
    let indices: UnsafeMutablePointer<Int32>
    let outputTypes: UnsafeMutablePointer<Int32>
    let categories: UnsafeMutablePointer<Int32>
    /// [types]: the type's row of the batch's table; [types][directions][4 units]
    let types: UnsafeMutablePointer<Int32>
    let tableGradient: UnsafeMutablePointer<Float>
    /// [rows][units]
    let cellGradient: UnsafeMutablePointer<Float>
    /// [events]
    let feature: UnsafeMutablePointer<Float>
    let targets: UnsafeMutablePointer<Int32>
    let scales: UnsafeMutablePointer<Float>
    let numbers: UnsafeMutablePointer<Float>
    let numberScales: UnsafeMutablePointer<Float>
    /// [events][attention], [events] each
    let hidden: UnsafeMutablePointer<Float>
    let weights: UnsafeMutablePointer<Float>
    let products: UnsafeMutablePointer<Float>
    /// [rows], [rows][2 units], [rows][output]
    let largest: UnsafeMutablePointer<Float>
    let sums: UnsafeMutablePointer<Double>
    let totals: UnsafeMutablePointer<Double>
    let pooledSums: UnsafeMutablePointer<Double>
    let pooled: UnsafeMutablePointer<Float>
    let pooledGradient: UnsafeMutablePointer<Float>
    let output: UnsafeMutablePointer<Float>
    let outputGradient: UnsafeMutablePointer<Float>
    /// [events][decoder], [events][positions], [rows][decoder]
    let decoded: UnsafeMutablePointer<Float>
    let decodedGradient: UnsafeMutablePointer<Float>
    let positions: UnsafeMutablePointer<Float>
    let shared: UnsafeMutablePointer<Float>
    let sharedGradient: UnsafeMutablePointer<Float>
    /// [events][2 units]: masked events' states and their gradient; gradients of categories.
    let chosen: UnsafeMutablePointer<Float>
    let chosenGradient: UnsafeMutablePointer<Float>
    let categoryGradient: UnsafeMutablePointer<Float>
    /// Of a head: [block][logits], [block][width] each.
    let logits: UnsafeMutablePointer<Float>
    let dropped: UnsafeMutablePointer<Float>
    let droppedGradient: UnsafeMutablePointer<Float>
    let losses: UnsafeMutablePointer<Double>
    let block: Int

    init(
        _ size: Size, _ shape: NetworkShape, _ objectives: TrainingOptions.Objectives, outputs: Int,
        kept: inout ArrayCutter, _ cutter: inout ArrayCutter
    ) {
        let (events, rows) = (size.events, size.rows)
        func pair(_ count: Int, _ cutter: inout ArrayCutter) -> [UnsafeMutablePointer<Float>] {
            [cutter.array(count), cutter.array(count)]
        }
        inputs = pair(events * shape.inputs, &cutter)
        gates = pair(events * shape.gates, &cutter)
        cells = pair(events * shape.units, &cutter)
        states = cutter.array(events * shape.states)
        stateGradient = cutter.array(events * shape.states)
        tableRows = cutter.array(events)
        indices = cutter.array(events)
        outputTypes = cutter.array(events)
        categories = cutter.array(events * shape.categories.count)
        types = kept.array(size.types)
        tableGradient = kept.array(size.types * size.directions * shape.gates)
        cellGradient = cutter.array(rows * shape.units)
        feature = cutter.array(events)
        targets = cutter.array(events)
        scales = cutter.array(events)
        numbers = cutter.array(events)
        numberScales = cutter.array(events)
        let embedded = objectives.readEmbedding ? 1 : 0
        hidden = cutter.array(embedded * events * shape.attentionUnits)
        weights = cutter.array(embedded * events)
        products = cutter.array(embedded * events)
        largest = cutter.array(embedded * rows)
        sums = cutter.array(embedded * rows)
        totals = cutter.array(embedded * rows)
        pooledSums = cutter.array(embedded * rows * shape.states)
        pooled = cutter.array(embedded * rows * shape.states)
        pooledGradient = cutter.array(embedded * rows * shape.states)
        output = cutter.array(embedded * rows * shape.output)
        outputGradient = cutter.array(embedded * rows * shape.output)
        let decodes = objectives.autoencoder > 0 ? 1 : 0
        decoded = cutter.array(decodes * events * shape.decoder)
        decodedGradient = cutter.array(decodes * events * shape.decoder)
        positions = cutter.array(decodes * events * NetworkShape.positions)
        shared = cutter.array(decodes * rows * shape.decoder)
        sharedGradient = cutter.array(decodes * rows * shape.decoder)
        let masks = objectives.maskedEvent > 0 ? 1 : 0
        chosen = cutter.array(masks * events * shape.states)
        chosenGradient = cutter.array(masks * events * shape.states)
        categoryGradient = cutter.array(events * shape.categories.count * shape.categoryEmbedding)
        block = min(events, Self.block(outputs))
        let width = max(shape.states, shape.decoder)
        logits = cutter.array(block * Self.stride(outputs))
        dropped = cutter.array(block * width)
        droppedGradient = cutter.array(block * width)
        losses = cutter.array(block)
    }

    /// Bytes of the arrays: of those that outlive the chunk's work, and of the others.
    static func bytes(
        _ size: Size, _ shape: NetworkShape, _ objectives: TrainingOptions.Objectives, outputs: Int
    ) -> (kept: Int, scratch: Int) {
        var (kept, cutter) = (ArrayCutter(), ArrayCutter())
        _ = ChunkArrays(size, shape, objectives, outputs: outputs, kept: &kept, &cutter)
        return (kept.bytes, cutter.bytes)
    }

    /// Rows of logits that are computed at a time: they stay in the second cache until all is made of them.
    static func block(_ outputs: Int) -> Int { min(96, max(48, (1 << 18) / stride(outputs))) }
    static func stride(_ outputs: Int) -> Int { NetworkShape.padded(max(1, outputs)) }
}
