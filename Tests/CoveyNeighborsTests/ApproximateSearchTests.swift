import CCoveyKernels
import CoveyRuntime
import CoveyTables
import Synchronization
import Testing

@testable import CoveyNeighbors

@Suite struct ApproximateSearchTests {
    /// Clusters of unequal size and a fifth of noise; below `rank` dimensions but for a little.
    private static func points(_ rows: Int, _ columns: Int, rank: Int, seed: UInt64 = 1) -> Matrix<Double> {
        var random = SeededRandom(seed: seed)
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

    private static func graph(_ matrix: Matrix<Double>, k: Int, threads: Int = 2, seed: UInt64 = 0) throws
        -> NeighborGraph
    {
        try matrix.withView { view in
            let execution = Execution(try Context(threads: threads))
            let rows = try Rows(view, used: nil, metric: .euclidean, execution: execution)
            return try ApproximateSearch(rows, seed: seed, execution: execution).nearest(k, execution: execution)
        }
    }

    /// The share that is measured against the share of all rows.
    @Test(arguments: [(20_000, 24, 24), (20_000, 48, 5), (9_000, 768, 20)])
    func recallIsThatOfAllRows(rows: Int, columns: Int, rank: Int) throws {
        let matrix = Self.points(rows, columns, rank: rank)
        let k = 10
        try matrix.withView { view in
            let execution = Execution(try Context(threads: 2))
            let rows = try Rows(view, used: nil, metric: .euclidean, execution: execution)
            let search = try ApproximateSearch(rows, seed: 4, execution: execution)
            let truth = try TileSearch(rows, execution: execution).nearest(k, execution: execution)
            for rounds in [0, 2] {
                let graph = try search.nearest(k, rounds: rounds, execution: execution)
                var hits = 0
                for place in 0..<rows.count {
                    let row = Int(search.row(place))
                    let farthest = truth.distances[row * k + k - 1] * (1 + 1e-12)
                    let listed = place * graph.k..<place * graph.k + k
                    hits += graph.distances[listed].count { $0 <= farthest }
                    // The neighbours are other rows, each once, at the distances that are reported for them.
                    #expect(Set(graph.indices[listed]).count == k && !graph.indices[listed].contains(Int32(place)))
                    guard place % 97 == 0 else { continue }
                    for slot in listed {
                        let other = Int(search.row(Int(graph.indices[slot])))
                        var sum = 0.0
                        for c in 0..<columns {
                            sum += (matrix[row, c] - matrix[other, c]) * (matrix[row, c] - matrix[other, c])
                        }
                        #expect(abs(sum.squareRoot() - graph.distances[slot]) <= 1e-9 * graph.distances[slot])
                    }
                }
                let actual = Double(hits) / Double(rows.count * k)
                let measured = try search.recall(of: graph, k, seed: 5, execution: execution)
                #expect(abs(measured - actual) <= 0.01, "measured \(measured), actual \(actual)")
                #expect(actual > (rounds == 0 ? 0.4 : rank == columns ? 0.6 : 0.95), "\(rounds) rounds: \(actual)")
            }
        }
    }

    /// Over seeds, the measured share errs by no more than the standard error that it is measured to.
    @Test(arguments: [(12_000, 24, 24, 1), (12_000, 24, 24, 10), (20_000, 40, 6, 1)])
    func recallErrsAsItSays(rows: Int, columns: Int, rank: Int, k: Int) throws {
        let matrix = Self.points(rows, columns, rank: rank)
        try matrix.withView { view in
            let execution = Execution(try Context(threads: 2))
            let rows = try Rows(view, used: nil, metric: .euclidean, execution: execution)
            let search = try ApproximateSearch(rows, seed: 4, probes: 2, cellSize: 256, execution: execution)
            let truth = try TileSearch(rows, execution: execution).nearest(k, execution: execution)
            let graph = try search.nearest(k, rounds: 0, execution: execution)
            var hits = 0
            for place in 0..<rows.count {
                let row = Int(search.row(place))
                let farthest = truth.distances[row * k + k - 1] * (1 + 1e-12)
                hits += graph.distances[place * graph.k..<place * graph.k + k].count { $0 <= farthest }
            }
            let actual = Double(hits) / Double(rows.count * k)
            #expect(actual < 0.99)
            var (squares, within) = (0.0, 0)
            for seed in 0..<20 {
                let found = try RecallEstimate(graph, k, search.index, seed: UInt64(seed), execution: execution)
                #expect(found.standardError <= 0.0045)
                squares +=
                    (found.share - actual) * (found.share - actual) / (found.standardError * found.standardError) / 20
                within += abs(found.share - actual) <= 0.01 ? 1 : 0
            }
            #expect(squares < 2, "\(squares) times the variance that is reported")
            #expect(within >= 19, "\(within) of 20 within 0.01 of \(actual)")
        }
    }

    @Test func threadsDoNotMatter() throws {
        let matrix = Self.points(12_000, 20, rank: 6)
        let graphs = try [1, 2, 5].map { try Self.graph(matrix, k: 7, threads: $0, seed: 3) }
        #expect(graphs[1] == graphs[0])
        #expect(graphs[2] == graphs[0])
    }

    /// Many equal rows share a cell that k-means cannot split.
    @Test(arguments: [8_192, 12_000]) func equalRowsAreNeighbours(equal: Int) throws {
        var matrix = Self.points(12_000, 16, rank: 16)
        for i in 0..<equal { for c in 0..<16 { matrix[i, c] = 1e6 } }
        let graph = try Self.graph(matrix, k: 5)
        let near = (0..<12_000).count { place in
            graph.distances[place * graph.k..<place * graph.k + 5].allSatisfy { $0 == 0 }
        }
        #expect(near == equal)
        #expect(graph.indices.allSatisfy { (0..<12_000).contains($0) })
    }

    /// Rows alone in their cells have neighbours too.
    @Test func farRowsHaveNeighbours() throws {
        var matrix = Self.points(9_000, 16, rank: 4)
        for i in 0..<9 { for c in 0..<16 { matrix[i * 1000, c] = Double(i + 1) * 1e5 * Double(c % 2 * 2 - 1) } }
        let graph = try Self.graph(matrix, k: 200)
        #expect(graph.distances.allSatisfy { $0.isFinite })
        #expect(graph.indices.allSatisfy { (0..<9_000).contains($0) })
    }

    @Test(arguments: [1e-150, 1e150]) func unitsDoNotMatter(unit: Double) throws {
        let matrix = Self.points(9_000, 16, rank: 5)
        var scaled = matrix
        let factor = unit < 1 ? 0x1p-498 : 0x1p498
        for i in 0..<9_000 { for c in 0..<16 { scaled[i, c] *= factor } }
        let graphs = (try Self.graph(matrix, k: 5), try Self.graph(scaled, k: 5))
        #expect(graphs.0.indices == graphs.1.indices)
        #expect(zip(graphs.0.distances, graphs.1.distances).allSatisfy { $0 * factor == $1 })
    }

    @Test func cancelStops() throws {
        let matrix = Self.points(30_000, 40, rank: 40)
        let calls = Atomic<Int>(0)
        let context = try Context(threads: 2) { _, _ in calls.add(1, ordering: .relaxed).newValue >= 2 }
        try matrix.withView { view in
            let execution = Execution(context)
            let rows = try Rows(view, used: nil, metric: .euclidean, execution: execution)
            #expect(throws: CoveyError.cancelled) {
                _ = try ApproximateSearch(rows, seed: 1, execution: execution).nearest(5, execution: execution)
            }
        }
        #expect(calls.load(ordering: .relaxed) == 2)
    }

