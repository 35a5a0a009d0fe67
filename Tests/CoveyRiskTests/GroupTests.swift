import CoveyRuntime
import CoveyTables
import Glibc
import Testing

@testable import CoveyRisk

@Suite struct GroupTests {
    private func statistic(_ fraud: Int, _ size: Int, _ base: Double) -> Double {
        let share = Double(fraud) / Double(size)
        guard share > base else { return 0 }
        func term(_ count: Int, _ ratio: Double) -> Double { count == 0 ? 0 : Double(count) * log(ratio) }
        return term(fraud, share / base) + term(size - fraud, (1 - share) / (1 - base))
    }

    @Test func statisticEqualsItsFormula() throws {
        let scan = try ScanStatistic(rows: 1000, fraud: 37, execution: Execution())
        for (fraud, size) in [(2, 4), (4, 4), (1, 500), (20, 40), (37, 500), (3, 81), (3, 82), (0, 9)] {
            #expect(abs(scan.value(fraud: fraud, of: size) - statistic(fraud, size, 0.037)) < 1e-9)
        }
    }

    /// Every way to place 3 frauds on 12 rows is tried: the share of them in which the best merge reaches a statistic
    /// is the p value that permutations estimate.
    @Test func permutationsGiveTheExactDistribution() throws {
        let made = try RandomTree(rows: 12, seed: 3)
        let scan = try ScanStatistic(rows: 12, fraud: 3, execution: Execution())
        var all: [Double] = []
        let below = (0..<made.tree.mergeCount).map { Set(made.rows(below: 12 + $0)) }
        for a in 0..<12 {
            for b in 0..<a {
                for c in 0..<b {
                    let best = below.filter { $0.count >= 4 && $0.count <= 6 }.map { rows in
                        let inside = [a, b, c].filter { rows.contains($0) }.count
                        return inside >= 2 ? statistic(inside, rows.count, 0.25) : 0
                    }
                    all.append(best.max() ?? 0)
                }
            }
        }
        let count = 20_000
        let chance = try GroupPermutations(
            [GroupCandidates(made.tree, minFraud: 2)], statistic: scan, fraud: 3, count: count, observed: [], seed: 5,
            execution: Execution())
        #expect(Set(all.map { Int($0 * 1e6) }).count > 2)
        for value in Set(all) {
            let exact = Double(all.filter { $0 >= value - 1e-9 }.count) / Double(all.count)
            let deviation = (exact * (1 - exact) / Double(count)).squareRoot()
            #expect(abs(chance.familywise(value - 1e-9) - exact) <= 4.5 * deviation + 1e-4)
        }
    }

    @Test func theSameForAnyNumberOfThreads() throws {
        let made = try RandomTree(rows: 400, seed: 8, knot: 12)
        let labels = try made.known()
        let scans = try [1, 2, 7].map {
            try GroupScan([made.tree, made.tree], labels: labels, execution: context($0))
        }
        #expect(scans[0].significant == scans[1].significant && scans[0].significant == scans[2].significant)
        #expect(scans[0].critical == scans[1].critical && scans[0].critical == scans[2].critical)
        #expect(!scans[0].significant.isEmpty)
    }

    private func groups(_ made: RandomTree, _ options: RiskyGroups.Options = .init(), share: Double? = nil) throws
        -> RiskyGroups
    {
        let labels = try made.known()
        let scan = try GroupScan([made.tree], labels: labels, options: options, execution: Execution())
        return try RiskyGroups(
            scan, order: nil, trees: [made.tree], labels: labels,
            knownShare: share ?? (try scan.knownShare(Execution()))?.share,
            isShareGiven: false,
            execution: Execution())
    }

