import CoveyRuntime
import Testing

@testable import CoveyClustering

@Suite("Against hdbscan and scikit-learn")
struct ReferenceTests {
    let fixture: Fixture

    init() throws {
        fixture = try Fixture.load()
        try #require(fixture.sets.count >= 10)
    }

    /// From hdbscan's own spanning tree everything must follow as there, numbering included.
    @Test func everythingAfterTheSpanningTree() throws {
        for set in fixture.sets {
            for fixtureCase in set.cases {
                let expected = fixtureCase.expected
                let name: Comment = "\(set.name) \(fixtureCase.options)"
                let options = try fixtureCase.options.swift
                if isTooSmall(set, options) { continue }
                let result = try fromEdges(set, expected, options)
                #expect(result.singleLinkageTree.left == expected.left, name)
                #expect(result.singleLinkageTree.right == expected.right, name)
                #expect(result.singleLinkageTree.sizes == expected.merged, name)
                #expect(result.labels == expected.labels, name)
                #expect(close(result.probabilities, expected.probabilities.map(\.value)), name)
                // hdbscan keeps a root that has no row within epsilon as a cluster.
                let isEmpty = expected.labels.allSatisfy { $0 < 0 } && options.clusterSelectionEpsilon > 0
                // hdbscan's exceeds 1 for a root alone; ours is 1 there.
                let persistence = isEmpty ? [] : expected.persistence.map { min(1, $0.value) }
                #expect(close(result.persistence, persistence, 1e-6), name)
                compareScores(result, expected, name)
                compareTrees(result, expected, name)
                if let exemplars = expected.exemplars, !isEmpty {
                    #expect(exemplars == (0..<result.clusterCount).map { Array(result.exemplars[$0]) }, name)
                }
            }
        }
    }

    private func fromEdges(
        _ set: Fixture.DataSet, _ expected: Fixture.Expected, _ options: ClusterOptions
    ) throws -> Clustering {
        let edges = expected.from.indices.map {
            SpanningTree.Edge(from: expected.from[$0], to: expected.to[$0], distance: expected.distances[$0].value)
        }
        let tree = try SpanningTree(pointCount: set.rows.count, edges: edges, ties: .edges)
        #expect(tree.edges == edges)
        let rows = try FittedRows(
            rowCount: set.rows.count, columnCount: set.rows[0].count, usedRows: nil, minSamples: 1, recall: 1,
            spanningTree: tree, reference: nil, execution: Execution())
        return try Clustering(rows, options, execution: Execution())
    }

    /// hdbscan lets the root be a cluster even where it is smaller than a cluster may be.
    private func isTooSmall(_ set: Fixture.DataSet, _ options: ClusterOptions) -> Bool {
        options.allowSingleCluster && set.rows.count < options.minClusterSize
    }

    /// Where hdbscan divides infinity by infinity, the score is 1.
    private func compareScores(_ result: Clustering, _ expected: Fixture.Expected, _ name: Comment) {
        let scores = expected.scores.map { $0.value.isNaN ? 1 : $0.value }
        #expect(close(result.outlierScores, scores), name)
    }

    /// Edge by edge. Within one infinite lambda, rows leave in another order.
    private func compareTrees(_ result: Clustering, _ expected: Fixture.Expected, _ name: Comment) {
        let tree = result.condensedTree
        typealias Edge = (parent: Int32, child: Int32, lambda: Double, size: Int32)
        func ordered(_ edges: [Edge]) -> [Edge] {
            edges.contains { $0.lambda == .infinity }
                ? edges.sorted { ($0.parent, $0.child) < ($1.parent, $1.child) } : edges
        }
        let ours = ordered(
            tree.parents.indices.map {
                (tree.parents[$0], tree.children[$0], tree.lambdas[$0], tree.sizes[$0])
            })
        let theirs = ordered(
            expected.parents.indices.map {
                (expected.parents[$0], expected.children[$0], expected.lambdas[$0].value, expected.sizes[$0])
            })
        #expect(ours.map(\.parent) == theirs.map(\.parent), name)
        #expect(ours.map(\.child) == theirs.map(\.child), name)
        #expect(ours.map(\.size) == theirs.map(\.size), name)
        #expect(close(ours.map(\.lambda), theirs.map(\.lambda)), name)
    }

    /// From the rows: the spanning tree's distances always, the labels where ties do not matter to hdbscan itself.
    @Test func fromTheRows() throws {
        var certain = 0
        for set in fixture.sets {
            let matrix = set.matrix
            for fixtureCase in set.cases {
                let name: Comment = "\(set.name) \(fixtureCase.options)"
                let options = try fixtureCase.options.swift
                let result = try matrix.withView { try Clustering($0, options) }
                let distances = fixtureCase.expected.distances.map(\.value)
                #expect(close(result.spanningTree.edges.map(\.distance), distances), name)
                guard fixtureCase.certain, try !isTooSmall(set, fixtureCase.options.swift) else { continue }
                certain += 1
                #expect(partition(result.labels) == partition(fixtureCase.expected.labels), name)
                if let sklearn = fixtureCase.sklearn {
                    #expect(partition(result.labels) == partition(sklearn), name)
                }
            }
        }
        #expect(certain > 40)
    }

    @Test func predictionOfNewRows() throws {
        var compared = 0
        for set in fixture.sets where !set.queries.isEmpty {
            let matrix = set.matrix
            let queries = set.queryMatrix
            for fixtureCase in set.cases {
                guard let predicted = fixtureCase.expected.predicted, let strengths = fixtureCase.expected.strengths
                else { continue }
                let name: Comment = "\(set.name) \(fixtureCase.options)"
                // In hdbscan's tree, so that ties do not matter.
                let options = try fixtureCase.options.swift
                let plain = try fromEdges(set, fixtureCase.expected, options)
                let minSamples = options.resolvedMinSamples(rows: set.rows.count)
                let result = try matrix.withView { view in
                    let cores = try MutualReachability.build(
                        view: view, metric: options.metric, minSamples: minSamples, execution: Execution()
                    ).coreDistances
                    let rows = try FittedRows(
                        rowCount: view.rows, columnCount: view.columns, usedRows: nil, minSamples: minSamples,
                        recall: 1,
                        spanningTree: plain.spanningTree,
                        reference: try ReferenceRows(
                            view, rows: nil, coreDistances: cores, metric: options.metric, execution: Execution()),
                        execution: Execution())
                    return try Clustering(rows, options, execution: Execution())
                }
                let placed = try queries.withView { try result.predict($0) }
                // hdbscan does not look whether a row of a root that is the only cluster is as dense as those it kept.
                if options.allowSingleCluster, result.selection.nodes.isEmpty || result.selection.nodes == [0] {
                    let fitted = try matrix.withView { try result.predict($0) }
                    #expect(fitted.labels == result.labels, name)
                    continue
                }
                // A row among infinitely dense duplicates has strength 1, not 0.
                let infinite = result.condensedTree.rowLambdas.contains(.infinity)
                for query in predicted.indices {
                    if infinite && placed.probabilities[query] == 1 && strengths[query].value == 0 { continue }
                    compared += 1
                    #expect(placed.labels[query] == predicted[query], "\(name) query \(query)")
                    #expect(
                        close(placed.probabilities[query], strengths[query].value), "\(name) query \(query)")
                }
            }
        }
        #expect(compared > 1000)
    }
}
