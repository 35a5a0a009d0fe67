import CCoveyKernels
import CoveyNeighbors
import CoveyRuntime

/// The single-linkage tree of mutual reachability, as scipy's linkage matrix: nodes 0..<pointCount are rows, node
/// pointCount + i is merge i, and the last merge is the root.
public struct SingleLinkageTree: Sendable {
    public let pointCount: Int
    /// The two nodes that each merge joins; both are below the merge's own node.
    public let left: [Int32]
    public let right: [Int32]
    /// The distance of each merge, ascending.
    public let distances: [Double]
    /// The rows below each merge, copies counted.
    public let sizes: [Int32]
    /// How many rows each point stands for; nil = one.
    public let copies: RowCopies?

    public var mergeCount: Int { left.count }

    /// The most rows that a tree may have: every node of the trees fits in an Int32.
    public static let largestPointCount = 1 << 30

    /// Merges along the spanning tree's edges, by ascending distance. `minClusterSize` decides between edges of one
    /// length alone (`TieOrder`). Throws `internalError` if the edges are no tree or not ascending. O(n log n) time,
    /// O(n) memory.
    public init(_ spanningTree: SpanningTree, minClusterSize: Int, execution: Execution) throws {
        let points = spanningTree.pointCount
        let count = spanningTree.edges.count
        guard points >= 0, points <= SingleLinkageTree.largestPointCount, count == max(0, points - 1) else {
            throw CoveyError.internalError("a spanning tree of \(points) rows has \(count) edges")
        }
        var left = try execution.array(count) { _ in Int32(0) }
        var right = try execution.array(count) { _ in Int32(0) }
        var sizes = try execution.array(count) { _ in Int32(0) }
        var distances = try execution.array(count) { _ in 0.0 }
        try left.withUnsafeMutableBufferPointer { left in
            try right.withUnsafeMutableBufferPointer { right in
                try sizes.withUnsafeMutableBufferPointer { sizes in
                    try distances.withUnsafeMutableBufferPointer { distances in
                        try spanningTree.edges.withUnsafeBufferPointer { edges in
                            guard points > 1 else { return }
                            let forest = try MergeForest(
                                points: points, copies: spanningTree.copies, ties: spanningTree.ties,
                                left: left.baseAddress!,
                                right: right.baseAddress!,
                                sizes: sizes.baseAddress!, distances: distances.baseAddress!, execution)
                            try forest.merge(edges, minClusterSize: minClusterSize, execution)
                        }
                    }
                }
            }
        }
        pointCount = points
        self.left = left
        self.right = right
        self.sizes = sizes
        self.distances = distances
        copies = spanningTree.copies
    }

    /// The rows below a node.
    @inline(__always)
    func size(of node: Int) -> Int {
        node < pointCount ? copies.map { Int($0.counts[node]) } ?? 1 : Int(sizes[node - pointCount])
    }
}

/// Union-find over rows (by size, with path halving; Tarjan & van Leeuwen 1984) that writes the tree. Unlike
/// `DisjointSets` it keeps each set's node of the tree at its root.
private final class MergeForest {
    private let points: Int
    private let ties: SpanningTree.Ties
    /// The row above; of the uppermost row of a component, ~ its node in the tree.
    private let above: AlignedBuffer<Int32>
    private let copies: RowCopies?
    private let left: UnsafeMutablePointer<Int32>
    private let right: UnsafeMutablePointer<Int32>
    private let sizes: UnsafeMutablePointer<Int32>
    private let distances: UnsafeMutablePointer<Double>
    private var merges = 0

    init(
        points: Int, copies: RowCopies?, ties: SpanningTree.Ties, left: UnsafeMutablePointer<Int32>,
        right: UnsafeMutablePointer<Int32>, sizes: UnsafeMutablePointer<Int32>,
        distances: UnsafeMutablePointer<Double>, _ execution: Execution
    ) throws {
        self.points = points
        self.copies = copies
        self.ties = ties
        self.left = left
        self.right = right
        self.sizes = sizes
        self.distances = distances
        above = try AlignedBuffer(points, for: "single linkage", execution)
        let above = above
        try execution.parallel(points, grain: 65_536) { chunk, _ in
            for row in chunk { above[row] = ~Int32(truncatingIfNeeded: row) }
        }
    }

