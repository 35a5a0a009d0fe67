import CCovey
import CoveyFiles

// Texts and bytes that Covey makes for a caller, section 1 of covey.h. A handle is OwnedBytes.

@c @implementation
public func covey_buffer_data(_ buffer: OpaquePointer?) -> UnsafePointer<CChar>! {
    guard let buffer else { return nil }
    let bytes = Handle.object(buffer, as: OwnedBytes.self).bytes
    return bytes.baseAddress.map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }
}

@c @implementation
public func covey_buffer_size(_ buffer: OpaquePointer?) -> Int64 {
    guard let buffer else { return 0 }
    return Int64(Handle.object(buffer, as: OwnedBytes.self).bytes.count)
}

@c @implementation
public func covey_buffer_destroy(_ buffer: OpaquePointer?) {
    Handle.release(buffer, as: OwnedBytes.self)
}
