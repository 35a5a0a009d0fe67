import CoveyEncoder
import CoveyRuntime
import CoveyTables

/// Integrated gradients of a distance or a contrast, for each event of some transactions.
struct GradientAttribution {
    private let value: ExplainedValue
    /// The hybrid rows of all transactions.
    private let rows: Matrix<Float>
    private let largestSteps: Int

    init(_ value: ExplainedValue, _ rows: Matrix<Float>, largestSteps: Int) {
        self.value = value
        self.rows = rows
        self.largestSteps = largestSteps
    }

    func run(_ explanations: inout [Explanation], _ block: Range<Int>) throws {
        let memories = (0..<min(value.execution.threads, block.count)).map { _ in GradientMemory() }
        try explanations.withUnsafeMutableBufferPointer { explanations in
            nonisolated(unsafe) let explanations = explanations
            try value.execution.parallel(block.count, stage: "explain") { chunk, thread in
                for index in chunk {
                    try run(&explanations[index], block.lowerBound + index, memories[thread])
                }
            }
        }
    }

    private func run(_ explanation: inout Explanation, _ transaction: Int, _ memory: GradientMemory) throws {
        guard let encoder = value.engine.parts.encoder, let batch = value.batches.sequences else { return }
        let hybrid = value.engine.parts.hybrid
        let function = value.functions[transaction - value.firstFunction]
        let outputs = hybrid.embeddingOutputs
        var row = Array(rows.elements[transaction * rows.columns..<(transaction + 1) * rows.columns])
        let found = try encoder.integratedGradients(
            batch, transaction, whole: explanation.value, largestSteps: largestSteps, memory, value.execution
        ) { embedding in
            // Features stay as they are.
            row.replaceSubrange(0..<outputs, with: try hybrid.embeddingPart(embedding))
            return row.withUnsafeBufferPointer {
                (function.value(of: $0), hybrid.embeddingGradient(function.gradient(at: $0)))
            }
        }
        explanation.method = .gradients
        explanation.base = found.base
        explanation.steps = found.steps
        let parts = explanation.parts
        explanation.attributions = (0..<parts.count).map { found.attributions[parts[$0]].reduce(0, +) }
    }
}
