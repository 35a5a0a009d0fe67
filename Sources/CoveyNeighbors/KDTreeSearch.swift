import CoveyRuntime

/// Exact search by a k-d tree, for few dimensions. Queries go by leaves: the points of a leaf look together, first at home, then up
/// the tree. Cost: typically O(n log n). Memory: about 16 + 24 d bytes a row, 12 bytes a neighbour.
public final class KDTreeSearch: NeighborSearch, @unchecked Sendable {
    public let rows: Rows
    let tree: KDTree

    public init(_ rows: Rows, execution: Execution) throws {
        self.rows = rows
        tree = try KDTree(
            count: rows.count, dimension: rows.dimension, manhattan: rows.metric == .manhattan, execution: execution
        ) { rows.copy($0, to: $1) }
    }

    /// One thread's room for a leaf's queries.
    private final class Scratch {
        let stack: AlignedBuffer<KDTree.Entry>
        let distances: AlignedBuffer<Double>
        let hits: AlignedBuffer<UInt8>
        let query: AlignedBuffer<Double>
        let bounds: AlignedBuffer<Double>
        let reduced: AlignedBuffer<Double>

        init(_ dimension: Int, _ execution: Execution) throws {
            stack = try AlignedBuffer(KDTree.stackSize, for: "a leaf", execution)
            distances = try AlignedBuffer(KDTree.leafSize, for: "a leaf", execution)
            hits = try AlignedBuffer(KDTree.leafSize + 8, for: "a leaf", execution)
            query = try AlignedBuffer(KDTree.leafSize * dimension, for: "a leaf", execution)
            bounds = try AlignedBuffer(KDTree.leafSize, for: "a leaf", execution)
            reduced = try AlignedBuffer(KDTree.leafSize, for: "a leaf", execution)
        }
    }

    /// The points of a leaf by rows.
    private func load(_ leaf: Int, _ scratch: Scratch) {
        let d = tree.dimension
        let points = tree.points.pointer + leaf * KDTree.leafSize * d
        for i in 0..<KDTree.leafSize {
            for c in 0..<d { scratch.query[i * d + c] = points[c * KDTree.leafSize + i] }
        }
    }

    /// The leaf itself, then the subtrees beside its path to the root.
    @inline(__always)
    private func climb(
        _ leaf: Int, _ stack: UnsafeMutablePointer<KDTree.Entry>, enter: (Int, Double) -> Bool, visit: (Int) -> Void
    ) {
        var v = tree.innerCount + leaf
        let low = tree.boxes.pointer + v * 2 * tree.dimension
        let high = low + tree.dimension
        if enter(v, 0) { visit(v) }
        while v > 0 {
            let sibling = v & 1 == 1 ? v + 1 : v - 1
            tree.descend(sibling, low, high, stack: stack, enter: enter, visit: visit)
            v = (v - 1) / 2
        }
    }

    public func nearest(_ k: Int, execution: Execution) throws -> NeighborGraph {
        let n = rows.count
        let places = try checkedProduct(n, k, "neighbours")
        try execution.hold(places, of: 12, for: "\(n) x \(k) neighbours")
        var graph = NeighborGraph(
            count: n, k: k, indices: Array(repeating: .max, count: places),
            distances: Array(repeating: .infinity, count: places))
        let scratch = try (0..<execution.threads).map { _ in try Scratch(tree.dimension, execution) }
        try graph.distances.withUnsafeMutableBufferPointer { distances in
            try graph.indices.withUnsafeMutableBufferPointer { indices in
                nonisolated(unsafe) let (distances, indices) = (distances.baseAddress!, indices.baseAddress!)
                try execution.parallel(tree.leafCount, grain: 8, stage: "neighbours") { [self] chunk, thread in
                    for leaf in chunk {
                        try execution.check()
                        nearest(leaf, k, distances, indices, scratch[thread])
                    }
                }
            }
        }
        return graph
    }

    private func nearest(
        _ leaf: Int, _ k: Int, _ distances: UnsafeMutablePointer<Double>, _ indices: UnsafeMutablePointer<Int32>,
        _ scratch: Scratch
    ) {
        let tree = self.tree
        let d = tree.dimension
        let node = tree.innerCount + leaf
        let start = Int(tree.starts[node])
        let count = Int(tree.ends[node]) - start
        load(leaf, scratch)
        let (bounds, hits, found) = (scratch.bounds.pointer, scratch.hits.pointer, scratch.distances.pointer)
        for i in 0..<count { bounds[i] = .infinity }
        var most = Double.infinity
        climb(leaf, scratch.stack.pointer, enter: { _, gap in gap <= most }) { v in
            let first = Int(tree.starts[v])
            most = 0
            for i in 0..<count {
                let query = scratch.query.pointer + i &* d
                if v == node || tree.gap(query, query, to: v) <= bounds[i] {
                    let row = Int(tree.order[start &+ i])
                    let heap = NearestHeap(distances: distances + row &* k, indices: indices + row &* k, k: k)
                    let number = tree.scan(v, query, bounds[i], found, hits)
                    for hit in 0..<number {
                        let j = Int(hits[hit])
                        if v == node && j == i { continue }
                        _ = heap.push(found[j], tree.order[first &+ j])
                    }
                    bounds[i] = heap.distances[0]
                }
                if bounds[i] > most { most = bounds[i] }
            }
        }
        let metric = rows.metric
        for i in 0..<count {
            let row = Int(tree.order[start + i])
            NearestHeap(distances: distances + row * k, indices: indices + row * k, k: k).sort()
            for slot in row * k..<(row + 1) * k { distances[slot] = metric.distance(reduced: distances[slot]) }
        }
    }

