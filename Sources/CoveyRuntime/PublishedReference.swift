import Synchronization

/// An object that is created at its first use and then read by any thread. There is no lock: if the host forked while a
/// thread held it, the child process would wait forever. It works like `AtomicLazyReference`, but it is compiled here,
/// so that ThreadSanitizer sees the memory ordering.
public struct PublishedReference<Object: AnyObject & Sendable>: ~Copyable, @unchecked Sendable {
    private let address = Atomic<UnsafeMutableRawPointer?>(nil)

    public init() {}

    deinit {
        if let object = address.load(ordering: .acquiring) { Unmanaged<Object>.fromOpaque(object).release() }
    }

    public func load() -> Object? {
        address.load(ordering: .acquiring).map { Unmanaged<Object>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Publishes `made`, if no other thread has published an object before.
    /// - Returns: the published object.
    public func storeIfNil(_ made: Object) -> Object {
        let own = Unmanaged.passRetained(made)
        let (_, first) = address.compareExchange(
            expected: nil, desired: own.toOpaque(), ordering: .acquiringAndReleasing)
        guard let first else { return made }
        own.release()
        return Unmanaged<Object>.fromOpaque(first).takeUnretainedValue()
    }
}

/// As many objects, each made when it is first asked for.
public final class Published<Object: AnyObject & Sendable>: @unchecked Sendable {
    private let references: UnsafeMutablePointer<PublishedReference<Object>>
    private let count: Int

    public init(count: Int) {
        self.count = count
        references = .allocate(capacity: count)
        for index in 0..<count { (references + index).initialize(to: PublishedReference()) }
    }

    deinit {
        references.deinitialize(count: count)
        references.deallocate()
    }

    /// - Parameter index: 0 to count - 1.
    public func object(_ index: Int, _ make: () -> Object) -> Object {
        references[index].load() ?? references[index].storeIfNil(make())
    }
}
