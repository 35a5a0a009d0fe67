import CoveyRuntime
import Glibc

/// Memory for the inner loops, owned by one object, aligned for SIMD. Not checked in subscripts. Counts against the budget of
/// the call that made it as long as it lives.
public final class AlignedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    public let pointer: UnsafeMutablePointer<Element>
    public let count: Int
    private let memory: MemoryUse

    /// `count` elements that are not initialised; throws `outOfMemory` where there is no memory.
    public init(_ count: Int, for what: @autoclosure () -> String, _ execution: Execution) throws {
        try execution.hold(count, of: MemoryLayout<Element>.stride, for: what())
        var address: UnsafeMutableRawPointer?
        guard posix_memalign(&address, 64, max(64, count * MemoryLayout<Element>.stride)) == 0, let address else {
            execution.memory.release(count * MemoryLayout<Element>.stride)
            throw CoveyError.outOfMemory("\(what()) needs \(count * MemoryLayout<Element>.stride) bytes")
        }
        pointer = address.bindMemory(to: Element.self, capacity: count)
        self.count = count
        memory = execution.memory
    }

    public convenience init(
        _ count: Int, repeating value: Element, for what: @autoclosure () -> String, _ execution: Execution
    ) throws {
        try self.init(count, for: what(), execution)
        pointer.initialize(repeating: value, count: count)
    }

    deinit {
        free(pointer)
        memory.release(count * MemoryLayout<Element>.stride)
    }

    @inline(__always)
    public subscript(index: Int) -> Element {
        get { pointer[index] }
        set { pointer[index] = newValue }
    }
}
