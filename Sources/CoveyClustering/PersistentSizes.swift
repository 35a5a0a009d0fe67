import CoveyRuntime

/// How persistent the leaves of the condensed tree are at every smallest size of a cluster, from the tree of the
/// smallest one: PLSCAN (persistent leaves; arXiv 2512.16558), with persistence in sizes.
///
/// A split needs both sides to have min_cluster_size rows. So a cluster stops being a leaf where that exceeds the
/// smaller side of the split that it is born in, and is one from where it exceeds the smaller side of every split below
/// it.
public struct PersistentSizes: Sendable {
    /// Ascending. Just above each of them, leaves change: `sizes[i] + 1` as min_cluster_size gives those leaves.
    public let sizes: [Int]
    /// The sum over the leaves just above a size of how many sizes each is a leaf for.
    public let persistence: [Double]

    /// The size with the largest sum, of equal ones the first; nil if no cluster is ever split.
    public var best: Int? {
        persistence.indices.max { persistence[$0] < persistence[$1] || persistence[$0] == persistence[$1] && $0 > $1 }
            .map { sizes[$0] }
    }

    /// O(clusters log clusters); 64 bytes a cluster meanwhile.
    init(_ tree: CondensedTree, minClusterSize: Int, execution: Execution) throws {
        let clusters = tree.clusters
        try execution.reserve(clusters.count, of: 64, for: "the sizes of \(clusters.count) clusters")
        var births = [Int](repeating: minClusterSize, count: clusters.count)
        var deaths = births
        for node in clusters.indices.reversed() where !clusters[node].isLeaf {
            if node & 0xFFFF == 0 { try execution.check() }
            let first = Int(clusters[node].firstChild)
            let smaller = Int(min(clusters[first].size, clusters[first + 1].size))
            deaths[first] = smaller
            deaths[first + 1] = smaller
            births[node] = max(smaller, births[first], births[first + 1])
        }
        // What begins and ends at each size; the root, which is no leaf but noise and all, is left out.
        var events: [(size: Int, change: Double)] = []
        events.reserveCapacity(2 * max(0, clusters.count - 1))
        for node in clusters.indices.dropFirst() where births[node] < deaths[node] {
            let length = Double(deaths[node] - births[node])
            events.append((births[node], length))
            events.append((deaths[node], -length))
        }
        var compared = 0
        try events.sort { left, right in
            compared &+= 1
            if compared & 0xFFFF == 0 { try execution.check() }
            return left.size < right.size
        }
        var sizes: [Int] = []
        var persistence: [Double] = []
        var sum = 0.0
        for (index, event) in events.enumerated() {
            sum += event.change
            if index + 1 < events.count, events[index + 1].size == event.size { continue }
            sizes.append(event.size)
            persistence.append(sum)
        }
        self.sizes = sizes
        self.persistence = persistence
    }
}
