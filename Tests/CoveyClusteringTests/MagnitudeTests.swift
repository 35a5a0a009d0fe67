import CoveyNeighbors
import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveyClustering

/// Numbers at the ends of float64: the same tree up to the unit, or refused.
@Suite struct MagnitudeTests {
    private static func points(_ columns: Int, scale: Double) -> Matrix<Double> {
        var random = SeededRandom(seed: 4)
        var matrix = Matrix(rows: 400, columns: columns, repeating: 0.0)
        for i in 0..<400 { for c in 0..<columns { matrix[i, c] = (random.uniform() + (i % 3 == 0 ? 4 : 0)) * scale } }
        return matrix
    }

    private static func edges(_ columns: Int, scale: Double, _ metric: Metric) throws -> [Double] {
        try points(columns, scale: scale).withView { view in
            var options = ClusterOptions()
            options.metric = metric
            return try Clustering(view, options).spanningTree.edges.map(\.distance)
        }
    }

    @Test(arguments: [2, 20], [0x1p-440, 0x1p-100, 0x1p480])
    func powersOfTwoScaleTheTree(columns: Int, scale: Double) throws {
        for metric in [Metric.euclidean, .manhattan] {
            let unit = try Self.edges(columns, scale: 1, metric)
            #expect(try Self.edges(columns, scale: scale, metric) == unit.map { $0 * scale })
        }
    }

    @Test(arguments: [2, 20]) func whatOverflowsOrVanishesIsRefused(columns: Int) throws {
        for (scale, metric) in [(0x1p512, Metric.euclidean), (0x1p-600, .euclidean), (0x1p1020, .manhattan)] {
            #expect {
                _ = try Self.edges(columns, scale: scale, metric)
            } throws: { error in
                guard let error = error as? CoveyError else { return false }
                return error.code == .invalidData && error.message.contains("row")
                    && error.message.contains("scale the rows")
            }
        }
        // No squares are summed here.
        #expect(try Self.edges(columns, scale: 0x1p600, .manhattan).allSatisfy(\.isFinite))
        #expect(try Self.edges(columns, scale: 0x1p600, .cosine).allSatisfy(\.isFinite))
    }

    /// A root that is the only cluster keeps only its densest rows, while its stability sums over all rows: hdbscan's
    /// number is above 1 here.
    @Test(arguments: [ClusterOptions.Strengths.hdbscan, .bounded])
    func persistenceIsAtMostOne(strengths: ClusterOptions.Strengths) throws {
        var random = SeededRandom(seed: 8)
        var above = 0
        for round in 0..<200 {
            let rows = Int.random(in: 8...60, using: &random)
            var matrix = Matrix(rows: rows, columns: 2, repeating: 0.0)
            for row in 0..<rows { for column in 0..<2 { matrix[row, column] = random.uniform() } }
            var options = ClusterOptions()
            options.allowSingleCluster = true
            options.strengths = strengths
            options.minClusterSize = Int.random(in: 2...6, using: &random)
            options.clusterSelectionEpsilon = [0, 0.05, 0.1, 0.3][round % 4]
            let result = try matrix.withView { try Clustering($0, options) }
            #expect(result.persistence.allSatisfy { (0...1).contains($0) }, "round \(round): \(result.persistence)")
            let tree = result.condensedTree
            guard result.selection.nodes == [0], strengths == .hdbscan else { continue }
            let most = tree.clusters.reduce(0) { max($0, $1.death) }
            let sum = tree.parents.indices.filter { tree.parents[$0] == Int32(rows) }
                .reduce(0.0) { $0 + tree.lambdas[$1] * Double(tree.sizes[$1]) }
            let kept = result.labels.filter { $0 == 0 }.count
            if sum / (Double(kept) * most) > 1.001 { above += 1 }
        }
        #expect(strengths == .bounded || above > 5)
    }
}
