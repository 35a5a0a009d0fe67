import CoveyRuntime
import CoveyTables

/// The columns of a matrix as bin numbers: a split looks at bins, a tree keeps the value between two of them.
struct BinnedColumns: @unchecked Sendable {
    let rows: Int
    let columns: Int
    /// The most bins of a column.
    static let most = 8192
    /// Rows that the edges are chosen on.
    private static let sample = 1 << 17

    /// rows x columns, so that the rows of a sample are a few cache lines each.
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
                    edges[column] = BinnedColumns.edges(matrix, column)
                }
                try matrix.elements.withUnsafeBufferPointer { numbers in
                    nonisolated(unsafe) let numbers = numbers
                    // A column's edges stay in the cache, and so do the numbers of the chunk's rows.
                    try execution.parallel(rows, grain: 1024, stage: "forest: columns") { chunk, _ in
                        for column in 0..<columns {
                            edges[column].withUnsafeBufferPointer { own in
                                for place in stride(
                                    from: chunk.lowerBound * columns + column, to: chunk.upperBound * columns,
                                    by: columns)
                                {
                                    bins[place] = UInt16(truncatingIfNeeded: BinnedColumns.bin(numbers[place], own))
                                }
                            }
                        }
                    }
                }
            }
        }
        self.edges = edges
    }

    /// Copies some rows, column by column: columns x rows of the sample.
    /// - Parameter sample: row << 1 in each entry; the lowest bit is not looked at.
    func copy(_ sample: [UInt32], to target: UnsafeMutablePointer<UInt16>) {
        for (place, entry) in sample.enumerated() {
            let source = bins + Int(entry >> 1) * columns
            for column in 0..<columns { target[column * sample.count + place] = source[column] }
        }
    }

    @inline(__always)
    private static func bin(_ value: Float, _ edges: UnsafeBufferPointer<Float>) -> Int {
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
