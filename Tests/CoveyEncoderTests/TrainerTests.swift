import CoveyFiles
import CoveyRuntime
import CoveySequences
import CoveyTables
import Glibc
import Synchronization
import Testing

@testable import CoveyEncoder

@Suite struct TrainerTests {
    private static func vocabulary() throws -> Vocabulary { try Vocabulary((1...9).map { "event \($0)" }) }

    /// Sequences in which each type is followed by the next one, nearly always.
    private static func sequences(_ lengths: [Int], types: Int32 = 9, seed: UInt64 = 1) throws -> SequenceBatch {
        var random = SeededRandom(seed: seed)
        var codes: [Int32] = []
        var times: [Double] = []
        for length in lengths {
            var type = Int32.random(in: 0...types, using: &random)
            for _ in 0..<length {
                type = random.uniform() < 0.9 ? (type + 1) % (types + 1) : Int32.random(in: 0...types, using: &random)
                codes.append(type)
                times.append((times.last ?? 0) + (type == 3 ? 1000 : 1) * random.uniform())
            }
        }
        let offsets = lengths.reduce(into: [Int64(0)]) { $0.append($0.last! + Int64($1)) }
        return try SequenceBatch(
            offsets: SequenceOffsets(Strided(offsets)), types: Strided(codes), times: Strided(times))
    }

    private static func lengths(_ count: Int) -> [Int] {
        var random = SeededRandom(seed: 4)
        return (0..<count).map { _ in Int.random(in: 0...25, using: &random) }
    }

    private static var small: TrainingOptions {
        var options = TrainingOptions()
        (options.embedding, options.hidden, options.attention, options.dimension) = (6, 10, 5, 7)
        (options.epochs, options.batchSize, options.heldOut) = (4, 20, 0.1)
        options.learningRate = 0.01
        return options
    }

    private static func train(
        _ batch: SequenceBatch, _ options: TrainingOptions, threads: Int = 2, vocabulary: Vocabulary? = nil,
        observer: Trainer.Observer? = nil
    ) throws -> TrainingReport {
        try Trainer(
            batch, vocabulary: vocabulary ?? Self.vocabulary(), options, Execution(Context(threads: threads)),
            observer: observer
        ).run()
    }

    private static func bytes(_ encoder: Encoder?) throws -> [UInt8] {
        var file = SafeTensorsWriter()
        try #require(encoder).checkpoint.write(to: &file)
        return try file.bytes()
    }

