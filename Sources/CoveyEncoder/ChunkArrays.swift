import CoveyRuntime

/// The arrays of one chunk of a training step. Events are stored step by step, as in `Workspace`: first step 0 of all
/// views, then step 1 of all views that have one, and so on. Within a step the longest views come first.
struct ChunkArrays {
    /// The numbers of events, views, distinct types and directions.
    struct Size {
        var events: Int
        var rows: Int
        var types: Int
        var directions: Int
    }

    /// One for each direction: [events][inputs], [events][4 units], [events][units].
    let inputs: [UnsafeMutablePointer<Float>]
    let gates: [UnsafeMutablePointer<Float>]
    let cells: [UnsafeMutablePointer<Float>]
    /// [events][2 units]
    let states: UnsafeMutablePointer<Float>
    let stateGradient: UnsafeMutablePointer<Float>
    /// `tableRows` is [events]: the row of the event's type in the batch's table of types. `indices` is [events]: its
    /// row in `tableGradient`. `outputTypes` is [events]: the index of its type among the outputs. `categories` is
    /// [channels][events]: the indices of its categories.
    let tableRows: UnsafeMutablePointer<Int32>
    let indices: UnsafeMutablePointer<Int32>
    let outputTypes: UnsafeMutablePointer<Int32>
    let categories: UnsafeMutablePointer<Int32>
    /// `types` is [types]: the row of each type in the batch's table. `tableGradient` is [types][directions][4 units].
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
    /// `hidden` is [events][attention]. `weights` and `products` are [events].
    let hidden: UnsafeMutablePointer<Float>
    let weights: UnsafeMutablePointer<Float>
    let products: UnsafeMutablePointer<Float>
    /// `largest`, `sums` and `totals` are [rows]. `pooledSums`, `pooled` and `pooledGradient` are [rows][2 units].
    /// `output` and `outputGradient` are [rows][output].
    let largest: UnsafeMutablePointer<Float>
    let sums: UnsafeMutablePointer<Double>
    let totals: UnsafeMutablePointer<Double>
    let pooledSums: UnsafeMutablePointer<Double>
    let pooled: UnsafeMutablePointer<Float>
    let pooledGradient: UnsafeMutablePointer<Float>
    let output: UnsafeMutablePointer<Float>
    let outputGradient: UnsafeMutablePointer<Float>
    /// `decoded` and `decodedGradient` are [events][decoder]. `positions` is [events][positions]. `shared` and
    /// `sharedGradient` are [rows][decoder].
    let decoded: UnsafeMutablePointer<Float>
    let decodedGradient: UnsafeMutablePointer<Float>
    let positions: UnsafeMutablePointer<Float>
    let shared: UnsafeMutablePointer<Float>
    let sharedGradient: UnsafeMutablePointer<Float>
    /// `chosen` and `chosenGradient` are [events][2 units]: the states of masked events and their gradient.
    /// `categoryGradient` is the gradient of the categories' embeddings.
    let chosen: UnsafeMutablePointer<Float>
    let chosenGradient: UnsafeMutablePointer<Float>
    let categoryGradient: UnsafeMutablePointer<Float>
    /// The arrays of an output head. `logits` is [block][outputs]. `dropped` and `droppedGradient` are [block][width].
    /// `losses` is [block].
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

    /// Returns the bytes of the arrays: `kept` for arrays that are still needed after the chunk has run, `scratch` for
    /// the others.
    static func bytes(
        _ size: Size, _ shape: NetworkShape, _ objectives: TrainingOptions.Objectives, outputs: Int
    ) -> (kept: Int, scratch: Int) {
        var (kept, cutter) = (ArrayCutter(), ArrayCutter())
        _ = ChunkArrays(size, shape, objectives, outputs: outputs, kept: &kept, &cutter)
        return (kept.bytes, cutter.bytes)
    }

    /// The number of rows of logits in one block. The block stays in the second-level cache while it is used.
    static func block(_ outputs: Int) -> Int { min(96, max(48, (1 << 18) / stride(outputs))) }
    static func stride(_ outputs: Int) -> Int { NetworkShape.padded(max(1, outputs)) }
}
