import CoveyFiles
import CoveyNeighbors
import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveyClustering

/// A row of weight w against w equal rows, in every result.
@Suite("Rows that stand for several")
struct RowCopiesTests {
    /// Rows with weights, and the matrix in which they are repeated.
    private struct Sample {
        var rows: Matrix<Double>
        var weights: [Int64]
        let repeated: Matrix<Double>
        /// The row that each repeated one is.
        let sources: [Int]

        /// - Parameter grid: whole numbers, of which many distances tie.
        init(seed: UInt64, grid: Bool, zeros: Bool = false) {
            var random = SeededRandom(seed: seed)
            let count = Int.random(in: 0..<60, using: &random) + 8
            rows = Matrix<Double>(rows: count, columns: 2, repeating: 0)
            weights = []
            for row in 0..<count {
                let centre = Double(Int.random(in: 0..<3, using: &random)) * 6
                for column in 0..<2 {
                    let value = random.uniform() * 4 + centre
                    rows.elements[row * 2 + column] = grid ? value.rounded() : value
                }
                // Some stand for more rows than the smallest cluster has.
                let kind = Int.random(in: 0..<10, using: &random)
                weights.append(
                    kind == 0 ? 0 : kind < 6 ? 1 : kind < 9 ? Int64(Int.random(in: 0..<4, using: &random)) + 1 : 9)
            }
            if zeros {
                for row in stride(from: 0, to: count, by: 9) {
                    rows.elements[row * 2] = 0
                    rows.elements[row * 2 + 1] = 0
                }
            }
            var sources: [Int] = []
            for row in 0..<count { sources += Array(repeating: row, count: Int(weights[row])) }
            self.sources = sources
            let given = rows.elements
            repeated = Matrix(
                rows: sources.count, columns: 2, elements: sources.flatMap { [given[2 * $0], given[2 * $0 + 1]] })
        }

        func checked() throws -> [Int32]? {
            try weights.withUnsafeBufferPointer { try RowCopies.checked($0, execution: Execution()) }
        }

        func weighted(_ options: ClusterOptions) throws -> Clustering {
            try rows.withView { try Clustering($0, options, weights: try checked()) }
        }
    }

    private static func options(_ number: UInt64) -> ClusterOptions {
        var random = SeededRandom(seed: number &+ 1000)
        var options = ClusterOptions()
        options.minClusterSize = Int.random(in: 0..<7, using: &random) + 2
        options.minSamples = Int.random(in: 0..<7, using: &random) + 1
        options.allowSingleCluster = Int.random(in: 0..<3, using: &random) == 0
        options.selection = Int.random(in: 0..<2, using: &random) == 0 ? .leaf : .excessOfMass
        options.prediction = true
        options.alpha = Int.random(in: 0..<4, using: &random) == 0 ? 0.7 : 1
        options.clusterSelectionEpsilon = Int.random(in: 0..<4, using: &random) == 0 ? 1.5 : 0
        options.clusterSelectionPersistence = Int.random(in: 0..<5, using: &random) == 0 ? 0.1 : 0
        options.maxClusterSize = Int.random(in: 0..<5, using: &random) == 0 ? 40 : 0
        options.strengths = Int.random(in: 0..<2, using: &random) == 0 ? .bounded : .hdbscan
        options.matchReference = Int.random(in: 0..<5, using: &random) == 0
        return options
    }

