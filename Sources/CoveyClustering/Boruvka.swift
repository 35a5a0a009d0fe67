import CCoveyKernels
import CoveyNeighbors
import CoveyRuntime

/// Boruvka's algorithm on mutual reachability that starts from the lists of nearest neighbours.
///
/// An edge that no list holds is no shorter than what lies beyond a row's last neighbour. So a component's best edge in
/// the lists is its best edge of all, unless one of its rows could have a shorter one beyond its list; only such rows
/// are searched for. Ties may be broken in any way: each component's choice is a shortest edge of its own cut, and an
/// edge that would close a cycle is left out, which keeps the tree minimal.
struct Boruvka {
    private let search: any NeighborSearch
    private let execution: Execution
    private let alpha: Double
    private let lists: NeighborLists
    private let cores: [Double]
    private let n: Int
    private let k: Int
    /// By row: the first listed neighbour that may lie in another component, by ascending mutual reachability.
    private let next: AlignedBuffer<Int32>
    /// At most the length of any edge that leaves the row's component and is not in its list.
    private let floors: AlignedBuffer<Double>
    /// The rows, ascending, whose lists are not used up, and how many there are.
    private let active: AlignedBuffer<Int32>
    private var activeCount: Int
    private var components: [Int32]
    private var searched: [Bool]
    private var componentCount: Int
    private var edges: [SpanningTree.Edge] = []

    /// Rows of one chunk of parallel work.
    private static let grain = 16_384

    /// - Parameters:
    ///   - lists: its distances are there unless none of them, divided by alpha, is above the core distance of its row.
    ///   - cores: by row.
    init(_ lists: NeighborLists, cores: [Double], alpha: Double, search: any NeighborSearch, execution: Execution)
        throws
    {
        n = lists.count
        k = lists.k
        self.lists = lists
        self.search = search
        self.execution = execution
        self.alpha = alpha
        self.cores = cores
        try execution.hold(n, of: 48, for: "the spanning tree")
        next = try AlignedBuffer(n, for: "the spanning tree", execution)
        floors = try AlignedBuffer(n, for: "the spanning tree", execution)
        active = try AlignedBuffer(n, for: "the spanning tree", execution)
        activeCount = n
        components = []
        searched = try execution.array(n) { _ in false }
        componentCount = n
        edges.reserveCapacity(n - 1)
        try order()
        components = try execution.array(n) { Int32(truncatingIfNeeded: $0) }
    }

    /// Orders each row's list by mutual reachability, which replaces the distances.
    private func order() throws {
        let (n, k, alpha, lists, next, floors, active) = (n, k, alpha, lists, next, floors, active)
        try cores.withUnsafeBufferPointer { cores in
            nonisolated(unsafe) let cores = cores.baseAddress!
            try execution.parallel(n, grain: max(1, Boruvka.grain * 8 / k), stage: "spanning tree") { chunk, _ in
                var list: [BestLink] = []
                let reaches = try AlignedBuffer<Double>(k, for: "a list", execution)
                for i in chunk {
                    let indices = lists.indices.pointer + i &* k
                    next[i] = 0
                    active[i] = Int32(truncatingIfNeeded: i)
                    floors[i] = .infinity
                    guard let distances = lists.distances.map({ $0.pointer + i &* k }) else {
                        if k < n - 1 { floors[i] = cores[i] }
                        Boruvka.sort(indices, k, by: cores, atLeast: cores[i], reaches.pointer)
                        continue
                    }
                    if k < n - 1 { floors[i] = max(cores[i], distances[k - 1] / alpha) }
                    list.removeAll(keepingCapacity: true)
                    for slot in 0..<k {
                        let j = indices[slot]
                        let reach = max(cores[i], cores[Int(j)], distances[slot] / alpha)
                        list.append(BestLink(distance: reach, from: Int32(i), to: j))
                    }
                    list.sort { $0 < $1 }
                    for (slot, link) in list.enumerated() {
                        indices[slot] = link.from == Int32(i) ? link.to : link.from
                        distances[slot] = link.distance
                    }
                }
            }
        }
    }

