import CoveyRuntime
import Glibc

/// Memory for the inner loops, owned by one object, aligned for SIMD. Not checked in subscripts.
final class AlignedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Element>
    let count: Int

    /// `count` elements that are not initialised; throws `outOfMemory` where there is no memory.
    init(_ count: Int, for what: @autoclosure () -> String, _ execution: Execution) throws {
        try execution.reserve(count, of: MemoryLayout<Element>.stride, for: what())
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, 64, max(64, count * MemoryLayout<Element>.stride)) == 0, let memory else {
            throw CoveyError.outOfMemory("\(what()) needs \(count * MemoryLayout<Element>.stride) bytes")
        }
        pointer = memory.bindMemory(to: Element.self, capacity: count)
        self.count = count
    }

    convenience init(
        _ count: Int, repeating value: Element, for what: @autoclosure () -> String, _ execution: Execution
    ) throws {
        try self.init(count, for: what(), execution)
        pointer.initialize(repeating: value, count: count)
    }

    deinit { free(pointer) }

    @inline(__always)
    subscript(index: Int) -> Element {
        get { pointer[index] }
        set { pointer[index] = newValue }
    }
}
