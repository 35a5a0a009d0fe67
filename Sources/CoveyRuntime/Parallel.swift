import Glibc
import Synchronization

extension Execution {
    /// Runs `body` over 0..<count in chunks of `grain` indices, on the calling thread and on threads that end with this
    /// call. Chunks are handed out in order, each to one thread. Cancel is looked at before every chunk and progress
    /// reported from the calling thread. An error stops the rest; once all threads have ended, the one of the lowest
    /// chunk is thrown: chunks below it have all run, so it is the same for any number of threads.
    ///
    /// `body` gets the chunk and the number of the thread that runs it, below `threads`, to index scratch space with.
    /// It runs on several threads at once: what it writes must not overlap between chunks.
    public func parallel(
        _ count: Int, grain: Int = 1, stage: StaticString = "", _ body: (_ chunk: Range<Int>, _ thread: Int) throws -> Void
    ) throws {
        guard count > 0 else { return }
        let chunks = (count - 1) / grain + 1
        // Before the others start, which may take all chunks: the host is told of each stage, and can stop it.
        if stage.utf8CodeUnitCount > 0 { try report(stage, 0) } else { try report() }
        if min(threads, chunks) == 1 {
            for chunk in 0..<chunks {
                if stage.utf8CodeUnitCount > 0 { try report(stage, Double(chunk) / Double(chunks)) } else { try report() }
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

    /// `count` elements that `element` gives by their places, by all threads. What is large is so first touched in parts, between
    /// which the host can stop the call.
    @inlinable
    public func array<Element: BitwiseCopyable>(_ count: Int, _ element: (Int) -> Element) throws -> [Element] {
        try [Element](unsafeUninitializedCapacity: count) { room, filled in
            guard let first = room.baseAddress else { return }
            try parallel(count, grain: 65_536) { chunk, _ in
                for place in chunk { (first + place).initialize(to: element(place)) }
            }
            filled = count
        }
    }

    /// Work that can neither be cut into parts nor stopped half-way: where the call may use another thread, that does it, and the host is
    /// told meanwhile.
    /// - Throws: `cancelled` where it was not begun.
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

    /// For work of C that asks whether to go on: a function, and the state that it is called with, which says yes by 0.
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

        /// Waits until so many helpers have ended. The host is told meanwhile, which may stop the job.
        func awaitEnd(of helpers: Int) {
            while !ending.wait(for: helpers) {
                do { try execution.report() } catch { fail(chunks, error) }
            }
        }
    }

    /// Counts the helpers that have ended their work.
    private final class Ending: @unchecked Sendable {
        private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
        private var count = 0

        init() {
            pthread_mutex_init(mutex, nil)
            var attributes = pthread_condattr_t()
            pthread_condattr_init(&attributes)
            // The host may set the other clock.
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

        /// Whether so many have ended; waits for one of them, at most 20 ms.
        func wait(for helpers: Int) -> Bool {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            time.tv_nsec += 20_000_000
            if time.tv_nsec >= 1_000_000_000 { (time.tv_sec, time.tv_nsec) = (time.tv_sec + 1, time.tv_nsec - 1_000_000_000) }
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            if count < helpers { pthread_cond_timedwait(changed, mutex, &time) }
            return count == helpers
        }
    }

    /// The threads of one job beside the caller. Signals stay with the host's threads.
    private struct Helpers {
        private var threads: [pthread_t] = []
        var isEmpty: Bool { threads.isEmpty }

        init(job: Job, count: Int) {
            guard count > 0 else { return }
            var all = sigset_t()
            var previous = sigset_t()
            sigfillset(&all)
            pthread_sigmask(SIG_SETMASK, &all, &previous)
            defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
            for number in 1...count {
                let start = Unmanaged.passRetained(Start(job: job, thread: number))
                var thread = pthread_t()
                let status = pthread_create(
                    &thread, nil,
                    { argument in
                        let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                        start.job.work(thread: start.thread)
                        start.job.ending.add()
                        return nil
                    }, start.toOpaque())
                guard status == 0 else {
                    // Fewer threads than asked for: the rest of the work is done by those there are.
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