    /// Sorts a list of rows by (core distance or `least`, whatever is greater; number).
    private static func sort(
        _ indices: UnsafeMutablePointer<Int32>, _ k: Int, by cores: UnsafePointer<Double>, atLeast least: Double,
        _ reaches: UnsafeMutablePointer<Double>
    ) {
        for slot in 0..<k { reaches[slot] = max(cores[Int(indices[slot])], least) }
        if k <= Int(CK_LIST) { return ck_list_sort(reaches, indices, Int64(k)) }
        var list = (0..<k).map { BestLink(distance: reaches[$0], from: -1, to: indices[$0]) }
        list.sort { $0 < $1 }
        for slot in 0..<k { indices[slot] = list[slot].to }
    }

    /// The edges of a minimum spanning tree.
    consuming func run() throws -> [SpanningTree.Edge] {
        while componentCount > 1 {
            try execution.report("spanning tree", 1 - Double(componentCount) / Double(n))
            var links = try execution.array(componentCount) { _ in BestLink.none }
            try listLinks(&links)
            var uncertain = try markSearched(links)
            // Rounds are cheap beside searches, but not free: components that are certain merge first where they are
            // many.
            let certain = componentCount - uncertain.count { $0 }
            if certain < componentCount && certain * 4 <= componentCount {
                // The component with the most rows to search for can wait: the others will find it.
                let waiting = try passOverLargest()
                try search.nearestOutside(
                    OutsideQuery(
                        components: components, cores: cores, alpha: alpha, searched: searched, floors: floors),
                    links: &links, execution: execution)
                uncertain = Array(repeating: false, count: componentCount)
                uncertain[waiting] = true
                try raiseFloors(links, except: waiting)
            }
            let before = componentCount
            try merge(links, skipping: uncertain)
            if componentCount == before {
                throw CoveyError.internalError("\(before) components have no edge to another")
            }
        }
        return edges
    }

    /// Each component's best edge in the lists.
    private mutating func listLinks(_ links: inout [BestLink]) throws {
        let (k, lists, next, active, activeCount) = (k, lists, next, active, activeCount)
        let first = componentCount == n
        try components.withUnsafeBufferPointer { components in
            try cores.withUnsafeBufferPointer { cores in
                nonisolated(unsafe) let (components, cores) = (components.baseAddress!, cores.baseAddress!)
                @Sendable func link(_ i: Int) -> BestLink {
                    let slot = i &* k &+ Int(next[i])
                    let j = lists.indices[slot]
                    let reach = lists.distances.map { $0[slot] } ?? max(cores[i], cores[Int(j)])
                    return BestLink(distance: reach, from: Int32(truncatingIfNeeded: i), to: j)
                }
                try links.withUnsafeMutableBufferPointer { links in
                    nonisolated(unsafe) let links = links.baseAddress!
                    try execution.parallel(activeCount, grain: Boruvka.grain) { chunk, _ in
                        for place in chunk {
                            let i = Int(active[place])
                            let component = components[i]
                            let list = lists.indices.pointer + i &* k
                            var slot = Int(next[i])
                            while slot < k, components[Int(list[slot])] == component { slot &+= 1 }
                            next[i] = Int32(truncatingIfNeeded: slot)
                            // Every row is a component of its own.
                            if first { links[i] = link(i) }
                        }
                    }
                    if first { return }
                    var left = 0
                    for place in 0..<activeCount {
                        if place & 0xFFFFF == 0 { try execution.report() }
                        let i = Int(active[place])
                        if next[i] >= k { continue }
                        active[left] = Int32(truncatingIfNeeded: i)
                        left &+= 1
                        let link = link(i)
                        let component = Int(components[i])
                        if link < links[component] { links[component] = link }
                    }
                    self.activeCount = left
                }
            }
        }
    }

