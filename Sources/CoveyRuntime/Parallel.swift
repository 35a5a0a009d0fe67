import Glibc
import Synchronization

extension Execution {
    /// Runs `body` over 0..<count in chunks of `grain` indices, on the calling thread and on threads that end with this
    /// call. Each thread takes the next chunk in ascending order. Before every chunk it checks for cancellation; the
    /// calling thread also reports progress. After an error no new chunk is started. When all threads have ended, the
    /// error of the lowest chunk is thrown. All chunks below it have run, so it is the same error for any number of
    /// threads.
    ///
    /// `body` gets the chunk and the number of its thread, below `threads`, as an index of scratch memory. Several
    /// threads run it at once: the memory that it writes must not overlap between chunks.
    public func parallel(
        _ count: Int, grain: Int = 1, stage: StaticString = "",
        _ body: (_ chunk: Range<Int>, _ thread: Int) throws -> Void
    ) throws {
        guard count > 0 else { return }
        let chunks = (count - 1) / grain + 1
        // This comes before the other threads start, because they may take all chunks. So every stage reports progress
        // and can be cancelled.
        if stage.utf8CodeUnitCount > 0 { try report(stage, 0) } else { try report() }
        if min(threads, chunks) == 1 {
            for chunk in 0..<chunks {
                if stage.utf8CodeUnitCount > 0 {
                    try report(stage, Double(chunk) / Double(chunks))
                } else {
                    try report()
                }
                let start = chunk * grain
                try body(start..<min(count, start + grain), 0)
            }
            return
        }
        try withoutActuallyEscaping(body) { body in
            let job = Job(execution: self, count: count, grain: grain, chunks: chunks, stage: stage, body: body)
            let helpers = Helpers(job: job, count: min(threads, chunks) - 1)
            job.work(thread: 0)
            helpers.join(job)
            if let failure = job.failure.withLock({ $0 }) { throw failure.error }
        }
    }

    /// Returns an array of `count` elements, computed by `element` from their indices, on all threads. Large memory is
    /// touched in parts for the first time; between the parts the call can be cancelled.
    @inlinable
    public func array<Element: BitwiseCopyable>(_ count: Int, _ element: (Int) -> Element) throws -> [Element] {
        // All empty arrays share their storage, and to set its count would be a race with their readers.
        if count == 0 { return [] }
        return try [Element](unsafeUninitializedCapacity: count) { room, filled in
            guard let first = room.baseAddress else { return }
            try parallel(count, grain: 65_536) { chunk, _ in
                for place in chunk { (first + place).initialize(to: element(place)) }
            }
            filled = count
        }
    }

    /// Runs work that can neither be divided nor cancelled. If the call may use another thread, that thread does the
    /// work, and the calling thread reports progress meanwhile.
    /// - Throws: `cancelled` if the work was not begun.
    package func aside(_ body: () -> Void) throws {
        try check()
        guard threads > 1, context.progress != nil else { return body() }
        try withoutActuallyEscaping(body) { body in
            var isDone = false
            let job = Job(execution: self, count: 1, grain: 1, chunks: 1, stage: "") { _, _ in
                body()
                isDone = true
            }
            let helpers = Helpers(job: job, count: 1)
            if helpers.isEmpty { return body() }
            helpers.join(job)
            if !isDone, let failure = job.failure.withLock({ $0 }) { throw failure.error }
        }
    }

    /// For C code that asks whether to go on. `stop` is called with `state` and returns 0 to go on.
    public func withStop<Result>(
        _ body: (_ stop: @convention(c) (UnsafeRawPointer?) -> Int32, _ state: UnsafeRawPointer) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(self) {
            try body(
                { state in
                    let execution = Unmanaged<Execution>.fromOpaque(state!).takeUnretainedValue()
                    return (try? execution.report()) == nil ? 1 : 0
                }, Unmanaged.passUnretained(self).toOpaque())
        }
    }

    private final class Job: @unchecked Sendable {
        let execution: Execution
        let count: Int
        let grain: Int
        let chunks: Int
        let stage: StaticString
        let body: (Range<Int>, Int) throws -> Void
        let next = Atomic<Int>(0)
        let failed = Atomic<Bool>(false)
        let ending = Ending()
        let failure = Mutex<(chunk: Int, error: any Error)?>(nil)

