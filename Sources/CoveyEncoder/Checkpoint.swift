import CoveyFiles
import CoveyRuntime

/// An encoder as it is kept: its configuration and its weights.
public struct Checkpoint: Sendable {
    public var configuration: EncoderConfiguration
    public var weights: EncoderWeights

    init(configuration: EncoderConfiguration, weights: EncoderWeights) {
        self.configuration = configuration
        self.weights = weights
    }

    /// Reads the metadata entry "covey.encoder" and the tensors whose names begin with `prefix`.
    /// - Throws: `corruptFile`, naming the entry's member or the tensor; `unsupported` for a newer format; `cancelled`.
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
