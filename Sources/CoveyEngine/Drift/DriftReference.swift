import CoveyClustering
import CoveyHybrid
import CoveyRuntime
import CoveyTables

/// What new transactions are compared with: the rows that the engine's clustering keeps. O(rows columns).
struct DriftReference: Sendable {
    struct Column: Sendable {
        let name: String
        /// Its place in a hybrid row.
        let index: Int
        /// A value is in the first bin whose edge it does not exceed; above the last edge in the last bin.
        let edges: [Float]
        /// Of the kept rows.
        let counts: [Int]

        func bin(_ value: Float) -> Int { edges.firstIndex { value <= $0 } ?? edges.count }
    }

    struct Categorical: Sendable {
        let name: String
        let categories: Set<ExactName>
    }

    let columns: [Column]
    let categorical: [Categorical]
    /// The first for rows without a cluster.
    let clusters: [Int]

    private static let bins = 10
    private static let mostRows = 50_000

    init(_ parts: EngineParts, _ execution: Execution) throws {
        try execution.report()
        categorical = try parts.hybrid.categories.map { name, categories in
            try execution.hold(categories.count, of: 64, for: "the categories of \(PlainText.name(name))")
            try execution.check()
            return Categorical(name: name, categories: Set(categories.lazy.map { ExactName($0) }))
        }
        var mix = [Int](repeating: 0, count: parts.clustering.clusterCount + 1)
        for label in parts.clustering.labels { mix[max(0, Int(label) + 1)] += 1 }
        clusters = mix
        let names = parts.hybrid.columnNames
        guard let predictor = parts.clustering.predictor else {
            columns = []
            return
        }
        columns = try predictor.reference.withView { view in
            let kept = min(view.rows, Self.mostRows)
            try execution.reserve(kept, of: 4, for: "a column of the kept rows")
            var row = [Float](repeating: 0, count: view.columns)
            try execution.reserve(kept, of: 4 * view.columns, for: "the kept rows")
            var values = Matrix<Float>(rows: kept, columns: view.columns, repeating: 0)
            try execution.forEach(0..<kept, every: 256) { place in
                row.withUnsafeMutableBufferPointer { view.copyRow(place * view.rows / kept, to: $0.baseAddress!) }
                for column in 0..<view.columns { values[place, column] = row[column] }
            }
            return try (parts.hybrid.embeddingOutputs..<view.columns).map { column in
                try execution.report()
                let sorted = (0..<kept).map { values[$0, column] }.sorted()
                let edges = Self.edges(sorted)
                var counts = [Int](repeating: 0, count: edges.count + 1)
                for value in sorted { counts[edges.firstIndex { value <= $0 } ?? edges.count] += 1 }
                return Column(name: names[column], index: column, edges: edges, counts: counts)
            }
        }
    }

    /// Between few values, otherwise at the deciles.
    private static func edges(_ sorted: [Float]) -> [Float] {
        var distinct: [Float] = []
        for value in sorted where distinct.last != value {
            distinct.append(value)
            if distinct.count > bins { break }
        }
        if distinct.count <= bins {
            return zip(distinct, distinct.dropFirst()).map { $0 / 2 + $1 / 2 }
        }
        var edges: [Float] = []
        for part in 1..<bins {
            let edge = sorted[part * sorted.count / bins]
            if edges.last != edge, edge < sorted[sorted.count - 1] { edges.append(edge) }
        }
        return edges
    }

    func counts(types: Int) -> DriftCounts {
        DriftCounts(
            types: types, columns: columns.map(\.counts.count), categories: categorical.count,
            clusters: clusters.count - 1)
    }
}