    @Test(arguments: 0..<300)
    func everyResultIsThatOfRepeatedRows(number: Int) throws {
        let seed = UInt64(number)
        let metric: Metric = number % 5 == 3 ? .manhattan : number % 5 == 4 ? .cosine : .euclidean
        let sample = Sample(seed: seed, grid: number % 2 == 0, zeros: metric == .cosine)
        guard sample.sources.count > 1 else { return }
        var options = RowCopiesTests.options(seed)
        options.metric = metric
        let weighted = try sample.weighted(options)
        let repeated = try sample.repeated.withView { try Clustering($0, options) }
        try expectSame(weighted, repeated, sample, "set \(number)")
        // Files, and other choices on the same tree.
        let bytes = try weighted.file().bytes()
        let back = try bytes.withUnsafeBytes { try Clustering(try SafeTensors(bytes: $0, origin: "memory")) }
        #expect(back.labels == weighted.labels && back.probabilities == weighted.probabilities)
        #expect(back.rows.weights == weighted.rows.weights && back.spanningTree == weighted.spanningTree)
        var other = options
        other.minClusterSize += 3
        other.selection = options.selection == .leaf ? .excessOfMass : .leaf
        try expectSame(weighted.selecting(other), repeated.selecting(other), sample, "set \(number), another choice")
    }

    private func expectSame(_ weighted: Clustering, _ repeated: Clustering, _ sample: Sample, _ what: Comment) throws {
        let sources = sample.sources
        #expect(weighted.minSamples == repeated.minSamples, what)
        #expect(weighted.clusterCount == repeated.clusterCount, what)
        #expect(samePartition(sources.map { weighted.labels[$0] }, repeated.labels), what)
        #expect(close(sources.map { weighted.probabilities[$0] }, repeated.probabilities, 1e-12), what)
        #expect(close(sources.map { weighted.outlierScores[$0] }, repeated.outlierScores, 1e-12), what)
        expectSameTrees(weighted, repeated, what)
        for row in sample.weights.indices where sample.weights[row] == 0 { #expect(weighted.labels[row] == -1, what) }
        guard weighted.clusterCount == repeated.clusterCount else { return }
        // Which number a cluster has follows from its depth in the tree, which copies add to.
        var numbers = [Int](repeating: -1, count: repeated.clusterCount)
        for (place, source) in sources.enumerated() where repeated.labels[place] >= 0 && weighted.labels[source] >= 0 {
            numbers[Int(repeated.labels[place])] = Int(weighted.labels[source])
        }
        for (cluster, number) in numbers.enumerated() where number >= 0 {
            #expect(close(weighted.persistence[number], repeated.persistence[cluster], 1e-6), what)
            #expect(
                weighted.exemplars[number].map { Int($0) }
                    == Set(repeated.exemplars[cluster].map { sources[Int($0)] }).sorted(), what)
        }
        for distance in [0.1, 0.5, 1, 1.0000001, 2, 5] {
            let cut = try weighted.labels(cutAt: distance, minClusterSize: 4)
            let expected = try repeated.labels(cutAt: distance, minClusterSize: 4)
            #expect(samePartition(sources.map { cut[$0] }, expected), what)
        }
        var random = SeededRandom(seed: 77)
        let new = Matrix<Double>(
            rows: 40, columns: 2, elements: (0..<80).map { _ in random.uniform() * 18 - 1 })
        let placed = try new.withView { try weighted.predict($0) }
        let expected = try new.withView { try repeated.predict($0) }
        #expect(placed.labels == expected.labels.map { $0 < 0 ? -1 : Int32(numbers[Int($0)]) }, what)
        #expect(close(placed.probabilities, expected.probabilities, 1e-12), what)
        #expect(close(placed.outlierScores, expected.outlierScores, 1e-12), what)
    }

    private func expectSameTrees(_ weighted: Clustering, _ repeated: Clustering, _ what: Comment) {
        let (tree, other) = (weighted.condensedTree, repeated.condensedTree)
        func clusters(_ tree: CondensedTree) -> [[Double]] {
            tree.clusters.map { [Double($0.size), $0.birth, $0.death, $0.finiteDeath, $0.isLeaf ? 1 : 0] }
                .sorted { $0.lexicographicallyPrecedes($1) }
        }
        #expect(clusters(tree) == clusters(other), what)
        #expect(tree.sizes.reduce(0, +) == other.sizes.reduce(0, +), what)
        #expect(weighted.persistentSizes.sizes == repeated.persistentSizes.sizes, what)
        #expect(close(weighted.persistentSizes.persistence, repeated.persistentSizes.persistence, 1e-9), what)
    }

