import CCoveyKernels
import CFaissShim
import CoveyRuntime
import CoveyTables
import Synchronization
import Testing

@testable import CoveyNeighbors

/// Every structure against the distances of all pairs of rows.
@Suite struct NeighborSearchTests {
    private static func points(_ rows: Int, _ columns: Int, seed: UInt64 = 1) -> Matrix<Double> {
        var random = SeededRandom(seed: seed)
        let centres = (0..<6).map { _ in (0..<columns).map { _ in random.uniform() * 10 } }
        var matrix = Matrix(rows: rows, columns: columns, repeating: 0.0)
        for i in 0..<rows {
            let centre = Int.random(in: 0..<8, using: &random)
            for c in 0..<columns {
                let noise = random.uniform() + random.uniform() + random.uniform() - 1.5
                matrix[i, c] = centre < 6 ? centres[centre][c] + noise : random.uniform() * 10
            }
            // Some rows occur more than once.
            if i % 50 == 49 { for c in 0..<columns { matrix[i, c] = matrix[i - 7, c] } }
        }
        return matrix
    }

    private static func distances(_ matrix: Matrix<Double>, _ metric: Metric, from i: Int) -> [(Double, Int32)] {
        let d = matrix.columns
        return matrix.elements.withUnsafeBufferPointer { numbers in
            func length(_ row: Int) -> Double {
                var sum = 0.0
                for c in 0..<d { sum += numbers[row * d + c] * numbers[row * d + c] }
                return sum.squareRoot()
            }
            let own = length(i)
            return (0..<matrix.rows).filter { $0 != i }.map { j in
                let other = metric == .cosine ? length(j) : 1
                var sum = 0.0
                for c in 0..<d {
                    let a = numbers[i * d + c]
                    let b = numbers[j * d + c]
                    switch metric {
                    case .euclidean: sum += (a - b) * (a - b)
                    case .manhattan: sum += abs(a - b)
                    case .cosine: sum += (a / own - b / other) * (a / own - b / other) / 2
                    }
                }
                return (metric == .euclidean ? sum.squareRoot() : sum, Int32(j))
            }.sorted { $0 < $1 }
        }
    }

    enum Kind: CaseIterable, Sendable {
        case oneCell
        case manyCells
        case codes
        case tree
    }

    private static func search(_ kind: Kind, _ rows: Rows, _ execution: Execution) throws -> any NeighborSearch {
        switch kind {
        case .oneCell: try TileSearch(rows, seed: 1, cellCount: 1, execution: execution)
        case .manyCells: try TileSearch(rows, seed: 1, cellCount: 23, execution: execution)
        case .codes: try TileSearch(rows, seed: 1, cellCount: 23, codes: ck_codes_best(), execution: execution)
        case .tree: try KDTreeSearch(rows, execution: execution)
        }
    }

    /// The neighbours by the numbers of the rows given, whatever order the search keeps them in.
    private static func nearest(_ search: any NeighborSearch, _ k: Int, _ execution: Execution) throws -> NeighborGraph
    {
        var graph = try search.nearest(k, execution: execution)
        guard let order = search.order else { return graph }
        let own = graph
        for place in 0..<own.count {
            for slot in 0..<k {
                graph.indices[Int(order[place]) * k + slot] = order[Int(own.indices[place * k + slot])]
                graph.distances[Int(order[place]) * k + slot] = own.distances[place * k + slot]
            }
        }
        return graph
    }

