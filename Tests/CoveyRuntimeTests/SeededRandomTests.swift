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
}
