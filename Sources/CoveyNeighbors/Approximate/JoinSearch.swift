import CCoveyKernels
import CoveyRuntime

/// Components of rows that must be joined. Rows are numbered by their places in an `ApproximateSearch`.
public struct JoinQuery: Sendable {
    /// Each place's component, 0..<number of links.
    public let components: [Int32]
    /// Each place's core distance.
    public let cores: [Double]
    /// Mutual reachability is max(core, core, distance / alpha).
    public let alpha: Double
    /// The graph of near rows: k places for each row.
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

/// One search for short edges between components. Neighbours of neighbours give the edges between components that
/// touch. The rows that are likely to be nearest to another component's cells give the edges between components that
/// are far apart. The result is the best of a fixed set of edges, whatever the order in which threads find them.
final class JoinSearch: @unchecked Sendable {
    let index: CellIndex
    let packed: CompactRows
    let query: JoinQuery
    let execution: Execution
    private let links: UnsafeMutableBufferPointer<BestLink>
    /// The links when this part of the search began. Only shorter edges count.
    private(set) var before: [BestLink]
    /// The best edges that each thread has found.
    let found: [AlignedBuffer<BestLink>]
    /// The largest error of float32 products, as a share of the rows' |x|^2.
    let error: Double
    /// For each cell: the component of all its rows or -1, and the longest link of its rows.
    let uniform: AlignedBuffer<Int32>
    let longest: AlignedBuffer<Double>
    /// For each cell: the 10 % and the 90 % quantile of its rows' core distances. A short edge is searched for from its
    /// sparser end, so that the many dense rows need no search.
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

    /// - Parameter isQuick: whether the second look at far components is left out, unless a component has no link yet.
    func run(isQuick: Bool) throws {
        for own in found { own.pointer.update(from: before, count: before.count) }
        try lookAtNeighbours()
        // If the links are already near the shortest ones, the second part has little to compare.
        for effort in [Effort.little, .much] {
            if isQuick, effort.isMuch {
                gather()
                if links.allSatisfy({ $0.link != nil }) { return }
            }
            try settle()
            try lookAcross(effort)
        }
        gather()
    }

    /// Makes the edges found so far the links that the next part of the search must shorten.
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

    /// Merges the threads' best edges, for the caller and for each thread.
    private func gather() {
        for component in links.indices {
            for own in found where own[component] < links[component] { links[component] = own[component] }
            for own in found { own[component] = links[component] }
        }
    }

    /// An upper bound, in the packed rows' scale, of the distance of pairs with this mutual reachability.
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
                    // The last rows that were compared, so that most repeats are skipped.
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

    /// Offers the edge between places p and q to both of their components.
    /// - Parameters:
    ///   - links: the best edges that this thread has found.
    ///   - square: a lower bound of their squared distance in the packed rows' scale.
    @inline(__always)
    func consider(_ p: Int, _ q: Int, _ links: AlignedBuffer<BestLink>, atLeast square: Double = 0) {
        let (first, second) = (Int(query.components[p]), Int(query.components[q]))
        let floor = max(query.cores[p], query.cores[q])
        // Compares with the links from before this part of the search, so that the outcome does not depend on what
        // other threads have found since.
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
