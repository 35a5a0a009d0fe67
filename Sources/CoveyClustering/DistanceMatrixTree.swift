import CoveyRuntime
import CoveyTables

/// The spanning tree of mutual reachability from a matrix of distances, whatever they measure: Prim 1957.
enum DistanceMatrixTree {
    /// O(n^2) time, O(n) memory. `distances` is square; row i says how far each row is from row i.
    static func build(
        _ distances: MatrixView, minSamples: Int, alpha: Double, execution: Execution
    ) throws -> SpanningTree {
        let count = distances.rows
        try check(distances, execution)
        let cores = try coreDistances(distances, minSamples, execution)
        var nearest = [Double](repeating: .infinity, count: count)
        var ends = [Int32](repeating: 0, count: count)
        var isInside = [Bool](repeating: false, count: count)
        var line = [Double](repeating: 0, count: count)
        var edges: [SpanningTree.Edge] = []
        edges.reserveCapacity(max(0, count - 1))
        var row = 0
        while edges.count < count - 1 {
            try execution.report("spanning tree", Double(edges.count) / Double(count))
            isInside[row] = true
            line.withUnsafeMutableBufferPointer { distances.copyRow(row, to: $0.baseAddress!) }
            var next = -1
            for other in 0..<count where !isInside[other] {
                let reach = max(line[other] / alpha, cores[row], cores[other])
                if reach < nearest[other] {
                    nearest[other] = reach
                    ends[other] = Int32(row)
                }
                if next < 0 || nearest[other] < nearest[next] { next = other }
            }
            let (a, b) = (Int32(next), ends[next])
            edges.append(SpanningTree.Edge(from: min(a, b), to: max(a, b), distance: nearest[next]))
            row = next
        }
        return try SpanningTree(pointCount: count, edges: edges, execution: execution)
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

    /// The distance to neighbour `minSamples`; the row itself counts as neighbour 0, whatever its distance.
    private static func coreDistances(
        _ distances: MatrixView, _ minSamples: Int, _ execution: Execution
    ) throws -> [Double] {
        let count = distances.rows
        var cores = [Double](repeating: 0, count: count)
        guard count > 1 else { return cores }
        try cores.withUnsafeMutableBufferPointer { cores in
            nonisolated(unsafe) let cores = cores
            try execution.parallel(count, grain: 16, stage: "core distances") { chunk, _ in
                var heap = LargestFirst(capacity: minSamples)
                for row in chunk {
                    try execution.check()
                    heap.removeAll()
                    for other in 0..<count where other != row { heap.offer(distances[row, other]) }
                    cores[row] = heap.largest
                }
            }
        }
        return cores
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
    public convenience init(
        distances: MatrixView, _ options: ClusterOptions, execution: Execution = Execution()
    ) throws {
        try options.validate()
        guard distances.rows == distances.columns else {
            throw CoveyError.mismatch("distances must be square, got \(distances.rows) x \(distances.columns)")
        }
        try Clustering.requireNoPrediction(options)
        try require(
            options.search == .exact,
            "search must be COVEY_SEARCH_EXACT where distances are given: all of them are looked at")
        let count = distances.rows
        try execution.hold(count, of: Clustering.bytesPerRow, for: "clustering \(count) rows")
        let tree = try DistanceMatrixTree.build(
            distances, minSamples: options.resolvedMinSamples(rows: count), alpha: options.alpha, execution: execution)
        try self.init(tree, options, execution: execution)
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
        try require(!options.prediction, "prediction must be 0 where distances are given: there are no rows to keep")
    }
}
