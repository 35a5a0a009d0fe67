import CCoveyKernels
import CoveyRuntime
import CoveyTables
import Synchronization
import Testing

@testable import CoveyNeighbors

@Suite struct QuerySearchTests {
    /// Clumps of points, with duplicates, a far outlier and, where asked, rows of zeros.
    private func points(_ count: Int, _ columns: Int, seed: UInt64, zeros: Bool = false) -> [[Double]] {
        var random = SeededRandom(seed: seed)
        let centres = (0..<12).map { _ in (0..<columns).map { _ in random.uniform() * 20 - 10 } }
        var rows = (0..<count).map { index in
            centres[index % 12].map { $0 + (random.uniform() + random.uniform() - 1) }
        }
        for index in stride(from: 7, to: count, by: 50) { rows[index] = rows[index - 3] }
        if count > 20 { rows[20] = rows[20].map { $0 * 1e4 } }
        if zeros { for index in stride(from: 11, to: count, by: 97) { rows[index] = rows[index].map { _ in 0 } } }
        return rows
    }

    private func distance(_ a: [Double], _ b: [Double], _ metric: Metric) -> Double {
        switch metric {
        case .euclidean: return zip(a, b).map { ($0 - $1) * ($0 - $1) }.reduce(0, +).squareRoot()
        case .manhattan: return zip(a, b).map { abs($0 - $1) }.reduce(0, +)
        case .cosine:
            let (x, y) = (a.map { $0 * $0 }.reduce(0, +).squareRoot(), b.map { $0 * $0 }.reduce(0, +).squareRoot())
            if x == 0 || y == 0 { return 1 }
            return zip(a, b).map { ($0 / x - $1 / y) * ($0 / x - $1 / y) }.reduce(0, +) / 2
        }
    }

    /// - Parameter reordered: makes the order from which the search is made again.
    private func check(
        _ rows: [[Double]], _ queries: [[Double]], _ metric: Metric, count: Int, single: Bool,
        reordered: ((CellOrder) throws -> CellOrder)? = nil
    ) throws {
        for way in QueryCodeTests.ways + [CK_CODES_NONE] {
            try check(rows, queries, metric, count: count, single: single, way: way, reordered)
        }
    }

    private func check(
        _ rows: [[Double]], _ queries: [[Double]], _ metric: Metric, count: Int, single: Bool, way: Int32,
        _ reordered: ((CellOrder) throws -> CellOrder)?
    ) throws {
        let columns = rows[0].count
        // The numbers as the search sees them.
        let rows = single ? rows.map { $0.map { Double(Float($0)) } } : rows
        let doubles = Matrix(rows: rows.count, columns: columns, elements: rows.flatMap { $0 })
        let floats = Matrix(rows: rows.count, columns: columns, elements: rows.flatMap { $0.map { Float($0) } })
        func withRows<Result>(_ body: (MatrixView) throws -> Result) rethrows -> Result {
            single ? try floats.withView(body) : try doubles.withView(body)
        }
        let asked = Matrix(rows: queries.count, columns: columns, elements: queries.flatMap { $0 })
        let execution = Execution(try Context(threads: 2))
        var search = try withRows { try QuerySearch($0, metric: metric, way: way, execution: execution) }
        if let reordered, let order = search.order {
            let own = try reordered(order)
            search = try withRows {
                try QuerySearch($0, metric: metric, order: own, way: way, execution: execution)
            }
            #expect(search.order == own)
        }
        let answers = Mutex([Int: [(row: Int32, distance: Double)]]())
        try withRows { view in
            try asked.withView {
                try search.nearest(count, of: $0, among: view, execution: execution) { query, found in
                    answers.withLock { $0[query] = found }
                }
            }
        }
        for (query, point) in queries.enumerated() {
            let found = answers.withLock { $0[query]! }
            let all = rows.enumerated().map { (row: Int32($0), distance: distance(point, $1, metric)) }
                .sorted { ($0.distance, $0.row) < ($1.distance, $1.row) }.prefix(count)
            #expect(found.count == all.count)
            #expect(Set(found.map(\.row)).count == found.count)
            for (mine, theirs) in zip(found, all) {
                let tolerance = 1e-12 * max(theirs.distance, 1e-3)
                #expect(abs(mine.distance - theirs.distance) <= tolerance, "query \(query), way \(way)")
                let own = distance(point, rows[Int(mine.row)], metric)
                #expect(abs(own - mine.distance) <= tolerance, "query \(query), row \(mine.row)")
            }
        }
    }

    @Test(arguments: Metric.allCases, [(1, 3), (40, 2), (900, 17), (4500, 5)])
    func equalsLookingAtEveryRow(metric: Metric, shape: (rows: Int, columns: Int)) throws {
        let rows = points(shape.rows, shape.columns, seed: 1, zeros: metric == .cosine)
        var queries = points(12, shape.columns, seed: 2) + Array(rows.prefix(5))
        queries.append([Double](repeating: 0, count: shape.columns))
        queries.append([Double](repeating: 1e150, count: shape.columns))
        queries.append([Double](repeating: -1e-150, count: shape.columns))
        for single in [true, false] { try check(rows, queries, metric, count: 10, single: single) }
    }

