import CoveyRuntime
import CoveyTables

/// The columns of a matrix as bin numbers, column by column: a split looks at bins, a tree keeps the value between two
/// of them.
struct BinnedColumns: @unchecked Sendable {
    let rows: Int
    let columns: Int
    /// The most bins of a column.
    static let most = 8192
    /// Rows that the edges are chosen on.
    private static let sample = 1 << 17

    /// columns x rows.
    private let bins: UnsafeMutablePointer<UInt16>
    private let owner: Owner
    private let memory: HeldMemory
    /// A value of column c is in the first bin whose edge it does not exceed; above the last edge in the last bin.
    let edges: [[Float]]

    private final class Owner: @unchecked Sendable {
        let pointer: UnsafeMutablePointer<UInt16>
        init(_ count: Int) { pointer = .allocate(capacity: max(1, count)) }
        deinit { pointer.deallocate() }
    }

    /// O(columns rows log) time, 2 bytes a number.
    init(_ matrix: Matrix<Float>, execution: Execution) throws {
        rows = matrix.rows
        columns = matrix.columns
        let total = try checkedProduct(rows, columns, "the forest's columns")
        memory = try HeldMemory(
            checkedProduct(total, 2, "the forest's columns"), for: "the forest's columns", execution)
        // The sample of each column that is looked at now.
        try execution.reserve(
            min(rows, 2 * BinnedColumns.sample), of: 12 * min(execution.threads, columns), for: "the forest's columns")
        let owner = Owner(total)
        self.owner = owner
        bins = owner.pointer
        var edges = [[Float]](repeating: [], count: columns)
        let (rows, columns) = (rows, columns)
        try edges.withUnsafeMutableBufferPointer { edges in
            nonisolated(unsafe) let (edges, bins) = (edges, owner.pointer)
            try execution.parallel(columns, stage: "forest: columns") { chunk, _ in
                for column in chunk {
                    try execution.check()
                    let found = BinnedColumns.edges(matrix, column)
                    edges[column] = found
                    let target = bins + column * rows
                    for row in 0..<rows {
                        target[row] = UInt16(truncatingIfNeeded: BinnedColumns.bin(matrix[row, column], found))
                    }
                }
            }
        }
        self.edges = edges
    }

    @inline(__always)
    func column(_ index: Int) -> UnsafePointer<UInt16> { UnsafePointer(bins + index * rows) }

    @inline(__always)
    private static func bin(_ value: Float, _ edges: [Float]) -> Int {
        var (low, high) = (0, edges.count)
        while low < high {
            let middle = (low &+ high) >> 1
            if value <= edges[middle] { high = middle } else { low = middle &+ 1 }
        }
        return low
    }

    /// Between neighbouring values; if there are more values than bins, between as many quantiles.
    private static func edges(_ matrix: Matrix<Float>, _ column: Int) -> [Float] {
        let step = max(1, matrix.rows / sample)
        var values: [Float] = []
        values.reserveCapacity(matrix.rows / step + 1)
        for row in stride(from: 0, to: matrix.rows, by: step) { values.append(matrix[row, column]) }
        values.sort()
        var distinct: [Float] = []
        for value in values where value != distinct.last { distinct.append(value) }
        if distinct.count > most {
            var chosen: [Float] = []
            for index in 0..<most {
                let value = values[index * (values.count - 1) / (most - 1)]
                if value != chosen.last { chosen.append(value) }
            }
            distinct = chosen
        }
        return zip(distinct, distinct.dropFirst()).map { low, high in
            let middle = low + (high - low) / 2
            // Rounding must not move an edge onto the upper value.
            return middle < high ? middle : low
        }
    }
}
