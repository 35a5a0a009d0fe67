import CoveyRuntime
import Glibc

/// Memory for the inner loops, owned by one object, aligned for SIMD. Not checked in subscripts. Counts against the budget of
/// the call that made it as long as it lives.
///
/// What is large has a mapping of its own in huge pages, where the system gives them: it is touched, read at random and, when a
/// call is stopped, given back in a fraction of the time.
public final class AlignedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    public let pointer: UnsafeMutablePointer<Element>
    public let count: Int
    private let memory: MemoryUse
    private let mapping: LargeMapping?

    /// `count` elements that are not initialised; throws `outOfMemory` where there is no memory.
    public init(_ count: Int, for what: @autoclosure () -> String, _ execution: Execution) throws {
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
        memory = execution.memory
    }

    public convenience init(
        _ count: Int, repeating value: Element, for what: @autoclosure () -> String, _ execution: Execution
    ) throws {
        try self.init(count, for: what(), execution)
        let pointer = pointer
        try execution.parallel(count, grain: AlignedBuffer.few) { chunk, _ in
            (pointer + chunk.lowerBound).initialize(repeating: value, count: chunk.count)
        }
    }

    /// Elements that are written at one go.
    private static var few: Int { 1 << 20 }

    deinit {
        if let mapping { mapping.end() } else { free(pointer) }
        memory.release(count * MemoryLayout<Element>.stride)
    }

    @inline(__always)
    public subscript(index: Int) -> Element {
        get { pointer[index] }
        set { pointer[index] = newValue }
    }
}

/// A private mapping that begins on a huge page's boundary.
private struct LargeMapping {
    /// Below that, the allocator serves better.
    static let least = 1 << 23
    private static let page = 1 << 21

    let start: UnsafeMutableRawPointer
    private let size: Int

    /// nil where the system has no memory.
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
        // The whole ones alone, so that no more is taken than was asked for. Where there are none, small pages serve.
        madvise(start, size / page * page, MADV_HUGEPAGE)
    }

    func end() { munmap(start, size) }
}
