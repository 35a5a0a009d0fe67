import CoveyRuntime
import Glibc

/// An array of floats, aligned to a cache line and cleared to zero. Its address never changes.
final class FloatBlock: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Float>
    let count: Int

    /// - Parameter execution: the call can be cancelled while a large block is cleared.
    init(_ count: Int, for what: @autoclosure () -> String, _ execution: Execution? = nil) throws {
        pointer = try alignedMemory(count, of: Float.self, for: what()).baseAddress!
        self.count = count
        if let execution { try execution.clear(pointer, count) } else { pointer.initialize(repeating: 0, count: count) }
    }

    deinit { free(pointer) }
}

extension Execution {
    /// Sets numbers to zero in parts. Between the parts the call reports progress and can be cancelled, because memory
    /// that is used for the first time is slow.
    func clear(_ first: UnsafeMutablePointer<Float>, _ count: Int) throws {
        let grain = 1 << 20
        for start in stride(from: 0, to: count, by: grain) {
            try report()
            (first + start).initialize(repeating: 0, count: min(grain, count - start))
        }
    }
}

/// Allocates memory for `count` values, aligned to a cache line. The caller frees it with `free`.
///
/// A large block uses large pages, if the system has them. A cancelled call that frees gigabytes in small pages takes
/// tenths of a second to do so.
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

/// Returns an array of zeros. It is cleared in parts, between which the call can be cancelled.
func largeArray(_ count: Int, _ execution: Execution) throws -> [Float] {
    // The storage of empty arrays is shared.
    if count == 0 { return [] }
    return try [Float](unsafeUninitializedCapacity: count) { room, filled in
        guard let first = room.baseAddress else { return }
        let largePage = 2 << 20
        let start = (UInt(bitPattern: first) + UInt(largePage) - 1) / UInt(largePage) * UInt(largePage)
        let end = UInt(bitPattern: first + count) / UInt(largePage) * UInt(largePage)
        if end > start { madvise(UnsafeMutableRawPointer(bitPattern: start), Int(end - start), MADV_HUGEPAGE) }
        try execution.clear(first, count)
        filled = count
    }
}
