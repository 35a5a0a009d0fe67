import CoveyRuntime

/// A structure over rows that answers the two questions of HDBSCAN: each row's nearest neighbours, and each component's
/// shortest edge to another component by mutual reachability.
public protocol NeighborSearch: Sendable {
    /// The rows in the order in which the search numbers them.
    var rows: Rows { get }

    /// Row i of `rows` is row order[i] of the rows for which the search was made. nil = row i.
    var order: AlignedBuffer<Int32>? { get }

    /// The k nearest other rows of each row, 1 <= k < rows.count.
    func nearest(_ k: Int, execution: Execution) throws -> NeighborGraph

    /// The same, but only what a spanning tree of mutual reachability needs.
    /// - Parameter distances: whether the distances are wanted.
    func lists(_ k: Int, distances: Bool, execution: Execution) throws -> NeighborLists

    /// Replaces `links` by the best edges from searched rows to other components. Edges as good as the given ones are
    /// found as well, so that the outcome depends on neither order nor threads.
    func nearestOutside(_ query: OutsideQuery, links: inout [BestLink], execution: Execution) throws
}

extension NeighborSearch {
    public var order: AlignedBuffer<Int32>? { nil }

    public func lists(_ k: Int, distances: Bool, execution: Execution) throws -> NeighborLists {
        try NeighborLists(nearest(k, execution: execution), distances: distances, execution: execution)
    }
}

/// The best edge of mutual reachability that a search has found for a component. There may be none yet. Trees are made
/// of `Link`s, which always exist.
public struct BestLink: Sendable, Equatable, BitwiseCopyable {
    /// Infinite if there is no edge.
    public var distance: Double
    /// `from` < `to`. Int32.max if there is no edge.
    public var from: Int32
    public var to: Int32

    public static let none = BestLink(distance: .infinity, from: .max, to: .max)

    public init(distance: Double, from: Int32, to: Int32) {
        self.distance = distance
        self.from = min(from, to)
        self.to = max(from, to)
    }

    /// The edge; nil if there is none.
    @inline(__always)
    public var link: Link? { Link(self) }

    @inline(__always)
    public static func < (a: BestLink, b: BestLink) -> Bool {
        if a.distance != b.distance { return a.distance < b.distance }
        return a.from != b.from ? a.from < b.from : a.to < b.to
    }
}

/// An edge of mutual reachability that exists: of finite length, between two rows.
public struct Link: Sendable, Equatable, BitwiseCopyable {
    public let distance: Double
    /// `from` < `to`.
    public let from: Int32
    public let to: Int32

    @inline(__always)
    fileprivate init?(_ best: BestLink) {
        guard best.distance < .infinity, best.from < best.to else { return nil }
        distance = best.distance
        from = best.from
        to = best.to
    }
}

/// A round of Boruvka's algorithm.
public struct OutsideQuery: Sendable {
    /// Each row's component, 0..<number of links.
    public let components: [Int32]
    /// Each row's core distance.
    public let cores: [Double]
    /// Mutual reachability is max(core, core, distance / alpha).
    public let alpha: Double
    /// The rows whose edges are searched for.
    public let searched: [Bool]
    /// For each row a lower bound of the length of any edge from it to another component. A search may raise the bounds
    /// of rows that it has searched.
    public let floors: AlignedBuffer<Double>?

    public init(
        components: [Int32], cores: [Double], alpha: Double, searched: [Bool], floors: AlignedBuffer<Double>? = nil
    ) {
        self.floors = floors
        self.components = components
        self.cores = cores
        self.alpha = alpha
        self.searched = searched
    }

    /// An upper bound of the reduced distance of every pair of rows whose mutual reachability is at most `bound`.
    @inline(__always)
    func reducedBound(_ bound: Double, _ metric: Metric) -> Double {
        metric.reducedBound(distance: bound * alpha * (1 + 0x1p-50))
    }
}
