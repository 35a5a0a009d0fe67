import CCoveyKernels
import Glibc
import Synchronization

/// One running call: its context, its cancellation and its progress.
///
/// Every stage takes an execution and uses it often. It calls `check` or `report` between units of work of at most a
/// few milliseconds, `parallel` to divide work among threads that end with the call, and `hold` or `reserve` before a
/// large allocation.
public final class Execution: Sendable {
    public let context: Context
    // These change in `restart` alone.
    nonisolated(unsafe) private var generation: UInt64
    nonisolated(unsafe) private var caller: UInt
    /// When the call must end, on the monotonic clock in nanoseconds; 0 = never.
    nonisolated(unsafe) private var deadline: UInt64
    private let stopped = Atomic<Bool>(false)
    private let lastReport = Atomic<UInt64>(0)
    /// The last progress that was reported. Only the calling thread uses these two.
    nonisolated(unsafe) private var stage: StaticString = "start"
    nonisolated(unsafe) private var fraction = 0.0
    /// Stages within a stage do not report their own progress.
    nonisolated(unsafe) private var isQuiet = false
    /// The bytes of the memory budget that the call uses. An object whose memory outlives the call keeps a reference to
    /// it. It changes in `restart` alone.
    nonisolated(unsafe) public private(set) var memory: MemoryUse

    /// - Parameter seconds: after them the call is cancelled; nil = never.
    public init(_ context: Context = .standard, seconds: Double? = nil) {
        ck_instructions_begin()
        deadline = Execution.deadline(seconds)
        self.context = context
        generation = context.cancellations.load(ordering: .sequentiallyConsistent)
        caller = UInt(pthread_self())
        // Where the host limits the address space, memory that is refused would end the process: it is not asked for.
        memory = MemoryUse(budget: min(context.memoryBudget, SystemMemory.addressSpaceLeft ?? .max))
    }

    /// Begins another call with the same context, without an allocation. Nothing of the call before may still run. What
    /// still holds memory of that call releases it there: the count begins anew, which takes one allocation.
    public func restart(seconds: Double? = nil) {
        ck_instructions_begin()
        deadline = Execution.deadline(seconds)
        generation = context.cancellations.load(ordering: .sequentiallyConsistent)
        caller = UInt(pthread_self())
        stopped.store(false, ordering: .relaxed)
        (stage, fraction, isQuiet) = ("start", 0, false)
        if isKnownUniquelyReferenced(&memory) {
            memory.release(memory.bytes)
        } else {
            memory = MemoryUse(budget: memory.budget)
        }
    }

    private static func deadline(_ seconds: Double?) -> UInt64 {
        seconds.map { monotonicNanoseconds &+ UInt64(min(1e9, max(0, $0)) * 1e9) } ?? 0
    }

    public var threads: Int { context.threads }

    public var isCancelled: Bool {
        stopped.load(ordering: .relaxed) || context.cancellations.load(ordering: .relaxed) != generation
    }

    /// Throws `cancelled` if the call was cancelled. Any thread of the call may use it. Cost: two loads.
    @inline(__always)
    public func check() throws {
        if isCancelled { throw CoveyError.cancelled }
        if deadline != 0, Execution.monotonicNanoseconds >= deadline {
            throw CoveyError(.cancelled, "the call was not done by its deadline")
        }
    }

    /// Calls `body` for each index of a range, and does `report` before each `interval` of them.
    @inlinable
    @inline(__always)
    public func forEach(_ range: Range<Int>, every interval: Int = 1 << 16, _ body: (Int) throws -> Void) throws {
        var first = range.lowerBound
        while first < range.upperBound {
            try report()
            let end = range.upperBound - first > interval ? first + interval : range.upperBound
            for index in first..<end { try body(index) }
            first = end
        }
    }

    /// Does `check`. On the calling thread it also reports progress to the host, at most every 20 ms.
    public func report(_ stage: StaticString, _ fraction: Double) throws {
        try check()
        guard let progress = context.progress, UInt(pthread_self()) == caller else { return }
        if isQuiet {
            try tell(progress, always: false)
            return
        }
        self.stage = stage
        self.fraction = min(1, max(0, fraction))
        try tell(progress, always: fraction >= 1)
    }

    /// Reports the last progress again, for work that has no stage of its own. So the host can cancel this work too.
    public func report() throws {
        try check()
        guard let progress = context.progress, UInt(pthread_self()) == caller else { return }
        try tell(progress, always: false)
    }

    /// Runs stages as a part of the current one: the host gets the current stage and fraction again, and no end of a
    /// stage that ends a thousand times. Only the calling thread may use it.
    public func quietly<Result>(_ body: () throws -> Result) rethrows -> Result {
        let before = isQuiet
        isQuiet = true
        defer { isQuiet = before }
        return try body()
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
    /// `outOfMemory`, with the bytes, if it does not fit in the rest of the budget.
    public func hold(_ bytes: Int, for what: @autoclosure () -> String) throws {
        try memory.hold(bytes, for: what())
    }

    /// Does `hold` for `count` values of `stride` bytes each, and checks for overflow.
    public func hold(_ count: Int, of stride: Int, for what: @autoclosure () -> String) throws {
        try hold(checkedProduct(count, stride, what()), for: what())
    }

    /// Does `hold` and releases the memory at once. Use it for a working set that is freed before the next one is
    /// allocated.
    public func reserve(_ bytes: Int, for what: @autoclosure () -> String) throws {
        try memory.hold(bytes, for: what())
        memory.release(bytes)
    }

    /// Does `reserve` for `count` values of `stride` bytes each, and checks for overflow.
    public func reserve(_ count: Int, of stride: Int, for what: @autoclosure () -> String) throws {
        try reserve(checkedProduct(count, stride, what()), for: what())
    }

    /// Runs a part of a call that leaves little behind, and counts what it held as free after it. Not in `parallel`.
    public func temporarily<Result>(_ body: () throws -> Result) rethrows -> Result {
        let before = memory.bytes
        defer { memory.release(max(0, memory.bytes - before)) }
        return try body()
    }

    /// Sorts, and does `report` between the comparisons.
    public func sort<Element>(
        _ elements: inout [Element], by isBefore: (Element, Element) -> Bool
    ) throws {
        try reserve(elements.count, of: MemoryLayout<Element>.stride, for: "sorting")
        var comparisons = 0
        try elements.sort { left, right in
            comparisons &+= 1
            if comparisons & 0xFFFF == 0 { try report() }
            return isBefore(left, right)
        }
    }

    /// The results of `body` for each index, which count against the budget until the call ends.
    public func map<Element>(
        _ count: Int, for what: @autoclosure () -> String, _ body: (Int) throws -> Element
    ) throws -> [Element] {
        try hold(count, of: MemoryLayout<Element>.stride, for: what())
        var result: [Element] = []
        result.reserveCapacity(count)
        try forEach(0..<count, every: 4096) { result.append(try body($0)) }
        return result
    }

    static var monotonicNanoseconds: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}