    @Test(arguments: Kind.allCases, Metric.allCases)
    func nearestAreThoseOfAllPairs(kind: Kind, metric: Metric) throws {
        for (count, columns, k) in [(1500, 3, 10), (1200, 19, 7), (900, 6, 21), (700, 40, 300), (18, 2, 17)] {
            let matrix = Self.points(count, columns)
            let graph = try matrix.withView { view in
                let execution = Execution(try Context(threads: 2))
                let rows = try Rows(view, used: nil, metric: metric, execution: execution)
                return try Self.nearest(Self.search(kind, rows, execution), k, execution)
            }
            for i in stride(from: 0, to: count, by: 7) {
                let truth = Self.distances(matrix, metric, from: i)
                for slot in 0..<k {
                    let found = graph.distances[i * k + slot]
                    #expect(abs(found - truth[slot].0) <= 1e-9 * truth[slot].0 + 1e-14)
                    // The neighbour is at the distance that is reported for it.
                    let own = truth.first { $0.1 == graph.indices[i * k + slot] }
                    #expect(own.map { abs($0.0 - found) <= 1e-9 * found + 1e-14 } == true)
                }
                #expect(Set(graph.indices[i * k..<(i + 1) * k]).count == k)
            }
        }
    }

    /// A round of Boruvka in which every row is searched for, against all pairs.
    @Test(arguments: Kind.allCases, Metric.allCases)
    func linksAreTheShortestEdges(kind: Kind, metric: Metric) throws {
        for columns in kind == .tree ? [3, 17] : [17] {
            try expectShortestEdges(kind, metric, Self.points(900, columns))
        }
    }

