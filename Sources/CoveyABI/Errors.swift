import CCovey
import CoveyRuntime

// Sections 1 and 2 of covey.h: version, status and errors.

/// An error as the caller holds it: the message stays where C can read it.
final class ErrorBox: Sendable {
    let code: StatusCode
    let message: CText

    init(_ error: CoveyError) {
        code = error.code
        // Names and paths in it come from outside.
        message = CText(PlainText.escaped(error.message))
    }
}

@c @implementation
public func covey_version() -> UnsafePointer<CChar>! {
    CText.constant(version)
}

@c @implementation
public func covey_version_number() -> Int32 {
    COVEY_VERSION_MAJOR * 10_000 + COVEY_VERSION_MINOR * 100 + COVEY_VERSION_PATCH
}

private let version: StaticString = "1.0.0"

@c @implementation
public func covey_status_name(_ status: covey_status) -> UnsafePointer<CChar>! {
    let name: StaticString =
        switch StatusCode(rawValue: status) {
        case .ok: "COVEY_OK"
        case .invalidArgument: "COVEY_INVALID_ARGUMENT"
        case .invalidData: "COVEY_INVALID_DATA"
        case .mismatch: "COVEY_MISMATCH"
        case .outOfMemory: "COVEY_OUT_OF_MEMORY"
        case .cancelled: "COVEY_CANCELLED"
        case .io: "COVEY_IO"
        case .corruptFile: "COVEY_CORRUPT_FILE"
        case .unsupported: "COVEY_UNSUPPORTED"
        case .bufferTooSmall: "COVEY_BUFFER_TOO_SMALL"
        case .internalError: "COVEY_INTERNAL"
        case nil: "COVEY_UNKNOWN"
        }
    return CText.constant(name)
}

@c @implementation
public func covey_error_code(_ error: OpaquePointer?) -> covey_status {
    guard let error else { return StatusCode.ok.rawValue }
    return Handle.object(error, as: ErrorBox.self).code.rawValue
}

@c @implementation
public func covey_error_message(_ error: OpaquePointer?) -> UnsafePointer<CChar>! {
    guard let error else { return CText.constant("") }
    return Handle.object(error, as: ErrorBox.self).message.pointer
}

@c @implementation
public func covey_error_destroy(_ error: OpaquePointer?) {
    Handle.release(error, as: ErrorBox.self)
}
