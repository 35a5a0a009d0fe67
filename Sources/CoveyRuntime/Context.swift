import CCoveyKernels
import Glibc
import Synchronization

/// Threads, memory budget, progress and cancel for the calls that are made with it. Safe to share between threads.
public final class Context: Sendable {
    /// Called with the running stage and the fraction done; `true` stops the call.
    public typealias Progress = @Sendable (_ stage: StaticString, _ fraction: Double) -> Bool

    /// Threads that one call may use, at least 1.
    public let threads: Int
    /// Bytes that one call may allocate beside its input.
    public let memoryBudget: Int
    let progress: Progress?
    let cancellations = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - threads: 0 = the processors that this process may run on; at most 1024.
    ///   - memoryBudget: bytes; 0 = the machine's physical memory.
    public init(threads: Int = 0, memoryBudget: UInt64 = 0, progress: Progress? = nil) throws {
        try require((0...1024).contains(threads), "threads must be 0 to 1024, got \(threads)")
        self.threads = threads == 0 ? Context.availableProcessors : threads
        self.memoryBudget = memoryBudget == 0 ? Context.physicalMemory : Int(clamping: memoryBudget)
        self.progress = progress
    }

    private init() {
        threads = Context.availableProcessors
        memoryBudget = Context.physicalMemory
        progress = nil
    }

    /// The context of calls that are given none.
    public static let standard = Context()

    /// Stops every call that is running with this context now; later calls are not affected.
    public func cancel() {
        cancellations.add(1, ordering: .sequentiallyConsistent)
    }

    private static var availableProcessors: Int {
        max(1, min(1024, Int(ck_available_processors())))
    }

    private static var physicalMemory: Int {
        let (bytes, overflow) = sysconf(Int32(_SC_PHYS_PAGES))
            .multipliedReportingOverflow(by: sysconf(Int32(_SC_PAGESIZE)))
        return overflow || bytes <= 0 ? Int.max : bytes
    }
}
