import CoveyNeighbors
import CoveyRuntime

/// Boruvka's algorithm on mutual reachability that starts from the graph of nearest neighbours.
///
/// An edge that the graph does not hold is no shorter than what lies beyond a row's last neighbour. So a component's best
/// edge in the graph is its best edge of all, unless one of its rows could have a shorter one beyond its list; only such rows
/// are searched for. Components that are certain merge first. Ties may be broken in any way: each component's choice is a
/// shortest edge of its own cut, and an edge that would close a cycle is left out, which keeps the tree minimal.
struct Boruvka {
    private let search: any NeighborSearch
    private let execution: Execution
    private let alpha: Double
    private let cores: [Double]
    private let n: Int
    private let k: Int
    /// Each row's neighbours by ascending mutual reachability, the first that may lie in another component, and the
    /// mutual reachabilities.
    private var indices: [Int32]
    private var reaches: [Double]
    private var next: [Int32]
    /// At most the length of any edge that leaves the row's component and is not in its list.
    private var floors: [Double]
    private var parents: [Int32]
    private var components: [Int32]
    private var componentCount: Int
    private var edges: [SpanningTree.Edge] = []

    init(graph: consuming NeighborGraph, cores: [Double], alpha: Double, search: any NeighborSearch, execution: Execution)
        throws
    {
        n = graph.count
        k = graph.k
        self.search = search
        self.execution = execution
        self.alpha = alpha
        self.cores = cores
        try execution.hold(n, of: 64, for: "the spanning tree")
        indices = graph.indices
        reaches = graph.distances
        graph = NeighborGraph(count: 0, k: 0, indices: [], distances: [])
        next = Array(repeating: 0, count: n)
        floors = Array(repeating: .infinity, count: n)
        parents = (0..<Int32(n)).map { $0 }
        components = parents
        componentCount = n
        edges.reserveCapacity(n - 1)
        try Boruvka.order(&indices, &reaches, &floors, cores, k, alpha, execution)
    }

    /// Turns each row's list from distances to mutual reachabilities, in their order.
    private static func order(
        _ indices: inout [Int32], _ reaches: inout [Double], _ floors: inout [Double], _ cores: [Double], _ k: Int,
        _ alpha: Double, _ execution: Execution
    ) throws {
        let n = cores.count
        try cores.withUnsafeBufferPointer { cores in
            try indices.withUnsafeMutableBufferPointer { indices in
                try reaches.withUnsafeMutableBufferPointer { reaches in
                    try floors.withUnsafeMutableBufferPointer { floors in
                        nonisolated(unsafe) let (cores, indices, reaches, floors) = (cores, indices, reaches, floors)
                        try execution.parallel(n, grain: max(1, 16_384 / k)) { chunk, _ in
                            var list: [Link] = []
                            for i in chunk {
                                let start = i * k
                                if k < n - 1 { floors[i] = max(cores[i], reaches[start + k - 1] / alpha) }
                                list.removeAll(keepingCapacity: true)
                                for slot in start..<start + k {
                                    let j = indices[slot]
                                    let reach = max(cores[i], cores[Int(j)], reaches[slot] / alpha)
                                    list.append(Link(distance: reach, from: Int32(i), to: j))
                                }
                                list.sort { $0 < $1 }
                                for (slot, link) in list.enumerated() {
                                    indices[start + slot] = link.from == Int32(i) ? link.to : link.from
                                    reaches[start + slot] = link.distance
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The edges of a minimum spanning tree.
    /// - Parameter exact: false takes the graph's edges as they come and searches for those components alone that have none.
    mutating func run(exact: Bool = true) throws -> [SpanningTree.Edge] {
        var roundsWithoutSearch = 0
        while componentCount > 1 {
            try execution.report("spanning tree", 1 - Double(componentCount) / Double(n))
            var links = listedLinks()
            var uncertain = [Bool](repeating: false, count: componentCount)
            var searched = [Bool](repeating: false, count: n)
            for i in 0..<n {
                let component = Int(components[i])
                searched[i] = exact ? floors[i] < links[component].distance : links[component] == .none
                if searched[i] { uncertain[component] = true }
            }
            roundsWithoutSearch += 1
            let certain = uncertain.contains(false)
            // Rounds are cheap beside searches, but not free.
            if !certain || roundsWithoutSearch > 64 {
                roundsWithoutSearch = 0
                // The component with the most such rows can wait: the others will find it.
                let largest = Boruvka.mostCommon(components, where: searched, count: componentCount)
                for i in 0..<n where components[i] == largest { searched[i] = false }
                try search.nearestOutside(
                    OutsideQuery(components: components, cores: cores, alpha: alpha, searched: searched), links: &links,
                    execution: execution)
                for component in uncertain.indices { uncertain[component] = component == Int(largest) }
                for i in 0..<n where components[i] != largest {
                    floors[i] = max(floors[i], links[Int(components[i])].distance)
                }
            }
            let before = componentCount
            merge(links, skipping: uncertain)
            if componentCount == before {
                throw CoveyError.internalError("\(before) components have no edge to another")
            }
        }
        return edges
    }

    /// The component that most of the marked rows are in.
    private static func mostCommon(_ components: [Int32], where marked: [Bool], count: Int) -> Int32 {
        var sizes = [Int](repeating: 0, count: count)
        for i in components.indices where marked[i] { sizes[Int(components[i])] += 1 }
        return Int32(sizes.indices.max { (sizes[$0], $1) < (sizes[$1], $0) } ?? 0)
    }

    /// Each component's best edge in the graph.
    private mutating func listedLinks() -> [Link] {
        var links = [Link](repeating: .none, count: componentCount)
        let (n, k) = (n, k)
        indices.withUnsafeBufferPointer { indices in
            reaches.withUnsafeBufferPointer { reaches in
                components.withUnsafeBufferPointer { components in
                    next.withUnsafeMutableBufferPointer { next in
                        links.withUnsafeMutableBufferPointer { links in
                            for i in 0..<n {
                                let component = components[i]
                                var slot = Int(next[i])
                                while slot < k, components[Int(indices[i &* k &+ slot])] == component { slot &+= 1 }
                                next[i] = Int32(slot)
                                guard slot < k else { continue }
                                let link = Link(
                                    distance: reaches[i &* k &+ slot], from: Int32(i), to: indices[i &* k &+ slot])
                                if link < links[Int(component)] { links[Int(component)] = link }
                            }
                        }
                    }
                }
            }
        }
        return links
    }

    private mutating func merge(_ links: [Link], skipping uncertain: [Bool]) {
        for component in 0..<componentCount where !uncertain[component] {
            let link = links[component]
            guard link != .none else { continue }
            let a = root(link.from)
            let b = root(link.to)
            if a == b { continue }
            parents[Int(max(a, b))] = min(a, b)
            edges.append(SpanningTree.Edge(from: link.from, to: link.to, distance: link.distance))
        }
        var numbers = [Int32](repeating: -1, count: n)
        componentCount = 0
        for i in 0..<n {
            let root = Int(root(Int32(i)))
            if numbers[root] < 0 {
                numbers[root] = Int32(componentCount)
                componentCount += 1
            }
            components[i] = numbers[root]
        }
    }

    private mutating func root(_ point: Int32) -> Int32 {
        var point = point
        while parents[Int(point)] != point {
            parents[Int(point)] = parents[Int(parents[Int(point)])]
            point = parents[Int(point)]
        }
        return point
    }
}
