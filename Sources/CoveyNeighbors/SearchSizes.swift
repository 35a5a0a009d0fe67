import Synchronization

/// The numbers of rows at which searches change their method. The standard ones suit real data. Tests and fuzz targets
/// use small ones, so that a few dozen rows reach code that otherwise needs tens of thousands.
public struct SearchSizes: Sendable {
    /// Approximate search begins above this number of columns, from this number of rows, if n cbrt(d) is at least
    /// `leastWork`.
    public var fewColumns = 12
    public var leastRows = 8192
    public var leastWork = 1.8e5
    /// The number of rows that a leaf of a tree may visit before approximate search is used instead.
    public var fewLooks = 100_000.0
    /// For approximate search: the smallest number of rows of a cell, the number of cells up to which they form one
    /// group, and the number of groups that a row probes.
    public var leastCell = 512
    public var ungroupedCells = 64
    public var nearGroups = 8
    /// Large cells are cut into segments of this many rows.
    public var segment = 8192
    /// The sides of the tiles of approximate search, at most the standard ones.
    public var tileRows = 256
    public var tileColumns = 512
    /// The number of rows in a batch of the sample that measures recall.
    public var recallBatch = 512
    /// Two parts of at least this many rows are joined by a search for edges.
    public var largePart = 16
    /// Exact search has one cell up to this number of rows, and above it one cell for every `exactCell` rows. Cells are
    /// cut into blocks of `exactBlock` rows, at most 256.
    public var oneCell = 4096
    public var exactCell = 512
    public var exactBlock = 256
    /// The fewest columns for which exact search multiplies integers first: with fewer, floats are as fast.
    public var codedColumns = 12
    /// The same for the search that places new rows.
    public var oneQueryCell = 1024

    public static let standard = SearchSizes()

    public static let small = SearchSizes(
        fewColumns: 0, leastRows: 16, leastWork: 0, fewLooks: 0, leastCell: 8, ungroupedCells: 4, nearGroups: 2,
        segment: 24, tileRows: 8, tileColumns: 16, recallBatch: 8, largePart: 4, oneCell: 24, exactCell: 8,
        exactBlock: 5, codedColumns: 0,
        oneQueryCell: 24)

    private static let lowered = Atomic<Bool>(false)

    /// Makes all later searches of the process use small sizes, or the standard ones again. For tests.
    public static func lower(_ small: Bool) { lowered.store(small, ordering: .relaxed) }

    /// The sizes for searches that begin now.
    public static var current: SearchSizes { lowered.load(ordering: .relaxed) ? small : standard }
}
