/// The k nearest other rows of each row.
public struct NeighborGraph: Sendable, Equatable {
    public let count: Int
    public let k: Int
    /// count x k row numbers: each row's neighbours by ascending distance, ties by number.
    public var indices: [Int32]
    /// count x k distances in the metric's unit, computed in float64 from the caller's numbers.
    public var distances: [Double]

    public init(count: Int, k: Int, indices: [Int32], distances: [Double]) {
        self.count = count
        self.k = k
        self.indices = indices
        self.distances = distances
    }
}
