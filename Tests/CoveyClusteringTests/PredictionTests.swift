import CoveyNeighbors
import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveyClustering

/// Prediction follows the rule of fitting: a row that was fitted gets its own label again, whatever the options.
@Suite struct PredictionTests {
    /// Some lumps and a haze around them.
    private static func rows(_ lumps: Int, _ haze: Int, columns: Int, seed: UInt64) -> Matrix<Double> {
        var random = SeededRandom(seed: seed)
        func bell() -> Double { (0..<6).reduce(-3) { sum, _ in sum + random.uniform() } }
        var elements: [Double] = []
        for lump in 0..<lumps {
            let centre = (0..<columns).map { _ in 12 * random.uniform() + 3 }
            for _ in 0..<60 { elements += centre.map { $0 + bell() * (0.3 + 0.3 * Double(lump)) } }
        }
        for _ in 0..<haze { elements += (0..<columns).map { _ in 15 * random.uniform() + 2 } }
        return Matrix(rows: elements.count / columns, columns: columns, elements: elements)
    }

    private static let options: [ClusterOptions] = {
        var result: [ClusterOptions] = []
        for selection in ClusterSelection.Method.allCases {
            for single in [false, true] {
                for epsilon in [0, 0.4, 1.5, 100] {
                    for (largest, samples, size) in [(0, 0, 10), (70, 3, 5), (0, 1, 50), (0, 200, 12)] {
                        var options = ClusterOptions()
                        options.selection = selection
                        options.allowSingleCluster = single
                        options.clusterSelectionEpsilon = epsilon
                        options.maxClusterSize = largest
                        options.minSamples = samples
                        options.minClusterSize = size
                        options.prediction = true
                        result.append(options)
                    }
                }
            }
        }
        return result
    }()

    private func check(_ clustering: Clustering, _ view: MatrixView, _ what: Comment) throws {
        let placed = try clustering.predict(view)
        #expect(placed.labels == clustering.labels, what)
        for cluster in 0..<clustering.clusterCount {
            #expect(clustering.labels.contains(Int32(cluster)), "\(what): a cluster without rows")
        }
        #expect(placed.neighbours == (0..<Int64(view.rows)).map { $0 }, what)
        // Far from everything is no cluster.
        var far = Matrix<Double>(rows: 1, columns: view.columns, repeating: 1e9)
        far.elements[0] = -1e9
        if clustering.options.metric != .cosine, clustering.options.chosenNodes == nil {
            let place = try far.withView { try clustering.predict($0) }
            #expect(place.labels == [-1] && place.probabilities == [0], what)
            #expect(place.outlierScores[0] > 0.99, what)
        }
    }

    @Test(arguments: [(0, 120), (1, 0), (1, 90), (3, 40)]) func fittedRowsKeepTheirLabels(lumps: Int, haze: Int) throws
    {
        for columns in [2, 9] {
            let rows = PredictionTests.rows(lumps, haze, columns: columns, seed: UInt64(7 + columns))
            try rows.withView { view in
                for options in PredictionTests.options {
                    try check(try Clustering(view, options), view, "\(lumps) lumps, \(columns) columns, \(options)")
                }
            }
        }
    }

    @Test func otherOptionsToo() throws {
        let rows = PredictionTests.rows(3, 60, columns: 3, seed: 11)
        let changes: [(inout ClusterOptions) -> Void] = [
            { $0.metric = .manhattan }, { $0.metric = .cosine }, { $0.alpha = 0.5 }, { $0.alpha = 3 },
            { $0.matchReference = true }, { $0.clusterSelectionEpsilonMax = 1 },
            { $0.clusterSelectionPersistence = 0.2 },
            { $0.clusterCount = 3 }, { $0.strengths = .bounded },
            { ($0.matchReference, $0.allowSingleCluster) = (true, true) },
        ]
        try rows.withView { view in
            for (number, change) in changes.enumerated() {
                var options = ClusterOptions()
                options.minClusterSize = 8
                options.prediction = true
                change(&options)
                let clustering = try Clustering(view, options)
                try check(clustering, view, "change \(number)")
                // Clusters by choice: two nodes next to each other, and the root.
                let node = try #require(clustering.condensedTree.clusters.indices.first { $0 > 0 })
                try check(
                    clustering.selecting(options, nodes: [Int32(node), Int32(node + 1)]), view,
                    "change \(number), nodes")
                let all = try clustering.selecting(options, nodes: [0])
                #expect(all.labels.allSatisfy { $0 == 0 })
                try check(all, view, "change \(number), the root")
            }
        }
    }

