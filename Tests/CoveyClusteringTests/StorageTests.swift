import CoveyFiles
import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveyClustering

@Suite("Clusterings in files")
struct StorageTests {
    /// Two groups of rows, with a missing row where asked for.
    private func rows(missing: Bool = false) -> Matrix<Double> {
        var random = SeededRandom(seed: 3)
        var matrix = Matrix<Double>(rows: 60, columns: 3, repeating: 0)
        for index in matrix.elements.indices {
            matrix.elements[index] = random.uniform() + (index < 90 ? 0 : 4)
        }
        if missing { matrix.elements[10 * 3 + 1] = .nan }
        return matrix
    }

    private func options(_ change: (inout ClusterOptions) -> Void = { _ in }) -> ClusterOptions {
        var options = ClusterOptions()
        options.prediction = true
        options.clusterSelectionEpsilon = 0.1 + 0.2
        change(&options)
        return options
    }

    private func stored(_ clustering: Clustering) throws -> [UInt8] {
        var writer = SafeTensorsWriter()
        try clustering.store(into: &writer, prefix: "clustering.", Execution())
        return try writer.bytes()
    }

    private func read(_ bytes: [UInt8]) throws -> Clustering {
        let file = try bytes.withUnsafeBytes { try SafeTensors(bytes: $0, origin: "memory") }
        return try Clustering(from: file, prefix: "clustering.", execution: Execution())
    }

    @Test(arguments: [false, true], [false, true])
    func comesBackWhole(missing: Bool, single: Bool) throws {
        let matrix = rows(missing: missing)
        let narrow = Matrix<Float>(rows: 60, columns: 3, elements: matrix.elements.map { Float($0) })
        let options = options { $0.missing = missing ? .noise : .reject }
        let clustering =
            single
            ? try narrow.withView { try Clustering($0, options) } : try matrix.withView { try Clustering($0, options) }
        #expect(clustering.clusterCount == 2)
        let bytes = try stored(clustering)
        let back = try read(bytes)
        #expect(back.options == options)
        #expect(back.rowCount == 60)
        #expect(back.labels == clustering.labels)
        #expect(back.probabilities == clustering.probabilities)
        #expect(close(back.outlierScores, clustering.outlierScores, 0))
        #expect(back.persistence == clustering.persistence)
        #expect(back.spanningTree == clustering.spanningTree)
        #expect(back.exemplars.rows == clustering.exemplars.rows)
        #expect(back.usedRows == clustering.usedRows)
        let expected = try rows().withView { try clustering.predict($0) }
        let placed = try rows().withView { try back.predict($0) }
        #expect(placed.labels == expected.labels)
        #expect(placed.probabilities == expected.probabilities)
        #expect(try stored(back) == bytes)
    }

    @Test func withoutPredictionThereAreNoRows() throws {
        let clustering = try rows().withView { try Clustering($0, options { $0.prediction = false }) }
        let back = try read(try stored(clustering))
        #expect(back.predictor == nil)
        #expect(back.labels == clustering.labels)
    }

    @Test(arguments: [0, 1, 2]) func smallOnesComeBack(count: Int) throws {
        let matrix = Matrix<Double>(rows: count, columns: 2, repeating: 1)
        let clustering = try matrix.withView { try Clustering($0, options()) }
        #expect(try read(try stored(clustering)).labels == [Int32](repeating: -1, count: count))
    }

    // MARK: - Cells

    /// Enough rows for several cells, in three groups.
    private func manyRows() -> Matrix<Float> {
        var random = SeededRandom(seed: 5)
        var matrix = Matrix<Float>(rows: 1500, columns: 3, repeating: 0)
        for index in matrix.elements.indices {
            matrix.elements[index] = Float(random.uniform()) + Float(index / 1500) * 4
        }
        return matrix
    }

    @Test func cellsComeBack() throws {
        let matrix = manyRows()
        let clustering = try matrix.withView { try Clustering($0, options()) }
        let bytes = try stored(clustering)
        let file = try bytes.withUnsafeBytes { try SafeTensors(bytes: $0, origin: "memory") }
        #expect(file.contains("clustering.cells.order"))
        let back = try read(bytes)
        #expect(try stored(back) == bytes)
        let expected = try matrix.withView { try clustering.predict($0) }
        let placed = try matrix.withView { try back.predict($0) }
        #expect(placed.labels == expected.labels && placed.labels == clustering.labels)
        #expect(placed.probabilities == expected.probabilities)
        #expect(placed.neighbours == expected.neighbours)
    }

