import CCoveyKernels
import CoveyRuntime

extension KDTreeSearch {
    public func nearestOutside(_ query: OutsideQuery, links: inout [BestLink], execution: Execution) throws {
        try query.components.withUnsafeBufferPointer { components in
            try query.cores.withUnsafeBufferPointer { cores in
                try query.searched.withUnsafeBufferPointer { searched in
                    try links.withUnsafeMutableBufferPointer { links in
                        let round = try OutsideRound(
                            self, query, components.baseAddress!, cores.baseAddress!, searched.baseAddress!,
                            links.baseAddress!, execution)
                        let scratch = try (0..<execution.threads).map { _ in try Scratch(execution) }
                        try execution.parallel(tree.leafCount, grain: KDTreeSearch.grain, stage: "spanning tree") {
                            chunk, thread in
                            var visited = 0
                            for leaf in chunk where round.anySearched[leaf] {
                                try execution.check()
                                visited += round.search(leaf, scratch[thread])
                            }
                            SearchWork.add(visited * KDTree.leafSize * KDTree.leafSize)
                        }
                    }
                }
            }
        }
    }
}

/// A round of Boruvka's algorithm: it finds the shortest edge out of each component, in the tree's numbering.
private final class OutsideRound: @unchecked Sendable {
    let tree: KDTree
    let rows: Rows
    let margin: TreeCoordinates.Margin
    let query: OutsideQuery
    let components: UnsafePointer<Int32>
    let cores: UnsafePointer<Double>
    let searched: UnsafePointer<Bool>
    let links: UnsafeMutablePointer<BestLink>
    let lock = Locks(1)
    /// For each node: the component of all its points or -1, and their smallest core distance.
    let uniform: AlignedBuffer<Int32>
    let leastCore: AlignedBuffer<Double>
    /// One entry for each leaf.
    let anySearched: AlignedBuffer<Bool>

    init(
        _ search: KDTreeSearch, _ query: OutsideQuery, _ components: UnsafePointer<Int32>,
        _ cores: UnsafePointer<Double>,
        _ searched: UnsafePointer<Bool>, _ links: UnsafeMutablePointer<BestLink>, _ execution: Execution
    ) throws {
        tree = search.tree
        rows = search.rows
        margin = search.margin
        self.query = query
        self.components = components
        self.cores = cores
        self.searched = searched
        self.links = links
        uniform = try AlignedBuffer(tree.nodeCount, for: "components", execution)
        leastCore = try AlignedBuffer(tree.nodeCount, for: "components", execution)
        anySearched = try AlignedBuffer(tree.leafCount, for: "components", execution)
        try execution.parallel(tree.leafCount, grain: 4096) { [self] chunk, _ in
            for leaf in chunk {
                let first = Int(tree.starts[leaf])
                var any = false
                var least = Double.infinity
                var component = components[first]
                for p in first..<Int(tree.starts[leaf + 1]) {
                    any = any || searched[p]
                    if cores[p] < least { least = cores[p] }
                    if components[p] != component { component = -1 }
                }
                anySearched[leaf] = any
                uniform[tree.innerCount + leaf] = component
                leastCore[tree.innerCount + leaf] = least
            }
        }
        for v in stride(from: tree.innerCount - 1, through: 0, by: -1) {
            let left = uniform[2 * v + 1]
            uniform[v] = left == uniform[2 * v + 2] ? left : -1
            leastCore[v] = min(leastCore[2 * v + 1], leastCore[2 * v + 2])
        }
    }

    /// Finds the edges from a leaf's points. Returns the number of leaves that it visited.
    func search(_ leaf: Int, _ scratch: KDTreeSearch.Scratch) -> Int {
        var visitor = OutsideVisitor(self, leaf, scratch)
        let node = tree.innerCount + leaf
        if uniform[node] < 0 { visitor.visit(node) }
        tree.boxTree.walk(
            from: leaf, tree.boxes.pointer + node * 2 * tree.boxed, scratch.stack.pointer, scratch.gaps.pointer,
            &visitor)
        guard let floors = query.floors, let floor = visitor.floor else { return visitor.visited }
        for p in Int(tree.starts[leaf])..<Int(tree.starts[leaf + 1]) where searched[p] && floor > floors[p] {
            floors[p] = floor
        }
        return visitor.visited
    }

    /// Offers an edge to a component. Returns true if its link became shorter.
    @inline(__always)
    fileprivate func offer(_ link: BestLink, _ component: Int32) -> Bool {
        let target = links + Int(component)
        lock.lock(0)
        defer { lock.unlock(0) }
        guard link < target.pointee else { return false }
        let lowered = link.distance < target.pointee.distance
        target.pointee.from = link.from
        target.pointee.to = link.to
        ck_store(&target.pointee.distance, link.distance)
        return lowered
    }
}

