import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveyClustering

/// Labels that end early are those of the full search, to the last bit.
@Suite struct LabelsTests {
    private static func rows(_ count: Int, _ columns: Int, seed: UInt64) -> Matrix<Float> {
        var random = SeededRandom(seed: seed)
        var centres: [[Double]] = []
        var place = SeededRandom(seed: 77)
        for _ in 0..<12 { centres.append((0..<columns).map { _ in 6 * place.uniform() }) }
        var elements: [Float] = []
        for index in 0..<count {
            let lump = index % 20
            for column in 0..<columns {
                elements.append(
                    Float(
                        lump < 12
                            ? centres[lump][column] + (random.uniform() - 0.5) * (0.2 + 0.1 * Double(lump))
                            : 9 * random.uniform() - 1.5))
            }
        }
        // Rows that repeat.
        for index in stride(from: 30, to: count, by: 31) {
            for column in 0..<columns { elements[index * columns + column] = elements[(index - 20) * columns + column] }
        }
        return Matrix(rows: count, columns: columns, elements: elements)
    }

    private static let options: [ClusterOptions] = {
        var result: [ClusterOptions] = []
        for selection in ClusterSelection.Method.allCases {
            for (single, epsilon) in [(false, 0.0), (true, 0), (true, 0.5), (false, 0.5), (true, 50)] {
                for (samples, size) in [(5, 12), (1, 5), (15, 40)] {
                    for reference in [false, true] {
                        var options = ClusterOptions()
                        options.selection = selection
                        options.allowSingleCluster = single
                        options.clusterSelectionEpsilon = epsilon
                        options.minSamples = samples
                        options.minClusterSize = size
                        options.matchReference = reference
                        options.prediction = true
                        result.append(options)
                    }
                }
            }
        }
        return result
    }()

    @Test(arguments: [2, 6, 33], [false, true]) func areThoseOfTheFullSearch(columns: Int, weighted: Bool) throws {
        let rows = Self.rows(1500, columns, seed: 5)
        var queries = Self.rows(900, columns, seed: 6)
        queries.elements += rows.elements.prefix(200 * columns) + [Float](repeating: 3e20, count: columns)
        queries = Matrix(rows: 1101, columns: columns, elements: queries.elements)
        let weights: [Int32]? = weighted ? (0..<1500).map { Int32($0 % 4) } : nil
        let execution = Execution(try Context(threads: 2))
        var (inside, outside) = (0, 0)
        for options in Self.options {
            let clustering = try rows.withView {
                try Clustering($0, options, weights: weights, execution: execution)
            }
            try clustering.prepareLabels(execution: execution)
            for strengths in [ClusterOptions.Strengths.bounded, .hdbscan] {
                let full = try queries.withView { try clustering.predict($0, strengths, execution: execution) }
                let own = try queries.withView {
                    try clustering.predict($0, strengths, onlyLabels: true, execution: execution)
                }
                #expect(own.labels == full.labels, "\(options)")
                #expect(own.probabilities == full.probabilities, "\(options)")
                inside += full.labels.count { $0 >= 0 }
                outside += full.labels.count { $0 < 0 }
            }
        }
        #expect(inside > 5000 && outside > 5000)
    }
}
