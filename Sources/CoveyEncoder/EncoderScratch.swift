import CoveyRuntime
import CoveySequences

/// Memory in which one sequence after another is embedded by the same encoder. For one thread at a time.
public final class EncoderScratch {
    /// The sequences of a batch of one.
    static let first = [0]

    private var workspace: Workspace?
    /// The longest sequence that has room.
    private var longest = 0

    public init() {}

    func workspace(_ network: PackedEncoder, _ batch: SequenceBatch, _ execution: Execution) throws -> Workspace {
        let events = batch.offsets[0].count
        if let workspace, events <= longest { return workspace }
        let blocks = try SequenceBlocks(
            batch.offsets, bytesPerEvent: network.bytesPerEvent(isBFloat16: false), execution)
        let layout = try Workspace.Layout(network, blocks, isBFloat16: false)
        try execution.reserve(layout.bytes, for: "embedding a sequence of \(events) events")
        let made = try Workspace(layout)
        (workspace, longest) = (made, events)
        return made
    }
}
