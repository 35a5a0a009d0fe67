import CCoveyKernels
import CoveyRuntime

/// Exact search by a k-d tree, for rows of few dimensions or rows near a subspace of few dimensions. The points of a
/// leaf search together: first in their own leaf, then up the tree.
///
/// Rows are numbered by their places in the tree, so that neighbours are near each other in memory. Cost: usually O(n
/// log n). Memory: about 30 + 16 d bytes for each row, 8 d more while the tree is built, and 4 bytes for each
/// neighbour.
public final class KDTreeSearch: NeighborSearch, @unchecked Sendable {
    public let rows: Rows
    let tree: KDTree
    let margin: TreeCoordinates.Margin

    public var order: AlignedBuffer<Int32>? { tree.order }

    public convenience init(_ rows: Rows, execution: Execution) throws {
        try self.init(rows, TreeAxes.find(rows, execution: execution), execution)
    }

    private init(_ rows: Rows, _ axes: TreeAxes?, _ execution: Execution) throws {
        let coordinates = try TreeCoordinates(rows, axes, execution: execution)
        tree = try KDTree(
            coordinates.values, count: rows.count, dimension: rows.dimension, boxed: coordinates.telling,
            manhattan: rows.metric == .manhattan, execution: execution)
        margin = coordinates.margin
        self.rows = try rows.reordered(tree.order, execution: execution)
    }

    /// A tree in which the search for k neighbours visits at most the given share of the rows. By default the share is
    /// so small that the tree is faster than tiles. nil if no such tree exists. The answer is the same for any number
    /// of threads.
    public static func suited(
        to rows: Rows, _ k: Int, mostLooks: Double = KDTreeSearch.mostLooks, execution: Execution
    ) throws -> KDTreeSearch? {
        if rows.dimension < TreeCoordinates.rotated { return try KDTreeSearch(rows, nil, execution) }
        guard rows.dimension <= mostDimensions else { return nil }
        let axes = try TreeAxes.find(rows, execution: execution)
        if (axes?.telling ?? rows.dimension) > mostTelling {
            // Rows on lines or planes of many directions may still have a good tree. A tree of a sample of the rows
            // gives an upper bound, because a search visits a larger share of fewer rows.
            guard rows.count >= manyRows, k < probedRows / 16 else { return nil }
            let some = try AlignedBuffer<Int32>(probedRows, for: "a sample", execution)
            for i in 0..<probedRows { some[i] = Int32(i * (rows.count / probedRows)) }
            let probe = try KDTreeSearch(rows.reordered(some, execution: execution), axes, execution)
            guard try probe.looks(k, execution: execution) <= mostLooks * Double(probedRows) else { return nil }
        }
        let search = try KDTreeSearch(rows, axes, execution)
        return try search.looks(k, execution: execution) <= mostLooks * Double(rows.count) ? search : nil
    }

    /// Measured on two cores: above these sizes tiles are faster, or the decision itself costs too much.
    private static let mostDimensions = 128
    private static let mostTelling = 12
    private static let probedRows = 4096
    /// With fewer rows, tiles are faster than even a good tree in so many dimensions.
    private static let manyRows = 131_072
    /// The share of all rows that the search of a leaf may visit.
    public static let mostLooks = 0.4

    /// One thread's scratch memory for a leaf's queries.
    final class Scratch {
        let stack: AlignedBuffer<BoxTree.Entry>
        let gaps: AlignedBuffer<Double>
        let pairs: AlignedBuffer<UInt8>
        let sums: AlignedBuffer<Double>
        let bounds: AlignedBuffer<Double>
        /// What is searched for, one entry for each point of the leaf.
        let limits: AlignedBuffer<Double>

        init(_ execution: Execution) throws {
            let size = KDTree.leafSize
            stack = try AlignedBuffer(BoxTree.stackSize, for: "a leaf", execution)
            gaps = try AlignedBuffer(Int(CK_BOXES), for: "a leaf", execution)
            pairs = try AlignedBuffer(size * size, for: "a leaf", execution)
            sums = try AlignedBuffer(size * size, for: "a leaf", execution)
            bounds = try AlignedBuffer(size, for: "a leaf", execution)
            limits = try AlignedBuffer(size, for: "a leaf", execution)
        }
    }

    /// The number of leaves in one chunk of parallel work.
    static let grain = 64
}