    public func nearestOutside(_ query: OutsideQuery, links: inout [Link], execution: Execution) throws {
        let round = try Round(tree, query, execution)
        let scratch = try (0..<execution.threads).map { _ in try Scratch(tree.dimension, execution) }
        try links.withUnsafeMutableBufferPointer { links in
            nonisolated(unsafe) let links = links.baseAddress!
            try execution.parallel(tree.leafCount, grain: 8, stage: "spanning tree") { [self] chunk, thread in
                for leaf in chunk where round.anySearched[leaf] {
                    try execution.check()
                    outside(leaf, round, links, scratch[thread])
                }
            }
        }
    }

    /// A round's components by place and by node.
    private final class Round: @unchecked Sendable {
        let query: OutsideQuery
        let components: AlignedBuffer<Int32>
        let cores: AlignedBuffer<Double>
        let searched: AlignedBuffer<Bool>
        /// By node: the component of all its points or -1, and their least core distance.
        let uniform: AlignedBuffer<Int32>
        let leastCore: AlignedBuffer<Double>
        let anySearched: AlignedBuffer<Bool>
        let lock = Locks(1)

        init(_ tree: KDTree, _ query: OutsideQuery, _ execution: Execution) throws {
            self.query = query
            components = try AlignedBuffer(tree.count, for: "components", execution)
            cores = try AlignedBuffer(tree.count, for: "components", execution)
            searched = try AlignedBuffer(tree.count, for: "components", execution)
            uniform = try AlignedBuffer(tree.nodeCount, for: "components", execution)
            leastCore = try AlignedBuffer(tree.nodeCount, for: "components", execution)
            anySearched = try AlignedBuffer(tree.leafCount, for: "components", execution)
            try execution.parallel(tree.leafCount, grain: 256) { [self] chunk, _ in
                for leaf in chunk {
                    let node = tree.innerCount + leaf
                    var any = false
                    var least = Double.infinity
                    var component = query.components[Int(tree.order[Int(tree.starts[node])])]
                    for p in Int(tree.starts[node])..<Int(tree.ends[node]) {
                        let row = Int(tree.order[p])
                        components[p] = query.components[row]
                        cores[p] = query.cores[row]
                        searched[p] = query.searched[row]
                        any = any || searched[p]
                        least = min(least, cores[p])
                        if components[p] != component { component = -1 }
                    }
                    anySearched[leaf] = any
                    uniform[node] = component
                    leastCore[node] = least
                }
            }
            for v in stride(from: tree.innerCount - 1, through: 0, by: -1) {
                let left = uniform[2 * v + 1]
                uniform[v] = left == uniform[2 * v + 2] ? left : -1
                leastCore[v] = min(leastCore[2 * v + 1], leastCore[2 * v + 2])
            }
        }
    }

    private func outside(_ leaf: Int, _ round: Round, _ links: UnsafeMutablePointer<Link>, _ scratch: Scratch) {
        let tree = self.tree
        let metric = rows.metric
        let d = tree.dimension
        let node = tree.innerCount + leaf
        let start = Int(tree.starts[node])
        let count = Int(tree.ends[node]) - start
        let own = round.uniform[node]
        let (bounds, reduced) = (scratch.bounds.pointer, scratch.reduced.pointer)
        let (hits, found) = (scratch.hits.pointer, scratch.distances.pointer)
        load(leaf, scratch)
        var most = -Double.infinity
        var mostReduced = -Double.infinity
        func refresh() {
            most = -.infinity
            mostReduced = -.infinity
            round.lock.lock(0)
            for i in 0..<count {
                let p = start &+ i
                let bound = round.searched[p] ? links[Int(round.components[p])].distance : -.infinity
                bounds[i] = bound >= round.cores[p] ? bound : -.infinity
                most = max(most, bounds[i])
            }
            round.lock.unlock(0)
            for i in 0..<count {
                reduced[i] = bounds[i] == -.infinity ? -.infinity : round.query.reducedBound(bounds[i], metric)
                mostReduced = max(mostReduced, reduced[i])
            }
        }
        refresh()
        climb(
            leaf, scratch.stack.pointer,
            enter: { v, gap in
                gap <= mostReduced && round.leastCore[v] <= most && (own < 0 || round.uniform[v] != own)
            }
        ) { v in
            let first = Int(tree.starts[v])
            var lowered = false
            for i in 0..<count where reduced[i] >= 0 {
                let p = start &+ i
                let component = round.components[p]
                if round.uniform[v] == component || round.leastCore[v] > bounds[i] { continue }
                let query = scratch.query.pointer + i &* d
                if tree.gap(query, query, to: v) > reduced[i] { continue }
                let number = tree.scan(v, query, reduced[i], found, hits)
                var best = Link(distance: bounds[i], from: .max, to: .max)
                for hit in 0..<number {
                    let j = Int(hits[hit])
                    let q = first &+ j
                    if round.components[q] == component || round.cores[q] > best.distance { continue }
                    let distance = metric.distance(reduced: found[j]) / round.query.alpha
                    let link = Link(
                        distance: max(round.cores[p], round.cores[q], distance), from: tree.order[p], to: tree.order[q])
                    if link < best { best = link }
                }
                if best.from == .max { continue }
                round.lock.lock(0)
                if best < links[Int(component)] {
                    links[Int(component)] = best
                    lowered = true
                }
                round.lock.unlock(0)
            }
            if lowered { refresh() }
        }
    }
}
