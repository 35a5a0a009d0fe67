import CCovey
import CoveyEngine
import CoveyFiles
import CoveyRuntime

// Section 11 of covey.h: what an engine tells of itself.

@c @implementation
public func covey_engine_schema(
    _ engine: OpaquePointer?, _ context: OpaquePointer?, _ text: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    text?.pointee = nil
    return boundary(error) {
        let engine = try Handle.required(engine, "engine", as: EngineBox.self).engine
        let text = try required(text, "text")
        let execution = execution(context)
        text.pointee = Handle.retain(try OwnedBytes(engine.schema(execution), execution))
    }
}

@c @implementation
public func covey_engine_hash(
    _ engine: OpaquePointer?, _ context: OpaquePointer?, _ text: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    text?.pointee = nil
    return boundary(error) {
        let engine = try Handle.required(engine, "engine", as: EngineBox.self).engine
        let text = try required(text, "text")
        let execution = execution(context)
        text.pointee = Handle.retain(try OwnedBytes(engine.hash(execution), execution))
    }
}

@c @implementation
public func covey_engine_write(
    _ engine: OpaquePointer?, _ context: OpaquePointer?, _ bytes: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    bytes?.pointee = nil
    return boundary(error) {
        let engine = try Handle.required(engine, "engine", as: EngineBox.self).engine
        let bytes = try required(bytes, "bytes")
        bytes.pointee = Handle.retain(try engine.bytes(execution(context)))
    }
}

@c @implementation
public func covey_engine_read(
    _ context: OpaquePointer?, _ bytes: UnsafeRawPointer?, _ size: Int64,
    _ engine: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    engine?.pointee = nil
    return boundary(error) {
        let engine = try required(engine, "engine")
        let size = try count(size, "size", in: 0...Int64(1) << 46)
        let given = UnsafeRawBufferPointer(start: try required(bytes, "bytes"), count: size)
        engine.pointee = Handle.retain(EngineBox(try Engine(bytes: given, execution: execution(context))))
    }
}

@c @implementation
public func covey_engine_rerate(
    _ engine: OpaquePointer?, _ context: OpaquePointer?, _ fraud: UnsafePointer<Int8>?,
    _ amounts: UnsafePointer<Double>?,
    _ times: UnsafePointer<Double>?, _ rows: Int64, _ options: UnsafePointer<covey_risk_options>?,
    _ rated: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    rated?.pointee = nil
    return boundary(error) {
        let engine = try Handle.required(engine, "engine", as: EngineBox.self).engine
        let rated = try required(rated, "rated")
        let rows = try count(rows, "rows", in: 0...largestRows)
        let result = try engine.rerated(
            fraud: strided(fraud, "fraud", count: rows),
            amounts: amounts.map { try strided($0, "amounts", count: rows) },
            times: times.map { try strided($0, "times", count: rows) }, options: options.map { try riskOptions($0) },
            execution: execution(context))
        rated.pointee = Handle.retain(EngineBox(result))
    }
}

@c @implementation
public func covey_engine_rows(_ engine: OpaquePointer?) -> Int64 {
    guard let engine else { return 0 }
    return Int64(Handle.object(engine, as: EngineBox.self).engine.parts.clustering.labels.count)
}

@c @implementation
public func covey_engine_profile(
    _ engine: OpaquePointer?, _ context: OpaquePointer?, _ cluster: Int64,
    _ text: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    text?.pointee = nil
    return boundary(error) {
        let engine = try Handle.required(engine, "engine", as: EngineBox.self).engine
        let text = try required(text, "text")
        let execution = execution(context)
        text.pointee = Handle.retain(
            try OwnedBytes(engine.profile(Int(cluster), execution: execution), execution))
    }
}
