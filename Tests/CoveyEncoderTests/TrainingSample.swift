import CoveyFiles
import CoveyRuntime
import CoveySequences
import CoveyTables
import Testing

@testable import CoveyEncoder

/// Sequences that a training learns from, and options under which it takes a moment.
enum TrainingSample {
    static func vocabulary() throws -> Vocabulary { try Vocabulary((1...9).map { "event \($0)" }) }

    /// Sequences in which each type is followed by the next one, nearly always.
    static func sequences(_ lengths: [Int], types: Int32 = 9, seed: UInt64 = 1) throws -> SequenceBatch {
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

    static func lengths(_ count: Int) -> [Int] {
        var random = SeededRandom(seed: 4)
        return (0..<count).map { _ in Int.random(in: 0...25, using: &random) }
    }

    static var small: TrainingOptions {
        var options = TrainingOptions()
        (options.embedding, options.hidden, options.attention, options.dimension) = (6, 10, 5, 7)
        (options.epochs, options.batchSize, options.heldOut) = (4, 20, 0.1)
        options.learningRate = 0.01
        return options
    }

    static func train(
        _ batch: SequenceBatch, _ options: TrainingOptions, threads: Int = 2, vocabulary: Vocabulary? = nil,
        observer: Trainer.Observer? = nil
    ) throws -> TrainingReport {
        try Trainer(
            batch, vocabulary: vocabulary ?? Self.vocabulary(), options, Execution(Context(threads: threads)),
            observer: observer
        ).run()
    }

    static func bytes(_ encoder: Encoder?) throws -> [UInt8] {
        var file = SafeTensorsWriter()
        try #require(encoder).checkpoint.write(to: &file)
        return try file.bytes()
    }
}
