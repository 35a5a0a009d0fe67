import CoveyFiles
import CoveyRuntime

/// The configuration and the weights of an encoder, as they are stored in a file.
public struct Checkpoint: Sendable {
    public var configuration: EncoderConfiguration
    public var weights: EncoderWeights

    init(configuration: EncoderConfiguration, weights: EncoderWeights) {
        self.configuration = configuration
        self.weights = weights
    }

    /// Reads the metadata entry "covey.encoder" and the tensors whose names begin with `prefix`.
    /// - Throws: `corruptFile`, with the name of the member or of the tensor; `unsupported` if the format is newer;
    ///   `cancelled`.
    public init(_ file: SafeTensors, prefix: String = "", _ execution: Execution = Execution()) throws {
        configuration = try EncoderConfiguration(json: file.entry(EncoderConfiguration.entryName), execution)
        weights = try EncoderWeights(file, prefix: prefix, configuration, execution)
    }

    /// Adds the entry and the tensors to a file.
    public func write(
        to file: inout SafeTensorsWriter, prefix: String = "", _ execution: Execution = Execution()
    ) throws {
        file.setEntry(EncoderConfiguration.entryName, try configuration.json(execution))
        try weights.write(to: &file, prefix: prefix)
    }
}
