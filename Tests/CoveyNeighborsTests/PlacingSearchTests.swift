import CoveyRuntime
import CoveyTables
import Synchronization
import Testing

@testable import CoveyNeighbors

@Suite struct PlacingSearchTests {
    /// Lumps of several densities in a haze, with rows that repeat and rows far away.
    private static func rows(
        _ count: Int, _ columns: Int, seed: UInt64, far: Double
    ) -> (rows: [[Double]], labels: [Int32]) {
        var random = SeededRandom(seed: seed)
        let centres = (0..<9).map { _ in (0..<columns).map { _ in 8 * random.uniform() - 4 } }
        var (rows, labels): ([[Double]], [Int32]) = ([], [])
        for index in 0..<count {
            let lump = index % 18
            if lump < 9 {
                rows.append(centres[lump].map { $0 + (random.uniform() - 0.5) * (0.1 + 0.2 * Double(lump)) })
            } else {
                rows.append((0..<columns).map { _ in 10 * random.uniform() - 5 })
            }
            labels.append(lump < 9 && index % 5 != 0 ? Int32(lump) : -1)
        }
        for index in stride(from: 40, to: count, by: 41) { rows[index] = rows[index - 18] }
        for index in stride(from: 100, to: count, by: 501) { rows[index] = rows[index].map { $0 * far } }
        return (rows, labels)
    }

    /// What a loop over all rows finds: the nearest rows, and how many of them are within the largest reach of a
    /// cluster that may take the query.
    private static func expected(
        _ query: [Double], _ rows: [[Double]], _ labels: [Int32], _ reach: [Double], _ count: Int
    ) -> (rows: [(row: Int32, distance: Double)], within: Int) {
        var all: [(row: Int32, distance: Double)] = []
        var most = -1.0
        for (index, row) in rows.enumerated() {
            var square = 0.0
            for c in row.indices { square += (query[c] - row[c]) * (query[c] - row[c]) }
            let distance = square.squareRoot()
            all.append((Int32(index), distance))
            let label = Int(labels[index])
            if label >= 0, distance <= reach[label] { most = max(most, reach[label]) }
        }
        let nearest = all.sorted { ($0.distance, $0.row) < ($1.distance, $1.row) }.prefix(count)
        return (Array(nearest), nearest.count { $0.distance <= most })
    }

    @Test(arguments: [(60, 2), (700, 5), (3000, 19), (2500, 47)], [1.0, 1e6, 1e60])
    func findsWhatALoopFinds(shape: (rows: Int, columns: Int), far: Double) throws {
        let (rows, labels) = Self.rows(shape.rows, shape.columns, seed: 3, far: far)
        let width = Double(shape.columns).squareRoot()
        let dense: [Double] = (0..<9).map { 0.02 * Double($0) * width }
        let one: [Double] = (0..<9).map { $0 == 4 ? 0.6 * width : 0 }
        let reaches: [[Double]] = [dense, [Double](repeating: .infinity, count: 9), one]
        var queries = Self.rows(120, shape.columns, seed: 4, far: far).rows
        queries += Array(rows.prefix(60))
        for row in rows.prefix(60) { queries.append(row.map { $0 + 0.01 }) }
        queries.append([Double](repeating: 1e200, count: shape.columns))
        let matrix = Matrix(rows: rows.count, columns: shape.columns, elements: rows.flatMap { $0 })
        let asked = Matrix(rows: queries.count, columns: shape.columns, elements: queries.flatMap { $0 })
        let execution = Execution(try Context(threads: 2))
        for reach in reaches {
            let search = try #require(
                try matrix.withView { try PlacingSearch($0, clusters: labels, reach: reach, execution: execution) })
            let answers = Mutex([Int: [(row: Int32, distance: Double)]]())
            try matrix.withView { view in
                try asked.withView {
                    try search.nearest(7, of: $0, among: view, execution: execution) { query, found in
                        let copy = Array(found)
                        answers.withLock { $0[query] = copy }
                    }
                }
            }
            for (query, point) in queries.enumerated() {
                let found = answers.withLock { $0[query]! }
                let wanted = Self.expected(point, rows, labels, reach, 7)
                // A row or query that float32 cannot hold is never excluded, so that more may be found.
                let isExact = far == 1 && query < queries.count - 1
                #expect(
                    isExact ? found.count == wanted.within : found.count >= wanted.within,
                    "query \(query), reach \(reach)")
                for (own, other) in zip(found, wanted.rows) {
                    let isSame = own.distance == other.distance
                    #expect(isSame || abs(own.distance - other.distance) <= 1e-12 * max(other.distance, 1e-3))
                }
            }
        }
    }
}
