import CoveyRuntime

/// The course of a training, and the encoder with the best weights.
public final class TrainingReport: Sendable {
    public struct Epoch: Sendable, Equatable {
        /// The losses are means over the sequences. `heldOutLoss` is NaN if nothing is held out.
        public let loss: Double
        public let heldOutLoss: Double
        public let seconds: Double
        public let sequencesPerSecond: Double
    }

    public let epochs: [Epoch]
    /// The number of steps done, and the step whose weights the encoder has.
    public let steps: Int
    public let bestStep: Int
    /// Nil if the training stopped before its first step was done.
    public let encoder: Encoder?
    /// The reason why the training stopped early; nil if it did not.
    public let failure: CoveyError?

    init(epochs: [Epoch], steps: Int, bestStep: Int, encoder: Encoder?, failure: CoveyError?) {
        self.epochs = epochs
        self.steps = steps
        self.bestStep = bestStep
        self.encoder = encoder
        self.failure = failure
    }
}

/// The state of a running training, for the observer.
public struct TrainingProgress: Sendable {
    public let epoch: Int
    public let step: Int
    /// The number of steps of all epochs, if the training does not stop early.
    public let steps: Int
    /// `loss` is the mean since the epoch began. `heldOutLoss` is known at the end of an epoch; before that, and if
    /// nothing is held out, it is NaN.
    public let loss: Double
    public let heldOutLoss: Double
    public let sequencesPerSecond: Double
    public let learningRate: Double
}
