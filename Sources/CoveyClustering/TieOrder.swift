/// The order in which edges of one length are merged.
///
/// Such edges are removed at once in Campello, Moulavi, Sander 2013, which a tree of pairs cannot express. Any order is
/// correct, but most of them bring forth clusters that die at the distance at which they are born: equal rows, say, whose
/// core distances tie, joined with each other before the rest. So the components that are large enough to be clusters grow
/// first, by one small component at a time, and only then are they joined with each other.
struct TieOrder {
    private let minClusterSize: Int
    /// For each node of the single-linkage tree, its place among the nodes of the group; -1 = none.
    private var places: [Int32]
    private var nodes: [Int32] = []
    private var visited: [Bool] = []
    private var queue: [Int32] = []
    private var used: [Bool] = []

    init(nodeCount: Int, minClusterSize: Int) {
        self.minClusterSize = minClusterSize
        places = [Int32](repeating: -1, count: nodeCount)
    }

    /// The numbers of the edges in the order of merging. `edges` join components (nodes of the tree) and have no cycles.
    /// O(m log m) for m edges; deterministic.
    mutating func order(_ edges: [(first: Int32, second: Int32)], sizes: (Int32) -> Int) -> [Int] {
        collectNodes(edges)
        defer { for node in nodes { places[Int(node)] = -1 } }
        let neighbours = adjacency(edges)
        let bySize = nodes.indices.sorted {
            (sizes(nodes[$1]), nodes[$0]) < (sizes(nodes[$0]), nodes[$1])
        }
        visited = [Bool](repeating: false, count: nodes.count)
        used = [Bool](repeating: false, count: edges.count)
        queue.removeAll(keepingCapacity: true)
        var result: [Int] = []
        result.reserveCapacity(edges.count)
        for place in bySize where sizes(nodes[place]) >= minClusterSize { visit(place) }
        grow(neighbours, &result)
        // Where no component is large enough, they gather around the largest.
        for place in bySize where !visited[place] {
            visit(place)
            grow(neighbours, &result)
        }
        for edge in edges.indices where !used[edge] { result.append(edge) }
        return result
    }

    private mutating func collectNodes(_ edges: [(first: Int32, second: Int32)]) {
        nodes.removeAll(keepingCapacity: true)
        for edge in edges {
            for node in [edge.first, edge.second] where places[Int(node)] < 0 {
                places[Int(node)] = Int32(nodes.count)
                nodes.append(node)
            }
        }
    }

    /// For each place, its edges (in ascending order) and the places at their other ends.
    private struct Adjacency {
        var offsets: [Int]
        var edges: [Int32]
        var ends: [Int32]
    }

    private func adjacency(_ edges: [(first: Int32, second: Int32)]) -> Adjacency {
        var result = Adjacency(
            offsets: [Int](repeating: 0, count: nodes.count + 1),
            edges: [Int32](repeating: 0, count: 2 * edges.count), ends: [Int32](repeating: 0, count: 2 * edges.count))
        for edge in edges {
            result.offsets[Int(places[Int(edge.first)]) + 1] += 1
            result.offsets[Int(places[Int(edge.second)]) + 1] += 1
        }
        for place in nodes.indices { result.offsets[place + 1] += result.offsets[place] }
        var next = result.offsets
        for (number, edge) in edges.enumerated() {
            let ends = (places[Int(edge.first)], places[Int(edge.second)])
            for (own, other) in [ends, (ends.1, ends.0)] {
                result.edges[next[Int(own)]] = Int32(number)
                result.ends[next[Int(own)]] = other
                next[Int(own)] += 1
            }
        }
        return result
    }

    private mutating func visit(_ place: Int) {
        visited[place] = true
        queue.append(Int32(place))
    }

    /// Breadth first from what is queued, by the edges that reach a component not yet visited.
    private mutating func grow(_ neighbours: Adjacency, _ result: inout [Int]) {
        var next = 0
        while next < queue.count {
            let place = Int(queue[next])
            next += 1
            for index in neighbours.offsets[place]..<neighbours.offsets[place + 1] {
                let end = Int(neighbours.ends[index])
                guard !visited[end] else { continue }
                visit(end)
                used[Int(neighbours.edges[index])] = true
                result.append(Int(neighbours.edges[index]))
            }
        }
        queue.removeAll(keepingCapacity: true)
    }
}
