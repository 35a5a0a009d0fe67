import CoveyRuntime
import Testing

@testable import CoveyRisk

@Suite struct TreeSharesTests {
    /// The share of a merge by the definition, with a row left out.
    private func share(_ made: RandomTree, _ labels: KnownLabels, _ merge: Int, without row: Int?) -> Double {
        let rows = made.rows(below: made.tree.pointCount + merge).filter { $0 != row }
        let counted = Double(rows.filter { labels.isCounted($0) }.count)
        let fraud = Double(rows.filter { labels.isFraud($0) }.count)
        guard let above = made.parent(of: made.tree.pointCount + merge) else {
            return counted > 0 ? fraud / counted : 0
        }
        // Of merges of one length the highest counts.
        if made.tree.distances[above] == made.tree.distances[merge] {
            return share(made, labels, above, without: row)
        }
        return (fraud + 5 * share(made, labels, above, without: row)) / (counted + 5)
    }

    @Test(arguments: [(1, false), (2, true), (3, false)], [KnownLabels.Population.all, .labelled])
    func equalRecursion(_ seed: (UInt64, Bool), _ population: KnownLabels.Population) throws {
        let made = try RandomTree(rows: 70, seed: seed.0, ties: seed.1, knot: 5)
        let labels = try made.known(population)
        let shares = try TreeShares(made.tree, labels: labels, execution: Execution())
        for merge in 0..<made.tree.mergeCount {
            #expect(abs(shares.share(of: merge) - share(made, labels, merge, without: nil)) < 1e-12)
        }
        let own = try shares.ownShares(execution: Execution())
        for row in 0..<70 {
            let merge = try #require(made.parent(of: row))
            #expect(abs(own[row] - share(made, labels, merge, without: row)) < 1e-12, "row \(row)")
        }
    }

    /// The highest ancestor up to a distance, by climbing one at a time.
    @Test(arguments: [4, 5], [true, false]) func joinsWhereClimbingEnds(seed: UInt64, ties: Bool) throws {
        let made = try RandomTree(rows: 300, seed: seed, ties: ties)
        let shares = try TreeShares(made.tree, labels: made.known(), execution: Execution())
        var random = SeededRandom(seed: seed)
        for row in 0..<300 {
            let distance = shares.joinDistance(row) + random.uniform() * (row % 3 == 0 ? 3 : 0.1)
            var merge = try #require(made.parent(of: row))
            while let above = made.parent(of: made.tree.pointCount + merge), made.tree.distances[above] <= distance {
                merge = above
            }
            #expect(shares.join(beside: row, at: distance) == merge)
        }
        #expect(shares.join(beside: 7, at: .infinity) == made.tree.mergeCount - 1)
    }

    @Test func oneRow() throws {
        let made = try RandomTree(rows: 1, seed: 1)
        let shares = try TreeShares(made.tree, labels: made.known(), execution: Execution())
        #expect(try shares.ownShares(execution: Execution()) == [0])
        #expect(shares.join(beside: 0, at: 1) == -1 && shares.share(of: -1) == shares.baseRate)
    }
}
