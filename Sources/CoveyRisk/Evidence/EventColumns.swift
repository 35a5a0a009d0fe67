import CoveyRuntime
import CoveySequences
import CoveyTables

/// A sequence in a few plain numbers: how often each of the frequent event types occurs, how many events there are, of
/// how many types, their gaps, the first and the last one. An empty sequence has counts of 0, and all else missing.
struct EventColumns: Sendable, Equatable, Codable {
    /// The types that are counted, the most frequent first.
    let types: [Int32]
    let hasDwell: Bool

    private static let most = 64
    /// The columns that are no counts of a type, without dwell.
    private static let others = 9

    /// O(events).
    /// - Parameter vocabulary: types outside of 0..<vocabulary count as type 0, the unknown one.
    init(fitting sequences: SequenceBatch, vocabulary: Int, execution: Execution) throws {
        types = Array(
            try EventColumns.types(of: sequences, vocabulary: vocabulary, execution: execution)
                .prefix(EventColumns.most))
        hasDwell = sequences.dwell != nil
    }

    /// The types that occur, the most frequent first. O(events).
    static func types(of sequences: SequenceBatch, vocabulary: Int, execution: Execution) throws -> [Int32] {
        try execution.reserve(vocabulary, of: 24, for: "counts of \(vocabulary) event types")
        var counts = [Int](repeating: 0, count: max(1, vocabulary))
        try execution.forEach(sequences.offsets.events) { event in
            counts[EventColumns.type(sequences.types[event], vocabulary)] += 1
        }
        return counts.indices.filter { counts[$0] > 0 }
            .sorted { counts[$0] != counts[$1] ? counts[$0] > counts[$1] : $0 < $1 }.map { Int32($0) }
    }

    var isValid: Bool {
        types.count <= EventColumns.most && types.allSatisfy { $0 >= 0 } && Set(types).count == types.count
    }

    @inline(__always)
    static func type(_ type: Int32, _ vocabulary: Int) -> Int {
        type >= 0 && Int(type) < vocabulary ? Int(type) : 0
    }

    var names: [String] {
        types.map { "count of type \($0)" } + [
            "events", "types", "mean gap", "deviation of gaps", "least gap", "largest gap", "sum of gaps", "first type",
            "last type",
        ] + (hasDwell ? ["mean dwell"] : [])
    }

    /// The columns, one row for each sequence. 8 bytes a number.
    func matrix(_ sequences: SequenceBatch, vocabulary: Int, execution: Execution) throws -> Matrix<Double> {
        let (count, width) = (sequences.count, types.count + EventColumns.others + (hasDwell ? 1 : 0))
        try execution.hold(checkedProduct(count, width, "event columns"), of: 8, for: "event columns")
        var result = try Matrix<Double>(rows: count, columns: width, repeating: 0, execution)
        var ranks = [Int](repeating: -1, count: max(1, vocabulary))
        for (rank, type) in types.enumerated() where Int(type) < ranks.count { ranks[Int(type)] = rank }
        try result.elements.withUnsafeMutableBufferPointer { elements in
            for row in 0..<count {
                if row & 0xFFF == 0 { try execution.report() }
                let order = try sequences.timeOrder(row, execution)
                measure(sequences, row, order, ranks, to: elements.baseAddress! + row * width)
            }
        }
        return result
    }

    /// The same as a table with names.
    func table(_ matrix: Matrix<Double>, execution: Execution) throws -> FeatureTable {
        try execution.hold(
            checkedProduct(matrix.rows, names.count, "event columns"), of: 8, for: "event columns")
        return try FeatureTable(
            rows: matrix.rows,
            columns: names.enumerated().map { column, name in
                let values = Strided(try execution.array(matrix.rows) { matrix[$0, column] })
                return FeatureColumn(name: name, values: .numeric(values))
            })
    }

    /// Writes the columns of one sequence. Counts are 0 before.
    /// - Parameter order: of the events by time; nil = as given.
    private func measure(
        _ sequences: SequenceBatch, _ row: Int, _ order: [Int32]?, _ ranks: [Int],
        to target: UnsafeMutablePointer<Double>
    ) {
        let range = sequences.offsets[row]
        func place(_ step: Int) -> Int { range.lowerBound + (order.map { Int($0[step]) } ?? step) }
        var gaps = (count: 0.0, sum: 0.0, least: Double.infinity, largest: -Double.infinity, mean: 0.0, squares: 0.0)
        var dwell = (count: 0.0, sum: 0.0)
        var before = 0.0
        for step in 0..<range.count {
            let event = place(step)
            let rank = ranks[EventColumns.type(sequences.types[event], ranks.count)]
            if rank >= 0 { target[rank] += 1 }
            if step > 0 {
                let gap = sequences.times[event] - before
                gaps.count += 1
                gaps.sum += gap
                gaps.least = min(gaps.least, gap)
                gaps.largest = max(gaps.largest, gap)
                // Welford 1962.
                let change = gap - gaps.mean
                gaps.mean += change / gaps.count
                gaps.squares += change * (gap - gaps.mean)
            }
            before = sequences.times[event]
            if let time = sequences.dwell?[event], !time.isNaN {
                dwell.count += 1
                dwell.sum += time
            }
        }
        func rank(_ event: Int) -> Double {
            let rank = ranks[EventColumns.type(sequences.types[event], ranks.count)]
            return rank >= 0 ? Double(rank) : .nan
        }
        /// A table takes no infinities; times may be as far apart as doubles reach.
        func held(_ value: Double) -> Double {
            value.isFinite
                ? value : value.isNaN ? .nan : value < 0 ? -Double.greatestFiniteMagnitude : .greatestFiniteMagnitude
        }
        let none = gaps.count == 0
        let deviation = gaps.count < 2 ? .nan : (gaps.squares / (gaps.count - 1)).squareRoot()
        func put(_ place: Int, _ value: Double) { target[types.count + place] = value }
        let isEmpty = range.isEmpty
        let seen = types.indices.reduce(0) { $0 + (target[$1] > 0 ? 1 : 0) }
        put(0, isEmpty ? .nan : Double(range.count))
        put(1, isEmpty ? .nan : Double(seen))
        put(2, none ? .nan : held(gaps.mean))
        put(3, held(deviation))
        put(4, none ? .nan : held(gaps.least))
        put(5, none ? .nan : held(gaps.largest))
        put(6, isEmpty ? .nan : held(gaps.sum))
        put(7, isEmpty ? .nan : rank(place(0)))
        put(8, isEmpty ? .nan : rank(place(range.count - 1)))
        if hasDwell { put(EventColumns.others, dwell.count > 0 ? held(dwell.sum / dwell.count) : .nan) }
    }
}
