import Synchronization

/// The number of bytes of its memory budget that one call uses. Several threads may share it.
public final class MemoryUse: Sendable {
    let budget: Int
    private let held = Atomic<Int>(0)

    init(budget: Int) {
        self.budget = budget
    }

    /// The number of bytes in use now.
    public var bytes: Int { held.load(ordering: .relaxed) }

    func hold(_ bytes: Int, for what: @autoclosure () -> String) throws {
        var before = held.load(ordering: .relaxed)
        while true {
            guard bytes <= budget - before else {
                let beside = before > 0 ? " beside \(before) in use" : ""
                throw CoveyError.outOfMemory(
                    "\(what()) needs \(bytes) bytes\(beside), above the memory budget of \(budget)")
            }
            let (exchanged, original) = held.weakCompareExchange(
                expected: before, desired: before + bytes, ordering: .relaxed)
            if exchanged { return }
            before = original
        }
    }

    /// Subtracts memory that was counted by `hold` and is free again.
    public func release(_ bytes: Int) {
        held.subtract(bytes, ordering: .relaxed)
    }
}

/// Bytes of a call's memory budget that are held as long as this object is kept.
public final class HeldMemory: Sendable {
    private let memory: MemoryUse
    private let bytes: Int

    /// - Throws: `outOfMemory` where the bytes do not fit beside what the call holds already.
    public init(_ bytes: Int, for what: @autoclosure () -> String, _ execution: Execution) throws {
        try execution.hold(bytes, for: what())
        memory = execution.memory
        self.bytes = bytes
    }

    deinit { memory.release(bytes) }
}
