import CCovey
import CoveyFiles
import CoveyRuntime

/// A file in memory as the caller holds it.
final class BytesBox: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ file: SafeTensorsWriter, _ execution: Execution) throws {
        let written = try file.bytes(execution)
        bytes = .allocate(byteCount: written.count, alignment: 16)
        bytes.copyBytes(from: written)
    }

    deinit { bytes.deallocate() }

    /// The caller's bytes of a file.
    static func file(_ bytes: UnsafeRawPointer?, _ length: Int64, _ execution: Execution) throws -> SafeTensors {
        let length = try count(length, "length", in: 0...Int64(Int.max))
        let start = length == 0 ? nil : try required(bytes, "bytes")
        return try SafeTensors(bytes: UnsafeRawBufferPointer(start: start, count: length), origin: "bytes", execution)
    }
}

@c @implementation
public func covey_bytes_data(_ bytes: OpaquePointer?) -> UnsafeRawPointer! {
    guard let bytes else { return nil }
    return UnsafeRawPointer(Handle.object(bytes, as: BytesBox.self).bytes.baseAddress)
}

@c @implementation
public func covey_bytes_size(_ bytes: OpaquePointer?) -> Int64 {
    guard let bytes else { return 0 }
    return Int64(Handle.object(bytes, as: BytesBox.self).bytes.count)
}

@c @implementation
public func covey_bytes_destroy(_ bytes: OpaquePointer?) {
    Handle.release(bytes, as: BytesBox.self)
}
