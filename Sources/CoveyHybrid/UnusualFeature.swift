import CoveyTables

/// A numeric feature of a row that lies far from the middle of those that a transform was fitted to.
public struct UnusualFeature: Sendable, Equatable {
    public let name: String
    /// From the middle, in the unit of the scaling: quartile distances for robust ones; at most the transform's clip.
    public let distance: Double
}

extension HybridFeatures {
    /// A feature is unusual from this distance on, and so many are told.
    private static let leastUnusual = 2.0
    private static let mostUnusual = 3

    /// The numeric features of a hybrid row that lie farthest from the middle.
    public func unusual(_ rows: Matrix<Float>, _ row: Int) -> [UnusualFeature] {
        guard let features else { return [] }
        var place = embeddingOutputs
        var found: [UnusualFeature] = []
        for column in features.columns {
            if column.kind == .numeric, column.factor > 0 {
                let distance = Double(rows[row, place]) / column.factor
                if abs(distance) >= HybridFeatures.leastUnusual {
                    found.append(UnusualFeature(name: column.name, distance: distance))
                }
            }
            place += column.outputs
        }
        return Array(found.sorted { abs($0.distance) > abs($1.distance) }.prefix(HybridFeatures.mostUnusual))
    }
}