    /// The same up to the numbers of clusters.
    private func samePartition(_ a: [Int32], _ b: [Int32]) -> Bool {
        var (forth, back): ([Int32: Int32], [Int32: Int32]) = ([-1: -1], [-1: -1])
        return a.count == b.count
            && zip(a, b).allSatisfy { first, second in
                if forth[first] == nil { forth[first] = second }
                if back[second] == nil { back[second] = first }
                return forth[first] == second && back[second] == first
            }
    }

    @Test(arguments: 0..<40)
    func distancesTakeWeightsToo(number: Int) throws {
        let sample = Sample(seed: UInt64(number) + 500, grid: false)
        var options = RowCopiesTests.options(UInt64(number))
        options.prediction = false
        func distances(_ rows: Matrix<Double>) -> Matrix<Double> {
            var result = Matrix<Double>(rows: rows.rows, columns: rows.rows, repeating: 0)
            for i in 0..<rows.rows {
                for j in 0..<rows.rows {
                    let x = rows.elements[2 * i] - rows.elements[2 * j]
                    let y = rows.elements[2 * i + 1] - rows.elements[2 * j + 1]
                    result.elements[i * rows.rows + j] = (x * x + y * y).squareRoot()
                }
            }
            return result
        }
        let weighted = try distances(sample.rows).withView {
            try Clustering(distances: $0, options, weights: try sample.checked())
        }
        let repeated = try distances(sample.repeated).withView { try Clustering(distances: $0, options) }
        // The tree of distances breaks ties of reachability by the order of the rows.
        let rows = try sample.weighted(options)
        #expect(samePartition(weighted.labels, rows.labels))
        #expect(close(weighted.singleLinkageTree.distances, rows.singleLinkageTree.distances, 1e-9))
        #expect(weighted.singleLinkageTree.sizes.last == repeated.singleLinkageTree.sizes.last)
        #expect(weighted.minSamples == repeated.minSamples)
    }

    @Test func oneRowAndNone() throws {
        for weight in [0, 1, 2, 5, 6] as [Int64] {
            var sample = Sample(seed: 1, grid: false)
            sample.rows = Matrix(rows: 1, columns: 2, elements: [1, 2])
            sample.weights = [weight]
            var options = ClusterOptions()
            options.allowSingleCluster = true
            options.prediction = true
            let found = try sample.weighted(options)
            let repeated = Matrix<Double>(
                rows: Int(weight), columns: 2, elements: Array(repeating: [1, 2], count: Int(weight)).flatMap { $0 })
            let expected = try repeated.withView { try Clustering($0, options) }
            #expect(found.clusterCount == expected.clusterCount)
            #expect(found.labels == [expected.labels.first ?? -1])
            #expect(found.probabilities == [expected.probabilities.first ?? 0])
            #expect(found.persistence == expected.persistence)
            _ = try found.file().bytes()
        }
    }

    @Test func whatCannotBeIsRefused() throws {
        func refusal(_ weights: [Int64]) -> String {
            do {
                _ = try weights.withUnsafeBufferPointer { try RowCopies.checked($0, execution: Execution()) }
                return ""
            } catch { return (error as? CoveyError)?.message ?? "\(error)" }
        }
        #expect(refusal([1, -1]) == "weights[1] must be at least 0, got -1")
        #expect(
            refusal([1 << 30, 1]).hasPrefix("weights must add up to at most 1073741824, and exceed that at weights[1]"))
        #expect(refusal([.max, .max]) != "" && refusal([.min]) != "")
        #expect(refusal([1 << 30]) == "" && refusal([]) == "")
        // A row of weight 0 is not looked at, other rows are.
        var sample = Sample(seed: 3, grid: false)
        sample.weights[2] = 0
        sample.rows.elements[4] = .nan
        #expect(try sample.weighted(ClusterOptions()).labels[2] == -1)
        sample.weights[2] = 1
        #expect(throws: CoveyError.self) { try sample.weighted(ClusterOptions()) }
    }
}
