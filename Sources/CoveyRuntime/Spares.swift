import Synchronization

/// Objects that were used and may be used again: scratch memory that is expensive to make. There is no lock, for the
/// reason that `PublishedReference` gives.
public final class Spares<Object: AnyObject & Sendable>: @unchecked Sendable {
    private let slots: UnsafeMutablePointer<Atomic<UnsafeMutableRawPointer?>>
    private static var count: Int { 16 }

    public init() {
        slots = .allocate(capacity: Self.count)
        for slot in 0..<Self.count { (slots + slot).initialize(to: Atomic(nil)) }
    }

    deinit {
        while take() != nil {}
        slots.deinitialize(count: Self.count)
        slots.deallocate()
    }

    /// One of the objects, which nobody else gets; nil if there is none.
    public func take() -> Object? {
        for slot in 0..<Self.count where slots[slot].load(ordering: .relaxed) != nil {
            if let object = slots[slot].exchange(nil, ordering: .acquiringAndReleasing) {
                return Unmanaged<Object>.fromOpaque(object).takeRetainedValue()
            }
        }
        return nil
    }

    /// Keeps an object for the next `take`; drops it if there are enough.
    public func give(_ object: Object) {
        let own = Unmanaged.passRetained(object)
        for slot in 0..<Self.count where slots[slot].load(ordering: .relaxed) == nil {
            let (isKept, _) = slots[slot].compareExchange(
                expected: nil, desired: own.toOpaque(), ordering: .acquiringAndReleasing)
            if isKept { return }
        }
        own.release()
    }
}
