import CoveyNeighbors
import CoveyRuntime

/// Lists of nearest rows that were found elsewhere, n x k: rows by row; -1 = no neighbour.
public struct GivenLists {
    let rows: Int
    let k: Int
    let indices: UnsafePointer<Int64>
    let distances: UnsafePointer<Double>

    public init(rows: Int, k: Int, indices: UnsafePointer<Int64>, distances: UnsafePointer<Double>) {
        self.rows = rows
        self.k = k
        self.indices = indices
        self.distances = distances
    }

    /// A row's core distance, and at most the distance of any row that its list does not hold.
    struct Bound {
        var core = Double.infinity
        var outside = 0.0
    }

    /// Checks a list, and calls `visit` with its neighbours. The row itself, which many searches find first, is passed
    /// over.
    func read(
        _ row: Int, minSamples: Int, _ sorted: inout [Double], _ seen: inout [Int64],
        _ visit: (Int64, Double) -> Void
    ) throws -> Bound {
        sorted.removeAll(keepingCapacity: true)
        seen.removeAll(keepingCapacity: true)
        for slot in 0..<k {
            let (other, distance) = (indices[row * k + slot], distances[row * k + slot])
            if other == -1 || other == Int64(row) { continue }
            guard other >= 0, other < rows else {
                throw CoveyError.invalidData(
                    "indices[\(row)][\(slot)] must be -1 or a row, 0 to \(rows - 1), got \(other)")
            }
            guard distance.isFinite, distance >= 0 else {
                throw CoveyError.invalidData(
                    "distances[\(row)][\(slot)] must be finite and at least 0, got \(distance)")
            }
            sorted.append(distance)
            seen.append(other)
            visit(other, distance)
        }
        seen.sort()
        for slot in seen.indices.dropFirst() where seen[slot] == seen[slot - 1] {
            throw CoveyError.invalidData("indices[\(row)] must not repeat a row, got \(seen[slot]) twice")
        }
        sorted.sort()
        return Bound(
            core: sorted.count >= minSamples ? sorted[max(0, minSamples - 1)] : .infinity,
            outside: sorted.count >= rows - 1 ? .infinity : sorted.last ?? 0)
    }
}

extension Clustering {
    /// Clusters rows by lists of their nearest rows alone. Rows whose list is shorter than `minSamples`, and parts that
    /// no list joins, are joined at an infinite distance.
    ///
    /// An edge of the tree is certified if no edge that leaves one of the two parts that it joins, and that no list
    /// holds, can be shorter: then it is an edge of a minimum spanning tree of all pairs of rows, if each list holds
    /// the row's nearest rows. Throws `invalidArgument`, `invalidData` (names row and slot), `outOfMemory`,
    /// `cancelled`. Cost: O(n k log(n k)).
    /// - Returns: the clustering, and its number of certified edges.
    public static func clustering(
        _ lists: GivenLists, _ options: ClusterOptions, execution: Execution = Execution()
    ) throws -> (clustering: Clustering, certified: Int) {
        try options.validate()
        let (rows, k) = (lists.rows, lists.k)
        let minSamples = options.resolvedMinSamples(rows: rows)
        try require(
            rows < 2 || k >= minSamples,
            "k must be at least min_samples, \(minSamples), which gives the core distance, got \(k)")
        try execution.hold(rows, of: Clustering.bytesPerRow + 40, for: "clustering \(rows) rows")
        let edges = try AlignedBuffer<WeightedEdge>(
            checkedProduct(rows, k, "neighbours"), for: "\(rows) x \(k) neighbours", execution)
        let cores = try AlignedBuffer<Double>(rows, for: "core distances", execution)
        let bounds = try AlignedBuffer<Double>(rows, for: "core distances", execution)
        var count = 0
        var (sorted, seen): ([Double], [Int64]) = ([], [])
        for row in 0..<rows {
            if row & 0xFFF == 0 { try execution.report("edges", Double(row) / Double(rows)) }
            let bound = try lists.read(row, minSamples: minSamples, &sorted, &seen) { other, distance in
                edges[count] = WeightedEdge(from: Int64(row), to: other, distance: distance)
                count += 1
            }
            cores[row] = bound.core
            bounds[row] = max(bound.core, bound.outside / options.alpha)
        }
        var kept = 0
        for place in 0..<count {
            if place & 0xFFFFF == 0 { try execution.report() }
            var edge = edges[place]
            edge.distance = max(cores[Int(edge.from)], cores[Int(edge.to)], edge.distance / options.alpha)
            guard edge.distance.isFinite else { continue }
            edges[kept] = edge
            kept += 1
        }
        let sets = try RowSets(rows, execution)
        let all = UnsafeMutableBufferPointer(start: edges.pointer, count: kept)
        var certified = 0
        let forest = try EdgeForest.reduce(all, sets, execution) { edge, first, second in
            if edge.distance <= max(bounds[first], bounds[second]) { certified += 1 }
            let least = min(bounds[first], bounds[second])
            bounds[min(first, second)] = least
            return true
        }
        let tree = try SpanningTree(
            UnsafeBufferPointer(rebasing: UnsafeBufferPointer(all)[..<forest]), rows: rows, sets, execution: execution)
        return (try Clustering(tree, options, execution: execution), certified)
    }
}
