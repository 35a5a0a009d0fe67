import CCoveyKernels
import CoveyNeighbors
import CoveyRuntime
import CoveyTables
import Glibc

/// How much a row belongs to every cluster, not to its own alone: hdbscan's membership_vector (new rows) and
/// all_points_membership_vectors (fitted rows). Two things are multiplied for each cluster: how near its exemplars are,
/// and how late the row and the cluster part in the condensed tree; the products are scaled to the chance that the row
/// is in any of them.
struct MembershipVectors {
    private let tree: CondensedTree
    private let nodes: [Int32]
    private let exemplars: ExemplarRows
    /// Between which nodes of the condensed tree each node of it lies, depth first: a node is above another if it spans
    /// it.
    private let spans: [Range<Int32>]

    init(_ clustering: Clustering, _ predictor: Predictor, _ execution: Execution) throws {
        tree = clustering.condensedTree
        nodes = clustering.selection.nodes
        exemplars = try ExemplarRows(clustering, predictor.reference, execution)
        spans = MembershipVectors.spans(tree)
    }

    private static func spans(_ tree: CondensedTree) -> [Range<Int32>] {
        let clusters = tree.clusters
        var counts = [Int32](repeating: 1, count: clusters.count)
        for node in clusters.indices.dropFirst().reversed() { counts[Int(clusters[node].parent)] += counts[node] }
        var starts = [Int32](repeating: 0, count: clusters.count)
        for node in clusters.indices where !clusters[node].isLeaf {
            let first = Int(clusters[node].firstChild)
            starts[first] = starts[node] + 1
            starts[first + 1] = starts[first] + counts[first]
        }
        return clusters.indices.map { starts[$0]..<starts[$0] + counts[$0] }
    }

    /// The lambda at which each cluster and a node of the tree part; nil if one is above the other.
    func partings(from node: Int) -> [Double?] {
        // The deepest node above each cluster that is also above `node`, from the root down.
        var common = [Int32](repeating: 0, count: tree.clusters.count)
        let place = spans[node].lowerBound
        for other in tree.clusters.indices.dropFirst() {
            common[other] = spans[other].contains(place) ? Int32(other) : common[Int(tree.clusters[other].parent)]
        }
        return nodes.map { cluster in
            if spans[Int(cluster)].contains(place) || spans[node].contains(spans[Int(cluster)].lowerBound) {
                return nil
            }
            let parting = tree.clusters[Int(common[Int(cluster)])]
            return tree.clusters[Int(parting.firstChild)].birth
        }
    }

    /// What one thread writes into.
    struct Scratch {
        var distances: [Double]
        var heights: [Double]
        var query: [Double]

        init(clusters: Int, columns: Int) {
            distances = [Double](repeating: 0, count: clusters)
            heights = distances
            query = [Double](repeating: 0, count: columns)
        }
    }

    /// The memberships of a row, into `scratch.distances`: hdbscan's all_points_membership_vectors where the row was
    /// fitted.
    func write(
        _ view: MatrixView, row: Int, node: Int, lambda: Double, partings: [Double?], fitted: Bool,
        _ scratch: inout Scratch
    ) {
        exemplars.inverseDistances(view, row, &scratch)
        var (best, height) = (0, -1.0)
        for cluster in nodes.indices {
            let parting = partings[cluster] ?? lambda
            scratch.heights[cluster] = parting
            if parting > height { (best, height) = (cluster, parting) }
        }
        let death = tree.clusters[node].death
        // Scores grow with the height, so that the best one bounds the others and no exponential overflows.
        let least = fitted ? MembershipVectors.fitted(death, height) : MembershipVectors.new(death, height)
        var sum = 0.0
        for cluster in nodes.indices {
            let score =
                fitted
                ? MembershipVectors.fitted(death, scratch.heights[cluster])
                : MembershipVectors.new(death, scratch.heights[cluster])
            let apart = exp(score - least)
            let near = scratch.distances[cluster]
            let product = fitted ? near * apart : near.squareRoot() * apart * apart
            scratch.distances[cluster] = product
            sum += product
        }
        let nodeDeath = tree.clusters[Int(nodes[best])].death
        let most = fitted ? max(nodeDeath, lambda) : max(lambda, nodeDeath) + 1e-8
        let inside = most == 0 || height == .infinity ? 1 : min(1, height / most)
        for cluster in nodes.indices {
            scratch.distances[cluster] = sum > 0 ? scratch.distances[cluster] / sum * inside : 0
        }
    }

