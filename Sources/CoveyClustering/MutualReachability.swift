import CoveyNeighbors
import CoveyNumerics
import CoveyRuntime

/// What the hierarchy is made of: core distances and the spanning tree of mutual reachability.
public struct MutualReachability: Sendable {
    public let coreDistances: CoreDistances
    public let tree: SpanningTree
    /// The share of true neighbours that the search found, measured on a sample; 1 for exact search.
    public let recall: Double

    /// - Parameters:
    ///   - view: finite numbers in the rows used.
    ///   - rows: the rows used, as indices of `view`; nil = all. Points of the result are places in this list.
    ///   - minSamples: the neighbour that gives the core distance, the row itself not counted: 1 to points - 1 (ignored for
    ///     fewer than two points, whose core distances are 0).
    ///   - alpha: distances are divided by it in mutual reachability, core distances are not (as in hdbscan); finite, > 0.
    ///   - search: `approximate` with the euclidean metric only.
    ///   - seed: of the approximate search; exact results do not depend on it.
    public static func build(
        view: MatrixView, rows: [Int32]? = nil, metric: Metric, minSamples: Int, alpha: Double = 1,
        search: SearchMode = .exact, seed: UInt64 = 0, execution: Execution
    ) throws -> MutualReachability {
        let points = rows?.count ?? view.rows
        try require(alpha.isFinite && alpha > 0, "alpha must be finite and above 0, got \(alpha)")
        try require(
            search == .exact || metric == .euclidean, "search must be exact unless the metric is euclidean")
        guard points >= 2 else {
            return MutualReachability(
                coreDistances: CoreDistances(k: minSamples, values: Array(repeating: 0, count: points)),
                tree: SpanningTree(pointCount: points, edges: []), recall: 1)
        }
        try require(
            (1..<points).contains(minSamples), "min_samples must be 1 to \(points - 1), got \(minSamples)")
        return try prim(view, rows, metric, minSamples, alpha, points, execution)
    }

    private static func prim(
        _ view: MatrixView, _ rows: [Int32]?, _ metric: Metric, _ k: Int, _ alpha: Double, _ n: Int,
        _ execution: Execution
    ) throws -> MutualReachability {
        let d = view.columns
        var data = [Double](repeating: 0, count: n * d)
        data.withUnsafeMutableBufferPointer { data in
            for i in 0..<n where d > 0 { view.copyRow(rows.map { Int($0[i]) } ?? i, to: data.baseAddress! + i * d) }
        }
        func distance(_ a: Int, _ b: Int) -> Double {
            data.withUnsafeBufferPointer { data in
                var sum = 0.0
                var first = 0.0
                var second = 0.0
                switch metric {
                case .euclidean:
                    for c in 0..<d {
                        let difference = data[a &* d &+ c] - data[b &* d &+ c]
                        sum += difference * difference
                    }
                    return sum.squareRoot()
                case .manhattan:
                    for c in 0..<d { sum += abs(data[a &* d &+ c] - data[b &* d &+ c]) }
                    return sum
                case .cosine:
                    for c in 0..<d {
                        sum += data[a &* d &+ c] * data[b &* d &+ c]
                        first += data[a &* d &+ c] * data[a &* d &+ c]
                        second += data[b &* d &+ c] * data[b &* d &+ c]
                    }
                    if first == 0 || second == 0 { return 1 }
                    return min(2, max(0, 1 - sum / (first.squareRoot() * second.squareRoot())))
                }
            }
        }
        var cores = [Double](repeating: 0, count: n)
        for i in 0..<n {
            try execution.check()
            var row = (0..<n).map { $0 == i ? -1 : distance(i, $0) }
            row.sort()
            cores[i] = row[k]
        }
        var inTree = [Bool](repeating: false, count: n)
        var best = [Double](repeating: .infinity, count: n)
        var source = [Int](repeating: 0, count: n)
        var edges: [SpanningTree.Edge] = []
        var current = 0
        for _ in 1..<n {
            try execution.check()
            inTree[current] = true
            var next = -1
            for j in 0..<n where !inTree[j] {
                let reach = max(cores[current], cores[j], distance(current, j) / alpha)
                if reach < best[j] {
                    best[j] = reach
                    source[j] = current
                }
                if next < 0 || best[j] < best[next] { next = j }
            }
            edges.append(.init(from: Int32(source[next]), to: Int32(next), distance: best[next]))
            current = next
        }
        return MutualReachability(
            coreDistances: CoreDistances(k: k, values: cores), tree: SpanningTree(pointCount: n, edges: edges), recall: 1)
    }
}
