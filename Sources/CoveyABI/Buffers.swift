import CCovey

// Texts and bytes that Covey makes for a caller, section 1 of covey.h.

/// The object behind a `covey_buffer`. A NUL follows the last byte.
final class BufferBox: @unchecked Sendable {
    let bytes: UnsafeBufferPointer<UInt8>

    convenience init(_ text: String) {
        var text = text
        self.init(count: text.utf8.count) { target in
            text.withUTF8 { _ = target.initialize(from: $0) }
        }
    }

    /// - Parameter fill: writes all bytes.
    init(count: Int, _ fill: (UnsafeMutableBufferPointer<UInt8>) throws -> Void) rethrows {
        let storage = UnsafeMutablePointer<UInt8>.allocate(capacity: count + 1)
        storage[count] = 0
        bytes = UnsafeBufferPointer(start: storage, count: count)
        // Where it throws, deinit gives the memory back.
        try fill(UnsafeMutableBufferPointer(start: storage, count: count))
    }

    deinit { bytes.baseAddress?.deallocate() }
}

@c @implementation
public func covey_buffer_data(_ buffer: OpaquePointer?) -> UnsafePointer<CChar>! {
    guard let buffer else { return nil }
    let bytes = Handle.object(buffer, as: BufferBox.self).bytes
    return bytes.baseAddress.map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }
}

@c @implementation
public func covey_buffer_size(_ buffer: OpaquePointer?) -> Int64 {
    guard let buffer else { return 0 }
    return Int64(Handle.object(buffer, as: BufferBox.self).bytes.count)
}

@c @implementation
public func covey_buffer_destroy(_ buffer: OpaquePointer?) {
    Handle.release(buffer, as: BufferBox.self)
}