    @Test func budgetRefusesBeforeAllocation() throws {
        let matrix = Self.points(9_000, 20, rank: 20)
        try matrix.withView { view in
            let execution = Execution(try Context(threads: 1, memoryBudget: 1_000_000))
            let rows = try Rows(view, used: nil, metric: .euclidean, execution: execution)
            #expect { _ = try ApproximateSearch(rows, seed: 1, execution: execution) } throws: {
                ($0 as? CoveyError)?.code == .outOfMemory
            }
            #expect(execution.memory.bytes < 1_000_000)
        }
    }

    // MARK: - Kernels

    /// Lists in one register, in two and in memory; two tiles, so that the second meets a list that is filled; with
    /// ties.
    @Test(arguments: [1, 16, 31, 32, 33, 100], [1, 6, 16, 17, 32, 40]) func listsHoldTheNearest(columns: Int, k: Int) {
        var random = SeededRandom(seed: UInt64(columns))
        var distances = [Float](repeating: .infinity, count: k)
        var indices = [Int32](repeating: -1, count: k)
        var all: [(distance: Float, index: Int32)] = []
        let own = Int32(columns / 2)
        for first in [Int32(40), 1000] {
            let tile = (0..<columns).map { _ in (Float(random.uniform()) * 64).rounded() / 64 - 1 }
            let norms = (0..<columns).map { _ in (Float(random.uniform()) * 64).rounded() / 64 + 1 }
            ck_list_scan(tile, norms, Int64(columns), first, 40 + own, 0.5, Int64(k), &distances, &indices)
            for j in 0..<columns where first + Int32(j) != 40 + own {
                all.append((tile[j] + norms[j] + 0.5, Int32(j) + first))
            }
        }
        // The first of equals comes first.
        let nearest = all.sorted { ($0.distance, $0.index) < ($1.distance, $1.index) }.prefix(k)
        #expect(Array(distances.prefix(nearest.count)) == nearest.map { $0.distance })
        #expect(Array(indices.prefix(nearest.count)) == nearest.map { $0.index })
        #expect(indices.dropFirst(nearest.count).allSatisfy { $0 == -1 })
        #expect(distances.dropFirst(nearest.count).allSatisfy { $0 == .infinity })
    }

    @Test(arguments: [1, 16, 31, 32, 33, 100]) func columnsNearALimit(columns: Int) {
        var random = SeededRandom(seed: UInt64(columns))
        let tile = (0..<columns).map { _ in Float(random.uniform()) - 1 }
        let norms = (0..<columns).map { _ in Float(random.uniform()) + 1 }
        var hits = [UInt16](repeating: 0, count: columns)
        let count = Int(ck_near_columns(tile, norms, Int64(columns), 0.9, &hits))
        let near: [Int] = (0..<columns).filter { j in tile[j] + norms[j] <= 0.9 }
        #expect(hits.prefix(count).map { Int($0) } == near)
        let least = Int(ck_nearest_column(tile, norms, Int64(columns)))
        #expect((0..<columns).allSatisfy { tile[least] + norms[least] <= tile[$0] + norms[$0] })
    }

    @Test func distancesAndCandidatesAreThoseOfPlainLoops() {
        var random = SeededRandom(seed: 9)
        let (count, stride, depth) = (300, 32, 11)
        let rows = (0..<count * stride).map { _ in Float(random.uniform()) }
        let others = (0..<20).map { _ in Int32.random(in: 0..<300, using: &random) }
        var distances = [Float](repeating: 0, count: 20)
        ck_list_distances(rows, Int64(stride), 7, others, 20, &distances)
        for (place, other) in others.enumerated() {
            let sum = (0..<stride).reduce(0.0) { sum, c in
                let difference = Double(rows[7 * stride + c] - rows[Int(other) * stride + c])
                return sum + difference * difference
            }
            #expect(abs(sum - Double(distances[place])) < 1e-5)
        }

        let entries = Int(CK_ENTRIES)
        func lists() -> [Int32] {
            (0..<count * entries).map { _ in
                random.uniform() < 0.2
                    ? -1 : Int32.random(in: 0..<300, using: &random) << 1 | (random.uniform() < 0.3 ? 1 : 0)
            }
        }
        let (forward, backward) = (lists(), lists())
        let (firsts, sizes): ([Int32], [UInt32]) = ([20, 250], [30, 50])
        let seen: [Int32] = [3, 5, 8, 130, 131, 132, 133]
        var table = [Int32](repeating: -1, count: Int(CK_TABLE))
        var used = table
        var candidates = table
        for row in 0..<count {
            let found = Int(
                ck_list_candidates(
                    Int64(row), Int64(depth), forward, backward, seen, Int64(seen.count), firsts, sizes, 2, &table,
                    &used,
                    &candidates))
            var expected = Set<Int32>()
            func own(_ list: [Int32], _ row: Int) -> [Int32] {
                list[row * entries..<row * entries + depth].filter { $0 >= 0 }
            }
            expected.formUnion(own(backward, row).filter { $0 & 1 == 1 }.map { $0 >> 1 })
            for first in own(forward, row) + own(backward, row) {
                for second in own(forward, Int(first >> 1)) + own(backward, Int(first >> 1))
                where (first | second) & 1 == 1 {
                    expected.insert(second >> 1)
                }
            }
            expected.subtract(seen)
            expected = expected.filter { $0 != row && !(20..<50).contains($0) && !(250..<300).contains($0) }
            #expect(Set(candidates.prefix(found)) == expected && found == expected.count)
            #expect(table.allSatisfy { $0 == -1 })
        }
    }
}
