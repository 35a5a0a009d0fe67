import CoveyFiles
import CoveyRuntime
import CoveySequences
import CoveyTables
import Glibc
import Testing

@testable import CoveyEncoder

@Suite struct TrainerTests {
    /// Every objective learns: what was held out is predicted better, or lies closer, from epoch to epoch.
    @Test(arguments: TrainingFixture.objectives) func learns(objective: String) throws {
        var options = TrainingSample.small
        options.objectives = TrainingFixture.objectives(objective)
        options.epochs = 8
        let report = try TrainingSample.train(TrainingSample.sequences(TrainingSample.lengths(300)), options)
        #expect(report.failure == nil && report.epochs.count == 8 && report.steps % 8 == 0)
        let (first, last) = (try #require(report.epochs.first), try #require(report.epochs.last))
        #expect(last.heldOutLoss < 0.9 * first.heldOutLoss, "\(first.heldOutLoss) to \(last.heldOutLoss)")
        #expect(last.sequencesPerSecond > 0)
        #expect(
            try #require(report.encoder).embed(TrainingSample.sequences([3, 0, 8])).elements.allSatisfy(\.isFinite))
    }

    /// The types follow each other with probability 0.9 + 0.1 / 10: no model can be much better, and ours comes near.
    @Test func comesNearTheEntropy() throws {
        var options = TrainingSample.small
        options.objectives = TrainingFixture.objectives("next_event")
        (options.epochs, options.dropout, options.unknown) = (30, 0, 0)
        let batch = try TrainingSample.sequences(TrainingSample.lengths(600))
        let best = try TrainingSample.train(batch, options).epochs.map(\.heldOutLoss).min()
        let entropy = -(0.91 * log(0.91) + 0.09 * log(0.01))
        // Both directions' types, and gaps that are uniform within what their type says (log1p of it has a deviation of
        // about 0.25).
        #expect(try #require(best) > 2 * entropy * 0.7 && best! < 2 * entropy + 0.5, "\(best!) and \(2 * entropy)")
    }

    /// The same bytes for any number of threads, and others for another seed.
    @Test func isReproducible() throws {
        var options = TrainingSample.small
        options.objectives = .init(nextEvent: 1, maskedEvent: 0.5, autoencoder: 1, contrastive: 1)
        let batch = try TrainingSample.sequences(TrainingSample.lengths(150) + [700, 400])
        let expected = try TrainingSample.bytes(TrainingSample.train(batch, options, threads: 1).encoder)
        for threads in [2, 5] {
            #expect(
                try TrainingSample.bytes(TrainingSample.train(batch, options, threads: threads).encoder) == expected)
        }
        options.seed = 1
        #expect(try TrainingSample.bytes(TrainingSample.train(batch, options).encoder) != expected)
    }

    /// An epoch learns from a sample that is drawn anew, and holds back a share of as many: the time of a step, the
    /// number of steps and of held-out sequences do not grow with the sequences.
    @Test func drawsASampleForEachEpoch() throws {
        var options = TrainingSample.small
        options.epochSequences = 60
        let batch = try TrainingSample.sequences(TrainingSample.lengths(400))
        let report = try TrainingSample.train(batch, options)
        #expect(report.failure == nil && report.steps == options.epochs * 3)
        let expected = try TrainingSample.bytes(report.encoder)
        #expect(try TrainingSample.bytes(TrainingSample.train(batch, options, threads: 1).encoder) == expected)
        // As many as there are, or no bound: the same training.
        options.epochSequences = 400
        let all = try TrainingSample.bytes(TrainingSample.train(batch, options).encoder)
        options.epochSequences = 0
        #expect(try TrainingSample.bytes(TrainingSample.train(batch, options).encoder) == all && all != expected)
        // Stopped in the middle and taken up again.
        let path = "/tmp/covey-training-epochs-\(getpid())"
        defer { unlink(path) }
        options.epochSequences = 60
        options.checkpointPath = path
        options.checkpointSteps = 1
        try Trainer(batch, vocabulary: TrainingSample.vocabulary(), options, Execution(Context(threads: 2)))
            .run(until: 5)
        #expect(try TrainingSample.bytes(TrainingSample.train(batch, options).encoder) == expected)
    }

    /// A loss of which nothing was measured stops nothing, and is not taken for the best.
    @Test func countsNothingAsNotMeasured() throws {
        var options = TrainingSample.small
        options.objectives = TrainingFixture.objectives("masked_event")
        (options.maskShare, options.heldOut, options.epochs, options.patience) = (0.05, 0.02, 6, 2)
        let batch = try TrainingSample.sequences([Int](repeating: 2, count: 60))
        let report = try TrainingSample.train(batch, options)
        #expect(report.epochs.count == 6 && report.epochs.allSatisfy { $0.heldOutLoss.isNaN || $0.heldOutLoss > 0 })
        #expect(report.epochs.contains { $0.heldOutLoss > 0 } || report.bestStep == report.steps)
        options.objectives = TrainingFixture.objectives("next_event")
        let single = try TrainingSample.sequences([Int](repeating: 1, count: 60))
        #expect(throws: CoveyError.self) { try TrainingSample.train(single, options) }
    }

