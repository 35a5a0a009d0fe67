import CoveyClustering
import CoveyHybrid
import CoveyRuntime
import CoveyTables

/// One way to look at the rows: hybrid rows made of some of what is known, and their clustering. What behaves alike in
/// one view may not in another, so evidence is read in several.
public struct EvidenceView: Sendable {
    public let hybrid: HybridFeatures
    /// Of all rows, with `minSamples` 1 and prediction data.
    public let clustering: Clustering

    public init(hybrid: HybridFeatures, clustering: Clustering) {
        self.hybrid = hybrid
        self.clustering = clustering
    }

    /// How many of the nearest rows are asked what they are.
    static let neighbours = 20
    /// Among so many of them a new row's place in the tree is looked for.
    static let joined = 16

    /// The hybrid rows of some transactions; what the view does not look at is left out.
    func matrix(_ input: EvidenceInput, execution: Execution) throws -> Matrix<Float> {
        let table = hybrid.takesFeatures ? input.table : nil
        guard hybrid.embeddingColumns != nil, let embeddings = input.embeddings else {
            return try hybrid.transform(nil, table, execution: execution)
        }
        return try embeddings.withView { try hybrid.transform($0, table, execution: execution) }
    }
}
