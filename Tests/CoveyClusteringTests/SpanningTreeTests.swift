import CoveyNeighbors
import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveyClustering

/// Tiles, cells, k-d tree and Boruvka against Prim's algorithm on every pair of rows.
@Suite struct SpanningTreeTests {
    @Test(arguments: PointSet.all, Metric.allCases)
    func equalsPrim(points: PointSet, metric: Metric) throws {
        for (minSamples, alpha) in [(5, 1.0), (1, 1.0), (12, 1.5), (3, 0.7)] where minSamples < points.matrix.rows {
            let built = try points.matrix.withView {
                try MutualReachability.build(
                    view: $0, metric: metric, minSamples: minSamples, alpha: alpha,
                    execution: Execution(Context(threads: 2)))
            }
            let reference = SlowReference(points.matrix, metric, minSamples, alpha)
            expectEqual(built.coreDistances.values, reference.cores, metric, points.matrix)
            expectEqual(built.tree.edges.map(\.distance), reference.weights, metric, points.matrix)
            expectSpans(built.tree)
            for edge in built.tree.edges {
                let reach = reference.reach(Int(edge.from), Int(edge.to))
                #expect(close(edge.distance, reach, metric), "\(points): \(edge) is \(reach)")
            }
        }
    }

    private func close(_ a: Double, _ b: Double, _ metric: Metric) -> Bool {
        abs(a - b) <= 1e-9 * abs(b) + (metric == .cosine ? 1e-15 : 0)
    }

    private func expectEqual(_ a: [Double], _ b: [Double], _ metric: Metric, _ matrix: Matrix<Double>) {
        #expect(a.count == b.count)
        let worst = zip(a, b).first { !close($0, $1, metric) }
        #expect(worst == nil, "\(matrix.rows) x \(matrix.columns), \(metric): \(String(describing: worst))")
    }

    private func expectSpans(_ tree: SpanningTree) {
        var component = Array(0..<tree.pointCount)
        func root(_ i: Int) -> Int { component[i] == i ? i : root(component[i]) }
        for edge in tree.edges {
            let a = root(Int(edge.from))
            let b = root(Int(edge.to))
            #expect(a != b)
            component[a] = b
        }
        #expect(tree.edges.count == tree.pointCount - 1)
    }
}