    /// Every objective learns: what was held out is predicted better, or lies closer, from epoch to epoch.
    @Test(arguments: TrainingFixture.objectives) func learns(objective: String) throws {
        var options = Self.small
        options.objectives = TrainingFixture.objectives(objective)
        options.epochs = 8
        let report = try Self.train(Self.sequences(Self.lengths(300)), options)
        #expect(report.failure == nil && report.epochs.count == 8 && report.steps % 8 == 0)
        let (first, last) = (try #require(report.epochs.first), try #require(report.epochs.last))
        #expect(last.heldOutLoss < 0.9 * first.heldOutLoss, "\(first.heldOutLoss) to \(last.heldOutLoss)")
        #expect(last.sequencesPerSecond > 0)
        #expect(try #require(report.encoder).embed(Self.sequences([3, 0, 8])).elements.allSatisfy(\.isFinite))
    }

    /// The types follow each other with probability 0.9 + 0.1 / 10: no model can be much better, and ours comes near.
    @Test func comesNearTheEntropy() throws {
        var options = Self.small
        options.objectives = TrainingFixture.objectives("next_event")
        (options.epochs, options.dropout, options.unknown) = (30, 0, 0)
        let batch = try Self.sequences(Self.lengths(600))
        let best = try Self.train(batch, options).epochs.map(\.heldOutLoss).min()
        let entropy = -(0.91 * log(0.91) + 0.09 * log(0.01))
        // Both directions' types, and gaps that are uniform within what their type says (log1p of it has a deviation of
        // about 0.25).
        #expect(try #require(best) > 2 * entropy * 0.7 && best! < 2 * entropy + 0.5, "\(best!) and \(2 * entropy)")
    }

    /// The same bytes for any number of threads, and others for another seed.
    @Test func isReproducible() throws {
        var options = Self.small
        options.objectives = .init(nextEvent: 1, maskedEvent: 0.5, autoencoder: 1, contrastive: 1)
        let batch = try Self.sequences(Self.lengths(150) + [700, 400])
        let expected = try Self.bytes(Self.train(batch, options, threads: 1).encoder)
        for threads in [2, 5] {
            #expect(try Self.bytes(Self.train(batch, options, threads: threads).encoder) == expected)
        }
        options.seed = 1
        #expect(try Self.bytes(Self.train(batch, options).encoder) != expected)
    }

    /// Stopped between two checkpoints and taken up again: the same bytes as in one go. Then the file gives them at
    /// once.
    @Test func resumes() throws {
        var options = Self.small
        options.objectives = .init(nextEvent: 1, maskedEvent: 0.5, autoencoder: 1, contrastive: 1)
        let batch = try Self.sequences(Self.lengths(150))
        let expected = try Self.train(batch, options)
        let path = "/tmp/covey-training-\(getpid())"
        defer { unlink(path) }
        options.checkpointPath = path
        options.checkpointSteps = 3
        for stop in [4, 11, 17] {
            // As a kill would do it: what was done since the checkpoint is lost.
            let trainer = try Trainer(batch, vocabulary: Self.vocabulary(), options, Execution(Context(threads: 2)))
            try trainer.run(until: stop)
        }
        let report = try Self.train(batch, options)
        #expect(report.failure == nil)
        #expect(try Self.bytes(report.encoder) == Self.bytes(expected.encoder))
        #expect(report.epochs.map(\.loss) == expected.epochs.map(\.loss))
        #expect(report.epochs.map(\.heldOutLoss) == expected.epochs.map(\.heldOutLoss))
        let again = try Self.train(batch, options) { _ in true }
        #expect(try Self.bytes(again.encoder) == Self.bytes(expected.encoder))
        options.seed = 3
        #expect(throws: CoveyError.self) { try Self.train(batch, options) }
    }

    /// State files with a few bytes changed: an error that says what is wrong, or a training; never a trap.
    @Test func survivesChangedState() throws {
        var options = Self.small
        (options.epochs, options.embedding, options.hidden, options.attention, options.dimension) = (1, 1, 1, 1, 1)
        options.objectives = TrainingFixture.objectives("next_event")
        let path = "/tmp/covey-training-state-\(getpid())"
        defer { unlink(path) }
        options.checkpointPath = path
        let batch = try Self.sequences([4, 5, 6, 7])
        _ = try Self.train(batch, options)
        let memory = try WholeFile.read(path, Execution())
        let good = Array(memory)
        free(memory.baseAddress)
        func attempt(_ bytes: [UInt8]) throws -> CoveyError? {
            try bytes.withUnsafeBytes { try AtomicFile.write([$0], to: path) }
            do { _ = try Self.train(batch, options) } catch let error as CoveyError { return error }
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
        #expect(try attempt(bytes)?.message == "tensor weight.lstm.bias_ih_l0 is missing")
    }

    @Test func cancelKeepsTheBest() throws {
        var options = Self.small
        options.epochs = 1000
        options.patience = 0
        let batch = try Self.sequences(Self.lengths(200))
        let report = try Self.train(batch, options) { $0.epoch == 3 && !$0.heldOutLoss.isNaN }
        #expect(report.failure == .cancelled && report.epochs.count == 3)
        #expect(report.steps == 27 && report.bestStep % 9 == 0)
        #expect(try #require(report.encoder).embed(batch).elements.allSatisfy(\.isFinite))
        let best = report.epochs.indices.min { report.epochs[$0].heldOutLoss < report.epochs[$1].heldOutLoss }
        #expect(report.bestStep == 9 * (try #require(best) + 1))
        // Within the first epoch, and before its first step.
        let context = try Context(threads: 2)
        let trainer = try Trainer(batch, vocabulary: Self.vocabulary(), options, Execution(context))
        try trainer.run(until: 2)
        context.cancel()
        let early = trainer.run()
        #expect(early.failure == .cancelled && early.steps == 2 && early.bestStep == 1 && early.encoder != nil)
        let stopped = try Context(threads: 1) { _, _ in true }
        #expect(throws: CoveyError.cancelled) {
            try Trainer(batch, vocabulary: Self.vocabulary(), options, Execution(stopped))
        }
        let calm = try Context(threads: 1)
        let unbegun = try Trainer(batch, vocabulary: Self.vocabulary(), options, Execution(calm))
        calm.cancel()
        let none = unbegun.run()
        #expect(none.failure == .cancelled && none.encoder == nil && none.steps == 0)
    }

    /// A host that is told of every report, and stops the call at one of them.
    private final class Listener: Sendable {
        let heard = Atomic<Int>(0)
        let stopAt = Atomic<Int>(.max)
        private let isListening = Atomic<Bool>(false)
        func listen() {
            isListening.store(true, ordering: .relaxed)
            usleep(21_000)
        }
        func context(threads: Int) throws -> Context {
            try Context(threads: threads) { _, _ in
                guard self.isListening.load(ordering: .relaxed) else { return false }
                // Reports within 20 ms of the last are not passed on.
                usleep(21_000)
                return self.heard.add(1, ordering: .relaxed).newValue >= self.stopAt.load(ordering: .relaxed)
            }
        }
    }

    /// The work of a step is one piece for each chunk of it, which may take long: the host is told within it.
    @Test func tellsWithinAStep() throws {
        func heard(_ length: Int) throws -> Int {
            let listener = Listener()
            let batch = try Self.sequences([length, length])
            let trainer = try Trainer(
                batch, vocabulary: Self.vocabulary(), Self.small, Execution(listener.context(threads: 1)))
            listener.listen()
            try trainer.run(until: 1)
            return listener.heard.load(ordering: .relaxed)
        }
        // Both directions, there and back, over eight events more.
        #expect(try heard(10) >= heard(2) + 32)
    }

    /// Wherever in its third step a training is stopped, also while the weights are changed, it has those that were
    /// last seen to give a finite loss.
    @Test func aStopWithinAStepKeepsTheBest() throws {
        var options = Self.small
        (options.batchSize, options.heldOut) = (2, 0)
        func trainer(_ listener: Listener) throws -> Trainer {
            try Trainer(
                Self.sequences([4, 3, 2, 1, 4, 3, 2, 1]), vocabulary: Self.vocabulary(), options,
                Execution(listener.context(threads: 1)))
        }
        let listener = Listener()
        let (calm, all) = (try trainer(Listener()), try trainer(listener))
        var weights: [[Float]] = []
        for step in 1...2 {
            try calm.run(until: step)
            weights.append(calm.weights)
        }
        try all.run(until: 2)
        listener.listen()
        try all.run(until: 3)
        let total = listener.heard.load(ordering: .relaxed)
        for (stopAt, best, isChanged) in [(1, 1, false), (total / 2, 1, false), (total - 8, 2, true), (total, 2, true)]
        {
            let listener = Listener()
            let stopped = try trainer(listener)
            try stopped.run(until: 2)
            listener.stopAt.store(stopAt, ordering: .relaxed)
            listener.listen()
            let report = stopped.run()
            #expect(report.failure == .cancelled && listener.heard.load(ordering: .relaxed) == stopAt)
            #expect(report.steps == 2 && report.bestStep == best, "\(stopAt) of \(total)")
            #expect((stopped.weights != weights[1]) == isChanged, "\(stopAt) of \(total)")
            let found = try #require(report.encoder).checkpoint.weights.eventEmbedding.elements
            #expect(found == Array(weights[best - 1].prefix(found.count)))
        }
    }

    /// Of a large vocabulary the entries alone that a step moved are copied: the best weights are still those before
    /// the step.
    @Test func keepsTheWeightsBeforeTheStep() throws {
        var options = Self.small
        options.largestSoftmax = 50
        let vocabulary = try Vocabulary((0..<400).map { "\($0)" })
        let batch = try Self.sequences(Self.lengths(120), types: 399)
        let trainer = try Trainer(batch, vocabulary: vocabulary, options, Execution(Context(threads: 2)))
        var before = trainer.weights
        for step in 1...4 {
            try trainer.run(until: step)
            let count = trainer.layout.encoderCount
            let kept = trainer.state.withBest { Array(UnsafeBufferPointer(start: $0, count: count)) }
            #expect(trainer.state.bestStep == step - 1)
            if step > 1 { #expect(kept == Array(before.prefix(count)), "step \(step)") }
            #expect(trainer.weights != before)
            before = trainer.weights
        }
    }

    @Test func stopsWhereTheLossIsNotFinite() throws {
        var options = Self.small
        options.learningRate = 1e30
        options.warmUp = 0
        let report = try Self.train(Self.sequences(Self.lengths(200)), options)
        #expect(report.failure?.code == .invalidData && report.failure?.message.contains("at step 2:") == true)
        #expect(report.encoder == nil && report.steps == 1)
        // Later: the weights of the best epoch stay.
        let trainer = try Trainer(
            Self.sequences(Self.lengths(200)), vocabulary: Self.vocabulary(), Self.small, Execution(Context(threads: 2))
        )
        try trainer.run(until: 21)
        trainer.state.parameters.pointer[trainer.layout.regions[trainer.layout.lstm[0]].offset] = .nan
        let later = trainer.run()
        #expect(later.failure?.code == .invalidData && later.failure?.message.contains("at step 22:") == true)
        #expect(later.steps == 21 && later.bestStep == 18)
        #expect(try #require(later.encoder).checkpoint.weights.layers[0].forward.input.elements.allSatisfy(\.isFinite))
    }

    @Test func stopsEarly() throws {
        var options = Self.small
        (options.epochs, options.patience, options.learningRate) = (200, 2, 0.05)
        let report = try Self.train(Self.sequences(Self.lengths(60)), options)
        #expect(report.failure == nil && report.epochs.count < 200)
        let losses = report.epochs.map(\.heldOutLoss)
        let best = losses.indices.min { losses[$0] < losses[$1] }!
        #expect(best == losses.count - 3 && report.bestStep == (best + 1) * 3)
    }

    /// Sequences of 1 and of 100,000 events, all at the same time or years apart; a vocabulary of the unknown entry
    /// alone; channels that never change.
    @Test(arguments: TrainingFixture.objectives) func takesExtremes(objective: String) throws {
        var options = Self.small
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
            let report = try Self.train(batch, options, vocabulary: vocabulary)
            #expect(report.failure == nil && report.steps == 2)
            #expect(try #require(report.encoder).embed(batch).elements.allSatisfy(\.isFinite))
        }
    }

    @Test func keepsToTheBudget() throws {
        let batch = try Self.sequences([100_000, 5, 6])
        var options = Self.small
        options.window = 1_000_000
        let small = Execution(try Context(threads: 2, memoryBudget: 50 << 20))
        #expect {
            try Trainer(batch, vocabulary: Self.vocabulary(), options, small)
        } throws: { ($0 as? CoveyError)?.code == .outOfMemory }
        options.window = 1000
        (options.epochs, options.heldOut) = (1, 0)
        #expect(try Trainer(batch, vocabulary: Self.vocabulary(), options, small).run().failure == nil)
        // Sizes whose product overflows.
        (options.window, options.hidden, options.dimension, options.objectives.contrastive) = (
            1_000_000, 4096, 65_536, 1
        )
        #expect(throws: CoveyError.self) { try Trainer(batch, vocabulary: Self.vocabulary(), options, small) }
    }

