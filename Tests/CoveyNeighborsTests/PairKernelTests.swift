import CCoveyKernels
import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveyNeighbors

/// The register tiles of each instruction set against plain sums in float64.
@Suite struct PairKernelTests {
    private struct Side {
        var numbers: [Float]
        var biases: [Float]
        var thresholds: [Float]
        var tails: [Float]
    }

    private static func side(_ count: Int, _ depth: Int, _ stride: Int, prefix: Int, _ random: inout SeededRandom)
        -> Side
    {
        var side = Side(
            numbers: Array(repeating: 0, count: count * stride), biases: [], thresholds: [], tails: [])
        for i in 0..<count {
            // Little beyond the prefix, and for some rows nothing.
            for c in 0..<depth {
                side.numbers[i * stride + c] = Float(random.uniform() - 0.5) * (c < prefix ? 1 : i % 3 == 0 ? 0 : 0.05)
            }
            let row = side.numbers[i * stride..<i * stride + depth].map(Double.init)
            side.biases.append(Float(row.reduce(0) { $0 + $1 * $1 }))
            // About one pair in twenty is near, none of those of every second 64 rows with every second 64 columns.
            let deviation = (Double(depth) / 2).squareRoot() / 6
            let threshold = Double(depth) / 24 - (0.8 + 1.5 * random.uniform()) * deviation
            side.thresholds.append(i / 64 % 2 == 1 ? -.infinity : Float(threshold))
            side.tails.append(Float(row[prefix...].reduce(0) { $0 + $1 * $1 }.squareRoot()).nextUp)
        }
        return side
    }

    static let sets = [CK_BASELINE, CK_AVX2, CK_AVX512]

