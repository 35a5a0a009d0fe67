import Synchronization

/// The numbers of rows at which searches begin to work otherwise. Those in force suit real data; tests and fuzz targets ask
/// for small ones, which bring a few dozen rows to code that otherwise sees tens of thousands.
public struct SearchSizes: Sendable {
    /// Approximate search is for more columns, and at least so many rows, n cbrt(d) being at least `leastWork`.
    public var fewColumns = 12
    public var leastRows = 8192
    public var leastWork = 1.8e5
    /// The rows that a leaf of a tree may look at in the place of approximate search.
    public var fewLooks = 100_000.0
    /// The least number of rows that a cell of approximate search is to have; cells up to which there is one group of them;
    /// groups that a row looks into.
    public var leastCell = 512
    public var ungroupedCells = 64
    public var nearGroups = 8
    /// Large cells are cut into segments of so many rows.
    public var segment = 8192
    /// The sides of the tiles of approximate search, at most the standard ones.
    public var tileRows = 256
    public var tileColumns = 512
    /// The rows of a batch of the sample that measures recall.
    public var recallBatch = 512
    /// Two parts of so many rows are joined by edges that are searched for.
    public var largePart = 16
    /// Exact search has one cell up to so many rows, beyond them one for each `exactCell`, cut into blocks of `exactBlock`,
    /// which is at most 256.
    public var oneCell = 4096
    public var exactCell = 512
    public var exactBlock = 256
    /// Likewise where new rows are placed.
    public var oneQueryCell = 1024

    public static let standard = SearchSizes()

    public static let small = SearchSizes(
        fewColumns: 0, leastRows: 16, leastWork: 0, fewLooks: 0, leastCell: 8, ungroupedCells: 4, nearGroups: 2,
        segment: 24, tileRows: 8, tileColumns: 16, recallBatch: 8, largePart: 4, oneCell: 24, exactCell: 8,
        exactBlock: 5,
        oneQueryCell: 24)

    private static let lowered = Atomic<Bool>(false)

    /// Lets every search of the process begin with small sizes, or with the standard ones again. For tests.
    public static func lower(_ small: Bool) { lowered.store(small, ordering: .relaxed) }

    /// Those of searches that begin now.
    public static var current: SearchSizes { lowered.load(ordering: .relaxed) ? small : standard }
}
