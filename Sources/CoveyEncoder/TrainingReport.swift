import CoveyRuntime

/// How a training went, and the encoder with the best weights it found.
public final class TrainingReport: Sendable {
    public struct Epoch: Sendable, Equatable {
        /// Means over the sequences. Without held-out sequences `heldOutLoss` is NaN.
        public let loss: Double
        public let heldOutLoss: Double
        public let seconds: Double
        public let sequencesPerSecond: Double
    }

    public let epochs: [Epoch]
    /// Steps done, and the step whose weights the encoder has.
    public let steps: Int
    public let bestStep: Int
    /// Nil where the training stopped before its first step was done.
    public let encoder: Encoder?
    /// Why it stopped before its end.
    public let failure: CoveyError?

    init(epochs: [Epoch], steps: Int, bestStep: Int, encoder: Encoder?, failure: CoveyError?) {
        self.epochs = epochs
        self.steps = steps
        self.bestStep = bestStep
        self.encoder = encoder
        self.failure = failure
    }
}

/// What a running training tells its host.
public struct TrainingProgress: Sendable {
    public let epoch: Int
    public let step: Int
    /// Of all epochs, should none be left out.
    public let steps: Int
    /// The mean since the epoch began, and the held-out loss at its end (NaN before it, and without held-out sequences).
    public let loss: Double
    public let heldOutLoss: Double
    public let sequencesPerSecond: Double
    public let learningRate: Double
}