    /// A selection on a tree is what fitting with the same options gives.
    @Test func selectionsEqualFits() throws {
        let rows = PredictionTests.rows(4, 80, columns: 2, seed: 3)
        try rows.withView { view in
            var first = ClusterOptions()
            first.minSamples = 4
            first.prediction = true
            let fitted = try Clustering(view, first)
            for var options in PredictionTests.options {
                options.minSamples = 4
                let expected = try Clustering(view, options)
                let selected = try fitted.selecting(options)
                #expect(selected.labels == expected.labels)
                #expect(selected.probabilities == expected.probabilities)
                #expect(selected.persistence == expected.persistence)
                #expect(selected.options == expected.options)
                let again = try selected.selecting(first)
                #expect(again.labels == fitted.labels && again.outlierScores == fitted.outlierScores)
            }
            for count in 2...6 {
                var options = first
                options.clusterCount = count
                #expect(try fitted.selecting(options).clusterCount == count)
            }
            for nodes: [Int32] in [[1, 1], [-1], [1 << 20], [0, 1]] {
                let error = #expect(throws: CoveyError.self) { try fitted.selecting(first, nodes: nodes) }
                #expect(error?.code == .invalidArgument)
            }
            var many = first
            many.clusterCount = 1000
            let error = #expect(throws: CoveyError.self) { try fitted.selecting(many) }
            #expect(error?.code == .invalidArgument)
        }
    }

    /// Rows times a power of two are the same clusters, however far: only the exponents change.
    @Test func powersOfTwoChangeNothing() throws {
        let rows = PredictionTests.rows(4, 60, columns: 2, seed: 5)
        var options = ClusterOptions()
        options.minClusterSize = 8
        let expected = try rows.withView { try Clustering($0, options) }
        #expect(expected.clusterCount > 2)
        for power in [-300, -200, -128, 160, 200, 400] {
            var scaled = rows
            for index in scaled.elements.indices {
                scaled.elements[index] *= Double(sign: .plus, exponent: power, significand: 1)
            }
            let result = try scaled.withView { try Clustering($0, options) }
            #expect(result.labels == expected.labels, "2^\(power)")
            #expect(result.persistence == expected.persistence, "2^\(power)")
            #expect(result.probabilities == expected.probabilities, "2^\(power)")
        }
    }

    /// Beside many equal rows bounded strengths are shares of the largest finite lambda; hdbscan's are 0 or 1.
    @Test func boundedStrengthsBesideDuplicates() throws {
        var elements = [Double](repeating: 200, count: 12) + [Double](repeating: 350, count: 12)
        for step in 1...10 { elements += [200 + 0.01 * Double(step * step), 350 - 0.02 * Double(step * step)] }
        let rows = Matrix<Double>(rows: elements.count, columns: 1, elements: elements)
        var options = ClusterOptions()
        options.minSamples = 2
        options.prediction = true
        let plain = try rows.withView { try Clustering($0, options) }
        options.strengths = .bounded
        let bounded = try rows.withView { try Clustering($0, options) }
        #expect(plain.clusterCount == 2 && bounded.labels == plain.labels)
        #expect(plain.probabilities.allSatisfy { $0 == 0 || $0 == 1 })
        #expect(plain.persistence == [1, 1])
        for cluster in 0..<2 {
            let members = bounded.labels.indices.filter { bounded.labels[$0] == Int32(cluster) }
            // The obvious way: the finite lambdas of the cluster's rows, by the largest.
            let lambdas = members.map { bounded.condensedTree.rowLambdas[$0] }
            let most = lambdas.filter(\.isFinite).max()!
            for (row, lambda) in zip(members, lambdas) {
                #expect(bounded.probabilities[row] == min(lambda, most) / most)
                #expect(abs(bounded.outlierScores[row] - (1 - min(lambda, most) / most)) < 1e-15)
            }
            #expect(bounded.persistence[cluster] > 0 && bounded.persistence[cluster] < 1)
        }
        #expect(Set(bounded.probabilities).count > 5)
        #expect(try rows.withView { try bounded.predict($0) }.labels == bounded.labels)
    }
}
