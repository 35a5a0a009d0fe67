import CCoveyKernels
import CoveyRuntime
import CoveySequences
import Glibc

/// Trains an encoder without labels: AdamW, warm-up and cosine decay, early stopping on held-out sequences. The weights
/// depend only on the input, the options and the seed. They do not depend on the number of threads, nor on whether the
/// training was continued from a checkpoint.
public final class Trainer {
    /// Called after each epoch, and about once a second. It returns `true` to stop the training.
    public typealias Observer = (TrainingProgress) -> Bool

    private let source: SequenceBatch
    private let configuration: EncoderConfiguration
    private let options: TrainingOptions
    let layout: ParameterLayout
    private let execution: Execution
    /// The same number of threads as `execution`, but it is not cancelled with the call.
    private let steadfast: Execution
    let state: TrainingState
    private let step: TrainingStep
    private let optimiser: AdamW
    private let training: [Int]
    private let heldOut: [Int]
    private let fingerprint: String
    private let observer: Observer?
    /// The entries that the last step changed; nil before the first step.
    private var moved: [[Int32]?]?
    private var limit = Int.max

    /// The uses of random numbers. Each has its own generator.
    private enum Purpose: UInt64 {
        case split = 101
        case weights, order, batch, evaluation
    }

    /// - Throws: `invalidArgument`, `invalidData` (there are no events), `mismatch` (wrong number of names or
    ///   vocabularies, or a checkpoint of another training), `outOfMemory`, `cancelled`, and the errors of reading the
    ///   checkpoint.
    public init(
        _ source: SequenceBatch, vocabulary: Vocabulary, numericNames: [String]? = nil,
        categoricalNames: [String]? = nil,
        categoricalVocabularies: [Vocabulary] = [], _ options: TrainingOptions, _ execution: Execution,
        observer: Observer? = nil
    ) throws {
        try options.validate()
        try execution.report("train encoder", 0)
        try source.validate(execution)
        guard categoricalVocabularies.count == source.categorical.count else {
            throw CoveyError.mismatch(
                "there are \(source.categorical.count) categorical channels and "
                    + "\(categoricalVocabularies.count) vocabularies")
        }
        func names(_ given: [String]?, _ count: Int, _ kind: String) throws -> Vocabulary {
            let names = given ?? (0..<count).map { "\(kind) \($0)" }
            guard names.count == count else {
                throw CoveyError.mismatch("there are \(count) \(kind) channels and \(names.count) names")
            }
            return try Vocabulary(names)
        }
        let numbers = try names(numericNames, source.numeric.count, "numeric")
        let categories = try names(categoricalNames, source.categorical.count, "categorical")
        try execution.reserve(source.count, of: 8 * 4, for: "the order of the sequences")
        var order: [Int] = []
        for sequence in 0..<source.count where !source.offsets[sequence].isEmpty { order.append(sequence) }
        guard !order.isEmpty else { throw CoveyError.invalidData("sequences have no events to train on") }
        guard
            options.objectives.readEmbedding || options.objectives.maskedEvent > 0
                || order.contains(where: { source.offsets[$0].count > 1 })
        else {
            throw CoveyError.invalidData(
                "next_event learns from pairs of events, and no sequence has two: use autoencoder")
        }
        configuration = try EncoderConfiguration.measured(
            source, vocabulary: vocabulary, numericNames: numbers, categoricalNames: categories,
            categoricalVocabularies: categoricalVocabularies, execution)
        layout = try ParameterLayout(NetworkShape(configuration, options), options.objectives)
        let bytes = try TrainingStep.largestBytes(
            Self.longest(order, source, options, execution), layout, options, threads: execution.threads)
        let (total, overflow) = bytes.addingReportingOverflow(TrainingState.bytes(layout))
        try execution.reserve(overflow ? Int.max : total, for: "training with these sizes")
        let state = try TrainingState(layout, execution)
        var split = SeededRandom(seed: options.seed, Purpose.split.rawValue)
        let most = min(order.count, options.mostInEpoch)
        let unseen = order.count < 2 || options.heldOut == 0 ? 0 : max(1, Int(Double(most) * options.heldOut))
        var isHeldOut = [Bool](repeating: false, count: source.count)
        for sequence in try Self.shuffled(order, &split, execution).prefix(unseen) { isHeldOut[sequence] = true }
        heldOut = order.filter { isHeldOut[$0] }
        training = order.filter { !isHeldOut[$0] }
        fingerprint = try Self.fingerprint(source, configuration, options, execution)
        if let path = options.checkpointPath, access(path, F_OK) == 0 {
            try state.load(
                from: path, fingerprint: fingerprint, epochs: options.epochs,
                stepsPerEpoch: options.stepsPerEpoch(training.count), execution)
        } else {
            var seed = SeededRandom(seed: options.seed, Purpose.weights.rawValue)
            try layout.initialise(state.parameters.pointer, seed: seed.next(), execution)
        }
        self.state = state
        self.source = source
        self.options = options
        self.execution = execution
        steadfast = Execution(try Context(threads: min(1024, execution.threads)))
        self.observer = observer
        step = TrainingStep(layout, state.parameters.pointer, source, configuration, options)
        optimiser = AdamW(
            values: state.parameters.pointer, first: state.first.pointer, second: state.second.pointer,
            instructionSet: step.instructionSet)
    }

