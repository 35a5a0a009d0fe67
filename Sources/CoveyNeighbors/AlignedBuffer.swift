import CoveyRuntime
import Glibc

/// Memory for the inner loops, owned by one object and aligned for SIMD. Subscripts are not checked. It counts against
/// the budget of the call that made it until it is freed.
///
/// A large buffer is a mapping of its own, in huge pages if the system gives them. Touching it, reading it at random
/// and freeing it after a cancelled call then take a fraction of the time.
public final class AlignedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    public let pointer: UnsafeMutablePointer<Element>
    public let count: Int
    /// nil if it is not counted.
    private let memory: MemoryUse?
    private let mapping: LargeMapping?

    /// Makes `count` elements that are not initialised. Throws `outOfMemory` if there is no memory.
    /// - Parameter isKept: for scratch memory that later calls use again; it counts while it is made.
    public init(
        _ count: Int, for what: @autoclosure () -> String, isKept: Bool = false, _ execution: Execution
    ) throws {
        try execution.hold(count, of: MemoryLayout<Element>.stride, for: what())
        let size = count * MemoryLayout<Element>.stride
        mapping = size >= LargeMapping.least ? LargeMapping(size) : nil
        var address = mapping?.start
        if size < LargeMapping.least, posix_memalign(&address, 64, max(64, size)) != 0 { address = nil }
        guard let address else {
            execution.memory.release(size)
            throw CoveyError.outOfMemory("\(what()) needs \(size) bytes")
        }
        pointer = address.bindMemory(to: Element.self, capacity: count)
        self.count = count
        memory = isKept ? nil : execution.memory
        if isKept { execution.memory.release(size) }
    }

    public convenience init(
        _ count: Int, repeating value: Element, for what: @autoclosure () -> String, isKept: Bool = false,
        _ execution: Execution
    ) throws {
        try self.init(count, for: what(), isKept: isKept, execution)
        let pointer = pointer
        try execution.parallel(count, grain: AlignedBuffer.few) { chunk, _ in
            (pointer + chunk.lowerBound).initialize(repeating: value, count: chunk.count)
        }
    }

    /// The number of elements that are written between two polls.
    private static var few: Int { 1 << 20 }

    deinit {
        if let mapping { mapping.end() } else { free(pointer) }
        memory?.release(count * MemoryLayout<Element>.stride)
    }

    @inline(__always)
    public subscript(index: Int) -> Element {
        get { pointer[index] }
        set { pointer[index] = newValue }
    }
}

/// A private mapping that begins on a huge page's boundary.
private struct LargeMapping {
    /// For smaller sizes the allocator is faster.
    static let least = 1 << 23
    private static let page = 1 << 21

    let start: UnsafeMutableRawPointer
    private let size: Int

    /// nil if the system has no memory.
    init?(_ size: Int) {
        let page = LargeMapping.page
        let (room, overflow) = size.addingReportingOverflow(2 * page)
        guard !overflow else { return nil }
        self.size = (size + 4095) / 4096 * 4096
        let mapped = mmap(nil, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped, mapped != MAP_FAILED else { return nil }
        let before = (page - Int(bitPattern: mapped) % page) % page
        start = mapped + before
        if before > 0 { munmap(mapped, before) }
        munmap(start + self.size, room - before - self.size)
        // Only whole huge pages, so that the mapping does not take more than was asked for. Small pages serve the rest.
        madvise(start, size / page * page, MADV_HUGEPAGE)
    }

    func end() { munmap(start, size) }
}
