import CCovey
import CoveyClustering
import CoveyNeighbors
import CoveyRuntime
import CoveyTables

// Section 8 of covey.h: clustering from distances and trees, cuts, soft membership, validity.

@c @implementation
public func covey_cluster_distances(
    _ context: OpaquePointer?, _ distances: UnsafePointer<covey_matrix>?,
    _ options: UnsafePointer<covey_cluster_options>?, _ clustering: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    clustering?.pointee = nil
    return boundary(error) {
        let clustering = try required(clustering, "clustering")
        let chosen = try clusterOptions(options)
        let view = try matrixView(distances, "distances")
        let execution = execution(context)
        let weights = try rowWeights(options, rows: view.rows, execution)
        clustering.pointee = Handle.retain(
            try Clustering(distances: view, chosen, weights: weights, execution: execution))
    }
}

@c @implementation
public func covey_cluster_spanning_tree(
    _ context: OpaquePointer?, _ rows: Int64, _ edges: UnsafePointer<covey_edge>?,
    _ options: UnsafePointer<covey_cluster_options>?, _ clustering: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    clustering?.pointee = nil
    return boundary(error) {
        let clustering = try required(clustering, "clustering")
        let chosen = try unweightedOptions(options)
        let points = try count(rows, "rows", in: 0...Int64(SingleLinkageTree.largestPointCount))
        let execution = execution(context)
        try execution.hold(points, of: 200, for: "clustering \(points) rows")
        var tree: [SpanningTree.Edge] = []
        tree.reserveCapacity(max(0, points - 1))
        let given = points > 1 ? try required(edges, "edges") : nil
        for index in 0..<max(0, points - 1) {
            if index & 0xFFFFF == 0 { try execution.report() }
            let edge = given![index]
            guard edge.from >= 0, edge.to >= 0, edge.from < rows, edge.to < rows, edge.from != edge.to,
                edge.distance.isFinite, edge.distance >= 0
            else {
                throw CoveyError.invalidData(
                    "edges[\(index)] must join two of the \(rows) rows at a finite distance, got \(edge.from), "
                        + "\(edge.to) at \(edge.distance)")
            }
            tree.append(
                SpanningTree.Edge(from: Int32(edge.from), to: Int32(edge.to), distance: edge.distance))
        }
        do {
            clustering.pointee = Handle.retain(
                try Clustering(
                    try SpanningTree(pointCount: points, edges: tree, execution: execution), chosen,
                    execution: execution))
        } catch let error as CoveyError where error.code == .internalError {
            // Edges that close a cycle.
            throw CoveyError.invalidData("edges must be a tree: \(error.message)")
        }
    }
}

@c @implementation
public func covey_clustering_cut(
    _ clustering: OpaquePointer?, _ context: OpaquePointer?, _ distance: Double, _ min_cluster_size: Int64,
    _ labels: UnsafeMutablePointer<Int32>?, _ capacity: Int64, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let clustering: Clustering = try Handle.required(clustering, "clustering")
        let target = try output(labels, "labels", capacity: capacity, count: clustering.rowCount)
        _ = target.update(
            from: try clustering.labels(
                cutAt: distance, minClusterSize: Int(min_cluster_size), execution: execution(context)))
    }
}

@c @implementation
public func covey_clustering_size_count(_ clustering: OpaquePointer?) -> Int64 {
    guard let clustering else { return 0 }
    return Int64(Handle.object(clustering, as: Clustering.self).persistentSizes.sizes.count)
}

@c @implementation
public func covey_clustering_sizes(
    _ clustering: OpaquePointer?, _ sizes: UnsafeMutablePointer<Int64>?, _ persistence: UnsafeMutablePointer<Double>?,
    _ capacity: Int64, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let clustering: Clustering = try Handle.required(clustering, "clustering")
        let found = clustering.persistentSizes
        let target = try output(sizes, "sizes", capacity: capacity, count: found.sizes.count)
        for (index, size) in found.sizes.enumerated() { target[index] = Int64(size) + 1 }
        persistence?.update(from: found.persistence, count: found.persistence.count)
    }
}

/// Where the rows of a result are written.
private struct MembershipOutput: @unchecked Sendable {
    let clusters: UnsafeMutablePointer<Int32>?
    let numbers: UnsafeMutablePointer<Double>
    let width: Int

    func write(_ row: Int, _ best: [Int32], _ values: [Double]) {
        (numbers + row * width).update(from: values, count: min(width, values.count))
        if let clusters { (clusters + row * width).update(from: best, count: min(width, best.count)) }
    }
}

@c @implementation
public func covey_clustering_membership(
    _ clustering: OpaquePointer?, _ context: OpaquePointer?, _ matrix: UnsafePointer<covey_matrix>?, _ count: Int64,
    _ clusters: UnsafeMutablePointer<Int32>?, _ memberships: UnsafeMutablePointer<Double>?, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let clustering: Clustering = try Handle.required(clustering, "clustering")
        let view = try matrix.map { try matrixView($0, "matrix") }
        let wanted = try CoveyABI.count(count, "count", in: 0...Int64(SingleLinkageTree.largestPointCount))
        let width = wanted == 0 ? clustering.clusterCount : wanted
        let size = try checkedProduct(view?.rows ?? clustering.rowCount, width, "memberships")
        let target = try output(memberships, "memberships", capacity: capacity, count: size)
        try require(
            wanted == 0 || size == 0 || clusters != nil, "clusters must not be NULL where count is not 0")
        target.update(repeating: 0)
        if wanted > 0, let clusters { clusters.update(repeating: -1, count: size) }
        // Without clusters there is nothing to write; prediction data is asked for all the same.
        let none = UnsafeMutablePointer<Double>(bitPattern: 64)!
        let result = MembershipOutput(
            clusters: wanted == 0 ? nil : clusters, numbers: target.baseAddress ?? none, width: width)
        try clustering.memberships(of: view, count: wanted, execution: execution(context)) { row, best, values in
            result.write(row, best, values)
        }
    }
}

@c @implementation
public func covey_validity(
    _ context: OpaquePointer?, _ matrix: UnsafePointer<covey_matrix>?, _ labels: UnsafePointer<Int32>?,
    _ metric: Int32, _ plain_distances: Int32, _ index: UnsafeMutablePointer<Double>?,
    _ clusters: UnsafeMutablePointer<Double>?, _ capacity: Int64, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let index = try required(index, "index")
        let view = try matrixView(matrix, "matrix")
        let metric: Metric = try choice(metric, "metric", "COVEY_METRIC_ value")
        let plain = try flag(plain_distances, "plain_distances")
        let given = view.rows == 0 ? nil : try required(labels, "labels")
        let execution = execution(context)
        try execution.hold(view.rows, of: 4, for: "labels")
        let result = try Validity(
            view, labels: (0..<view.rows).map { given![$0] }, metric: metric, plain: plain, execution: execution)
        if clusters != nil {
            let target = try output(clusters, "clusters", capacity: capacity, count: result.clusters.count)
            _ = target.update(from: result.clusters)
        }
        index.pointee = result.index
    }
}