    /// The file's cells, changed: every other division of the rows gives the same places, and what is none is refused.
    @Test func cellsAreChecked() throws {
        let matrix = manyRows()
        let clustering = try matrix.withView { try Clustering($0, options()) }
        let expected = try matrix.withView { try clustering.predict($0) }
        func changed(_ change: (inout [Int32], inout [Int32]) -> Void) throws -> Clustering {
            var writer = SafeTensorsWriter()
            let bytes = try stored(clustering)
            let file = try bytes.withUnsafeBytes { try SafeTensors(bytes: $0, origin: "memory") }
            var order = try file.values("clustering.cells.order", as: Int32.self, shape: [nil])
            var starts = try file.values("clustering.cells.starts", as: Int32.self, shape: [nil])
            change(&order, &starts)
            writer.setEntry("clustering.options", try file.entry("clustering.options"))
            for name in ["from", "to"] {
                let name = "clustering.spanning_tree." + name
                try writer.add(name, file.values(name, as: Int32.self, shape: [nil]), shape: [1499])
            }
            for (name, count) in [("spanning_tree.distance", 1499), ("core_distances", 1500)] {
                let name = "clustering." + name
                try writer.add(name, file.values(name, as: Double.self, shape: [nil]), shape: [count])
            }
            try writer.add(
                "clustering.rows", file.values("clustering.rows", as: Float.self, shape: [nil, nil]), shape: [1500, 3])
            try writer.add("clustering.cells.order", order, shape: [order.count])
            try writer.add("clustering.cells.starts", starts, shape: [starts.count])
            return try read(try writer.bytes())
        }
        let reversed = try changed { order, starts in
            order.reverse()
            starts = [0, 0, 7, 1500, 1500]
        }
        #expect(try matrix.withView { try reversed.predict($0) }.labels == expected.labels)
        let bad: [(Comment, (inout [Int32], inout [Int32]) -> Void)] = [
            ("a row twice", { order, _ in order[3] = order[4] }), ("a row outside", { order, _ in order[3] = 1500 }),
            ("a negative row", { order, _ in order[3] = -1 }), ("a far row", { order, _ in order[3] = .max }),
            ("too few rows", { order, starts in (order, starts) = ([1, 0], [0, 1, 2]) }),
            ("no cells", { _, starts in starts = [] }), ("one start", { _, starts in starts = [0] }),
            ("one cell", { _, starts in starts = [0, 1500] }),
            ("a late start", { _, starts in starts[0] = 1 }),
            ("an early end", { _, starts in starts[starts.count - 1] = 9 }),
            ("falling", { _, starts in starts[2] = -5 }),
            ("an end beyond", { _, starts in starts[starts.count - 1] = .max }),
            ("too many cells", { _, starts in starts = [Int32](repeating: 0, count: 20_000) + [1500] }),
        ]
        for (what, change) in bad {
            let error = #expect(throws: CoveyError.self, what) { try changed(change) }
            #expect(error?.code == .corruptFile, what)
        }
    }

    // MARK: - Hostile files

    /// What a good file of three rows holds, to be changed.
    private struct Parts {
        var options: String
        var from: [Int32] = [0, 1]
        var to: [Int32] = [1, 2]
        var distances: [Double] = [1, 2]
        var used: [UInt8]?
        var rows: [Double] = [0, 1, 3]
        var columns = 1
        var cores: [Double] = [0, 0, 0]

        init() throws {
            options = try Self.goodOptions()
        }

        private static func goodOptions() throws -> String {
            var options = ClusterOptions()
            options.prediction = true
            let matrix = Matrix<Double>(rows: 3, columns: 1, elements: [0, 1, 3])
            let clustering = try matrix.withView { try Clustering($0, options) }
            var writer = SafeTensorsWriter()
            try clustering.store(into: &writer, prefix: "", Execution())
            let bytes = try writer.bytes()
            return try bytes.withUnsafeBytes { try SafeTensors(bytes: $0, origin: "memory") }.entry("options")
        }

