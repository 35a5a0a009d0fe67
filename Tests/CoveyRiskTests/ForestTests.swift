import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveyRisk

@Suite struct ForestTests {
    /// Rows of six columns of which two tell fraud, with some that look like it; the last column is constant.
    private func made(_ rows: Int, seed: UInt64) -> (matrix: Matrix<Float>, fraud: [Bool]) {
        var random = SeededRandom(seed: seed)
        var matrix = Matrix<Float>(rows: rows, columns: 6, repeating: 1)
        var fraud: [Bool] = []
        for row in 0..<rows {
            for column in 0..<5 { matrix[row, column] = Float(random.uniform()) }
            let isIn = matrix[row, 0] > 0.7 && matrix[row, 1] < 0.3
            fraud.append(isIn && random.uniform() < 0.8)
        }
        return (matrix, fraud)
    }

    private func grow(
        _ matrix: Matrix<Float>, _ fraud: [Bool], trees: Int = 60, threads: Int = 2
    ) throws -> (forest: BaggedForest, outOfBag: [Double]) {
        var options = BaggedForest.Options()
        options.trees = trees
        options.minLeaf = 3
        options.seed = 4
        return try BaggedForest.grow(
            matrix, fraud: fraud.indices.filter { fraud[$0] }.map { Int32($0) },
            others: fraud.indices.filter { !fraud[$0] }.map { Int32($0) }, options: options, execution: context(threads)
        )
    }

    private func rankTest(_ values: [Double], _ isOfKind: [Bool]) throws -> RankTest {
        try RankTest(values.count, Execution()) { (values[$0], isOfKind[$0]) }
    }

    @Test func theSameForAnyNumberOfThreads() throws {
        let (matrix, fraud) = made(700, seed: 1)
        let one = try grow(matrix, fraud, threads: 1)
        let many = try grow(matrix, fraud, threads: 5)
        #expect(one.forest == many.forest && one.outOfBag == many.outOfBag)
    }

    @Test func ranksFraudAboveOthers() throws {
        let (matrix, fraud) = made(2000, seed: 2)
        let (forest, outOfBag) = try grow(matrix, fraud)
        // What the best rule reaches: all rows of the corner first, in any order.
        let fresh = made(2000, seed: 3)
        let shares = try forest.shares(fresh.matrix, execution: Execution())
        let corner = (0..<2000).map { fresh.matrix[$0, 0] > 0.7 && fresh.matrix[$0, 1] < 0.3 ? 1.0 : 0 }
        let best = try rankTest(corner, fresh.fraud).area
        #expect(try rankTest(shares, fresh.fraud).area > best - 0.02)
        #expect(try rankTest(outOfBag, fraud).area > best - 0.02)
    }

    /// A tree that fits its own sample says nothing of chance out of bag: labels that are noise rank at one half.
    @Test func outOfBagSharesDoNotKnowTheirOwnLabel() throws {
        let (matrix, _) = made(1000, seed: 5)
        var random = SeededRandom(seed: 6)
        let noise = (0..<1000).map { _ in random.uniform() < 0.1 }
        let (forest, outOfBag) = try grow(matrix, noise)
        #expect(try abs(rankTest(outOfBag, noise).deviations) < 4)
        let seen = try forest.shares(matrix, execution: Execution())
        #expect(try rankTest(seen, noise).deviations > 6)
    }

    @Test func treesAreTrees() throws {
        let (matrix, fraud) = made(500, seed: 7)
        let forest = try grow(matrix, fraud).forest
        #expect(forest.treeCount == 60 && forest.trees.allSatisfy { $0.isValid(columns: 6) })
        // The constant column splits nothing.
        #expect(!forest.trees.flatMap(\.nodes).contains { $0.column == 5 })
        var broken = forest.trees[0]
        broken.nodes[0].left = 0
        #expect(!broken.isValid(columns: 6))
        broken = forest.trees[0]
        broken.nodes[0].column = 6
        #expect(!broken.isValid(columns: 6))
        broken = forest.trees[0]
        broken.nodes.removeLast()
        #expect(!broken.isValid(columns: 6))
        broken = forest.trees[0]
        broken.nodes[0].threshold = .nan
        #expect(!broken.isValid(columns: 6))
    }

    /// On all rows at once and with all columns looked at, the first split is the best there is, found by trying all.
    @Test func theSplitIsTheBest() throws {
        let (matrix, fraud) = made(300, seed: 8)
        let grower = TreeGrower(try BinnedColumns(matrix, execution: Execution()), perSplit: 6, minLeaf: 1)
        var random = SeededRandom(seed: 1)
        let sample = fraud.indices.map { UInt32($0) << 1 | (fraud[$0] ? 1 : 0) }
        let tree = try grower.grow(sample, &random, Execution())
        let total = Double(fraud.filter { $0 }.count)
        func purity(_ column: Int, _ value: Float) -> Double {
            var sides = [(0.0, 0.0), (0.0, 0.0)]
            for row in 0..<300 {
                let side = matrix[row, column] <= value ? 0 : 1
                if fraud[row] { sides[side].0 += 1 / total } else { sides[side].1 += 1 / (300 - total) }
            }
            return sides.reduce(0) { $0 + ($1.0 + $1.1 > 0 ? $1.0 * $1.0 / ($1.0 + $1.1) : 0) }
        }
        let root = tree.nodes[0]
        var best = 0.0
        for column in 0..<5 { for row in 0..<300 { best = max(best, purity(column, matrix[row, column])) } }
        #expect(abs(purity(Int(root.column), root.threshold) - best) < 1e-12)
        // Grown until pure: every row is in a leaf of its own kind.
        matrix.elements.withUnsafeBufferPointer { elements in
            for row in 0..<300 { #expect(tree.share(elements.baseAddress! + row * 6) == (fraud[row] ? 1 : 0)) }
        }
    }
}