/// The points of a leaf, for which edges are searched that are at most as long as their components' best edges.
private struct OutsideVisitor: LeafVisitor {
    private let round: OutsideRound
    private let tree: KDTree
    private let scratch: KDTreeSearch.Scratch
    private let node: Int
    private let start: Int
    private let count: Int
    /// The component of all the leaf's points, or -1.
    private let own: Int32
    /// For each point: the longest edge that is wanted, and an upper bound of its reduced distance in coordinates.
    /// -infinity = no edge is wanted.
    private let limits: UnsafeMutablePointer<Double>
    private let bounds: UnsafeMutablePointer<Double>
    private var longest = -Double.infinity
    private(set) var most = -Double.infinity
    /// The smallest gap that was skipped, and whether no leaf was visited.
    private var leastGap = Double.infinity
    private var leastCore = Double.infinity
    private var unseen: Bool { visited == 0 }
    private(set) var visited = 0

    init(_ round: OutsideRound, _ leaf: Int, _ scratch: KDTreeSearch.Scratch) {
        self.round = round
        self.scratch = scratch
        tree = round.tree
        node = tree.innerCount + leaf
        start = Int(tree.starts[leaf])
        count = Int(tree.starts[leaf + 1]) - start
        own = round.uniform[node]
        limits = scratch.limits.pointer
        bounds = scratch.bounds.pointer
        for i in 0..<KDTree.leafSize {
            limits[i] = -.infinity
            bounds[i] = -.infinity
        }
        refresh()
    }

    private mutating func refresh() {
        longest = -.infinity
        most = -.infinity
        var component: Int32 = -1
        var limit = 0.0
        var reach = 0.0
        for i in 0..<count {
            let p = start &+ i
            guard round.searched[p] else { continue }
            if round.components[p] != component {
                component = round.components[p]
                limit = ck_load(&round.links[Int(component)].distance)
                reach = round.margin.reach(round.query.reducedBound(limit, round.rows.metric))
            }
            // An edge is no shorter than the point's own core distance.
            let wanted = limit >= round.cores[p]
            limits[i] = wanted ? limit : -.infinity
            bounds[i] = wanted ? reach : -.infinity
            if wanted && limit > longest { longest = limit }
            if wanted && reach > most { most = reach }
        }
    }

    @inline(__always)
    mutating func screen(_ first: Int, _ gaps: UnsafePointer<Double>, _ meant: UInt32, _ near: UInt32) -> UInt32 {
        var wanted: UInt32 = 0
        var rest = meant
        while rest != 0 {
            let lane = rest.trailingZeroBitCount
            rest &= rest &- 1
            if own >= 0 && round.uniform[first &+ lane] == own { continue }
            if near >> UInt32(lane) & 1 == 0 {
                pass(gaps[lane])
            } else if round.leastCore[first &+ lane] > longest {
                if round.leastCore[first &+ lane] < leastCore { leastCore = round.leastCore[first &+ lane] }
            } else {
                wanted |= 1 << UInt32(lane)
            }
        }
        return wanted
    }

    @inline(__always)
    mutating func pass(_ gap: Double) {
        if gap < leastGap { leastGap = gap }
    }

    @inline(__always)
    mutating func visit(_ v: Int) {
        if round.leastCore[v] > longest {
            leastCore = min(leastCore, round.leastCore[v])
            return
        }
        visited &+= 1
        let (pairs, sums) = (scratch.pairs.pointer, scratch.sums.pointer)
        let found = tree.pairs(node, v, bounds, pairs, sums)
        if found == 0 { return }
        let first = Int(tree.starts[v &- tree.innerCount])
        var lowered = false
        for hit in 0..<found {
            let i = Int(pairs[hit]) / KDTree.leafSize
            let p = start &+ i
            let q = first &+ Int(pairs[hit]) % KDTree.leafSize
            let component = round.components[p]
            if round.components[q] == component || round.cores[q] > limits[i] { continue }
            let reduced = round.margin.exact ? sums[hit] : round.rows.reduced(p, q)
            let distance = round.rows.metric.distance(reduced: reduced) / round.query.alpha
            let reach = max(round.cores[p], round.cores[q], distance)
            if reach > limits[i] { continue }
            let link = BestLink(distance: reach, from: Int32(truncatingIfNeeded: p), to: Int32(truncatingIfNeeded: q))
            if round.offer(link, component) {
                limits[i] = reach
                lowered = true
            }
        }
        if lowered { refresh() }
    }

    /// A lower bound of the length of any edge from this leaf to another component. nil if leaves were visited.
    var floor: Double? {
        guard unseen else { return nil }
        let apart =
            round.rows.metric.distance(reduced: round.margin.shortest(leastGap)) / round.query.alpha * (1 - 0x1p-48)
        // The bound is strict, because the next round must still find an edge of exactly that length.
        return min(apart, leastCore).nextDown
    }
}
