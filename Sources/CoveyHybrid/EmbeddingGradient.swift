import CoveyTables

extension HybridFeatures {
    /// The numbers of a hybrid row that come from an embedding.
    public func embeddingPart(_ embedding: [Float]) throws -> [Float] {
        guard let embeddings else { return [] }
        var part = [Float](repeating: 0, count: embeddings.outputs)
        try Matrix(rows: 1, columns: embedding.count, elements: embedding).withView { view in
            try part.withUnsafeMutableBufferPointer {
                guard let target = $0.baseAddress else { return }
                try embeddings.transform(view, rows: 0..<1, to: target, stride: $0.count)
            }
        }
        return part
    }

    /// The derivatives by each number of the embedding, from those by each number of the hybrid row.
    public func embeddingGradient(_ gradient: [Double]) -> [Double] {
        guard let embeddings else { return [] }
        let (outputs, factor) = (embeddings.outputs, embeddings.unit * embeddings.factor)
        return (0..<embeddings.columns).map { column in
            if embeddings.axes.isEmpty { return factor * gradient[column] }
            return factor * (0..<outputs).reduce(0) { $0 + embeddings.axes[column * outputs + $1] * gradient[$1] }
        }
    }
}