    @Test(arguments: [RiskyGroups.Options.ErrorRate.familywise, .falseDiscovery])
    func aKnotIsFound(rate: RiskyGroups.Options.ErrorRate) throws {
        let made = try RandomTree(rows: 600, seed: 2, knot: 24, known: 0.01)
        var options = RiskyGroups.Options()
        options.errorRate = rate
        let found = try groups(made, options)
        let knot = (0..<600).filter { found.rowGroups[$0] >= 0 }
        #expect(knot == Array(0..<24))
        let group = try #require(found.groups.first)
        #expect(group.fraud == 16 && group.unknown == 8 && group.rows == 24 && group.pValue <= 0.05)
        // Two thirds of the knot are known, and it is all fraud.
        let share = try #require(
            try GroupScan([made.tree], labels: made.known(), execution: Execution()).knownShare(Execution())?.share)
        #expect(share > 0.3 && share <= 16.0 / 24)
    }

    /// Where labels and rows have nothing to do with each other, a group is found in at most 5 % of the cases.
    @Test func falseFindsAreHeld() throws {
        var options = RiskyGroups.Options()
        options.permutations = 99
        var found = 0
        for trial in 0..<300 {
            var made = try RandomTree(rows: 80, seed: UInt64(trial) + 1000)
            var random = SeededRandom(seed: UInt64(trial))
            made.labels = (0..<80).map { $0 < 12 ? 1 : -1 }.shuffled(using: &random)
            let labels = try made.known()
            options.seed = UInt64(trial)
            if try !GroupScan([made.tree], labels: labels, options: options, execution: Execution()).significant.isEmpty
            {
                found += 1
            }
        }
        // 15 are expected at the most; 28 would be more than three deviations above.
        #expect(found <= 27)
    }

    @Test func groupsAreDisjointAndEveryMergeKnowsItsOwn() throws {
        let made = try RandomTree(rows: 500, seed: 9, knot: 30, known: 0.02)
        let found = try groups(made)
        for (index, group) in found.groups.enumerated() {
            let rows = made.rows(below: 500 + group.merge)
            #expect(group.rows == rows.count && rows.allSatisfy { Int(found.rowGroups[$0]) == index })
            for merge in 0..<made.tree.mergeCount {
                let isInside = Set(made.rows(below: 500 + merge)).isSubset(of: rows)
                #expect((Int(found.mergeGroups[0][merge]) == index) == isInside)
            }
        }
        #expect(!found.groups.isEmpty)
    }

    /// The best sum over disjoint allowed merges, by trying every set.
    @Test(arguments: 1...6) func theChoiceIsTheBest(seed: UInt64) throws {
        let made = try RandomTree(rows: 9, seed: seed)
        var random = SeededRandom(seed: seed)
        var allowed: [Int: Candidate] = [:]
        for merge in 0..<made.tree.mergeCount where random.uniform() < 0.8 {
            allowed[merge] = Candidate(
                tree: 0, merge: merge, value: 1 + 5 * random.uniform(), fraud: 2, size: Int(made.tree.sizes[merge]))
        }
        let merges = allowed.keys.sorted()
        var best = 0.0
        for set in 0..<(1 << merges.count) {
            let chosen = merges.indices.filter { set >> $0 & 1 == 1 }.map { merges[$0] }
            let rows = chosen.flatMap { made.rows(below: 9 + $0) }
            guard Set(rows).count == rows.count else { continue }
            best = max(best, chosen.reduce(0) { $0 + allowed[$1]!.value - 0.5 })
        }
        let found = try GroupChoice.disjoint(allowed, of: made.tree, critical: 0.5, execution: Execution())
        #expect(abs(found.reduce(0) { $0 + $1.value - 0.5 } - best) < 1e-12)
    }

    /// A table that is sorted by what is known, and rows that are the same: their numbers say nothing.
    @Test func theOrderOfEqualRowsSaysNothing() throws {
        var made = try RandomTree(rows: 300, seed: 6, copies: 200)
        made.labels = (0..<300).map { $0 < 12 ? 1 : -1 }
        let labels = try made.known()
        let scan = try GroupScan([made.tree], labels: labels, execution: Execution())
        #expect(scan.significant.isEmpty)
        let shares = try TreeShares(made.tree, labels: labels, execution: Execution())
        #expect(Set((0..<200).map { shares.shareAbove($0) }).count == 1)
        let sums = (0..<300).map { $0 < 200 ? 1.0 : Double($0 % 7) / 10 }
        let order = try EvidenceOrder(sums, labels: labels, permutations: 99, seed: 1, execution: Execution())
        #expect(try order.knownShare(significance: 0.05, Execution()) == nil)
        #expect(order.group(knownShare: 0.3, isGiven: true, options: .init()) == nil)
        // With more evidence than the others, all of those that have it are a group.
        let higher = sums.indices.map { $0 < 24 ? 2.0 : sums[$0] }
        let other = try EvidenceOrder(higher, labels: labels, permutations: 99, seed: 1, execution: Execution())
        #expect(other.group(knownShare: 0.5, isGiven: true, options: .init())?.rows == 24)
    }

    @Test func tooFewOrOnlyFraud() throws {
        for fraud in [0, 1, 50] {
            var made = try RandomTree(rows: 50, seed: 4)
            made.labels = (0..<50).map { $0 < fraud ? 1 : -1 }
            let scan = try GroupScan([made.tree], labels: made.known(), execution: Execution())
            #expect(scan.significant.isEmpty && scan.bestPValue == 1)
            #expect(try scan.knownShare(Execution()) == nil)
        }
    }
}

