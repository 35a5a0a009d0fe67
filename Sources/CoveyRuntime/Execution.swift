import Glibc
import Synchronization

/// One running call: the context it was made with, and its view of cancel and progress.
///
/// Every stage takes one and asks it often: `check` between units of work of at most a few milliseconds, `parallel` to
/// spread work over threads that end with the call, `hold` or `reserve` before a large allocation.
public final class Execution: Sendable {
    public let context: Context
    private let generation: UInt64
    private let stopped = Atomic<Bool>(false)
    private let lastReport = Atomic<UInt64>(0)
    private let caller: UInt
    /// What was reported last; touched by the calling thread alone.
    nonisolated(unsafe) private var stage: StaticString = "start"
    nonisolated(unsafe) private var fraction = 0.0
    /// What the call holds of the memory budget; outlives it where memory does.
    public let memory: MemoryUse

    public init(_ context: Context = .standard) {
        self.context = context
        generation = context.cancellations.load(ordering: .sequentiallyConsistent)
        caller = UInt(pthread_self())
        memory = MemoryUse(budget: context.memoryBudget)
    }

    public var threads: Int { context.threads }

    public var isCancelled: Bool {
        stopped.load(ordering: .relaxed) || context.cancellations.load(ordering: .relaxed) != generation
    }

    /// Throws `cancelled` once the call was stopped. From any thread of the call; costs two loads.
    @inline(__always)
    public func check() throws {
        if isCancelled { throw CoveyError.cancelled }
    }

    /// `check`, and on the calling thread the host's progress callback, at most every 20 ms.
    public func report(_ stage: StaticString, _ fraction: Double) throws {
        try check()
        guard let progress = context.progress, UInt(pthread_self()) == caller else { return }
        self.stage = stage
        self.fraction = min(1, max(0, fraction))
        try tell(progress, always: fraction >= 1)
    }

    /// `report` of what was reported last, for work that has no stage of its own: the host can stop it too.
    public func report() throws {
        try check()
        guard let progress = context.progress, UInt(pthread_self()) == caller else { return }
        try tell(progress, always: false)
    }

    private func tell(_ progress: Context.Progress, always: Bool) throws {
        let now = Execution.monotonicNanoseconds
        guard always || now &- lastReport.load(ordering: .relaxed) >= 20_000_000 else { return }
        lastReport.store(now, ordering: .relaxed)
        if progress(stage, fraction) {
            stopped.store(true, ordering: .relaxed)
            throw CoveyError.cancelled
        }
    }

    /// Counts memory against the budget before it is allocated, until the call ends or until `memory.release`. Throws
    /// `outOfMemory`, with the bytes, where it does not fit beside what the call holds already.
    public func hold(_ bytes: Int, for what: @autoclosure () -> String) throws {
        try memory.hold(bytes, for: what())
    }

    /// `hold` for `count` values of `stride` bytes each, checked for overflow.
    public func hold(_ count: Int, of stride: Int, for what: @autoclosure () -> String) throws {
        try hold(checkedProduct(count, stride, what()), for: what())
    }

    /// As `hold`, for a working set that is gone before the next is asked for: it is not counted further.
    public func reserve(_ bytes: Int, for what: @autoclosure () -> String) throws {
        try memory.hold(bytes, for: what())
        memory.release(bytes)
    }

    /// `reserve` for `count` values of `stride` bytes each, checked for overflow.
    public func reserve(_ count: Int, of stride: Int, for what: @autoclosure () -> String) throws {
        try reserve(checkedProduct(count, stride, what()), for: what())
    }

    static var monotonicNanoseconds: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}