    /// Stopped between two checkpoints and taken up again: the same bytes as in one go. Then the file gives them at
    /// once.
    @Test func resumes() throws {
        var options = TrainingSample.small
        options.objectives = .init(nextEvent: 1, maskedEvent: 0.5, autoencoder: 1, contrastive: 1)
        let batch = try TrainingSample.sequences(TrainingSample.lengths(150))
        let expected = try TrainingSample.train(batch, options)
        let path = "/tmp/covey-training-\(getpid())"
        defer { unlink(path) }
        options.checkpointPath = path
        options.checkpointSteps = 3
        for stop in [4, 11, 17] {
            // As a kill would do it: what was done since the checkpoint is lost.
            let trainer = try Trainer(
                batch, vocabulary: TrainingSample.vocabulary(), options, Execution(Context(threads: 2)))
            try trainer.run(until: stop)
        }
        let report = try TrainingSample.train(batch, options)
        #expect(report.failure == nil)
        #expect(try TrainingSample.bytes(report.encoder) == TrainingSample.bytes(expected.encoder))
        #expect(report.epochs.map(\.loss) == expected.epochs.map(\.loss))
        #expect(report.epochs.map(\.heldOutLoss) == expected.epochs.map(\.heldOutLoss))
        let again = try TrainingSample.train(batch, options) { _ in true }
        #expect(try TrainingSample.bytes(again.encoder) == TrainingSample.bytes(expected.encoder))
        options.seed = 3
        #expect(throws: CoveyError.self) { try TrainingSample.train(batch, options) }
    }

    /// State files with a few bytes changed: an error that says what is wrong, or a training; never a trap.
    @Test func survivesChangedState() throws {
        var options = TrainingSample.small
        (options.epochs, options.embedding, options.hidden, options.attention, options.dimension) = (1, 1, 1, 1, 1)
        options.objectives = TrainingFixture.objectives("next_event")
        let path = "/tmp/covey-training-state-\(getpid())"
        defer { unlink(path) }
        options.checkpointPath = path
        let batch = try TrainingSample.sequences([4, 5, 6, 7])
        _ = try TrainingSample.train(batch, options)
        let memory = try WholeFile.read(path, Execution())
        let good = Array(memory)
        free(memory.baseAddress)
        func attempt(_ bytes: [UInt8]) throws -> CoveyError? {
            try bytes.withUnsafeBytes { try AtomicFile.write([$0], to: path) }
            do { _ = try TrainingSample.train(batch, options) } catch let error as CoveyError { return error }
            return nil
        }
        #expect(try attempt(good) == nil)
        var random = SeededRandom(seed: 8)
        var refused = 0
        for _ in 0..<300 {
            var bytes = good
            let place = Int.random(in: 8..<good.count, using: &random)
            bytes[place] =
                (48...57).contains(bytes[place]) ? UInt8.random(in: 48...57, using: &random) : bytes[place] ^ 4
            if bytes != good, try attempt(bytes) != nil { refused += 1 }
        }
        #expect(refused > 250)
        // A tensor that does not fit the configuration is named.
        let text = String(decoding: good, as: UTF8.self)
        let name = "\"weight.lstm.bias_ih_l0\""
        #expect(text.contains(name))
        var bytes = good
        let start = try #require(bytes.indices.first { bytes[$0...].starts(with: name.utf8) })
        bytes.replaceSubrange(start..<start + name.utf8.count, with: "\"weight.lstm.bias_xx_l0\"".utf8)
        #expect(try attempt(bytes)?.message.hasSuffix(": tensor weight.lstm.bias_ih_l0 is missing") == true)
    }

    @Test func stopsEarly() throws {
        var options = TrainingSample.small
        (options.epochs, options.patience, options.learningRate) = (200, 2, 0.05)
        let report = try TrainingSample.train(TrainingSample.sequences(TrainingSample.lengths(60)), options)
        #expect(report.failure == nil && report.epochs.count < 200)
        let losses = report.epochs.map(\.heldOutLoss)
        let best = losses.indices.min { losses[$0] < losses[$1] }!
        #expect(best == losses.count - 3 && report.bestStep == (best + 1) * 3)
    }

    /// Sequences of 1 and of 100,000 events, all at the same time or years apart; a vocabulary of the unknown entry
    /// alone; channels that never change.
    @Test(arguments: TrainingFixture.objectives) func takesExtremes(objective: String) throws {
        var options = TrainingSample.small
        options.objectives = TrainingFixture.objectives(objective)
        (options.epochs, options.batchSize, options.heldOut) = (1, 3, 0)
        let lengths = [1, 100_000, 1, 3, 2]
        let count = lengths.reduce(0, +)
        let offsets = lengths.reduce(into: [Int64(0)]) { $0.append($0.last! + Int64($1)) }
        let vocabulary = try Vocabulary([String]())
        for gap in [0.0, 1e9, 1e300] {
            let batch = try SequenceBatch(
                offsets: SequenceOffsets(Strided(offsets)), types: Strided((0..<count).map { Int32($0 % 7) - 3 }),
                times: Strided((0..<count).map { Double($0) * gap / 1e5 }),
                dwell: Strided([Double](repeating: .nan, count: count)),
                numeric: [
                    Strided([Double](repeating: 7, count: count)), Strided([Double](repeating: .nan, count: count)),
                ])
            let report = try TrainingSample.train(batch, options, vocabulary: vocabulary)
            #expect(report.failure == nil && report.steps == 2)
            #expect(try #require(report.encoder).embed(batch).elements.allSatisfy(\.isFinite))
        }
    }

