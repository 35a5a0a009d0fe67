import CCoveyKernels
import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveyNeighbors

/// Products of 8-bit codes against plain sums, and their margins against distances in float64.
@Suite struct CodeKernelTests {
    static let ways = (CK_CODES_PLAIN...CK_CODES_AMX).filter { $0 <= ck_codes_best() }

    /// A block of rows about a centroid, and its codes.
    private struct Block {
        var rows: [[Float]]
        let centroid: [Float]
        let depth: Int
        var codes: [Int8]
        var sums: [Int32]
        var rests: [Float]
        var lengths: [Float]
        var scale: Float = 0

        init(_ rows: [[Float]], about centroid: [Float], depth: Int) {
            self.rows = rows
            self.centroid = centroid
            self.depth = depth
            let d = centroid.count
            codes = Array(repeating: 1, count: (rows.count + Int(CK_CODES_ROWS)) * depth)
            sums = Array(repeating: 0, count: rows.count)
            rests = Array(repeating: 0, count: rows.count)
            lengths = Array(repeating: 0, count: rows.count)
            let numbers = rows.flatMap { $0 }
            scale = codes.withUnsafeMutableBufferPointer { codes in
                sums.withUnsafeMutableBufferPointer { sums in
                    rests.withUnsafeMutableBufferPointer { rests in
                        lengths.withUnsafeMutableBufferPointer { lengths in
                            ck_encode_rows(
                                Int64(rows.count), nil, Int64(d), Int64(depth), numbers, Int64(d), centroid,
                                ck_coded_rows(
                                    codes: codes.baseAddress, sums: sums.baseAddress, rests: rests.baseAddress,
                                    lengths: lengths.baseAddress))
                        }
                    }
                }
            }
        }

        func panel() -> [UInt8] {
            var panel = [UInt8](repeating: 0, count: (rows.count + 15) / 16 * 16 * depth)
            ck_pack_codes(Int64(rows.count), nil, Int64(depth), codes, &panel)
            return panel
        }
    }

    private static func squared(_ a: [Float], _ b: [Float]) -> Double {
        zip(a, b).reduce(0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }
    }

    /// The pairs of rows (first) and columns (second) with products that reach one of the sums of limits and bases.
    private static func near(
        _ way: Int32, _ first: Block, _ second: Block, _ rowBases: [Int32], _ rowLimits: [Int32],
        _ columnBases: [Int32], _ columnLimits: [Int32]
    ) -> Set<UInt32> {
        var hits = [UInt32](repeating: 0, count: first.rows.count * second.rows.count)
        let panel = second.panel()
        func pointer<T>(_ array: [T], _ body: (UnsafePointer<T>) -> Int64) -> Int64 {
            array.withUnsafeBufferPointer { body($0.baseAddress!) }
        }
        let found = pointer(first.codes) { codes in
            pointer(first.sums) { sums in
                pointer(rowBases) { rowBases in
                    pointer(rowLimits) { rowLimits in
                        pointer(panel) { panel in
                            pointer(columnBases) { columnBases in
                                pointer(columnLimits) { columnLimits in
                                    var pairs = ck_coded_pairs(
                                        rows: Int64(first.rows.count), columns: Int64(second.rows.count),
                                        depth: Int64(first.depth), codes: codes, sums: sums, row_bases: rowBases,
                                        row_limits: rowLimits, panel: panel, column_bases: columnBases,
                                        column_limits: columnLimits)
                                    return ck_near_codes(way, &pairs, &hits)
                                }
                            }
                        }
                    }
                }
            }
        }
        let pairs = Set(hits[..<Int(found)])
        #expect(pairs.count == Int(found))
        return pairs
    }

