import CoveyRuntime
import CoveyTables
import Synchronization
import Testing

@testable import CoveyClustering

@Suite struct ClusteringTests {
    private func tree(_ edges: [(Int32, Int32, Double)]) throws -> SpanningTree {
        try SpanningTree(
            pointCount: edges.count + 1,
            edges: edges.map { SpanningTree.Edge(from: $0.0, to: $0.1, distance: $0.2) })
    }

    private func clustering(_ tree: SpanningTree, _ options: ClusterOptions = ClusterOptions()) throws -> Clustering {
        let rows = try FittedRows(
            rowCount: tree.pointCount, columnCount: 1, usedRows: nil, minSamples: 1, recall: 1, spanningTree: tree,
            reference: nil, execution: Execution())
        return try Clustering(rows, options, execution: Execution())
    }

    // MARK: - Shape of the tree

    /// A tree that is as deep as it has rows: each row joins all before it.
    @Test func chainOfAMillionLevels() throws {
        let count = 1_000_000
        let result = try clustering(try tree((1..<Int32(count)).map { (0, $0, Double($0)) }))
        #expect(result.labels.allSatisfy { $0 == -1 })
        #expect(result.condensedTree.children.count == count)
        // Row 7 joins at distance 7; the densest rows leave at 1 / 4, with fewer than five rows left.
        #expect(result.condensedTree.rowLambdas[7] == 1.0 / 7)
        #expect(abs(result.outlierScores[count - 1] - (1 - 4.0 / Double(count - 1))) < 1e-12)
    }

    /// Clusters nested as deep as possible: each splits in a cluster of two rows and the rest.
    @Test func clustersNestedTenThousandsDeep() throws {
        let pairs: Int32 = 30_000
        var edges: [(Int32, Int32, Double)] = []
        for pair in 0..<pairs { edges.append((2 * pair, 2 * pair + 1, 0.5)) }
        for pair in 1..<pairs { edges.append((0, 2 * pair, Double(pair))) }
        for epsilon in [0, 1000.5] {
            for selection in ClusterSelection.Method.allCases {
                var options = ClusterOptions()
                options.minClusterSize = 2
                options.selection = selection
                options.clusterSelectionEpsilon = epsilon
                let result = try clustering(try tree(edges), options)
                #expect(result.condensedTree.clusters.count == Int(2 * pairs - 1))
                // Below the epsilon all are one; else every pair is a cluster.
                let expected = epsilon == 0 ? Int(pairs) : Int(pairs) - 1000
                #expect(result.clusterCount == expected, "\(selection), \(epsilon)")
                #expect(result.labels.allSatisfy { $0 >= 0 })
            }
        }
    }

    @Test func refusesWhatIsNoTree() {
        for edges: [(Int32, Int32, Double)] in [
            [(0, 1, 1), (0, 1, 2)], [(0, 1, 1), (1, 5, 2)], [(-1, 1, 1)], [(0, 1, .nan)], [(0, 1, -1)],
        ] {
            let error = #expect(throws: CoveyError.self) { try clustering(try tree(edges)) }
            #expect(error?.code == .internalError)
        }
    }

    // MARK: - Ties

