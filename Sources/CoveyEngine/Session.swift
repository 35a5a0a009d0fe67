import CoveyEncoder
import CoveyRuntime
import CoveySequences
import CoveyTables

/// An event that a session gets.
public struct SessionEvent {
    public var type: Int32
    /// Seconds.
    public var time: Double
    /// Seconds; NaN = missing.
    public var dwell: Double
    public var numeric: UnsafeBufferPointer<Double>
    public var categorical: UnsafeBufferPointer<Int32>

    public init(
        type: Int32, time: Double, dwell: Double, numeric: UnsafeBufferPointer<Double>,
        categorical: UnsafeBufferPointer<Int32>
    ) {
        self.type = type
        self.time = time
        self.dwell = dwell
        self.numeric = numeric
        self.categorical = categorical
    }
}

/// What a session says of itself.
public struct SessionState: Sendable, Equatable {
    /// The events that it holds: the last that came.
    public let events: Int
    /// The most that it holds.
    public let largestEvents: Int
    /// All that came, and those of them with an unknown type.
    public let total: Int
    public let unknown: Int
}

/// The events of one session in memory of the caller. It holds the last events that came: one client cannot make
/// scoring slower without end. Nothing is allocated when an event comes.
public struct Session {
    private let bytes: UnsafeMutableRawBufferPointer
    private let layout: SessionLayout
    private let capacity: Int

    /// Makes `bytes` an empty session.
    /// - Throws: `mismatch` for an engine without an encoder; `bufferTooSmall` if no event has room.
    public init(starting bytes: UnsafeMutableRawBufferPointer, _ engine: Engine) throws {
        layout = try engine.requiredSessionLayout()
        let least = layout.bytes(1)
        guard bytes.count >= least else {
            throw CoveyError(.bufferTooSmall, "size must be at least \(least), got \(bytes.count)")
        }
        self.bytes = bytes
        capacity = min(
            (bytes.count - SessionLayout.headerBytes) / layout.eventBytes, SessionLayout.largestEvents)
        // Nothing of an earlier session, or of the host's memory, goes to a database with the bytes.
        _ = bytes.initializeMemory(as: UInt8.self, repeating: 0)
        store(SessionLayout.mark, 0)
        store(layout.fingerprint, 8)
        store(UInt64(capacity), 16)
    }

    /// Goes on with a session.
    /// - Throws: `mismatch` for a session of another encoder; `corruptFile` for bytes that are no session.
    public init(_ bytes: UnsafeMutableRawBufferPointer, _ engine: Engine) throws {
        layout = try engine.requiredSessionLayout()
        self.bytes = bytes
        guard bytes.count >= SessionLayout.headerBytes, Self.load(bytes, 0) == SessionLayout.mark else {
            throw CoveyError(.corruptFile, "session: the bytes are not those of a session")
        }
        guard Self.load(bytes, 8) == layout.fingerprint else {
            throw CoveyError.mismatch("session: it was started with an encoder of other names")
        }
        let stored = Self.load(bytes, 16)
        guard stored >= 1, stored <= UInt64(SessionLayout.largestEvents), layout.bytes(Int(stored)) <= bytes.count
        else {
            throw CoveyError(.corruptFile, "session: \(bytes.count) bytes do not hold \(stored) events")
        }
        capacity = Int(stored)
        let (total, unknown) = (Self.load(bytes, 24), Self.load(bytes, 32))
        guard total <= UInt64(Int64.max) / 2, unknown <= total else {
            throw CoveyError(.corruptFile, "session: \(unknown) of \(total) events are unknown")
        }
    }

    public var state: SessionState {
        let total = Int(Self.load(bytes, 24))
        return SessionState(
            events: min(total, capacity), largestEvents: capacity, total: total,
            unknown: Int(Self.load(bytes, 32)))
    }