@Suite("Shares of fraud of a group")
struct GroupShareTests {
    private func group(fraud: Int, legitimate: Int, unknown: Int) throws -> RiskyGroup {
        let values =
            [Int8](repeating: 1, count: fraud) + [Int8](repeating: 0, count: legitimate)
            + [Int8](repeating: -1, count: unknown)
        let rows = values.indices.map { Int32($0) }
        return RiskyGroup(
            tree: 0, merge: 0, rows: rows, whole: rows,
            labels: try KnownLabels(Strided(values), population: .all, execution: Execution()), statistic: 1,
            pValue: 0.001)
    }

    /// Wilson 1927, as written there.
    private func wilson(_ k: Double, _ n: Double, _ z: Double) -> (Double, Double) {
        let (p, square) = (k / n, z * z)
        let middle = (p + square / (2 * n)) / (1 + square / n)
        let half = z / (1 + square / n) * (p * (1 - p) / n + square / (4 * n * n)).squareRoot()
        return (middle - half, middle + half)
    }

    @Test func intervalIsWilsonsOverWhatIsKnown() throws {
        let few = try group(fraud: 10, legitimate: 0, unknown: 90)
        let expected = wilson(10, 100, 1.96)
        let interval = few.interval(known: 0.3...0.5, z: 1.96)
        #expect(abs(interval.low - expected.0 / 0.5) < 1e-12 && abs(interval.high - expected.1 / 0.3) < 1e-12)
        #expect(few.share(known: 0.4) == 0.25)
    }

    /// 29 of 53 are known, though a third of all fraud is: the estimate is all that can be, the interval is not a
    /// point.
    @Test func moreKnownThanOfAllFraud() throws {
        let most = try group(fraud: 29, legitimate: 2, unknown: 22)
        let largest = 1 - 2.0 / 53
        #expect(abs(most.share(known: 0.34) - largest) < 1e-12)
        let interval = most.interval(known: 0.3...0.4, z: 1.96)
        #expect(abs(interval.high - largest) < 1e-12)
        #expect(abs(interval.low - wilson(29, 53, 1.96).0 / (29 / 51.0)) < 1e-12)
        #expect(interval.low < 0.8)
        let certain = try group(fraud: 4, legitimate: 0, unknown: 0).interval(known: 0.2...0.3, z: 1.96)
        #expect(certain.low > 0.4 && certain.low < 1 && certain.high == 1)
    }
}
