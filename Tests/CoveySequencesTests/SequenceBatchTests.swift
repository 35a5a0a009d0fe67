import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveySequences

@Suite struct SequenceBatchTests {
    private static func batch(
        _ offsets: [Int64], _ times: [Double], dwell: [Double]? = nil, numeric: [[Double]] = []
    ) throws -> SequenceBatch {
        try SequenceBatch(
            offsets: SequenceOffsets(Strided(offsets)), types: Strided(times.map { _ in Int32(1) }),
            times: Strided(times),
            dwell: dwell.map { Strided($0) }, numeric: numeric.map { Strided($0) })
    }

    @Test(
        arguments: [
            ([-1, 0], "offsets[0] must be at least 0, got -1"),
            ([0, 7, 7, 5], "offsets[3] must not be below offsets[2] = 7, got 5"),
            ([0, Int64.min], "offsets[1] must not be below offsets[0] = 0, got -9223372036854775808"),
            ([0, 3_000_000_000], "offsets[1]: sequence 0 must have at most 2147483647 events, got 3000000000"),
            ([Int64.max, Int64.max], "offsets[1] must be at most 281474976710656, got 9223372036854775807"),
        ] as [([Int64], String)]) func refusesOffsets(offsets: [Int64], message: String)
    {
        #expect(throws: CoveyError.invalidData(message)) { try SequenceOffsets(Strided(offsets)) }
    }

    @Test func offsetsMayStartAboveZero() throws {
        let offsets = try SequenceOffsets(Strided([2, 2, 5]))
        #expect(offsets.count == 2)
        #expect(offsets.events == 2..<5)
        #expect(offsets[0] == 2..<2)
        #expect(offsets[1] == 2..<5)
        #expect(try SequenceOffsets(Strided([])).count == 0)
        #expect(try SequenceOffsets(Strided([4])).events == 4..<4)
    }

    @Test func columnsMustFit() throws {
        #expect(throws: CoveyError.mismatch("types has 1 events, the offsets end at 2")) {
            try Self.batch([0, 2], [1])
        }
        #expect(throws: CoveyError.mismatch("dwell has 1 events, the offsets end at 2")) {
            try Self.batch([0, 2], [1, 2], dwell: [1])
        }
        #expect(throws: CoveyError.mismatch("numeric[1] has 0 events, the offsets end at 1")) {
            try Self.batch([0, 1], [1], numeric: [[1], []])
        }
    }

    @Test func refusesValuesByName() throws {
        func message(_ batch: SequenceBatch) -> String {
            do { try batch.validate(Execution()) } catch { return "\(error)" }
            return ""
        }
        #expect(message(try Self.batch([0, 3], [1, 2, .nan])) == "times[2] must be finite, got nan")
        #expect(message(try Self.batch([0, 1], [-.infinity])) == "times[0] must be finite, got -inf")
        #expect(
            message(try Self.batch([0, 2], [1, 2], dwell: [.nan, -0.5]))
                == "dwell[1] must be at least 0 and finite, or NaN, got -0.5")
        #expect(
            message(try Self.batch([0, 1], [1], dwell: [.infinity]))
                == "dwell[0] must be at least 0 and finite, or NaN, got inf")
        #expect(
            message(try Self.batch([0, 2], [1, 2], numeric: [[0, 1], [.nan, .infinity]]))
                == "numeric[1][1] must be finite or NaN, got inf")
        // Events before the first sequence are none of its own.
        #expect(message(try Self.batch([1, 2], [.nan, 2])) == "")
    }

    @Test func ordersByTimeStably() throws {
        let times: [Double] = [9, 3, 1, 2, 1, 3, 1]
        let batch = try Self.batch([1, 7, 7], times)
        #expect(try batch.timeOrder(0, Execution()) == [1, 3, 5, 2, 0, 4])
        #expect(try batch.timeOrder(1, Execution()) == nil)
        #expect(try Self.batch([0, 4], [1, 1, 2, 2]).timeOrder(0, Execution()) == nil)
    }

    @Test func cancelStopsTheSort() throws {
        let context = try Context()
        let execution = Execution(context)
        let batch = try Self.batch([0, 100_000], (0..<100_000).map { Double(($0 * 7919) % 100_003) })
        context.cancel()
        #expect(throws: CoveyError.cancelled) { try batch.timeOrder(0, execution) }
    }

    @Test func standardises() {
        let scaling = Scaling(mean: 2, deviation: 4)
        #expect([2, 4, .nan, 1e300, -1e300].map(scaling.apply) == [0, 0.5, 0, 10_000, -10_000])
        #expect(!Scaling(mean: 0, deviation: 0).isValid && !Scaling(mean: .nan, deviation: 1).isValid)
    }
}
