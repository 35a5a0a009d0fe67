import CoveyNeighbors
import CoveyRuntime
import CoveyTables
import Glibc

/// How well clusters are separated relative to how dense they are: DBCV (Moulavi, Jaskowiak, Campello, Zimek, Sander
/// 2014), as hdbscan's validity_index works it out.
public struct Validity: Sendable {
    /// -1 to 1, the mean of `clusters` weighted by their rows, noise counting as 0; NaN if there is one cluster
    /// alone.
    public let index: Double
    /// One a cluster, -1 to 1; 0 for a number without rows.
    public let clusters: [Double]

    /// O(d sum m^2) for clusters of m rows, and as much for each pair of clusters; O(n) memory.
    /// - Parameter plain: distances as they are, in the place of mutual reachability.
    /// Throws `invalidArgument` for labels below -1, `invalidData`, `outOfMemory`, `cancelled`.
    public init(
        _ view: MatrixView, labels: [Int32], metric: Metric, plain: Bool = false, execution: Execution = Execution()
    ) throws {
        var most: Int32 = -1
        for (row, label) in labels.enumerated() {
            try require(
                label >= -1 && label < labels.count, "labels[\(row)] must be -1 to \(labels.count - 1), got \(label)")
            most = max(most, label)
        }
        let count = Int(most) + 1
        try execution.hold(labels.count, of: 48, for: "the validity of \(labels.count) labels")
        var members = [[Int32]](repeating: [], count: count)
        for (row, label) in labels.enumerated() where label >= 0 { members[Int(label)].append(Int32(row)) }
        _ = try FiniteRows.find(in: view, missing: .reject, execution: execution)
        let distances = try Distances(view, metric, execution)
        let power = Double(view.columns)
        var parts = [ClusterPart?](repeating: nil, count: count)
        try parts.withUnsafeMutableBufferPointer { parts in
            nonisolated(unsafe) let parts = parts
            let members = members
            try execution.parallel(count, grain: 1, stage: "validity") { chunk, _ in
                for cluster in chunk where !members[cluster].isEmpty {
                    parts[cluster] = try ClusterPart(
                        members[cluster], distances, plain: plain, power: power, execution)
                }
            }
        }
        var separations = [Double](repeating: .infinity, count: count)
        try separations.withUnsafeMutableBufferPointer { separations in
            nonisolated(unsafe) let separations = separations
            let parts = parts
            try execution.parallel(count, grain: 1, stage: "validity") { chunk, _ in
                for cluster in chunk {
                    guard let part = parts[cluster] else { continue }
                    for other in parts.indices where other != cluster {
                        guard let others = parts[other] else { continue }
                        try execution.check()
                        separations[cluster] = min(
                            separations[cluster], try part.separation(others, distances, plain: plain, execution))
                    }
                }
            }
        }
        var index = 0.0
        var clusters = [Double](repeating: 0, count: count)
        for cluster in 0..<count {
            guard let part = parts[cluster] else { continue }
            let (separation, sparseness) = (separations[cluster], part.sparseness)
            let larger = max(separation, sparseness)
            clusters[cluster] = larger == 0 ? 0 : (separation - sparseness) / larger
            index += Double(members[cluster].count) / Double(labels.count) * clusters[cluster]
        }
        self.index = index
        self.clusters = clusters
    }
}

/// Distances of pairs of rows.
private struct Distances: Sendable {
    private let rows: Rows
    /// With cosine, the rows that have no direction.
    private let isNull: [Bool]

    init(_ view: MatrixView, _ metric: Metric, _ execution: Execution) throws {
        isNull = metric == .cosine ? (0..<view.rows).map { Rows.isNull(view, $0) } : []
        rows = try Rows(view, used: nil, metric: metric, execution: execution)
    }

    @inline(__always)
    func callAsFunction(_ a: Int32, _ b: Int32) -> Double {
        if !isNull.isEmpty, isNull[Int(a)] || isNull[Int(b)] { return a == b ? 0 : 1 }
        return rows.distance(Int(a), Int(b))
    }
}

/// What a cluster contributes: its core distances, the inner nodes of its spanning tree and the longest edge between
/// them.
private struct ClusterPart: Sendable {
    let sparseness: Double
    private let inner: [Int32]
    /// Of the inner nodes.
    private let cores: [Double]

    init(
        _ members: [Int32], _ distance: Distances, plain: Bool, power: Double, _ execution: Execution
    ) throws {
        let count = members.count
        var cores = [Double](repeating: 0, count: count)
        if !plain, count > 1 {
            for row in 0..<count {
                try execution.check()
                var sum = 0.0
                for other in 0..<count {
                    let apart = distance(members[row], members[other])
                    if apart != 0 { sum += pow(1 / apart, power) }
                }
                cores[row] = sum == 0 ? .infinity : pow(sum / Double(count - 1), -1 / power)
            }
            // Where all rows are equal there are no distances to speak of.
            if cores.allSatisfy({ $0 == .infinity }) { cores = [Double](repeating: 0, count: count) }
        }
        // Prim's tree from the first row, in hdbscan's order.
        var nearest = [Double](repeating: .infinity, count: count)
        var order: [Int] = [0]
        var isInside = [Bool](repeating: false, count: count)
        var degrees = [Int](repeating: 0, count: count)
        var edges: [(from: Int, to: Int, distance: Double)] = []
        isInside[0] = true
        var line = [Double](repeating: 0, count: count)
        while order.count < count {
            try execution.check()
            let row = order[order.count - 1]
            var next = -1
            for other in 0..<count where !isInside[other] {
                let reach = max(distance(members[row], members[other]), cores[row], cores[other])
                if reach < nearest[other] { nearest[other] = reach }
                if next < 0 || nearest[other] < nearest[next] { next = other }
            }
            // The end of the edge is the first row of the tree at that distance, with NumPy's tolerance, as in hdbscan.
            let length = nearest[next]
            var end = order[0]
            for other in 0..<count where isInside[other] {
                line[other] = max(distance(members[next], members[other]), cores[next], cores[other])
                if line[other] == length || abs(line[other] - length) <= 1e-8 + 1e-5 * abs(length) {
                    end = other
                    break
                }
            }
            edges.append((end, next, length))
            degrees[end] += 1
            degrees[next] += 1
            isInside[next] = true
            order.append(next)
        }
        var inner = (0..<count).filter { degrees[$0] > 1 }
        if inner.isEmpty { inner = [0] }
        var isInner = [Bool](repeating: false, count: count)
        for row in inner { isInner[row] = true }
        let between = edges.filter { isInner[$0.from] && isInner[$0.to] }
        sparseness = (between.isEmpty ? edges : between).reduce(0) { max($0, $1.distance) }
        self.inner = inner.map { members[$0] }
        self.cores = inner.map { cores[$0] }
    }

    /// The least distance between inner nodes of two clusters.
    func separation(
        _ other: ClusterPart, _ distance: Distances, plain: Bool, _ execution: Execution
    ) throws -> Double {
        var least = Double.infinity
        for (place, row) in inner.enumerated() {
            if place & 0xFF == 0xFF { try execution.check() }
            for (otherPlace, otherRow) in other.inner.enumerated() {
                least = min(least, max(distance(row, otherRow), cores[place], other.cores[otherPlace]))
            }
        }
        return least
    }
}
