import CoveyClustering
import CoveyHybrid
import CoveyRuntime
import CoveyTables

/// What the rows that an engine keeps say about features: values as they were given, and clusters. Rows are kept by
/// the engine's clustering; of many of them an even sample is read.
struct KnownRows: Sendable {
    let features: [StoredFeature]
    /// The clustered rows, by the caller's number.
    let rows: [Int]
    /// Of each row; -1 = none.
    let clusters: [Int32]
    /// By feature, then by row; see `StoredFeature.value`.
    let values: [[Double]]

    static let mostRows = 50_000

    /// - Parameter chosen: positions among the rows that the clustering keeps; nil = an even sample.
    init(_ parts: EngineParts, chosen: [Int]? = nil, _ execution: Execution) throws {
        let features = parts.hybrid.storedFeatures
        self.features = features
        guard let predictor = parts.clustering.predictor else {
            throw CoveyError.invalidArgument("the engine's clustering keeps no rows")
        }
        let total = predictor.reference.rows
        let count = min(total, KnownRows.mostRows)
        let places = chosen ?? (0..<count).map { $0 * total / count }
        rows = places.map { parts.clustering.rowNumber($0) }
        clusters = rows.map { parts.clustering.labels[$0] }
        try execution.hold(
            checkedProduct(places.count, max(1, features.count), "values of kept rows"), of: 8,
            for: "the values of \(places.count) kept rows")
        var values = features.map { _ in [Double](repeating: .nan, count: places.count) }
        try predictor.reference.withView { view in
            var row = [Float](repeating: 0, count: view.columns)
            for (index, place) in places.enumerated() {
                if index & 0xFF == 0 { try execution.report() }
                row.withUnsafeMutableBufferPointer { row in
                    guard let base = row.baseAddress else { return }
                    view.copyRow(place, to: base)
                    for (number, feature) in features.enumerated() {
                        values[number][index] = feature.value(of: base)
                    }
                }
            }
        }
        self.values = values
    }

    /// The index of a feature by its name; nil for one that rules alone use.
    func index(of name: String) -> Int? { features.firstIndex { ExactName($0.name) == ExactName(name) } }
}
