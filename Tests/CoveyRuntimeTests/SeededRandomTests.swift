import Testing

@testable import CoveyRuntime

@Suite struct SeededRandomTests {
    /// The published sequence of SplitMix64 for the seed 1234567.
    @Test func matchesTheReferenceSequence() {
        var random = SeededRandom(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        #expect(expected.map { _ in random.next() } == expected)
    }

    @Test func uniformStaysBelowOne() {
        var random = SeededRandom(seed: 1)
        let values = (0..<10_000).map { _ in random.uniform() }
        #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(abs(values.reduce(0, +) / 10_000 - 0.5) < 0.02)
    }

    @Test(arguments: [(0, 5), (5, 5), (3, 10), (20, 10)]) func samplesAreDistinct(count: Int, limit: Int) {
        var random = SeededRandom(seed: 9)
        let sample = random.sample(count, of: limit)
        #expect(sample.count == min(count, limit))
        #expect(Set(sample).count == sample.count)
        #expect(sample.allSatisfy { (0..<limit).contains($0) })
        #expect(sample == sample.sorted())
    }

    /// Floyd's method with a set, for few and for many numbers.
    @Test(arguments: [(1, 100_000), (100, 100_000), (300, 100_000), (50_000, 100_000), (65, 65), (64, 129), (1, 1)])
    func samplesAreThoseOfASet(count: Int, limit: Int) {
        var (random, again) = (SeededRandom(seed: 5), SeededRandom(seed: 5))
        var chosen = Set<Int>()
        for last in limit - count..<limit {
            let candidate = Int.random(in: 0...last, using: &again)
            if !chosen.insert(candidate).inserted { chosen.insert(last) }
        }
        #expect(random.sample(count, of: limit) == chosen.sorted())
        #expect(random.next() == again.next())
    }
}
