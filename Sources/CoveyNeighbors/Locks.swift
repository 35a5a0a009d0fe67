import Glibc

/// Many locks, by number.
final class Locks: @unchecked Sendable {
    private let locks: UnsafeMutablePointer<pthread_mutex_t>
    private let count: Int

    init(_ count: Int) {
        self.count = count
        locks = .allocate(capacity: max(1, count))
        for number in 0..<count { pthread_mutex_init(locks + number, nil) }
    }

    deinit {
        for number in 0..<count { pthread_mutex_destroy(locks + number) }
        locks.deallocate()
    }

    @inline(__always)
    func lock(_ number: Int) { pthread_mutex_lock(locks + number) }

    @inline(__always)
    func unlock(_ number: Int) { pthread_mutex_unlock(locks + number) }
}
