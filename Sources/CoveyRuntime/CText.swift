/// A string where C can read it, for as long as the object lives.
public final class CText: @unchecked Sendable {
    public let pointer: UnsafePointer<CChar>

    public init(_ text: String) {
        // C ends a string at the first NUL; what is behind one would be lost silently.
        let bytes = text.utf8.map { $0 == 0 ? UInt8(ascii: "?") : $0 }
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
        for (index, byte) in bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
        copy[bytes.count] = 0
        pointer = UnsafePointer(copy)
    }

    deinit { pointer.deallocate() }

    /// A literal, which lives for ever.
    public static func constant(_ text: StaticString) -> UnsafePointer<CChar> {
        UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
