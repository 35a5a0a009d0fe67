import CoveyClustering
import CoveyEncoder
import CoveyHybrid
import CoveyRuntime
import CoveySequences
import CoveyTables

/// The number that is explained, of any variant of the transactions.
struct ExplainedValue {
    let engine: Engine
    let explained: ExplainOptions.Explained
    let batches: VariantBatches
    /// By transaction, the cluster that is explained; -1 for the risk.
    let clusters: [Int]
    /// By transaction, for distances and contrasts; the first one is that of transaction `firstFunction`.
    var functions: [any RowFunction] = []
    var firstFunction = 0
    let execution: Execution

    /// Events that are embedded at a time.
    private static let grain = 1 << 20

    /// The value of each variant.
    func values(_ variants: [Variant]) throws -> [Double] {
        var result: [Double] = []
        result.reserveCapacity(variants.count)
        var start = 0
        while start < variants.count {
            var (end, events) = (start, 0)
            while end < variants.count, end == start || events + batches.eventCount(variants[end]) <= Self.grain {
                events += batches.eventCount(variants[end])
                end += 1
            }
            let chosen = variants[start..<end]
            let sequences = try batches.sequences(chosen)
            let transactions = chosen.map(\.transaction)
            let embeddings = try sequences.map { try engine.parts.encoder!.embed($0, execution) }
            result += try values(transactions, embeddings, sequences, batches.table(transactions))
            start = end
        }
        return result
    }

    /// The value of rows that stand for these transactions.
    func values(
        _ transactions: [Int], _ embeddings: Matrix<Float>?, _ sequences: SequenceBatch?, _ table: FeatureTable?
    ) throws -> [Double] {
        if explained == .risk {
            return try engine.scored(
                transactions.count, embeddings: embeddings, events: [], sequences: sequences, table, execution
            ).map(\.risk)
        }
        let rows = try engine.withView(embeddings) {
            try engine.parts.hybrid.transform($0, table, execution: execution)
        }
        return try values(transactions, rows)
    }

    /// The same of hybrid rows; not for the risk.
    func values(_ transactions: [Int], _ rows: Matrix<Float>) throws -> [Double] {
        if explained == .membership { return try memberships(transactions, rows) }
        return rows.elements.withUnsafeBufferPointer { elements in
            transactions.enumerated().map { index, transaction in
                let first = index * rows.columns
                return functions[transaction - firstFunction].value(
                    of: UnsafeBufferPointer(rebasing: elements[first..<first + rows.columns]))
            }
        }
    }

    private func memberships(_ transactions: [Int], _ rows: Matrix<Float>) throws -> [Double] {
        let clusters = transactions.map { self.clusters[$0] }
        var result = [Double](repeating: 0, count: transactions.count)
        try result.withUnsafeMutableBufferPointer { result in
            nonisolated(unsafe) let result = result
            try rows.withView {
                try engine.parts.clustering.memberships(of: $0, count: 0, execution: execution) { row, _, numbers in
                    result[row] = numbers[clusters[row]]
                }
            }
        }
        return result
    }
}
