import CoveyNeighbors
import CoveyRuntime

/// Edges of a graph as a caller has them, checked and reduced to one for each pair of rows.
struct EdgeList {
    private(set) var edges: AlignedBuffer<WeightedEdge>
    private(set) var count: Int

    /// An edge and how it was given: its index, turned around (~index) where `from` was the higher row.
    private struct Given: BitwiseCopyable, Sendable {
        let from: Int32
        let to: Int32
        let distance: Double
        let index: Int
    }

    /// Checks the edges of `rows` rows. A pair may be given once in each direction, at the same distance up to
    /// rounding; the shorter one counts.
    ///
    /// Throws `invalidData` for an edge that is no edge of the rows, for a repeated one, and for two directions of
    /// different length. Cost: O(m); memory: 48 bytes an edge, 24 of them for a while.
    init(_ given: UnsafeBufferPointer<WeightedEdge>, rows: Int, execution: Execution) throws {
        let list = try AlignedBuffer<Given>(given.count, for: "the list of edges", execution)
        for (index, edge) in given.enumerated() {
            if index & 0xFFFFF == 0 { try execution.report("edges", 0) }
            try edge.check(index, rows: rows)
            let turned = edge.from > edge.to
            list[index] = Given(
                from: Int32(turned ? edge.to : edge.from), to: Int32(turned ? edge.from : edge.to),
                distance: edge.distance + 0, index: turned ? ~index : index)
        }
        try RadixSort.sort(list.pointer, count: given.count, execution: execution) {
            UInt64(UInt32(bitPattern: $0.from)) << 32 | UInt64(UInt32(bitPattern: $0.to))
        }
        edges = try AlignedBuffer(given.count, for: "the list of edges", execution)
        count = 0
        for place in 0..<given.count {
            if place & 0xFFFFF == 0 { try execution.report() }
            let edge = list[place]
            var distance = edge.distance
            if place > 0, list[place - 1].from == edge.from, list[place - 1].to == edge.to {
                let other = list[place - 1]
                try EdgeList.check(edge, other)
                distance = min(distance, other.distance)
                count -= 1
            }
            edges[count] = WeightedEdge(from: Int64(edge.from), to: Int64(edge.to), distance: distance)
            count += 1
        }
    }

    private static func check(_ edge: Given, _ other: Given) throws {
        let (index, earlier) = (edge.index < 0 ? ~edge.index : edge.index, other.index < 0 ? ~other.index : other.index)
        guard (edge.index < 0) != (other.index < 0) else {
            throw CoveyError.invalidData(
                "edges[\(index)] repeats edges[\(earlier)]: rows \(edge.from) and \(edge.to) are joined twice")
        }
        // Equal up to the rounding of the caller's computation.
        guard abs(edge.distance - other.distance) <= 1e-8 + 1e-5 * max(edge.distance, other.distance) else {
            throw CoveyError.invalidData(
                "edges must be symmetric, got \(other.distance) in edges[\(earlier)] and \(edge.distance) in "
                    + "edges[\(index)] between rows \(edge.from) and \(edge.to)")
        }
    }

    /// Makes the distances mutual reachability: max(core, core, distance / alpha). Throws `invalidData` for core
    /// distances that are not finite or negative, and where a distance divided by alpha overflows.
    func reach(_ cores: UnsafeBufferPointer<Double>, alpha: Double, execution: Execution) throws {
        for (row, core) in cores.enumerated() where !(core.isFinite && core >= 0) {
            throw CoveyError.invalidData("core_distances[\(row)] must be finite and at least 0, got \(core)")
        }
        for place in 0..<count {
            if place & 0xFFFFF == 0 { try execution.report() }
            let edge = edges[place]
            let reach = max(cores[Int(edge.from)], cores[Int(edge.to)], edge.distance / alpha)
            guard reach.isFinite else {
                throw CoveyError.invalidData(
                    "the distance of rows \(edge.from) and \(edge.to) divided by alpha is not finite")
            }
            edges[place].distance = reach
        }
    }
}
