/// A column of numbers in somebody's memory, read only: borrowed from a caller for the length of a call, or kept alive by
/// `owner`. Subscripts are not checked against `count` in release builds; who makes one has checked the bounds.
public struct Strided<Element: BitwiseCopyable>: @unchecked Sendable {
    @usableFromInline let base: UnsafeRawPointer
    @usableFromInline let stride: Int
    private let owner: AnyObject?
    public let count: Int

    /// Borrows `count` elements, `stride` bytes apart; 0 = contiguous.
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

    /// `count` elements that `body` writes where they stay; all of them.
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

    /// The elements where they are, if they lie side by side and are aligned.
    public var contiguous: UnsafePointer<Element>? {
        guard stride == MemoryLayout<Element>.stride, Int(bitPattern: base) % MemoryLayout<Element>.alignment == 0 else {
            return nil
        }
        return base.assumingMemoryBound(to: Element.self)
    }

    public var array: [Element] { (0..<count).map { self[$0] } }

    private final class Storage {
        let elements: UnsafeMutableBufferPointer<Element>

        init(capacity: Int) {
            // One spare element: an empty buffer has no address.
            elements = .allocate(capacity: capacity + 1)
        }

        convenience init(_ source: [Element]) {
            self.init(capacity: source.count)
            _ = elements.initialize(from: source)
        }

        deinit { elements.deallocate() }
    }
}
