import CoveyNeighbors
import CoveyRuntime
import CoveyTables

/// The rows of a matrix of distances in an order that follows from the distances alone, with equal rows side by side.
/// Results then do not depend on the order in which the caller gave the rows, except between rows that no distance
/// distinguishes.
///
/// Two rows are equal if they are at distance 0 and each is as far as the other from every row.
struct DistinctPlaces: Sendable {
    /// The number of distinct rows.
    let count: Int
    /// All rows by the distinct row that they equal. The first of them stands for the others.
    let order: AlignedBuffer<Int32>
    /// The positions in `order` of the rows that equal distinct row i: starts[i]..<starts[i + 1].
    let starts: [Int32]

    /// The rounds in which the keys of the other rows are mixed into each key. Two rounds distinguish nearly all rows
    /// that differ.
    private static let rounds = 2

    /// Cost: O(n^2). Memory: 24 bytes a row.
    /// - Parameters:
    ///   - distances: square and finite.
    ///   - used: the rows meant, ascending; nil = all. Results number them by their positions in this list.
    ///   - weights: how many rows each of them stands for; nil = one.
    init(_ distances: MatrixView, used: [Int32]?, weights: [Int32]?, execution: Execution) throws {
        let rows = MatrixRows(distances, used, weights)
        let n = rows.count
        var keys = try execution.array(n) { _ in UInt64(0) }
        for _ in 0...DistinctPlaces.rounds { keys = try rows.refined(keys, execution) }
        var sorted: [(key: UInt64, row: Int32)] = []
        sorted.reserveCapacity(n)
        for row in 0..<n { sorted.append((keys[row], Int32(truncatingIfNeeded: row))) }
        sorted.sort { $0 < $1 }
        order = try AlignedBuffer(n, for: "equal rows", execution)
        var starts: [Int32] = []
        var start = 0
        while start < n {
            var end = start + 1
            while end < n, sorted[end].key == sorted[start].key { end += 1 }
            var place = start
            for group in try rows.equalRows(sorted[start..<end].map(\.row), execution) {
                starts.append(Int32(truncatingIfNeeded: place))
                for row in group {
                    order[place] = row
                    place += 1
                }
            }
            start = end
        }
        count = starts.count
        starts.append(Int32(truncatingIfNeeded: n))
        self.starts = starts
    }
}

/// Reads the distances between the rows meant.
private struct MatrixRows: @unchecked Sendable {
    let count: Int
    private let distances: MatrixView
    private let used: [Int32]?
    private let weights: [Int32]?

    init(_ distances: MatrixView, _ used: [Int32]?, _ weights: [Int32]?) {
        count = used?.count ?? distances.rows
        self.distances = distances
        self.used = used
        self.weights = weights
    }

    @inline(__always)
    private func number(_ place: Int) -> Int { used.map { Int($0[place]) } ?? place }

    /// A sum over all rows, so that it does not depend on their order: each adds its distance and its key. A row of
    /// weight w adds what w equal rows add.
    func refined(_ keys: [UInt64], _ execution: Execution) throws -> [UInt64] {
        var result = try execution.array(count) { _ in UInt64(0) }
        try result.withUnsafeMutableBufferPointer { result in
            nonisolated(unsafe) let result = result
            try execution.parallel(count, grain: 16, stage: "equal rows") { chunk, _ in
                let line = try AlignedBuffer<Double>(distances.columns, for: "a row of distances", execution)
                for row in chunk {
                    try execution.check()
                    distances.copyRow(number(row), to: line.pointer)
                    var sum: UInt64 = 0
                    for other in 0..<count {
                        let own = other == row
                        let times = UInt64(weights.map { $0[other] } ?? 1) &- (own ? 1 : 0)
                        // + 0 takes the sign from a zero. A row is at distance 0 from its copies.
                        let bits = own ? 0 : (line[number(other)] + 0).bitPattern
                        sum &+= times &* MatrixRows.mixed(bits ^ MatrixRows.mixed(keys[other]))
                    }
                    result[row] = sum
                }
            }
        }
        return result
    }

    /// Steele, Lea, Flood 2014.
    @inline(__always)
    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value &+ 0x9E37_79B9_7F4A_7C15
        value = (value ^ (value &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value &>> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value &>> 31)
    }

    /// Divides rows of one key into sets of equal rows.
    func equalRows(_ rows: [Int32], _ execution: Execution) throws -> [[Int32]] {
        if rows.count == 1 { return [rows] }
        var sets: [[Int32]] = []
        for row in rows {
            try execution.check()
            if let set = sets.firstIndex(where: { areEqual(Int($0[0]), Int(row)) }) {
                sets[set].append(row)
            } else {
                sets.append([row])
            }
        }
        return sets
    }

    private func areEqual(_ a: Int, _ b: Int) -> Bool {
        let (first, second) = (number(a), number(b))
        guard distances[first, second] == 0, distances[second, first] == 0 else { return false }
        for place in 0..<count where place != a && place != b {
            let column = number(place)
            if distances[first, column] != distances[second, column] { return false }
        }
        return true
    }
}