    /// Adds an event; the oldest one goes if the session is full. The session is unchanged if this throws.
    /// - Throws: `mismatch` for other channels than the encoder's; `invalidData` for a value that cannot be.
    public func add(_ event: SessionEvent) throws {
        try check(event)
        let total = Self.load(bytes, 24)
        let start = SessionLayout.headerBytes + Int(total % UInt64(capacity)) * layout.eventBytes
        store(event.time.bitPattern, start)
        if layout.usesDwell { store(event.dwell.bitPattern, start + layout.dwellOffset) }
        for (channel, value) in event.numeric.enumerated() {
            store(value.bitPattern, start + layout.numericOffset + 8 * channel)
        }
        let type = start + layout.typeOffset
        bytes.storeBytes(of: event.type.littleEndian, toByteOffset: type, as: Int32.self)
        for (channel, code) in event.categorical.enumerated() {
            bytes.storeBytes(of: code.littleEndian, toByteOffset: type + 4 + 4 * channel, as: Int32.self)
        }
        let end = type + 4 + 4 * event.categorical.count
        if end < start + layout.eventBytes {
            bytes.storeBytes(of: 0 as Int32, toByteOffset: end, as: Int32.self)
        }
        if event.type < 1 || Int(event.type) >= layout.vocabularyCount { store(Self.load(bytes, 32) + 1, 32) }
        store(total + 1, 24)
    }

    private func check(_ event: SessionEvent) throws {
        guard event.numeric.count == layout.numericCount else {
            throw CoveyError.mismatch(
                "event.numeric_count must be \(layout.numericCount), got \(event.numeric.count)")
        }
        guard event.categorical.count == layout.categoricalCount else {
            throw CoveyError.mismatch(
                "event.categorical_count must be \(layout.categoricalCount), got \(event.categorical.count)")
        }
        guard event.time.isFinite else {
            throw CoveyError.invalidData("event.time must be finite, got \(event.time)")
        }
        guard event.dwell.isNaN || event.dwell >= 0 && event.dwell.isFinite else {
            throw CoveyError.invalidData("event.dwell must be at least 0 and finite, or NaN, got \(event.dwell)")
        }
        for (channel, value) in event.numeric.enumerated() where value.isInfinite {
            throw CoveyError.invalidData("event.numeric[\(channel)] must be finite or NaN, got \(value)")
        }
    }

    /// The events as one sequence, in the order in which they came. `SequenceBatch.validate` checks the values.
    public func sequence(_ execution: Execution) throws -> SequenceBatch {
        let total = Int(Self.load(bytes, 24))
        let count = min(total, capacity)
        try execution.reserve(count, of: layout.eventBytes, for: "a session of \(count) events")
        let first = total > capacity ? total % capacity : 0
        func place(_ event: Int) -> Int {
            let slot = first + event
            return SessionLayout.headerBytes + (slot < capacity ? slot : slot - capacity) * layout.eventBytes
        }
        func reals(_ offset: Int) -> Strided<Double> {
            Strided<Double>(count: count) { target in
                for event in 0..<count {
                    target[event] = Double(bitPattern: Self.load(bytes, place(event) + offset))
                }
            }
        }
        func codes(_ offset: Int) -> Strided<Int32> {
            Strided<Int32>(count: count) { target in
                for event in 0..<count {
                    let code = bytes.loadUnaligned(fromByteOffset: place(event) + offset, as: Int32.self)
                    target[event] = Int32(littleEndian: code)
                }
            }
        }
        return try SequenceBatch(
            offsets: SequenceOffsets(Strided([0, Int64(count)])), types: codes(layout.typeOffset), times: reals(0),
            dwell: layout.usesDwell ? reals(layout.dwellOffset) : nil,
            numeric: (0..<layout.numericCount).map { reals(layout.numericOffset + 8 * $0) },
            categorical: (0..<layout.categoricalCount).map { codes(layout.typeOffset + 4 + 4 * $0) })
    }

    private func store(_ value: UInt64, _ offset: Int) {
        bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self)
    }

    private static func load(_ bytes: UnsafeMutableRawBufferPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}

extension Engine {
    /// The bytes of a session that keeps `events` events; nil without an encoder or outside of 1 to 2^24.
    public func sessionBytes(events: Int64) -> Int? {
        guard let sessionLayout, events >= 1, events <= Int64(SessionLayout.largestEvents) else { return nil }
        return sessionLayout.bytes(Int(events))
    }

    func requiredSessionLayout() throws -> SessionLayout {
        guard let sessionLayout else {
            throw CoveyError.mismatch("session: the engine has no encoder, so it takes no events")
        }
        return sessionLayout
    }
}
