import CoveyRuntime
import Foundation

@testable import CoveyHybrid
@testable import CoveyTables

/// What Tests/Fixtures/make_numerics_fixtures.py wrote.
struct NumericsFixture: Decodable {
    let table: [[Double?]]
    let fresh: [[Double?]]
    let robust: [[Double?]]
    let robust_fresh: [[Double?]]
    let robust_centre: [Double]
    let standard: [[Double?]]
    let standard_fresh: [[Double?]]
    let embeddings: [[Double]]
    let new_embeddings: [[Double]]
    let components: [[Double]]
    let variances: [Double]
    let projected: [[Double]]
    let new_projected: [[Double]]

    static func load() throws -> NumericsFixture {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let data = try Data(contentsOf: folder.appending(path: "Fixtures/numerics.json"))
        return try JSONDecoder().decode(NumericsFixture.self, from: data)
    }
}

func numeric(_ name: String, _ values: [Double]) -> FeatureColumn {
    FeatureColumn(name: name, values: .numeric(Strided(values)))
}

func categorical(_ name: String, _ codes: [Int32], _ categories: [String]) -> FeatureColumn {
    FeatureColumn(name: name, values: .categorical(Strided(codes), categories: categories))
}

func boolean(_ name: String, _ values: [Int8]) -> FeatureColumn {
    FeatureColumn(name: name, values: .boolean(Strided(values)))
}

/// Columns "0", "1", ... of rows; nil = missing.
func table(_ rows: [[Double?]]) throws -> FeatureTable {
    try FeatureTable(
        rows: rows.count,
        columns: (0..<rows[0].count).map { column in numeric("\(column)", rows.map { $0[column] ?? .nan }) })
}

func matrix(_ rows: [[Double]]) -> Matrix<Double> {
    Matrix(rows: rows.count, columns: rows[0].count, elements: rows.flatMap { $0 })
}

/// Fits on embeddings, and transforms others.
func embed(
    _ fitted: Matrix<Double>, _ new: Matrix<Double>, components: Int = 0, threads: Int = 1
) throws -> Matrix<Float> {
    var options = HybridOptions()
    options.embeddingComponents = components
    let execution = Execution(try Context(threads: threads))
    return try fitted.withView { view in
        let hybrid = try HybridFeatures(fitting: view, nil, options: options, execution: execution)
        return try new.withView { try hybrid.transform($0, nil, execution: execution) }
    }
}

func error(_ body: () throws -> Void) -> CoveyError? {
    do {
        try body()
        return nil
    } catch {
        return error as? CoveyError
    }
}