    func merge(
        _ edges: UnsafeBufferPointer<SpanningTree.Edge>, minClusterSize: Int, _ execution: Execution
    ) throws {
        // Rows are far from each other in memory: those of edges to come are asked for early.
        let ahead = 24
        var order = TieOrder(nodeCount: 2 * points - 1, minClusterSize: minClusterSize, execution: execution)
        var ends: [TieOrder.Ends] = []
        // Repeated rows are edges too; a row that stands for them must be treated alike.
        var edgesOfCopies: [Double: Int] = [:]
        if let copies {
            for (distance, count) in zip(copies.distances, copies.counts) where count > 1 {
                edgesOfCopies[distance, default: 0] += Int(count) - 1
            }
        }
        var start = 0
        var reported = -1
        while start < edges.count {
            if start >> 14 != reported {
                reported = start >> 14
                try execution.report("single linkage", Double(start) / Double(edges.count))
            }
            let distance = edges[start].distance
            guard distance >= (start > 0 ? edges[start - 1].distance : 0) else {
                throw CoveyError.internalError("edge \(start) of the spanning tree is out of order")
            }
            var end = start + 1
            while end < edges.count, edges[end].distance == distance { end += 1 }
            for edge in edges[min(start + ahead, edges.count)..<min(end + ahead, edges.count)] {
                guard edge.from >= 0, edge.to >= 0, edge.from < points, edge.to < points else { continue }
                ck_prefetch(above.pointer + Int(edge.from))
                ck_prefetch(above.pointer + Int(edge.to))
            }
            if end - start == 1 {
                try merge(edges[start])
            } else if distance == .infinity {
                try join(edges, start..<end, largeFirst: true, minClusterSize, execution)
            } else {
                ends.removeAll(keepingCapacity: true)
                try execution.forEach(start..<end) { index in
                    try check(edges[index])
                    ends.append((node(of: Int(edges[index].from)), node(of: Int(edges[index].to))))
                }
                if ties == .components, ends.count + (edgesOfCopies[distance] ?? 0) <= SmallTieOrder.most,
                    joinsClusters(ends, minClusterSize, before: distance)
                {
                    try join(edges, start..<end, largeFirst: false, minClusterSize, execution)
                } else {
                    try ends.withUnsafeBufferPointer { ends in
                        try order.order(ends, sizes: { [self] in size(of: $0, before: distance) }) {
                            try merge(edges[start + $0])
                        }
                    }
                }
            }
            start = end
        }
    }

    /// Whether edges of one length join several components that are large enough to be clusters, and no two of these
    /// have the same size and height. Between two that have, only the order of the edges can decide which comes first.
    private func joinsClusters(
        _ ends: [TieOrder.Ends], _ minClusterSize: Int, before distance: Double
    ) -> Bool {
        var large: [Int32] = []
        for end in ends {
            for node in [end.first, end.second]
            where size(of: node, before: distance) >= minClusterSize && !large.contains(node) {
                for other in large
                where !comesFirst(node, other, at: distance) && !comesFirst(other, node, at: distance) {
                    return false
                }
                large.append(node)
            }
        }
        return large.count > 1
    }

    /// Merges components that edges of one length join, in an order that is the same for every minimum spanning tree of
    /// the rows: which components these edges join follows from the rows, which edges do it does not.
    ///
    /// In each connected set the largest component takes those that are too small to be clusters, and then the others
    /// by size. With `largeFirst`, for the parts of a graph that is not connected, the small ones come last: they leave
    /// the root at lambda 0, and no cluster takes them.
    private func join(
        _ edges: UnsafeBufferPointer<SpanningTree.Edge>, _ range: Range<Int>, largeFirst: Bool, _ minClusterSize: Int,
        _ execution: Execution
    ) throws {
        let distance = edges[range.lowerBound].distance
        var parts: [(node: Int32, row: Int32, set: Int)] = []
        try execution.forEach(range) { index in
            try check(edges[index])
            for row in [edges[index].from, edges[index].to] { parts.append((node(of: Int(row)), row, 0)) }
        }
        parts.sort { ($0.node, $0.row) < ($1.node, $1.row) }
        var places: [Int32: Int] = [:]
        var chosen: [(node: Int32, row: Int32, set: Int)] = []
        for part in parts where chosen.last?.node != part.node {
            places[part.node] = chosen.count
            chosen.append((part.node, part.row, chosen.count))
        }
        func root(_ place: Int) -> Int {
            var place = place
            while chosen[place].set != place {
                chosen[place].set = chosen[chosen[place].set].set
                place = chosen[place].set
            }
            return place
        }
        for index in range {
            let first = root(places[node(of: Int(edges[index].from))] ?? 0)
            let second = root(places[node(of: Int(edges[index].to))] ?? 0)
            guard first != second else {
                throw CoveyError.internalError(
                    "the edge of the spanning tree from \(edges[index].from) to \(edges[index].to) closes a cycle")
            }
            chosen[max(first, second)].set = min(first, second)
        }
        for place in chosen.indices { chosen[place].set = root(place) }
        chosen.sort {
            if $0.set != $1.set { return $0.set < $1.set }
            return comesFirst($0.node, $1.node, at: distance)
                || !comesFirst($1.node, $0.node, at: distance) && $0.row < $1.row
        }
        var start = 0
        while start < chosen.count {
            var end = start + 1
            while end < chosen.count, chosen[end].set == chosen[start].set { end += 1 }
            let others = chosen[start + 1..<end]
            let firstSmall =
                others.firstIndex {
                    size(of: $0.node, before: distance) < minClusterSize
                } ?? end
            let (large, small) = (others[..<firstSmall], others[firstSmall...])
            for part in largeFirst ? large + small : small + large {
                try merge(
                    SpanningTree.Edge(from: chosen[start].row, to: part.row, distance: distance)
                )
            }
            start = end
        }
    }

