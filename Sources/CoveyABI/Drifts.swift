import CCovey
import CoveyEngine
import CoveyFiles
import CoveyRuntime

// Section 11 of covey.h: drift.

@c @implementation
public func covey_drift_create(
    _ engine: OpaquePointer?, _ context: OpaquePointer?, _ drift: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    drift?.pointee = nil
    return boundary(error) {
        let drift = try required(drift, "drift")
        let engine = try Handle.required(engine, "engine", as: EngineBox.self).engine
        drift.pointee = Handle.retain(try Drift(engine, execution: execution(context)))
    }
}

@c @implementation
public func covey_drift_add(
    _ drift: OpaquePointer?, _ context: OpaquePointer?, _ sequences: UnsafePointer<covey_sequences>?,
    _ features: UnsafePointer<covey_table>?, _ scores: OpaquePointer?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let drift = try Handle.required(drift, "drift", as: Drift.self)
        let execution = execution(context)
        try drift.add(
            sequences.map { try sequenceBatch($0, "sequences", execution) },
            features.map { try featureTable($0, "features", execution) },
            scores.map { Handle.object($0, as: ScoresBox.self).scores }, execution: execution)
    }
}

@c @implementation
public func covey_drift_merge(
    _ drift: OpaquePointer?, _ context: OpaquePointer?, _ other: OpaquePointer?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        try Handle.required(drift, "drift", as: Drift.self).merge(
            Handle.required(other, "other", as: Drift.self), execution: execution(context))
    }
}

@c @implementation
public func covey_drift_report(
    _ drift: OpaquePointer?, _ context: OpaquePointer?, _ earlier: OpaquePointer?,
    _ text: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    text?.pointee = nil
    return boundary(error) {
        let drift = try Handle.required(drift, "drift", as: Drift.self)
        let text = try required(text, "text")
        let execution = execution(context)
        let report = try drift.report(since: earlier.map { Handle.object($0, as: Drift.self) }, execution: execution)
        text.pointee = Handle.retain(try OwnedBytes(report, execution))
    }
}

@c @implementation
public func covey_drift_write(
    _ drift: OpaquePointer?, _ context: OpaquePointer?, _ bytes: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    bytes?.pointee = nil
    return boundary(error) {
        let drift = try Handle.required(drift, "drift", as: Drift.self)
        let bytes = try required(bytes, "bytes")
        bytes.pointee = Handle.retain(try drift.bytes(execution(context)))
    }
}

@c @implementation
public func covey_drift_read(
    _ engine: OpaquePointer?, _ context: OpaquePointer?, _ bytes: UnsafeRawPointer?, _ size: Int64,
    _ drift: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    drift?.pointee = nil
    return boundary(error) {
        let drift = try required(drift, "drift")
        let engine = try Handle.required(engine, "engine", as: EngineBox.self).engine
        let size = try count(size, "size", in: 0...Int64(1) << 46)
        let given = UnsafeRawBufferPointer(start: size == 0 ? nil : try required(bytes, "bytes"), count: size)
        drift.pointee = Handle.retain(try Drift(engine, bytes: given, execution: execution(context)))
    }
}

@c @implementation
public func covey_drift_destroy(_ drift: OpaquePointer?) {
    Handle.release(drift, as: Drift.self)
}
