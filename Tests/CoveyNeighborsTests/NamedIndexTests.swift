import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveyNeighbors

@Suite struct NamedIndexTests {
    /// Rows about a few hundred places, off the origin.
    private static func points(_ rows: Int, _ columns: Int) -> Matrix<Double> {
        var random = SeededRandom(seed: 3)
        func normal() -> Double { (0..<6).reduce(-3.0) { sum, _ in sum + random.uniform() } * 1.4 }
        let places = (0..<200).map { _ in (0..<columns).map { _ in normal() * 3 + 1000 } }
        var matrix = Matrix(rows: rows, columns: columns, repeating: 0.0)
        for i in 0..<rows {
            let place = places[Int(random.uniform() * 200)]
            for c in 0..<columns { matrix[i, c] = place[c] + normal() }
        }
        return matrix
    }

    /// The k nearest other rows of a row by a slow loop.
    private static func slow(_ matrix: Matrix<Double>, _ row: Int, _ k: Int) -> Set<Int> {
        let distances = (0..<matrix.rows).map { other in
            (0..<matrix.columns).reduce(0.0) {
                $0 + (matrix[row, $1] - matrix[other, $1]) * (matrix[row, $1] - matrix[other, $1])
            }
        }
        let order = (0..<matrix.rows).filter { $0 != row }.sorted { distances[$0] < distances[$1] }
        return Set(order.prefix(k))
    }

    private static func lists(
        _ name: String, _ parameters: String?, _ matrix: Matrix<Double>, k: Int, threads: Int = 2, budget: UInt64? = nil
    ) throws -> [Int32] {
        try matrix.withView { view in
            let execution = Execution(
                try budget.map { try Context(threads: threads, memoryBudget: $0) } ?? Context(threads: threads))
            let rows = try Rows(view, used: nil, metric: .euclidean, execution: execution)
            let lists = try NamedIndex(name, parameters, rows, seed: 0, execution: execution)
                .lists(k, execution: execution)
            return (0..<lists.count).map { lists[$0] }
        }
    }

    /// What each kind of index must find of what a slow loop finds, of the least that it can do.
    @Test(arguments: [
        ("Flat", nil, 1.0), ("IVF16,Flat", "nprobe=16", 1.0), ("IVF16,Flat", "nprobe=4", 0.7),
        ("HNSW16", "efSearch=100,efConstruction=100", 0.9), ("HNSW16,Flat", nil, 0.5), ("HNSW16_SQ8", nil, 0.5),
        ("HNSW16_PQ8", nil, 0.1), ("IVF16_HNSW8,SQ8", "nprobe=16", 0.9), ("IVF16,SQ4", "nprobe=16", 0.4),
        ("IVF16,SQ6", "nprobe=16", 0.7), ("SQfp16", nil, 0.95), ("IVF16,PQ8", "nprobe=16", 0.1),
        ("IVF16,PQ8np,RFlat", "nprobe=16,k_factor_rf=8", 0.5), ("PQ8x4", nil, 0.05),
        ("IVF16,PQ8x4fsr", "nprobe=16", 0.05),
        ("IVF16,PQ8x4fs,Refine(SQ8)", "nprobe=16,k_factor_rf=8", 0.2), ("PCA8,IVF16,Flat", "nprobe=16", 0.2),
        ("PCAR12,Flat", nil, 0.4), ("PCAW16,Flat", nil, 0.2), ("PCAWR16,Flat", nil, 0.2), ("RR16,Flat", nil, 0.99),
        ("Pad24,IVF16,PQ8x6", "nprobe=16", 0.05), ("IMI2x3,Flat", "nprobe=64", 0.99),
    ])
    func findsWhatItsKindCan(name: String, parameters: String?, least: Double) throws {
        let (matrix, k) = (Self.points(2000, 16), 10)
        let found = try Self.lists(name, parameters, matrix, k: k)
        var hits = 0
        let sample = Array(stride(from: 0, to: 2000, by: 40))
        for row in sample {
            let list = found[row * k..<(row + 1) * k].filter { $0 >= 0 }.map { Int($0) }
            #expect(!list.contains(row) && Set(list).count == list.count && list.allSatisfy { $0 < 2000 })
            hits += Self.slow(matrix, row, k).intersection(list).count
        }
        let share = Double(hits) / Double(k * sample.count)
        #expect(share >= least, "\(name) \(share)")
    }

    @Test func threadsDoNotMatter() throws {
        let matrix = Self.points(3000, 16)
        for (name, parameters) in [("IVF16,PQ4x4", "nprobe=3"), ("HNSW8", nil)] as [(String, String?)] {
            let one = try Self.lists(name, parameters, matrix, k: 5, threads: 1)
            #expect(try Self.lists(name, parameters, matrix, k: 5, threads: 3) == one)
        }
    }

    @Test func orthogonalCodesNeedTheirRows() throws {
        let found = try Self.lists("OPQ4_8,IVF16,PQ4x4", "nprobe=16", Self.points(10_000, 16), k: 3)
        #expect(found.allSatisfy { $0 >= 0 })
        #expect(throws: CoveyError.self) { try Self.lists("OPQ4,IVF16,PQ4x4", nil, Self.points(2000, 16), k: 3) }
    }

