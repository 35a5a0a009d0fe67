import CoveyRuntime

/// Near neighbours of millions of rows. Each row is compared with the rows of its nearest k-means cells, as in an
/// inverted file (FAISS's IVF), and then with the neighbours of its neighbours. The search misses some neighbours;
/// `recall` measures how many it finds. The result is the same for the same rows and seed, whatever the number of
/// threads. Euclidean only.
///
/// Rows are numbered by their places. The rows of a cell have adjacent places, so that rows that are read together are
/// near each other in memory.
///
/// Cost: O(n sqrt(n) d) products for the cells, O(n d) for the neighbours, O(n d) for each row of the sample that
/// measures recall. Memory: 4 bytes a number (the rows in float32; twice while they are put in order), about 200 bytes
/// a row, and 20 bytes for each of the k + 6 entries of a row's list.
public final class ApproximateSearch: Sendable {
    let index: CellIndex

    /// For longer lists, exact search is as fast.
    public static let mostNeighbours = 256

    /// Whether approximate search is faster than exact search by tiles. It is for more than a few columns if n cbrt(d)
    /// is 180,000 or more: from 71,000 rows of 16 columns, 45,000 of 64, 28,000 of 256, 20,000 of 768. This was
    /// measured on data of full rank on two cores.
    public static func pays(rows: Int, columns: Int) -> Bool {
        let (n, sizes) = (Double(rows), SearchSizes.current)
        let least = sizes.leastWork
        return columns > sizes.fewColumns && rows >= sizes.leastRows
            && n * n * n * Double(columns) >= least * least * least
    }

    private static let probes = 6
    private static let rounds = 2
    /// The entries of a list beyond the k neighbours. They often hold edges between clusters.
    private static let spare = 6

    public convenience init(_ rows: Rows, seed: UInt64, execution: Execution) throws {
        try self.init(
            rows, seed: seed, probes: ApproximateSearch.probes, cellSize: CellIndex.cellSize(rows.count),
            execution: execution)
    }

    init(_ rows: Rows, seed: UInt64, probes: Int, cellSize: Int, execution: Execution) throws {
        index = try CellIndex(rows, seed: seed, probeCount: probes, cellSize: cellSize, execution: execution)
    }

    /// The row at a place.
    @inline(__always)
    public func row(_ place: Int) -> Int32 { index.order[place] }

    /// The k near rows of each row, and a few more if there are enough rows, by places. Distances are computed from the
    /// caller's numbers. 1 <= k < rows.
    public func nearest(_ k: Int, execution: Execution) throws -> NeighborGraph {
        try nearest(k, rounds: ApproximateSearch.rounds, execution: execution)
    }

    /// The same from lists that an index of FAISS found: what it did not find is not looked for, except for rows whose
    /// lists are too short. These are searched for exactly.
    /// - Parameter found: `NamedIndex.lists` of the same rows, each `width` long, at least k and below the rows.
    public func nearest(_ width: Int, from found: AlignedBuffer<Int32>, execution: Execution) throws -> NeighborGraph {
        let lists = try NearLists(index, length: width, execution: execution)
        try lists.take(found, execution: execution)
        try lists.fill(execution: execution)
        return try lists.graph(execution: execution)
    }

    /// The entries of a list for k neighbours of n rows.
    public static func width(_ k: Int, rows: Int) -> Int { min(k + spare, rows - 1) }

    func nearest(_ k: Int, rounds: Int, execution: Execution) throws -> NeighborGraph {
        let lists = try NearLists(
            index, length: ApproximateSearch.width(k, rows: index.packed.count), execution: execution)
        try lists.scan(execution: execution)
        try lists.fill(execution: execution)
        if rounds > 0 { try NeighborDescent(lists, execution: execution).run(rounds: rounds) }
        return try lists.graph(execution: execution)
    }

    /// The share of the true k nearest rows that are among the first k of a graph of `nearest`.
    public func recall(of graph: NeighborGraph, _ k: Int, seed: UInt64, execution: Execution) throws -> Double {
        try RecallEstimate(graph, k, index, seed: seed, execution: execution).share
    }

    /// Finds for each component a short edge to another component.
    /// - Parameters:
    ///   - best: the best known edges. Shorter ones replace them.
    ///   - isQuick: fewer pairs are compared.
    public func join(
        _ query: JoinQuery, _ best: inout [BestLink], isQuick: Bool = false, execution: Execution
    ) throws -> [Link] {
        try best.withUnsafeMutableBufferPointer { try JoinSearch(index, query, $0, execution).run(isQuick: isQuick) }
        // The search compares some of all pairs, so that it may find no edge for a component.
        if best.contains(where: { $0.link == nil }) { try searchExactly(query, &best, execution) }
        return try best.enumerated().map { component, best in
            guard let link = best.link else {
                throw CoveyError.internalError(
                    "component \(component) of \(query.components.count) rows has no edge to another")
            }
            return link
        }
    }

    /// The exact shortest edges of the components for which no edge was found.
    private func searchExactly(_ query: JoinQuery, _ best: inout [BestLink], _ execution: Execution) throws {
        let exact = try TileSearch(index.packed.rows.reordered(index.order, execution: execution), execution: execution)
        let components = query.components
        let searched = try execution.array(components.count) { [best] in best[Int(components[$0])].link == nil }
        try exact.nearestOutside(
            OutsideQuery(components: components, cores: query.cores, alpha: query.alpha, searched: searched),
            links: &best,
            execution: execution)
    }
}