    /// What is asked of the budget is enough, and at most about twice what a step takes.
    @Test(arguments: TrainingFixture.objectives, [[5, 3, 4, 7, 1, 6, 2, 8, 4, 3, 5, 9], [60, 200, 30]])
    func asksForWhatAStepTakes(objective: String, lengths: [Int]) throws {
        for (threads, types, largest) in [(1, 3, 4096), (2, 300, 4096), (16, 300, 20)] {
            var options = TrainingOptions()
            options.objectives = TrainingFixture.objectives(objective)
            options.largestSoftmax = largest
            let batch = try Self.sequences(lengths.flatMap { [Int](repeating: $0, count: 20) }, types: Int32(types))
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
        var options = Self.small
        (options.embedding, options.hidden, options.epochs, options.dimension, options.heldOut) = (2, 4, 1, 0, 0)
        options.objectives = TrainingFixture.objectives("next_event")
        let vocabulary = try Vocabulary((0..<100_000).map { "\($0)" })
        let batch = try Self.sequences([50, 60], types: 99_999)
        let trainer = try Trainer(batch, vocabulary: vocabulary, options, Execution(Context(threads: 2)))
        let before = trainer.weights
        #expect(trainer.run().failure == nil)
        let after = trainer.weights
        let changed = (Int32(1)..<100_000).filter { after[2 * Int($0)] != before[2 * Int($0)] }
        #expect(Set(changed) == Set((0..<110).map { batch.types[$0] }.filter { $0 > 0 }))
    }

    @Test func refusesWhatDoesNotFit() throws {
        let batch = try Self.sequences([3])
        func message(_ change: (inout TrainingOptions) -> Void) -> String {
            var options = Self.small
            change(&options)
            do {
                _ = try Trainer(batch, vocabulary: Self.vocabulary(), options, Execution())
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(message { $0.hidden = 0 } == "hidden_size must be 1 to 4096, got 0")
        #expect(message { $0.learningRate = .nan } == "learning_rate must be above 0 and finite, got nan")
        #expect(message { $0.dropout = 1 } == "dropout must be at least 0 and below 1, got 1.0")
        #expect(message { $0.objectives = .init(nextEvent: 0, autoencoder: 0) }.contains("must not all be 0"))
        #expect(message { $0.clip = .infinity } == "")
        let empty = try Self.sequences([0, 0])
        #expect(throws: CoveyError.self) { try Trainer(empty, vocabulary: Self.vocabulary(), Self.small, Execution()) }
    }
}
