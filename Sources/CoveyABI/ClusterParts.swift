import CCovey
import CoveyClustering
import CoveyNeighbors
import CoveyRuntime
import CoveyTables

// Section 8 of covey.h: clustering from edges and lists of neighbours, and the kernels by which parts are clustered
// apart.

/// The most rows that edges may join.
private let mostRows = Int64(SingleLinkageTree.largestPointCount)

/// The caller's edges as Swift's, which have the same layout.
private func weighted(
    _ edges: UnsafePointer<covey_edge>?, _ count: Int
) throws -> UnsafeBufferPointer<WeightedEdge> {
    guard count > 0 else { return UnsafeBufferPointer(start: nil, count: 0) }
    let base = UnsafeRawPointer(try required(edges, "edges")).assumingMemoryBound(to: WeightedEdge.self)
    return UnsafeBufferPointer(start: base, count: count)
}

@c @implementation
public func covey_cluster_edges(
    _ context: OpaquePointer?, _ rows: Int64, _ edges: UnsafePointer<covey_edge>?, _ edge_count: Int64,
    _ core_distances: UnsafePointer<Double>?, _ options: UnsafePointer<covey_cluster_options>?,
    _ clustering: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    clustering?.pointee = nil
    return boundary(error) {
        let clustering = try required(clustering, "clustering")
        let options = try unweightedOptions(options)
        let points = try count(rows, "rows", in: 0...mostRows)
        let edges = try weighted(edges, try count(edge_count, "edge_count", in: 0...largestRows))
        clustering.pointee = Handle.retain(
            try Clustering(
                edges: edges, rows: points,
                coreDistances: core_distances.map { UnsafeBufferPointer(start: $0, count: points) }, options,
                execution: execution(context)))
    }
}

@c @implementation
public func covey_cluster_neighbours(
    _ context: OpaquePointer?, _ rows: Int64, _ k: Int64, _ indices: UnsafePointer<Int64>?,
    _ distances: UnsafePointer<Double>?, _ options: UnsafePointer<covey_cluster_options>?,
    _ clustering: UnsafeMutablePointer<OpaquePointer?>?, _ certified: UnsafeMutablePointer<Int64>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    clustering?.pointee = nil
    return boundary(error) {
        let clustering = try required(clustering, "clustering")
        let options = try unweightedOptions(options)
        let points = try count(rows, "rows", in: 0...mostRows)
        let width = try count(k, "k", in: 1...mostRows)
        _ = try checkedProduct(points, width, "neighbours")
        let lists = GivenLists(
            rows: points, k: width, indices: try required(indices, "indices"),
            distances: try required(distances, "distances"))
        let found = try Clustering.clustering(lists, options, execution: execution(context))
        certified?.pointee = Int64(found.certified)
        clustering.pointee = Handle.retain(found.clustering)
    }
}

@c @implementation
public func covey_clustering_parts(_ clustering: OpaquePointer?) -> Int64 {
    guard let clustering else { return 0 }
    return Int64(Handle.object(clustering, as: Clustering.self).partCount)
}

/// Row numbers of the caller: at least 0, ascending where that is wanted.
private func checkNumbers(
    _ numbers: UnsafePointer<Int64>?, _ name: String, _ count: Int, ascending: Bool, _ execution: Execution
) throws {
    guard let numbers else { return }
    for row in 0..<count {
        if row & 0xFFFFF == 0 { try execution.report() }
        guard numbers[row] >= 0 else {
            throw CoveyError.invalidData("\(name)[\(row)] must be at least 0, got \(numbers[row])")
        }
        guard !ascending || row == 0 || numbers[row] > numbers[row - 1] else {
            throw CoveyError.invalidData("\(name) must ascend, got \(numbers[row]) after \(numbers[row - 1])")
        }
    }
}

@c @implementation
public func covey_nearest(
    _ context: OpaquePointer?, _ queries: UnsafePointer<covey_matrix>?, _ query_numbers: UnsafePointer<Int64>?,
    _ rows: UnsafePointer<covey_matrix>?, _ row_numbers: UnsafePointer<Int64>?, _ k: Int64, _ metric: Int32,
    _ merge: Int32, _ indices: UnsafeMutablePointer<Int64>?, _ distances: UnsafeMutablePointer<Double>?,
    _ capacity: Int64, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let execution = execution(context)
        let (first, second) = (try matrixView(queries, "queries"), try matrixView(rows, "rows"))
        try require(
            max(first.rows, second.rows) <= Int(mostRows), "queries.rows and rows.rows must be at most \(mostRows)")
        let width = try count(k, "k", in: 1...mostRows)
        let metric: Metric = try choice(metric, "metric", "COVEY_METRIC_ value")
        let merges = try flag(merge, "merge")
        let size = try checkedProduct(first.rows, width, "neighbours")
        let found = try output(indices, "indices", capacity: capacity, count: size)
        let measured = try output(distances, "distances", capacity: capacity, count: size)
        try checkNumbers(query_numbers, "query_numbers", first.rows, ascending: false, execution)
        try checkNumbers(row_numbers, "row_numbers", second.rows, ascending: true, execution)
        guard let found = found.baseAddress, let measured = measured.baseAddress else { return }
        if merges {
            try checkLists(found, measured, first.rows, width, execution)
        } else {
            for place in 0..<size { (found[place], measured[place]) = (-1, .infinity) }
        }
        try NearestLists(k: width, indices: found, distances: measured).merge(
            queries: first, queryNumbers: query_numbers, rows: second, rowNumbers: row_numbers, metric: metric,
            execution: execution)
    }
}

