import CoveyRuntime

/// Each row's k nearest other rows and its core distance, the distance of the last.
public struct NeighborLists: Sendable {
    public let count: Int
    public let k: Int
    /// count x k row numbers.
    public let indices: AlignedBuffer<Int32>
    /// count x k distances. nil if they are not wanted.
    public let distances: AlignedBuffer<Double>?
    /// For each row: the distance of neighbour k, and of neighbour k - 1, which is 0 for k = 1.
    public let cores: AlignedBuffer<Double>
    public let before: AlignedBuffer<Double>

    /// Makes empty lists. k may be 0 if there is one row.
    public init(count n: Int, k: Int, distances: Bool, execution: Execution) throws {
        count = n
        self.k = k
        let places = try checkedProduct(n, k, "neighbours")
        let what = "\(n) x \(k) neighbours"
        indices = try AlignedBuffer(places, for: what, execution)
        self.distances = distances ? try AlignedBuffer(places, for: what, execution) : nil
        cores = try AlignedBuffer(n, for: "core distances", execution)
        before = try AlignedBuffer(n, for: "core distances", execution)
    }

    /// Computes core distances if a row stands for several equal rows. Its neighbours are the rows that it stands for,
    /// less the row itself, then those of its list, and `apart` more rows at distance 1 from every row. The distances
    /// must be there.
    /// - Parameter weights: for each row the number of rows that it stands for; nil = 1.
    public func setCores(_ k: Int, weights: [Int32]?, apart: Int, execution: Execution) throws {
        let own = self
        try execution.parallel(count, grain: max(1, 65_536 / max(1, self.k))) { chunk, _ in
            for i in chunk { own.setCore(i, k, weights, apart) }
        }
    }

    private func setCore(_ i: Int, _ wanted: Int, _ weights: [Int32]?, _ apart: Int) {
        (cores[i], before[i]) = NeighborLists.core(
            wanted, equal: weights.map { Int($0[i]) - 1 } ?? 0, apart: apart, k, distances!.pointer + i * k
        ) { slot in weights.map { Int($0[Int(indices[i * k + slot])]) } ?? 1 }
    }

    /// The distance of a row's neighbour number `wanted`, and of the one before it.
    /// - Parameters:
    ///   - equal: the number of rows that equal it.
    ///   - apart: the number of rows at distance 1 from it that are not in the list.
    ///   - distances: the distances of its k nearest other rows, ascending.
    ///   - weight: the number of rows that each of these stands for.
    public static func core(
        _ wanted: Int, equal: Int, apart: Int, _ k: Int, _ distances: UnsafePointer<Double>, weight: (Int) -> Int
    ) -> (core: Double, before: Double) {
        var (seen, slot, apart) = (equal, 0, apart)
        var result = (core: 0.0, before: 0.0)
        while seen < wanted {
            let distance: Double
            let count: Int
            if apart > 0 && (slot == k || distances[slot] >= 1) {
                distance = 1
                count = apart
                apart = 0
            } else if slot < k {
                distance = distances[slot]
                count = weight(slot)
                slot += 1
            } else {
                break
            }
            if seen < wanted - 1 && seen + count >= wanted - 1 { result.before = distance }
            if seen + count >= wanted { result.core = distance }
            seen += count
        }
        return result
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
