import CoveyRuntime
import Glibc

/// Floats at an address that stays, aligned to a cache line, zero at first.
final class FloatBlock: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Float>

    init(_ count: Int, for what: @autoclosure () -> String) throws {
        pointer = try alignedMemory(count, of: Float.self, for: what()).baseAddress!
        pointer.initialize(repeating: 0, count: count)
    }

    deinit { free(pointer) }
}

/// Memory for `count` values, aligned to a cache line, that the caller frees with `free`.
func alignedMemory<Element: BitwiseCopyable>(
    _ count: Int, of type: Element.Type, for what: @autoclosure () -> String
) throws -> UnsafeMutableBufferPointer<Element> {
    let bytes = try checkedProduct(max(1, count), MemoryLayout<Element>.stride, what())
    var memory: UnsafeMutableRawPointer?
    guard posix_memalign(&memory, 64, bytes) == 0, let memory else {
        throw CoveyError.outOfMemory("\(what()) needs \(bytes) bytes, which the system does not give")
    }
    return UnsafeMutableBufferPointer(start: memory.assumingMemoryBound(to: type), count: count)
}
