import CoveyRuntime

/// A row-major matrix that owns its numbers.
public struct Matrix<Element: BitwiseCopyable & Sendable>: Sendable {
    public let rows: Int
    public let columns: Int
    public var elements: [Element]

    public init(rows: Int, columns: Int, elements: [Element]) {
        precondition(elements.count == rows * columns)
        self.rows = rows
        self.columns = columns
        self.elements = elements
    }

    public init(rows: Int, columns: Int, repeating value: Element) {
        self.init(rows: rows, columns: columns, elements: Array(repeating: value, count: rows * columns))
    }

    /// The same, on all threads, with polls: gigabytes take seconds to be touched for the first time.
    public init(rows: Int, columns: Int, repeating value: Element, _ execution: Execution) throws {
        self.init(rows: rows, columns: columns, elements: try execution.array(rows * columns) { _ in value })
    }

    @inlinable
    public subscript(row: Int, column: Int) -> Element {
        get { elements[row * columns + column] }
        set { elements[row * columns + column] = newValue }
    }
}
