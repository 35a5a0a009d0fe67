import CCovey
import CoveyFiles
import CoveyRuntime

// A file in memory as the caller holds it. A handle is OwnedBytes.

extension SafeTensors {
    /// The caller's bytes of a file.
    init(_ bytes: UnsafeRawPointer?, _ length: Int64, _ execution: Execution) throws {
        let length = try count(length, "length", in: 0...Int64(Int.max))
        let start = length == 0 ? nil : try required(bytes, "bytes")
        try self.init(bytes: UnsafeRawBufferPointer(start: start, count: length), origin: "bytes", execution)
    }
}

@c @implementation
public func covey_bytes_data(_ bytes: OpaquePointer?) -> UnsafeRawPointer! {
    guard let bytes else { return nil }
    return UnsafeRawPointer(Handle.object(bytes, as: OwnedBytes.self).bytes.baseAddress)
}

@c @implementation
public func covey_bytes_size(_ bytes: OpaquePointer?) -> Int64 {
    guard let bytes else { return 0 }
    return Int64(Handle.object(bytes, as: OwnedBytes.self).bytes.count)
}

@c @implementation
public func covey_bytes_destroy(_ bytes: OpaquePointer?) {
    Handle.release(bytes, as: OwnedBytes.self)
}
