import CoveyNeighbors
import CoveyRuntime
import CoveyTables

/// Rows without their repetitions, each with the number of rows that it stands for, in an order that follows from the
/// numbers in them alone. Equal rows are then met once by every search, and nothing that follows depends on the order
/// in which the caller gave the rows.
///
/// With cosine, rows of one direction count as equal: those whose numbers, divided by the largest of their row, agree
/// to 45 bits.
struct DistinctRows: Sendable {
    /// How many there are.
    let count: Int
    /// All rows by the distinct row that they equal; the first of those stands for them.
    let order: AlignedBuffer<Int32>
    /// The places in `order` of the rows that equal distinct row i: starts[i]..<starts[i + 1].
    let starts: AlignedBuffer<Int32>

    /// How many rows each row stands for by itself; nil = one.
    private let weights: [Int32]?

    /// The rows that each stands for.
    func weight(_ i: Int) -> Int32 {
        guard let weights else { return starts.pointer[i + 1] - starts.pointer[i] }
        return (starts.pointer[i]..<starts.pointer[i + 1]).reduce(0) { $0 + weights[Int(order.pointer[Int($1)])] }
    }

    /// Whether each stands for itself alone.
    var isPlain: Bool { weights == nil && count == order.count }

    /// Cost: O(n d), and O(n) to sort. Memory: 24 bytes a row, 16 of them for a while.
    /// - Parameter used: the rows meant, nil = all; with cosine each has a direction. Results number them by their
    ///   places.
    /// - Parameter weights: how many rows each of them stands for; nil = one.
    init(_ view: MatrixView, used: [Int32]?, weights: [Int32]?, metric: Metric, execution: Execution) throws {
        self.weights = weights
        let n = used?.count ?? view.rows
        let values = RowValues(view, used, metric)
        let keys = try AlignedBuffer<KeyedRow>(n, for: "equal rows", execution)
        let grain = max(256, 262_144 / max(1, view.columns))
        try execution.parallel(n, grain: grain) { chunk, _ in
            for i in chunk { keys[i] = KeyedRow(key: values.key(i), row: Int32(truncatingIfNeeded: i)) }
        }
        try RadixSort.sort(keys.pointer, count: n, execution: execution) { $0.key }
        // Whether a row equals the one before it.
        let repeats = try AlignedBuffer<Bool>(n, for: "equal rows", execution)
        try execution.parallel(n, grain: grain) { chunk, _ in
            for p in chunk {
                repeats[p] =
                    p > 0 && keys[p].key == keys[p - 1].key
                    && values.areEqual(Int(keys[p].row), Int(keys[p - 1].row))
            }
        }
        var starts = [Int32]()
        var start = 0
        while start < n {
            if start & 0xFFFF == 0 { try execution.report() }
            var end = start + 1
            while end < n, keys[end].key == keys[start].key { end += 1 }
            if end - start > 1 { values.arrange(keys.pointer, start..<end, repeats.pointer) }
            for p in start..<end where !repeats[p] { starts.append(Int32(truncatingIfNeeded: p)) }
            start = end
        }
        count = starts.count
        starts.append(Int32(truncatingIfNeeded: n))
        let order = try AlignedBuffer<Int32>(n, for: "equal rows", execution)
        self.order = order
        self.starts = try AlignedBuffer<Int32>(starts.count, for: "equal rows", execution)
        self.starts.pointer.update(from: starts, count: starts.count)
        try execution.parallel(n, grain: 65_536) { chunk, _ in for p in chunk { order[p] = keys[p].row } }
    }

    /// The rows that stand for all.
    func representatives(execution: Execution) throws -> AlignedBuffer<Int32> {
        guard count < order.count else { return order }
        let (chosen, order, starts) = (
            try AlignedBuffer<Int32>(count, for: "equal rows", execution), order, starts
        )
        try execution.parallel(count, grain: 65_536) { chunk, _ in for i in chunk { chosen[i] = order[Int(starts[i])] }
        }
        return chosen
    }
}

