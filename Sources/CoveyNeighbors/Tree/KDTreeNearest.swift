import CoveyRuntime

extension KDTreeSearch {
    public func nearest(_ k: Int, execution: Execution) throws -> NeighborGraph {
        let lists = try lists(k, distances: true, execution: execution)
        return NeighborGraph(
            count: lists.count, k: k,
            indices: try execution.array(lists.count * k) { lists.indices[$0] },
            distances: try execution.array(lists.count * k) { lists.distances![$0] })
    }

    public func lists(_ k: Int, distances: Bool, execution: Execution) throws -> NeighborLists {
        let lists = try NeighborLists(count: rows.count, k: k, distances: distances, execution: execution)
        let rooms = try (0..<execution.threads).map { _ in try LeafLists(k, execution) }
        try execution.parallel(tree.leafCount, grain: KDTreeSearch.grain, stage: "neighbours") { [self] chunk, thread in
            var visited = 0
            for leaf in chunk {
                try execution.check()
                visited += nearest(leaf, rooms[thread])
                keep(leaf, rooms[thread], lists)
            }
            SearchWork.add(visited * KDTree.leafSize * KDTree.leafSize)
        }
        return lists
    }

    /// The number of rows that a search for k neighbours compares with each row, measured on leaves spread over the
    /// tree.
    func looks(_ k: Int, execution: Execution) throws -> Double {
        let sample = min(KDTreeSearch.sampleLeaves, tree.leafCount)
        let visited = try AlignedBuffer<Int>(sample, for: "a sample", execution)
        try execution.parallel(sample, grain: 4) { [self] chunk, _ in
            let room = try LeafLists(k, execution)
            for number in chunk {
                try execution.check()
                visited[number] = nearest(number * (tree.leafCount / sample), room)
            }
        }
        let leaves = (0..<sample).reduce(0) { $0 + visited[$1] }
        return Double(leaves) / Double(sample) * Double(rows.count) / Double(tree.leafCount)
    }

    private static let sampleLeaves = 64

    /// Finds the neighbours of a leaf's points. Returns the number of leaves that it visited.
    private func nearest(_ leaf: Int, _ room: LeafLists) -> Int {
        var visitor = NearestVisitor(self, leaf, room)
        let node = tree.innerCount + leaf
        visitor.visit(node)
        tree.boxTree.walk(
            from: leaf, tree.boxes.pointer + node * 2 * tree.boxed, room.scratch.stack.pointer,
            room.scratch.gaps.pointer,
            &visitor)
        return visitor.visited
    }

    private func keep(_ leaf: Int, _ room: LeafLists, _ lists: NeighborLists) {
        let k = room.k
        let start = Int(tree.starts[leaf])
        let metric = rows.metric
        for place in start..<Int(tree.starts[leaf + 1]) {
            let own = (place - start) * room.slots
            for slot in 0..<k { lists.indices[place * k + slot] = Int32(truncatingIfNeeded: room.places[own + slot]) }
            if let distances = lists.distances {
                for slot in 0..<k { distances[place * k + slot] = metric.distance(reduced: room.reduced[own + slot]) }
            }
            lists.cores[place] = metric.distance(reduced: room.reduced[own + k - 1])
            lists.before[place] = k == 1 ? 0 : metric.distance(reduced: room.reduced[own + k - 2])
        }
    }
}

/// The points of a leaf whose neighbours are searched for.
private struct NearestVisitor: LeafVisitor {
    private let search: KDTreeSearch
    private let tree: KDTree
    private let room: LeafLists
    private let node: Int
    private let start: Int
    private let count: Int
    /// For each point: the reduced distance of its k-th neighbour found so far, and an upper bound of the same in
    /// coordinates.
    private let limits: UnsafeMutablePointer<Double>
    private let bounds: UnsafeMutablePointer<Double>
    private(set) var most = Double.infinity
    private(set) var visited = 0

    init(_ search: KDTreeSearch, _ leaf: Int, _ room: LeafLists) {
        self.search = search
        self.room = room
        tree = search.tree
        node = tree.innerCount + leaf
        start = Int(tree.starts[leaf])
        count = Int(tree.starts[leaf + 1]) - start
        limits = room.scratch.limits.pointer
        bounds = room.scratch.bounds.pointer
        room.clear()
        for i in 0..<KDTree.leafSize {
            bounds[i] = i < count ? .infinity : -.infinity
            limits[i] = .infinity
        }
    }

    @inline(__always)
    func screen(_ first: Int, _ gaps: UnsafePointer<Double>, _ meant: UInt32, _ near: UInt32) -> UInt32 { near }

    @inline(__always)
    func pass(_ gap: Double) {}

    @inline(__always)
    mutating func visit(_ v: Int) {
        visited &+= 1
        let (pairs, sums) = (room.scratch.pairs.pointer, room.scratch.sums.pointer)
        let found = tree.pairs(node, v, bounds, pairs, sums)
        if found == 0 { return }
        let first = Int(tree.starts[v &- tree.innerCount])
        if !search.margin.exact {
            for hit in 0..<found {
                let (i, j) = (Int(pairs[hit]) / KDTree.leafSize, Int(pairs[hit]) % KDTree.leafSize)
                sums[hit] = search.rows.reduced(start &+ i, first &+ j)
            }
        }
        room.offer(found, first: first, own: start)
        let last = room.reduced.pointer + (room.k &- 1)
        most = 0
        for i in 0..<count {
            let limit = last[i &* room.slots]
            if limit < limits[i] {
                limits[i] = limit
                bounds[i] = search.margin.reach(limit)
            }
            if bounds[i] > most { most = bounds[i] }
        }
    }
}
