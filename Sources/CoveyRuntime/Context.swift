import CCoveyKernels
import Glibc
import Synchronization

/// Threads, memory budget, progress and cancellation for the calls that use the context. Several threads may share it.
public final class Context: Sendable {
    /// Called with the current stage and the fraction done. It returns `true` to cancel the call.
    public typealias Progress = @Sendable (_ stage: StaticString, _ fraction: Double) -> Bool

    /// The number of threads that one call may use, at least 1.
    public let threads: Int
    /// The number of bytes that one call may allocate, in addition to its input.
    public let memoryBudget: Int
    let progress: Progress?
    let cancellations = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - threads: at most 1024; 0 means the number of processors that this process may use.
    ///   - memoryBudget: in bytes; 0 means the least of the machine's memory and of the control groups' limits.
    public init(threads: Int = 0, memoryBudget: UInt64 = 0, progress: Progress? = nil) throws {
        try require((0...1024).contains(threads), "options.threads must be 0 to 1024, got \(threads)")
        self.threads = threads == 0 ? Context.availableProcessors : threads
        self.memoryBudget = memoryBudget == 0 ? SystemMemory.limit : Int(clamping: memoryBudget)
        self.progress = progress
    }

    private init() {
        threads = Context.availableProcessors
        memoryBudget = SystemMemory.limit
        progress = nil
    }

    /// The context of calls that are made without one.
    public static let standard = Context()

    /// Cancels every call that is running with this context now. Later calls are not affected.
    public func cancel() {
        cancellations.add(1, ordering: .sequentiallyConsistent)
    }

    private static var availableProcessors: Int {
        max(1, min(1024, Int(ck_available_processors())))
    }
}
