/// A read-only column of numbers. Its memory is borrowed from a caller for the duration of a call, or kept by `owner`.
/// In release builds a subscript is not checked against `count`: the code that creates the column checks the bounds.
public struct Strided<Element: BitwiseCopyable>: @unchecked Sendable {
    @usableFromInline let base: UnsafeRawPointer
    @usableFromInline let stride: Int
    private let owner: AnyObject?
    public let count: Int

    /// Borrows `count` elements. `stride` is the number of bytes from one to the next; 0 means contiguous.
    public init(borrowing base: UnsafeRawPointer, count: Int, stride: Int = 0) {
        self.base = base
        self.stride = stride == 0 ? MemoryLayout<Element>.stride : stride
        self.count = count
        owner = nil
    }

    /// Keeps a copy of the elements.
    public init(_ elements: [Element]) {
        let storage = Storage(elements)
        base = UnsafeRawPointer(storage.elements.baseAddress!)
        stride = MemoryLayout<Element>.stride
        count = elements.count
        owner = storage
    }

    /// Creates a column of `count` elements. `body` must write all of them.
    public init(
        count: Int, writing body: (UnsafeMutableBufferPointer<Element>) throws -> Void
    ) rethrows {
        let storage = Storage(capacity: count)
        try body(UnsafeMutableBufferPointer(rebasing: storage.elements[..<count]))
        base = UnsafeRawPointer(storage.elements.baseAddress!)
        stride = MemoryLayout<Element>.stride
        self.count = count
        owner = storage
    }

    @inlinable @inline(__always)
    public subscript(index: Int) -> Element {
        assert(index >= 0 && index < count)
        return base.loadUnaligned(fromByteOffset: index &* stride, as: Element.self)
    }

    /// The address of the elements, if they are contiguous and aligned.
    public var contiguous: UnsafePointer<Element>? {
        guard stride == MemoryLayout<Element>.stride, Int(bitPattern: base) % MemoryLayout<Element>.alignment == 0
        else {
            return nil
        }
        return base.assumingMemoryBound(to: Element.self)
    }

    /// Some of the elements, which share the memory.
    public func part(_ range: Range<Int>) -> Strided {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return Strided(base + range.lowerBound &* stride, range.count, stride, owner)
    }

    private init(_ base: UnsafeRawPointer, _ count: Int, _ stride: Int, _ owner: AnyObject?) {
        self.base = base
        self.count = count
        self.stride = stride
        self.owner = owner
    }

    public var array: [Element] { (0..<count).map { self[$0] } }

    private final class Storage {
        let elements: UnsafeMutableBufferPointer<Element>

        init(capacity: Int) {
            // One element more, because an empty buffer has no address.
            elements = .allocate(capacity: capacity + 1)
        }

        convenience init(_ source: [Element]) {
            self.init(capacity: source.count)
            _ = elements.initialize(from: source)
        }

        deinit { elements.deallocate() }
    }
}
