import CoveyNeighbors
import CoveyRuntime

/// Disjoint sets of the numbers 0..<count, by union-find with path halving (Tarjan & van Leeuwen 1984).
///
/// The root of a set is its smallest number, so that roots do not depend on the order in which sets were joined.
struct DisjointSets {
    private let parents: AlignedBuffer<Int32>

    /// Each number is a set of its own.
    init(_ count: Int, _ execution: Execution) throws {
        parents = try AlignedBuffer(count, for: "disjoint sets", execution)
        try reset(execution)
    }

    /// Makes each number a set of its own again.
    func reset(_ execution: Execution) throws {
        let parents = parents
        try execution.parallel(parents.count, grain: 65_536) { chunk, _ in
            for element in chunk { parents[element] = Int32(truncatingIfNeeded: element) }
        }
    }

    /// The smallest number of the set that holds `element`.
    @inline(__always)
    func root(_ element: Int32) -> Int32 {
        var element = element
        while true {
            let parent = parents[Int(element)]
            if parent == element { return element }
            let next = parents[Int(parent)]
            parents[Int(element)] = next
            element = next
        }
    }

    /// Joins the sets of two numbers. Returns false if they are in the same set already.
    @inline(__always)
    func join(_ first: Int32, _ second: Int32) -> Bool {
        let (a, b) = (root(first), root(second))
        if a == b { return false }
        parents[Int(max(a, b))] = min(a, b)
        return true
    }

    /// Writes the number of each element's set, and returns the number of sets. Sets are numbered by their roots.
    func number(_ numbers: UnsafeMutableBufferPointer<Int32>, _ execution: Execution) throws -> Int {
        var count: Int32 = 0
        for element in 0..<parents.count {
            if element & 0x3FFFF == 0 { try execution.report() }
            let root = Int(root(Int32(truncatingIfNeeded: element)))
            // A root comes before the other elements of its set.
            if root == element {
                numbers[element] = count
                count += 1
            } else {
                numbers[element] = numbers[root]
            }
        }
        return Int(count)
    }
}