    /// What a file may say of the cells: as they were, and any other division of the rows.
    @Test(arguments: Metric.allCases, [(1100, 17), (4500, 5), (3000, 40)])
    func anyOrderFindsTheSameRows(metric: Metric, shape: (rows: Int, columns: Int)) throws {
        let rows = points(shape.rows, shape.columns, seed: 11, zeros: metric == .cosine)
        let queries = points(6, shape.columns, seed: 12) + Array(rows.prefix(3))
        var random = SeededRandom(seed: 13)
        func changed(_ order: CellOrder, _ cells: Int, shuffled: Bool) throws -> CellOrder {
            var places = order.rows
            if shuffled { places.shuffle(using: &random) }
            let cuts = (1..<cells).map { _ in Int32.random(in: 0...Int32(places.count), using: &random) }.sorted()
            return try CellOrder(
                rows: places, starts: [0] + cuts + [Int32(places.count)], count: places.count, execution: Execution())
        }
        for single in [true, false] {
            try check(rows, queries, metric, count: 8, single: single) { $0 }
            try check(rows, queries, metric, count: 8, single: single) { try changed($0, 2, shuffled: false) }
            try check(rows, queries, metric, count: 8, single: single) { try changed($0, 300, shuffled: true) }
        }
        let matrix = Matrix(rows: rows.count, columns: shape.columns, elements: rows.flatMap { $0 })
        try matrix.withView { view in
            let order = try #require(QuerySearch(view, metric: metric, execution: Execution()).order)
            let few = try CellOrder(rows: [1, 0], starts: [0, 1, 2], count: 2, execution: Execution())
            #expect(throws: CoveyError.self) {
                try QuerySearch(view, metric: metric, order: few, execution: Execution())
            }
            #expect(order.starts.count > 2)
        }
    }

    /// Rows near a plane of few dimensions in many columns: most are told apart by the first coordinates of a rotation.
    @Test(arguments: [Metric.euclidean, .cosine], [true, false])
    func rowsNearAPlane(metric: Metric, single: Bool) throws {
        let (columns, few) = (40, 5)
        var random = SeededRandom(seed: 3)
        let axes = (0..<few).map { _ in (0..<columns).map { _ in random.uniform() - 0.5 } }
        func near(_ corners: [[Double]]) -> [[Double]] {
            corners.map { corner in
                (0..<columns).map { column in
                    (0..<few).reduce(0.01 * random.uniform()) { $0 + corner[$1] * axes[$1][column] }
                }
            }
        }
        let rows = near(points(2000, few, seed: 4))
        let matrix = Matrix(rows: rows.count, columns: columns, elements: rows.flatMap { $0 })
        let execution = Execution()
        let packed = try matrix.withView {
            try TileRows(
                Rows($0, used: nil, metric: metric, execution: execution), rotated: true, execution: execution)
        }
        #expect(packed.prefix > 0 && packed.prefix < columns)
        let queries = near(points(10, few, seed: 5)) + rows.prefix(5) + [[Double](repeating: 3, count: columns)]
        try check(rows, queries, metric, count: 12, single: single)
    }

    /// Rows that codes hold badly, and queries far from the origin or among them.
    @Test(arguments: CodeShape.allCases, [Metric.euclidean, .cosine])
    func codesLoseNoNeighbour(shape: CodeShape, metric: Metric) throws {
        let columns = 13
        var random = SeededRandom(seed: 21)
        func number() -> Double { random.uniform() * 2 - 1 }
        func row(_ index: Int) -> [Double] {
            switch shape {
            case .oneLarge:
                return (0..<columns).map { $0 == index % columns ? 1000 + number() : 1e-3 * number() }
            case .tiny: return (0..<columns).map { _ in 1e-41 * number() }
            case .endsOfCodes:
                return (0..<columns).map { _ in [-127.0, -126.5, -0.5, 0.5, 126.5, 127].randomElement(using: &random)! }
            case .steps: return (0..<columns).map { _ in Double(Int.random(in: -127...127, using: &random)) }
            case .farClumps: return (0..<columns).map { _ in Double(index % 3) * 1e4 + 1e-2 * number() }
            case .farRows: return (0..<columns).map { _ in number() * (index % 100 == 0 ? 1e9 : 1) }
            case .shell:
                let point = (0..<columns).map { _ in number() }
                let length = point.map { $0 * $0 }.reduce(0, +).squareRoot()
                return point.map { $0 / length }
            }
        }
        let rows = (0..<1500).map(row)
        var queries = (0..<15).map(row) + [Array(repeating: 0, count: columns), Array(repeating: 1e20, count: columns)]
        queries += rows.prefix(5).map { $0.map { $0 * (1 + 1e-7) } }
        for single in [true, false] { try check(rows, queries, metric, count: 6, single: single) }
    }

    enum CodeShape: CaseIterable { case oneLarge, tiny, endsOfCodes, steps, farClumps, farRows, shell }

    @Test func equalRowsComeInTheOrderOfTheirNumbers() throws {
        for metric in Metric.allCases {
            let rows = Matrix<Float>(rows: 5000, columns: 3, repeating: 2)
            let query = Matrix<Float>(rows: 1, columns: 3, elements: [2, 2, 2])
            let found = Mutex([Int32]())
            try rows.withView { view in
                let search = try QuerySearch(view, metric: metric, execution: Execution())
                try query.withView {
                    try search.nearest(7, of: $0, among: view, execution: Execution()) { _, answer in
                        found.withLock { $0 = answer.map(\.row) }
                    }
                }
            }
            #expect(found.withLock { $0 } == [0, 1, 2, 3, 4, 5, 6])
        }
    }
}
