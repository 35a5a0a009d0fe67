import CCovey
import CoveyEncoder
import CoveyRuntime
import CoveySequences
import CoveyTables

// Section 5 of covey.h: sequences, checked before a stage sees them.

/// Room for the channels of a batch, which can be used again.
struct ChannelRoom {
    var numeric: [Strided<Double>] = []
    var categorical: [Strided<Int32>] = []
}

/// A batch that the caller lends: its structure is checked here, its values by `SequenceBatch.validate`.
func sequenceBatch(
    _ pointer: UnsafePointer<covey_sequences>?, _ name: String, _ execution: Execution
) throws -> SequenceBatch {
    var room = ChannelRoom()
    return try sequenceBatch(pointer, name, &room, execution)
}

/// The same without an allocation, if the room was used before and no batch has it any more.
func sequenceBatch(
    _ pointer: UnsafePointer<covey_sequences>?, _ name: String, _ room: inout ChannelRoom, _ execution: Execution
) throws -> SequenceBatch {
    let sequences = try Versioned.read(try required(pointer, name), name, defaults: covey_sequences())
    let total = try count(sequences.count, "\(name).count", in: 0...largestRows)
    let channels = 0...Int64(EncoderConfiguration.largestChannels)
    let numericCount = try count(sequences.numeric_count, "\(name).numeric_count", in: channels)
    let categoricalCount = try count(sequences.categorical_count, "\(name).categorical_count", in: channels)
    let size = MemoryLayout<covey_channel>.size
    try require(
        sequences.channel_size >= size && sequences.channel_size <= 4096 && sequences.channel_size % 8 == 0,
        "\(name).channel_size must be \(size) to 4096 and a multiple of 8, got \(sequences.channel_size)")
    let offsets = try SequenceOffsets(
        total == 0 ? Strided([]) : strided(sequences.offsets, "\(name).offsets", count: total + 1), execution)
    let events = offsets.events.upperBound
    func column<Element: BitwiseCopyable>(
        _ pointer: UnsafeRawPointer?, _ field: @autoclosure () -> String, _ stride: Int64
    ) throws -> Strided<Element> {
        try strided(pointer, field(), count: events, stride: stride)
    }
    func columns<Element: BitwiseCopyable>(
        _ base: UnsafePointer<covey_channel>?, _ field: @autoclosure () -> String, _ count: Int,
        into columns: inout [Strided<Element>]
    ) throws {
        columns.removeAll(keepingCapacity: true)
        if count == 0 { return }
        let base = UnsafeRawPointer(try required(base, field()))
        for index in 0..<count {
            let channel = base.load(fromByteOffset: index * Int(sequences.channel_size), as: covey_channel.self)
            columns.append(try column(channel.values, "\(field())[\(index)].values", channel.stride))
        }
    }
    try columns(sequences.numeric, "\(name).numeric", numericCount, into: &room.numeric)
    try columns(sequences.categorical, "\(name).categorical", categoricalCount, into: &room.categorical)
    return try SequenceBatch(
        offsets: offsets, types: column(sequences.types, "\(name).types", sequences.types_stride),
        times: column(sequences.times, "\(name).times", sequences.times_stride),
        dwell: sequences.dwell == nil && events > 0
            ? nil : column(sequences.dwell, "\(name).dwell", sequences.dwell_stride),
        numeric: room.numeric, categorical: room.categorical)
}
