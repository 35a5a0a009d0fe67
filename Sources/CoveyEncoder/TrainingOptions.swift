import CoveyRuntime

/// The options of a training. covey.h has the meaning and the range of each.
public struct TrainingOptions: Sendable, Equatable {
    /// The weight of each objective in the loss.
    public struct Objectives: Sendable, Equatable {
        public var nextEvent = 1.0
        public var maskedEvent = 0.0
        public var autoencoder = 1.0
        public var contrastive = 0.0

        public init(nextEvent: Double = 1, maskedEvent: Double = 0, autoencoder: Double = 1, contrastive: Double = 0) {
            self.nextEvent = nextEvent
            self.maskedEvent = maskedEvent
            self.autoencoder = autoencoder
            self.contrastive = contrastive
        }

        /// True if an objective reads the embedding. Only then the attention and the projection are trained.
        var readEmbedding: Bool { autoencoder > 0 || contrastive > 0 }
    }

    public var embedding = 32
    public var categoryEmbedding = 8
    public var hidden = 64
    public var attention = 64
    /// The length of the embedding; 0 means 2 x hidden, without a projection.
    public var dimension = 0
    public var objectives = Objectives()
    public var epochs = 20
    public var batchSize = 128
    public var learningRate = 3e-3
    public var weightDecay = 1e-2
    public var clip = 1.0
    public var warmUp = 0.05
    public var dropout = 0.1
    public var unknown = 0.02
    public var maskShare = 0.15
    public var slices = 4
    public var margin = 0.5
    public var heldOut = 0.05
    public var patience = 5
    /// The largest number of events of a sequence that one step reads.
    public var window = 1024
    public var seed: UInt64 = 0
    /// The path of the checkpoint file; nil means that no checkpoint is written.
    public var checkpointPath: String?
    public var checkpointSteps = 1000
    /// The most sequences of an epoch, drawn anew for each; 0 means all.
    public var epochSequences = 20_000

    public init() {}

    /// If a vocabulary has more entries than this, only some of them take part in each step.
    var largestSoftmax = 4096

    /// The largest number of sequences of an epoch.
    var mostInEpoch: Int { epochSequences == 0 ? Int.max : epochSequences }

    /// The number of steps of an epoch, if this number of sequences can be learnt from.
    func stepsPerEpoch(_ sequences: Int) -> Int { (min(sequences, mostInEpoch) + batchSize - 1) / batchSize }

    public func validate() throws {
        func check(_ value: Int, _ name: String, _ range: ClosedRange<Int>) throws {
            try require(
                range.contains(value),
                "options.\(name) must be \(range.lowerBound) to \(range.upperBound), got \(value)")
        }
        func check(_ value: Double, _ name: String, _ range: ClosedRange<Double>) throws {
            try require(
                range.contains(value),
                "options.\(name) must be \(range.lowerBound) to \(range.upperBound), got \(value)")
        }
        func share(_ value: Double, _ name: String) throws {
            try require(value >= 0 && value < 1, "options.\(name) must be at least 0 and below 1, got \(value)")
        }
        try check(embedding, "embedding_size", 1...4096)
        try check(categoryEmbedding, "category_embedding_size", 1...4096)
        try check(hidden, "hidden_size", 1...4096)
        try check(attention, "attention_size", 1...4096)
        try check(dimension, "dimension", 0...EncoderWeights.largestSize)
        try check(objectives.nextEvent, "next_event", 0...1e6)
        try check(objectives.maskedEvent, "masked_event", 0...1e6)
        try check(objectives.autoencoder, "autoencoder", 0...1e6)
        try check(objectives.contrastive, "contrastive", 0...1e6)
        try require(
            objectives != Objectives(nextEvent: 0, autoencoder: 0),
            "options.next_event, masked_event, autoencoder and contrastive must not all be 0")
        try check(epochs, "epochs", 1...1_000_000)
        try check(batchSize, "batch_size", 1...65_536)
        try require(
            learningRate > 0 && learningRate.isFinite,
            "options.learning_rate must be above 0 and finite, got \(learningRate)")
        try check(weightDecay, "weight_decay", 0...1)
        try require(clip > 0, "options.clip must be above 0, got \(clip)")
        try check(warmUp, "warm_up", 0...1)
        try share(dropout, "dropout")
        try share(unknown, "unknown")
        try require(maskShare > 0 && maskShare < 1, "options.mask_share must be above 0 and below 1, got \(maskShare)")
        try check(slices, "slices", 2...64)
        try require(margin > 0 && margin.isFinite, "options.margin must be above 0 and finite, got \(margin)")
        try share(heldOut, "held_out")
        try check(patience, "patience", 0...1_000_000)
        try check(window, "window", 2...1_000_000)
        try check(checkpointSteps, "checkpoint_steps", 1...Int(Int32.max))
        try check(epochSequences, "epoch_sequences", 0...Int(Int32.max))
    }
}