        func read() throws -> Clustering {
            var writer = SafeTensorsWriter()
            writer.setEntry("options", options)
            try writer.add("spanning_tree.from", from, shape: [from.count])
            try writer.add("spanning_tree.to", to, shape: [to.count])
            try writer.add("spanning_tree.distance", distances, shape: [distances.count])
            if let used { try writer.add("used", used, shape: [used.count]) }
            try writer.add("rows", rows, shape: [rows.count / columns, columns])
            try writer.add("core_distances", cores, shape: [cores.count])
            let bytes = try writer.bytes()
            let file = try bytes.withUnsafeBytes { try SafeTensors(bytes: $0, origin: "memory") }
            return try Clustering(from: file, prefix: "", execution: Execution())
        }
    }

    private func refuses(
        _ what: Comment, _ code: StatusCode = .corruptFile, _ change: (inout Parts) -> Void
    ) throws {
        var parts = try Parts()
        change(&parts)
        let error = #expect(throws: CoveyError.self, what) { try parts.read() }
        #expect(error?.code == code, what)
    }

    @Test func refusesWhatCannotBe() throws {
        #expect(try Parts().read().labels == [-1, -1, -1])
        try refuses("row outside") { $0.to[1] = 3 }
        try refuses("row far outside") { $0.to[1] = .max }
        try refuses("negative row") { $0.from[0] = -1 }
        try refuses("a row with itself") { $0.from[0] = 1 }
        try refuses("a cycle") { ($0.from[1], $0.to[1]) = (0, 1) }
        try refuses("NaN distance") { $0.distances[0] = .nan }
        try refuses("negative distance") { $0.distances[0] = -1 }
        try refuses("descending distances") { $0.distances[1] = 0.5 }
        try refuses("too few edges") { $0.from = [0] }
        try refuses("too many edges") { ($0.from, $0.to, $0.distances) = ([0, 1, 2], [1, 2, 3], [1, 1, 1]) }
        try refuses("a row that is not finite") { $0.rows[1] = .infinity }
        try refuses("too few rows") { $0.rows = [0, 1] }
        try refuses("other columns") { ($0.columns, $0.rows) = (2, [0, 1, 2, 3, 4, 5]) }
        try refuses("negative core distance") { $0.cores[2] = -1 }
        try refuses("NaN core distance") { $0.cores[2] = .nan }
        try refuses("too few core distances") { $0.cores = [0] }
        try refuses("rows that are used and none missing") { $0.used = [1, 1, 1] }
        try refuses("not JSON") { $0.options = "{" }
        try refuses("empty JSON") { $0.options = "{}" }
        let options = try Parts().options
        func replaced(_ old: String, _ new: String) -> String {
            let changed = options.split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
            #expect(changed != options, "\(old) in \(options)")
            return changed
        }
        try refuses("other rows") { $0.options = replaced("\"rows\":3", "\"rows\":4") }
        try refuses("negative rows") { $0.options = replaced("\"rows\":3", "\"rows\":-3") }
        try refuses("far too many rows") { $0.options = replaced("\"rows\":3", "\"rows\":9223372036854775807") }
        try refuses("too many rows", .outOfMemory) { $0.options = replaced("\"rows\":3", "\"rows\":1073741824") }
        try refuses("no columns") { $0.options = replaced("\"columns\":1", "\"columns\":0") }
        try refuses("recall above 1") { $0.options = replaced("\"recall\":1", "\"recall\":2") }
        try refuses("unknown metric") { $0.options = replaced("\"metric\":0", "\"metric\":9") }
        try refuses("min_cluster_size 1") { $0.options = replaced("\"minClusterSize\":5", "\"minClusterSize\":1") }
        try refuses("min_samples overflows") {
            $0.options = replaced("\"minSamples\":0", "\"minSamples\":99999999999999999999")
        }
        try refuses("a mask that is no mask") {
            $0.used = [1, 2, 0]
            $0.options = replaced("\"missing\":0", "\"missing\":1")
        }
        try refuses("a mask of other rows") {
            $0.used = [1, 0]
            $0.options = replaced("\"missing\":0", "\"missing\":1")
        }
    }

    /// Whatever a flipped byte makes of a file, it is read or refused.
    @Test func survivesFlippedBytes() throws {
        let clustering = try rows(missing: true).withView { try Clustering($0, options { $0.missing = .noise }) }
        let bytes = try stored(clustering)
        var random = SeededRandom(seed: 9)
        var refused = 0
        for _ in 0..<500 {
            var copy = bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                copy[Int.random(in: 0..<copy.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            do { _ = try read(copy) } catch is CoveyError { refused += 1 }
        }
        #expect(refused > 30)
    }
}
