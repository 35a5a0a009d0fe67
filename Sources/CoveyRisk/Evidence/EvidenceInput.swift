import CoveySequences
import CoveyTables

/// What is known of some transactions, as evidence reads it: each part nil if there is none, columns of dates left
/// out.
public struct EvidenceInput: Sendable {
    public let count: Int
    public let embeddings: Matrix<Float>?
    public let table: FeatureTable?
    /// Of the embeddings.
    public let sequences: SequenceBatch?

    public init(count: Int, embeddings: Matrix<Float>?, table: FeatureTable?, sequences: SequenceBatch?) {
        self.count = count
        self.embeddings = embeddings
        self.table = table
        self.sequences = sequences
    }
}
