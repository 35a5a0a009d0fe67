import Synchronization

/// The pairs of rows, or of a row and a cell, whose distances the searches of this process computed or bounded: for tests of how
/// the work grows with the rows.
public enum SearchWork {
    private static let pairs = Atomic<Int>(0)

    /// Called for thousands of pairs at a time.
    static func add(_ count: Int) { pairs.wrappingAdd(count, ordering: .relaxed) }

    /// The pairs since the last call.
    public static func take() -> Int { pairs.exchange(0, ordering: .relaxed) }
}
