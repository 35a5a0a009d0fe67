import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveyRisk

@Suite struct EvidenceOrderTests {
    private func labels(_ isFraud: [Bool]) throws -> KnownLabels {
        try KnownLabels(Strided(isFraud.map { $0 ? Int8(1) : -1 }), population: .all, execution: Execution())
    }

    /// By the formula of isotonic regression: the smallest over beginnings of the largest mean up to an end.
    private func fallingShare(_ isFraud: [Bool], _ ends: [Int], _ place: Int) -> Double {
        let starts = [0] + ends.map { $0 + 1 }
        return starts.filter { $0 <= place }.map { start in
            ends.filter { $0 >= place }.map { end in
                Double(isFraud[start...end].count { $0 }) / Double(end + 1 - start)
            }.max()!
        }.min()!
    }

    /// Beside every beginning, tried one by one.
    @Test(arguments: 1...40) func theGroupIsTheLongestBeginning(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let rows = 60
        let pure = 8 + Int(random.uniform() * 30)
        let known = 0.2 + 0.6 * random.uniform()
        // In order of evidence, with equal sums here and there.
        let isFraud = (0..<rows).map { random.uniform() < ($0 < pure ? known : 0.02) }
        guard isFraud.contains(true) else { return }
        var level = 0
        let sums = (0..<rows).map { row -> Double in
            if row > 0, random.uniform() < 0.8 { level += 1 }
            return Double(-level)
        }
        let ends = (0..<rows).filter { $0 + 1 == rows || sums[$0 + 1] < sums[$0] }
        let order = try EvidenceOrder(
            sums, labels: labels(isFraud), permutations: 99, seed: seed, execution: Execution())
        var options = RiskyGroups.Options()
        options.significance = 1
        for isGiven in [true, false] {
            let least = 0.6 * (isGiven ? known : max(0.3, known))
            let longest = ends.filter { end in
                end < rows / 2 && end >= 3
                    && ends.filter { $0 <= end }.allSatisfy { fallingShare(isFraud, ends, $0) >= least - 1e-12 }
                    && isFraud[...end].count { $0 } >= 2
                    && Double(isFraud[...end].count { $0 }) >= 0.8 * known * Double(end + 1)
                    // An end of a stretch of the regression.
                    && (end + 1 == rows
                        || fallingShare(isFraud, ends, end + 1) < fallingShare(isFraud, ends, end) - 1e-12)
            }.max()
            let group = order.group(knownShare: known, isGiven: isGiven, options: options)
            #expect(group?.rows == longest.map { $0 + 1 })
        }
    }

    /// The highest of many lower bounds, of merges that the labels themselves draw out, is above the share that is
    /// known in few cases only.
    @Test func theEstimateOfTheTreesIsSeldomTooHigh() throws {
        var (tooHigh, estimated) = (0, 0)
        for seed in 1...120 as ClosedRange<UInt64> {
            var made = try RandomTree(rows: 400, seed: seed, knot: 60)
            var random = SeededRandom(seed: seed + 500)
            made.labels = (0..<400).map { $0 < 60 && random.uniform() < 0.3 ? 1 : -1 }
            var options = RiskyGroups.Options()
            options.permutations = 99
            let scan = try GroupScan([made.tree], labels: made.known(), options: options, execution: Execution())
            guard let share = try scan.knownShare(Execution())?.share else { continue }
            estimated += 1
            if share > 0.3 { tooHigh += 1 }
        }
        // 5 % are 6; 14 would be more than three deviations above.
        #expect(estimated >= 115 && tooHigh <= 13)
    }
}