    @Test func keepsToTheBudget() throws {
        let batch = try TrainingSample.sequences([100_000, 5, 6])
        var options = TrainingSample.small
        options.window = 1_000_000
        let small = Execution(try Context(threads: 2, memoryBudget: 50 << 20))
        #expect {
            try Trainer(batch, vocabulary: TrainingSample.vocabulary(), options, small)
        } throws: { ($0 as? CoveyError)?.code == .outOfMemory }
        options.window = 1000
        (options.epochs, options.heldOut) = (1, 0)
        #expect(try Trainer(batch, vocabulary: TrainingSample.vocabulary(), options, small).run().failure == nil)
        // Sizes whose product overflows.
        (options.window, options.hidden, options.dimension, options.objectives.contrastive) = (
            1_000_000, 4096, 65_536, 1
        )
        #expect(throws: CoveyError.self) { try Trainer(batch, vocabulary: TrainingSample.vocabulary(), options, small) }
    }

    /// What is asked of the budget is enough, and at most about twice what a step takes.
    @Test(arguments: TrainingFixture.objectives, [[5, 3, 4, 7, 1, 6, 2, 8, 4, 3, 5, 9], [60, 200, 30]])
    func asksForWhatAStepTakes(objective: String, lengths: [Int]) throws {
        for (threads, types, largest) in [(1, 3, 4096), (2, 300, 4096), (16, 300, 20)] {
            var options = TrainingOptions()
            options.objectives = TrainingFixture.objectives(objective)
            options.largestSoftmax = largest
            let batch = try TrainingSample.sequences(
                lengths.flatMap { [Int](repeating: $0, count: 20) }, types: Int32(types))
            let vocabulary = try Vocabulary((0..<types).map { "\($0)" })
            let execution = Execution(try Context(threads: threads))
            let trainer = try Trainer(batch, vocabulary: vocabulary, options, execution)
            let all = Array(0..<batch.count)
            let measured = try trainer.stepBytes(all, execution)
            let asked = try TrainingStep.largestBytes(
                lengths.flatMap { [Int](repeating: $0, count: 20) }.sorted(by: >), trainer.layout, options,
                threads: threads)
            #expect(
                asked >= measured && asked <= 2 * measured, "\(objective), \(threads) threads: \(asked) for \(measured)"
            )
        }
    }

    /// Of a large vocabulary only entries that occur, or were drawn, change.
    @Test func largeVocabulary() throws {
        var options = TrainingSample.small
        (options.embedding, options.hidden, options.epochs, options.dimension, options.heldOut) = (2, 4, 1, 0, 0)
        options.objectives = TrainingFixture.objectives("next_event")
        let vocabulary = try Vocabulary((0..<100_000).map { "\($0)" })
        let batch = try TrainingSample.sequences([50, 60], types: 99_999)
        let trainer = try Trainer(batch, vocabulary: vocabulary, options, Execution(Context(threads: 2)))
        let before = trainer.weights
        #expect(trainer.run().failure == nil)
        let after = trainer.weights
        let changed = (Int32(1)..<100_000).filter { after[2 * Int($0)] != before[2 * Int($0)] }
        #expect(Set(changed) == Set((0..<110).map { batch.types[$0] }.filter { $0 > 0 }))
    }

    @Test func refusesWhatDoesNotFit() throws {
        let batch = try TrainingSample.sequences([3])
        func message(_ change: (inout TrainingOptions) -> Void) -> String {
            var options = TrainingSample.small
            change(&options)
            do {
                _ = try Trainer(batch, vocabulary: TrainingSample.vocabulary(), options, Execution())
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(message { $0.hidden = 0 } == "options.hidden_size must be 1 to 4096, got 0")
        #expect(message { $0.learningRate = .nan } == "options.learning_rate must be above 0 and finite, got nan")
        #expect(message { $0.dropout = 1 } == "options.dropout must be at least 0 and below 1, got 1.0")
        #expect(message { $0.objectives = .init(nextEvent: 0, autoencoder: 0) }.contains("must not all be 0"))
        #expect(message { $0.clip = .infinity } == "")
        let empty = try TrainingSample.sequences([0, 0])
        #expect(throws: CoveyError.self) {
            try Trainer(empty, vocabulary: TrainingSample.vocabulary(), TrainingSample.small, Execution())
        }
    }
}
