import CCoveyKernels
import CoveyRuntime

/// Components of rows that are to be joined. Rows are numbered by their places in an `ApproximateSearch`.
public struct JoinQuery: Sendable {
    /// Each place's component, 0..<number of links.
    public let components: [Int32]
    /// Each place's core distance.
    public let cores: [Double]
    /// Mutual reachability is max(core, core, distance / alpha).
    public let alpha: Double
    /// The graph of near rows: k places each.
    public let neighbours: [Int32]
    public let k: Int

    public init(components: [Int32], cores: [Double], alpha: Double, neighbours: [Int32], k: Int) {
        self.components = components
        self.cores = cores
        self.alpha = alpha
        self.neighbours = neighbours
        self.k = k
    }
}

/// One search for short edges between components: by neighbours of neighbours, which finds those that cross a border, and by
/// the rows that are likely to be nearest to another component's cells, which finds those that cross a gap.
/// Edges are the best of a fixed set, whatever the order in which threads come across them.
final class JoinSearch: @unchecked Sendable {
    let index: CellIndex
    let packed: CompactRows
    let query: JoinQuery
    let execution: Execution
    private let links: UnsafeMutableBufferPointer<BestLink>
    /// The links as this part of the search began: what must be beaten.
    private(set) var before: [BestLink]
    /// What each thread found so far.
    let found: [AlignedBuffer<BestLink>]
    /// What float32 products may err by, as a share of the rows' |x|^2.
    let error: Double
    /// By cell: the component of all its rows or -1, the longest link of its rows.
    let uniform: AlignedBuffer<Int32>
    let longest: AlignedBuffer<Double>
    /// By cell: the core distance that a tenth of its rows are below, and the one that a tenth are above. A short edge is found
    /// from its end in the sparser place, which keeps the many dense rows from being searched for.
    let dense: AlignedBuffer<Double>
    let sparse: AlignedBuffer<Double>

    init(_ index: CellIndex, _ query: JoinQuery, _ links: UnsafeMutableBufferPointer<BestLink>, _ execution: Execution)
        throws
    {
        self.index = index
        self.query = query
        self.execution = execution
        self.links = links
        packed = index.packed
        before = Array(links)
        found = try (0..<execution.threads).map { _ in try AlignedBuffer(links.count, for: "links", execution) }
        error = (1.2 * Double(packed.stride) + 24) * 0x1p-24
        uniform = try AlignedBuffer(index.count, for: "cells", execution)
        longest = try AlignedBuffer(index.count, for: "cells", execution)
        dense = try AlignedBuffer(index.count, for: "cells", execution)
        sparse = try AlignedBuffer(index.count, for: "cells", execution)
        try execution.parallel(index.count, grain: 16) { [self] chunk, _ in
            for cell in chunk {
                let places = index.places(cell)
                var component: Int32 = places.isEmpty ? 0 : query.components[places.lowerBound]
                for p in places where query.components[p] != component { component = -1 }
                uniform[cell] = component
                let cores = places.map { query.cores[$0] }.sorted()
                dense[cell] = cores.isEmpty ? 0 : cores[cores.count / 10]
                sparse[cell] = cores.isEmpty ? 0 : cores[cores.count * 9 / 10]
            }
        }
    }

    func run() throws {
        for own in found { own.pointer.update(from: before, count: before.count) }
        try lookAtNeighbours()
        // Links that are nearly the shortest leave the second part little to look at.
        for effort in [Effort.little, .much] {
            try settle()
            try lookAcross(effort)
        }
        gather()
    }

    /// What was found so far is what the next part of the search must beat.
    private func settle() throws {
        gather()
        before = Array(links)
        try execution.parallel(index.count, grain: 16) { [self] chunk, _ in
            for cell in chunk {
                longest[cell] = index.places(cell).reduce(-.infinity) {
                    max($0, before[Int(query.components[$1])].distance)
                }
            }
        }
    }

    /// The best of what the threads found, for the caller and for each of them.
    private func gather() {
        for component in links.indices {
            for own in found where own[component] < links[component] { links[component] = own[component] }
            for own in found { own[component] = links[component] }
        }
    }

    /// A distance in the packed rows' scale within which pairs of this mutual reachability lie.
    @inline(__always)
    func reach(_ mutual: Double) -> Double { mutual * query.alpha * packed.scale * (1 + 1e-6) }

    // MARK: - Borders

    private func lookAtNeighbours() throws {
        let (n, k) = (index.packed.count, query.k)
        let border = try AlignedBuffer<Bool>(n, for: "borders", execution)
        try query.neighbours.withUnsafeBufferPointer { neighbours in
            try query.components.withUnsafeBufferPointer { components in
                nonisolated(unsafe) let (neighbours, components) = (neighbours, components)
                try execution.parallel(n, grain: 4096) { chunk, _ in
                    for p in chunk {
                        let own = components[p]
                        var other = false
                        for slot in p * k..<(p + 1) * k { other = other || components[Int(neighbours[slot])] != own }
                        border[p] = other
                    }
                }
                try execution.parallel(n, grain: 1024) { [self] chunk, thread in
                    // The rows looked at last, so that most repeats are seen.
                    let recent = try AlignedBuffer<Int32>(256, for: "candidates", execution)
                    for p in chunk {
                        if p & 63 == 0 { try execution.report() }
                        let own = components[p]
                        recent.pointer.update(repeating: -1, count: 256)
                        for slot in p * k..<(p + 1) * k {
                            let middle = Int(neighbours[slot])
                            guard border[middle] || components[middle] != own else { continue }
                            for second in middle * k..<(middle + 1) * k {
                                let q = neighbours[second]
                                if components[Int(q)] == own || recent[Int(q & 255)] == q { continue }
                                recent[Int(q & 255)] = q
                                consider(p, Int(q), found[thread])
                            }
                        }
                    }
                }
            }
        }
    }

    // MARK: - Offers

    /// Offers the edge of places p and q, of two components, to both.
    /// - Parameters:
    ///   - links: what the thread found so far.
    ///   - square: at most their squared distance in the packed rows' scale.
    @inline(__always)
    func consider(_ p: Int, _ q: Int, _ links: AlignedBuffer<BestLink>, atLeast square: Double = 0) {
        let (first, second) = (Int(query.components[p]), Int(query.components[q]))
        let floor = max(query.cores[p], query.cores[q])
        // Judged by the links before this part of the search, so that it does not matter what was found meanwhile.
        if floor > max(before[first].distance, before[second].distance) { return }
        let best = BestLink(distance: floor, from: Int32(p), to: Int32(q))
        if !(best < links[first]) && !(best < links[second]) { return }
        let bound = max(links[first].distance, links[second].distance)
        if square > 0 && square > reach(bound) * reach(bound) { return }
        let rows = packed.rows
        let reduced = rows.reduced(Int(index.order[p]), Int(index.order[q]))
        let link = BestLink(
            distance: max(floor, rows.metric.distance(reduced: reduced) / query.alpha), from: Int32(p), to: Int32(q))
        if link < links[first] { links[first] = link }
        if link < links[second] { links[second] = link }
    }
}