    /// Returns the lengths of the longest views that one step may have.
    private static func longest(
        _ sequences: [Int], _ source: SequenceBatch, _ options: TrainingOptions, _ execution: Execution
    ) throws -> [Int] {
        var counts = [Int](repeating: 0, count: options.window + 1)
        for (index, sequence) in sequences.enumerated() {
            if index & 0xFFFF == 0 { try execution.report() }
            counts[min(options.window, source.offsets[sequence].count)] += 1
        }
        var result: [Int] = []
        for length in counts.indices.reversed() where counts[length] > 0 {
            result += [Int](repeating: length, count: min(counts[length], options.batchSize - result.count))
            if result.count == options.batchSize { break }
        }
        return result
    }

    /// Returns the values in random order (Fisher and Yates; Durstenfeld 1964).
    private static func shuffled(_ values: [Int], _ random: inout SeededRandom, _ execution: Execution) throws -> [Int]
    {
        var result = values
        for last in stride(from: values.count - 1, to: 0, by: -1) {
            if last & 0xFFFF == 0 { try execution.report() }
            result.swapAt(last, Int.random(in: 0...last, using: &random))
        }
        return result
    }

    private var stepsPerEpoch: Int { options.stepsPerEpoch(training.count) }
    private var totalSteps: Int { stepsPerEpoch * options.epochs }

    /// Trains to the end. It ends early if the call is cancelled, if a loss is not finite, or if a checkpoint cannot be
    /// written. The report then has the reason, and the best weights so far.
    public func run() -> TrainingReport {
        var failure: CoveyError?
        do {
            while !state.isDone { try epoch() }
        } catch {
            failure = error as? CoveyError ?? .internalError("\(error)")
        }
        var encoder: Encoder?
        if state.bestStep > 0 {
            do {
                let weights = try EncoderWeights(layout, state.takeBest(steadfast), steadfast)
                encoder = Encoder(unpacked: Checkpoint(configuration: configuration, weights: weights))
            } catch {
                failure = failure ?? error as? CoveyError ?? .internalError("\(error)")
            }
        }
        return TrainingReport(
            epochs: state.history, steps: state.step, bestStep: state.bestStep, encoder: encoder, failure: failure)
    }

    /// For tests: trains until `step` steps are done and then writes no checkpoint, as if the process had been killed.
    func run(until step: Int) throws {
        limit = step
        defer { limit = .max }
        while !state.isDone, state.step < limit { try epoch() }
    }