/// Lists that are to be merged into must be what a call before has written.
private func checkLists(
    _ indices: UnsafePointer<Int64>, _ distances: UnsafePointer<Double>, _ rows: Int, _ k: Int, _ execution: Execution
) throws {
    for row in 0..<rows {
        if row & 0xFFFF == 0 { try execution.report() }
        for slot in row * k..<(row + 1) * k {
            let valid =
                indices[slot] == -1 || indices[slot] >= 0 && distances[slot].isFinite && distances[slot] >= 0
            let before = slot == row * k ? (0.0, Int64(-1)) : (distances[slot - 1], indices[slot - 1])
            let ordered =
                indices[slot] == -1
                || (slot == row * k || before.1 >= 0) && (before.0, before.1) < (distances[slot], indices[slot])
            guard valid, ordered else {
                throw CoveyError.invalidData(
                    "indices and distances of query \(row) must ascend to be merged into, slot \(slot - row * k) does "
                        + "not"
                )
            }
        }
    }
}

@c @implementation
public func covey_spanning_edges(
    _ context: OpaquePointer?, _ rows: UnsafePointer<covey_matrix>?, _ row_numbers: UnsafePointer<Int64>?,
    _ core_distances: UnsafePointer<Double>?, _ metric: Int32, _ alpha: Double,
    _ edges: UnsafeMutablePointer<covey_edge>?, _ capacity: Int64, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let execution = execution(context)
        let view = try matrixView(rows, "rows")
        try require(view.rows <= Int(mostRows), "rows.rows must be at most \(mostRows), got \(view.rows)")
        let metric: Metric = try choice(metric, "metric", "COVEY_METRIC_ value")
        let target = try output(edges, "edges", capacity: capacity, count: max(0, view.rows - 1))
        guard view.rows > 0 else { return }
        try checkNumbers(row_numbers, "row_numbers", view.rows, ascending: true, execution)
        let found = try BlockEdges.find(
            view, coreDistances: try required(core_distances, "core_distances"), metric: metric, alpha: alpha,
            execution: execution)
        for (place, edge) in found.enumerated() {
            let (from, to) = (Int(min(edge.from, edge.to)), Int(max(edge.from, edge.to)))
            target[place] = covey_edge(
                from: row_numbers?[from] ?? Int64(from), to: row_numbers?[to] ?? Int64(to), distance: edge.distance)
        }
    }
}

@c @implementation
public func covey_merge_edges(
    _ context: OpaquePointer?, _ rows: Int64, _ edges: UnsafeMutablePointer<covey_edge>?, _ count: Int64,
    _ kept: UnsafeMutablePointer<Int64>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    kept?.pointee = 0
    return boundary(error) {
        let kept = try required(kept, "kept")
        let points = try CoveyABI.count(rows, "rows", in: 0...mostRows)
        let size = try CoveyABI.count(count, "count", in: 0...largestRows)
        guard size > 0 else { return }
        let base = UnsafeMutableRawPointer(try required(edges, "edges")).assumingMemoryBound(to: WeightedEdge.self)
        kept.pointee = Int64(
            try EdgeForest.reduce(
                UnsafeMutableBufferPointer(start: base, count: size), rows: points, execution: execution(context)))
    }
}

/// The caller's pairs as Swift's, which have the same layout.
private func rowPairs(
    _ pairs: UnsafePointer<covey_row_pair>?, _ count: Int64, _ name: String
) throws -> UnsafeBufferPointer<RowPair> {
    let size = try CoveyABI.count(count, name + "_count", in: 0...largestRows)
    guard size > 0 else { return UnsafeBufferPointer(start: nil, count: 0) }
    let base = UnsafeRawPointer(try required(pairs, name)).assumingMemoryBound(to: RowPair.self)
    return UnsafeBufferPointer(start: base, count: size)
}

@c @implementation
public func covey_constrain_edges(
    _ context: OpaquePointer?, _ rows: Int64, _ edges: UnsafePointer<covey_edge>?, _ count: Int64,
    _ must_link: UnsafePointer<covey_row_pair>?, _ must_link_count: Int64,
    _ cannot_link: UnsafePointer<covey_row_pair>?, _ cannot_link_count: Int64,
    _ forest: UnsafeMutablePointer<covey_edge>?, _ capacity: Int64, _ kept: UnsafeMutablePointer<Int64>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    kept?.pointee = 0
    return boundary(error) {
        let kept = try required(kept, "kept")
        let points = try CoveyABI.count(rows, "rows", in: 0...mostRows)
        let given = try weighted(edges, try CoveyABI.count(count, "count", in: 0...largestRows))
        let links = try rowPairs(must_link, must_link_count, "must_link")
        let forbidden = try rowPairs(cannot_link, cannot_link_count, "cannot_link")
        let most = min(max(0, points - 1), given.count + links.count)
        let target = try output(forest, "forest", capacity: capacity, count: most)
        let found = try ConstrainedForest.reduce(
            given, rows: points, mustLink: links, cannotLink: forbidden, execution: execution(context))
        for (index, edge) in found.enumerated() {
            target[index] = covey_edge(from: edge.from, to: edge.to, distance: edge.distance)
        }
        kept.pointee = Int64(found.count)
    }
}