    @inline(__always)
    private static func fitted(_ death: Double, _ height: Double) -> Double {
        height == .infinity ? 1 : height > 0 ? exp(-((death + 1e-8) / height)) : 0
    }

    @inline(__always)
    private static func new(_ death: Double, _ height: Double) -> Double {
        let gap = death - height
        // As hdbscan: a row as dense as the densest counts as 1e-8 below it.
        return gap.isNaN || gap == .infinity ? 1 : death / (gap > 0 ? gap : 1e-8)
    }
}

/// The exemplars of all clusters side by side, as float64, of length 1 for cosine.
private struct ExemplarRows {
    private let rows: AlignedBuffer<Double>
    private let offsets: [Int]
    private let columns: Int
    private let metric: Metric

    init(_ clustering: Clustering, _ reference: ReferenceRows, _ execution: Execution) throws {
        offsets = clustering.exemplars.offsets
        columns = clustering.columnCount
        metric = reference.metric
        let count = try checkedProduct(clustering.exemplars.rows.count, columns, "exemplars")
        rows = try AlignedBuffer(max(1, count), for: "the exemplars", execution)
        // Places of the caller's rows among those kept.
        let used = clustering.usedRows
        let (rows, columns, metric) = (rows, columns, metric)
        reference.withView { view in
            for (number, row) in clustering.exemplars.rows.enumerated() {
                let place = used.map { Self.place(of: row, in: $0) } ?? Int(row)
                Self.copy(view, place, to: rows.pointer + number * columns, metric)
            }
        }
    }