    /// For tests: the number of bytes that a step on these sequences needs.
    func stepBytes(_ sequences: [Int], _ execution: Execution) throws -> Int {
        let batch = try TrainingBatch(sequences, source, layout.shape, options, key: 1, isLearning: true, execution)
        let outcome = try step.run(batch, isLearning: true, execution)
        return step.arenaBytes + outcome.tables.bytes
    }

    /// For tests: the weights.
    var weights: [Float] { Array(UnsafeBufferPointer(start: state.parameters.pointer, count: layout.count)) }

    private func epoch() throws {
        var random = SeededRandom(seed: options.seed, Purpose.order.rawValue, UInt64(state.epoch))
        let order = try Self.shuffled(training, &random, execution).prefix(options.mostInEpoch)
        let clock = Clock(already: state.seconds)
        var told = Clock.now
        while state.stepInEpoch < stepsPerEpoch {
            if state.step >= limit { return }
            try execution.report("train encoder", Double(state.step) / Double(totalSteps))
            let start = state.stepInEpoch * options.batchSize
            try learn(Array(order[start..<min(order.count, start + options.batchSize)]))
            state.seconds = clock.seconds
            if state.step % options.checkpointSteps == 0 { try saveCheckpoint() }
            if let observer, Clock.now - told > 1, state.stepInEpoch < stepsPerEpoch {
                told = Clock.now
                if observer(progress(.nan)) { throw CoveyError.cancelled }
            }
        }
        let unseen = try evaluate()
        // A loss that could not be measured says nothing against the last weights.
        if unseen.isNaN || unseen < state.bestLoss {
            state.bestLoss = unseen.isNaN ? state.bestLoss : unseen
            state.bestStep = state.step
            state.patience = 0
        } else {
            state.patience += 1
        }
        let end = progress(unseen)
        state.history.append(
            TrainingReport.Epoch(
                loss: end.loss, heldOutLoss: unseen, seconds: clock.seconds, sequencesPerSecond: end.sequencesPerSecond)
        )
        state.epoch += 1
        state.isDone = state.epoch >= options.epochs || (options.patience > 0 && state.patience >= options.patience)
        (state.stepInEpoch, state.lossSum, state.seconds) = (0, 0, 0)
        try saveCheckpoint()
        if let observer, observer(end) { throw CoveyError.cancelled }
    }

    private func learn(_ chosen: [Int]) throws {
        var key = SeededRandom(seed: options.seed, Purpose.batch.rawValue, UInt64(state.step))
        let batch = try TrainingBatch(
            chosen, source, layout.shape, options, key: key.next(), isLearning: true, execution)
        let outcome = try step.run(batch, isLearning: true, execution)
        let number = state.step + 1
        guard outcome.loss.isFinite else {
            throw CoveyError.invalidData("the loss is \(outcome.loss) at step \(number): try a smaller learning_rate")
        }
        let norm = try optimiser.reduce(outcome.gradients, outcome.tables, execution)
        guard norm.isFinite else {
            throw CoveyError.invalidData("the gradient is not finite at step \(number): try a smaller learning_rate")
        }
        // Until the first evaluation on held-out sequences, the best weights are the last ones that gave a finite loss.
        if state.epoch == 0 { state.bestStep = state.step }
        try state.preserveBest(moved: moved, execution)
        // If the optimiser is stopped in the middle, the weights belong to no step. The best weights are stored
        // elsewhere by now.
        try optimiser.step(
            outcome.gradients[0], norm: norm, number: number, rate: rate(state.step), options, outcome.tables,
            execution)
        moved = outcome.tables.rows
        state.step = number
        state.stepInEpoch += 1
        state.lossSum += outcome.loss * Double(chosen.count)
    }