    @Test(arguments: [(1, 1, 4), (7, 16, 16), (60, 70, 20), (256, 256, 64), (101, 201, 132)], [false, true])
    func pairsAreThoseOfPlainSums(shape: (rows: Int, columns: Int, depth: Int), looks: Bool) {
        var random = SeededRandom(seed: 11)
        let (m, n, depth) = shape
        let stride = (depth + 15) / 16 * 16
        let prefix = depth / 2
        let rows = Self.side(m, depth, stride, prefix: prefix, &random)
        let columns = Self.side(n, depth, stride, prefix: prefix, &random)
        let places = (0..<Int32(m)).filter { $0 % 4 != 2 || m == 1 }
        let columnPlaces = (0..<Int32(n)).reversed().filter { $0 % 7 != 3 || n == 1 }
        func chosen(_ values: [Float]) -> [Float] { columnPlaces.map { values[Int($0)] } }
        for set in Self.sets where set <= ck_encoder_instruction_set() {
            for listed in [false, true] {
                let width = listed ? columnPlaces.count : n
                var panel = [Float](repeating: .nan, count: (width + 15) / 16 * 16 * depth)
                columns.numbers.withUnsafeBufferPointer { numbers in
                    columnPlaces.withUnsafeBufferPointer {
                        ck_pack_panel(
                            Int64(width), listed ? $0.baseAddress : nil, Int64(depth), numbers.baseAddress,
                            Int64(stride),
                            &panel)
                    }
                }
                var hits = [UInt32](repeating: 0, count: m * n)
                var found = ck_pairs_found()
                rows.numbers.withUnsafeBufferPointer { numbers in
                    places.withUnsafeBufferPointer { places in
                        var search = ck_pairs()
                        search.rows = Int64(listed ? places.count : m)
                        search.columns = Int64(width)
                        search.depth = Int64(depth)
                        search.prefix = looks ? Int64(prefix) : 0
                        search.stride = Int64(stride)
                        search.numbers = numbers.baseAddress
                        search.places = listed ? places.baseAddress : nil
                        func run(
                            _ fields: [[Float]], _ body: ([UnsafePointer<Float>]) -> Void,
                            _ done: [UnsafePointer<Float>] = []
                        ) {
                            guard let field = fields.first else { return body(done) }
                            field.withUnsafeBufferPointer {
                                run(Array(fields.dropFirst()), body, done + [$0.baseAddress!])
                            }
                        }
                        run([
                            panel, rows.thresholds, rows.biases, rows.tails,
                            listed ? chosen(columns.thresholds) : columns.thresholds,
                            listed ? chosen(columns.biases) : columns.biases,
                            listed ? chosen(columns.tails) : columns.tails,
                        ]) {
                            search.panel = $0[0]
                            search.row_thresholds = $0[1]
                            search.row_biases = $0[2]
                            search.row_tails = $0[3]
                            search.column_thresholds = $0[4]
                            search.column_biases = $0[5]
                            search.column_tails = $0[6]
                            found = ck_near_pairs(set, &search, &hits)
                        }
                    }
                }
                let pairs = hits[..<Int(found.count)].map {
                    ($0 >> 16, listed ? UInt32(columnPlaces[Int($0 & 0xffff)]) : $0 & 0xffff)
                }
                let known = Set(pairs.map { $0.0 << 16 | $0.1 })
                #expect(known.count == pairs.count)
                var certain = 0
                for i in 0..<m {
                    for j in 0..<n {
                        var product = 0.0
                        for c in 0..<depth {
                            product += Double(rows.numbers[i * stride + c]) * Double(columns.numbers[j * stride + c])
                        }
                        let limit = max(
                            Double(rows.thresholds[i]) - Double(columns.biases[j]),
                            Double(columns.thresholds[j]) - Double(rows.biases[i]))
                        let looked = !listed || (places.contains(Int32(i)) && columnPlaces.contains(Int32(j)))
                        let isNear = known.contains(UInt32(i) << 16 | UInt32(j))
                        // What is this near to the limit may be on either side of it.
                        if abs(-2 * product - limit) < 1e-4 * Double(depth) && looked { continue }
                        certain += isNear ? 1 : 0
                        #expect(isNear == (looked && -2 * product <= limit))
                    }
                }
                if m > 50 {
                    #expect(certain > 20 && found.count < m * n / 2)
                    #expect(looks || found.abandoned == 0)
                    #expect(!looks || listed || m < 70 || found.abandoned > 0)
                }
            }
        }
    }

    /// Rows near a subspace, which the tiles turn to their principal components, in two places far from each other.
    @Test func turnedRowsHaveTheirNeighbors() throws {
        var random = SeededRandom(seed: 8)
        let (n, d, k) = (1300, 40, 9)
        let axes = (0..<5).map { _ in (0..<d).map { _ in random.uniform() - 0.5 } }
        var matrix = Matrix(rows: n, columns: d, repeating: 0.0)
        for i in 0..<n {
            let weights = (0..<5).map { _ in random.uniform() * 4 }
            for c in 0..<d {
                var sum = i % 2 == 0 ? 1e3 : 0
                for a in 0..<5 { sum += weights[a] * axes[a][c] }
                matrix[i, c] = sum + 0.01 * random.uniform()
            }
        }
        let graph = try matrix.withView { view in
            let execution = Execution(try Context(threads: 2))
            let rows = try Rows(view, used: nil, metric: .euclidean, execution: execution)
            let search = try TileSearch(rows, seed: 1, cellCount: 9, execution: execution)
            #expect((8...30).contains(search.packed.prefix))
            return try search.nearest(k, execution: execution)
        }
        for i in stride(from: 0, to: n, by: 3) {
            var truth: [Double] = []
            for j in 0..<n where j != i {
                var sum = 0.0
                for c in 0..<d { sum += (matrix[i, c] - matrix[j, c]) * (matrix[i, c] - matrix[j, c]) }
                truth.append(sum.squareRoot())
            }
            truth.sort()
            for slot in 0..<k { #expect(abs(graph.distances[i * k + slot] - truth[slot]) <= 1e-9 * truth[slot]) }
        }
    }
}
