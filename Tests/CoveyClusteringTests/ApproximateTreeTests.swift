import CoveyNeighbors
import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveyClustering

/// Approximate trees against exact ones.
@Suite struct ApproximateTreeTests {
    private static func points(_ rows: Int, _ columns: Int, rank: Int) -> Matrix<Double> {
        var random = SeededRandom(seed: 11)
        func normal() -> Double { (0..<6).reduce(-3.0) { sum, _ in sum + random.uniform() } * 1.4 }
        let mixing = (0..<rank * columns).map { _ in normal() }
        let centres = (0..<12).map { _ in (0..<rank).map { _ in random.uniform() * 20 - 10 } }
        var matrix = Matrix(rows: rows, columns: columns, repeating: 0.0)
        for i in 0..<rows {
            let cluster = Int(random.uniform() * random.uniform() * 15)
            let inner = (0..<rank).map { c in
                cluster < 12
                    ? centres[cluster][c] + normal() * (0.3 + 0.07 * Double(cluster)) : random.uniform() * 28 - 14
            }
            for c in 0..<columns {
                matrix[i, c] =
                    rank == columns
                    ? inner[c] : (0..<rank).reduce(normal() * 0.01) { $0 + inner[$1] * mixing[$1 * columns + c] }
            }
        }
        return matrix
    }

    /// With approximate search whatever the number of rows: `Clustering` itself is exact where that is faster.
    private static func cluster(
        _ matrix: Matrix<Double>, _ search: SearchMode, isQuick: Bool = false, threads: Int = 2
    ) throws -> Clustering {
        var options = ClusterOptions()
        options.minClusterSize = 50
        options.minSamples = 10
        options.search = search
        let execution = Execution(try Context(threads: threads))
        return try matrix.withView { view in
            guard search == .approximate else { return try Clustering(view, options, execution: execution) }
            let found = try ApproximateTree.build(
                Rows(view, used: nil, metric: .euclidean, execution: execution), minSamples: 10, alpha: 1,
                isQuick: isQuick, seed: 0, execution: execution)
            let rows = try FittedRows(
                rowCount: view.rows, columnCount: view.columns, usedRows: nil, minSamples: 10, recall: found.recall,
                spanningTree: SpanningTree(pointCount: view.rows, edges: found.edges), reference: nil,
                execution: execution)
            return try Clustering(rows, options, execution: execution)
        }
    }

    /// Hubert and Arabie 1985.
    private static func adjustedRand(_ a: [Int32], _ b: [Int32]) -> Double {
        func pairs(_ n: Int) -> Double { Double(n) * Double(n - 1) / 2 }
        var (both, first, second): ([Int64: Int], [Int32: Int], [Int32: Int]) = ([:], [:], [:])
        for (x, y) in zip(a, b) {
            both[Int64(x) << 32 | Int64(UInt32(bitPattern: y)), default: 0] += 1
            first[x, default: 0] += 1
            second[y, default: 0] += 1
        }
        let joint = both.values.reduce(0) { $0 + pairs($1) }
        let (x, y) = (first.values.reduce(0) { $0 + pairs($1) }, second.values.reduce(0) { $0 + pairs($1) })
        let expected = x * y / pairs(a.count)
        return (joint - expected) / ((x + y) / 2 - expected)
    }

    @Test(arguments: [(20_000, 32, 32), (20_000, 32, 5), (20_000, 16, 16)])
    func labelsAgreeWithExactOnes(rows: Int, columns: Int, rank: Int) throws {
        let matrix = Self.points(rows, columns, rank: rank)
        let exact = try Self.cluster(matrix, .exact)
        let approximate = try Self.cluster(matrix, .approximate)
        #expect(exact.clusterCount >= 5)
        let index = Self.adjustedRand(exact.labels, approximate.labels)
        #expect(index >= 0.99, "\(index) at a recall of \(approximate.recall)")
        // A spanning tree is never shorter than the shortest, whatever the core distances that it overrates.
        let lengths = (exact.spanningTree.edges, approximate.spanningTree.edges)
        #expect(lengths.1.count == rows - 1)
        let total = (lengths.0.reduce(0) { $0 + $1.distance }, lengths.1.reduce(0) { $0 + $1.distance })
        #expect(total.1 >= total.0 * (1 - 1e-9) && total.1 <= total.0 * 1.05)
    }

    /// Quick joins find a spanning tree that is a little longer, and nearly the same clusters.
    @Test func quickJoinsCostLittle() throws {
        let matrix = Self.points(20_000, 32, rank: 32)
        let exact = try Self.cluster(matrix, .exact)
        let quick = try Self.cluster(matrix, .approximate, isQuick: true)
        #expect(Self.adjustedRand(exact.labels, quick.labels) >= 0.95)
        let total = [exact, quick].map { $0.spanningTree.edges.reduce(0) { $0 + $1.distance } }
        #expect(quick.spanningTree.edges.count == 19_999 && total[1] <= total[0] * 1.1)
        #expect(try Self.cluster(matrix, .approximate, isQuick: true, threads: 1).spanningTree == quick.spanningTree)
    }

    /// Few rows are searched exactly, and more of them the fewer columns they have.
    @Test(arguments: [(9_000, 20, true), (30_000, 64, true), (30_000, 400, false)])
    func isExactWhereThatIsFaster(rows: Int, columns: Int, exact: Bool) throws {
        let matrix = Self.points(rows, columns, rank: columns)
        let result = try matrix.withView { view in
            try MutualReachability.build(
                view: view, metric: .euclidean, minSamples: 3, search: .approximate,
                execution: Execution(try Context(threads: 2)))
        }
        #expect((result.recall == 1) == exact)
    }

    @Test func threadsDoNotMatter() throws {
        let matrix = Self.points(12_000, 24, rank: 8)
        let results = try [1, 2, 5].map { try Self.cluster(matrix, .approximate, threads: $0) }
        for other in results.dropFirst() {
            #expect(other.spanningTree == results[0].spanningTree)
            #expect(other.labels == results[0].labels)
            #expect(other.recall == results[0].recall)
        }
    }

    /// Clusters so far from each other that no list of neighbours leads from one to another.
    @Test(arguments: [false, true]) func partsWithoutAnyEdgeAreJoined(isQuick: Bool) throws {
        var matrix = Self.points(10_000, 16, rank: 16)
        for i in 0..<10_000 { matrix[i, 0] += Double(i % 10) * 1e4 }
        let tree = try Self.cluster(matrix, .approximate, isQuick: isQuick)
        #expect(tree.spanningTree.edges.count == 9_999)
        let far = tree.spanningTree.edges.filter { $0.distance > 5e3 }
        #expect(far.count == 9)
        let exact = try Self.cluster(matrix, .exact).spanningTree.edges.filter { $0.distance > 5e3 }
        #expect(far.reduce(0) { $0 + $1.distance } <= exact.reduce(0) { $0 + $1.distance } * 1.001)
    }

    @Test func equalRowsAreOneCluster() throws {
        var matrix = Self.points(12_000, 16, rank: 16)
        for i in 0..<10_000 { for c in 0..<16 { matrix[i, c] = 3 } }
        let some = try Self.cluster(matrix, .approximate)
        #expect(Set(some.labels[0..<10_000]).count == 1 && some.labels[0] >= 0)
        for i in 0..<12_000 { for c in 0..<16 { matrix[i, c] = 3 } }
        let all = try Self.cluster(matrix, .approximate)
        #expect(all.recall == 1)
        #expect(all.spanningTree.edges.allSatisfy { $0.distance == 0 })
        #expect(all.labels == (try Self.cluster(matrix, .exact)).labels)
    }
}
