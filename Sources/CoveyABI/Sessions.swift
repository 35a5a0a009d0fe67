import CCovey
import CoveyEngine
import CoveyRuntime

// Section 11 of covey.h: sessions whose events come one at a time.

private let largestSession: Int64 = 1 << 46

/// The caller's memory, which the session only reads where the header says const.
private func memory(_ session: UnsafeRawPointer?, _ size: Int64) throws -> UnsafeMutableRawBufferPointer {
    let size = try count(size, "size", in: 0...largestSession)
    return UnsafeMutableRawBufferPointer(
        start: UnsafeMutableRawPointer(mutating: try required(session, "session")), count: size)
}

@c @implementation
public func covey_session_size(_ engine: OpaquePointer?, _ largest_events: Int64) -> Int64 {
    guard let engine else { return 0 }
    return Int64(Handle.object(engine, as: EngineBox.self).engine.sessionBytes(events: largest_events) ?? 0)
}

@c @implementation
public func covey_session_start(
    _ engine: OpaquePointer?, _ session: UnsafeMutableRawPointer?, _ size: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let engine = try Handle.required(engine, "engine", as: EngineBox.self).engine
        _ = try Session(starting: memory(session, size), engine)
    }
}

@c @implementation
public func covey_session_add(
    _ engine: OpaquePointer?, _ session: UnsafeMutableRawPointer?, _ size: Int64,
    _ event: UnsafePointer<covey_event>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let engine = try Handle.required(engine, "engine", as: EngineBox.self).engine
        let session = try Session(memory(session, size), engine)
        let given = try Versioned.read(try required(event, "event"), "event", defaults: covey_event())
        try require(given.reserved == 0, "event.reserved must be 0, got \(given.reserved)")
        try session.add(
            SessionEvent(
                type: given.type, time: given.time, dwell: given.dwell?.pointee ?? .nan,
                numeric: channels(given.numeric, given.numeric_count, "event.numeric"),
                categorical: channels(given.categorical, given.categorical_count, "event.categorical")))
    }
}

/// The name is put together for an error alone: an event is added without an allocation.
private func channels<Value>(
    _ values: UnsafePointer<Value>?, _ total: Int64, _ name: String
) throws -> UnsafeBufferPointer<Value> {
    let total = try count(total, "\(name)_count", in: 0...1024)
    return UnsafeBufferPointer(start: total == 0 ? nil : try required(values, name), count: total)
}

@c @implementation
public func covey_session_get(
    _ engine: OpaquePointer?, _ session: UnsafeRawPointer?, _ size: Int64,
    _ state: UnsafeMutablePointer<covey_session_state>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let engine = try Handle.required(engine, "engine", as: EngineBox.self).engine
        let found = try Session(memory(session, size), engine).state
        var result = covey_session_state()
        result.events = Int64(found.events)
        result.largest_events = Int64(found.largestEvents)
        result.total = Int64(found.total)
        result.unknown = Int64(found.unknown)
        try Versioned.write(result, to: state, "state")
    }
}

@c @implementation
public func covey_session_embed(
    _ engine: OpaquePointer?, _ context: OpaquePointer?, _ session: UnsafeRawPointer?, _ size: Int64,
    _ embedding: UnsafeMutablePointer<Float>?, _ capacity: Int64, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let engine = try Handle.required(engine, "engine", as: EngineBox.self).engine
        let session = try Session(memory(session, size), engine)
        guard let encoder = engine.parts.encoder else { return }
        let target = try output(embedding, "embedding", capacity: capacity, count: encoder.dimension)
        guard let base = target.baseAddress else { return }
        let execution = execution(context)
        try encoder.embed(
            session.sequence(execution), into: base, rowStride: encoder.dimension * 4, attention: nil, execution)
    }
}

@c @implementation
public func covey_session_score(
    _ engine: OpaquePointer?, _ context: OpaquePointer?, _ session: UnsafeRawPointer?, _ size: Int64,
    _ features: UnsafePointer<covey_table>?, _ scores: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    scores?.pointee = nil
    return boundary(error) {
        let scores = try required(scores, "scores")
        let box = try Handle.required(engine, "engine", as: EngineBox.self)
        let execution = execution(context)
        let batch = try Session(memory(session, size), box.engine).sequence(execution)
        let table = try features.map { try featureTable($0, "features", execution) }
        let found = try box.engine.score(batch, table, execution: execution)
        scores.pointee = Handle.retain(ScoresBox(found, box))
    }
}
