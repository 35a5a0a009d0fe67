import Synchronization

/// An object that is made when it is first asked for and then read by any thread. There is no lock: one that is held while the host
/// forks would stop the child for ever. As `AtomicLazyReference`, but compiled here, where ThreadSanitizer sees the ordering.
public struct PublishedReference<Object: AnyObject & Sendable>: ~Copyable, @unchecked Sendable {
    private let address = Atomic<UnsafeMutableRawPointer?>(nil)

    public init() {}

    deinit {
        if let object = address.load(ordering: .acquiring) { Unmanaged<Object>.fromOpaque(object).release() }
    }

    public func load() -> Object? {
        address.load(ordering: .acquiring).map { Unmanaged<Object>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Publishes `made`, unless another thread was first.
    /// - Returns: The object that is published.
    public func storeIfNil(_ made: Object) -> Object {
        let own = Unmanaged.passRetained(made)
        let (_, first) = address.compareExchange(
            expected: nil, desired: own.toOpaque(), ordering: .acquiringAndReleasing)
        guard let first else { return made }
        own.release()
        return Unmanaged<Object>.fromOpaque(first).takeUnretainedValue()
    }
}