    /// Increases to the learning rate during warm-up, then decreases to 0 along a cosine (Loshchilov and Hutter 2017).
    private func rate(_ step: Int) -> Double {
        let warm = Int((options.warmUp * Double(totalSteps)).rounded())
        if step < warm { return options.learningRate * Double(step + 1) / Double(warm) }
        let done = Double(step - warm) / Double(max(1, totalSteps - warm))
        return options.learningRate * 0.5 * (1 + cos(.pi * done))
    }

    /// The mean loss of the held-out sequences, with the same masks and slices each time. NaN if no objective can
    /// measure one of them: none is held out, none has a masked event, or none has two events.
    private func evaluate() throws -> Double {
        var (total, measured) = (0.0, 0)
        for start in stride(from: 0, to: heldOut.count, by: options.batchSize) {
            try execution.report("train encoder", Double(state.step) / Double(totalSteps))
            let chosen = Array(heldOut[start..<min(heldOut.count, start + options.batchSize)])
            var key = SeededRandom(seed: options.seed, Purpose.evaluation.rawValue, UInt64(start))
            let batch = try TrainingBatch(
                chosen, source, layout.shape, options, key: key.next(), isLearning: false,
                execution)
            guard batch.isMeasured(options.objectives) else { continue }
            measured += chosen.count
            total += try step.run(batch, isLearning: false, execution).loss * Double(chosen.count)
        }
        guard measured > 0 else { return .nan }
        let loss = total / Double(measured)
        guard loss.isFinite else {
            throw CoveyError.invalidData(
                "the loss of the held-out sequences is \(loss) after step \(state.step): try a smaller learning_rate")
        }
        return loss
    }

    private func progress(_ heldOutLoss: Double) -> TrainingProgress {
        let done = min(training.count, options.mostInEpoch, state.stepInEpoch * options.batchSize)
        return TrainingProgress(
            epoch: state.epoch + 1, step: state.step, steps: totalSteps, loss: state.lossSum / Double(max(1, done)),
            heldOutLoss: heldOutLoss, sequencesPerSecond: Double(done) / max(1e-9, state.seconds),
            learningRate: rate(max(0, state.step - 1)))
    }

    private func saveCheckpoint() throws {
        guard let path = options.checkpointPath else { return }
        try state.save(to: path, fingerprint: fingerprint, configuration, execution)
    }

    /// A hash of the vocabularies, the sequences and the options that influence the weights.
    private static func fingerprint(
        _ source: SequenceBatch, _ configuration: EncoderConfiguration, _ options: TrainingOptions,
        _ execution: Execution
    ) throws -> String {
        guard options.checkpointPath != nil else { return "" }
        var options = options
        options.checkpointPath = nil
        options.checkpointSteps = 1
        var sum: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ word: UInt64) {
            sum = (sum ^ word) &* 0x9E37_79B9_7F4A_7C15
            sum ^= sum >> 29
        }
        for byte in "\(options)".utf8 { add(UInt64(byte)) }
        for (place, byte) in try configuration.json(execution).utf8.enumerated() {
            if place & 0xF_FFFF == 0 { try execution.report() }
            add(UInt64(byte))
        }
        for sequence in 0..<source.count {
            let range = source.offsets[sequence]
            add(UInt64(range.count))
            for event in range {
                if event & 0xFFFF == 0 { try execution.report() }
                add(UInt64(UInt32(bitPattern: source.types[event])))
                add(source.times[event].bitPattern)
                if let dwell = source.dwell { add(dwell[event].bitPattern) }
                for values in source.numeric { add(values[event].bitPattern) }
                for codes in source.categorical { add(UInt64(UInt32(bitPattern: codes[event]))) }
            }
        }
        return String(sum, radix: 16)
    }
}

/// Measures seconds since its creation, added to a number of seconds from before.
private struct Clock {
    private let start = Clock.now
    private let already: Double

    init(already: Double) { self.already = already }

    var seconds: Double { already + Clock.now - start }

    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