    /// Four equal rows, as far from each other (by their core distances) as from the dense rows beside them, are no
    /// cluster.
    @Test func tiesBringForthNoClusters() throws {
        var edges: [(Int32, Int32, Double)] = (1..<20).map { (0, $0, 1 + Double($0) / 100) }
        edges += [(20, 21, 5), (20, 22, 5), (20, 23, 5), (19, 20, 5)]
        var options = ClusterOptions()
        options.minClusterSize = 4
        let result = try clustering(try tree(edges), options)
        #expect(result.condensedTree.clusters.count == 1)
        for row in 20..<24 { #expect(result.condensedTree.rowLambdas[row] == 0.2) }
    }

    /// The partition at every distance is that of the edges up to it, whatever the order of ties.
    @Test func tiesAreMergedToTheSamePartitions() throws {
        var random = SeededRandom(seed: 5)
        for _ in 0..<50 {
            let count: Int32 = 60
            let edges = (1..<count).map {
                (Int32.random(in: 0..<$0, using: &random), $0, Double(Int.random(in: 0...4, using: &random)))
            }
            let spanning = try tree(edges)
            for size in [2, 5, 100] {
                let linkage = try SingleLinkageTree(spanning, minClusterSize: size, execution: Execution())
                #expect(linkage.distances == spanning.edges.map(\.distance))
                for cut in 0...4 {
                    let fromEdges = components(
                        Int(count),
                        spanning.edges.filter { $0.distance <= Double(cut) }.map {
                            (Int($0.from), Int($0.to))
                        })
                    let merges = linkage.distances.indices.filter { linkage.distances[$0] <= Double(cut) }
                    let fromMerges = components(
                        2 * Int(count) - 1,
                        merges.flatMap {
                            [(Int(linkage.left[$0]), Int(count) + $0), (Int(linkage.right[$0]), Int(count) + $0)]
                        })
                    #expect(partition(fromEdges) == partition(Array(fromMerges.prefix(Int(count)))))
                }
                #expect(linkage.sizes.last == count)
            }
        }
    }

    private func components(_ count: Int, _ edges: [(Int, Int)]) -> [Int32] {
        var labels = (0..<Int32(count)).map { $0 }
        for (a, b) in edges {
            let (old, new) = (labels[a], labels[b])
            for index in labels.indices where labels[index] == old { labels[index] = new }
        }
        return labels
    }

    // MARK: - Duplicates

    /// Two heaps of equal rows and rows beside them: infinite lambdas, and no NaN anywhere.
    @Test func equalRowsAreOneCluster() throws {
        var elements = [Double](repeating: 0, count: 40) + [Double](repeating: 9, count: 40)
        elements += [0.5, 1, 9.5, 4]
        let matrix = Matrix<Double>(rows: elements.count, columns: 1, elements: elements)
        for selection in ClusterSelection.Method.allCases {
            var options = ClusterOptions()
            options.selection = selection
            options.prediction = true
            let result = try matrix.withView { try Clustering($0, options) }
            #expect(result.clusterCount == 2)
            #expect(Set(result.labels[..<40]).count == 1 && Set(result.labels[40..<80]).count == 1)
            #expect(result.labels[0] != result.labels[40])
            #expect(result.probabilities[..<80].allSatisfy { $0 == 1 })
            #expect(result.outlierScores.allSatisfy { $0 >= 0 && $0 <= 1 })
            #expect(result.outlierScores[..<80].allSatisfy { $0 == 0 })
            #expect(result.persistence == [1, 1])
            let placed = try matrix.withView { try result.predict($0) }
            #expect(placed.labels[..<80] == result.labels[..<80])
            #expect(placed.probabilities[..<80].allSatisfy { $0 == 1 })
        }
    }

    // MARK: - Calls

    @Test func canBeCancelledInEveryStage() throws {
        let matrix = Matrix<Double>(rows: 3000, columns: 2, elements: (0..<6000).map { Double($0 * $0 % 7919) })
        let stages = Mutex<Set<String>>([])
        let watching = try Context(threads: 1) { stage, _ in
            stages.withLock { _ = $0.insert("\(stage)") }
            return false
        }
        _ = try matrix.withView { try Clustering($0, ClusterOptions(), execution: Execution(watching)) }
        let seen = stages.withLock { $0 }
        #expect(!seen.isEmpty)
        var cancelled = 0
        for wanted in seen {
            let isStopped = Mutex(false)
            let stopping = try Context(threads: 1) { stage, _ in
                guard "\(stage)" == wanted else { return false }
                isStopped.withLock { $0 = true }
                return true
            }
            var failure: CoveyError?
            do {
                _ = try matrix.withView { try Clustering($0, ClusterOptions(), execution: Execution(stopping)) }
            } catch let error as CoveyError { failure = error }
            // A stage that takes less than 20 ms this time may not be reported.
            let wasStopped = isStopped.withLock { $0 }
            #expect((failure?.code == .cancelled) == wasStopped)
            cancelled += failure == nil ? 0 : 1
        }
        #expect(cancelled > 0)
    }

    @Test func threadsDoNotMatter() throws {
        var random = SeededRandom(seed: 8)
        let matrix = Matrix<Float>(
            rows: 3000, columns: 6, elements: (0..<18_000).map { _ in Float(random.uniform() * random.uniform()) })
        var options = ClusterOptions()
        options.minClusterSize = 10
        options.prediction = true
        func run(_ threads: Int) throws -> (Clustering, [Int32], [Double]) {
            try matrix.withView { view in
                let execution = Execution(try Context(threads: threads))
                let result = try Clustering(view, options, execution: execution)
                let placed = try result.predict(view, execution: execution)
                return (result, placed.labels, placed.probabilities)
            }
        }
        let one = try run(1)
        for threads in [2, 5] {
            let other = try run(threads)
            #expect(other.0.spanningTree == one.0.spanningTree)
            #expect(other.0.labels == one.0.labels)
            #expect(other.0.outlierScores == one.0.outlierScores)
            #expect(other.1 == one.1 && other.2 == one.2)
        }
    }
}
