import CCoveyKernels
import CoveyRuntime
import CoveySequences

/// What each type of a batch adds to the gates: its embedding times the input matrix, plus the biases. So the products
/// with the embeddings, and those with their gradients in the backward pass, are computed once for each type and not
/// for each event.
final class TypeTable: @unchecked Sendable {
    /// For each type that occurs, its index among the rows of the embedding.
    let rows: [Int32]
    /// For each row of the embedding, its index among the types that occur; -1 if it does not occur.
    let places: [Int32]
    /// [types][8 units]
    let values: FloatBlock
    /// [types][embedding]
    private let embeddings: FloatBlock
    /// One for each direction: [types][embedding].
    private let embeddingGradients: [FloatBlock]

    /// - Parameters:
    ///   - entries: the vocabulary entries that have a row in `embedding`; nil means all.
    ///   - embedding: the rows of the embedding.
    init(
        _ batch: TrainingBatch, _ source: SequenceBatch, _ shape: NetworkShape, _ entries: [Int32]?,
        _ embedding: UnsafePointer<Float>, _ execution: Execution
    ) throws {
        var places = [Int32](repeating: -1, count: entries?.count ?? shape.vocabulary)
        var rows: [Int32] = []
        for view in batch.views {
            try execution.report()
            for step in view.shown.indices {
                let row = BatchTables.place(view.shownType(step, source, shape.vocabulary), entries)
                guard places[Int(row)] < 0 else { continue }
                places[Int(row)] = Int32(rows.count)
                rows.append(row)
            }
        }
        (self.rows, self.places) = (rows, places)
        let e = shape.embedding
        let count = rows.count * e
        embeddings = try FloatBlock(count, for: "the types of a step", execution)
        embeddingGradients = try (0..<2).map { _ in try FloatBlock(count, for: "the types of a step", execution) }
        values = try FloatBlock(rows.count * 2 * shape.gates, for: "the types of a step", execution)
        for (place, row) in rows.enumerated() {
            (embeddings.pointer + place * e).update(from: embedding + Int(row) * e, count: e)
        }
    }

    var blocks: [FloatBlock] { embeddingGradients + [embeddings, values] }

    /// The number of floats for a batch with this number of types, including the memory that `unfold` needs.
    static func count(_ types: Int, _ shape: NetworkShape) -> Int { types * (3 * shape.embedding + 4 * shape.gates) }

    /// Computes the table of one direction.
    func fold(_ direction: Int, _ tables: BatchTables, _ products: Products) throws {
        let (e, gates) = (tables.layout.shape.embedding, tables.layout.shape.gates)
        let first = tables.values(tables.layout.inputBias[direction])
        let second = tables.values(tables.layout.recurrentBias[direction])
        try products.nn(
            rows.count, gates, e, embeddings.pointer, e, inputMatrix(direction, tables), gates,
            bias: (0..<gates).map { first[$0] + second[$0] }, 0, values.pointer + direction * gates, 2 * gates)
    }

    private func inputMatrix(_ direction: Int, _ tables: BatchTables) -> UnsafePointer<Float> {
        UnsafePointer(tables.values(tables.layout.lstm[direction])) + tables.layout.shape.inputs
            * tables.layout.shape.gates
    }

    /// The backward pass. From the sums over the events of each chunk it computes the gradients of the biases, of the
    /// embeddings, and of the rows of the input matrix that belong to the embedding. They become part of the first
    /// chunk's gradient.
    func unfold(_ direction: Int, _ runs: [ChunkRun], _ products: Products) throws {
        let (tables, target) = (runs[0].tables, runs[0])
        let (e, gates) = (target.shape.embedding, target.shape.gates)
        let sums = try FloatBlock(rows.count * gates, for: "the types of a step", products.execution)
        for run in runs where run.directions.contains(direction) {
            try products.execution.report()
            ck_add_rows(
                products.instructionSet, Int64(run.typeCount), Int64(gates), run.arrays.types,
                run.tableGradient(direction), Int64(run.directions.count * gates), sums.pointer, Int64(gates))
        }
        let layout = tables.layout
        ck_column_sums(
            products.instructionSet, Int64(rows.count), Int64(gates), Int64(gates), sums.pointer,
            target.gradient(layout.inputBias[direction]))
        target.gradient(layout.recurrentBias[direction]).update(
            from: target.gradient(layout.inputBias[direction]), count: gates)
        try products.tn(
            e, gates, rows.count, embeddings.pointer, e, sums.pointer, gates,
            target.gradient(layout.lstm[direction]) + target.shape.inputs * gates, gates)
        try products.nt(
            rows.count, e, gates, sums.pointer, gates, inputMatrix(direction, tables), gates, 0,
            embeddingGradients[direction].pointer, e)
    }

    /// Adds the gradients of the embeddings. Call it after `unfold` for both directions.
    func addEmbeddings(_ target: ChunkRun) {
        let e = target.shape.embedding
        for block in embeddingGradients {
            ck_add_rows(
                target.instructionSet, Int64(rows.count), Int64(e), rows, block.pointer, Int64(e),
                target.gradient(target.layout.events), Int64(e))
        }
    }
}
