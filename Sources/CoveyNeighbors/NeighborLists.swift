import CoveyRuntime

/// Each row's k nearest other rows and its core distance, the distance of the last.
public struct NeighborLists: Sendable {
    public let count: Int
    public let k: Int
    /// count x k row numbers.
    public let indices: AlignedBuffer<Int32>
    /// count x k distances; nil where they are not wanted.
    public let distances: AlignedBuffer<Double>?
    /// By row: the distance of neighbour k, and of the one before, 0 for a k of 1.
    public let cores: AlignedBuffer<Double>
    public let before: AlignedBuffer<Double>

    /// Room for lists.
    init(count n: Int, k: Int, distances: Bool, execution: Execution) throws {
        count = n
        self.k = k
        let places = try checkedProduct(n, k, "neighbours")
        let what = "\(n) x \(k) neighbours"
        indices = try AlignedBuffer(places, for: what, execution)
        self.distances = distances ? try AlignedBuffer(places, for: what, execution) : nil
        cores = try AlignedBuffer(n, for: "core distances", execution)
        before = try AlignedBuffer(n, for: "core distances", execution)
    }

    public init(_ graph: consuming NeighborGraph, distances: Bool, execution: Execution) throws {
        try self.init(count: graph.count, k: graph.k, distances: distances, execution: execution)
        let (own, graph, k) = (self, graph, graph.k)
        try execution.parallel(graph.count, grain: max(1, 65_536 / k)) { chunk, _ in
            for i in chunk {
                for slot in i * k..<(i + 1) * k {
                    own.indices[slot] = graph.indices[slot]
                    own.distances?[slot] = graph.distances[slot]
                }
                own.cores[i] = graph.distances[i * k + k - 1]
                own.before[i] = k == 1 ? 0 : graph.distances[i * k + k - 2]
            }
        }
    }
}
