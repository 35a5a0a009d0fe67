import CoveyTables

/// The value of a feature column that says nothing: what a feature is set to, to see what its own value counts for.
public enum UsualValue: Sendable, Equatable {
    /// The median of the rows that the transform was fitted to.
    case number(Double)
    /// The more frequent one; 1 if both are equally frequent.
    case boolean(Int8)
    /// The most frequent one; nil = missing is.
    case category(String?)
}

extension HybridFeatures {
    /// So many rows are asked for the most frequent category.
    private static let askedRows = 10_000

    /// The usual value of each feature column, in the order of `featureColumns`. Most frequent categories are those of
    /// at most 10,000 rows, evenly spaced.
    /// - Parameter rows: hybrid rows.
    public func usualValues(among rows: MatrixView) -> [UsualValue] {
        guard let features else { return [] }
        var place = embeddingOutputs
        return features.columns.map { column in
            defer { place += column.outputs }
            switch column.kind {
            case .numeric, .date: return .number(column.median)
            case .boolean: return .boolean(column.median >= 0.5 ? 1 : 0)
            case .categorical: return .category(mostFrequent(column, from: place, among: rows))
            }
        }
    }

    private func mostFrequent(_ column: FittedFeature, from place: Int, among rows: MatrixView) -> String? {
        let asked = min(rows.rows, HybridFeatures.askedRows)
        var counts = [Int](repeating: 0, count: column.categories.count)
        for index in 0..<asked {
            let row = index * rows.rows / asked
            if let found = counts.indices.first(where: { rows[row, place + $0] != 0 }) { counts[found] += 1 }
        }
        guard let most = counts.max(), let best = counts.firstIndex(of: most) else { return nil }
        let missing = asked - counts.reduce(0, +)
        return missing > most && features?.missing != .reject ? nil : column.categories[best]
    }
}