/// A row and a number that equal rows share.
private struct KeyedRow {
    let key: UInt64
    let row: Int32
}

/// The numbers that tell rows apart.
private struct RowValues: @unchecked Sendable {
    private let view: MatrixView
    private let used: [Int32]?
    private let isCosine: Bool

    /// The digits by which directions are told apart: far more than the rounding of a quotient, and far fewer than
    /// would bring equal directions to either side of a boundary.
    private static let resolution = 0x1p45

    init(_ view: MatrixView, _ used: [Int32]?, _ metric: Metric) {
        self.view = view
        self.used = used
        isCosine = metric == .cosine
    }

    @inline(__always)
    private func row(_ i: Int) -> Int { used.map { Int($0[i]) } ?? i }

    /// What a cosine row is divided by; 1 with other metrics.
    private func largest(_ row: Int) -> Double {
        isCosine ? (0..<view.columns).reduce(0) { max($0, abs(view[row, $1])) } : 1
    }

    @inline(__always)
    private func value(_ row: Int, _ column: Int, _ largest: Double) -> Double {
        // + 0 takes the sign from a zero.
        isCosine ? (view[row, column] / largest * RowValues.resolution).rounded() + 0 : view[row, column] + 0
    }

    /// 33 bits of the numbers, well mixed (by multiplication and shifts, as in Steele, Lea, Flood 2014). A power of two
    /// times all rows changes no order: exponents count from that of a row's first number.
    func key(_ i: Int) -> UInt64 {
        let row = row(i)
        let largest = largest(row)
        var key: UInt64 = 0x9E37_79B9_7F4A_7C15
        var first: UInt64 = 0
        for column in 0..<view.columns {
            var bits = value(row, column, largest).bitPattern
            if bits != 0 {
                if first == 0 { first = bits & 0x7FF0_0000_0000_0000 }
                bits &-= first
            }
            key = (key ^ bits) &* 0xBF58_476D_1CE4_E5B9
            key ^= key &>> 32
        }
        key = key &* 0x94D0_49BB_1331_11EB
        return key &>> 31
    }

    func areEqual(_ i: Int, _ j: Int) -> Bool {
        let (a, b) = (row(i), row(j))
        let (first, second) = (largest(a), largest(b))
        for column in 0..<view.columns where value(a, column, first) != value(b, column, second) { return false }
        return true
    }

    /// Puts rows of one key in order: equal ones side by side and marked as repetitions, the first of them the same in
    /// whatever order the caller has them.
    func arrange(_ keys: UnsafeMutablePointer<KeyedRow>, _ places: Range<Int>, _ repeats: UnsafeMutablePointer<Bool>) {
        guard places.dropFirst().contains(where: { !repeats[$0] }) else {
            // Rows of one direction may differ in their numbers.
            guard isCosine else { return }
            let first = places.min { isLess(Int(keys[$0].row), Int(keys[$1].row)) } ?? places.lowerBound
            (keys[first], keys[places.lowerBound]) = (keys[places.lowerBound], keys[first])
            return
        }
        var rows = UnsafeMutableBufferPointer(start: keys + places.lowerBound, count: places.count)
        rows.sort { comesBefore(Int($0.row), Int($1.row)) }
        for p in places.dropFirst() { repeats[p] = areEqual(Int(keys[p].row), Int(keys[p - 1].row)) }
    }

    /// By the numbers that tell rows apart, then by those of the caller, then by row.
    private func comesBefore(_ i: Int, _ j: Int) -> Bool {
        let (a, b) = (row(i), row(j))
        let (first, second) = (largest(a), largest(b))
        for column in 0..<view.columns {
            let (x, y) = (value(a, column, first), value(b, column, second))
            if x != y { return x < y }
        }
        return isLess(i, j)
    }

    private func isLess(_ i: Int, _ j: Int) -> Bool {
        let (a, b) = (row(i), row(j))
        for column in 0..<view.columns where view[a, column] != view[b, column] {
            return view[a, column] < view[b, column]
        }
        return i < j
    }
}
