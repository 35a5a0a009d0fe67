import CCoveyKernels
import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveyNeighbors

/// Products of queries and rows as 8-bit codes, against plain sums.
@Suite struct QueryCodeTests {
    static let ways = (CK_CODES_PLAIN...CK_CODES_VNNI).filter { $0 <= ck_query_codes_best() }

    @Test(arguments: ways, [(1, 4, 1), (16, 4, 6), (37, 12, 7), (64, 64, 12), (250, 40, 13), (256, 2048, 5)])
    func equalsPlainSums(way: Int32, shape: (rows: Int, depth: Int, queries: Int)) {
        let (rows, depth, count) = shape
        var random = SeededRandom(seed: UInt64(rows))
        func codes(_ count: Int) -> [Int8] {
            // Mostly the ends, so that sums are as large as they can be.
            (0..<count).map { _ in
                [-127, 127, Int8.random(in: -127...127, using: &random)].randomElement(using: &random)!
            }
        }
        let (block, queries) = (codes(rows * depth), codes(count * depth))
        let padded = (rows + 15) / 16 * 16
        var panel = [UInt8](repeating: 0, count: padded * depth)
        ck_pack_codes(Int64(rows), nil, Int64(depth), block, &panel)
        let sums = (0..<count).map { query in (0..<depth).reduce(Int32(0)) { $0 + Int32(queries[query * depth + $1]) } }
        let listed = (0..<count).map { Int32($0) }.shuffled(using: &random)
        func product(_ query: Int, _ row: Int) -> Int32 {
            (0..<depth).reduce(0) { $0 + Int32(queries[query * depth + $1]) * Int32(block[row * depth + $1]) }
        }
        let scales = (0..<count).map { _ in Float(random.uniform()) * 1e-3 }
        let bases = (0..<padded).map { _ in Float(random.uniform()) }
        // One query is near nothing, one near everything, the others near some.
        let limits = (0..<count).map { place in
            place == 0 ? -Float.infinity : place == 1 ? .infinity : Float(random.uniform()) - 0.5
        }
        var expected = Set<UInt32>()
        for (place, query) in listed.enumerated() {
            for row in 0..<rows {
                let value = bases[row].addingProduct(-scales[place], Float(product(Int(query), row)))
                if value <= limits[place] { expected.insert(UInt32(place) << 16 | UInt32(row)) }
            }
        }
        var hits = [UInt32](repeating: 0, count: rows * count)
        let found = queries.withUnsafeBufferPointer { codes in
            sums.withUnsafeBufferPointer { sums in
                listed.withUnsafeBufferPointer { listed in
                    scales.withUnsafeBufferPointer { scales in
                        limits.withUnsafeBufferPointer { limits in
                            var given = ck_coded_queries(
                                count: Int64(count), listed: listed.baseAddress, codes: codes.baseAddress,
                                sums: sums.baseAddress, scales: scales.baseAddress, limits: limits.baseAddress)
                            return Int(ck_near_queries(way, Int64(rows), Int64(depth), panel, bases, &given, &hits))
                        }
                    }
                }
            }
        }
        #expect(Set(hits.prefix(found)) == expected)
        #expect(Set(hits.prefix(found)).count == found)
        #expect(count < 2 || !expected.isEmpty)
    }

    /// Codes are used, and exclude nearly all rows: otherwise the other tests would not see them.
    @Test func codesExcludeMostRows() throws {
        var random = SeededRandom(seed: 5)
        let columns = 64
        let matrix = Matrix(
            rows: 6000, columns: columns,
            elements: (0..<6000 * columns).map { _ in Float(random.uniform() + random.uniform() + random.uniform()) })
        let execution = Execution()
        try matrix.withView { view in
            let rows = try Rows(view, used: nil, metric: .euclidean, execution: execution)
            let packed = try TileRows(rows, rotated: true, execution: execution)
            let cells = try Cells(packed, CellOrder.find(packed, cells: 58, seed: 0, execution), execution)
            #expect(try QueryCodes(cells, way: CK_CODES_NONE, execution) == nil)
            for way in Self.ways {
                let codes = try #require(try QueryCodes(cells, way: way, execution))
                let batch = try QueryBatch(cells, codes, size: 7, wanted: 5, execution)
                for query in 0..<7 {
                    view.copyRow(query, to: batch.row(query))
                    #expect(batch.begin(query, wanted: 5))
                }
                var offered = 0
                try batch.search(7, wanted: 5, execution) { query, place, heap in
                    offered += 1
                    let row = Int(packed.order[place])
                    _ = heap.push(rows.reduced(query, row), Int32(row))
                }
                #expect(offered > 7 * 5 && offered < 7 * 120, "\(offered)")
            }
        }
    }
}
