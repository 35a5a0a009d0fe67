import CoveyNeighbors
import CoveyRuntime
import CoveyTables
import FoundationEssentials
import Testing

@testable import CoveyClustering

/// Tests/Fixtures/clustering.json: small data sets with what hdbscan and scikit-learn make of them.
struct Fixture: Decodable {
    let sets: [DataSet]

    struct DataSet: Decodable {
        let name: String
        let rows: [[Double]]
        let queries: [[Double]]
        let cases: [Case]

        var matrix: Matrix<Double> { Fixture.matrix(rows) }
        var queryMatrix: Matrix<Double> { Fixture.matrix(queries) }
    }

    struct Case: Decodable {
        let options: Options
        /// hdbscan gives the same labels however ties between distances are broken.
        let certain: Bool
        let expected: Expected
        let sklearn: [Int32]?
    }

    struct Options: Decodable {
        let min_cluster_size: Int?
        let min_samples: Int?
        let max_cluster_size: Int?
        let cluster_selection_epsilon: Double?
        let cluster_selection_method: String?
        let allow_single_cluster: Bool?
        let alpha: Double?
        let metric: String?

        var swift: ClusterOptions {
            get throws {
                var options = ClusterOptions()
                options.minClusterSize = min_cluster_size ?? 5
                options.minSamples = min_samples ?? 0
                options.maxClusterSize = max_cluster_size ?? 0
                options.clusterSelectionEpsilon = cluster_selection_epsilon ?? 0
                options.selection = cluster_selection_method == "leaf" ? .leaf : .excessOfMass
                options.allowSingleCluster = allow_single_cluster ?? false
                options.alpha = alpha ?? 1
                options.metric =
                    switch metric ?? "euclidean" {
                    case "euclidean": .euclidean
                    case "manhattan": .manhattan
                    case "cosine": .cosine
                    default: throw CoveyError.internalError("unknown metric")
                    }
                return options
            }
        }
    }

    struct Expected: Decodable {
        let from: [Int32]
        let to: [Int32]
        let distances: [Number]
        let left: [Int32]
        let right: [Int32]
        let merged: [Int32]
        let parents: [Int32]
        let children: [Int32]
        let lambdas: [Number]
        let sizes: [Int32]
        let labels: [Int32]
        let probabilities: [Number]
        let persistence: [Number]
        let scores: [Number]
        let predicted: [Int32]?
        let strengths: [Number]?
        let exemplars: [[Int32]]?
    }

    /// A number, or "inf" or "nan".
    struct Number: Decodable {
        let value: Double

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Double.self) {
                value = number
            } else {
                value = try #require(Double(try container.decode(String.self)))
            }
        }
    }

    static func load() throws -> Fixture {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Fixtures/clustering.json")
        return try JSONDecoder().decode(Fixture.self, from: try Data(contentsOf: file))
    }

    static func matrix(_ rows: [[Double]]) -> Matrix<Double> {
        Matrix(rows: rows.count, columns: rows.first?.count ?? 1, elements: rows.flatMap { $0 })
    }
}

/// Equal to a relative 1e-9; NaN equals NaN.
func close(_ a: Double, _ b: Double, _ tolerance: Double = 1e-9) -> Bool {
    a == b || (a.isNaN && b.isNaN) || abs(a - b) <= tolerance * max(1, max(abs(a), abs(b)))
}

func close(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-9) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { close($0, $1, tolerance) }
}

/// Labels free of numbering: clusters by their first row.
func partition(_ labels: [Int32]) -> [Int32] {
    var seen: [Int32: Int32] = [:]
    return labels.map { label in
        if label < 0 { return -1 }
        if let known = seen[label] { return known }
        seen[label] = Int32(seen.count)
        return seen[label]!
    }
}
