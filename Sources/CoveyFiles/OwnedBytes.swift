import CoveyRuntime
import Glibc

/// Bytes that a call makes for its caller, with a NUL behind the last one. If the system has no memory for them, the
/// call fails, while an array of Swift's would end the process.
public final class OwnedBytes: @unchecked Sendable {
    /// Without the NUL.
    public let bytes: UnsafeMutableRawBufferPointer

    /// Makes `count` bytes that are not initialised. Throws `outOfMemory`.
    public init(_ count: Int, for what: @autoclosure () -> String, _ execution: Execution) throws {
        try execution.reserve(count + 1, for: what())
        let memory = try WholeFile.allocate(count + 1, for: what())
        memory[count] = 0
        bytes = UnsafeMutableRawBufferPointer(rebasing: memory[0..<count])
    }

    public convenience init(_ text: String, _ execution: Execution) throws {
        var text = text
        try self.init(text.utf8.count, for: "a text", execution)
        text.withUTF8 { bytes.copyMemory(from: UnsafeRawBufferPointer($0)) }
    }

    deinit { free(bytes.baseAddress) }
}
