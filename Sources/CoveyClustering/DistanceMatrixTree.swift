import CoveyRuntime
import CoveyTables

/// The spanning tree of mutual reachability from a matrix of distances, whatever they measure: Prim 1957. Equal rows
/// join each other first, and the order of the rows decides nothing that the distances decide (`DistinctPlaces`).
enum DistanceMatrixTree {
    /// O(n^2) time, O(n) memory. `distances` is square; row i says how far each row is from row i.
    /// - Parameters:
    ///   - used: the rows meant, ascending, which are the points of the tree; nil = all.
    ///   - weights: how many rows each of them stands for; nil = one.
    static func build(
        _ distances: MatrixView, used: [Int32]?, weights: [Int32]?, minSamples: Int, alpha: Double,
        execution: Execution
    ) throws -> SpanningTree {
        let count = used?.count ?? distances.rows
        try check(distances, execution)
        let cores = try coreDistances(distances, used, weights, minSamples, execution)
        let places = try DistinctPlaces(distances, used: used, weights: weights, execution: execution)
        let order = places.order
        var edges = try joinDistinct(places, distances, used, cores, alpha, execution)
        for i in 0..<places.count {
            let first = places.starts[i]
            // Equal rows join at their core distance, and no other edge of theirs is shorter.
            for place in first..<places.starts[i + 1] where place > first {
                edges.append(SpanningTree.Edge(from: first, to: place, distance: cores[Int(order[Int(first)])]))
            }
        }
        return try SpanningTree(pointCount: count, edges: edges, execution: execution)
            .renumbered(order, execution: execution)
            .with(weights.map { RowCopies(counts: $0, distances: cores) })
    }

    /// The tree of the distinct rows, between positions in `places.order`.
    private static func joinDistinct(
        _ places: DistinctPlaces, _ distances: MatrixView, _ used: [Int32]?, _ cores: [Double], _ alpha: Double,
        _ execution: Execution
    ) throws -> [SpanningTree.Edge] {
        let count = places.count
        // Of each distinct row: its position among the rows used, and its row in the matrix.
        let rows = (0..<count).map { Int(places.order[Int(places.starts[$0])]) }
        let numbers = rows.map { row in used.map { Int($0[row]) } ?? row }
        var nearest = [Double](repeating: .infinity, count: count)
        var ends = [Int](repeating: 0, count: count)
        var isInside = [Bool](repeating: false, count: count)
        var line = [Double](repeating: 0, count: distances.rows)
        var edges: [SpanningTree.Edge] = []
        edges.reserveCapacity(max(0, places.order.count - 1))
        var last = 0
        while edges.count < count - 1 {
            try execution.report("spanning tree", Double(edges.count) / Double(count))
            isInside[last] = true
            line.withUnsafeMutableBufferPointer { distances.copyRow(numbers[last], to: $0.baseAddress!) }
            var next = -1
            for other in 0..<count where !isInside[other] {
                let reach = max(line[numbers[other]] / alpha, cores[rows[last]], cores[rows[other]])
                if reach < nearest[other] {
                    nearest[other] = reach
                    ends[other] = last
                }
                if next < 0 || nearest[other] < nearest[next] { next = other }
            }
            edges.append(
                SpanningTree.Edge(
                    from: places.starts[min(next, ends[next])], to: places.starts[max(next, ends[next])],
                    distance: nearest[next]))
            last = next
        }
        return edges
    }

    private static func check(_ distances: MatrixView, _ execution: Execution) throws {
        for row in 0..<distances.rows {
            try execution.check()
            for column in 0..<distances.columns {
                let distance = distances[row, column]
                guard distance.isFinite, distance >= 0 else {
                    throw CoveyError.invalidData(
                        "distances row \(row), column \(column) must be finite and at least 0, got \(distance)")
                }
                // Equal up to the rounding of the caller's computation.
                guard column >= row || abs(distance - distances[column, row]) <= 1e-8 + 1e-5 * distance else {
                    throw CoveyError.invalidData(
                        "distances must be symmetric, got \(distance) from row \(row) to row \(column) and "
                            + "\(distances[column, row]) back")
                }
            }
        }
    }