    /// Whether a node is the left one of two: the larger one, and of equal ones the one that is complete at a shorter
    /// distance. Neither depends on the choice among edges of one length, so that every minimum spanning tree of the
    /// same rows numbers its clusters alike.
    @inline(__always)
    private func comesFirst(_ a: Int32, _ b: Int32, at distance: Double) -> Bool {
        let (sizeA, sizeB) = (size(of: a, before: distance), size(of: b, before: distance))
        return sizeA != sizeB ? sizeA > sizeB : height(of: a) < height(of: b)
    }

    /// The distance at which a node was merged; of a row without copies 0.
    @inline(__always)
    private func height(of node: Int32) -> Double {
        Int(node) < points ? copies?.distances[Int(node)] ?? 0 : distances[Int(node) &- points]
    }

    @inline(__always)
    private func check(_ edge: SpanningTree.Edge) throws {
        guard edge.from >= 0, edge.to >= 0, edge.from < points, edge.to < points else {
            throw CoveyError.internalError(
                "an edge of the spanning tree from \(edge.from) to \(edge.to) is out of range")
        }
    }

    @inline(__always)
    private func merge(_ edge: SpanningTree.Edge) throws {
        try check(edge)
        let first = root(of: Int(edge.from))
        let second = root(of: Int(edge.to))
        // A cycle; and more merges than there is room for would need one.
        guard first != second else {
            throw CoveyError.internalError(
                "the edge of the spanning tree from \(edge.from) to \(edge.to) closes a cycle")
        }
        let a = ~above[first]
        let b = ~above[second]
        let turned = ties == .components && comesFirst(b, a, at: edge.distance)
        left[merges] = turned ? b : a
        right[merges] = turned ? a : b
        distances[merges] = edge.distance
        let (sizeA, sizeB) = (size(of: a), size(of: b))
        sizes[merges] = Int32(truncatingIfNeeded: sizeA &+ sizeB)
        let (upper, lower) = sizeA >= sizeB ? (first, second) : (second, first)
        above[lower] = Int32(truncatingIfNeeded: upper)
        above[upper] = ~Int32(truncatingIfNeeded: points &+ merges)
        merges &+= 1
    }

    @inline(__always)
    private func size(of node: Int32) -> Int {
        Int(node) < points ? copies.map { Int($0.counts[Int(node)]) } ?? 1 : Int(sizes[Int(node) &- points])
    }

    /// The rows of a node that are joined below a distance: copies join one by one like other rows.
    @inline(__always)
    private func size(of node: Int32, before distance: Double) -> Int {
        guard Int(node) < points, let copies else { return size(of: node) }
        return copies.distances[Int(node)] < distance ? Int(copies.counts[Int(node)]) : 1
    }

    @inline(__always)
    private func node(of row: Int) -> Int32 { ~above[root(of: row)] }

    @inline(__always)
    private func root(of start: Int) -> Int {
        var row = start
        while true {
            let next = above[row]
            if next < 0 { return row }
            let after = above[Int(next)]
            if after < 0 { return Int(next) }
            above[row] = after
            row = Int(after)
        }
    }
}
