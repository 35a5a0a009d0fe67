import CoveyRuntime
import Glibc

/// Floats at an address that stays, aligned to a cache line, zero at first.
final class FloatBlock: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Float>

    /// - Parameter execution: of a call that may be stopped while a large block is cleared.
    init(_ count: Int, for what: @autoclosure () -> String, _ execution: Execution? = nil) throws {
        pointer = try alignedMemory(count, of: Float.self, for: what()).baseAddress!
        let grain = 1 << 20
        for start in stride(from: 0, to: count, by: grain) {
            try execution?.report()
            (pointer + start).initialize(repeating: 0, count: min(grain, count - start))
        }
    }

    deinit { free(pointer) }
}

/// Memory for `count` values, aligned to a cache line, that the caller frees with `free`.
///
/// Much memory comes in large pages, where the system has them: a cancelled call that gives gigabytes back in small ones takes
/// tenths of a second for it.
func alignedMemory<Element: BitwiseCopyable>(
    _ count: Int, of type: Element.Type, for what: @autoclosure () -> String
) throws -> UnsafeMutableBufferPointer<Element> {
    let bytes = try checkedProduct(max(1, count), MemoryLayout<Element>.stride, what())
    var memory: UnsafeMutableRawPointer?
    let largePage = 2 << 20
    let isLarge = bytes >= 4 * largePage
    guard posix_memalign(&memory, isLarge ? largePage : 64, bytes) == 0, let memory else {
        throw CoveyError.outOfMemory("\(what()) needs \(bytes) bytes, which the system does not give")
    }
    if isLarge { madvise(memory, bytes, MADV_HUGEPAGE) }
    return UnsafeMutableBufferPointer(start: memory.assumingMemoryBound(to: type), count: count)
}