    private func expectShortestEdges(_ kind: Kind, _ metric: Metric, _ matrix: Matrix<Double>) throws {
        let n = matrix.rows
        var random = SeededRandom(seed: 3)
        let components = (0..<n).map { _ in Int32.random(in: 0..<5, using: &random) }
        let all = (0..<n).map { Self.distances(matrix, metric, from: $0) }
        let cores = all.map { $0[4].0 }
        for alpha in [1.0, 1.7, 0.6] {
            var links = [BestLink](repeating: .none, count: 5)
            try matrix.withView { view in
                let execution = Execution(try Context(threads: 2))
                let rows = try Rows(view, used: nil, metric: metric, execution: execution)
                let search = try Self.search(kind, rows, execution)
                let number = (0..<n).map { place in search.order.map { Int($0[place]) } ?? place }
                try search.nearestOutside(
                    OutsideQuery(
                        components: number.map { components[$0] }, cores: number.map { cores[$0] }, alpha: alpha,
                        searched: Array(repeating: true, count: n)),
                    links: &links, execution: execution)
                // The ends are of the component and of another, and as far apart as is said.
                for (component, link) in links.enumerated() {
                    let (from, to) = (number[Int(link.from)], number[Int(link.to)])
                    #expect((components[from] == Int32(component)) != (components[to] == Int32(component)))
                    let apart = all[from].first { $0.1 == Int32(to) }!.0
                    let reach = max(cores[from], cores[to], apart / alpha)
                    #expect(abs(link.distance - reach) <= 1e-9 * reach + 1e-14)
                }
            }
            var best = [Double](repeating: .infinity, count: 5)
            for i in 0..<n {
                for (distance, j) in all[i] where components[Int(j)] != components[i] {
                    let reach = max(cores[i], cores[Int(j)], distance / alpha)
                    best[Int(components[i])] = min(best[Int(components[i])], reach)
                }
            }
            for (link, best) in zip(links, best) { #expect(abs(link.distance - best) <= 1e-9 * best + 1e-14) }
        }
    }

    @Test(arguments: Kind.allCases) func threadsDoNotMatter(kind: Kind) throws {
        let matrix = Self.points(2000, 14)
        let graphs = try [1, 2, 5].map { threads in
            try matrix.withView { view in
                let execution = Execution(try Context(threads: threads))
                let rows = try Rows(view, used: nil, metric: .euclidean, execution: execution)
                return try Self.search(kind, rows, execution).nearest(9, execution: execution)
            }
        }
        #expect(graphs[1] == graphs[0])
        #expect(graphs[2] == graphs[0])
    }

    /// What a round says of how far rows are from other components holds in every pair.
    @Test(arguments: [3, 17]) func floorsAreBelowAllEdges(columns: Int) throws {
        let matrix = Self.points(1500, columns)
        let n = matrix.rows
        let all = (0..<n).map { Self.distances(matrix, .euclidean, from: $0) }
        // Components that lie apart, as they do in rounds of Boruvka's algorithm.
        let components = (0..<n).map { matrix[$0, 0] < 4 ? Int32(0) : matrix[$0, 0] < 7 ? 1 : 2 }
        try matrix.withView { view in
            let execution = Execution(try Context(threads: 2))
            let rows = try Rows(view, used: nil, metric: .euclidean, execution: execution)
            let search = try KDTreeSearch(rows, execution: execution)
            let order = try #require(search.order)
            let number = (0..<n).map { Int(order[$0]) }
            let floors = try AlignedBuffer<Double>(n, repeating: 0, for: "floors", execution)
            var links = [BestLink](repeating: .none, count: 3)
            // Once without a bound, and once with the best.
            for _ in 0..<2 {
                try search.nearestOutside(
                    OutsideQuery(
                        components: number.map { components[$0] }, cores: Array(repeating: 0, count: n), alpha: 1.3,
                        searched: Array(repeating: true, count: n), floors: floors),
                    links: &links, execution: execution)
            }
            for place in 0..<n {
                let i = number[place]
                let edge = all[i].first { components[Int($0.1)] != components[i] }!.0 / 1.3
                #expect(floors[place] <= edge * (1 + 1e-12))
            }
            // In many dimensions all leaves are near each other.
            if columns == 3 { #expect((0..<n).contains { floors[$0] > 0 }) }
        }
    }

    /// The kernels against plain loops: pairs within bounds, and lists of the least.
    @Test(arguments: [1, 2, 3, 4, 7, 16]) func leafKernelsAreRight(d: Int) {
        var random = SeededRandom(seed: UInt64(d))
        let size = Int(CK_LEAF)
        for round in 0..<30 {
            let counts = (1 + round % size, 1 + (round * 7) % size)
            func leaf(_ count: Int) -> [Double] {
                var numbers = [Double](repeating: .nan, count: size * d)
                for i in 0..<count { for c in 0..<d { numbers[c * size + i] = Double(Int(random.uniform() * 8)) } }
                return numbers
            }
            let (queries, points) = (leaf(counts.0), leaf(counts.1))
            let bounds = (0..<size).map { $0 < counts.0 && $0 % 5 != 4 ? Double($0 % 9 * d) : -Double.infinity }
            let boxed = max(1, d - 1)
            let columns = (0..<boxed).map { Array(points[$0 * size..<$0 * size + counts.1]) }
            let box = columns.map { $0.min()! } + columns.map { $0.max()! }
            for manhattan in [false, true] {
                var pairs = [UInt8](repeating: 0, count: size * size)
                var sums = [Double](repeating: 0, count: size * size)
                let kernel = manhattan ? ck_leaf_pairs_manhattan : ck_leaf_pairs_squared
                let found = Int(kernel(queries, points, Int64(d), box, Int64(boxed), bounds, &pairs, &sums))
                var expected: [(UInt8, Double)] = []
                for i in 0..<counts.0 {
                    for j in 0..<counts.1 {
                        let differences = (0..<d).map { queries[$0 * size + i] - points[$0 * size + j] }
                        let sum = differences.reduce(0) { $0 + (manhattan ? abs($1) : $1 * $1) }
                        if sum <= bounds[i] { expected.append((UInt8(i * size + j), sum)) }
                    }
                }
                #expect(pairs[..<found].elementsEqual(expected.map(\.0)))
                #expect(sums[..<found].elementsEqual(expected.map(\.1)))
                for slots in [8, 16, 24, 32] {
                    var values = [Double](repeating: .infinity, count: size * slots)
                    var numbers = [Int64](repeating: .max, count: size * slots)
                    for first in [Int64(100), 0] {
                        ck_lists_offer(&values, &numbers, Int64(slots), pairs, sums, Int64(found), first, 100)
                    }
                    for i in 0..<size {
                        let own = zip(pairs, sums).prefix(found).filter { Int($0.0) / size == i }
                        var offers = own.map { ($0.1, Int64(Int($0.0) % size)) }
                        offers += own.filter { Int($0.0) % size != i }.map { ($0.1, Int64(100 + Int($0.0) % size)) }
                        offers.sort { $0 < $1 }
                        let best = offers.prefix(slots)
                        #expect(values[i * slots..<i * slots + best.count].elementsEqual(best.map(\.0)))
                        #expect(numbers[i * slots..<i * slots + best.count].elementsEqual(best.map(\.1)))
                    }
                }
            }
        }
        for count in 0...Int(CK_LIST) {
            var values = (0..<count).map { _ in Double(Int(random.uniform() * 6)) }
            var numbers = (0..<Int32(count)).map { $0 }.shuffled(using: &random)
            let expected = zip(values, numbers).sorted { $0 < $1 }
            ck_list_sort(&values, &numbers, Int64(count))
            #expect(values == expected.map(\.0))
            #expect(numbers == expected.map(\.1))
        }
    }

    @Test func cancelStopsSearches() throws {
        let matrix = Self.points(4000, 30)
        let calls = Atomic<Int>(0)
        let context = try Context(threads: 2) { _, _ in calls.add(1, ordering: .relaxed).newValue >= 1 }
        try matrix.withView { view in
            let execution = Execution(context)
            let rows = try Rows(view, used: nil, metric: .euclidean, execution: execution)
            #expect(throws: CoveyError.cancelled) {
                _ = try TileSearch(rows, execution: execution).nearest(5, execution: execution)
            }
        }
        #expect(calls.load(ordering: .relaxed) == 1)
    }

    @Test func budgetRefusesBeforeAllocation() throws {
        let matrix = Self.points(3000, 20)
        try matrix.withView { view in
            let execution = Execution(try Context(threads: 1, memoryBudget: 100_000))
            #expect {
                let rows = try Rows(view, used: nil, metric: .euclidean, execution: execution)
                _ = try TileSearch(rows, execution: execution)
            } throws: { ($0 as? CoveyError)?.code == .outOfMemory }
        }
    }