    /// Rows that the probed lists do not hold are not there.
    @Test func listsMayBeShort() throws {
        let found = try Self.lists("IVF500,Flat", "nprobe=1", Self.points(1000, 16), k: 10)
        #expect(found.contains(-1) && found.contains { $0 >= 0 })
    }

    @Test(arguments: [
        "", " ", "flat", "IVF", "IVF0,Flat", "IVF-1,Flat", "IVF99999999999999999999,Flat", "IVF16", "IVF16,", ",Flat",
        "IVF16,,Flat", "IVF16,Flat,", "IVF16,Flat,Flat", "HNSW", "HNSW0", "HNSW1", "HNSW1000000", "HNSW16,HNSW16",
        "IVF16,HNSW16", "HNSW16_PQ0", "HNSW16_SQ4", "PQ0", "PQ8x0", "PQ8x24", "PQ8x4x4", "PQ", "PQ08", "OPQ,Flat",
        "OPQ0,Flat", "OPQ4_0,Flat", "OPQ4_8_8,Flat", "PCA0,Flat", "PCA999999,Flat", "Pad99999999,Flat", "RR,Flat",
        "IMI2x24,Flat", "IMI3x4,Flat", "LSH", "ITQ,LSH", "L2norm,Flat", "NSG32", "RQ4x8", "IVF16,RQ4x8", "IDMap,Flat",
        "IVF16(Flat),Flat", "Refine(Flat)", "Flat,Refine(IVF4,Flat)", "Flat,Refine(", "IVF16,Flat\u{1b}[31m",
        "IVF１6,Flat",
        String(repeating: "IVF16,Flat", count: 100), "/etc/passwd", "IVF16,Flat,RFlat,RFlat", "IVF+16,Flat",
    ])
    func namesThatAreNoneAreRefused(name: String) throws {
        let error = #expect(throws: CoveyError.self) { try NamedIndex.validate(name, nil) }
        #expect(error?.code == .invalidArgument && error?.message.hasPrefix("index must be") == true)
        #expect(error?.message.unicodeScalars.allSatisfy { $0.value >= 0x20 } == true)
    }

    @Test(arguments: [
        "nprobe", "nprobe=", "=3", "nprobe=0", "nprobe=-1", "nprobe=1e9", "nprobe=nan", "nprobe=99999999999",
        "verbose=1",
        "ht=3", "nprobe=3,", "nprobe=3,nprobe=4", "nprobe=3;efSearch=3", "nprobe==3", "nprobe=2000000", " nprobe=3",
    ])
    func parametersThatAreNoneAreRefused(parameters: String) throws {
        let error = #expect(throws: CoveyError.self) { try NamedIndex.validate("Flat", parameters) }
        #expect(error?.code == .invalidArgument && error?.message.hasPrefix("index_search must") == true)
    }

    /// What is a name but not for these rows.
    @Test(
        arguments: [
            ("IVF4096,Flat", nil), ("PQ7", nil), ("OPQ3,Flat", nil), ("OPQ4_32,Flat", nil), ("PCA17,Flat", nil),
            ("Pad8,Flat", nil), ("PQ8x12", nil), ("IMI2x12,Flat", nil), ("IVF16,Flat", "efSearch=3"),
            ("HNSW16", "nprobe=3"),
            ("IVF16,PQ8,Refine(PQ5)", nil), ("IVF16,PQ3x4fs", nil),
        ] as [(String, String?)])
    func whatTheRowsCannotHaveIsRefused(name: String, parameters: String?) throws {
        try NamedIndex.validate(name, parameters)
        let error = #expect(throws: CoveyError.self) {
            try Self.lists(name, parameters, Self.points(2000, 16), k: 3)
        }
        #expect(error?.code == .invalidArgument && error?.message.contains(name) == true, "\(error?.message ?? "")")
    }

    @Test func memoryIsHeldBeforeItIsTaken() throws {
        let matrix = Self.points(2000, 16)
        for name in ["IVF16,Flat", "HNSW512", "PQ16x8", "IVF2000,PQ16"] {
            let error = #expect(throws: CoveyError.self) {
                try Self.lists(name, nil, matrix, k: 3, budget: 100_000)
            }
            #expect(error?.code == .outOfMemory, "\(name)")
        }
        #expect(try !Self.lists("IVF16,Flat", nil, matrix, k: 3, budget: 50_000_000).isEmpty)
    }

    @Test(arguments: ["IVF64,PQ8", "HNSW32"]) func canBeCancelled(name: String) throws {
        let matrix = Self.points(20_000, 16)
        try matrix.withView { view in
            var calls = 0
            nonisolated(unsafe) let count = withUnsafeMutablePointer(to: &calls) { $0 }
            let context = try Context(threads: 2) { _, _ in
                count.pointee += 1
                return count.pointee > 3
            }
            let execution = Execution(context)
            let rows = try Rows(view, used: nil, metric: .euclidean, execution: execution)
            let error = #expect(throws: CoveyError.self) {
                try NamedIndex(name, nil, rows, seed: 0, execution: execution).lists(5, execution: execution)
            }
            #expect(error?.code == .cancelled)
        }
    }
}