    /// The distance to neighbour `minSamples`; the row itself counts as neighbour 0, whatever its distance, and so do
    /// its copies.
    private static func coreDistances(
        _ distances: MatrixView, _ used: [Int32]?, _ weights: [Int32]?, _ minSamples: Int, _ execution: Execution
    ) throws -> [Double] {
        let count = used?.count ?? distances.rows
        var cores = [Double](repeating: 0, count: count)
        guard count > 1 else { return cores }
        func number(_ place: Int) -> Int { used.map { Int($0[place]) } ?? place }
        try cores.withUnsafeMutableBufferPointer { cores in
            nonisolated(unsafe) let cores = cores
            try execution.parallel(count, grain: 16, stage: "core distances") { chunk, _ in
                if let weights {
                    var line: [(distance: Double, weight: Int32)] = []
                    for row in chunk {
                        try execution.check()
                        line.removeAll(keepingCapacity: true)
                        for other in 0..<count where other != row {
                            line.append((distances[number(row), number(other)], weights[other]))
                        }
                        cores[row] = core(&line, minSamples - Int(weights[row]) + 1)
                    }
                    return
                }
                var heap = LargestFirst(capacity: minSamples)
                for row in chunk {
                    try execution.check()
                    heap.removeAll()
                    for other in 0..<count where other != row { heap.offer(distances[number(row), number(other)]) }
                    cores[row] = heap.largest
                }
            }
        }
        return cores
    }

    /// The distance of neighbour number `wanted`, where each of them counts as many times as its weight.
    private static func core(_ line: inout [(distance: Double, weight: Int32)], _ wanted: Int) -> Double {
        guard wanted > 0 else { return 0 }
        line.sort { $0.distance < $1.distance }
        var seen = 0
        for (distance, weight) in line {
            seen += Int(weight)
            if seen >= wanted { return distance }
        }
        return line.last?.distance ?? 0
    }

    /// The smallest numbers offered, as a heap with the largest on top.
    private struct LargestFirst {
        private var values: [Double] = []
        private let capacity: Int

        init(capacity: Int) { self.capacity = capacity }

        var largest: Double { values.first ?? 0 }

        mutating func removeAll() { values.removeAll(keepingCapacity: true) }

        mutating func offer(_ value: Double) {
            if values.count < capacity {
                values.append(value)
                var place = values.count - 1
                while place > 0, values[(place - 1) / 2] < values[place] {
                    values.swapAt(place, (place - 1) / 2)
                    place = (place - 1) / 2
                }
            } else if value < values[0] {
                values[0] = value
                var place = 0
                while true {
                    var child = 2 * place + 1
                    guard child < values.count else { break }
                    if child + 1 < values.count, values[child + 1] > values[child] { child += 1 }
                    guard values[child] > values[place] else { break }
                    values.swapAt(place, child)
                    place = child
                }
            }
        }
    }
}

extension Clustering {
    /// Clusters rows of which the distances to each other are known. `options.metric` is ignored; there is no
    /// prediction data. Throws `invalidData` for distances that are not finite, negative or not symmetric, `mismatch`
    /// where the matrix is not square.
    /// - Parameter weights: as of the initialiser for rows.
    public convenience init(
        distances: MatrixView, _ options: ClusterOptions, weights: [Int32]? = nil, execution: Execution = Execution()
    ) throws {
        try options.validate()
        guard distances.rows == distances.columns else {
            throw CoveyError.mismatch("distances must be square, got \(distances.rows) x \(distances.columns)")
        }
        try Clustering.requireNoPrediction(options)
        try require(
            options.search == .exact,
            "options.search must be COVEY_SEARCH_EXACT if distances are given: all of them are looked at")
        let count = distances.rows
        try execution.hold(count, of: Clustering.bytesPerRow, for: "clustering \(count) rows")
        let used = weights.flatMap { weights in
            weights.contains(0) ? weights.indices.filter { weights[$0] > 0 }.map { Int32($0) } : nil
        }
        let counts = weights.map { $0.filter { $0 > 0 } }
        let minSamples = options.resolvedMinSamples(rows: counts.map { $0.reduce(0) { $0 + Int($1) } } ?? count)
        let tree = try DistanceMatrixTree.build(
            distances, used: used, weights: counts, minSamples: minSamples, alpha: options.alpha, execution: execution)
        let rows = try FittedRows(
            rowCount: count, columnCount: max(1, min(count, 65_536)), usedRows: used, weights: weights,
            minSamples: minSamples, recall: 1, spanningTree: tree, reference: nil, execution: execution)
        try self.init(rows, options, execution: execution)
    }

    /// Clusters the rows of a spanning tree of mutual reachability. `options` that say how it is found are ignored.
    public convenience init(
        _ tree: SpanningTree, _ options: ClusterOptions, execution: Execution = Execution()
    ) throws {
        try options.validate()
        try Clustering.requireNoPrediction(options)
        let rows = try FittedRows(
            rowCount: tree.pointCount, columnCount: max(1, min(tree.pointCount, 65_536)), usedRows: nil,
            minSamples: options.resolvedMinSamples(rows: tree.pointCount), recall: 1, spanningTree: tree,
            reference: nil,
            execution: execution)
        try self.init(rows, options, execution: execution)
    }

    private static func requireNoPrediction(_ options: ClusterOptions) throws {
        try require(
            !options.prediction, "options.prediction must be 0 if distances are given: there are no rows to keep")
    }
}