    @Test func kmeansStopsAndReportsFailures() {
        let rows = (0..<400).map { Float($0 % 20) }
        var centroids = [Float](repeating: -1, count: 8)
        #expect(fs_kmeans(100, 4, rows, 2, 5, 1, &centroids, { _ in 0 }, nil) == FS_OK)
        #expect(centroids.allSatisfy { (0...19).contains($0) })
        #expect(fs_kmeans(100, 4, rows, 2, 5, 1, &centroids, { _ in 1 }, nil) == FS_FAILED)
        // More centroids than rows.
        #expect(fs_kmeans(1, 4, rows, 2, 5, 1, &centroids, { _ in 0 }, nil) == FS_FAILED)
    }

    /// Products on several threads at once, each against a plain loop: a serial OpenBLAS shares its buffers without
    /// locks.
    @Test func productsOfSeveralThreadsAreRight() throws {
        let wrong = Atomic<Int>(0)
        try Execution(Context(threads: 4)).parallel(400) { chunk, _ in
            for task in chunk {
                var random = SeededRandom(seed: UInt64(task))
                let m = 100 + task % 100
                let a = (0..<m * 16).map { _ in Float(random.uniform()) }
                let b = (0..<256 * 16).map { _ in Float(random.uniform()) }
                var tile = [Float](repeating: 0, count: m * 256)
                ck_sgemm_nt(Int64(m), 256, 16, 1, a, 16, b, 16, 0, &tile, 256)
                for i in 0..<m {
                    for j in stride(from: i % 16, to: 256, by: 16) {
                        var sum: Float = 0
                        for c in 0..<16 { sum += a[i * 16 + c] * b[j * 16 + c] }
                        if abs(sum - tile[i * 256 + j]) > 1e-4 { wrong.add(1, ordering: .relaxed) }
                    }
                }
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
    }
}