    /// Marks the rows that may have a shorter edge than their component's; returns the components that have such rows.
    private mutating func markSearched(_ links: [BestLink]) throws -> [Bool] {
        var uncertain = try execution.array(componentCount) { _ in UInt8(0) }
        let (n, floors, execution) = (n, floors, execution)
        try components.withUnsafeBufferPointer { components in
            try searched.withUnsafeMutableBufferPointer { searched in
                try uncertain.withUnsafeMutableBufferPointer { uncertain in
                    try links.withUnsafeBufferPointer { links in
                        nonisolated(unsafe) let (components, searched, uncertain, links) = (
                            components.baseAddress!, searched.baseAddress!, uncertain.baseAddress!, links.baseAddress!
                        )
                        try execution.parallel(n, grain: Boruvka.grain) { chunk, _ in
                            for i in chunk {
                                let component = Int(components[i])
                                let wanted = floors[i] < links[component].distance
                                searched[i] = wanted
                                if wanted { ck_mark(uncertain + component) }
                            }
                        }
                    }
                }
            }
        }
        return try execution.array(componentCount) { uncertain[$0] != 0 }
    }

    /// Takes the marks from the component that has the most of them; returns that component.
    private mutating func passOverLargest() throws -> Int {
        var counts = try execution.array(componentCount) { _ in Int32(0) }
        let (n, execution) = (n, execution)
        return try components.withUnsafeBufferPointer { components in
            try searched.withUnsafeMutableBufferPointer { searched in
                try counts.withUnsafeMutableBufferPointer { counts in
                    for i in 0..<n {
                        if i & 0xFFFFF == 0 { try execution.report() }
                        if searched[i] { counts[Int(components[i])] &+= 1 }
                    }
                }
                var largest = 0
                for component in counts.indices where counts[component] > counts[largest] { largest = component }
                nonisolated(unsafe) let (components, searched) = (components.baseAddress!, searched.baseAddress!)
                try execution.parallel(n, grain: Boruvka.grain) { chunk, _ in
                    for i in chunk where Int(components[i]) == largest { searched[i] = false }
                }
                return largest
            }
        }
    }

    /// What was searched for has no shorter edge than its component.
    private func raiseFloors(_ links: [BestLink], except largest: Int) throws {
        let floors = floors
        try components.withUnsafeBufferPointer { components in
            try links.withUnsafeBufferPointer { links in
                nonisolated(unsafe) let (components, links) = (components.baseAddress!, links.baseAddress!)
                try execution.parallel(n, grain: Boruvka.grain) { chunk, _ in
                    for i in chunk where Int(components[i]) != largest {
                        floors[i] = max(floors[i], links[Int(components[i])].distance)
                    }
                }
            }
        }
    }

    private mutating func merge(_ links: [BestLink], skipping uncertain: [Bool]) throws {
        let (n, execution) = (n, execution)
        let sets = try DisjointSets(componentCount, execution)
        for component in 0..<componentCount where !uncertain[component] {
            if component & 0x3FFFF == 0 { try execution.report() }
            // One that only rows of uncertain components lead to waits for them.
            guard let link = links[component].link else { continue }
            if sets.join(components[Int(link.from)], components[Int(link.to)]) {
                edges.append(SpanningTree.Edge(from: link.from, to: link.to, distance: link.distance))
            }
        }
        var numbers = try execution.array(componentCount) { _ in Int32(0) }
        componentCount = try numbers.withUnsafeMutableBufferPointer { try sets.number($0, execution) }
        try components.withUnsafeMutableBufferPointer { components in
            try numbers.withUnsafeBufferPointer { numbers in
                nonisolated(unsafe) let (components, numbers) = (components.baseAddress!, numbers.baseAddress!)
                try execution.parallel(n, grain: Boruvka.grain) { chunk, _ in
                    for i in chunk { components[i] = numbers[Int(components[i])] }
                }
            }
        }
    }
}
