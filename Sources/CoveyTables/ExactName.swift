import Glibc

/// A name that is compared by its bytes. Swift compares strings by canonical equivalence, which would merge names that
/// a caller keeps apart.
public struct ExactName: Hashable, Sendable {
    public let text: String

    public init(_ text: String) {
        self.text = text
    }

    public static func == (left: ExactName, right: ExactName) -> Bool {
        var (left, right) = (left.text, right.text)
        return left.utf8.count == right.utf8.count
            && left.withUTF8 { left in
                right.withUTF8 { left.isEmpty || memcmp(left.baseAddress!, $0.baseAddress!, left.count) == 0 }
            }
    }

    public func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)
    }
}
