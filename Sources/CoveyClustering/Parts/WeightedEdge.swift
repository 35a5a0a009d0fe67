import CoveyRuntime

/// An edge between two rows of a data set that may be spread over machines; the layout is that of `covey_edge`.
public struct WeightedEdge: Sendable, Equatable, BitwiseCopyable {
    public var from: Int64
    public var to: Int64
    public var distance: Double

    public init(from: Int64, to: Int64, distance: Double) {
        self.from = from
        self.to = to
        self.distance = distance
    }

    /// The order in which a spanning forest takes edges: by distance, then by the lower row, then by the upper. It does
    /// not depend on the order in which edges arrive.
    @inline(__always)
    static func comesBefore(_ a: WeightedEdge, _ b: WeightedEdge) -> Bool {
        if a.distance != b.distance { return a.distance < b.distance }
        return a.from != b.from ? a.from < b.from : a.to < b.to
    }

    /// Throws `invalidData`, with the index and the values, unless the edge joins two of the rows at a finite distance.
    func check(_ index: Int, rows: Int) throws {
        guard from >= 0, to >= 0, from < rows, to < rows else {
            throw CoveyError.invalidData(
                "edges[\(index)] must join two of the rows 0 to \(rows - 1), got \(from) and \(to)")
        }
        guard from != to else {
            throw CoveyError.invalidData("edges[\(index)] joins row \(from) to itself")
        }
        guard distance.isFinite, distance >= 0 else {
            throw CoveyError.invalidData(
                "edges[\(index)].distance must be finite and at least 0, got \(distance)")
        }
    }
}
