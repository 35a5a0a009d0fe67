import CCoveyKernels
import CoveyRuntime
import CoveySequences
import CoveyTables
import Glibc
import Testing

@testable import CoveyEncoder

@Suite struct EncoderTests {
    @Test(arguments: Fixture.names, Fixture.instructionSets)
    func equalsPyTorch(name: String, instructionSet: Int32) throws {
        let fixture = try Fixture(name)
        // With tables, and with the embeddings as dense inputs, as a vocabulary of millions has them.
        for largestTables in [PackedEncoder.largestTables, 0] {
            let encoder = try fixture.encoder(instructionSet: instructionSet, largestTables: largestTables)
            let result = try encoder.run(fixture.batch)
            let embeddings = largestDifference(result.embeddings, fixture.embeddings)
            let attention = largestDifference(result.attention, fixture.attention)
            #expect(embeddings < 1e-5, "embeddings differ by \(embeddings)")
            #expect(attention < 1e-5, "attention weights differ by \(attention)")
        }
    }

    /// Forced to a lesser instruction set, bfloat16 is computed as float32. Large weights make large errors of rounded
    /// states.
    @Test(arguments: Fixture.names, Fixture.instructionSets)
    func bfloat16EqualsPyTorch(name: String, instructionSet: Int32) throws {
        let fixture = try Fixture(name)
        for largestTables in [PackedEncoder.largestTables, 0] {
            let encoder = try fixture.encoder(instructionSet: instructionSet, largestTables: largestTables)
            let result = try encoder.run(fixture.batch, precision: .bfloat16)
            let embeddings = largestDifference(result.embeddings, fixture.embeddings)
            let attention = largestDifference(result.attention, fixture.attention)
            let limit: Float = name == "saturated" ? 3e-2 : 2e-3
            #expect(embeddings < limit, "embeddings differ by \(embeddings)")
            #expect(attention < limit, "attention weights differ by \(attention)")
            // Whether it is another computation at all.
            let isRounded = try encoder.run(fixture.batch).embeddings != result.embeddings
            #expect(isRounded == (instructionSet == CK_AVX512 && ck_encoder_has_bfloat16() != 0))
        }
    }

    /// A batch of random sequences that fits a model.
    private static func batch(
        _ lengths: [Int], for configuration: EncoderConfiguration, seed: UInt64 = 1, chosen: [Int]? = nil
    ) throws -> SequenceBatch {
        var random = SeededRandom(seed: seed)
        var columns: [(types: [Int32], times: [Double], dwell: [Double], numeric: [[Double]], categories: [[Int32]])] =
            []
        for length in lengths {
            columns.append(
                (
                    (0..<length).map { _ in Int32.random(in: -1...14, using: &random) },
                    (0..<length).map { _ in random.uniform() * 1e4 },
                    (0..<length).map { _ in random.uniform() < 0.2 ? .nan : random.uniform() * 60 },
                    configuration.numericScaling.map { _ in (0..<length).map { _ in random.uniform() * 10 } },
                    configuration.categoricalVocabularies.map { _ in
                        (0..<length).map { _ in Int32.random(in: 0...9, using: &random) }
                    }
                ))
        }
        let rows = (chosen ?? Array(lengths.indices)).map { columns[$0] }
        let offsets = rows.reduce(into: [Int64(0)]) { $0.append($0.last! + Int64($1.types.count)) }
        return try SequenceBatch(
            offsets: SequenceOffsets(Strided(offsets)), types: Strided(rows.flatMap(\.types)),
            times: Strided(rows.flatMap(\.times)),
            dwell: configuration.usesDwell ? Strided(rows.flatMap(\.dwell)) : nil,
            numeric: configuration.numericScaling.indices.map { channel in Strided(rows.flatMap { $0.numeric[channel] })
            },
            categorical: configuration.categoricalVocabularies.indices.map { channel in
                Strided(rows.flatMap { $0.categories[channel] })
            })
    }

    /// The same bytes for a sequence alone, in any batch, in any order and with any number of threads.
    @Test(arguments: ["channels", "two_layers", "small"], Fixture.instructionSets)
    func embeddingDoesNotDependOnTheBatch(name: String, instructionSet: Int32) throws {
        try embeddingDoesNotDependOnTheBatch(name, instructionSet, .float32)
    }

    @Test(arguments: ["channels", "two_layers", "projected"])
    func bfloat16EmbeddingDoesNotDependOnTheBatch(name: String) throws {
        try embeddingDoesNotDependOnTheBatch(name, CK_AVX512, .bfloat16)
    }

