import CoveySequences

/// Measures how much attributions change when all gaps and dwells of a session become a little longer or shorter.
struct SensitivityMeasure {
    private let explainer: Explainer

    private static let factors = [0.95, 0.98, 1.02, 1.05]

    init(_ explainer: Explainer) { self.explainer = explainer }

    /// - Parameter clusters: of the transactions of the block.
    func run(_ explanations: inout [Explanation], _ block: Range<Int>, _ clusters: [Int]) throws {
        var options = explainer.options
        options.explainsFeatures = false
        options.measuresFaithfulness = false
        options.measuresSensitivity = false
        guard explainer.batches.sequences != nil else { return }
        for factor in SensitivityMeasure.factors {
            let changed = try Explainer(
                explainer.engine, explainer.batches.stretched(block, by: factor),
                explainer.batches.table(Array(block)), options, explainer.execution, clusters: clusters
            ).run()
            for (index, other) in changed.enumerated() where !other.attributions.isEmpty {
                let own = explanations[index].attributions
                let size = own.reduce(0) { $0 + $1 * $1 }
                let change = zip(own, other.attributions).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                let found = size > 0 ? (change / size).squareRoot() : change > 0 ? .infinity : 0
                let before = explanations[index].faithfulness.sensitivity
                explanations[index].faithfulness.sensitivity = before.isNaN ? found : max(before, found)
            }
        }
    }
}
