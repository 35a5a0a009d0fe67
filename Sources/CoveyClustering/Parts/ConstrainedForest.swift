import CoveyNeighbors
import CoveyRuntime

/// Two rows that must be in one cluster, or must not be; the layout is that of `covey_row_pair`.
public struct RowPair: Sendable, Equatable, BitwiseCopyable {
    public var first: Int64
    public var second: Int64

    public init(first: Int64, second: Int64) {
        self.first = first
        self.second = second
    }

    /// Throws `invalidData`, with the list, the index and the values, unless these are two of the rows.
    func check(_ list: String, _ index: Int, rows: Int) throws {
        guard first >= 0, second >= 0, first < rows, second < rows, first != second else {
            throw CoveyError.invalidData(
                "\(list)[\(index)] must be two of the rows 0 to \(rows - 1), got \(first) and \(second)")
        }
    }
}

/// The spanning forest of edges under constraints, by Kruskal's algorithm (1956): linked rows are joined first, at
/// distance 0, and an edge that would join two sets with a forbidden pair of rows between them is left out.
///
/// The sets of the forest hold no forbidden pair, and so no cluster does. With all pairs of rows as edges the result is
/// that of the agglomeration that joins, of all pairs of sets that may be joined, the two nearest ones. With the edges
/// of a spanning tree alone, sets that an edge left out would have joined stay apart, even if longer edges could join
/// them in another way.
public enum ConstrainedForest {
    /// The edges of the forest, by ascending distance, with `from` < `to`.
    ///
    /// Throws `invalidData` for an edge or a pair that is none of the rows, and for pairs that contradict each other.
    /// Cost: O((m + c) log (m + c)) for m edges and c pairs, and for each edge left out a look at the shorter list of
    /// forbidden pairs of its two sets. Memory: 48 bytes an edge, 40 a row and 60 a pair.
    public static func reduce(
        _ edges: UnsafeBufferPointer<WeightedEdge>, rows: Int, mustLink: UnsafeBufferPointer<RowPair>,
        cannotLink: UnsafeBufferPointer<RowPair>, execution: Execution
    ) throws -> [WeightedEdge] {
        try execution.hold(rows, of: 40, for: "the spanning forest")
        let list = try AlignedBuffer<WeightedEdge>(edges.count, for: "the list of edges", execution)
        for index in edges.indices {
            if index & 0xFFFFF == 0 { try execution.report() }
            try edges[index].check(index, rows: rows)
            list[index] = edges[index]
        }
        let sets = try RowSets(rows, execution)
        var forest: [WeightedEdge] = []
        for (index, pair) in mustLink.enumerated() {
            if index & 0xFFFFF == 0 { try execution.report() }
            try pair.check("must_link", index, rows: rows)
            let (first, second) = (sets.root(Int(pair.first)), sets.root(Int(pair.second)))
            if first == second { continue }
            sets.join(first, second)
            forest.append(
                WeightedEdge(
                    from: min(pair.first, pair.second), to: max(pair.first, pair.second), distance: 0))
        }
        let forbidden = try ForbiddenPairs(cannotLink, rows: rows, sets, execution)
        let all = UnsafeMutableBufferPointer(start: list.pointer, count: list.count)
        let kept = try EdgeForest.reduce(all, sets, execution) { _, first, second in
            forbidden.join(first, second, sets)
        }
        forest.append(contentsOf: all[..<kept])
        return forest
    }
}

/// The rows with which each set must not share a cluster.
private final class ForbiddenPairs {
    /// By the root of a set.
    private var partners: [Int: [Int32]] = [:]

    init(
        _ pairs: UnsafeBufferPointer<RowPair>, rows: Int, _ sets: RowSets, _ execution: Execution
    ) throws {
        try execution.hold(pairs.count, of: 60, for: "pairs of rows")
        for (index, pair) in pairs.enumerated() {
            if index & 0xFFFFF == 0 { try execution.report() }
            try pair.check("cannot_link", index, rows: rows)
            let (first, second) = (sets.root(Int(pair.first)), sets.root(Int(pair.second)))
            guard first != second else {
                throw CoveyError.invalidData(
                    "cannot_link[\(index)] forbids rows \(pair.first) and \(pair.second), which must_link joins")
            }
            partners[first, default: []].append(Int32(truncatingIfNeeded: pair.second))
            partners[second, default: []].append(Int32(truncatingIfNeeded: pair.first))
        }
    }

    /// Whether two sets may be joined. If so, the joined set, whose root is the lower one, takes the lists of both.
    func join(_ first: Int, _ second: Int, _ sets: RowSets) -> Bool {
        if partners.isEmpty { return true }
        let (own, other) = (partners[first]?.count ?? 0, partners[second]?.count ?? 0)
        if own > 0, other > 0 {
            let (short, target) = own <= other ? (first, second) : (second, first)
            for row in partners[short] ?? [] where sets.root(Int(row)) == target { return false }
        }
        if own + other == 0 { return true }
        let (short, long) = own <= other ? (first, second) : (second, first)
        var joined = partners.removeValue(forKey: long) ?? []
        joined.append(contentsOf: partners.removeValue(forKey: short) ?? [])
        partners[min(first, second)] = joined
        return true
    }
}
