/// `TieOrder` for a few edges, without a graph: their number squared is less than the work of making one.
struct SmallTieOrder {
    static let most = 12

    /// The numbers of the edges in order.
    private(set) var result = InlineArray<12, UInt8>(repeating: 0)
    private var resultCount = 0
    /// The components, the largest first, of equal ones that which the edges name first.
    private var nodes = InlineArray<24, Int32>(repeating: 0)
    private var sizes = InlineArray<24, Int>(repeating: 0)
    private var nodeCount = 0
    /// Each edge's components, by place.
    private var first = InlineArray<12, UInt8>(repeating: 0)
    private var second = InlineArray<12, UInt8>(repeating: 0)
    private var queue = InlineArray<24, UInt8>(repeating: 0)
    private var queued = 0
    private var next = 0
    /// Bit sets of places and of edges.
    private var visited: UInt32 = 0
    private var used: UInt32 = 0

    /// At most `most` edges.
    mutating func order(_ edges: UnsafeBufferPointer<TieOrder.Ends>, sizes size: (Int32) -> Int, _ minClusterSize: Int)
    {
        nodeCount = 0
        queued = 0
        next = 0
        resultCount = 0
        visited = 0
        used = 0
        for edge in edges {
            insert(edge.first, size(edge.first))
            insert(edge.second, size(edge.second))
        }
        for (number, edge) in edges.enumerated() {
            first[number] = place(of: edge.first)
            second[number] = place(of: edge.second)
        }
        var place = 0
        while place < nodeCount, sizes[place] >= minClusterSize {
            visit(UInt8(truncatingIfNeeded: place))
            place += 1
        }
        grow(edges.count)
        while place < nodeCount {
            if visited >> UInt32(place) & 1 == 0 {
                visit(UInt8(truncatingIfNeeded: place))
                grow(edges.count)
            }
            place += 1
        }
        for edge in 0..<edges.count where used >> UInt32(edge) & 1 == 0 { append(edge) }
    }

    private mutating func insert(_ node: Int32, _ size: Int) {
        for place in 0..<nodeCount where nodes[place] == node { return }
        var place = nodeCount
        while place > 0, sizes[place - 1] < size {
            nodes[place] = nodes[place - 1]
            sizes[place] = sizes[place - 1]
            place -= 1
        }
        nodes[place] = node
        sizes[place] = size
        nodeCount += 1
    }

    private func place(of node: Int32) -> UInt8 {
        var place = 0
        while nodes[place] != node { place += 1 }
        return UInt8(truncatingIfNeeded: place)
    }

    private mutating func visit(_ place: UInt8) {
        visited |= 1 << UInt32(place)
        queue[queued] = place
        queued += 1
    }

    private mutating func append(_ edge: Int) {
        used |= 1 << UInt32(edge)
        result[resultCount] = UInt8(truncatingIfNeeded: edge)
        resultCount += 1
    }

    /// Breadth first, as in `TieOrder`.
    private mutating func grow(_ count: Int) {
        while next < queued {
            let place = queue[next]
            next += 1
            for edge in 0..<count where first[edge] == place || second[edge] == place {
                let end = first[edge] == place ? second[edge] : first[edge]
                if visited >> UInt32(end) & 1 != 0 { continue }
                visit(end)
                append(edge)
            }
        }
    }
}
