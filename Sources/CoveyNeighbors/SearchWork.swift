import Synchronization

/// Counts the pairs of rows, or of a row and a cell, whose distances the searches of this process computed or bounded.
/// Tests use it to see how the work grows with the number of rows.
public enum SearchWork {
    private static let pairs = Atomic<Int>(0)

    /// Adds thousands of pairs at a time.
    static func add(_ count: Int) { pairs.wrappingAdd(count, ordering: .relaxed) }

    /// Returns the pairs since the last call.
    public static func take() -> Int { pairs.exchange(0, ordering: .relaxed) }
}
