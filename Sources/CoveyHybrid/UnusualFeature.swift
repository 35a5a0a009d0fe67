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
        var found: [UnusualFeature] = []
        unusual(rows, row, into: &found)
        return found
    }

    /// The same into an array whose memory is used again.
    public func unusual(_ rows: Matrix<Float>, _ row: Int, into found: inout [UnusualFeature]) {
        found.removeAll(keepingCapacity: true)
        guard let features else { return }
        var place = embeddingOutputs
        for column in features.columns {
            if column.kind == .numeric, column.factor > 0 {
                HybridFeatures.insert(column.name, Double(rows[row, place]) / column.factor, into: &found)
            }
            place += column.outputs
        }
    }

    /// Of those as far, the first stays first.
    private static func insert(_ name: String, _ distance: Double, into found: inout [UnusualFeature]) {
        guard abs(distance) >= leastUnusual else { return }
        var rank = found.count
        while rank > 0, abs(found[rank - 1].distance) < abs(distance) { rank -= 1 }
        guard rank < mostUnusual else { return }
        if found.count == mostUnusual { found.removeLast() }
        found.insert(UnusualFeature(name: name, distance: distance), at: rank)
    }
}