    private static func place(of row: Int32, in used: [Int32]) -> Int {
        var (low, high) = (0, used.count)
        while low < high {
            let middle = (low + high) / 2
            if used[middle] < row { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func copy(
        _ view: MatrixView, _ row: Int, to target: UnsafeMutablePointer<Double>, _ metric: Metric
    ) {
        for column in 0..<view.columns { target[column] = view[row, column] }
        guard metric == .cosine else { return }
        var largest = 0.0
        for column in 0..<view.columns { largest = max(largest, abs(target[column])) }
        guard largest > 0 else { return }
        var sum = 0.0
        for column in 0..<view.columns {
            target[column] /= largest
            sum += target[column] * target[column]
        }
        let length = sum.squareRoot()
        for column in 0..<view.columns { target[column] /= length }
    }

    /// 1 / the distance to the nearest exemplar of each cluster, relative to their sum; a row that is one belongs to it
    /// alone.
    func inverseDistances(_ view: MatrixView, _ row: Int, _ scratch: inout MembershipVectors.Scratch) {
        scratch.query.withUnsafeMutableBufferPointer { query in
            guard let query = query.baseAddress else { return }
            Self.copy(view, row, to: query, metric)
            var sum = 0.0
            for cluster in scratch.distances.indices {
                var least = Double.infinity
                for exemplar in offsets[cluster]..<offsets[cluster + 1] {
                    let other = rows.pointer + exemplar * columns
                    let reduced =
                        metric == .manhattan
                        ? ck_manhattan_distance_f64(query, other, Int64(columns))
                        : ck_squared_distance_f64(query, other, Int64(columns))
                    least = min(least, reduced)
                }
                let distance = metric == .euclidean ? least.squareRoot() : metric == .cosine ? min(2, least / 2) : least
                let inverse = distance > 0 ? 1 / distance : .greatestFiniteMagnitude
                let share = min(inverse, .greatestFiniteMagnitude / Double(scratch.distances.count))
                scratch.distances[cluster] = share
                sum += share
            }
            for cluster in scratch.distances.indices { scratch.distances[cluster] /= sum }
        }
    }
}

extension Clustering {
    /// The memberships of rows, the largest first: for each, `count` clusters (-1 if there are fewer) and numbers.
    /// With `count` 0 all clusters in their order, and no list of them.
    ///
    /// - Parameters:
    ///   - view: new rows; nil = the fitted ones, of which those that were not used have no membership.
    ///   - output: row by row, from several threads.
    /// Throws `invalidArgument` without prediction data, `mismatch`, `invalidData`, `outOfMemory`, `cancelled`.
    public func memberships(
        of view: MatrixView?, count: Int, execution: Execution = Execution(),
        _ output: @Sendable (_ row: Int, _ clusters: [Int32], _ numbers: [Double]) -> Void
    ) throws {
        guard let predictor else {
            throw CoveyError.invalidArgument("the clustering has no prediction data: it was made with prediction = 0")
        }
        let vectors = try MembershipVectors(self, predictor, execution)
        if let view {
            guard view.columns == columnCount else {
                throw CoveyError.mismatch("matrix.columns must be \(columnCount), as clustered, got \(view.columns)")
            }
            let usable = try FiniteRows.find(in: view, missing: options.missing, execution: execution)
            let copy = try usable.map { try ReferenceRows.Storage(view, rows: $0, execution) }
            let place: (MatrixView) throws -> [(row: Int, node: Int, lambda: Double)] = { rows in
                try predictor.place(rows, self.options.strengths, execution: execution).enumerated().map {
                    index, place in
                    let neighbour = Int(place.neighbour)
                    let lambda = neighbour < 0 ? 0 : min(place.lambda, self.condensedTree.rowLambdas[neighbour])
                    return (index, neighbour < 0 ? 0 : Int(self.condensedTree.rowClusters[neighbour]), lambda)
                }
            }
            func run(_ rows: MatrixView) throws {
                // As hdbscan, whose lambda is a single there.
                let places = try place(rows).map { ($0.row, $0.node, MembershipVectors.single($0.lambda)) }
                try write(vectors, rows, places, fitted: false, count: count, execution) { row, clusters, numbers in
                    output(usable.map { Int($0[row]) } ?? row, clusters, numbers)
                }
            }
            if let copy { try copy.withView(run) } else { try run(view) }
        } else {
            let tree = condensedTree
            try predictor.reference.withView { rows in
                let places = (0..<tree.pointCount).map { ($0, Int(tree.rowClusters[$0]), tree.rowLambdas[$0]) }
                try write(vectors, rows, places, fitted: true, count: count, execution) { row, clusters, numbers in
                    output(self.rowNumber(row), clusters, numbers)
                }
            }
        }
    }

    private func write(
        _ vectors: MembershipVectors, _ view: MatrixView, _ places: [(row: Int, node: Int, lambda: Double)],
        fitted: Bool, count: Int, _ execution: Execution,
        _ output: @Sendable (_ row: Int, _ clusters: [Int32], _ numbers: [Double]) -> Void
    ) throws {
        guard !places.isEmpty, clusterCount > 0 else { return }
        // Rows of one node part from the clusters at the same lambdas.
        let order = places.indices.sorted { (places[$0].node, $0) < (places[$1].node, $1) }
        let grain = max(1, min(256, 1 << 22 / (clusterCount * max(1, columnCount))))
        try execution.parallel(order.count, grain: grain, stage: "membership") { chunk, _ in
            var scratch = MembershipVectors.Scratch(clusters: clusterCount, columns: columnCount)
            var last = -1
            var partings: [Double?] = []
            for index in chunk {
                try execution.check()
                let (row, node, lambda) = places[order[index]]
                if node != last {
                    partings = vectors.partings(from: node)
                    last = node
                }
                vectors.write(view, row: row, node: node, lambda: lambda, partings: partings, fitted: fitted, &scratch)
                if count == 0 {
                    output(row, [], scratch.distances)
                } else {
                    let best = MembershipVectors.largest(scratch.distances, count)
                    output(row, best, best.map { scratch.distances[Int($0)] })
                }
            }
        }
    }
}

extension MembershipVectors {
    static func single(_ value: Double) -> Double {
        value < Double(Float.greatestFiniteMagnitude) && value > Double(Float.leastNormalMagnitude)
            ? Double(Float(value)) : value
    }

    /// The places of the `count` largest numbers, the largest first, of equal ones the first.
    static func largest(_ values: [Double], _ count: Int) -> [Int32] {
        guard count > 0 else { return [] }
        var best: [Int32] = []
        best.reserveCapacity(min(count, values.count) + 1)
        for (index, value) in values.enumerated() {
            if best.count == count, value <= values[Int(best[count - 1])] { continue }
            var (low, high) = (0, best.count)
            while low < high {
                let middle = (low + high) / 2
                if values[Int(best[middle])] >= value { low = middle + 1 } else { high = middle }
            }
            best.insert(Int32(index), at: low)
            if best.count > count { best.removeLast() }
        }
        return best
    }
}