    private func embeddingDoesNotDependOnTheBatch(
        _ name: String, _ instructionSet: Int32, _ precision: Precision
    ) throws {
        let encoder = try Fixture(name).encoder(instructionSet: instructionSet)
        var random = SeededRandom(seed: 7)
        let lengths = (0..<301).map { $0 == 17 ? 1500 : Int.random(in: 0...40, using: &random) }
        let whole = try encoder.run(Self.batch(lengths, for: encoder.configuration), precision: precision, threads: 1)
        for threads in [2, 5] {
            let result = try encoder.run(
                Self.batch(lengths, for: encoder.configuration), precision: precision, threads: threads)
            #expect(result.embeddings == whole.embeddings)
            #expect(result.attention == whole.attention)
        }
        let starts = lengths.reduce(into: [0]) { $0.append($0.last! + $1) }
        for size in [1, 2, 3, 5, 7, 13, 50, 301] {
            let chosen = Array(lengths.indices.shuffled(using: &random).prefix(size))
            let result = try encoder.run(
                Self.batch(lengths, for: encoder.configuration, chosen: chosen), precision: precision)
            var start = 0
            for (row, sequence) in chosen.enumerated() {
                let d = encoder.dimension
                #expect(
                    result.embeddings[row * d..<(row + 1) * d] == whole.embeddings[sequence * d..<(sequence + 1) * d])
                let length = lengths[sequence]
                #expect(
                    result.attention[start..<start + length]
                        == whole.attention[starts[sequence]..<starts[sequence] + length])
                start += length
            }
        }
    }

    /// A long sequence alone, of which each thread takes a direction, and beside others, where one thread takes both.
    @Test(arguments: [Precision.float32, .bfloat16])
    func longSequenceIsSharedByThreads(precision: Precision) throws {
        let encoder = try Fixture("two_layers").encoder()
        let lengths = [9000] + [Int](repeating: 3, count: 99)
        let one = try Self.batch(lengths, for: encoder.configuration, chosen: [0])
        let alone = try encoder.run(one, precision: precision, threads: 1)
        let shared = try encoder.run(one, precision: precision, threads: 2)
        #expect(shared.embeddings == alone.embeddings)
        #expect(shared.attention == alone.attention)
        let beside = try encoder.run(Self.batch(lengths, for: encoder.configuration), precision: precision, threads: 2)
        #expect(beside.embeddings[..<encoder.dimension] == alone.embeddings[...])
    }

    @Test func longestSequencesComeFirst() throws {
        var random = SeededRandom(seed: 3)
        // Lengths of one, two and three bytes.
        let lengths = (0..<500).map {
            Int.random(in: 0...($0 % 3 == 0 ? 9 : $0 % 3 == 1 ? 300 : 200_000), using: &random)
        }
        for chosen in [lengths, [5], [0, 3], []] {
            let offsets = chosen.reduce(into: [Int64(0)]) { $0.append($0.last! + Int64($1)) }
            let blocks = try SequenceBlocks(SequenceOffsets(Strided(offsets)), bytesPerEvent: 1, Execution())
            let expected = chosen.indices.filter { chosen[$0] > 0 }.sorted { (-chosen[$0], $0) < (-chosen[$1], $1) }
            #expect(blocks.order == expected)
            #expect(blocks.blocks.flatMap { Array($0) } == Array(expected.indices))
        }
    }

    @Test func emptySequencesAreZeroAndAttentionSumsToOne() throws {
        let encoder = try Fixture("projected").encoder()
        let result = try encoder.run(Self.batch([0, 5, 0, 1, 300], for: encoder.configuration))
        let d = encoder.dimension
        #expect(result.embeddings[..<d].allSatisfy { $0 == 0 })
        #expect(result.embeddings[d..<2 * d].contains { $0 != 0 })
        #expect(result.embeddings[2 * d..<3 * d].allSatisfy { $0 == 0 })
        for range in [0..<5, 5..<6, 6..<306] {
            #expect(abs(result.attention[range].reduce(0, +) - 1) < 1e-5)
        }
        #expect(result.attention[5] == 1)
        let none = try encoder.embed(Self.batch([], for: encoder.configuration))
        #expect(none.rows == 0 && none.columns == d)
        let allEmpty = try encoder.embed(Self.batch([0, 0], for: encoder.configuration))
        #expect(allEmpty.elements == [Float](repeating: 0, count: 2 * d))
    }

    /// Extremes that are allowed give finite embeddings: all gaps zero, gaps of years, times at the ends of their
    /// range.
    @Test(arguments: Fixture.instructionSets) func extremeTimesStayFinite(instructionSet: Int32) throws {
        let encoder = try Fixture("projected").encoder(instructionSet: instructionSet)
        let tiny = Double.leastNonzeroMagnitude
        let times: [Double] = [
            0, 0, 0, 0, -1e308, 1e308, tiny, 1e9, 4e9, -.greatestFiniteMagnitude, .greatestFiniteMagnitude,
        ]
        let batch = try SequenceBatch(
            offsets: SequenceOffsets(Strided([0, 4, 6, 9, 11])), types: Strided([Int32](repeating: 3, count: 11)),
            times: Strided(times), dwell: Strided([0, .nan, 1e308, 1, 0, 0, tiny, 1, 1, 1, 1]))
        #expect(try encoder.run(batch).embeddings.allSatisfy(\.isFinite))
    }

    /// A long sequence between short ones: as PyTorch's in `long`, here for memory: states of one sequence, not of a
    /// block.
    @Test func longSequenceTakesItsOwnMemory() throws {
        let encoder = try Fixture("small").encoder()
        let lengths = [3, 100_000, 0, 7] + [Int](repeating: 2, count: 100)
        let batch = try Self.batch(lengths, for: encoder.configuration)
        // 2 x 16 padded states, 2 inputs, score and index: 148 bytes an event, on each of two threads.
        let execution = Execution(try Context(threads: 2, memoryBudget: 36 << 20))
        #expect(try encoder.embed(batch, execution).elements.allSatisfy(\.isFinite))
        let small = Execution(try Context(threads: 2, memoryBudget: 8 << 20))
        #expect(throws: CoveyError.self) { try encoder.embed(batch, small) }
    }

    @Test func cancelStopsWithinASequence() throws {
        let encoder = try Fixture("small").encoder()
        let context = try Context(threads: 1)
        let batch = try Self.batch([100_000], for: encoder.configuration)
        let execution = Execution(context)
        context.cancel()
        #expect(throws: CoveyError.cancelled) { try encoder.embed(batch, execution) }
        let stopping = try Context(threads: 1) { _, _ in true }
        #expect(throws: CoveyError.cancelled) { try encoder.embed(batch, Execution(stopping)) }
        #expect(try encoder.embed(batch).elements.allSatisfy(\.isFinite))
    }

    /// From another thread, while one sequence of a million events runs.
    @Test func cancelStopsARunningSequence() throws {
        let encoder = try Fixture("small").encoder()
        let context = try Context(threads: 1)
        let execution = Execution(context)
        let count = 1_000_000
        let batch = try SequenceBatch(
            offsets: SequenceOffsets(Strided([0, Int64(count)])), types: Strided([Int32](repeating: 1, count: count)),
            times: Strided([Double](repeating: 5, count: count)))
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(context)
        pthread_create(
            &thread, nil,
            { argument in
                usleep(20_000)
                Unmanaged<Context>.fromOpaque(argument!).takeRetainedValue().cancel()
                return nil
            }, argument.toOpaque())
        #expect(throws: CoveyError.cancelled) { try encoder.embed(batch, execution) }
        pthread_join(thread, nil)
    }

    @Test func refusesOtherChannels() throws {
        let channels = try Fixture("channels")
        let small = try Fixture("small")
        let encoder = try channels.encoder()
        #expect(throws: CoveyError.mismatch("the model uses dwell, and the sequences have none")) {
            try encoder.embed(small.batch)
        }
        let batch = channels.batch
        let fewer = try SequenceBatch(
            offsets: batch.offsets, types: batch.types, times: batch.times, dwell: batch.dwell,
            numeric: [batch.numeric[0]], categorical: batch.categorical)
        #expect(throws: CoveyError.mismatch("the model uses 2 numeric channels, the sequences have 1")) {
            try encoder.embed(fewer)
        }
        #expect(throws: CoveyError.mismatch("the model uses 0 numeric channels, the sequences have 2")) {
            try small.encoder().embed(batch)
        }
    }

    @Test func infiniteEmbeddingsAreRefused() throws {
        let fixture = try Fixture("projected")
        var checkpoint = try Checkpoint(fixture.model)
        let size = fixture.model.tensors["projection.weight"]!.count
        checkpoint.weights.projection!.weight.elements = [Float](repeating: 3e38, count: size)
        checkpoint.weights.projection!.bias = [Float](repeating: 3e38, count: checkpoint.weights.dimension)
        do {
            _ = try Encoder(checkpoint).embed(fixture.batch)
            Issue.record("accepted")
        } catch let error as CoveyError {
            #expect(error.code == .invalidData)
            #expect(error.message.contains("is not finite: the model's weights are too large"))
        }
    }
}
