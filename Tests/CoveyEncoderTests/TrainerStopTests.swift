import CoveyRuntime
import CoveySequences
import CoveyTables
import Glibc
import Synchronization
import Testing

@testable import CoveyEncoder

/// Trainings that are cancelled, or that stop because the loss is not finite.
@Suite struct TrainerStopTests {
    @Test func cancelKeepsTheBest() throws {
        var options = TrainingSample.small
        options.epochs = 1000
        options.patience = 0
        let batch = try TrainingSample.sequences(TrainingSample.lengths(200))
        let report = try TrainingSample.train(batch, options) { $0.epoch == 3 && !$0.heldOutLoss.isNaN }
        #expect(report.failure == .cancelled && report.epochs.count == 3)
        #expect(report.steps == 27 && report.bestStep % 9 == 0)
        #expect(try #require(report.encoder).embed(batch).elements.allSatisfy(\.isFinite))
        let best = report.epochs.indices.min { report.epochs[$0].heldOutLoss < report.epochs[$1].heldOutLoss }
        #expect(report.bestStep == 9 * (try #require(best) + 1))
        // Within the first epoch, and before its first step.
        let context = try Context(threads: 2)
        let trainer = try Trainer(batch, vocabulary: TrainingSample.vocabulary(), options, Execution(context))
        try trainer.run(until: 2)
        context.cancel()
        let early = trainer.run()
        #expect(early.failure == .cancelled && early.steps == 2 && early.bestStep == 1 && early.encoder != nil)
        let stopped = try Context(threads: 1) { _, _ in true }
        #expect(throws: CoveyError.cancelled) {
            try Trainer(batch, vocabulary: TrainingSample.vocabulary(), options, Execution(stopped))
        }
        let calm = try Context(threads: 1)
        let unbegun = try Trainer(batch, vocabulary: TrainingSample.vocabulary(), options, Execution(calm))
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
            let batch = try TrainingSample.sequences([length, length])
            let trainer = try Trainer(
                batch, vocabulary: TrainingSample.vocabulary(), TrainingSample.small,
                Execution(listener.context(threads: 1)))
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
        var options = TrainingSample.small
        (options.batchSize, options.heldOut) = (2, 0)
        func trainer(_ listener: Listener) throws -> Trainer {
            try Trainer(
                TrainingSample.sequences([4, 3, 2, 1, 4, 3, 2, 1]), vocabulary: TrainingSample.vocabulary(), options,
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
        var options = TrainingSample.small
        options.largestSoftmax = 50
        let vocabulary = try Vocabulary((0..<400).map { "\($0)" })
        let batch = try TrainingSample.sequences(TrainingSample.lengths(120), types: 399)
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
        var options = TrainingSample.small
        options.learningRate = 1e30
        options.warmUp = 0
        let report = try TrainingSample.train(TrainingSample.sequences(TrainingSample.lengths(200)), options)
        #expect(report.failure?.code == .invalidData && report.failure?.message.contains("at step 2:") == true)
        #expect(report.encoder == nil && report.steps == 1)
        // Later: the weights of the best epoch stay.
        let trainer = try Trainer(
            TrainingSample.sequences(TrainingSample.lengths(200)), vocabulary: TrainingSample.vocabulary(),
            TrainingSample.small, Execution(Context(threads: 2))
        )
        try trainer.run(until: 21)
        trainer.state.parameters.pointer[trainer.layout.regions[trainer.layout.lstm[0]].offset] = .nan
        let later = trainer.run()
        #expect(later.failure?.code == .invalidData && later.failure?.message.contains("at step 22:") == true)
        #expect(later.steps == 21 && later.bestStep == 18)
        #expect(try #require(later.encoder).checkpoint.weights.layers[0].forward.input.elements.allSatisfy(\.isFinite))
    }
}