    @Test(arguments: [(1, 1, 4), (7, 17, 64), (33, 100, 60), (256, 256, 192), (95, 31, 2048)])
    func pairsAreThoseOfPlainProducts(shape: (rows: Int, columns: Int, depth: Int)) {
        var random = SeededRandom(seed: 5)
        let (m, n, dimension) = shape
        let unit = Int(CK_CODES_AMX_DEPTH)
        let depth = (dimension + unit - 1) / unit * unit
        let middle = [Float](repeating: 0, count: dimension)
        // The ends of the range of codes occur, in rows whose products are as large as any.
        func block(_ count: Int) -> Block {
            Block(
                (0..<count).map { i in
                    (0..<dimension).map { _ in
                        i % 9 == 4 ? (i % 2 == 0 ? 1 : -1) : Float(2 * random.uniform() - 1)
                    }
                }, about: middle, depth: depth)
        }
        let (first, second) = (block(m), block(n))
        let large = 40 * Int32(Double(dimension).squareRoot()) * 127
        func limits(_ count: Int) -> [Int32] {
            (0..<count).map { _ in
                switch Int.random(in: 0..<20, using: &random) {
                case 0: CK_CODES_NEVER
                case 1: -(1 << 27)
                case 2: 1 << 28
                default: Int32.random(in: 0...large, using: &random)
                }
            }
        }
        let (rowBases, rowLimits, columnBases, columnLimits) = (limits(m), limits(m), limits(n), limits(n))
        var expected = Set<UInt32>()
        for i in 0..<m {
            for j in 0..<n {
                var product = 0
                for c in 0..<depth {
                    product += Int(first.codes[i * depth + c]) * Int(second.codes[j * depth + c])
                }
                let own = Int(rowLimits[i]) + Int(columnBases[j])
                let other = Int(rowBases[i]) + Int(columnLimits[j])
                if product >= min(own, other) { expected.insert(UInt32(i) << 16 | UInt32(j)) }
            }
        }
        for way in Self.ways {
            #expect(Self.near(way, first, second, rowBases, rowLimits, columnBases, columnLimits) == expected)
        }
        if m > 50 { #expect(expected.count > 20 && expected.count < m * n * 3 / 4) }
    }

    enum Shape: CaseIterable, Sendable {
        case normal
        case oneLargeNumber
        case constant
        case subnormal
        case halfSteps
        case alternating
        case farCentroids
        case onCentroid
    }

    private static func rows(_ shape: Shape, _ count: Int, _ d: Int, _ random: inout SeededRandom) -> [[Float]] {
        (0..<count).map { i in
            (0..<d).map { c in
                let value = Float(random.uniform() - 0.5)
                return switch shape {
                case .normal, .farCentroids: value
                case .oneLargeNumber: c == i % d ? 1 : value * 1e-3
                case .constant: 0.7 + Float(i % 2) * 0x1p-24
                case .subnormal: value * Float.leastNormalMagnitude
                // Each code is as far from its number as it can be.
                case .halfSteps: (Float(Int.random(in: -127..<127, using: &random)) + 0.5) / 127
                case .alternating: c % 2 == 0 ? 1 : -1 + value * 1e-2
                case .onCentroid: i == 0 ? value : 0.25
                }
            }
        }
    }

    /// A pair whose distance is just what one of the two searches within is never lost, whatever the rows.
    @Test(arguments: Shape.allCases, [3, 64, 131])
    func noNearPairIsLost(shape: Shape, d: Int) {
        var random = SeededRandom(seed: 9)
        let unit = Int(CK_CODES_AMX_DEPTH)
        let depth = (d + unit - 1) / unit * unit
        let (m, n) = (40, 50)
        let a = (0..<d).map { _ in shape == .onCentroid ? 0.25 : Float(random.uniform() - 0.5) * 0.1 }
        let b = (0..<d).map { _ in
            shape == .onCentroid ? 0.25 : Float(random.uniform() - 0.5) * (shape == .farCentroids ? 30 : 0.3)
        }
        let first = Block(Self.rows(shape, m, d, &random), about: a, depth: depth)
        let second = Block(
            Self.rows(shape, n, d, &random).map { row in
                shape == .farCentroids ? zip(row, b).map { $0 + $1 } : row
            }, about: b, depth: depth)
        let error = (1.2 * Double(d) + 24) * TileRows.unit
        let distances = first.rows.map { row in second.rows.map { Self.squared(row, $0).squareRoot() } }
        // Each row searches exactly as far as its nearest row of the other block is, or not at all.
        let rowReach = (0..<m).map { i in i % 5 == 4 ? -Double.infinity : distances[i].min()! }
        let columnReach = (0..<n).map { j in j % 4 == 3 ? -Double.infinity : distances.map { $0[j] }.min()! }
        let between = Self.squared(a, b)
        func bounds(
            _ block: Block, from other: [Float], reaches: [Double], length: Double, constant: Double, scale: Double
        ) -> (bases: [Int32], limits: [Int32]) {
            let low = block.rows.map { Float(Self.squared($0, other).squareRoot()).nextDown }
            let norms = block.rows.map { row in row.reduce(0.0) { $0 + Double($1) * Double($1) } }
            var bases = [Int32](repeating: 0, count: low.count)
            var limits = bases
            low.withUnsafeBufferPointer { low in
                block.rests.withUnsafeBufferPointer { rests in
                    norms.withUnsafeBufferPointer { norms in
                        reaches.withUnsafeBufferPointer { reaches in
                            var bounds = ck_code_bounds(
                                count: Int64(low.count), low: low.baseAddress, rests: rests.baseAddress,
                                norms: norms.baseAddress, reaches: reaches.baseAddress, other_length: length,
                                error: error, constant: constant, scale: scale)
                            ck_code_limits(&bounds, &bases, &limits)
                            var alone = bases
                            ck_code_bases(&bounds, &alone)
                            #expect(alone == bases)
                        }
                    }
                }
            }
            return (bases, limits)
        }
        let scale = 2 * Double(first.scale) * Double(second.scale)
        let longest = second.rows.map { Self.squared($0, b).squareRoot() }.max()!
        let own = bounds(
            first, from: b, reaches: rowReach, length: longest * (1 + 1e-12), constant: between * (1 + 1e-12),
            scale: scale)
        let other = bounds(
            second, from: a, reaches: columnReach, length: Double(first.lengths.max()!), constant: 0, scale: scale)
        for way in Self.ways {
            let found = Self.near(way, first, second, own.bases, own.limits, other.bases, other.limits)
            var near = 0
            for i in 0..<m {
                for j in 0..<n where distances[i][j] <= max(rowReach[i], columnReach[j]) {
                    near += 1
                    #expect(found.contains(UInt32(i) << 16 | UInt32(j)))
                }
            }
            #expect(near >= 30)
            // And it is a filter: of ordinary rows most pairs are left out.
            if shape == .normal, d == 64 { #expect(found.count < 2 * near) }
        }
    }

    /// Every way, and none, gives the same neighbours and the same edges, byte for byte.
    @Test(arguments: [(1500, 24, 8), (1100, 70, 20)])
    func resultsDoNotDependOnTheWay(shape: (rows: Int, columns: Int, k: Int)) throws {
        var random = SeededRandom(seed: 2)
        let (n, d, k) = shape
        var matrix = Matrix(rows: n, columns: d, repeating: 0.0)
        for i in 0..<n {
            // A few far rows, equal rows, and clusters of different width.
            let width = [1, 0.1, 3, 0][i % 4]
            for c in 0..<d { matrix[i, c] = Double(i % 7 * c % 5) + width * (random.uniform() - 0.5) }
            if i % 400 == 399 { matrix[i, 0] = 1e6 }
        }
        let results = try matrix.withView { view in
            try ([CK_CODES_NONE] + Self.ways).map { way in
                let execution = Execution(try Context(threads: 2))
                let rows = try Rows(view, used: nil, metric: .euclidean, execution: execution)
                let search = try TileSearch(rows, seed: 1, cellCount: 17, codes: way, execution: execution)
                #expect((search.coded == nil) == (way == CK_CODES_NONE))
                var links = [BestLink](repeating: .none, count: 5)
                let graph = try search.nearest(k, execution: execution)
                try search.nearestOutside(
                    OutsideQuery(
                        components: (0..<n).map { Int32($0 % 5) },
                        cores: (0..<n).map { graph.distances[$0 * k + k / 2] }, alpha: 1,
                        searched: Array(repeating: true, count: n)), links: &links, execution: execution)
                return (graph.indices, graph.distances, links)
            }
        }
        for result in results.dropFirst() {
            #expect(result.0 == results[0].0 && result.1 == results[0].1 && result.2 == results[0].2)
        }
    }
}