        init(
            execution: Execution, count: Int, grain: Int, chunks: Int, stage: StaticString,
            body: @escaping (Range<Int>, Int) throws -> Void
        ) {
            self.execution = execution
            self.count = count
            self.grain = grain
            self.chunks = chunks
            self.stage = stage
            self.body = body
        }

        func work(thread: Int) {
            var chunk = 0
            do {
                while !failed.load(ordering: .relaxed) {
                    chunk = next.add(1, ordering: .relaxed).oldValue
                    guard chunk < chunks else { return }
                    if stage.utf8CodeUnitCount > 0 {
                        try execution.report(stage, Double(chunk) / Double(chunks))
                    } else {
                        try execution.report()
                    }
                    let start = chunk * grain
                    try body(start..<min(count, start + grain), thread)
                }
            } catch {
                fail(chunk, error)
            }
        }

        func fail(_ chunk: Int, _ error: any Error) {
            failed.store(true, ordering: .relaxed)
            failure.withLock { if $0.map({ chunk < $0.chunk }) ?? true { $0 = (chunk, error) } }
        }

        /// Waits until this number of helpers have ended. Meanwhile it reports progress, and the host can cancel the
        /// job.
        func awaitEnd(of helpers: Int) {
            while !ending.wait(for: helpers) {
                do { try execution.report() } catch { fail(chunks, error) }
            }
        }
    }

    /// Counts the helper threads that have ended their work.
    private final class Ending: @unchecked Sendable {
        private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
        private var count = 0

        init() {
            pthread_mutex_init(mutex, nil)
            var attributes = pthread_condattr_t()
            pthread_condattr_init(&attributes)
            // The host may change the real-time clock, so the monotonic clock is used.
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
            pthread_cond_init(changed, &attributes)
            pthread_condattr_destroy(&attributes)
        }

        deinit {
            pthread_cond_destroy(changed)
            pthread_mutex_destroy(mutex)
            changed.deallocate()
            mutex.deallocate()
        }

        func add() {
            pthread_mutex_lock(mutex)
            count += 1
            pthread_cond_signal(changed)
            pthread_mutex_unlock(mutex)
        }

        /// Returns true if this number of helpers have ended. If not, it first waits for one of them, at most 20 ms.
        func wait(for helpers: Int) -> Bool {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            time.tv_nsec += 20_000_000
            if time.tv_nsec >= 1_000_000_000 {
                (time.tv_sec, time.tv_nsec) = (time.tv_sec + 1, time.tv_nsec - 1_000_000_000)
            }
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            if count < helpers { pthread_cond_timedwait(changed, mutex, &time) }
            return count == helpers
        }
    }

    /// The threads of one job, beside the calling thread. They block all signals, so that the host's threads handle
    /// them.
    private struct Helpers {
        /// Bytes of a thread's stack.
        private static let stack = 1 << 20
        private var threads: [pthread_t] = []
        var isEmpty: Bool { threads.isEmpty }

        init(job: Job, count: Int) {
            guard count > 0 else { return }
            var all = sigset_t()
            var previous = sigset_t()
            sigfillset(&all)
            pthread_sigmask(SIG_SETMASK, &all, &previous)
            defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
            var attributes = pthread_attr_t()
            pthread_attr_init(&attributes)
            defer { pthread_attr_destroy(&attributes) }
            // Of its own, whatever the process's default is; pages that are not touched take no memory.
            pthread_attr_setstacksize(&attributes, Self.stack)
            for number in 1...count {
                let start = Unmanaged.passRetained(Start(job: job, thread: number))
                var thread = pthread_t()
                let status = pthread_create(
                    &thread, &attributes,
                    { argument in
                        let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                        start.job.work(thread: start.thread)
                        start.job.ending.add()
                        return nil
                    }, start.toOpaque())
                guard status == 0 else {
                    // There are fewer threads than wanted. The existing ones do the rest of the work.
                    start.release()
                    return
                }
                threads.append(thread)
            }
        }

        func join(_ job: Job) {
            job.awaitEnd(of: threads.count)
            for thread in threads { pthread_join(thread, nil) }
        }
    }

    private final class Start {
        let job: Job
        let thread: Int

        init(job: Job, thread: Int) {
            self.job = job
            self.thread = thread
        }
    }
}
