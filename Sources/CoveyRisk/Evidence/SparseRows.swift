/// Rows of few numbers that are not 0.
struct SparseRows: Sendable {
    private(set) var starts: [Int] = [0]
    private(set) var columns: [UInt16] = []
    private(set) var values: [Double] = []

    init(capacity: Int) {
        columns.reserveCapacity(capacity)
        values.reserveCapacity(capacity)
    }

    var count: Int { starts.count - 1 }

    mutating func append(_ column: UInt16, _ value: Double) {
        columns.append(column)
        values.append(value)
    }

    mutating func endRow() { starts.append(columns.count) }

    /// The product of a row and a vector.
    @inline(__always)
    func product(_ row: Int, _ vector: [Double]) -> Double {
        var sum = 0.0
        for entry in starts[row]..<starts[row + 1] { sum += values[entry] * vector[Int(columns[entry])] }
        return sum
    }

    /// Adds a multiple of a row to a vector.
    @inline(__always)
    func add(_ row: Int, times factor: Double, to vector: inout [Double]) {
        for entry in starts[row]..<starts[row + 1] { vector[Int(columns[entry])] += factor * values[entry] }
    }
}
